"""What warroom.toml may say: the shape of the file, and of the settings that come of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from string import Formatter
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, field_validator

from subagents.contract import SPECIALISTS, AgentName, Frozen, SourceKind

ROLLBACK_FIELDS = ("service", "version", "commit", "previous")
EngineChoice = Literal["auto", "offline", "messages", "managed"]
Role = Literal["orchestrator", "logs", "metrics", "deploys", "codefix"]
Effort = Literal["low", "medium", "high", "xhigh", "max"]
_ENV_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")
_ENVIRONMENT = re.compile(r"env_[A-Za-z0-9_-]{1,120}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def _plain(text: str) -> str:
    if _CONTROL.search(text):
        raise ValueError("must be one line without control characters")
    return text


def _inner_path(text: str) -> str:
    if PurePosixPath(text).is_absolute() or ".." in PurePosixPath(text).parts:
        raise ValueError("must be a path inside the repository, without `..`")
    return _plain(text)


def _env_name(text: str) -> str:
    if not _ENV_NAME.match(text):
        raise ValueError("must be the name of an environment variable; secrets themselves do not belong in this file")
    return text


def _rollback(text: str) -> str:
    known = ", ".join(f"{{{name}}}" for name in ROLLBACK_FIELDS)
    try:
        fields = list(Formatter().parse(text))
    except ValueError as error:
        raise ValueError(f"has a stray brace; it may hold {known}, and `{{{{` for a brace") from error
    for _, name, spec, conversion in fields:
        if name is not None and (name not in ROLLBACK_FIELDS or spec or conversion):
            raise ValueError(f"names {{{name}}}; it may hold {known}")
    return _plain(text)


def _pattern(text: str) -> str:
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        raise ValueError("is not a regular expression that RE2 accepts") from error
    return text


def _environment_id(text: str) -> str:
    if not _ENVIRONMENT.match(text):
        raise ValueError("must be the id of a Managed Agents environment, such as env_01abc")
    return text


def _endpoint(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be an http or https address")
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ValueError("must hold no user name, password, query or fragment; keys come from the environment")
    return text


Line = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_plain)]
InnerPath = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_inner_path)]
EnvName = Annotated[str, AfterValidator(_env_name)]
Rollback = Annotated[str, Field(min_length=1, max_length=4096), AfterValidator(_rollback)]
Pattern = Annotated[str, Field(max_length=1000), AfterValidator(_pattern)]
Endpoint = Annotated[str, Field(max_length=2000), AfterValidator(_endpoint)]
EnvironmentId = Annotated[str, AfterValidator(_environment_id)]


class TestSettings(Frozen):
    """How a service's tests are run in the sandbox."""

    __test__ = False  # pytest: it is no test

    command: tuple[Line, ...] = Field(min_length=1, description="Program and arguments; no shell.")
    ro_paths: tuple[Line, ...] = Field(default=(), description="Paths that the sandbox may also read.")
    env: Mapping[EnvName, str] = Field(default_factory=dict, description="Environment variables of the tests.")


class ServiceSettings(Frozen):
    """One service: where its code is and how it is tested and rolled back."""

    repo: Line | None = Field(default=None, description="Git repository, relative to this file.")
    paths: tuple[InnerPath, ...] = Field(default=(), description="Its folders in a monorepo.")
    rollback: Rollback | None = Field(
        default=None, description="Command shown to a person, never run; {service}, {version}, {commit}, {previous}."
    )
    depends_on: tuple[Line, ...] = Field(default=(), description="Services that it calls.")
    runbooks: tuple[Line, ...] = Field(default=(), description="Folders of runbooks, relative to this file.")
    tests: TestSettings | None = Field(default=None, description="How its tests are run.")


class SourceSettings(Frozen):
    """Evidence that is always looked at."""

    kind: SourceKind
    path: Line = Field(description="File or folder, relative to this file.")
    service: Line | None = Field(default=None, description="Whose it is.")
    name: Line | None = Field(default=None, description="How citations name it.")


class PolicyRule(Frozen):
    """What is allowed, asked or denied; the first of the user's rules that fits counts."""

    decision: Literal["allow", "ask", "deny"]
    agent: AgentName = Field(default="*", description="Glob on the agent's name.")
    tool: str = Field(default="*", description="Glob on the tool's name.")
    arguments: Mapping[str, Pattern] = Field(
        default_factory=dict, description="Argument name = RE2 pattern that must match the whole value."
    )
    reason: str = ""
    origin: str = Field(default="", exclude=True, json_schema_extra={"readOnly": True})
    """File and line, filled in when it is read; the rule's name in decisions."""


