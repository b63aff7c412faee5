"""The words every floor shares: pure, frozen types with no input or output.

Times are timezone-aware UTC datetimes. Objects are frozen: they cross tasks, processes and the
journal. Whatever here is a pydantic model can be stored in the journal as JSON.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar, Generic, Literal, Protocol, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

AgentName = str
"""`orchestrator`, or one of the specialists `logs`, `metrics`, `deploys`, `codefix`."""

SPECIALISTS: tuple[AgentName, ...] = ("logs", "metrics", "deploys", "codefix")


class Frozen(BaseModel):
    """Base of everything that crosses a boundary: immutable, strict about unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Params(BaseModel):
    """Base of tool arguments: flat (primitives, lists of primitives, Literals), as model APIs accept them."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    once: ClassVar[bool] = False
    """Whether a procedure asks this once: started again it takes the answer it had, whatever it would ask by now."""


P = TypeVar("P", bound=Params)
D = TypeVar("D", bound=BaseModel)


class Clock(Protocol):
    """Where time comes from. Tests pass a fake one; nothing else reads the system clock."""

    def now(self) -> datetime:
        """Return the wall clock, UTC. For display and for stamps, never for durations."""

    def monotonic(self) -> float:
        """Return seconds that only grow. For durations and timeouts."""

    async def sleep(self, seconds: float) -> None:
        """Return after `seconds` have passed on this clock."""


class Window(Frozen):
    """A half-open span of time, `start <= t < end`."""

    start: AwareDatetime
    end: AwareDatetime

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return (self.end - self.start).total_seconds()

    def holds(self, moment: datetime) -> bool:
        """Say whether `moment` lies in the window."""
        return self.start <= moment < self.end


class Problem(Frozen):
    """Something wrong with an input, as a person reads it: what, where, what is lost, what to do."""

    what: str
    where: str = ""
    lost: str = ""
    todo: str = ""
    count: int = 1

    def line(self) -> str:
        """Return the problem as one line."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        times = f" (x{self.count})" if self.count > 1 else ""
        parts = [head + times, f"lost: {self.lost}" if self.lost else "", self.todo]
        return "; ".join(part for part in parts if part)


class Alert(Frozen):
    """What the pager said: a claim to be checked against the data, not a fact."""

    origin: str = "plain"
    """Payload kind: `alertmanager`, `pagerduty`, `grafana`, `plain`, `manifest`."""
    title: str = ""
    summary: str = ""
    service: str | None = None
    metric: str | None = None
    threshold: float | None = None
    observed: float | None = None
    severity: str | None = None
    fired_at: AwareDatetime | None = None
    resolved: bool = False
    labels: Mapping[str, str] = Field(default_factory=dict)


class Incident(Frozen):
    """What is broken, as far as it is known when the work starts."""

    id: str
    title: str
    service: str | None = None
    severity: str | None = None
    window: Window | None = None
    started_at: AwareDatetime | None = None
    """Start of impact as the operator supplied it, if anyone did."""
    alert: Alert | None = None
    services: tuple[str, ...] = ()
    """Services that the operator or the manifest named as candidates."""
    text: str = ""
    """Free text of the alert or of the person, as given."""


SourceKind = Literal[
    "logs",
    "metrics",
    "spans",
    "trace_edges",
    "topology",
    "deploys",
    "commits",
    "diff",
    "flags",
    "repo",
    "runbooks",
    "evidence",
]


class SourceSpec(Frozen):
    """Where one source is and what it is. Enough to open it again in another process."""

    id: str
    """Stable within the session; letters, digits, `._-/` only. It is the <source> of citations."""
    kind: SourceKind
    path: str
    """Absolute path on this machine (a spooled copy where the input was a stream)."""
    origin: str = ""
    """What the person gave: a relative path, `-`, or the command line. For display."""
    options: Mapping[str, str] = Field(default_factory=dict)
    """Kind-specific options, such as `store` (private git dir) or `service` (whose log this is)."""


