"""Whether a known kind of failure in logs and a series in metrics show the same: two independent kinds of evidence.

The wording of a line says what a program believes; a series that moved no later than the symptom says that it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from orchestrator.engines.offline.case import Case, Moved
from orchestrator.verdict.board import Hypothesis

SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    "disk full": ("disk", "storage", "volume", "inode", "filesystem"),
    "out of memory": ("mem", "heap", "rss", "oom"),
    "pool exhausted": ("pool", "conn"),
    "file handles": ("handle", "fds", "open_files"),
    "overload": ("queue", "backlog", "request", "rps", "qps"),
    "datastore leadership": ("lag", "leader", "replica"),
    "host fault": ("cpu", "iowait", "disk", "steal", "load"),
    "locks": ("lock", "wait"),
    "rate limited": ("throttl", "429", "request", "rps"),
    "not schedulable": ("pending", "ready", "replica"),
}
"""Known kinds of failure to parts of the names of series in which they would show."""
SERIES_WEIGHT = 0.35
"""What a series that moved with it adds, as what metrics themselves give a resource that moved before the symptom."""
SLACK = timedelta(minutes=2)


def shown_by(case: Case, circumstance: Hypothesis) -> Moved | None:
    """Return the first series that moved, no later than the symptom, as the circumstance would have it."""
    told = circumstance.suspect.label or circumstance.suspect.key
    kind = next((name for name in SHOWN_BY if told == name or told.startswith((f"{name}: ", f"{name} in "))), None)
    if kind is None or any(ref.startswith("metric:") for f in circumstance.supporting for ref in f.citations):
        return None
    late = case.onset + SLACK if case.onset is not None else None
    for series in case.stirred:
        in_time = late is None or (series.at is not None and series.at <= late)
        if in_time and any(part in series.name.casefold() for part in SHOWN_BY[kind]):
            return series
    return None


def strength(case: Case, circumstance: Hypothesis) -> float:
    """Return how well a circumstance holds, with the series that shows it counted as an independent ground."""
    if shown_by(case, circumstance) is None:
        return circumstance.score
    return round(1.0 - (1.0 - circumstance.score) * (1.0 - SERIES_WEIGHT), 4)