Usd = Annotated[Decimal, Field(gt=0, le=1_000_000, decimal_places=6, allow_inf_nan=False)]
Price = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=6, allow_inf_nan=False)]
Count = Annotated[int, Field(gt=0, le=10**12, strict=True)]
BUDGETED_AGENTS = ("orchestrator", *SPECIALISTS)


class Bounds(Frozen):
    """How much may be used; what is not set is not bounded."""

    seconds: float | None = Field(
        default=None, gt=0, le=7 * 86_400, allow_inf_nan=False, description="Time at work; waiting for you is free."
    )
    tool_calls: Count | None = None
    turns: Count | None = Field(default=None, description="Model requests.")
    tokens: Count | None = Field(default=None, description="Tokens of every kind together.")
    input_tokens: Count | None = Field(default=None, description="Input tokens that no cache served.")
    output_tokens: Count | None = None
    cache_tokens: Count | None = Field(default=None, description="Tokens read from and written to the prompt cache.")
    usd: Usd | None = Field(default=None, description="Dollars at list prices.")


class Budgets(Bounds):
    """Bounds of one session; what is not set has warroom's default (`orchestrator.hands.budget.DEFAULTS`)."""

    reserve_percent: int = Field(
        default=15, ge=0, le=50, strict=True, description="Part of each bound that is kept for the verdict."
    )
    reserve_usd: Usd | None = Field(
        default=None, description="A fixed part of the dollars instead; of few dollars at most half."
    )
    agents: Mapping[AgentName, Bounds] = Field(default_factory=dict, description="Bounds of one agent, by its name.")

    @field_validator("agents")
    @classmethod
    def _known(cls, agents: Mapping[AgentName, Bounds]) -> Mapping[AgentName, Bounds]:
        unknown = sorted(set(agents) - set(BUDGETED_AGENTS))
        if unknown:
            raise ValueError(f"there is no agent {unknown[0][:40]!r}; there are: {', '.join(BUDGETED_AGENTS)}")
        return agents


class Rates(Frozen):
    """List prices in USD per million tokens; what is not given is taken from `input` as Anthropic multiplies it."""

    input: Price
    output: Price
    cache_read: Price | None = Field(default=None, description="Default: as input.")
    cache_write_5m: Price | None = Field(default=None, description="Default: 1.25 times input.")
    cache_write_1h: Price | None = Field(default=None, description="Default: 2 times input.")


class LongPrompt(Rates):
    """What every token of a request costs whose prompt is longer than `above` tokens."""

    above: Count


class ModelPrices(Rates):
    """Prices of one model."""

    long_prompt: LongPrompt | None = None


class EngineSettings(Frozen):
    """Who decides the next step."""

    choice: EngineChoice = Field(default="auto", description="auto: the best that the environment has a key for.")
    model: Line | None = None
    models: Mapping[Role, Line] = Field(default_factory=dict, description="Model of one role, over `model`.")
    efforts: Mapping[Role, Effort] = Field(default_factory=dict, description="How hard the model of a role works.")
    environment: EnvironmentId | None = Field(
        default=None, description="Managed Agents environment of your own, instead of the one that warroom makes."
    )
    base_url: Endpoint | None = Field(default=None, description="A compatible endpoint.")
    key_env: EnvName | None = Field(default=None, description="Name of the environment variable that holds the key.")
    header_env: Mapping[Line, EnvName] = Field(
        default_factory=dict, description="Header name = environment variable that holds its value."
    )
    proxy_env: EnvName | None = Field(
        default=None,
        description="Name of the environment variable that holds a proxy's address (HTTPS_PROXY); for https only.",
    )
    prices: Mapping[Line, ModelPrices] = Field(
        default_factory=dict, description="Prices by model id, over those that warroom ships with."
    )


class ConfigFile(Frozen):
    """One warroom.toml as written."""

    services: Mapping[Line, ServiceSettings] = Field(default_factory=dict)
    sources: tuple[SourceSettings, ...] = ()
    policies: tuple[PolicyRule, ...] = ()
    budgets: Budgets = Budgets()
    engine: EngineSettings = EngineSettings()
    runbooks: tuple[Line, ...] = Field(default=(), description="Folders of runbooks, relative to this file.")

    @field_validator("services")
    @classmethod
    def _few_enough(cls, services: Mapping[str, ServiceSettings]) -> Mapping[str, ServiceSettings]:
        if len(services) > 5000:
            raise ValueError("more than 5000 services")
        return services


class Settings(ConfigFile):
    """What counts, over all files and the environment; every path is absolute."""

    project_policies: tuple[PolicyRule, ...] = ()
    """Rules of projects that were not accepted: they only tighten."""


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of warroom.toml."""
    schema = ConfigFile.model_json_schema(mode="validation")
    schema["title"] = "warroom.toml"
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    schema["$defs"]["PolicyRule"]["properties"].pop("origin")
    return schema
