"""What hands put on record of a fix: the draft that a tool made, the check that a tool ran, from the stored result."""

from __future__ import annotations

import json
from typing import Any

from orchestrator.hands.approvals import canonical
from orchestrator.hands.results import Sealed
from orchestrator.hands.steps import entry
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import FixChecked, FixDrafted
from subagents.codefix.fixes import CheckMade, DraftMade

CODEFIX = "codefix"
DRAFTS, CHECK = "code_draft_", "code_check"
DETAIL_LIMIT = 512 * 1024
"""Most bytes of a draft or a check in its event; a longer diff is made again from the store, longer output is cut."""


def fix_entries(thread: str, tool: str, sealed: Sealed) -> tuple[Entry, ...]:
    """Return what is recorded together with the result of a code-fix tool; nothing for other tools."""
    if sealed.finished.outcome != "ok" or not (tool.startswith(DRAFTS) or tool == CHECK):
        return ()
    data = sealed.finished.data
    if data is None and sealed.blob is not None:
        data = json.loads(sealed.blob)["data"]
    try:
        if tool == CHECK:
            return (_checked(CheckMade.model_validate(data), thread, sealed.finished.tool_use_id),)
        made = DraftMade.model_validate(data)
    except ValueError:
        return ()
    return (_drafted(made, thread),) if made.draft is not None else ()


def _drafted(made: DraftMade, thread: str) -> Entry:
    draft = made.draft
    if draft is None:
        raise ValueError("there is no draft")
    detail = draft.model_dump(mode="json")
    if len(canonical(detail)) > DETAIL_LIMIT:
        detail["diff"] = ""
    return entry(FixDrafted(id=draft.id, detail=detail), thread, f"drafted:{draft.id}:{draft.commit}")


def _checked(made: CheckMade, thread: str, call_id: str) -> Entry:
    detail: dict[str, Any] = made.check.model_dump(mode="json")
    if len(canonical(detail)) > DETAIL_LIMIT:
        for run in detail["runs"]:
            run["output"], run["cases"] = run["output"][-4096:], run["cases"][:200]
    return entry(FixChecked(id=made.check.draft, detail=detail), thread, f"checked:{call_id}")
