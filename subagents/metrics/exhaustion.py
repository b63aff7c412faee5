"""Which resources are evidently used up, and since when: shares, pairs of used and limit, what is left, certificates.

Only what was not so at the beginning counts: a cache that fills its memory by design says nothing. How full something
is says not who filled it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from subagents.metrics.limits import CERTIFICATE, CPU, DISK, HANDLES, MEMORY, POOL, kind_of, reached
from subagents.metrics.roles import Role, labels_of, plain_name
from subagents.metrics.series import Floats, usual_step
from subagents.metrics.signals import LEAST_BEFORE, Signal, floor_of, noise_of, scale_of

FULL = {DISK: 0.985, MEMORY: 0.97, POOL: 0.99, HANDLES: 0.97, CPU: 0.25}
"""Share from which a resource counts as used up."""
NOT_FULL = {DISK: 0.96, MEMORY: 0.93, POOL: 0.9, HANDLES: 0.9, CPU: 0.1}
"""Share that it must have been below in the first quarter of what is measured."""
KILLED = 0.88
"""Share of its memory at which a process that is then ended may have been seen last."""
LASTS = 0.5
"""Share of the time since that it has to stay so: a burst that fills a pool for a moment is none."""
LEAST_LEFT = 0.01
"""Part of what was left at most, where no limit is told, that counts as nothing."""
ON_END = 5
"""Points that stand at the same height, where no limit is told, that make it one."""
OVER = 1.05
"""So far beyond a limit what is used may be seen: else it is the limit of something else."""
LEAD = 7200.0
"""Seconds before the symptom from which what was used up may still have to do with it."""
BUSY = (POOL, CPU)
"""Kinds that are used up by whoever waits longer or asks more, too."""
LEAST_SIZE, JUST_BEFORE = 3.0, 3
"""Noises from which a series is away, and so many points just before a moment that are looked at."""
LITTLE = 0.1
"""Part of the way from what is usual to used up that is little."""
_LIMIT = re.compile(
    r"(^|_)(max|maximum|limits?|size|capacity|quota|total|maxclients|allowed)(_|$)|periods_total$|cfs_periods"
)
_THROTTLED = re.compile(r"throttled")
_USED = re.compile(
    r"(^|_)(used|usage|in_use|active|open|allocated|connected|working_set|count|rss|busy|borrowed)(_|$)|numbackends|_clients(_|$)"
)
_LEFT = re.compile(r"(^|_)(avail|available|free|freeable|left|remaining)(_|$)")
_FREE_MEMORY = re.compile(r"(^|_)free(_|$)")
_WAITS = re.compile(r"pending|wait|queue|blocked")
_ENDED = re.compile(r"oom|restart")
_AMOUNTS: frozenset[Role] = frozenset({"saturation", "memory", "host"})
_UNLIKE = frozenset({"resource", "unit", "uid", "job", "endpoint", "fstype"})
"""Labels by which a limit may differ from what it is the limit of."""


@dataclass(frozen=True)
class Exhausted:
    """A resource that is used up."""

    kind: str
    signal: Signal
    """The series that shows it."""
    at: float
    """Since when, epoch seconds."""
    began: float
    """When it began to fill."""
    limit: Signal | None = None
    """The series of its limit, where there is one."""
    ended: Signal | None = None
    """The series of the processes that were ended for it."""
    unproven: bool = False
    """What its service does for others is as ever, or others were in trouble before and may have kept it busy."""


def exhausted(seen: Iterable[Signal]) -> tuple[Exhausted, ...]:
    """Return what is used up, one of each kind and service, the first to be so."""
    by_service: dict[str, list[Signal]] = defaultdict(list)
    for signal in seen:
        by_service[signal.key.service].append(signal)
    found: dict[tuple[str, str], Exhausted] = {}
    for service, mine in by_service.items():
        for each in _of_service(mine):
            others = (signal for name, theirs in by_service.items() if name != service for signal in theirs)
            one = replace(each, unproven=_is_unfelt(each, mine) or _is_kept_busy(each, others))
            held = found.get((service, one.kind))
            if held is None or one.at < held.at:  # of equals the first, which shows most
                found[service, one.kind] = one
    return tuple(sorted(found.values(), key=lambda one: (one.at, one.signal.key)))


def used_up_by(spent: Iterable[Exhausted], moment: float) -> dict[str, Exhausted]:
    """Return the first of these resources of each service that was used up by a moment, and not long before."""
    found: dict[str, Exhausted] = {}
    for one in spent:
        if not one.unproven and moment - LEAD <= one.at <= moment + usual_step(one.signal.times):
            found.setdefault(one.signal.key.service, one)
    return found


def _is_unfelt(one: Exhausted, mine: list[Signal]) -> bool:
    """Say whether its service answers as ever, though it would be the first to fail."""
    facing = [signal for signal in mine if signal.traits.user_facing]
    return one.kind in (DISK, *BUSY) and bool(facing) and all(signal.size <= LEAST_SIZE for signal in facing)


def _is_kept_busy(one: Exhausted, others: Iterable[Signal]) -> bool:
    """Say whether others failed or were slow before what waits for them was used up."""
    return one.kind in BUSY and any(_moved_by(signal, one.at) for signal in others if signal.traits.user_facing)


def _moved_by(signal: Signal, moment: float) -> bool:
    """Say whether most of the last points before a moment are away from what is usual, in the direction that hurts."""
    known = signal.values[(signal.times < moment) & np.isfinite(signal.values)]
    earlier, last = known[:-JUST_BEFORE], known[-JUST_BEFORE:]
    if len(earlier) < LEAST_BEFORE:
        return False
    base = float(np.median(earlier))
    away = (last - base) / noise_of(earlier, base, floor_of(signal.traits, base, signal.values), share=0.8)
    away = -away if signal.traits.bad == "down" else away
    return int((away > LEAST_SIZE).sum()) > JUST_BEFORE // 2


def _of_service(mine: list[Signal]) -> Iterator[Exhausted]:
    kinds = [(kind, signal) for signal in mine if (kind := kind_of(signal.key.name)) is not None]
    for kind, signal in kinds:
        if kind == CERTIFICATE:
            at = reached(signal.key.name, signal.times, signal.values)
            found = Exhausted(kind, signal, at, at) if at is not None else None
        else:
            like = [other for name, other in kinds if name == kind and other is not signal]
            found = _used_up(kind, signal, like, mine)
        if found is not None:
            yield found
    ended = _killed(mine)
    alone = _ended(ended, ended, None) if ended is not None and _for_memory(ended) else None
    if alone is not None:
        yield alone


def _used_up(kind: str, signal: Signal, like: list[Signal], mine: list[Signal]) -> Exhausted | None:
    plain = _plain(signal)
    if kind == MEMORY and _FREE_MEMORY.search(plain) and "freeable" not in plain:
        return None  # a system that lives long leaves no memory free: it caches
    share, limit = _share(kind, signal, like)
    ended = _killed(mine) if kind == MEMORY else None
    if share is None and kind == POOL and _stands(signal) and _waited_for(mine):
        share = np.where(signal.values >= np.nanmax(signal.values), 1.0, 0.0)
    known = np.flatnonzero(np.isfinite(share)) if share is not None else ()
    if share is None or len(known) < ON_END:
        return None
    course = share[known]
    early = course[: max(1, len(course) // 4)]
    if ended is not None and float(np.max(course)) >= KILLED > float(np.median(early)):
        return _ended(signal, ended, limit)
    full = course >= FULL[kind]
    pairs = np.flatnonzero(full[:-1] & full[1:])
    if float(np.max(early)) >= NOT_FULL[kind] or not len(pairs) or full[pairs[0] :].mean() < LASTS:
        return None
    if kind == CPU:
        at = float(signal.times[known[pairs[0]]])
        return Exhausted(kind, signal, at, at, limit)
    reached_at = reached(signal.key.name, signal.times, signal.values)
    return Exhausted(kind, signal, reached_at, _began(signal, reached_at), limit) if reached_at is not None else None


def _share(kind: str, signal: Signal, like: list[Signal]) -> tuple[Floats | None, Signal | None]:
    """Return which share of a resource is used at each point, and the series of its limit; None where nothing tells."""
    plain = _plain(signal)
    left = signal.traits.bad == "down" and bool(_LEFT.search(plain))
    if signal.traits.role in _AMOUNTS and (signal.traits.unit in ("%", "ratio") or "utilization" in plain):
        share = signal.values / scale_of(signal.values)
        return (1.0 - share if left else share), None
    if _LIMIT.search(plain) and not _THROTTLED.search(plain) and not left:
        return None, None
    if not (left or _USED.search(plain) or _THROTTLED.search(plain)):
        return None, None
    limit = _limit_of(signal, like)
    if limit is not None:
        whole = np.interp(signal.times, limit.times, limit.values)
        share = signal.values / np.where(whole > 0, whole, np.nan)
        return (1.0 - share if left else share), limit
    first = signal.values[: max(1, len(signal.values) // 4)]
    most = float(np.nanmax(first)) if np.isfinite(first).any() else 0.0
    if left and most > 0:
        return np.where(
            signal.values <= LEAST_LEFT * most, 1.0, np.where(np.isfinite(signal.values), 0.0, np.nan)
        ), None
    return None, None


def _limit_of(signal: Signal, like: list[Signal]) -> Signal | None:
    """Return the series of its limit: of the same kind and labels, never less than is used; the nearest by name."""
    words, labels = set(_plain(signal).split("_")), labels_of(signal.key.name)
    fits = [
        (len(words & set(_plain(other).split("_"))), -len(_plain(other)), other)
        for other in like
        if _LIMIT.search(_plain(other))
        and not _THROTTLED.search(_plain(other))
        and _goes_with(labels, labels_of(other.key.name))
        if ("inode" in _plain(other) or "files" in words) == ("inode" in words or "files" in words)
        if other.base > 0 and float(np.nanmax(signal.values)) <= OVER * float(np.nanmax(other.values))
    ]
    return max(fits, key=lambda one: one[:2])[2] if fits else None


def _goes_with(mine: dict[str, str], theirs: dict[str, str]) -> bool:
    return all(mine.get(name, value) == value for name, value in theirs.items() if name not in _UNLIKE)


def _plain(signal: Signal) -> str:
    return plain_name(signal.key.name.partition("{")[0])


def _stands(signal: Signal) -> bool:
    """Say whether a series that varied stands at its highest from some point on: at a limit that nobody tells."""
    values = signal.values[np.isfinite(signal.values)]
    if len(values) < 4 * ON_END or not _USED.search(_plain(signal)):
        return False
    top = values >= values.max()
    first = int(np.argmax(top))
    return (
        first >= ON_END and top.sum() >= ON_END and bool(top[first:].mean() >= 0.9) and bool(np.ptp(values[:first]) > 0)
    )


def _waited_for(mine: list[Signal]) -> bool:
    """Say whether anybody waits for a pool who did not before."""
    return any(s.size > 0 and s.base < s.peak and _is_wait(s) for s in mine)


def _is_wait(signal: Signal) -> bool:
    """Say whether a series counts who waits for a connection."""
    plain = _plain(signal)
    return bool(_WAITS.search(plain)) and bool(re.search(r"pool|conn", plain))


def _killed(mine: list[Signal]) -> Signal | None:
    """Return the series of what is ended and begins again, where it does so since the moment and did not before."""
    ended = [s for s in mine if (_for_memory(s) or s.traits.role == "restarts") and s.base <= 0]
    ended = [s for s in ended if _ENDED.search(s.key.name.lower()) and float(np.nanmax(s.values)) > 0]
    return min(ended, key=lambda s: (not _for_memory(s), s.key), default=None)


def _for_memory(signal: Signal) -> bool:
    """Say whether a series tells that processes were ended for their memory."""
    return "oom" in signal.key.name.lower()


def _ended(signal: Signal, ended: Signal, limit: Signal | None) -> Exhausted | None:
    at = reached(ended.key.name, ended.times, ended.values)
    began = at if signal is ended or at is None else _began(signal, at)
    return Exhausted(MEMORY, signal, at, began or at, limit, ended) if at is not None else None


def _began(signal: Signal, at: float) -> float:
    """Return the last moment before it was used up at which it had gone little of the way there."""
    known = np.isfinite(signal.values) & (signal.times <= at)
    times, values = signal.times[known], signal.values[known]
    base = float(np.median(values[: max(1, len(values) // 4)]))
    most = float(values.min() if signal.traits.bad == "down" else values.max())
    near = np.flatnonzero(np.abs(values - base) <= LITTLE * abs(most - base))
    return float(times[near[-1]]) if len(near) else at
