"""The board of hypotheses as rows, and one of them as a page: why its score is what it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from orchestrator.verdict.board import Hypothesis
from orchestrator.verdict.fact_words import fact_words
from orchestrator.verdict.hypothesis import TO_TEST
from subagents.contract import Finding
from tui.views.naming import name_of
from tui.views.page import PageLine, field, prose
from tui.views.paint import Line, Ref, Row, Tone, flat, line

_MARKS: dict[str, tuple[str, Tone]] = {
    "supported": ("●", "bad"),
    "open": ("○", "warn"),
    "ruled out": ("x", "dim"),
    "not testable": ("?", "dim"),
}
MOST = 200
"""Hypotheses shown; the others are counted."""
NOT_EVIDENCE = "a person's word: it is in no score"


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
        (_person(one), "warn"),
        (name_of(one), "dim" if closed else "strong" if one.state == "supported" else "plain"),
    )
    return Row(one.suspect.id, head, tuple(_grounds(one)), Ref("hypothesis", one.suspect.id))


def _person(one: Hypothesis) -> str:
    """Say in a word what a person did to it."""
    if one.closed is not None:
        return f"out by {flat(one.closed.by)[:12]} "
    return "pinned " if one.pinned else "added " if one.added is not None else ""


def _grounds(one: Hypothesis) -> Iterable[Line]:
    for edit in one.edits:
        yield line((f"  {flat(edit)}", "warn"))
    for sign, tone, found in _signed(one):
        yield line((f"  {sign}{found.weight:.2f} ", tone), (f"{found.agent}: ", "dim"), flat(found.claim))
    for held in one.doubted:
        reasons = "; ".join(flat(doubt.reason) for doubt in held.doubts)
        yield line(("  ✗ does not hold: ", "bad"), (f"{reasons}  ", "warn"),
                   (f"{held.finding.agent}: {flat(held.finding.claim)}", "dim"))  # fmt: skip
    for gap in one.untested:
        yield line((f"  ? {flat(gap.claim)}", "warn"))
    if not (one.supporting or one.opposing or one.excluding or one.doubted or one.untested):
        yield line(("  nothing was found for or against it yet", "dim"))


def _signed(one: Hypothesis) -> list[tuple[str, Tone, Finding]]:
    signed: list[tuple[str, Tone, Finding]] = [("x", "bad", found) for found in one.excluding]
    signed += [("-", "warn", found) for found in one.opposing]
    signed += [("+", "good", found) for found in one.supporting]
    return sorted(signed, key=lambda item: -item[2].weight)


def why_lines(one: Hypothesis) -> tuple[PageLine, ...]:
    """Return why a hypothesis stands where it stands: the sum, each finding with its numbers, a person's word apart."""
    mark, tone = _MARKS[one.state]
    lines = [
        prose((f"{mark} ", tone), (name_of(one), "strong")),
        field("state", one.state, tone),
        field("score", flat(one.sum), "accent"),
        *(field("by hand", f"{flat(word)} ({NOT_EVIDENCE})", "warn") for word in one.edits),
    ]
    titles = (("against it, closing it", one.excluding), ("for it", one.supporting), ("against it", one.opposing))
    for title, found in titles:
        lines += _section(title, found)
    if one.doubted:
        lines += [prose(""), prose(("claimed, and does not hold: it counts for nothing", "strong"))]
        for held in one.doubted:
            lines.append(field("✗", f"{held.finding.agent}: {flat(held.finding.claim)}", "dim"))
            lines += [field("", flat(doubt.line()), "warn") for doubt in held.doubts]
    for gap in one.untested:
        why, _, command = gap.claim.partition(TO_TEST)
        lines += [prose(""), field("untested", flat(why), "warn"), field("to test it", flat(command))]
    if not (one.supporting or one.opposing or one.excluding or one.doubted or one.untested):
        lines += [prose(""), prose(("nothing was found for or against it yet", "dim"))]
    return tuple(lines)


def _section(title: str, found: Sequence[Finding]) -> list[PageLine]:
    if not found:
        return []
    lines = [prose(""), prose((title, "strong"))]
    for finding in sorted(found, key=lambda one: -one.weight):
        at = f" (from {finding.at:%H:%M:%S} UTC)" if finding.at is not None else ""
        lines.append(field(f"{finding.weight:.2f}", f"{finding.agent}: {flat(finding.claim)}{at}"))
        lines += [field("", words, "dim") for words in _rests_on(finding)]
    return lines


def _rests_on(finding: Finding) -> Iterator[str]:
    """Yield each thing that a finding rests on, with its numbers from there."""
    facts: dict[str, list[str]] = {ref: [] for ref in finding.citations}
    for fact in finding.facts:
        facts.setdefault(fact.citation, []).append(fact_words(fact))
    for ref, words in facts.items():
        yield f"rests on {ref}{': ' if words else ''}{'; '.join(words)}"
