"""One incident seen through the metrics: window, moment of the break, symptom, ranking. Tools and procedure use it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from subagents.contract import Telling, ToolError, Window
from subagents.metrics.changes import Change
from subagents.metrics.exhaustion import Exhausted, exhausted
from subagents.metrics.graph import CallGraph
from subagents.metrics.heat import ERRORS, Question
from subagents.metrics.measure import Measure, describe, measure
from subagents.metrics.model import Seen
from subagents.metrics.onset import BLOCK_CELLS, find_changes
from subagents.metrics.ranking import OWN_WORK, Ranked, attributed, rank
from subagents.metrics.roles import analysed
from subagents.metrics.series import Frame, SeriesKey, Store
from subagents.metrics.signals import Signal, signals
from subagents.metrics.so_far import SoFar, nobody
from subagents.metrics.sources.stamps import moment
from subagents.metrics.standing import standing
from subagents.metrics.symptom import Asked, Choice, choose

REQUESTS = re.compile(r"req|rps|calls|hits|traffic|visits|sessions")
"""Names of traffic that users make, as against queries, messages and other work that follows from it."""
EARLY_STEPS = 20
"""Points before the operator's start within which an onset still belongs to this incident."""


@dataclass(frozen=True)
class Measured:
    """A series and what it did in a window."""

    frame: Frame
    row: int
    found: Measure

    @property
    def key(self) -> SeriesKey:
        """Return which series it is."""
        return self.frame.keys[self.row]


@dataclass(frozen=True)
class Scene:
    """What is known of the incident from metrics alone."""

    start: float
    end: float
    split: float
    onset_found: bool
    choice: Choice | None
    ranked: tuple[Ranked, ...]
    surge: float | None
    flow: SeriesKey | None = None
    """The series whose traffic that is."""
    sees: tuple[Seen, ...] = ()
    standing: SeriesKey | None = None
    """The paged service's series of failures that are as many from the first point on."""
    exhausted: tuple[Exhausted, ...] = ()


def bounds(store: Store, start: float | None, end: float | None) -> tuple[float, float]:
    """Return the window in epoch seconds: what was asked for, else everything; raise ToolError where it is empty."""
    span = store.span()
    if span is None:
        raise ToolError("no metric series was given: attach metrics.csv or metrics.json")
    low = span.start.timestamp() if start is None else start
    high = span.end.timestamp() if end is None else end
    if high <= low or not any(f.slice(low, high).stop > f.slice(low, high).start for f in store.frames):
        whole = f"{span.start:%Y-%m-%d %H:%M:%S} to {span.end:%Y-%m-%d %H:%M:%S} UTC"
        raise ToolError(f"no metric points in that window: the series cover {whole}; give moments within those")
    return low, high


