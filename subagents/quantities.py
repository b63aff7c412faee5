"""Names of the quantities that facts may state, so that code can recompute each from what it cites.

Moments are ISO 8601 UTC strings. `metric` facts cite a `metric:` window that ends where the fact's
own data ends; `log` facts cite the first matching line, and counts say in `window` over which time and in
`unit` of what (`subagents.logs.counted`: `events`, `severe events`, `stack traces`, …).
"""

from __future__ import annotations

ONSET = "onset"
"""Moment: when the series left its baseline."""
ENDED = "ended"
"""Moment: from when on the series is back, to the end of the cited span."""
REACHED = "reached"
"""Moment: when a resource was used up, or a certificate expired (`subagents.metrics.limits.reached`)."""
BASELINE = "baseline"
"""Median of the series before the onset, in the series' own unit."""
PEAK = "peak"
"""Value farthest from the baseline in the cited span, in the series' own unit."""
FACTOR = "factor"
"""peak / baseline (for falls: baseline / peak), dimensionless, >= 1."""
LATEST = "latest"
"""Median of the last points of the cited span."""
COUNT = "count"
"""How many log events are like the cited one in the fact's window, by what its unit counts."""
BASELINE_COUNT = "baseline_count"
"""How many there were in all the time before the window, scaled to its length."""
FIRST_SEEN = "first_seen"
"""Moment of the first event of the cited one's pattern in the fact's window; with no window, of the cited event."""
LAST_SEEN = "last_seen"
"""Moment of the last event of the cited one's pattern in the fact's window; with no window, in all of the logs."""
DEPLOYED_AT = "deployed_at"
"""Moment a deploy or a flag change took effect."""
COMMITTED_AT = "committed_at"
"""Moment a commit landed."""
LEVEL_BEFORE = "level_before"
"""Median of the cited series' points before the fact's window, in the series' own unit (a counter's: per second)."""
LEVEL_AFTER = "level_after"
"""Median of the cited series' points within the fact's window."""
LEVEL_RATIO = "level_ratio"
"""level_after / level_before of one series, dimensionless."""
SPANS = "spans"
"""How many spans whose end is known start in the fact's window, in the cited trace's source; the unit says whose."""
FAILED_SPANS = "failed_spans"
"""How many of them failed."""
PASSED = "passed"
"""How many events are like the one before the cited one in its request, in the fact's window."""
FOLLOWED = "followed"
"""How many of them have next in their request an event like the cited one."""
PASSAGE = "passage"
"""Median time from an event like the one before the cited one in its request to the next, where that is like it."""
LEAD_TIME = "lead_time"
"""Seconds from the change to the onset; negative: the change came after."""
SCORE = "score"
"""A suspicion score between 0 and 1, by the method that the finding names."""
RANK = "rank"
"""Place in a ranking, 1 is first."""
TESTS_FIXED = "tests_fixed"
"""How many tests fail on the base with the fix's tests and pass on the fix; cites the commit that is undone."""
TESTS_BROKEN = "tests_broken"
"""How many tests pass on the base and fail on the fix; cites the commit that is undone."""


def counted(count: int, what: str) -> str:
    """Return a number of things: `1 event`, `12 events`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def verb(count: int, plural: str) -> str:
    """Return a verb as so many things do it: `passes` for one, `pass` for several; not `have`."""
    if count != 1:
        return plural
    return f"{plural}es" if plural.endswith(("s", "o", "ch", "sh", "x")) else f"{plural}s"


def figure(value: float, digits: int = 3) -> str:
    """Return a number with so many significant digits, for people: large ones in full, never as a power of ten."""
    shown = f"{value:.{digits}g}"
    return f"{value:.0f}" if "e+" in shown and abs(value) < 1e15 else shown


MOMENTS = frozenset({ONSET, ENDED, REACHED, FIRST_SEEN, LAST_SEEN, DEPLOYED_AT, COMMITTED_AT})
"""Quantities whose value is a moment."""

TESTED = frozenset({TESTS_FIXED, TESTS_BROKEN})
"""Quantities of a draft's check."""

LEVELS = frozenset({LEVEL_BEFORE, LEVEL_AFTER, LEVEL_RATIO})
"""Quantities that compare a series within the fact's window with what it was before."""

TRACED = frozenset({SPANS, FAILED_SPANS})
"""Quantities that count spans: `spans of SERVICE`, or `calls from CALLER to SERVICE`."""

COURSES = frozenset({PASSED, FOLLOWED, PASSAGE})
"""Quantities of what follows what within requests; they cite an event that bears a request id."""

_OTHERS = frozenset({BASELINE, PEAK, FACTOR, LATEST, COUNT, BASELINE_COUNT, LEAD_TIME, SCORE, RANK})
KNOWN = MOMENTS | TESTED | LEVELS | TRACED | COURSES | _OTHERS
"""Every quantity that code can recompute; other names are the claimant's own and are shown as unchecked."""
