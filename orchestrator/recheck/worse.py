"""What else got worse meanwhile: series that users feel, beyond what each of them does anyway.

A series that leaves its level now and then leaves it after a verdict, too. Named is only what, from its onset on, stays
away by more than its own spread before, outliers and all: a burst as high and as short as others before it is not.
"""

from __future__ import annotations

from datetime import datetime

from orchestrator.recheck.looking import JUST, Looker, Untold, figured, told_at
from subagents.citations import MetricRef
from subagents.metrics.model import Compared, CompareReport, OnsetsReport, SeriesView
from subagents.metrics.params import CompareParams, OnsetsParams

MOST_NAMED, MOST_TRIED = 3, 8
MOST_MOVED = 200


async def worse_meanwhile(look: Looker, ref: MetricRef, known_until: datetime) -> tuple[str, ...]:
    """Say what else left its baseline, and its usual spread, in a way that users feel since the verdict."""
    try:
        moved = await look.ask(
            "metrics", "metrics_onsets", OnsetsParams(start=ref.start, limit=MOST_MOVED), OnsetsReport
        )
    except Untold:
        return ()
    candidates = [
        view
        for view in moved.moved
        if view.hurts and view.user_facing and not view.spread and view.state in ("ongoing", "recovering")
        and view.onset is not None and view.onset > known_until and view.service != ref.service
    ]  # fmt: skip
    candidates.sort(key=lambda view: -view.size)
    named: list[str] = []
    for view in candidates[:MOST_TRIED]:
        row = await _since(look, ref, view)
        if row is not None and row.hurts:
            named.append(_told(view, row, known_until))
        if len(named) == MOST_NAMED:
            break
    return tuple(named)


async def _since(look: Looker, ref: MetricRef, view: SeriesView) -> Compared | None:
    """Return a series before its onset and since, in units of its usual spread; None where that cannot be told."""
    onset = view.onset or look.now
    asked = CompareParams(
        first_start=ref.start,
        first_end=onset - JUST,
        second_start=onset,
        second_end=max(look.now, onset + JUST),
        service=view.service,
        roles=(view.role,),
        limit=500,
    )
    try:
        report = await look.ask("metrics", "metrics_compare", asked, CompareReport)
    except Untold:
        return None
    series = view.citation.partition("@")[0]
    return next((row for row in report.rows if row.citation.partition("@")[0] == series), None)


def _told(view: SeriesView, row: Compared, known_until: datetime) -> str:
    return (
        f"{view.title} left its baseline at {told_at(view.onset or known_until, known_until)}: "
        f"{figured(row.before)} to {figured(row.after, view.unit)}"
    )
