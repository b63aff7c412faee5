"""What a series measures, from its name and its values: role, unit, and which direction is bad."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from subagents.metrics.series import Flags, Floats, Ints
from subagents.metrics.sources.naming import FAILED

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

_TIMED = r"(seconds?|secs?|millis(econds)?|ms|micros(econds)?|us|nanos(econds)?|ns)"
"""A unit of time within a name; behind it the suffixes of summaries and histograms."""
_LATENCY = (
    r"latenc|duration|response_?time|elapsed|(_|^)(p\d{2,3}|\d{2,3}p|rtt|ttfb)(_|$)|(_|^)time_(ms|s)(_|$)|_wait(_|$)|delay(_|$)|jitter"
    rf"|(_|^)(rq|request|query|queries|lookup|lock|wait|connect|commit|total|process(ing)?|exec(ution)?|run)_?time(_?{_TIMED}|_total|_sum|_avg|_max|_mean)*$"
    rf"|time_?ms(_|$)|(?<!cpu_)(?<![a-z]){_TIMED}_(sum|max|mean|avg|bucket)$"
)
_ERRORS = (
    r"errors?(_|$)|(_|^)errs?(_|$)|5xx|4xx|fail|exception|timeouts?(_|$)|reject|abort|exhaust|panic|crash|dropped|drops?(_|$)|retr(y|ies)"
    r"|throttl|denied|declin|deadlock|cancel|dlq|dead_?letter|rollbacks?(_|$)|overflow|redeliver|retrans|misses(_|$)|slow_quer|rate_?limited|packet_?loss"
)
_RATIO = r"(?<!du)ratio|rate(_(?!limit)|$)|pct|percent|fraction|per_request"
_HEADROOM = (
    r"(_|^)(free|freeable|avail|available|idle|remaining|headroom|unused|usable|balance|avg_?idle)(_|$)|idle_percent"
)
"""What is left of a resource rather than what is used of it: its fall is what hurts."""
_LIMITED: frozenset[Role] = frozenset({"saturation", "memory", "host"})
_ROLES: tuple[tuple[str, Role, Direction], ...] = (
    (r"^wait_ms_", "client_latency", "up"),
    (r"^calls_from_", "traffic", "both"),
    (r"^p95_ms_from_", "latency", "up"),
    (r"timestamp(_(ms|seconds?))?$", "other", "both"),
    (r"(_|^)un_?(healthy|availables?|ready|schedulable|assigned)(_|$)|offline|under_?replicated", "ready", "up"),
    (r"(_|^)healthy(_|$)", "ready", "down"),
    (r"(_|^)node_|(_|^)host_", "host", "up"),
    (r"per_(request|call|op)(_|$)", "other", "up"),
    (r"expir|(days|hours|seconds)_(left|remaining)", "other", "down"),
    (r"(replicas|instances|hosts|pods)_available", "ready", "down"),
    (
        r"(?<!mem_)(?<!memory_)availab(?!le_?(mem|bytes|ip|disk|conn|slots|replicas|[mgk]i?b(_|$)))|success_?(rate|ratio|pct)|(_|^)up$|slo_|apdex|probe_success|(_|^)live$",
        "availability",
        "down",
    ),
    (r"hit_?(ratio|rate|pct)|cache_hits?(_|$)|(_|^)blks_hit", "hit_ratio", "down"),
    (r"miss_?(ratio|rate|pct)|cache_miss(es)?(_|$)", "error_ratio", "up"),
    (r"restart|oom|evict", "restarts", "up"),
    (
        r"(replica(tion)?|consumer)?_?lag(_|$)|staleness|(_|^)age(_|$)|offset_behind|seconds_(behind|ago)|time_since",
        "lag",
        "up",
    ),
    (
        r"(messages|queue)_(ready|unack|visible|(not|in)_flight)|undelivered|active_requests|(rq|requests?)_active",
        "queue",
        "up",
    ),
    (r"ready|healthy|uptime|replicas?(_|$)|(_|^)instances?_count", "ready", "down"),
    (
        r"client_(latency|duration)|outbound_(latency|duration)|upstream_(latency|duration|rq_time)",
        "client_latency",
        "up",
    ),
    (r"cpu.*throttl", "saturation", "up"),
    (_ERRORS, "error_count", "up"),
    (rf"({_TIMED}|duration|latency)_count$", "traffic", "both"),
    (_LATENCY, "latency", "up"),
    (r"queue|backlog|pending|in_?flight|waiting|waits(_|$)|blocked|depth|in_progress", "queue", "up"),
    (r"mem(ory)?(_|$)|heap|rss|working_set|gc_|garbage", "memory", "up"),
    (
        r"cpu|processor_time|util|saturat|load(_|$|\d)|pool|connections?(_|$)|stat_activity|(db|database|oracle(db)?|postgres(ql)?|pg|mysql|mssql|sqlserver)_(\w+_)?sessions?(_|$)|threads?|goroutines|fds?(_|$)|file_desc|open_files|disk|storage|volume|filesystem|(_|^)fs_|io_?wait|iops"
        r"|throttled|usage|used|consum(ption|ed_\w*units)|(_|^)(active|busy|idle)_(conn|process|server|thread|worker)|(_|^)(clients|workers|processes|backends|numbackends|locks|busy|executions|cx_active|capacity|burst|idle_?percent)(_|$)",
        "saturation",
        "up",
    ),
    (r"requests?_per_", "traffic", "both"),
    (
        r"net_|network|rx_|tx_|packets|octets|ingress_|egress_|syscall|bytes_(in|out|sent|rcvd|received)(_|$)|(sent|received)_bytes",
        "network",
        "both",
    ),
    (
        r"requests?(_|$)|calls|rps|qps|tps|throughput|traffic|hits(_|$)|ops(_|$)|queries|count_per|messages|orders|sessions|users|per_s(ec(ond)?)?(_|$)"
        r"|(_|^)(rq|gets|puts|commits?|commands|responses|invocations|records|events|handled|processed|completed|executed?|sent|received|opcounters|success(es)?|activity)(_|$)|rate$",
        "traffic",
        "both",
    ),
)
LEAST_RISES, MANY_RISES = 3, 12
"""So often a series of failures must rise to be a counter, if its name says so and if it does not."""
_COUNTED: frozenset[Role] = frozenset({"error_count", "traffic", "restarts", "other"})
_FROM_NOTHING: frozenset[Role] = frozenset({"error_count", "restarts"})
"""Counts of what does not happen as a rule."""
_SINGLE, _PACE = 2, 0.75
"""So many points on end stand alone; and the share of like distances by which points keep a pace."""
_PART = re.compile(rf"_(sum|bucket)$|(?<![a-z]){_TIMED}_count$")
"""Suffixes of the parts of a histogram or a timer: counters, however seldom something is timed."""
_TOTAL = re.compile(rf"_total$|{_PART.pattern}")
"""Suffixes that declare a counter in every exporter's conventions, whatever is counted."""
_SIGNS = (
    (re.compile("%"), " pct "),
    (re.compile(r"/s(ec)?(?![A-Za-z])"), " per_s"),
    (re.compile(r"(?<![A-Za-z])([kKMGT])(?:i?B|[Bb]ytes?)(?![a-z])|(?<=[a-z])(k)B(?![A-Za-z])"), r" \1\2b "),
)
"""Signs of units in names, and the words for them: `%`, `/s`, `kB`."""
_SIZES = ("bytes", "KiB", "MiB", "GiB")
_SLASH = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z0-9])(?=[A-Z][a-z])")


