"""Requests that leave their usual course: a statement that always followed another, and since a moment never does.

Events of one request share a trace or request id. In code as it runs, what is logged next is mostly fixed. Where a
statement stops following its predecessor, though the predecessor is still logged, the service that used to log it
throws, returns early, is not reached, or runs other code. What stops further down has no predecessor left and does
not count: the first gap of a request is where it began.

Much that looks like a gap is none: events change their order, a release renames a statement, a log ends before the
others, other requests become more frequent, the last requests are not over yet. Each is told apart by what it leaves
in place (`_over`, `_lost`, `_goes_on`, `_nobody_minds`).
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from subagents import quantities
from subagents.contract import Fact, Window
from subagents.logs.compare import Spans
from subagents.logs.counted import PARTS, unit_of_times
from subagents.logs.courses import FlowBreak
from subagents.logs.log_set import LogSet, Place
from subagents.logs.requests import BETWEEN, Node, Requests, Step
from subagents.logs.sources.timestamps import microseconds, moment

LEAST_SEEN = 5
"""Times that a statement must have been followed before, and be not followed since."""
RULE = 0.9
"""Share of the times from which what follows counts as the rule, before; its complement is the most left since."""
LEAST_NATS = 8.0
"""Log-likelihood ratio below which a change of course is taken for chance."""
LEAST_LOSS = 0.5
"""Of a statement's occurrences, per predecessor and per minute: less lost is another order or mix of events."""
PATIENCE_US = 1_000_000
"""Microseconds beyond the longest wait for a statement after which it counts as missing."""
MOST_BREAKS = 12
STATEMENT_CHARS = 200
LINE_OF_CODE = re.compile(r"[#:]\d+(?=\s)")
"""Behind a logger; each release moves it."""
_MINUTE_US = 60_000_000


@dataclass(frozen=True, slots=True)
class Visit:
    """One event of a request with the whole request."""

    steps: Sequence[Step]
    index: int

    @property
    def step(self) -> Step:
        """Return the event."""
        return self.steps[self.index]

    @property
    def after(self) -> Step | None:
        """Return what follows; None where the request ends."""
        return self.steps[self.index + 1] if self.index + 1 < len(self.steps) else None

    def follower(self) -> Node | None:
        """Return which statement follows."""
        after = self.after
        return after.node if after is not None else None


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
    begin: int
    end: int
    """The times (µs) of the first and the last predecessor that was counted."""

    @property
    def blamed(self) -> tuple[str, ...]:
        """Return whose course changed: who is silent, and beside it a caller that met trouble before it got there."""
        silent, caller = self.lost[0], self.before[0]
        unreached = self.instead is not None and self.instead.bad and self.instead.node[0] == caller != silent
        return (silent, caller) if unreached else (silent,)


