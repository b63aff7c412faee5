"""In what order series left their baselines, and which of them at once: no finer than their points tell."""

from __future__ import annotations

from subagents.metrics.model import SeriesView
from subagents.metrics.render import onset_of

STEP_WORDS = {
    1.0: "a second",
    5.0: "five seconds",
    10.0: "ten seconds",
    15.0: "fifteen seconds",
    30.0: "thirty seconds",
    60.0: "a minute",
    120.0: "two minutes",
    300.0: "five minutes",
    600.0: "ten minutes",
    3600.0: "an hour",
}


def in_order(line: list[SeriesView]) -> str:
    """Return one clause per moment, in order of onset."""
    return "; then ".join(_at_once(group) for group in together(line))


def together(line: list[SeriesView]) -> list[list[SeriesView]]:
    """Return series in order of onset as groups whose onsets lie within one step of the group's first."""
    groups: list[list[SeriesView]] = []
    for view in line:
        first = groups[-1][0] if groups else None
        apart = (view.onset - first.onset).total_seconds() if first and first.onset and view.onset else None
        if first is not None and apart is not None and apart <= max(first.step, view.step):
            groups[-1].append(view)
        else:
            groups.append([view])
    return groups


def _at_once(group: list[SeriesView]) -> str:
    if len(group) == 1:
        return f"{group[0].title} at {onset_of(group[0])}"
    step = max(view.step for view in group)
    onsets = {view.onset for view in group}
    *others, last = (view.title if len(onsets) == 1 else f"{view.title} ({onset_of(view)})" for view in group)
    when = f" at {onset_of(group[0])}" if len(onsets) == 1 else ""
    apart = STEP_WORDS.get(step, f"{step:g} s")
    return f"{', '.join(others)} and {last} together{when}, as far as points {apart} apart can tell"