def plain_name(name: str) -> str:
    """Return a name in lower case, its words and signs of units parted by underscores."""
    for written, words in _SIGNS:
        name = written.sub(words, name)
    return _SLASH.sub("_", _CAMEL.sub("_", name).lower()).strip("_")


def labels_of(name: str) -> dict[str, str]:
    """Return the labels that stand in a series' name, as in `a{code=500,pod=x}`."""
    _, _, inner = name.partition("{")
    return dict(part.split("=", 1) for part in inner.rstrip("}").split(",") if "=" in part)


def unit_of(name: str) -> str:
    """Return the unit that a name states, or an empty string."""
    plain = plain_name(name.partition("{")[0])
    if re.search(rf"_{_TIMED}_(count|bucket)$", plain):
        return ""  # how many took some time, not how long
    units = [unit for pattern, unit in _UNITS if re.search(pattern, plain)]
    size = next((unit for unit in units if unit in _SIZES), "")
    return f"{size}/s" if size and units[0] == "1/s" else next(iter(units), "")


def traits_of(name: str, values: Floats | None = None) -> Traits:
    """Infer the role of a series from its name, then from its values where the name leaves it open."""
    bare, _, labels = name.partition("{")
    plain, unit = plain_name(bare), unit_of(bare)
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
    if role == "latency" and unit in ("%", "ratio"):
        role = "saturation"  # a share of time that was waited: nothing that took so long
    if role == "traffic" and FAILED.search(labels):
        role, bad = "error_ratio" if re.search(_RATIO, plain) or unit in ("%", "ratio") else "error_count", "up"
    elif role == "latency" and FAILED.search(labels):
        role, bad = "other", "both"  # how long failures take is not how slow a service is: there are few, or late ones
    if role in _LIMITED and re.search(_HEADROOM, plain):
        bad = "down"
    counter = values is not None and (role in _COUNTED or bool(_TOTAL.search(plain))) and _grows(role, plain, values)
    if counter and role == "latency":
        role = "saturation"  # time spent per second: how busy, not how slow
    return Traits(role, bad, unit, counter)


