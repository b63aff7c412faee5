"""What a series measures, from its name and its values: role, unit, and which direction is bad."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from subagents.metrics.series import Floats

Role = Literal[
    "latency",
    "client_latency",
    "error_ratio",
    "error_count",
    "availability",
    "hit_ratio",
    "saturation",
    "memory",
    "queue",
    "traffic",
    "restarts",
    "ready",
    "host",
    "network",
    "lag",
    "other",
]
Direction = Literal["up", "down", "both"]


@dataclass(frozen=True)
class Traits:
    """What is known of a series before its values are looked at for changes."""

    role: Role
    bad: Direction
    unit: str
    counter: bool = False
    """It only grows (but for resets): its rate is what is analysed."""

    @property
    def user_facing(self) -> bool:
        """Say whether users feel it: latency, errors, availability."""
        return self.role in ("latency", "error_ratio", "error_count", "availability")


_UNITS: tuple[tuple[str, str], ...] = (
    (r"(_|^)(ms|millis|milliseconds?)(_|$)", "ms"),
    (r"(_|^)(us|micros|microseconds?)(_|$)", "us"),
    (r"(_|^)(ns|nanos|nanoseconds?)(_|$)", "ns"),
    (r"(_|^)per_(s|sec|second)(_|$)|(_|^)(rps|qps|tps|ops|iops)(_|$)", "1/s"),
    (r"(_|^)per_(min|minute)(_|$)|(_|^)rpm(_|$)", "1/min"),
    (r"(_|^)(seconds?|secs?|s)(_|$)", "s"),
    (r"(_|^)(pct|percent|percentage)(_|$)", "%"),
    (r"(_|^)(kib|kb)(_|$)", "KiB"),
    (r"(_|^)(mib|mb)(_|$)", "MiB"),
    (r"(_|^)(gib|gb)(_|$)", "GiB"),
    (r"(_|^)bytes?(_|$)", "bytes"),
    (r"(_|^)millicores?(_|$)", "mcores"),
    (r"(_|^)cores?(_|$)", "cores"),
    (r"(_|^)(ratio|fraction)(_|$)", "ratio"),
)

_LATENCY = r"latenc|duration|response_?time|elapsed|(_|^)(p\d{2,3}|rtt|ttfb)(_|$)|(_|^)time_(ms|s)(_|$)|_wait(_|$)"
_ERRORS = (
    r"errors?(_|$)|(_|^)err(_|$)|5xx|4xx|fail|exception|timeouts?(_|$)|reject|abort|exhaust|panic|crash|dropped|drops?(_|$)|retr(y|ies)"
    r"|throttl|denied|deadlock|cancel|dlq|dead_?letter"
)
_RATIO = r"ratio|rate(_|$)|pct|percent|fraction|per_request"
_ROLES: tuple[tuple[str, Role, Direction], ...] = (
    (r"^wait_ms_", "client_latency", "up"),
    (r"(_|^)node_|(_|^)host_", "host", "up"),
    (r"per_(request|call|op)(_|$)", "other", "up"),
    (r"expir", "other", "down"),
    (
        r"avail(?!_?(mem|bytes|ip|disk|conn|slots|replicas))|success_?(rate|ratio|pct)|(_|^)up$|slo_",
        "availability",
        "down",
    ),
    (r"hit_?(ratio|rate|pct)|cache_hits?(_|$)", "hit_ratio", "down"),
    (r"miss_?(ratio|rate|pct)|cache_miss(es)?(_|$)", "error_ratio", "up"),
    (r"restart|oom|evict", "restarts", "up"),
    (r"ready|healthy|uptime|replicas?(_|$)|available_", "ready", "down"),
    (r"client_(latency|duration)|outbound_(latency|duration)|upstream_(latency|duration)", "client_latency", "up"),
    (r"(replication|consumer)?_?lag(_|$)|staleness|(_|^)age(_|$)|offset_behind", "lag", "up"),
    (_ERRORS, "error_count", "up"),
    (_LATENCY, "latency", "up"),
    (r"queue|backlog|pending|in_?flight|waiting|depth", "queue", "up"),
    (r"mem(ory)?(_|$)|heap|rss|working_set|gc_", "memory", "up"),
    (
        r"cpu|util|saturat|load(_|$|\d)|pool|connections?(_|$)|threads?|fds?(_|$)|file_desc|disk|iops|throttled|usage|used",
        "saturation",
        "up",
    ),
    (r"net_|network|rx_|tx_|packets|syscall", "network", "both"),
    (
        r"requests?(_|$)|calls|rps|qps|tps|throughput|traffic|hits(_|$)|ops(_|$)|queries|count_per|messages|orders|sessions|users|per_s(ec(ond)?)?(_|$)",
        "traffic",
        "both",
    ),
)
_SLASH = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _plain(name: str) -> str:
    return _SLASH.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


def unit_of(name: str) -> str:
    """Return the unit that a name states, or an empty string."""
    plain = _plain(name)
    return next((unit for pattern, unit in _UNITS if re.search(pattern, plain)), "")


def traits_of(name: str, values: Floats | None = None) -> Traits:
    """Infer the role of a series from its name, then from its values where the name leaves it open."""
    plain, unit = _plain(name), unit_of(name)
    role: Role = "other"
    bad: Direction = "both"
    for pattern, candidate, direction in _ROLES:
        if re.search(pattern, plain):
            role, bad = candidate, direction
            break
    if role == "error_count" and (re.search(_RATIO, plain) or unit in ("%", "ratio")):
        role = "error_ratio"
    if role == "error_count" and re.search(_LATENCY, plain):
        role = "latency"
    counter = values is not None and role in ("error_count", "traffic", "restarts", "other") and _grows(plain, values)
    return Traits(role, bad, unit, counter)


def _grows(plain: str, values: Floats) -> bool:
    """Say whether a series is a counter: it never falls but for resets, and rises often or is named a total."""
    finite = values[np.isfinite(values)]
    if len(finite) < 5 or finite.min() < 0:
        return False
    steps = np.diff(finite)
    falls = steps < 0
    if falls.any():
        resets = finite[1:][falls] < 0.2 * finite[:-1][falls]
        if not resets.all() or falls.sum() > max(1, len(steps) // 20):
            return False
    named = bool(re.search(r"total(_|$)|(_|^)count(er)?(_|$)", plain))
    rising = float((steps > 0).mean())
    return rising > (0.15 if named else 0.9) and finite.max() > 0


def as_rate(times: Floats, values: Floats) -> Floats:
    """Return a counter's increase per second at each point, resets counted from zero; the first point is NaN."""
    steps = np.diff(values, prepend=np.nan)
    resets = steps < 0
    steps[resets] = values[resets]
    seconds = np.diff(times, prepend=np.nan)
    return steps / np.where(seconds > 0, seconds, np.nan)