def measure_all(
    store: Store,
    start: float,
    end: float,
    wanted: Iterable[SeriesKey] | None = None,
    on_series: Callable[[int], None] = nobody,
) -> list[Measured]:
    """Measure every series (or those wanted) over a window, many in one pass; `on_series` hears how many are done."""
    only = None if wanted is None else set(wanted)
    out: list[Measured] = []
    done = 0
    for frame in store.frames:
        window = frame.slice(start, end)
        if window.stop - window.start < 2:
            continue
        rows = list(range(len(frame.keys))) if only is None else sorted(frame.rows[k] for k in only & frame.rows.keys())
        at_once = max(1, BLOCK_CELLS // (window.stop - window.start))
        for first in range(0, len(rows), at_once):
            out += _measured(frame, rows[first : first + at_once], window)
            on_series(done + min(first + at_once, len(rows)))
        done += len(rows)
    return out


def _measured(frame: Frame, rows: list[int], window: slice) -> Iterator[Measured]:
    times = frame.times[window]
    pairs = [analysed(frame.keys[r].name, times, frame.values[r, window]) for r in rows]
    changes: dict[int, list[Change]] = defaultdict(list)
    for change in find_changes(np.stack([values for _, values in pairs]), frame.step):
        changes[change.row].append(change)
    for place, (row, (traits, values)) in enumerate(zip(rows, pairs, strict=True)):
        found = describe(traits, times, values, changes[place])
        if found is not None:
            yield Measured(frame, row, found)


@dataclass(frozen=True)
class Told:
    """What the operator and the alert say, in epoch seconds; all of it optional."""

    asked: Asked
    since: float | None = None
    fired: float | None = None
    candidates: tuple[str, ...] = ()


def _hint(everything: list[Measured], told: Told) -> float | None:
    """Return when things broke where nobody says: the strongest change that users feel, before the alert."""
    measured = [m for m in everything if m.found.bad and m.found.score > 1]
    if told.fired is not None:
        measured = [m for m in measured if m.found.onset is not None and m.found.onset <= told.fired + m.frame.step]
    named = [m for m in measured if told.asked.service and m.key.service == told.asked.service]
    facing = [m for m in named or measured if m.found.traits.user_facing]
    best = max(facing or named or measured, key=lambda m: m.found.score, default=None)
    return best.found.onset if best else None


def see(store: Store, start: float, end: float, told: Told, progress: Telling = lambda made: None) -> Scene:
    """Return the scene: choose the symptom, find its onset, rank the services."""
    so_far = SoFar(store, progress)
    graph = CallGraph.of(store.edges)
    step = max((f.step for f in store.frames if len(f.times) > 1), default=60.0)
    split = told.since
    if split is None:
        split = _hint(measure_all(store, start, end, on_series=so_far.measuring("when it began")), told)
    if split is None:
        split = told.fired - 5 * step if told.fired is not None else start + 0.7 * (end - start)
    split = min(max(split, start + 4 * step), end - step)
    seen = signals(store, start, split, end, so_far.measuring("what users feel"))
    choice, onset = _choose(store, graph, seen, (start, end), told.asked)
    found = onset is not None and _belongs(onset, told, step)
    if onset is not None and found:
        split = min(onset, told.since) if told.since is not None else onset
        seen = signals(store, start, split, end, so_far.measuring("how far each left its baseline"))
        again = next((s for s in seen if choice is not None and s.key == choice.signal.key), None)
        choice = Choice(again, choice.why) if again is not None and choice is not None else choice
    symptom = choice.signal if choice is not None and choice.signal.size > 0 else None
    kind = choice.kind if choice is not None else ""
    vague = choice is not None and not told.asked.metric
    question = Question(start, split, end, symptom, "" if vague else kind, told.candidates)
    if vague and symptom is not None and symptom.size < 3:
        question = Question(start, split, end, None, "", told.candidates)
    so_far.measuring("which explain it")
    spent = exhausted(seen)
    ranked = tuple(rank(store, graph, question, spent))
    surge, flow = flow_of(store, graph, question)
    as_ever = standing(seen, told.asked)
    return Scene(start, end, split, found, choice, ranked, surge, flow, _sees(seen, store), as_ever, spent)


def _sees(seen: list[Signal], store: Store) -> tuple[Seen, ...]:
    """Return what the series and spans could show of an incident, whether or not they do."""
    roles = {signal.traits.role for signal in seen}
    found: list[Seen] = []
    if store.spans or not roles.isdisjoint(ERRORS):
        found.append("failures")
    if not roles.isdisjoint(("latency", *OWN_WORK)):
        found.append("work")
    return tuple(found)


def _belongs(onset: float, told: Told, step: float) -> bool:
    if told.since is not None:
        return onset >= told.since - EARLY_STEPS * step
    return told.fired is None or onset <= told.fired + step


def _choose(
    store: Store, graph: CallGraph, seen: list[Signal], window: tuple[float, float], asked: Asked
) -> tuple[Choice | None, float | None]:
    choice = choose(attributed(seen, store.services()), graph, asked)
    if choice is None:
        return None, None
    place = store.find(choice.signal.key)
    if place is None:
        return choice, None
    frame, row = place
    columns = frame.slice(*window)
    found = measure(choice.signal.key.name, frame.times[columns], frame.values[row, columns], frame.step)
    return choice, found.onset if found is not None and found.bad else None


def flow_of(store: Store, graph: CallGraph, question: Question) -> tuple[float | None, SeriesKey | None]:
    """Return traffic after / before the break, as far upstream of the symptom as it is measured, and its series.

    What a service sends to its own database is no traffic of users; None where only that is known.
    """
    flows: dict[str, Signal] = {}
    for signal in signals(store, question.start, question.split, question.end):
        if signal.traits.role == "traffic" and signal.base > 0 and REQUESTS.search(signal.key.name.lower()):
            flows.setdefault(signal.key.service, signal)
    if question.symptom is not None:
        service = question.symptom.key.service
        above = sorted(graph.above(service).items(), key=lambda item: (-item[1], item[0]))
        names = [name for name, _ in above] if service in graph else [service]
    else:
        names = graph.entries()
    found = next((flows[name] for name in names if name in flows), None)
    return (found.volume / found.base, found.key) if found is not None else (None, None)


def window_of(start: float, end: float) -> Window:
    """Return epoch seconds as a window, its end just after the last point."""
    return Window(start=moment(start), end=moment(end if end > start else start + 1e-6))
