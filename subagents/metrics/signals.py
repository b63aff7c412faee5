"""How far each series left its own baseline after a moment, and whether it did so when the symptom did."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from subagents.metrics.roles import Role, Traits, analysed
from subagents.metrics.series import Flags, Floats, Frame, SeriesKey, Store, usual_step
from subagents.metrics.so_far import EVERY, nobody

LEAST_BEFORE = 4
"""Fewest points before the moment that make a baseline."""
SELDOM = 0.05
"""Chance of what is taken for no chance: that the largest of like points lies among these few."""
_TO_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}


@dataclass(frozen=True)
class Signal:
    """One series seen from a moment: its baseline before, its departure after."""

    key: SeriesKey
    traits: Traits
    base: float
    noise: float
    """What is usual for it: robust spread, never below what matters for its role."""
    size: float
    """How far it departs after the moment, in `noise`, bad direction positive, at least 0: see `size_of`."""
    peak: float
    first: float | None
    """Epoch seconds of the first of two points on end beyond three noises; None where it never left."""
    profile: Floats
    """Departure of every point of the frame's window in `noise`, bad direction positive, NaN where there is none."""
    times: Floats
    values: Floats
    """What was analysed: the points, or the rate of a counter."""
    volume: float
    """Median after the moment."""
    about: str = ""
    """Another service that its name says it is about; empty: its own."""


def scale_of(values: Floats) -> float:
    """Return 100 for a share in percent, 1 for a share of one."""
    finite = values[np.isfinite(values)]
    return 100.0 if len(finite) and float(np.max(finite)) > 1.5 else 1.0


def signals(
    store: Store, start: float, split: float, end: float, on_series: Callable[[int], None] = nobody
) -> list[Signal]:
    """Return a signal for every series that has a baseline before `split` and at least two points after it.

    `on_series` is given how many were looked at.
    """
    out: list[Signal] = []
    looked = 0
    for frame in store.frames:
        window = frame.slice(start, end)
        times = frame.times[window]
        if (times < split).sum() < LEAST_BEFORE or (times >= split).sum() < 2:
            continue
        for row, key in enumerate(frame.keys):
            signal = _signal(frame, row, key, window, split)
            if signal is not None:
                out.append(signal)
            looked += 1
            if looked % EVERY == 0:
                on_series(looked)
    return out


def _signal(frame: Frame, row: int, key: SeriesKey, window: slice, split: float) -> Signal | None:
    times, values = frame.times[window], frame.values[row, window]
    traits, values = analysed(key.name, times, values)
    present = np.isfinite(values)
    before, after = present & (times < split), present & (times >= split)
    if before.sum() < LEAST_BEFORE or after.sum() < 2:
        return None
    known = values[before]
    base = float(np.median(known))
    noise = noise_of(known, base, floor_of(traits, base, values))
    sign = {"up": 1.0, "down": -1.0, "both": 0.0}[traits.bad]
    profile = (values - base) / noise
    profile = sign * profile if sign else np.abs(profile)
    return Signal(
        key=key,
        traits=traits,
        base=base,
        noise=noise,
        size=size_of(profile[before], profile[after]),
        peak=float(values[after][int(np.argmax(profile[after]))]),
        first=_first(times, profile, after),
        profile=profile,
        times=times,
        values=values,
        volume=float(np.median(values[after])),
    )


def size_of(before: Floats, after: Floats) -> float:
    """Return how far a profile departs: by its second-largest point, for one alone happens to any series.

    Where points are coarse or missing there may be no second one: a point alone counts as far as it goes beyond all
    points before, if these are so many that chance would seldom put the largest of all since the moment.
    """
    second, largest = np.sort(after)[-2:]
    if len(after) > SELDOM * (len(before) + len(after)):
        return max(float(second), 0.0)
    return max(float(second), float(largest) / (1.0 + float(np.max(np.abs(before)))), 0.0)


def noise_of(known: Floats, base: float, floor: float, share: float = 0.95) -> float:
    """Return the robust spread of a baseline, wide enough for `share` of its own outliers, never below the floor."""
    rest = np.abs(known - base)
    return max(1.4826 * float(np.median(rest)), 0.6 * float(np.quantile(rest, share, method="higher")), floor)


def _first(times: Floats, profile: Floats, after: Flags) -> float | None:
    beyond = (profile > 3.0) & after
    pairs = np.flatnonzero(beyond[:-1] & beyond[1:])
    return float(times[pairs[0]]) if len(pairs) else None


