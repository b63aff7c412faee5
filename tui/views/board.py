"""The board of hypotheses as rows: score, grounds for and against, what each rests on."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.verdict.board import Hypothesis
from subagents.contract import Finding
from tui.views.incident import name_of
from tui.views.paint import Line, Ref, Row, Tone, flat, line

_MARKS: dict[str, tuple[str, Tone]] = {
    "supported": ("●", "bad"),
    "open": ("○", "warn"),
    "ruled out": ("x", "dim"),
    "not testable": ("?", "dim"),
}
MOST = 200
"""Hypotheses shown; the others are counted."""


def board_rows(hypotheses: Iterable[Hypothesis]) -> tuple[Row, ...]:
    """Return one row per hypothesis, best first; its grounds unfold below it."""
    held = list(hypotheses)
    rows = [_row(one) for one in held[:MOST]]
    if len(held) > MOST:
        rows.append(Row("more", line((f"and {len(held) - MOST} more, all unlikely", "dim"))))
    return tuple(rows)


def _row(one: Hypothesis) -> Row:
    mark, tone = _MARKS[one.state]
    closed = one.state == "ruled out"
    score = "  out" if closed else f"{one.score:5.2f}"
    counts = f"+{len(one.supporting)} -{len(one.opposing) + len(one.excluding)}"
    wrong = f"✗{len(one.doubted)} " if one.doubted else ""
    head = line(
        (f"{mark} ", tone),
        (score, "dim" if closed else "accent"),
        (f" {counts} ", "dim"),
        (wrong, "bad"),
        ("pinned " if one.pinned else "", "warn"),
        (name_of(one), "dim" if closed else "strong" if one.state == "supported" else "plain"),
    )
    return Row(one.suspect.id, head, tuple(_grounds(one)), Ref("hypothesis", one.suspect.id))


def _grounds(one: Hypothesis) -> Iterable[Line]:
    for edit in one.edits:
        yield line((f"  {flat(edit)}", "warn"))
    signed: list[tuple[str, Tone, Finding]] = [("x", "bad", found) for found in one.excluding]
    signed += [("-", "warn", found) for found in one.opposing]
    signed += [("+", "good", found) for found in one.supporting]
    for sign, tone, found in sorted(signed, key=lambda item: -item[2].weight):
        yield line((f"  {sign}{found.weight:.2f} ", tone), (f"{found.agent}: ", "dim"), flat(found.claim))
    for held in one.doubted:
        reasons = "; ".join(flat(doubt.reason) for doubt in held.doubts)
        yield line(("  ✗ does not hold: ", "bad"), (f"{reasons}  ", "warn"),
                   (f"{held.finding.agent}: {flat(held.finding.claim)}", "dim"))  # fmt: skip
    if not signed and not one.doubted:
        yield line(("  nothing was found for or against it", "dim"))