@dataclass(frozen=True)
class _Course:
    """All visits of all statements, and what is needed to judge a gap."""

    visits: Mapping[Node, list[Visit]]
    ends: Mapping[int, int]
    end: int
    minutes: frozenset[int]
    """Minutes in which any request is seen."""

    @classmethod
    def of(cls, requests: Requests) -> _Course:
        visits: dict[Node, list[Visit]] = defaultdict(list)
        for steps in requests.steps:
            for index, step in enumerate(steps):
                visits[step.node].append(Visit(steps, index))
        for found in visits.values():
            found.sort(key=lambda visit: (visit.step.at, visit.step.place.source, visit.step.place.byte))
        times = [step.at for steps in requests.steps for step in steps]
        minutes = frozenset(at // _MINUTE_US for at in times)
        return cls(visits, requests.ends, max(times, default=0), minutes)


def breaks(requests: Requests, since: int | None) -> list[Break]:
    """Return the changes of course since a moment (µs; None: any), surest first."""
    course = _Course.of(requests)
    found = [made for node in course.visits if (made := _break(course, node, since)) is not None]
    return sorted(found, key=lambda each: (-each.nats, each.lost))[:MOST_BREAKS]


def flow_breaks(
    logs: LogSet, requests: Requests, spans: Spans, places: list[tuple[Place, str]]
) -> tuple[FlowBreak, ...]:
    """Return the changes of course as they are told, surest first, and add the places to cite."""
    found = breaks(requests, since_of(spans))
    parts = requests.read.parts if requests.read is not None else PARTS
    for each in found:
        places.append((each.since.place, "the first request that leaves the usual course here"))
        places.append((each.last.place, "the last time that the usual course was taken"))
        if each.instead is not None:
            places.append((each.instead.place, "what follows now"))
    return tuple(
        FlowBreak(
            service=each.blamed[0],
            blamed=each.blamed,
            before_service=each.before[0],
            before=_words(each.before),
            lost=_words(each.lost),
            instead=_words(each.instead.node) if each.instead is not None else None,
            followed=each.followed,
            of=each.of,
            still=each.still,
            since_of=each.since_of,
            since=moment(each.since.at),
            nats=round(each.nats, 2),
            citation=logs.ref(each.since.place),
            usual=logs.ref(each.last.place),
            now=logs.ref(each.instead.place) if each.instead is not None else None,
            facts=_facts(each, logs.ref(each.last.place), parts),
        )
        for each in found
    )


def _facts(found: Break, usual: str, parts: int) -> tuple[Fact, ...]:
    """State the counts from the moment on, and those before it, of the statement that the usual one followed."""
    since, unit = moment(found.since.at), unit_of_times(parts)
    now = Window(start=since, end=moment(found.end + 1))
    before = Window(start=moment(found.begin), end=since)
    return tuple(
        Fact(quantity=quantity, value=value, unit=unit, citation=usual, window=window)
        for quantity, value, window in (
            (quantities.FOLLOWED, found.still, now),
            (quantities.PASSED, found.since_of, now),
            (quantities.FOLLOWED, found.followed, before),
            (quantities.PASSED, found.of, before),
        )
    )


def _words(node: Node) -> str:
    """Return a statement's words, which its event holds as they stand; its logger where it has none."""
    logger, _, words = node[1].partition(BETWEEN)
    return (words or logger)[:STATEMENT_CHARS]


def since_of(spans: Spans) -> int | None:
    """Return the moment (µs) before which nothing counts as the incident's; None where there is no time before."""
    return microseconds(spans.window.start) if spans.baseline_seconds else None


def _break(course: _Course, node: Node, since: int | None) -> Break | None:
    """Return the change of course after one statement, if it has a rule that is broken since some moment."""
    visits = [visit for visit in course.visits[node] if not visit.step.bad]
    first = LEAST_SEEN if since is None else sum(visit.step.at < since for visit in visits)
    if first < LEAST_SEEN or len(visits) - first < LEAST_SEEN:
        return None
    lost, often = Counter(visit.follower() for visit in visits[:first]).most_common(1)[0]
    if lost is None or often < RULE * first:
        return None
    visits = _over(course, visits, lost)
    hits = [visit.follower() == lost for visit in visits]
    found = _since(hits, first)
    if found is None:
        return None
    at, nats = found
    last = next((visit.after for visit, hit in zip(visits[at - 1 :: -1], hits[at - 1 :: -1], strict=True) if hit), None)
    if last is None or last.bad:
        return None
    instead = _instead(visits[at:], lost)
    if not _lost(course, visits, at, lost) or _is_ordinary(course, last, instead, visits[at].step.at):
        return None
    since_step = visits[at].step
    of = sum(visit.step.at < since_step.at for visit in visits)  # a moment parts them, not a place among equal times
    followed = sum(hits[:of])
    return Break(
        before=node,
        lost=lost,
        followed=followed,
        of=of,
        still=sum(hits) - followed,
        since_of=len(visits) - of,
        since=since_step,
        last=last,
        instead=instead,
        nats=nats,
        begin=visits[0].step.at,
        end=visits[-1].step.at,
    )


def _over(course: _Course, visits: list[Visit], lost: Node) -> list[Visit]:
    """Return the visits after which there was time for what follows: the last requests may not be over yet."""
    waits = [visit.after.at - visit.step.at for visit in visits if visit.after is not None and visit.after.node == lost]
    until = course.end - 2 * max(waits, default=0) - PATIENCE_US
    return [visit for visit in visits if visit.step.at <= until]


def _since(hits: Sequence[bool], first: int) -> tuple[int, float] | None:
    """Return the place, from `first` on, from which a rule is broken, and how surely (nats); None where it holds."""
    total, running, best, at = sum(hits), sum(hits[:first]), 0.0, 0
    for place in range(first, len(hits) - LEAST_SEEN + 1):
        later, rest = len(hits) - place, total - running
        if not hits[place] and running >= RULE * place and rest <= (1 - RULE) * later:
            nats = likelihood_ratio((running, place), (rest, later))
            if nats > best:
                best, at = nats, place
        running += hits[place]
    return (at, best) if best >= LEAST_NATS else None


def _lost(course: _Course, visits: list[Visit], at: int, lost: Node) -> bool:
    """Say whether a statement is lost, per predecessor within its requests and per minute, not only out of place.

    Clocks that step and calls that run beside each other change the order; another mix of requests leaves as many.
    """
    per_visit = _per_visit(visits[:at], lost) - _per_visit(visits[at:], lost)
    since = visits[at].step.at
    times = [visit.step.at for visit in course.visits[lost]]
    before = sum(time < since for time in times)
    split = since // _MINUTE_US
    old, new = (max(sum(test(m) for m in course.minutes), 1) for test in (split.__gt__, split.__le__))
    return per_visit >= LEAST_LOSS and (len(times) - before) / new <= (1 - LEAST_LOSS) * before / old


def _per_visit(visits: Iterable[Visit], lost: Node) -> float:
    requests: dict[int, tuple[Sequence[Step], int]] = {}
    for visit in visits:
        steps, count = requests.get(id(visit.steps), (visit.steps, 0))
        requests[id(visit.steps)] = (steps, count + 1)
    found = sum(step.node == lost for steps, _ in requests.values() for step in steps)
    return found / max(sum(count for _, count in requests.values()), 1)


def _is_ordinary(course: _Course, last: Step, instead: Step | None, since: int) -> bool:
    """Say whether nothing but the log changed: its service goes on as before, or its log ends there."""
    visits = [visit for visit in course.visits[last.node] if visit.step.at < since]
    usual = Counter(visit.follower() for visit in visits).most_common(1)[0][0] if visits else None
    return _goes_on(course, last.node, instead, usual) or (
        course.ends.get(last.place.source, since) < since and _nobody_minds(visits, instead)
    )


def _goes_on(course: _Course, lost: Node, instead: Step | None, usual: Node | None) -> bool:
    """Say whether its service only logs otherwise: another line of code, or what used to come next follows anyhow."""
    if instead is None or instead.bad:
        return False
    if _without_line(instead.node) == _without_line(lost) and course.visits[instead.node][0].step.at >= instead.at:
        return True
    if usual is None or usual[0] != lost[0]:
        return False
    after = [visit.follower() for visit in course.visits[instead.node] if visit.step.at >= instead.at]
    next_one = Counter(after).most_common(1)[0][0]
    return instead.node == usual or (instead.node[0] == lost[0] and next_one == usual)


def _without_line(node: Node) -> Node:
    return node[0], LINE_OF_CODE.sub("", node[1], count=1)


def _nobody_minds(visits: Sequence[Visit], instead: Step | None) -> bool:
    """Say whether requests go on as usual around what is no longer logged: where a file ends, that is all.

    `visits` are those of the lost statement.
    """
    if instead is not None:
        return not instead.bad
    awaited = sum(any(s.node[0] != v.step.node[0] for s in v.steps[v.index + 1 :]) for v in visits)
    return awaited < 0.5 * len(visits)


def _instead(visits: list[Visit], lost: Node) -> Step | None:
    """Return the first of the events that mostly follow now."""
    others = [visit.after for visit in visits if visit.follower() != lost]
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
