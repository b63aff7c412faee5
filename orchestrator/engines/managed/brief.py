"""What the coordinator reads first: the incident, how much of each source is understood, what the first look saw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from orchestrator.engines.base import Desk
from orchestrator.engines.fencing import fence, fence_brief, fence_finding, inline
from orchestrator.engines.first_look import FirstLook
from orchestrator.engines.reporting import CONCLUDE
from orchestrator.verdict.board_edits import Edit, told
from subagents.contract import Coverage, Finding

FINDINGS_MOST: Final = 24
FINDINGS_BYTES: Final = 48 * 1024
"""Most findings, and most bytes of them, that a brief tells; the rest is counted."""
PROBLEMS_MOST: Final = 20
EDITS_MOST: Final = 40


def brief_text(desk: Desk, look: FirstLook) -> str:
    """Return the first message of a session."""
    brief = desk.brief
    parts = [
        f"Investigate this incident with your specialists, and end with `{CONCLUDE}`.",
        fence_brief(brief),
        coverage_text(brief.coverage),
        *_findings(look.findings),
        *_edits(desk.edits()),
        *(
            fence(why, source=agent, kind="why its first look gave nothing", limit=4096)
            for agent, why in look.failed.items()
        ),
    ]
    if meter := desk.budget.meter():
        parts.append(f"Budget: {inline(meter, 400)}. A part of it is kept for the conclusion.")
    return "\n\n".join(part for part in parts if part)


def coverage_text(coverage: Sequence[Coverage]) -> str:
    """Return what there is of each source, fenced; empty where nothing is known."""
    lines = [line for one in coverage for line in _covered(one)]
    if not lines:
        return ""
    return fence("\n".join(lines), source="intake", kind="what the sources hold", limit=16 * 1024)


def _covered(one: Coverage) -> Iterator[str]:
    span = f", {one.span.start.isoformat()} .. {one.span.end.isoformat()}" if one.span else ""
    dropped = f", {one.dropped} dropped" if one.dropped else ""
    yield f"- {one.source} ({one.kind}): {one.understood} of {one.items} understood{dropped}{span}"
    for problem in one.problems[:PROBLEMS_MOST]:
        yield f"  problem: {problem.line()}"
    if len(one.problems) > PROBLEMS_MOST:
        yield f"  and {len(one.problems) - PROBLEMS_MOST} more problems"


def _edits(edits: Sequence[Edit]) -> Iterator[str]:
    """Yield what the person did to the board before: their word and wish."""
    if edits:
        yield "\n".join(inline(told(edit.body), 2048) for edit in edits[-EDITS_MOST:])


def _findings(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield the findings, the weightiest first, as many as fit."""
    if not findings:
        yield "The first look, computed without a model, found nothing that departs from the usual."
        return
    yield "The first look, computed without a model, put these findings on the board:"
    room, told = FINDINGS_BYTES, 0
    for finding in sorted(findings, key=lambda one: -one.weight)[:FINDINGS_MOST]:
        text = fence_finding(finding)
        room -= len(text.encode())
        if room < 0:
            break
        told += 1
        yield text
    if told < len(findings):
        yield f"And {len(findings) - told} findings of less weight."
