"""Series in memory: frames of many series on one time grid, so that one NumPy pass serves them all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from subagents.contract import Coverage, Window
from subagents.metrics.sources.naming import plain_labels
from subagents.metrics.sources.stamps import moment

Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]
Ints: TypeAlias = NDArray[np.intp]

MAX_GRID_CELLS = 60_000_000
"""Most points of one frame: 480 MB. Larger sources are cut, and say so."""
PAUSE_STEPS, PAUSE_SHARE = 5.0, 0.02
"""Usual steps, and share of all the time that series cover, that are no chance."""
LEAST_PACE, PACE_SHARE = 8, 0.75
"""Fewest distances between points, and the share of them that are alike, by which a series keeps a pace of its own."""


@dataclass(frozen=True, order=True)
class SeriesKey:
    """Which series: the source's id, the service it describes, and its name there."""

    source: str
    service: str
    name: str


@dataclass(frozen=True)
class Frame:
    """Series of one source and one step: `values[series, time]`, NaN where there is no point."""

    keys: tuple[SeriesKey, ...]
    times: Floats
    """Epoch seconds, ascending, distinct."""
    values: Floats
    step: float
    """Usual seconds between points."""

    @cached_property
    def rows(self) -> dict[SeriesKey, int]:
        """Return the row of every series."""
        return {key: row for row, key in enumerate(self.keys)}

    def slice(self, start: float, end: float) -> slice:
        """Return the columns with `start <= t <= end`."""
        left = int(np.searchsorted(self.times, start, "left"))
        return slice(left, int(np.searchsorted(self.times, end, "right")))


@dataclass(frozen=True)
class Edge:
    """One caller's calls to one callee, over all the time that is known."""

    caller: str
    callee: str
    calls: float = 0.0


@dataclass(frozen=True)
class Span:
    """One span of a trace. `start` in epoch seconds or None, `duration_ms` or None."""

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    name: str
    start: float | None
    duration_ms: float | None
    status: str = ""
    error: str = ""
    peer: str = ""

    @property
    def failed(self) -> bool:
        """Say whether the span reports an error."""
        served = len(self.status) == 3 and self.status.isdigit() and self.status[0] == "5"
        return bool(self.error) or served or self.status.upper() in {"ERROR", "ERR", "STATUS_CODE_ERROR", "2"}


def deepest_failures(spans: Iterable[Span]) -> list[Span]:
    """Return the failed spans that have no failed child: where each failing trace broke."""
    failed = [span for span in spans if span.failed]
    parents = {(span.trace_id, span.parent_id) for span in failed}
    return [span for span in failed if (span.trace_id, span.span_id) not in parents]


@dataclass
class Store:
    """All series, edges and spans of a session's metric sources."""

    frames: list[Frame] = field(default_factory=list)
    older: list[Frame] = field(default_factory=list)
    """Series whose place another source has taken: citations open them, nothing else looks at them."""
    edges: list[Edge] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    spans: dict[str, list[Span]] = field(default_factory=dict)
    """By source id."""
    coverage: list[Coverage] = field(default_factory=list)

    def find(self, key: SeriesKey) -> tuple[Frame, int] | None:
        """Return the frame and row of a series."""
        for frame in (*self.frames, *self.older):
            if key in frame.rows:
                return frame, frame.rows[key]
        return None

    def series(self) -> Iterator[tuple[Frame, int, SeriesKey]]:
        """Yield every series."""
        for frame in self.frames:
            for row, key in enumerate(frame.keys):
                yield frame, row, key

    def services(self) -> tuple[str, ...]:
        """Return every service that has a series or an edge, in order of name."""
        named = {key.service for _, _, key in self.series()}
        named |= {name for edge in self.edges for name in (edge.caller, edge.callee)}
        return tuple(sorted(named))

    def span(self) -> Window | None:
        """Return the whole time that series cover, its end just after the last point."""
        firsts = [float(f.times[0]) for f in self.frames if len(f.times)]
        lasts = [float(f.times[-1]) for f in self.frames if len(f.times)]
        return Window(start=moment(min(firsts)), end=moment(max(lasts) + 1e-6)) if firsts else None


@dataclass(frozen=True)
class Hop:
    """What one caller waits beyond what the callee worked, per moment: network, queue or client time, in ms."""

    source: str
    caller: str
    callee: str
    times: Floats
    gap_ms: Floats
    served_ms: Floats


@dataclass(frozen=True)
class Wait:
    """What one caller's outgoing calls took beyond its slowest callee's work, per moment, in ms.

    Client spans that do not say whom they call (`HTTP GET`) give this: someone among the callees is far away.
    """

    source: str
    caller: str
    times: Floats
    worst_ms: Floats
    """Of the slowest calls."""
    usual_ms: Floats
    """Of the median calls: positive where most calls waited."""
    served_ms: Floats
    """The slowest callee's slowest work."""
    shares: tuple[tuple[str, float], ...]
    """Each callee's share of the calls."""


def hop_key(hop: Hop) -> SeriesKey:
    """Return the series that shows what a caller waits for one callee beyond its work."""
    return SeriesKey(hop.source, hop.callee, f"wait_ms_from_{hop.caller}")


def wait_key(wait: Wait) -> SeriesKey:
    """Return the series that shows what a caller waits beyond its slowest callee's work."""
    return SeriesKey(wait.source, wait.caller, "wait_ms_beyond_callees")


