"""Where screens meet: what they ask each other for, and which of them are there."""

from __future__ import annotations

import importlib
import importlib.util
from typing import Any

from textual.message import Message

from tui.views.log_query import LogQuery
from tui.views.paint import Ref

SCREENS = {
    "evidence": "tui.screens.evidence:EvidenceScreen",
    "review": "tui.screens.review:ReviewScreen",
    "report": "tui.screens.report:ReportScreen",
    "why": "tui.screens.why:WhyScreen",
    "logs": "tui.screens.logs:LogsScreen",
}
"""Screens of their own, by name. Each is made with keywords: `view` (SessionView), and `ref` (a Ref: evidence),
`approval` (id, or None for the first that waits: review), `suspect` (id: why) or `query`
(what is asked: logs). What is not there is not offered."""


class EvidenceRequested(Message):
    """Somebody wants to see what a row rests on."""

    def __init__(self, ref: Ref) -> None:
        self.ref = ref
        super().__init__()


class ReviewRequested(Message):
    """Somebody wants to decide; None is the approval that has waited longest."""

    def __init__(self, approval: str | None = None) -> None:
        self.approval = approval
        super().__init__()


class WhyRequested(Message):
    """Somebody wants to know why a hypothesis stands where it stands."""

    def __init__(self, suspect: str) -> None:
        self.suspect = suspect
        super().__init__()


class LogsRequested(Message):
    """Somebody wants to search the logs."""

    def __init__(self, query: LogQuery) -> None:
        self.query = query
        super().__init__()


class TakeOverRequested(Message):
    """Somebody wants to go on here with a session that only was watched."""

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        super().__init__()


class ReportRequested(Message):
    """Somebody wants to read the report."""


def offered(name: str) -> bool:
    """Say whether a screen is there, without importing it."""
    return importlib.util.find_spec(SCREENS[name].partition(":")[0]) is not None


def screen_class(name: str) -> Any:
    """Import and return a screen's class."""
    module, _, attribute = SCREENS[name].partition(":")
    return getattr(importlib.import_module(module), attribute)