def _grows(role: Role, plain: str, values: Floats) -> bool:
    """Say whether a series is a counter: it never falls but for resets, and rises often or is named a total."""
    finite = values[np.isfinite(values)]
    if len(finite) < 5 or finite.min() < 0:
        return False
    steps = np.diff(finite)
    falls = steps < 0
    if falls.any():
        # what is declared a counter may restart in a crash loop: often, and grown again before it is looked at
        left, often = (0.5, 4) if _TOTAL.search(plain) else (0.2, 20)
        resets = finite[1:][falls] < left * finite[:-1][falls]
        if not resets.all() or falls.sum() > max(1, len(steps) // often):
            return False
    named = bool(re.search(r"total(_|$)|(_|^)count(er)?(_|$)", plain))
    rises = int((steps > 0).sum())
    if _PART.search(plain) and rises >= LEAST_RISES:
        return True
    if role == "error_count" and rises >= (LEAST_RISES if _TOTAL.search(plain) else MANY_RISES):
        return True  # a counter of failures stands still until there are some; none that is not falls never
    return rises / len(steps) > (0.15 if named else 0.9) and finite.max() > 0


def as_rate(times: Floats, values: Floats) -> Floats:
    """Return a counter's increase per second at each point, resets counted from zero; the first point is NaN."""
    steps = np.diff(values, prepend=np.nan)
    resets = steps < 0
    steps[resets] = values[resets]
    seconds = np.diff(times, prepend=np.nan)
    return steps / np.where(seconds > 0, seconds, np.nan)


def analysed(name: str, times: Floats, values: Floats) -> tuple[Traits, Floats]:
    """Return what a series is, and the values to analyse: a counter's rate, else the points.

    Failures that are told from some moment on are none before: who counts them says nothing until there is one. If it
    never says that there are none, it says nothing between single ones either.
    """
    traits = traits_of(name, values)
    worked = as_rate(times, values) if traits.counter else values
    known = np.flatnonzero(np.isfinite(values))
    if traits.role not in _FROM_NOTHING or not len(known):
        return traits, worked
    silent = np.zeros(len(values), np.bool_)
    silent[: known[0]] = True
    if not traits.counter and values[known].min() > 0:
        silent |= _between_single(known, len(values))
    return traits, np.where(silent, 0.0, worked)


def _between_single(known: Ints, count: int) -> Flags:
    """Say which points are missing beside single ones, if these come at no pace: a pause after many is an outage."""
    apart = np.diff(known)
    silent = np.zeros(count, np.bool_)
    if not len(apart) or (np.median(apart) > 1 and (apart == np.median(apart)).mean() >= _PACE):
        return silent
    begins = np.append(0, np.flatnonzero(apart > 1) + 1)
    sizes = np.diff(np.append(begins, len(known)))
    for gap in range(1, len(begins)):
        if min(sizes[gap - 1], sizes[gap]) <= _SINGLE:
            silent[known[begins[gap] - 1] + 1 : known[begins[gap]]] = True
    return silent
