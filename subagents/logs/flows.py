"""Requests that leave their usual course: a statement that always followed another, and since a moment never does.

Events of one request share a trace or request id. In code as it runs, what is logged next is mostly fixed. Where a
statement stops following its predecessor, though the predecessor is still logged, the service that used to log it
throws, returns early, is not reached, or runs other code. What stops further down has no predecessor left and does
not count: the first gap of a request is where it began.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from subagents.contract import Window
from subagents.logs.compare import Spans
from subagents.logs.courses import FlowBreak
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.patterns import mask
from subagents.logs.search import resolved
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.timestamps import microseconds, moment

if TYPE_CHECKING:
    import polars as pl

REQUEST_ID = (
    r"(?i)(?:trace|request|req|correlation)[-_. ]?id[\"']?\s*[:=]\s*[\"']?([0-9a-z][0-9a-z-]{5,63})(?:[^0-9a-z-]|$)"
)
LOGGER = r"(?i)\"(?:logger(?:_?name)?|log\.logger|caller)\"\s*:\s*\"([^\"]{1,200})\""
FIRST_WORDS = r"^\s*((?:\S+\s+){0,4}\S+)"
MOST_LINES = 1_000_000
"""Files of more lines are not read once more for this."""
MOST_EVENTS = 200_000
"""Events with a request id that are looked at, from the start of the baseline on."""
LEAST_SEEN = 5
"""Times that a statement must have been followed before, and be not followed since."""
RULE = 0.9
"""Share of the times from which what follows counts as the rule, before; its complement is the most left since."""
LEAST_NATS = 8.0
"""Log-likelihood ratio below which a change of course is taken for chance."""
MOST_BREAKS = 12
STATEMENT_CHARS = 200

Node: TypeAlias = tuple[str, str]
"""Service and statement."""


@dataclass(frozen=True)
class Step:
    """One event of a request."""

    at: int
    """Microseconds since 1970 UTC."""
    place: Place
    node: Node
    bad: bool
    """It speaks of trouble: that such a line stops is no loss."""


Requests: TypeAlias = dict[str, list[Step]]
"""By request id, in time order."""


@dataclass(frozen=True)
class Break:
    """A statement that no longer follows its predecessor."""

    before: Node
    lost: Node
    followed: int
    of: int
    """Before `since`: times the predecessor was logged, and `followed` of them had `lost` next."""
    still: int
    since_of: int
    """The same from `since` on."""
    since: Step
    """The first predecessor that was not followed."""
    last: Step
    """The last time that `lost` was logged in its place."""
    instead: Step | None
    """What mostly follows now: its first time; None where requests end there."""
    nats: float

    @property
    def blamed(self) -> tuple[str, ...]:
        """Return whose course changed: who is silent, and beside it a caller that met trouble before it got there."""
        silent, caller = self.lost[0], self.before[0]
        unreached = self.instead is not None and self.instead.bad and self.instead.node[0] == caller != silent
        return (silent, caller) if unreached else (silent,)


def breaks(requests: Requests, since: int | None) -> list[Break]:
    """Return the changes of course since a moment (µs; None: any), surest first."""
    seen: dict[Node, list[tuple[Step, Step | None]]] = defaultdict(list)
    for steps in requests.values():
        for step, after in zip(steps, [*steps[1:], None], strict=True):
            if not step.bad:
                seen[step.node].append((step, after))
    found = [made for pairs in seen.values() if (made := _break(pairs, since)) is not None]
    return sorted(found, key=lambda each: (-each.nats, each.lost))[:MOST_BREAKS]


def flow_breaks(
    logs: LogSet, requests: Requests, spans: Spans, places: list[tuple[Place, str]]
) -> tuple[FlowBreak, ...]:
    """Return the changes of course as they are told, surest first, and add the places to cite."""
    found = breaks(requests, since_of(spans))
    for each in found:
        places.append((each.since.place, "the first request that leaves the usual course here"))
        places.append((each.last.place, "the last time that the usual course was taken"))
    return tuple(
        FlowBreak(
            service=each.blamed[0],
            blamed=each.blamed,
            before_service=each.before[0],
            before=each.before[1][:STATEMENT_CHARS],
            lost=each.lost[1][:STATEMENT_CHARS],
            instead=each.instead.node[1][:STATEMENT_CHARS] if each.instead is not None else None,
            followed=each.followed,
            of=each.of,
            still=each.still,
            since_of=each.since_of,
            since=moment(each.since.at),
            nats=round(each.nats, 2),
            citation=logs.ref(each.since.place),
            usual=logs.ref(each.last.place),
        )
        for each in found
    )


def since_of(spans: Spans) -> int | None:
    """Return the moment (µs) before which nothing counts as the incident's; None where there is no time before."""
    return microseconds(spans.window.start) if spans.baseline_seconds else None


