"""Known kinds of failure recognised by their wording.

The table is matched on one raw example per template, so it costs a few milliseconds however long the log.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from subagents.logs.signature_table import TABLE as TABLE
from subagents.logs.signature_table import Known as Known


@cache
def _compiled() -> tuple[Any, ...]:
    import re2

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    return tuple(re2.compile(known.pattern, options) for known in TABLE)


def recognise(text: str) -> Known | None:
    """Return the first kind of failure that the text's wording shows."""
    head = text[:4096]
    return next((known for known, pattern in zip(TABLE, _compiled(), strict=True) if pattern.search(head)), None)


def around_wording(known: Known, text: str, width: int = 220) -> str:
    """Return the part of a long text in which the failure stands in words: of a trace what was thrown, not its code."""
    wording = _compiled()[TABLE.index(known)]
    thrown = (line for line in text.splitlines() if not line[:1].isspace() and wording.search(line))
    flat, start = "", 0
    for told in (text, next(thrown, text)):
        flat = " ".join(told.split())
        match = wording.search(flat)
        if len(flat) <= width or match is None or match.end() < width:
            return flat
        start = max(0, match.start() - width // 3)
    return "…" + flat[start : start + width]
