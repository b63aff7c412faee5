"""A verdict where the model gave none: `inconclusive`, from the board, by code, and said to be so."""

from __future__ import annotations

from dataclasses import replace

from orchestrator.engines.base import Desk
from orchestrator.engines.first_look import FirstLook, first_look
from orchestrator.engines.offline.causes import decide
from orchestrator.engines.offline.gather import gather
from orchestrator.engines.offline.judge import compose
from orchestrator.journal.events import MAIN_THREAD, VerdictReached
from orchestrator.journal.verdict import Gap, Verdict

MOST_SURE = 0.3
"""Confidence of a verdict that nobody concluded."""


async def record_unconcluded(desk: Desk, why: str, key: str) -> None:
    """Put the board's own verdict on record, durably; `why` says how it came that there is no other."""
    verdict = from_board(desk, await first_look(desk), why)
    await desk.record(VerdictReached(verdict=verdict), thread=MAIN_THREAD, source_id=f"verdict-{key}")


def from_board(desk: Desk, look: FirstLook, why: str) -> Verdict:
    """Return what may be said of the findings so far without naming a cause."""
    case = gather(desk.brief, desk.findings(), look.summaries, look.failed)
    found = decide(case)
    lead = ""
    if found.kind in ("culprit", "no_code_cause") and found.hypothesis is not None:
        suspect = found.hypothesis.suspect
        lead = f"strongest on the board, not concluded: {suspect.label or suspect.key} ({found.hypothesis.score:.2f})"
    none = f"the model gave no conclusion ({why})"
    open_ = replace(
        found,
        kind="inconclusive",
        confidence=min(MOST_SURE, found.confidence),
        reasons=tuple(text for text in (none, lead) if text),
        against=found.against,
    )
    verdict = compose(case, open_, ())
    gap = Gap(text="no model weighed the findings to the end", why=why)
    return verdict.model_copy(update={"gaps": (gap, *verdict.gaps)})
