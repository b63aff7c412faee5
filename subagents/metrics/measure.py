"""What one series says over one span: baseline, onset, peak, latest, state. The claims checker calls it again."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from subagents.metrics.bursts import without_bursts
from subagents.metrics.changes import Change
from subagents.metrics.lone import BEGUN, lone_excursion
from subagents.metrics.model import State
from subagents.metrics.more_often import more_often, surer
from subagents.metrics.onset import find_changes
from subagents.metrics.recurring import comes_again, recurring
from subagents.metrics.roles import Traits, analysed
from subagents.metrics.series import Floats
from subagents.metrics.signals import floor_of, noise_of

RECOVERED = 0.2
"""Share of its usual departure within which a series counts as back."""
RECOVERING = 0.6
"""Share of its usual departure from which a series counts as on its way back, if it was seldom so near before."""
SELDOM_SO_NEAR = 0.05
MOVED = 3.0
"""Noises by which the level moved too, where points differ more than they did."""
LATEST_POINTS, SOON = 3, 5
WEAK_SIZE = 2.5
"""Noises that two points on end must depart by to be mentioned at all."""
WEAK_POINTS = 4


@dataclass(frozen=True)
class Measure:
    """A series over a span; numbers in its own unit (a counter's: per second), times in epoch seconds."""

    traits: Traits
    points: int
    baseline: float
    """Median before the onset; of everything where there is none."""
    noise: float
    latest: float
    """Median of the last three points."""
    onset: float | None = None
    rising: bool = True
    peak: float | None = None
    peak_at: float | None = None
    score: float = 0.0
    """Size over what is usual for the series; above 1 is a change."""
    ended: float | None = None
    """First moment from which it stayed back at its baseline."""
    last: float = 0.0
    state: State = "unknown"
    changes: tuple[float, ...] = ()
    spread: bool = False
    """The points differ more (or less) than they did; the level did not move."""
    beyond: bool = False
    """It is beyond all that it was before the onset now: no season that it has been through is like that."""
    sudden: bool = False
    """It went half of its way or more within a few points."""

    @property
    def factor(self) -> float | None:
        """Return peak / baseline, or baseline / peak for falls; None where one of them is zero or signs differ."""
        if self.peak is None or self.peak * self.baseline <= 0:
            return None
        ratio = self.peak / self.baseline
        return ratio if ratio >= 1 else 1 / ratio

    @property
    def bad(self) -> bool:
        """Say whether it moved in the direction that hurts (or in either, where both may)."""
        if self.onset is None:
            return False
        return self.traits.bad == "both" or (self.traits.bad == "up") == self.rising

    @property
    def seconds(self) -> float | None:
        """Return how long it has been away from its baseline."""
        if self.onset is None:
            return None
        return (self.ended if self.ended is not None else self.last) - self.onset


def measure(name: str, times: Floats, values: Floats, step: float) -> Measure | None:
    """Measure one series; None where it holds no finite point."""
    traits, worked = analysed(name, times, values)
    changes = find_changes(worked[None, :], step) if len(worked) else []
    return describe(traits, times, worked, changes)


def main_change(traits: Traits, changes: list[Change]) -> Change | None:
    """Return the change that counts: the largest level change in the bad direction, else the strongest of all."""
    wanted = {"up": 1.0, "down": -1.0, "both": 0.0}[traits.bad]
    level = [c for c in changes if c.kind == "level"]
    bad = [c for c in level if wanted == 0 or c.delta * wanted > 0]
    if bad or level:
        return max(bad or level, key=lambda c: (abs(c.delta), -c.index))
    return max(changes, key=lambda c: (c.score, -c.index), default=None)


def describe(traits: Traits, times: Floats, values: Floats, changes: list[Change]) -> Measure | None:
    """Describe a series by its changes; None where it holds no finite point."""
    present = np.isfinite(values)
    if not present.any():
        return None
    known = values[present]
    latest = float(np.median(known[-LATEST_POINTS:]))
    changes = without_bursts(traits, values, changes)
    chosen = surer(main_change(traits, changes) or recurring(traits, values), more_often(traits, values))
    chosen = chosen or _weak(traits, values)
    last = float(times[present][-1])
    if chosen is None or not present[: chosen.index].any() or not present[chosen.index :].any():
        base = float(np.median(known))
        noise = _noise(known, base)
        return Measure(traits, len(known), base, noise, latest, last=last)
    before, place = values[: chosen.index], chosen.index
    base = float(np.median(before[np.isfinite(before)]))
    noise = _noise(before[np.isfinite(before)], base)
    sign = 1.0 if chosen.delta >= 0 else -1.0
    since = float(np.median(values[place:][present[place:]]))
    spread = chosen.kind == "spread" and abs(since - base) <= MOVED * noise
    if chosen.kind == "spread" and not spread:
        sign = 1.0 if since >= base else -1.0
    away = np.where(present[place:], sign * (values[place:] - base), -np.inf)
    if spread:
        away = np.where(present[place:], np.abs(values[place:] - base), -np.inf)
    top = place + int(np.argmax(away))
    if chosen.kind == "moment":
        ended = _passed(times[place:], away, BEGUN * abs(chosen.delta))
    else:
        ended = _ended(times[place:], away, noise)
    return Measure(
        traits=traits,
        points=len(known),
        baseline=base,
        noise=noise,
        latest=latest,
        onset=float(times[place]),
        rising=sign > 0,
        peak=float(values[top]),
        peak_at=float(times[top]),
        score=chosen.score,
        ended=ended,
        last=last,
        state=_state(sign * (latest - base), away, noise, ended),
        changes=tuple(float(times[c.index]) for c in changes),
        spread=spread,
        sudden=_is_sudden(values, place, 0.5 * _level(away, noise)),
        beyond=bool(sign * latest > np.max(sign * before[np.isfinite(before)])),
    )


def _is_sudden(values: Floats, place: int, least: float) -> bool:
    """Say whether a series moves so far from the points just before a place to those just after it."""
    sides = values[max(0, place - SOON) : place], values[place : place + SOON]
    middles = [float(np.median(side[np.isfinite(side)])) for side in sides if np.isfinite(side).any()]
    return len(middles) == len(sides) and abs(middles[1] - middles[0]) >= least


def _weak(traits: Traits, values: Floats) -> Change | None:
    """Return a departure too small or too short to be a change: two points on end, in the direction that hurts.

    Of a series of which either may hurt, the one excursion that stands alone. It scores below 1: it counts only where
    an alert names this very series, or few were given and nothing else moved.
    """
    known = values[np.isfinite(values)]
    if len(known) < 2 * WEAK_POINTS:
        return None
    base = float(np.median(known))
    if traits.bad == "both":
        return lone_excursion(values, _noise(known, base))
    noise = noise_of(known, base, floor_of(traits, base, values), share=0.8)
    sign = 1.0 if traits.bad == "up" else -1.0
    size = np.where(np.isfinite(values), sign * (values - base) / noise, 0.0)
    pairs = np.minimum(size[:-1], size[1:])
    place = int(np.argmax(pairs))
    if pairs[place] < WEAK_SIZE or place < WEAK_POINTS:
        return None
    while place > WEAK_POINTS and size[place - 1] > WEAK_SIZE:
        place -= 1
    delta = sign * float(pairs.max()) * noise
    return Change(0, place, "level", min(0.99, float(pairs.max()) / 10.0), delta, 2)


def _noise(values: Floats, base: float) -> float:
    return max(1.4826 * float(np.median(np.abs(values - base))), 1e-3 * abs(base), 1e-12)


def _level(away: Floats, noise: float) -> float:
    """Return the usual departure while it lasted: the largest of many points says how wild they are, not how far."""
    finite = np.sort(away[np.isfinite(away)])
    if not len(finite):
        return 0.0
    top = float(finite[-2] if len(finite) > 1 else finite[-1])  # one point alone is no departure
    lasting = finite[finite > max(RECOVERED * top, 3 * noise)]
    return float(np.median(lasting)) if len(lasting) else top


def _ended(times: Floats, away: Floats, noise: float) -> float | None:
    """Return the first moment from which at least two points, to the end, are back."""
    there = np.isfinite(away)
    times, away = times[there], away[there]
    bar = max(RECOVERED * _level(away, noise), 3 * noise)
    out = np.flatnonzero(away > bar)
    if not len(out) or out[-1] + 2 >= len(times) or comes_again(out, len(times)):
        return None
    return float(times[out[-1] + 1])


def _passed(times: Floats, away: Floats, bar: float) -> float | None:
    """Return the first moment after an excursion at which it is over."""
    back = np.flatnonzero(np.isfinite(away) & (away < bar))
    return float(times[back[0]]) if len(back) else None


def _state(now: float, away: Floats, noise: float, ended: float | None) -> State:
    if ended is not None:
        return "recovered"
    if now >= RECOVERING * _level(away, noise):
        return "ongoing"
    earlier = away[np.isfinite(away)][:-LATEST_POINTS]
    if len(earlier) < 2 * LATEST_POINTS:
        return "recovering"
    usual = np.median(np.lib.stride_tricks.sliding_window_view(earlier, LATEST_POINTS), axis=1)
    return "recovering" if now < float(np.quantile(usual, SELDOM_SO_NEAR)) else "ongoing"
