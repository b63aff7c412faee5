"""Figures as text for people."""

from __future__ import annotations

from collections.abc import Sequence

from orchestrator.evaluate.comparison import FamilyComparison
from orchestrator.evaluate.summary import WARROOM, Bin, FamilySummary, Figure
from orchestrator.journal.text import clean
from subagents.quantities import counted

LEGEND = (
    "In brackets: 95 % intervals (Wilson's; rather too wide where a case scores between 0 and 1).\n"
    "(-): lower is better. n: cases that it applies to; a failed case counts as wrong.\n"
)
COMPARISON_LEGEND = (
    "Wins are cases on which the second run scores better. p: two-sided exact sign test over wins and losses,\n"
    "which on measures of right or wrong is McNemar's exact test; not corrected for the number of measures.\n"
)
_LABEL, _CELL = 30, 21


def render(summaries: Sequence[FamilySummary], skipped: Sequence[tuple[str, str]], remarks: Sequence[str]) -> str:
    """Return the tables of a run."""
    parts = [_family(summary) for summary in summaries]
    if any(summary.scored for summary in summaries):
        parts.append(LEGEND)
    parts.append("".join(f"skipped  {_plain(name)}: {_plain(reason)}\n" for name, reason in skipped))
    parts.append(_notes(remarks))
    return "\n".join(part for part in parts if part)


def _notes(remarks: Sequence[str]) -> str:
    return "".join(f"note  {_plain(remark)}\n" for remark in remarks)


def _family(summary: FamilySummary) -> str:
    kinds = ", ".join(f"{count} {kind}" for kind, count in summary.kinds.items())
    head = f"{_plain(summary.family)}: {counted(summary.cases, 'case')}, {summary.seconds:.1f} s each ({kinds})"
    if not summary.scored:
        return f"{head}\n  not scored: {'labels say nothing that is measured' if summary.labelled else 'no labels'}\n"
    if summary.scored < summary.cases:
        head += f"; {summary.scored} scored"
    return "\n".join([head, *_figures(summary), *_calibration(summary)]) + "\n"


def _figures(summary: FamilySummary) -> list[str]:
    """One block of rows for the measures that the same contenders answer, so that no column stands empty."""
    blocks: dict[tuple[str, ...], list[Figure]] = {}
    for figure in summary.contenders.get(WARROOM, ()):
        names = tuple(name for name in summary.contenders if _find(summary.contenders[name], figure.measure))
        blocks.setdefault(names, []).append(figure)
    alone = blocks.pop((WARROOM,), [])
    if not blocks:
        return _block(summary, (WARROOM,), alone)
    first = next(iter(blocks))
    blocks[first] = [*blocks[first], *alone]
    return [row for names, figures in blocks.items() for row in _block(summary, names, figures)]


def _block(summary: FamilySummary, names: Sequence[str], figures: Sequence[Figure]) -> list[str]:
    plain = [_plain(name) for name in names]
    widths = [max(_CELL, len(name)) + 2 for name in plain]
    rows = [f"  {'measure':<{_LABEL}}" + "".join(f"{name:<{width}}" for name, width in zip(plain, widths, strict=True))]
    for figure in figures:
        cells = [_cell(_find(summary.contenders[name], figure.measure), figure.cases) for name in names]
        sign = " (-)" if figure.lower_is_better else ""
        label = f"{figure.measure}{sign}, n={figure.cases}"
        rows.append(
            f"  {label:<{_LABEL}}" + "".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        )
    return [row.rstrip() for row in rows]


def _find(figures: Sequence[Figure], measure: str) -> Figure | None:
    return next((figure for figure in figures if figure.measure == measure), None)


def _cell(figure: Figure | None, expected: int) -> str:
    if figure is None:
        return "-"
    count = round(figure.mean * figure.cases, 6)
    total = f"/{figure.cases}" if figure.cases != expected else ""
    hits = f"{count:.0f}{total}" if count == int(count) else f"{count:.1f}{total}"
    return f"{hits:>4} {figure.mean:.2f} [{figure.low:.2f} {figure.high:.2f}]"


def _calibration(summary: FamilySummary) -> list[str]:
    if not summary.calibration:
        return []
    lines = [f"  confidence against {summary.calibrated_by!r}, of the answers that commit themselves on it:"]
    return lines + [f"    {_bin(one)}" for one in summary.calibration]


def _bin(one: Bin) -> str:
    right = f"{one.right * one.cases:.0f} of {one.cases} right"
    return (
        f"{one.low:.1f}-{one.high:.1f}  mean {one.confidence:.2f}  {right:<16} "
        f"{one.right:.2f} [{one.right_low:.2f} {one.right_high:.2f}]"
    )


def render_comparison(comparisons: Sequence[FamilyComparison], remarks: Sequence[str]) -> str:
    """Return the table of two runs, paired."""
    parts = []
    for one in comparisons:
        rows = [f"{_plain(one.family)}: {counted(one.cases, 'case')} in both"]
        rows.append(f"  {'measure':<{_LABEL}}{'first':>7}{'second':>8}{'wins':>6}{'losses':>8}{'ties':>6}{'p':>9}")
        for pair in one.measures:
            sign = " (-)" if pair.lower_is_better else ""
            rows.append(
                f"  {pair.measure + sign:<{_LABEL}}{pair.first:>7.2f}{pair.second:>8.2f}"
                f"{pair.wins:>6}{pair.losses:>8}{pair.ties:>6}{pair.p:>9.3g}"
            )
        parts.append("\n".join(rows) + "\n")
    return "\n".join([*parts, COMPARISON_LEGEND, _notes(remarks)])


def _plain(text: str) -> str:
    return str(clean(text, newlines=False, limit=300))
