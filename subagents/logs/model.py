"""What the logs tools return, and what the procedure learnt: typed, frozen, bounded."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from subagents.contract import Coverage, Frozen, Problem, SuspectKind, Window
from subagents.logs.courses import FlowBreak, Followed, SlowPassages
from subagents.logs.levels import Level
from subagents.logs.stack_frames import StackFrame

SEVERAL = " services"
"""How the key ends of what fails beneath several services, and of none of them."""
Change = Literal["new", "burst", "vanished", "rare", "steady"]


def _more(count: int, baseline: float | None) -> bool:
    """Say whether there are more than were expected: what there is less of, or as much, is no trouble that began."""
    return baseline is None or count > baseline


class Timeline(Frozen):
    """Counts over equal buckets; bucket i starts at `start + i * bucket_seconds`."""

    start: AwareDatetime
    bucket_seconds: int
    counts: tuple[int, ...]


class LevelCount(Frozen):
    """How many events had a severity."""

    level: Level
    count: int


class ServiceCount(Frozen):
    """How many events a service logged."""

    service: str
    count: int
    errors: int


class LogsCoverage(Frozen):
    """What the log files of the incident are, and how much of them was understood."""

    sources: tuple[Coverage, ...]
    lines: int
    events: int
    dated: int
    """Events with a time stamp of their own."""
    span: Window | None
    levels: tuple[LevelCount, ...]
    services: tuple[ServiceCount, ...]
    services_more: int
    patterns: int
    ungrouped: int
    """Events beyond the pattern limit: counted, not grouped."""
    skew: tuple[Problem, ...]
    """Where the clocks of two sources do not agree; nothing was reordered."""


class Pattern(Frozen):
    """One template of log messages, in a window against a baseline."""

    id: str
    template: str
    change: Change
    level: Level
    severe: bool
    """Of level error or worse, or without a level but speaking of a failure."""
    services: tuple[str, ...]
    hosts: tuple[str, ...]
    sources: tuple[str, ...]
    count: int
    baseline_events: int
    """As counted in the baseline."""
    baseline_count: float | None
    """Scaled to the length of the window; null where the logs hold no baseline."""
    factor: float | None
    """count / baseline_count; null where the baseline has none."""
    surprise: float
    """Poisson log-likelihood ratio of window against baseline, in nats."""
    score: float
    """Surprise weighed by severity: the order of the list, at whose end most requests that changed alike stand."""
    first_seen: AwareDatetime | None
    last_seen: AwareDatetime | None
    timeline: Timeline | None
    example: str
    citation: str
    signature: str | None
    """Name of the known kind of failure that the example's wording shows."""
    terms: tuple[str, ...]
    more_routes: int = 0
    """Further requests of its services, change and class of status (5xx, say): they stand at the end of the list."""
    more_routes_events: int = 0

    @property
    def grew(self) -> bool:
        """Say whether there are more than were expected."""
        return _more(self.count, self.baseline_count)


class LogsPatterns(Frozen):
    """What is new, bursting, vanished or rare and severe."""

    window: Window
    baseline: Window | None
    window_seconds: float
    """Of the window, how long the logs cover."""
    baseline_seconds: float
    events: int
    baseline_events: int
    new: int
    burst: int
    vanished: int
    rare: int
    steady: int
    patterns: tuple[Pattern, ...]
    more: int
    note: str


class StackGroup(Frozen):
    """Stack traces with the same exception and frames."""

    id: str
    exception: str
    message: str
    language: str
    frames: tuple[StackFrame, ...]
    frames_more: int
    count: int
    baseline_events: int
    baseline_count: float | None
    services: tuple[str, ...]
    first_seen: AwareDatetime | None
    last_seen: AwareDatetime | None
    citation: str
    terms: tuple[str, ...]

    @property
    def own_place(self) -> str:
        """The innermost frame of own code as `path:line`; empty where there is none."""
        return next((frame.place for frame in self.frames if frame.own), "")


class LogsStacks(Frozen):
    """Stack traces of a window, grouped."""

    window: Window
    traces: int
    groups: tuple[StackGroup, ...]
    more: int


class LogLine(Frozen):
    """One log event as it stands in its file."""

    citation: str
    source: str
    at: AwareDatetime | None
    level: Level
    service: str | None
    text: str
    message: str = ""
    """What it says, without time stamp and level, on one line."""
    by_status: str = ""
    """The request's status, such as `503`, where only that makes it an error, whatever its own text says."""


class LogsSearch(Frozen):
    """Events that match: how many first, then the first of them."""

    matches: int
    scanned: int
    services: tuple[ServiceCount, ...]
    first: AwareDatetime | None
    last: AwareDatetime | None
    lines: tuple[LogLine, ...]
    more: int
    cursor: str | None
    timeline: Timeline | None = None
    """All that match and have a time, per minute or coarser."""
    span: Window | None = None
    """What the events cover that were looked at."""
    there: tuple[str, ...] = ()
    """Where nothing is of the service that was asked for: the services that there are."""


