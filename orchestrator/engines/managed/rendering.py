"""A call's result as a model reads it: cleaned, fenced, bounded, with what it can cite."""

from __future__ import annotations

import re
from typing import Any, Final

from orchestrator.engines.fencing import fence, fence_result
from orchestrator.hands.budget import SPENT
from orchestrator.journal.text import clean
from subagents.contract import ToolResult

RESULT_LIMIT: Final = 64 * 1024
"""Most bytes of a result's text in a message; its citations may have a quarter more."""
WORDS_LIMIT: Final = 16 * 1024
_OWN_DENIAL: Final = re.compile(r"denied \([a-z-]+\): ")
"""A denial by policy itself: by a rule of a file it names the file."""


def rendered(tool: str, result: ToolResult[Any]) -> str:
    """Return what is posted. Words of warroom's own and the person's (no budget, no yes) stand outside of any fence.

    The reason of a rule does not: a project's file may have given it, and whoever wrote that is not the person.
    """
    if result.outcome == "denied" and not result.citations:
        said = str(clean(result.text, limit=WORDS_LIMIT)).strip() or "denied"
        if said.startswith(SPENT):
            return said
        if said.startswith(f"{tool}: not approved: ") or _OWN_DENIAL.match(said.removeprefix(f"{tool}: ")):
            return f"Not done. {said}"
        return f"Not done.\n{fence(said, source=tool, kind='reason', limit=WORDS_LIMIT)}"
    return fence_result(tool, result, limit=RESULT_LIMIT)


def words(text: str) -> str:
    """Return words of warroom's own, cleaned and bounded; never empty."""
    return str(clean(text, limit=WORDS_LIMIT)).strip() or "(no output)"
