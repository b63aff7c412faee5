"""What each agent should be, from the same definitions as every engine's: name, description, model, prompt, tools."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from orchestrator.config.model import EngineSettings
from orchestrator.engines.managed.register import AgentRef
from orchestrator.engines.prompting import system_prompt
from orchestrator.engines.reporting import REPORT_TOOLS, conclude_tool, finding_tool
from orchestrator.engines.schemas import SchemaError, custom_tools, tools_faults
from orchestrator.journal.events import MAIN_THREAD
from subagents.contract import SPECIALISTS, AgentName
from subagents.specialist import Agent

MODELS: Final[Mapping[AgentName, tuple[str, str]]] = {
    "orchestrator": ("claude-opus-5-5", "high"),
    "logs": ("claude-haiku-5-5", "medium"),
    "metrics": ("claude-haiku-5-5", "medium"),
    "deploys": ("claude-sonnet-5-5", "medium"),
    "codefix": ("claude-sonnet-5-5", "high"),
}
"""Model and effort of each role, unless the settings say otherwise."""

OWNER_KEY: Final = "warroom"
"""Metadata: the installation that made it."""
ROLE_KEY: Final = "warroom_role"
_TAKEN_NAMES: Final = frozenset({"self", "anthropic.advisor"})
NAME_LIMIT, DESCRIPTION_LIMIT, SYSTEM_LIMIT = 256, 2048, 100_000
_MODEL: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}\Z")


class DefinitionError(ValueError):
    """An agent cannot be defined so; the message is one line for people."""


@dataclass(frozen=True)
class AgentDefinition:
    """What one agent should be, in the API's own words."""

    role: AgentName
    name: str
    description: str
    model: str
    effort: str | None
    """None: the model's default, because the settings chose the model and not the effort."""
    system: str
    tools: tuple[Mapping[str, Any], ...]
    metadata: Mapping[str, str]

    @property
    def leads(self) -> bool:
        """Whether it is the coordinator, which has the others as its roster."""
        return self.role == MAIN_THREAD

    @property
    def digest(self) -> str:
        """Names this definition; the roster's versions are no part of it."""
        body = json.dumps(self.body(), sort_keys=True)
        return hashlib.sha256(body.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def body(self, roster: Sequence[AgentRef] = ()) -> dict[str, Any]:
        """Return the fields as `agents.create` takes them; `roster` is the coordinator's, in order."""
        body: dict[str, Any] = {
            "name": self.name,
            "description": self.description,
            "model": {"id": self.model, **({"effort": self.effort} if self.effort else {})},
            "system": self.system,
            "tools": [dict(tool) for tool in self.tools],
            "metadata": dict(self.metadata),
        }
        if self.leads:
            body["multiagent"] = roster_of(roster)
        return body


def roster_of(agents: Sequence[AgentRef]) -> dict[str, Any]:
    """Return the delegation of a fixed cast: these versions of these agents, nothing that a model invents."""
    return {
        "type": "multiagent_20261001",
        "subagents": {
            "type": "enabled",
            "inline_agents": {"type": "disabled"},
            "predefined_agents": [{"type": "agent", "id": ref.id, "version": ref.version} for ref in agents],
        },
        "workflows": {"type": "disabled"},
        "advisor": {"type": "disabled"},
    }


def definitions(agents: Mapping[AgentName, Agent], engine: EngineSettings, install: str) -> tuple[AgentDefinition, ...]:
    """Return what the agents should be, specialists first, the coordinator last.

    Raises DefinitionError for a model that cannot be one, and for what the API would refuse.
    """
    cast = tuple(_define(agents[role], engine, install) for role in (*SPECIALISTS, MAIN_THREAD))
    for definition in cast:
        if faults := _faults(definition):
            raise DefinitionError(f"agent {definition.role}: {'; '.join(faults)}")
    return cast


def shipped_agents() -> dict[AgentName, Agent]:
    """Return the agents as they are without any source: what they are told and hold does not depend on sources."""
    from orchestrator.engines import coordinator
    from subagents import roster

    return {**roster.build(()).agents, MAIN_THREAD: coordinator.agent()}


def model_of(role: AgentName, engine: EngineSettings) -> tuple[str, str | None]:
    """Return the model of a role and how hard it works; None: the model's own default."""
    model, effort = MODELS[role]
    chosen = {str(name): one for name, one in engine.models.items()}.get(role) or engine.model
    efforts = {str(name): one for name, one in engine.efforts.items()}
    if chosen and chosen != model:
        return chosen, efforts.get(role)
    return model, efforts.get(role, effort)


def _define(agent: Agent, engine: EngineSettings, install: str) -> AgentDefinition:
    model, effort = model_of(agent.name, engine)
    if clash := REPORT_TOOLS & {tool.name for tool in agent.tools}:
        raise DefinitionError(f"agent {agent.name}: {', '.join(sorted(clash))} is answered by the engine itself")
    report = conclude_tool() if agent.name == MAIN_THREAD else finding_tool()
    try:
        tools = (*custom_tools(agent.tools), report)
    except SchemaError as error:
        raise DefinitionError(f"agent {agent.name}: {error}") from error
    return AgentDefinition(
        role=agent.name,
        name=agent.name,
        description=agent.description,
        model=model,
        effort=effort,
        system=system_prompt(agent),
        tools=tools,
        metadata={OWNER_KEY: install, ROLE_KEY: agent.name},
    )


def _faults(definition: AgentDefinition) -> list[str]:
    faults = tools_faults(definition.tools)
    if not _MODEL.match(definition.model):
        faults.append(f"{definition.model[:80]!r} is no model id: mend engine.models or engine.model")
    if not 1 <= len(definition.name) <= NAME_LIMIT or definition.name in _TAKEN_NAMES:
        faults.append("its name cannot be one")
    if len(definition.description) > DESCRIPTION_LIMIT:
        faults.append(f"its description is longer than {DESCRIPTION_LIMIT} characters")
    if len(definition.system) > SYSTEM_LIMIT:
        faults.append(f"its prompt is longer than {SYSTEM_LIMIT} characters")
    return faults