def requests_of(logs: LogSet, index: LogIndex, spans: Spans) -> Requests:
    """Return the events of each request in time order; none where events bear no request id."""
    if index.lines > MOST_LINES or not _has_ids(index):
        return {}
    start = spans.baseline.start if spans.baseline is not None else spans.window.start
    requests = _read(logs, Window(start=start, end=spans.window.end))
    for steps in requests.values():
        steps.sort(key=lambda step: (step.at, step.place.source, step.place.byte))
    return requests


def _has_ids(index: LogIndex) -> bool:
    import polars as pl

    raw = pl.Series([example.raw for example in index.examples[1:2000]], dtype=pl.String)
    return bool(raw.str.contains(REQUEST_ID).any())


def _read(logs: LogSet, window: Window) -> Requests:
    requests: Requests = defaultdict(list)
    room = MOST_EVENTS
    for place, spec in enumerate(logs.sources):
        for events in _events(LogSource(spec.spec), window):
            for at, byte, lines, service, statement, bad, request in events.head(room).iter_rows():
                requests[request].append(Step(at, Place(place, byte, lines), (service, statement), bad))
            room -= events.height
            if room <= 0:
                return requests
    return requests


def _events(source: LogSource, window: Window) -> Iterator[pl.DataFrame]:
    """Yield events that bear a request id: t, start, lines, service, statement, bad, request."""
    import polars as pl

    start, end = microseconds(window.start), microseconds(window.end)
    for frame in source.frames():
        within = frame.events.filter((pl.col("t") >= start) & (pl.col("t") < end))
        within = within.with_columns(request=pl.col("raw").str.extract(REQUEST_ID, 1)).drop_nulls("request")
        events = resolved(within).drop_nulls("service")
        bad = (pl.col("severity") >= WARN) | pl.col("by_words")
        if events.height:
            yield events.select("t", "start", "lines", "service", _statement(), bad, "request")


def _statement() -> pl.Expr:
    """Return what tells statements apart: the logger, where it is named, and how the message begins.

    What follows the first words is mostly data, whose length and words change with it.
    """
    import polars as pl

    words = mask(pl.col("text")).str.extract(FIRST_WORDS, 1)
    return pl.concat_str(pl.col("raw").str.extract(LOGGER, 1), words, separator=" ", ignore_nulls=True)


def _break(pairs: list[tuple[Step, Step | None]], since: int | None) -> Break | None:
    """Return the change of course after one statement, if it has a rule that is broken since some moment."""
    pairs.sort(key=lambda pair: (pair[0].at, pair[0].place.source, pair[0].place.byte))
    first = LEAST_SEEN if since is None else sum(step.at < since for step, _ in pairs)
    if first < LEAST_SEEN or len(pairs) - first < LEAST_SEEN:
        return None
    early = [after.node if after is not None else None for _, after in pairs[:first]]
    lost, often = Counter(early).most_common(1)[0]
    if lost is None or often < RULE * len(early):
        return None
    hits = [after is not None and after.node == lost for _, after in pairs]
    total, running, best, at = sum(hits), sum(hits[:first]), 0.0, 0
    for place in range(first, len(pairs) - LEAST_SEEN + 1):
        later, rest = len(pairs) - place, total - running
        if not hits[place] and running >= RULE * place and rest <= (1 - RULE) * later:
            nats = likelihood_ratio((running, place), (rest, later))
            if nats > best:
                best, at = nats, place
        running += hits[place]
    last = next((after for _, after in reversed(pairs[:at]) if after is not None and after.node == lost), None)
    if best < LEAST_NATS or last is None or last.bad:
        return None
    followed = sum(hits[:at])
    return Break(
        before=pairs[at][0].node,
        lost=lost,
        followed=followed,
        of=at,
        still=total - followed,
        since_of=len(pairs) - at,
        since=pairs[at][0],
        last=last,
        instead=_instead(pairs[at:], lost),
        nats=best,
    )


def _instead(pairs: list[tuple[Step, Step | None]], lost: Node) -> Step | None:
    """Return the first of the events that mostly follow now."""
    others = [after for _, after in pairs if after is None or after.node != lost]
    most = Counter(None if after is None else after.node for after in others).most_common(1)[0][0]
    return next(after for after in others if (None if after is None else after.node) == most)


def likelihood_ratio(one: tuple[int, int], other: tuple[int, int]) -> float:
    """Return the log-likelihood ratio (nats) of two shares (hits, of) against one share for both."""
    whole = (one[0] + other[0]) / (one[1] + other[1])
    if not 0 < whole < 1:
        return 0.0
    return sum(_likelihood(hits, of, hits / of) - _likelihood(hits, of, whole) for hits, of in (one, other))


def _likelihood(hits: int, of: int, share: float) -> float:
    return (hits * math.log(share) if hits else 0.0) + ((of - hits) * math.log(1 - share) if of - hits else 0.0)
