"""Which lines have to be read together: those that may be part of one event, or of one stack trace."""

from __future__ import annotations

from typing import Any

from subagents.logs.sources.tracebacks import LEAD_LINES

BEFORE, BEHIND = LEAD_LINES - 2, 2
"""So far a line's neighbours reach where it has a stamp and may be part of a stack trace or of a longer event.

Between two such lines there are then as many others as a trace's first frame looks back over, and no others tell.
"""


def near(bare: Any, marked: Any) -> Any:
    """Return lines without a stamp, others that are marked, and those they may belong together with (numpy bool).

    A line without a stamp belongs to the one before it or to none; only where marked lines stand not far before that,
    a trace may have begun with them.
    """
    import numpy as np

    found = bare | marked
    found[np.maximum(np.flatnonzero(bare) - 1, 0)] = True
    rows = np.flatnonzero(marked)
    if not len(rows):
        return found
    for step in (*range(-BEFORE, 0), *range(1, BEHIND + 1)):
        found[np.clip(rows + step, 0, len(marked) - 1)] = True
    rows = np.flatnonzero(bare | marked)
    first, apart = rows[:-1], np.diff(rows)
    close = marked[first] & bare[rows[1:]] & (apart <= BEFORE + BEHIND + 1)
    for step in range(1, BEFORE + BEHIND + 1):
        found[first[close & (apart > step)] + step] = True
    return found
