"""Which form of metrics a text has, by its beginning; quick to import, for it is asked of every file that comes in."""

from __future__ import annotations

from subagents.metrics.sources.columns import statistics_of
from subagents.metrics.sources.samples import form_of


def text_form(beginning: str) -> str:
    """Return what form of metrics a text has that is no table of cells; empty where it has none of them."""
    whole = beginning.rpartition("\n")[0] or beginning
    return statistics_of(whole) or form_of(whole)
