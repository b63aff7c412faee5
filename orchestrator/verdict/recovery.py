"""Is it over? A symptom's newer points held against the verdict's own baseline, by the thresholds that it was found by.

Pure. A series that is back, and was back before, has to stay longer this time; one whose baseline is thin is never
called recovered; one that reads nothing but zero where it never did may not be measured, or not served, any more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from orchestrator.journal.verdict import State

Points = Sequence[tuple[float, float]]
"""(epoch seconds, value), in order of time."""
BACK = 0.2
"""Share of the departure within which it is back: `subagents.metrics.measure.RECOVERED`; a test holds them equal."""
ON_THE_WAY = 0.6
LAST_POINTS = 3
LEAST_BACK = 2
"""Points on end that have to be back: one alone is none."""
LEAST_BASELINE = 4
"""Points before the onset from which a baseline is one."""
EXPECTED = 3.0
"""Events that the incident's rate would have brought, from which their absence says something."""


@dataclass(frozen=True)
class Was:
    """A symptom as the verdict measured it."""

    baseline: float
    rising: bool
    noise: float
    top: float
    """How far it was away at its worst, one stray point left out; above zero."""
    before: int
    """Points that the baseline comes from."""
    silent_at_zero: bool = False
    """Zero is no good value for it: a latency of nothing is that of no request."""

    @property
    def bar(self) -> float:
        """How far away it may be and count as back."""
        return max(BACK * self.top, 3 * self.noise)

    def away(self, value: float) -> float:
        """Return how far a value is away in the direction of the symptom."""
        return value - self.baseline if self.rising else self.baseline - value


@dataclass(frozen=True)
class Answer:
    """How it stands, why in words, and since when it is back, in epoch seconds."""

    state: State
    why: str
    since: float | None = None


def was_of(baseline: float, rising: bool, before: Points, during: Points, *, silent_at_zero: bool = False) -> Was:
    """Return the symptom as it was: `before` are the points that make its baseline, `during` those of the incident."""
    values = [value for _, value in before]
    spread = 1.4826 * median(abs(value - baseline) for value in values) if values else 0.0
    noise = max(spread, 1e-3 * abs(baseline), 1e-12)
    sign = 1.0 if rising else -1.0
    away = sorted(sign * (value - baseline) for _, value in during)
    top = away[-2] if len(away) > 1 else away[-1] if away else 0.0
    return Was(baseline, rising, noise, max(top, 0.0), len(values), silent_at_zero)


def judge(was: Was, during: Points, newer: Points) -> Answer:
    """Say how it stands by the newer points; `during` are those from the onset to what the verdict knew."""
    if not newer:
        return Answer("unknown", "there is no newer point")
    if was.top <= 3 * was.noise:
        return Answer("unknown", "what was measured then is hardly more than its noise")
    away = [was.away(value) for _, value in newer]
    back = _back_from(away, was.bar)
    tail = newer[back:]
    if len(tail) < LEAST_BACK:
        return _not_back(was, away)
    if was.silent_at_zero and all(value == 0 for _, value in tail) and was.baseline > 3 * was.noise:
        return Answer("unknown", "it reads zero, which it never did: it may not be measured, or served, any more")
    spell, longest = tail[-1][0] - tail[0][0], _longest_calm(was, [*during, *newer[:back]])
    if longest is not None and spell <= longest:
        why = "it comes and goes: it was back for as long before, and went away again"
        return Answer("recovering", why, tail[0][0])
    if was.before < LEAST_BASELINE:
        why = f"it is back by a baseline of {was.before} points, too few to call it one"
        return Answer("recovering", why, tail[0][0])
    return Answer("recovered", "it is back at its baseline and stays", tail[0][0])


def judge_counts(baseline: float, worst: float, latest: tuple[int, float]) -> Answer:
    """Say how it stands by rates of events per second: usual, during the incident, and (count, seconds) at the end."""
    count, seconds = latest
    top = worst - baseline
    if top <= 0:
        return Answer("unknown", "there were no more of these lines during the incident than before it")
    if worst * seconds < EXPECTED:
        return Answer("unknown", f"{seconds:.0f} s are too short: the incident itself would hardly have shown in them")
    away = (count / seconds - baseline) / top
    if away <= BACK:
        return Answer("recovered", "the lines are as rare as before the onset")
    return Answer("recovering", "the lines are fewer") if away < ON_THE_WAY else Answer("ongoing", "the lines go on")


def _not_back(was: Was, away: Sequence[float]) -> Answer:
    latest = median(away[-LAST_POINTS:])
    if latest > was.top:
        return Answer("ongoing", "it is worse than it was")
    if latest >= ON_THE_WAY * was.top:
        return Answer("ongoing", "it is as far from its baseline as it was")
    return Answer("recovering", "it is on its way back, and not there")


def _back_from(away: Sequence[float], bar: float) -> int:
    """Return the place from which everything is back."""
    return next((at + 1 for at in range(len(away) - 1, -1, -1) if away[at] > bar), 0)


def _longest_calm(was: Was, points: Points) -> float | None:
    """Return the longest time that it was back, after it was away, and before it went away again; None: never."""
    longest: float | None = None
    start: float | None = None
    seen_away, last, count = False, 0.0, 0
    for at, value in points:
        if was.away(value) <= was.bar:
            if seen_away:
                start, last, count = at if start is None else start, at, count + 1
            continue
        if start is not None and count >= LEAST_BACK:
            longest = max(longest or 0.0, last - start)
        seen_away, start, count = True, None, 0
    return longest
