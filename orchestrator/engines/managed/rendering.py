"""A call's result as a model reads it: cleaned, fenced, bounded, with what it can cite."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.engines.fencing import fence_result
from orchestrator.hands.budget import SPENT
from orchestrator.journal.text import clean
from subagents.contract import ToolResult

RESULT_LIMIT: Final = 64 * 1024
"""Most bytes of a result's text in a message; its citations may have a quarter more."""
WORDS_LIMIT: Final = 16 * 1024


def rendered(tool: str, result: ToolResult[Any]) -> str:
    """Return what is posted. Words of warroom's own (a budget that is spent, a denial) stand outside of any fence."""
    if result.outcome == "denied" and not result.citations:
        said = str(clean(result.text, limit=WORDS_LIMIT)).strip() or "denied"
        return said if said.startswith(SPENT) else f"Not done. {said}"
    return fence_result(tool, result, limit=RESULT_LIMIT)


def words(text: str) -> str:
    """Return words of warroom's own, cleaned and bounded; never empty."""
    return str(clean(text, limit=WORDS_LIMIT)).strip() or "(no output)"