class Coverage(Frozen):
    """How much of a source was understood."""

    source: str
    kind: SourceKind
    items: int = 0
    """Log events, metric points, commits, deploys, … found."""
    understood: int = 0
    """Of these, how many have what the analysis needs (a time stamp, a value, an id)."""
    dropped: int = 0
    span: Window | None = None
    layout: str = ""
    problems: tuple[Problem, ...] = ()


class Evidence(Frozen):
    """An exact thing that a person can open, frozen as it was when it was cited."""

    ref: str
    """The citation, in the grammar of `subagents.citations`."""
    digest: str
    """`sha256:` + hex of the raw bytes (logs, diffs) or of the canonical JSON (metrics, records)."""
    excerpt: str
    """At most 4 KiB of it, redacted before it is stored."""
    label: str = ""


EXCERPT_LIMIT = 4096


def evidence(ref: str, raw: bytes, label: str = "") -> Evidence:
    """Freeze `raw` as the evidence behind `ref`; the excerpt is its first 4 KiB as text."""
    excerpt = raw[: EXCERPT_LIMIT + 4].decode("utf-8", "replace")
    while len(excerpt.encode()) > EXCERPT_LIMIT:
        excerpt = excerpt[:-1]
    return Evidence(ref=ref, digest="sha256:" + hashlib.sha256(raw).hexdigest(), excerpt=excerpt, label=label)


class Fact(Frozen):
    """A typed number with its source, which the claims checker recomputes from what it cites."""

    quantity: str
    """One of `subagents.quantities`, or a name of the claimant's own (shown as unchecked)."""
    value: float | int | str
    """A number, or an ISO 8601 time for quantities that are moments."""
    unit: str = ""
    citation: str
    window: Window | None = None
    """The time that a count is over, where its citation does not say: `log:` names a line, not a span."""


SuspectKind = Literal[
    "commit",
    "deploy",
    "flag",
    "service",
    "dependency",
    "traffic",
    "host",
    "resource",
    "certificate",
    "data",
    "config",
    "external",
    "none",
]


class Suspect(Frozen):
    """A candidate cause. Findings about equal suspects fold into one hypothesis.

    A change that has a commit is always named by the commit (full id), whatever deploy carried it.
    """

    kind: SuspectKind
    key: str
    label: str = ""

    @property
    def id(self) -> str:
        """Identity on the board: kind and key, without the label."""
        return f"{self.kind}:{self.key}"


Stance = Literal["for", "against", "rules_out", "observes"]
Topic = Literal[
    "symptom", "onset", "order", "errors", "change", "mechanism", "consequence", "exclusion", "health", "fix", "gap"
]


class Finding(Frozen):
    """A claim by an agent, with facts and citations."""

    agent: AgentName
    claim: str
    """One plain sentence. Numbers in it that are not also facts are shown as unchecked."""
    topic: Topic
    about: Suspect | None = None
    """None: it describes the symptom, not a candidate cause (then stance is `observes`)."""
    stance: Stance = "observes"
    weight: float = Field(default=0.5, ge=0, le=1)
    """How much it moves the hypothesis, 0 to 1, in the claimant's judgement."""
    facts: tuple[Fact, ...] = ()
    citations: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    at: AwareDatetime | None = None
    """When what it describes began."""
    terms: tuple[str, ...] = ()
    """Identifiers to match elsewhere: file paths, symbols, tables, endpoints, keys, error codes."""

    @property
    def id(self) -> str:
        """Content-addressed: the same claim has the same id, so that a replay adds nothing."""
        body = self.model_dump_json(exclude_none=True).encode()
        return "f-" + hashlib.sha256(body).hexdigest()[:10]


Outcome = Literal["ok", "error", "denied", "timeout", "cancelled", "unknown"]


class ToolError(Exception):
    """A tool cannot do what was asked; the message says what, to what, and what to do."""


