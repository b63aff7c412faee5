"""Which form of metrics a text has, by its beginning; quick to import, for it is asked of every file that comes in."""

from __future__ import annotations

import re

from subagents.metrics.sources.columns import statistics_of
from subagents.metrics.sources.recorders import recorder_of
from subagents.metrics.sources.samples import form_of
from subagents.metrics.sources.snapshots import CAPTURE, is_capture, is_table

_UNREAD = (
    (re.compile(r"top - \d\d:\d\d:\d\d "), "top says no date", "record with `vmstat -t 60`, `pidstat 60` or `sar 60`"),
    (re.compile(r"(<\?xml[^>]*>\s*)?(<!DOCTYPE[^>]*>\s*)?<(xport|sysstat)\b"), "metrics in XML are not read",
     "export JSON or CSV: `rrdtool xport --json`, `sadf -j`"),
    (re.compile(r"(---\s+)?(Datapoints|MetricDataResults|Label):"), "metrics in YAML are not read",
     "export JSON: `--output json`"),
)  # fmt: skip
_TIMELESS = (
    "numbers of one moment, and no time",
    "capture when, too: `while date; do kubectl top pods; sleep 30; done`",
)


def text_form(beginning: str) -> str:
    """Return what form of metrics a text has that is no table of cells; empty where it has none of them."""
    whole = beginning.rpartition("\n")[0] or beginning
    return statistics_of(whole) or recorder_of(whole) or form_of(whole) or (CAPTURE if is_capture(whole) else "")


def unread_form(beginning: str) -> tuple[str, str] | None:
    """Return why metrics of a known form are not read, and what to do; None where they are, or are none."""
    begun = beginning.lstrip("\ufeff \r\n")
    told = next(((why, todo) for form, why, todo in _UNREAD if form.match(begun)), None)
    return told or (_TIMELESS if is_table(begun) else None)
