"""Known kinds of failure recognised by their wording.

The table is matched on one raw example per template, so it costs a few milliseconds however long the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from subagents.logs.signature_table import TABLE as TABLE
from subagents.logs.signature_table import Known as Known

KILLED = "OOM kill"
"""The known kind of failure of which the text names whom it befell."""
_QUIET = (
    r"(?i)still waiting for|terminated by signal|main process exited, code=|invoked oom-killer|oom-kill:|killed process"
    r"|nodehasdiskpressure|closed to open|poll timeout has expired|lost leader|leader changed|shrinking isr"
    r"|other active server processes|pause full|full gc|to-space|mode failure"
)
"""What programs log as information, or with no severity, though it tells of a failure. Rust regex, for templates."""


def told_quietly(texts: Sequence[str]) -> list[bool]:
    """Say of each template whether it may show a failure whatever its severity; the table has the last word."""
    import polars as pl

    found: list[bool] = pl.Series(texts, dtype=pl.String).str.contains(_QUIET).to_list()
    return found


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