@dataclass
class Points:
    """Points of one source while it is read: parallel lists, in file order."""

    labels: list[tuple[str, str]] = field(default_factory=list)
    times: list[Floats] = field(default_factory=list)
    values: list[Floats] = field(default_factory=list)

    def add(self, service: str, name: str, times: Floats, values: Floats) -> None:
        """Add one series' points; they need neither be sorted nor distinct in time."""
        self.labels.append((service, plain_labels(name)))
        self.times.append(times)
        self.values.append(values)

    def whole(self) -> Iterator[tuple[tuple[str, str], Floats, Floats]]:
        """Yield label, times and values of every series, put together from the parts it was read in."""
        places: dict[tuple[str, str], list[int]] = {}
        for place, label in enumerate(self.labels):
            places.setdefault(label, []).append(place)
        for label, parts in places.items():
            if len(parts) == 1:
                yield label, self.times[parts[0]], self.values[parts[0]]
            else:
                yield (
                    label,
                    np.concatenate([self.times[p] for p in parts]),
                    np.concatenate([self.values[p] for p in parts]),
                )


_Member = tuple[tuple[str, str], Floats, Floats]
"""(service, name), times and values of one series"""


def usual_step(times: Floats) -> float:
    """Return the median of the distances between sorted times; 0 for fewer than two."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 0.0


def pause(step: float, whole: float) -> float:
    """Return the seconds by which a series begins after, or ends before, others that cover `whole` seconds."""
    return max(PAUSE_STEPS * step, PAUSE_SHARE * whole)


def build_frames(source: str, points: Points) -> tuple[list[Frame], int]:
    """Put points on grids, one frame per step; return the frames and how many points were duplicates.

    Of points of one series at one time, or that fall together on its grid, the last in the file counts.
    """
    groups: dict[float, list[_Member]] = {}
    duplicates = 0
    for label, times, values in points.whole():
        if not len(times):
            continue
        order = np.argsort(times, kind="stable")
        t, v = times[order], values[order]
        keep = np.append(np.diff(t) > 0, True)
        duplicates += int(len(t) - keep.sum())
        t, v = t[keep], v[keep]
        step = usual_step(t)
        rounded = float(f"{step:.2g}") if step else 0.0
        groups.setdefault(rounded, []).append((label, t, v))
    _adopt_singles(groups)
    frames = []
    for step, members in sorted(groups.items()):
        if members:
            frame, together = _frame(source, step, members)
            duplicates += together
            frames.append(frame)
    return frames, duplicates


def _adopt_singles(groups: dict[float, list[_Member]]) -> None:
    """Series too short or too holed to have a step of their own join the commonest step."""
    if len(groups) < 2:
        return
    sizes = Counter({step: len(members) for step, members in groups.items() if step > 0})
    main = sizes.most_common(1)[0][0] if sizes else 0.0
    grid = {float(x) for _, t, _ in groups[main] for x in t}
    for step in [s for s in groups if s != main]:
        stay = [m for m in groups[step] if _keeps_pace(m[1]) or (step > 0 and not all(float(x) in grid for x in m[1]))]
        groups[main] += [m for m in groups[step] if not any(m is s for s in stay)]
        groups[step] = stay


def _keeps_pace(times: Floats) -> bool:
    """Say whether most points are as far apart: they are a coarser series, no holed one."""
    apart = np.diff(times)
    if len(apart) < LEAST_PACE:
        return False
    step = float(np.median(apart))
    return float((np.abs(apart - step) <= 0.02 * step).mean()) >= PACE_SHARE


def _on_one_grid(step: float, members: list[_Member]) -> tuple[list[_Member], int]:
    """Return series on one grid, and how many of their points fell together.

    It is a step wide. Each is put there by its own phase: rounded by the clock, two scrapes on either side of a border
    would be one. The grid's is in the middle of all phases, so that no point moves by more than half a step.
    """
    turns = [float(np.angle(np.exp(2j * np.pi * (times % step) / step).mean())) for _, times, _ in members]
    phases = np.array(turns) / (2 * np.pi) % 1.0
    ranked = np.sort(phases)
    gaps = np.diff(ranked, append=ranked[0] + 1.0)
    first = float(ranked[(int(np.argmax(gaps)) + 1) % len(ranked)])
    shift = (first + (1.0 - float(gaps.max())) / 2) * step
    shift = round(shift) if step > 1 else shift
    moved, together = list[_Member](), 0
    for (label, times, values), phase in zip(members, phases.tolist(), strict=True):
        own = (first + (phase - first) % 1.0) * step
        placed = np.round((times - own) / step) * step + shift
        kept = np.append(np.diff(placed) > 0, True)
        together += int(len(kept) - kept.sum())
        moved.append((label, placed[kept], values[kept]))
    return moved, together


def _frame(source: str, step: float, members: list[_Member]) -> tuple[Frame, int]:
    """Return the frame of some series of one step, and how many of their points fell together on its grid."""
    grid, together = _grid_of(members), 0
    longest = max(len(times) for _, times, _ in members)
    if step > 0 and len(grid) > 2 * longest:  # scraped at moments of their own
        members, together = _on_one_grid(step, members)
        grid = _grid_of(members)
    rows = max(1, min(len(members), MAX_GRID_CELLS // max(1, len(grid))))
    values = np.full((rows, len(grid)), np.nan)
    for row, (_, t, v) in enumerate(members[:rows]):
        values[row, np.searchsorted(grid, t)] = v
    keys = tuple(SeriesKey(source, service, name) for (service, name), _, _ in members[:rows])
    return Frame(keys=keys, times=grid, values=values, step=step), together


def _grid_of(members: list[_Member]) -> Floats:
    return np.unique(np.concatenate([times for _, times, _ in members]))
