"""What has an end: a disk, memory, a pool, file handles, the time of a certificate; and when a series reached it."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from subagents.metrics.roles import plain_name, traits_of
from subagents.metrics.series import Floats

CERTIFICATE, DISK, MEMORY, POOL, HANDLES, CPU = (
    "certificate expired",
    "disk full",
    "out of memory",
    "pool exhausted",
    "file handles",
    "CPU throttled",
)
"""Kinds of exhaustion, called as the logs call them: what both tell is one suspect."""
NEAR = 0.01
"""Of the way from where a series began to its farthest: so near to that it has reached it."""
_KINDS: Mapping[str, re.Pattern[str]] = {
    CERTIFICATE: re.compile(
        r"(cert|certificate|x509|ssl|tls)_?(\w+_)?(expir|not_?after|days|seconds_(left|remaining|until)|valid_(for|days|until))|days_to_expiry"
    ),
    HANDLES: re.compile(r"(^|_)(open_|max_|process_)?fds?(_|$)|file_?desc|open_files|filefd|file_handles"),
    CPU: re.compile(r"cpu_?(\w+_)?(throttl|cfs)"),
    DISK: re.compile(r"disk|storage|volume|filesystem|(^|_)fs_|inode"),
    MEMORY: re.compile(r"(^|_)mem(ory)?(_|$)|working_set|heap|(^|_)rss(_|$)"),
    POOL: re.compile(
        r"pool|connections?(_|$)|conns?(_|$)|pg_stat_activity|threads_connected|numbackends|maxclients|_clients(_|$)"
    ),
}  # fmt: skip
_NOT: Mapping[str, re.Pattern[str]] = {
    DISK: re.compile(
        r"(^|_)(io|iops|reads?|writes?|busy|queue|latenc\w*|time|seconds|await|throughput|util|per_s|burst|credits?|errors?"
        r"|rate)(_|$)"
    ),
    MEMORY: re.compile(
        r"cache|buffer|(^|_)(gc|swap|fault|faults|failcnt|bandwidth|pressure|alloc\w*|errors?)(_|$)|mem_?free"
    ),
    POOL: re.compile(
        r"(^|_)(idle|pending|waiting|waits?|new|accept\w*|created|errors?|timeouts?|time|duration|seconds|ms|per_s|rate|usage_ms|mem\w*|bytes"
        r"|cpu|storage|rejected|refused|aborted|dropped|failed)(_|$)|thread_?pool"
    ),
}  # fmt: skip
"""What is called after a resource and is no amount of it."""
_ENDED = re.compile(r"oom|restart|killed")
_SINCE_1970 = 1e9
_UNITS_OF_TIME = (("day", 86_400.0), ("hour", 3_600.0), ("minute", 60.0), ("ms", 1e-3), ("milli", 1e-3))


def kind_of(name: str) -> str | None:
    """Return which resource a series is an amount of, by its name; None for what is none."""
    bare, _, labels = name.partition("{")
    plain = plain_name(bare)
    if "limit" in plain and "resource=memory" in labels:
        return MEMORY
    kind = next((kind for kind, words in _KINDS.items() if words.search(plain)), None)
    return None if kind is None or (kind in _NOT and _NOT[kind].search(plain)) else kind


def reached(name: str, times: Floats, values: Floats) -> float | None:
    """Return from when on a series stands at its farthest in the direction that hurts; None where it never moved.

    Of a certificate: when it expired, where that is within the time that is measured. Of what counts processes that
    were ended: when the first was.
    """
    known = np.isfinite(values)
    times, values = times[known], values[known]
    if len(values) < 2:
        return None
    if kind_of(name) == CERTIFICATE:
        return _expired(name, times, values)
    if _ENDED.search(name.lower()):
        more = np.flatnonzero(values > values[0])
        return float(times[more[0]]) if len(more) else None
    sign = -1.0 if traits_of(name).bad == "down" else 1.0
    course = sign * values
    base, most = float(np.median(course[: max(1, len(course) // 4)])), float(course.max())
    there = course >= most - NEAR * (most - base)
    pairs = np.flatnonzero(there[:-1] & there[1:])
    return float(times[pairs[0] if len(pairs) else int(np.argmax(there))]) if most > base else None


def _expired(name: str, times: Floats, values: Floats) -> float | None:
    """Return when a certificate expired: by the moment that is told, or by the time that is left."""
    if float(np.median(values)) >= _SINCE_1970:
        until = values / (1e3 if float(np.median(values)) >= _SINCE_1970 * 1e3 else 1.0)
        over = np.flatnonzero(times >= until)
        within = len(over) > 0 and times[0] < until[over[0]]
        return float(until[over[0]]) if within else None
    plain = plain_name(name.partition("{")[0])
    seconds = next((scale for word, scale in _UNITS_OF_TIME if word in plain), 1.0)
    # what is told in whole days is over only below none: 0 is the last of them
    over = np.flatnonzero(values < 0 if seconds >= _UNITS_OF_TIME[0][1] else values <= 0)
    return float(times[over[0]]) if len(over) and over[0] > 0 and values[0] > 0 else None
