"""What the metrics tools and the procedure return."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from subagents.contract import Coverage, Fact, Frozen, Window
from subagents.contradiction import Contradiction

KINDS = ("metrics", "trace_edges", "topology", "spans")
"""Kinds of the sources that are read."""
State = Literal["ongoing", "recovering", "recovered", "unknown"]


class SeriesView(Frozen):
    """One series over one span: what it is and what it did. Times UTC, values in `unit`."""

    source: str
    service: str
    name: str
    role: str
    unit: str = ""
    bad: Literal["up", "down", "both"] = "both"
    user_facing: bool = False
    citation: str
    points: int
    baseline: float
    latest: float
    onset: AwareDatetime | None = None
    rising: bool = True
    hurts: bool = False
    """It moved in the direction that hurts."""
    peak: float | None = None
    peak_at: AwareDatetime | None = None
    factor: float | None = None
    size: float = 0.0
    """Times what counts as a change for this series; above 1 is a change."""
    seconds: float | None = None
    """How long it was, or has been, away from its baseline."""
    last: AwareDatetime | None = None
    """Its last point."""
    state: State = "unknown"
    spread: bool = False
    beyond: bool = False
    """It is beyond all that it was before the onset now."""
    sudden: bool = False
    """It went half of its way or more within a few points."""
    step: float = 0.0
    """Usual seconds between its points: onsets no further apart are together, as far as anybody can tell."""
    facts: tuple[Fact, ...] = ()

    @property
    def title(self) -> str:
        """Return service and name, as a person would say them."""
        return f"{self.service} {self.name}".strip()

    @property
    def stays_away(self) -> bool:
        """Say whether less is asked of the service than was: who still comes may be served well."""
        return self.role == "traffic" and self.onset is not None and not self.rising


TRAFFIC_SURGE = "traffic surge"
"""What more traffic than before is called as a suspect."""
HELD_AGAIN = "series are held, and gone on with, by"
"""Stands in what is said of a file whose series a newer export holds whole."""


class Ceased(Frozen):
    """A service of which every series ends before the others do."""

    service: str
    last: AwareDatetime
    """Its last point."""


class CoverageReport(Frozen):
    """What the metric sources hold and what of it could be used."""

    sources: tuple[Coverage, ...] = ()
    series: int = 0
    services: tuple[str, ...] = ()
    roles: tuple[tuple[str, int], ...] = ()
    span: Window | None = None
    steps: tuple[float, ...] = ()
    """Seconds between points, per group of series."""
    edges: int = 0
    spans: int = 0
    unmeasured: tuple[str, ...] = ()
    """Services that are only called, or only call: no series is theirs."""
    ceased: tuple[Ceased, ...] = ()
    """Services whose series all end well before the last point, first ended first."""


class SeriesReport(Frozen):
    """One series with points; `cut` says how many points were left out between."""

    view: SeriesView
    points: tuple[tuple[AwareDatetime, float], ...] = ()
    cut: int = 0


class BornView(Frozen):
    """A series that is there from some moment on only, and one of those that it takes the place of."""

    view: SeriesView
    elder: SeriesView
    first: AwareDatetime
    """Its first point."""


class OnsetsReport(Frozen):
    """What moved in a window, in order of onset, and how much did not."""

    window: Window
    moved: tuple[SeriesView, ...] = ()
    more: int = 0
    still: int = 0
    """Series that kept their baseline."""
    still_services: tuple[str, ...] = ()
    """Services with series, none of which moved in a direction that hurts."""
    unusable: int = 0
    """Series with too few points, or flat."""
    few: int = 0
    """Series with too few points to say whether they moved: neither still nor moved."""
    born: tuple[BornView, ...] = ()
    """The worst of the series that are new and stand worse than their elders did."""


class ReasonView(Frozen):
    """One kind of evidence for a service's place."""

    kind: str
    strength: float
    text: str
    citation: str | None = None


class ServiceRank(Frozen):
    """One service of a ranking."""

    service: str
    score: float
    since: AwareDatetime | None = None
    reasons: tuple[ReasonView, ...] = ()


class FlowView(Frozen):
    """The traffic of one series before and after a moment."""

    service: str
    name: str
    citation: str
    facts: tuple[Fact, ...] = ()
    """Its levels: `quantities.LEVELS`."""

    @property
    def title(self) -> str:
        """Return service and name, as a person would say them."""
        return f"{self.service} {self.name}".strip()