class HistogramSeries(Frozen):
    """One line of a histogram."""

    name: str
    total: int
    counts: tuple[int, ...]


class LogsHistogram(Frozen):
    """Events over time, in total or by service, level or source."""

    start: AwareDatetime
    bucket_seconds: int
    by: str
    series: tuple[HistogramSeries, ...]
    more: int
    undated: int


class LogsContext(Frozen):
    """Lines around a citation, as they stand in the file."""

    citation: str
    source: str
    lines: tuple[str, ...]
    cited_from: int
    """Index of the first cited line in `lines`."""
    cited_lines: int


class ValueCount(Frozen):
    """One value of a field, how often, and the first event that has it."""

    value: str
    count: int
    citation: str


class LogsDistinct(Frozen):
    """The values of a field."""

    field: str
    events: int
    with_field: int
    distinct: int
    values: tuple[ValueCount, ...]
    more: int
    fields: tuple[str, ...]
    """Fields that the logs have, for when the one asked for is not there."""


class Onset(Frozen):
    """When trouble begins in the logs."""

    at: AwareDatetime
    how: str
    before_per_minute: float
    after_per_minute: float
    citation: str


class Signature(Frozen):
    """A known kind of failure, by its wording."""

    name: str
    kind: SuspectKind
    key: str
    label: str
    named: bool
    """The text names the peer that is at fault; otherwise the suspect is only known by who complains."""
    explains: str
    count: int
    baseline_count: float | None
    services: tuple[str, ...]
    first_seen: AwareDatetime | None
    last_seen: AwareDatetime | None
    example: str
    citation: str
    patterns: tuple[str, ...]
    """Ids of the patterns that show it."""
    terms: tuple[str, ...]
    record: str | None = None
    """The words that name the one record that every event looked at is about, for input that cannot be used."""
    ours: bool = False
    """The peer is a service whose own logs are here."""
    unit: str | None = None
    """Whom it befell, where only programs of the machine tell of it: the one unit of systemd's, or workload of
    Kubernetes', that they name."""
    follows: str | None = None
    """Label of the one that brings it about: what waits for locks holds what a pool lends."""
    followed_by: tuple[str, ...] = ()
    """Services that suffer by it, likewise."""
    wide: bool = False
    """Several services say it of peers of their own: it lies beneath them, in names or networks."""

    @property
    def grew(self) -> bool:
        """Say whether it shows more often than was expected."""
        return _more(self.count, self.baseline_count)


class Start(Frozen):
    """A program that says it starts or stops."""

    service: str | None
    at: AwareDatetime
    text: str
    citation: str
    terms: tuple[str, ...]


class LogsFirstLook(Frozen):
    """Windows, onset, signatures and the services by log evidence, in one answer."""

    window: Window
    baseline: Window | None
    derived: str
    """How the window was found."""
    onset: Onset | None
    errors: int
    baseline_errors: int
    baseline_errors_scaled: float
    timelines: tuple[HistogramSeries, ...]
    """Severe events by service."""
    timeline_start: AwareDatetime
    bucket_seconds: int
    signatures: tuple[Signature, ...]
    services: tuple[ServiceEvidence, ...]
    starts: tuple[Start, ...]
    baseline_seconds: float
    window_seconds: float
    flows: tuple[FlowBreak, ...] = ()
    """Requests that leave their usual course, surest first; only where events bear trace or request ids."""
    slow: tuple[SlowPassages, ...] = ()
    """Services between which requests became slow, the one that explains it best first."""
    followed: Followed | None = None
    """Which requests were followed for that; None where events bear no request id."""


class ServiceEvidence(Frozen):
    """How much the logs speak of trouble in one service."""

    service: str
    score: float
    errors: int
    baseline_errors: float | None
    new_patterns: int
    first_severe: AwareDatetime | None
    citation: str | None


class LogsSummary(Frozen):
    """What the procedure learnt, for the orchestrator and for the other specialists."""

    window: Window | None = None
    baseline: Window | None = None
    onset: Onset | None = None
    clean: bool = False
    """The logs show no rise of errors and nothing new that is severe."""
    events: int = 0
    errors: int = 0
    timeline_start: AwareDatetime | None = None
    bucket_seconds: int = 60
    timelines: tuple[HistogramSeries, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    stacks: tuple[StackGroup, ...] = ()
    signatures: tuple[Signature, ...] = ()
    services: tuple[ServiceEvidence, ...] = ()
    starts: tuple[Start, ...] = ()
    flows: tuple[FlowBreak, ...] = ()
    slow: tuple[SlowPassages, ...] = ()
    problems: tuple[Problem, ...] = ()
    skew: tuple[Problem, ...] = ()
    """Sources whose clock seems to be off."""


LogsFirstLook.model_rebuild()