def floor_of(traits: Traits, base: float, values: Floats) -> float:
    """Return the least departure that matters for a role, in the series' unit."""
    role: Role = traits.role
    if role in ("availability", "error_ratio", "hit_ratio"):
        return 0.003 * scale_of(values)
    if role in ("saturation", "host", "memory"):
        share = traits.unit in ("%", "ratio")
        return max(0.10 * abs(base), 0.005 * scale_of(values) if share else 0.0, 1e-9)
    if role == "traffic":
        return max(0.10 * abs(base), 1e-9) + 0.3 * float(np.sqrt(abs(base)))
    if role == "error_count":
        return max(0.2 * abs(base), 0.02 * float(np.nanmax(np.abs(values))), 1e-9)
    if role in ("latency", "client_latency"):
        return max(0.10 * abs(base), 0.001 / _TO_SECONDS.get(traits.unit, 1.0), 1e-9)
    return max(0.10 * abs(base), 0.02 * float(np.nanmax(np.abs(values))), 1e-9)


def failures(signal: Signal, traffic: Signal | None) -> Floats | None:
    """Return how many failures each point of a share (availability, error ratio) stands for; None without traffic."""
    if traffic is None or signal.traits.role not in ("availability", "error_ratio"):
        return None
    share = np.clip(np.nan_to_num(signal.profile) * signal.noise / scale_of(signal.values), 0, 1)
    counts: Floats = share * np.interp(signal.times, traffic.times, np.nan_to_num(traffic.values))
    return counts


def failure_noises(signal: Signal, traffic: Signal | None, split: float) -> float | None:
    """Return how surely more requests fail since a moment, in noises; None where failures cannot be counted.

    The likelihood ratio of two rates of failure against one, as a normal deviate; a baseline whose failures come in
    bursts makes it less.
    """
    if traffic is None or signal.traits.role not in ("availability", "error_ratio"):
        return None
    share = signal.values / scale_of(signal.values)
    share = np.clip(1.0 - share if signal.traits.role == "availability" else share, 0.0, 1.0)
    asked = np.interp(signal.times, traffic.times, np.nan_to_num(traffic.values)) * per_point_of(traffic)
    known = np.isfinite(share)
    failed, before = np.where(known, share, 0.0) * np.maximum(asked, 0.0), signal.times < split
    asked = np.where(known, np.maximum(asked, 0.0), 0.0)
    spread = float(np.var(failed[before]) / max(float(np.mean(failed[before])), 1e-9)) if failed[before].any() else 1.0
    old, new = float(failed[before].sum()), float(failed[~before].sum())
    old_asked, new_asked = float(asked[before].sum()), float(asked[~before].sum())
    if new <= 0 or old_asked <= 0 or new * old_asked <= old * new_asked:
        return 0.0
    all_of = (old + new) / (old_asked + new_asked)
    nats = new * np.log(new / (new_asked * all_of)) + (old * np.log(old / (old_asked * all_of)) if old > 0 else 0.0)
    return float(np.sqrt(2.0 * max(nats, 0.0) / max(spread, 1.0)))


def per_point_of(signal: Signal) -> float:
    """Return what a value of traffic is multiplied with to give calls per point."""
    step = usual_step(signal.times) or 1.0
    if signal.traits.counter or signal.traits.unit == "1/s":
        return step
    return step / 60.0 if signal.traits.unit == "1/min" else 1.0


def agreement(own: Floats, other: Floats) -> float:
    """Return how far two courses over the same moments have their mass at the same places, 0 to 1."""
    if own.sum() <= 0 or other.sum() <= 0:
        return 0.0 if other.sum() > 0 else 1.0
    own, other = own / own.max(), other / other.max()
    return float(2 * np.minimum(own, other).sum() / (own.sum() + other.sum()))


def overlap(signal: Signal, symptom: Signal | None, since: float) -> float:
    """Return which share of a departure since a moment lies where the symptom departs too, 0 to 1; 1 without a symptom.

    A departure may lead the symptom by one point. What departs all the time, or at another time, is
    something else: a restart, a splice of recordings, a neighbour's trouble.
    """
    if symptom is None or signal.key == symptom.key:
        return 1.0
    other = np.interp(signal.times, symptom.times, np.nan_to_num(symptom.profile))
    other = np.clip(np.maximum(other, np.append(other[1:], other[-1:])), 0, 12)
    own = np.clip(np.nan_to_num(signal.profile), 0, 12)
    own[own < 1.5] = 0.0
    other[other < 1.5] = 0.0
    after = signal.times >= since
    return agreement(own[after], other[after])