class ExhaustedView(Frozen):
    """A resource that is used up: a disk, memory, a pool, file handles, the time of a certificate."""

    kind: str
    """As the known kinds of failure are called: `subagents.metrics.limits`."""
    view: SeriesView
    at: AwareDatetime
    """Since when."""
    began: AwareDatetime
    """When it began to fill."""
    limit: SeriesView | None = None
    """The series of its limit, where there is one."""
    ended: SeriesView | None = None
    """The series of the processes that were ended for it."""
    unproven: bool = False
    """What its service does for others is as ever, or others were in trouble before and may have kept it busy."""
    facts: tuple[Fact, ...] = ()


Seen = Literal["failures", "work"]
"""What can be compared with a time before: whether requests fail; how services work (how long, on which resources)."""


class RankReport(Frozen):
    """Where it began: services by how well each explains the symptom."""

    window: Window
    split: AwareDatetime
    """Before it: baseline; from it on: incident."""
    services: tuple[ServiceRank, ...] = ()
    symptom: SeriesView | None = None
    why_symptom: str = ""
    asked: SeriesView | None = None
    """The series that was asked for by its very name, where it tells too little of the time since to be the symptom."""
    lead: float | None = None
    """Best score / second score; None where there are no two."""
    surge: float | None = None
    """Traffic at the entry, after / before, where it is known."""
    flow: FlowView | None = None
    """The series that `surge` is of, with its levels."""
    onset_found: bool = False
    """The split is the symptom's own onset; otherwise it is what the caller said."""
    sees: tuple[Seen, ...] = ()
    standing: SeriesView | None = None
    """Failures of the paged service that are a large share of its requests from the first point on."""
    exhausted: tuple[ExhaustedView, ...] = ()
    """Resources that are used up and were not at first, in order of when."""


class Compared(Frozen):
    """One series in two windows: medians, and the difference in units of what is usual for it."""

    service: str
    name: str
    role: str
    unit: str = ""
    before: float
    after: float
    size: float
    bad: Literal["up", "down", "both"] = "both"
    hurts: bool
    citation: str


class CompareReport(Frozen):
    """Two windows side by side, largest differences first."""

    first: Window
    second: Window
    rows: tuple[Compared, ...] = ()
    more: int = 0


class EdgeView(Frozen):
    """One caller and callee; calls as the source counts them, times in ms."""

    caller: str
    callee: str
    calls: float = 0.0
    p95_before: float | None = None
    p95_after: float | None = None
    waits_ms: float | None = None
    """What the caller waits beyond the callee's work, at worst."""


class SpanView(Frozen):
    """A failed span."""

    trace: str
    service: str
    name: str
    at: AwareDatetime | None = None
    duration_ms: float | None = None
    error: str = ""
    citation: str = ""


def spans_unit(service: str, caller: str = "") -> str:
    """Return the unit of a count of spans: it says whose they are."""
    return f"calls from {caller} to {service}" if caller else f"spans of {service}"


class TracedView(Frozen):
    """Spans of one service, or of one caller's calls to it, from a moment on: those whose end is known."""

    service: str
    caller: str | None = None
    """None: whoever called."""
    spans: int
    failed: int
    citation: str
    """One of their traces; one that failed, where there is one."""
    facts: tuple[Fact, ...] = ()


class EdgesReport(Frozen):
    """The call graph around one service, or all of it."""

    service: str | None = None
    edges: tuple[EdgeView, ...] = ()
    entries: tuple[str, ...] = ()
    """Services that call and are not called."""
    failed: tuple[SpanView, ...] = ()
    traced: tuple[TracedView, ...] = ()
    """How spans ended since the moment that was asked for; empty where none was, or sources do not say."""
    more: int = 0


class MetricsSummary(Frozen):
    """What the metrics specialist learnt."""

    symptom: SeriesView | None = None
    why_symptom: str = ""
    onset: AwareDatetime | None = None
    state: State = "unknown"
    onsets: tuple[SeriesView, ...] = ()
    """What moved, in order of onset."""
    services: tuple[ServiceRank, ...] = ()
    lead: float | None = None
    """Best score / second score of the services; None where there are no two."""
    surge: float | None = None
    exhausted: tuple[ExhaustedView, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    healthy: bool = False
    """Nothing departs from its baseline in a direction that hurts."""
    dark: tuple[str, ...] = ()
    """Services that no series of is, and that alone the first in rank calls, whose own work shows no trouble."""
    unsettled: str = ""
    """Why calm series do not show that all is well, where they do not."""
    sees: tuple[Seen, ...] = ()
    gaps: tuple[str, ...] = ()