class ToolResult(Frozen, Generic[D]):
    """What a tool call gave: typed data for code, bounded text for models, citations for both."""

    data: D | None = None
    text: str = ""
    citations: tuple[Evidence, ...] = ()
    more: str | None = None
    """A handle for the rest, where `text` or `data` was cut: `blob:<sha256>` or a tool's cursor."""
    outcome: Outcome = "ok"

    def need(self) -> D:
        """Return the data, or raise ToolError with the reason that there is none."""
        if self.outcome != "ok" or self.data is None:
            raise ToolError(self.text or self.outcome)
        return self.data


Effect = Literal["read", "keyed", "unkeyed"]
"""`read` changes nothing; `keyed` may be run again with the same key; `unkeyed` must never be run twice."""


ProgressUnit = Literal["bytes", "commits", "diffs", "runs", "series"]


class Progress(Frozen):
    """How far a running tool has come, for whoever watches: never stored, no result, read by no agent."""

    done: int = 0
    """How many of `unit`; bytes are those of files as they lie on disk."""
    total: int = 0
    """How many there are; 0 where that is not known."""
    text: str = ""
    """What it found until now, the telling part first: it is cut to a line."""
    unit: ProgressUnit = "bytes"
    found: tuple[tuple[str, str], ...] = ()
    """The first things found, each a citation and what it says: a person can look at them before the rest is there."""


Telling = Callable[[Callable[[], Progress]], None]
"""Tells whoever watches how far a tool is. What makes the words is called a few times a second at most."""


@dataclass(frozen=True)
class ToolContext:
    """What a running tool is given beside its arguments."""

    key: str
    """Idempotency key of this call."""
    clock: Clock
    findings: tuple[Finding, ...] = ()
    """The findings whose ids the arguments name in `finding_ids`, resolved by hands."""
    cancelled: Callable[[], bool] = field(default=lambda: False)
    progress: Telling = field(default=lambda made: None)
    """Nobody watches, unless hands says so."""


@dataclass(frozen=True)
class Tool(Generic[P, D]):
    """One thing an agent can do. `run` is synchronous; hands puts it in a thread or a worker process."""

    name: str
    """`<agent>_<verb>`, unique over all agents."""
    description: str
    params: type[P]
    result: type[D]
    run: Callable[[P, ToolContext], ToolResult[D]]
    effect: Effect = "read"
    outward: bool = False
    """It sends bytes off this machine."""
    private: bool = False
    """Whatever it writes stays in warroom's own state directory."""
    worker: bool = False
    """CPU-heavy: runs in the agent's worker process, which is killed on timeout or cancel."""
    beside: bool = False
    """Uses nothing that the agent's worker holds: where a person asks, it runs in another one, and neither waits."""
    timeout_s: float = 60.0
    output_cap: int = 100 * 1024
    """Most bytes of `text` that an engine is given."""

    def schema(self) -> dict[str, Any]:
        """Return the flat JSON schema of the arguments."""
        return self.params.model_json_schema()


class Resolver(Protocol):
    """Opens citations again."""

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Return the evidence as it is now; raise ToolError where it cannot be opened."""


class Brief(Frozen):
    """What an investigation starts from."""

    incident: Incident
    sources: tuple[SourceSpec, ...] = ()
    coverage: tuple[Coverage, ...] = ()
    services: tuple[ServiceInfo, ...] = ()
    notes: tuple[str, ...] = ()
    """What the person said or attached since, oldest first."""


class ServiceTests(Frozen):
    """How warroom.toml says that a service's tests are run; only in the sandbox."""

    command: tuple[str, ...]
    ro_paths: tuple[str, ...] = ()
    """Absolute paths that the sandbox may also read."""
    env: Mapping[str, str] = Field(default_factory=dict)


class ServiceInfo(Frozen):
    """What warroom.toml says of one service."""

    name: str
    repo: str | None = None
    """Source id of its repository."""
    paths: tuple[str, ...] = ()
    """Path prefixes in a monorepo."""
    rollback: str | None = None
    """Command template; `{service}`, `{version}`, `{commit}`, `{previous}` are filled in. Never run."""
    depends_on: tuple[str, ...] = ()
    tests: ServiceTests | None = None


Brief.model_rebuild()
