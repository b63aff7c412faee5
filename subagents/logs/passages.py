"""Whose calls became slow: passages from one service to another inside a request that take far longer than before.

Two events on end in one request, of two services, are a passage. A service with a slow network, or one that does not
get to its work, is an end of all the passages that became slow; its callers and callees are an end of some, and have
others that did not. Clocks that run apart shift a passage by a constant, which is its usual length here; a clock that
steps makes the way there longer and the way back shorter by as much.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import TypeAlias

from subagents import quantities
from subagents.contract import Fact, Window
from subagents.logs.compare import Spans
from subagents.logs.counted import PARTS
from subagents.logs.courses import SlowPassages
from subagents.logs.flows import LEAST_NATS, LEAST_SEEN, RULE, likelihood_ratio, since_of
from subagents.logs.log_set import LogSet, Place
from subagents.logs.requests import Node, Requests, Step
from subagents.logs.sources.timestamps import moment

SLOWER = 3.0
"""Times the longest usual passage, beyond LEAST_US, from which a passage is slow."""
LEAST_US = 50_000
"""Microseconds that any runtime may pause."""
MOSTLY = 0.5
"""Share of the passages since a moment that must be slow."""
FITS = 0.75
"""What a service still counts that is an end of all slow passages but has as many that are not slow."""
STEPPED = 0.5
"""Share of a rise that the way back must have fallen by, for the clocks to explain it."""
MOST_SERVICES = 5

Gap: TypeAlias = tuple[Step, int, Step]
"""Where a passage begins, its length in microseconds, and where it ends."""
Pair: TypeAlias = tuple[str, str]
"""Two services, in order of name."""


@dataclass(frozen=True)
class Slow:
    """One kind of passage that became slow."""

    ways: Pair
    """From whom to whom."""
    usual_us: int
    now_us: int
    slow: int
    of: int
    """Since `since`: `slow` of `of`."""
    since: Step
    ends: Step
    """Where the first slow passage ends."""
    begin: int
    split: int
    end: int
    """The first of the usual passages begin at `begin`, all of them before `split`, the last passage at `end` (µs)."""
    nats: float

    @property
    def pair(self) -> Pair:
        """Return the two services in order of name."""
        return _pair(*self.ways)


def slow_passages(
    logs: LogSet, requests: Requests, spans: Spans, places: list[tuple[Place, str]]
) -> tuple[SlowPassages, ...]:
    """Return the services that explain the slow passages, best first, and add the places to cite."""
    gaps = _gaps(requests)
    slow = [made for (one, other), found in gaps.items() if (made := _slow(one, other, found, since_of(spans)))]
    slow = [each for each in slow if not _clock_stepped(each, gaps)]
    told, whole = [], requests.read is not None and requests.read.parts == PARTS
    for service, share in _blame(slow, {_pair(one[0], other[0]) for one, other in gaps})[:MOST_SERVICES]:
        mine = [each for each in slow if service in each.pair]
        worst = max(mine, key=lambda each: each.nats)
        places.append((worst.since.place, "the first of the slow passages"))
        places.append((worst.ends.place, "where that passage ends"))
        told.append(
            SlowPassages(
                service=service,
                peers=tuple(sorted({name for each in mine for name in each.pair} - {service})),
                kinds=len(mine),
                of=len(slow),
                share=round(share, 3),
                usual_ms=worst.usual_us / 1000,
                now_ms=worst.now_us / 1000,
                since=moment(worst.since.at),
                nats=round(worst.nats, 2),
                citation=logs.ref(worst.since.place),
                ends=logs.ref(worst.ends.place),
                facts=_facts(worst, logs.ref(worst.ends.place)) if whole else (),
            )
        )
    return tuple(told)


def _facts(worst: Slow, ends: str) -> tuple[Fact, ...]:
    """State the medians since the first slow passage and of the usual ones."""
    now = Window(start=moment(worst.since.at), end=moment(worst.end + 1))
    usual = Window(start=moment(worst.begin), end=moment(worst.split))
    return tuple(
        Fact(quantity=quantities.PASSAGE, value=us / 1000, unit="ms", citation=ends, window=window)
        for us, window in ((worst.now_us, now), (worst.usual_us, usual))
    )


def _pair(one: str, other: str) -> Pair:
    return (one, other) if one < other else (other, one)


def _gaps(requests: Requests) -> dict[tuple[Node, Node], list[Gap]]:
    """Return the passages between two services by the statements at their ends, in time order, where often enough."""
    gaps: dict[tuple[Node, Node], list[Gap]] = defaultdict(list)
    for steps in requests.steps:
        for step, after in pairwise(steps):
            if step.node[0] != after.node[0]:
                gaps[step.node, after.node].append((step, after.at - step.at, after))
    for found in gaps.values():
        found.sort(key=lambda gap: (gap[0].at, gap[0].place.source, gap[0].place.byte))
    return {ends: found for ends, found in gaps.items() if len(found) >= 2 * LEAST_SEEN}


def _slow(one: Node, other: Node, gaps: list[Gap], since: int | None) -> Slow | None:
    first = LEAST_SEEN if since is None else sum(step.at < since for step, _, _ in gaps)
    if first < LEAST_SEEN or len(gaps) - first < LEAST_SEEN:
        return None
    usual = sorted(gap for _, gap, _ in gaps[:first])
    bar = SLOWER * usual[int(RULE * (first - 1))] + LEAST_US
    over = [gap > bar for _, gap, _ in gaps]
    total, running, best, at = sum(over), sum(over[:first]), 0.0, 0
    for place in range(first, len(gaps) - LEAST_SEEN + 1):
        later, rest = len(gaps) - place, total - running
        if over[place] and running <= (1 - RULE) * place and rest >= MOSTLY * later:
            nats = likelihood_ratio((running, place), (rest, later))
            if nats > best:
                best, at = nats, place
        running += over[place]
    if best < LEAST_NATS:
        return None
    begin = gaps[at][0]
    later_on = [gap for step, gap, _ in gaps if step.at >= begin.at]
    return Slow(
        ways=(one[0], other[0]),
        usual_us=int(median(usual)),
        now_us=int(median(later_on)),
        slow=sum(over[at:]),
        of=len(later_on),
        since=begin,
        ends=gaps[at][2],
        begin=gaps[0][0].at,
        split=gaps[first][0].at if since is None else since,
        end=gaps[-1][0].at,
        nats=best,
    )


def _clock_stepped(slow: Slow, gaps: Mapping[tuple[Node, Node], list[Gap]]) -> bool:
    """Say whether passages the other way became shorter when these became longer: the clocks changed, not the way."""
    rise = slow.now_us - slow.usual_us
    for (one, other), found in gaps.items():
        if (one[0], other[0]) != slow.ways[::-1]:
            continue
        before = [gap for step, gap, _ in found if step.at < slow.since.at]
        after = [gap for step, gap, _ in found if step.at >= slow.since.at]
        if before and after and median(before) - median(after) >= STEPPED * rise:
            return True
    return False


def _blame(slow: list[Slow], all_pairs: set[Pair]) -> list[tuple[str, float]]:
    """Return services with how well each explains the slow passages, 0 to 1, best first.

    The share of what is slow that it is an end of, less for peers to which its passages did not become slow.
    """
    heat: Mapping[Pair, float] = _sums(slow)
    total = sum(heat.values())
    blamed = []
    for service in sorted({name for pair in heat for name in pair}):
        covered = sum(nats for pair, nats in heat.items() if service in pair) / total
        peers = sum(service in pair for pair in all_pairs)
        hit = sum(service in pair for pair in heat)
        blamed.append((service, covered * (FITS + (1 - FITS) * hit / max(peers, 1))))
    return sorted(blamed, key=lambda item: (-item[1], item[0]))


def _sums(slow: list[Slow]) -> dict[Pair, float]:
    sums: dict[Pair, float] = defaultdict(float)
    for each in slow:
        sums[each.pair] += each.nats
    return sums
