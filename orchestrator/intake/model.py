"""What intake is given beside its inputs, and what it hands back."""

from __future__ import annotations

from dataclasses import dataclass, field

from subagents.contract import Frozen, Incident, Problem, SourceKind, SourceSpec, Window


@dataclass(frozen=True)
class IntakeLimits:
    """How much is looked at; beyond it, what is left out is said."""

    depth: int = 8
    """Levels of folders below the one that was given."""
    entries: int = 20_000
    """Names looked at in one folder that was given."""
    sources: int = 1_000
    """Files used as sources."""
    document_bytes: int = 32 << 20
    """Largest JSON document that is parsed to find out what it is."""
    alert_bytes: int = 1 << 20
    """Largest alert or manifest."""
    json_depth: int = 64
    stream_bytes: int = 1 << 30
    """Most bytes kept from standard input, a pipe or a command."""
    stream_idle_s: float = 300.0
    stream_total_s: float = 3600.0
    command_idle_s: float = 60.0
    command_total_s: float = 600.0
    stderr_bytes: int = 4096


@dataclass(frozen=True)
class NamedInput:
    """A source that the settings name: what it is need not be recognised."""

    path: str
    kind: SourceKind
    id: str | None = None
    options: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class IntakeOptions:
    """What the settings add to what the person gave."""

    limits: IntakeLimits = IntakeLimits()
    services: tuple[str, ...] = ()
    """Known service names: a log named after one is that service's log."""
    named: tuple[NamedInput, ...] = ()
    title: str = ""
    """What the person says is broken; counts before what the input says."""
    service: str | None = None
    window: Window | None = None
    stream_name: str = ""
    """What to call standard input or the command's output, such as `web.log`."""


class Intake(Frozen):
    """What came in: the incident, where its evidence is, and what was wrong with the input."""

    incident: Incident
    specs: tuple[SourceSpec, ...] = ()
    problems: tuple[Problem, ...] = ()
    unused: tuple[str, ...] = ()
    """Every file that was seen and is not used, as shown to people; `problems` says why."""


class IntakeError(Exception):
    """Nothing usable came in; the message is one line for people."""

    def __init__(self, message: str, problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems
