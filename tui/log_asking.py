"""Asking the logs as a person: the specialist's own tools through the session, bounded, one line where it fails."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from orchestrator.hands.threads import in_thread
from subagents.contract import ToolContext, ToolError
from tui.evidence_opening import looked_up, roster_of
from tui.session_view import ActFault
from tui.views.log_query import LogQuery, read

if TYPE_CHECKING:
    from orchestrator.hands.watching import CallPreview
    from subagents.logs.model import LogsContext, LogsSearch
    from tui.session_view import SessionView

PAGE = 200
"""Events that are loaded at a time."""
LEAST_AROUND, MOST_AROUND = 4, 256
"""Lines shown around an event, on each side."""
ASIDE = timedelta(seconds=30)
"""How far on each side everything around an event is asked for."""
_LIKE_CHARS = 240
_LIKE_WORDS = 24


def read_query(view: SessionView, typed: str) -> LogQuery:
    """Read what was typed; times of day are of the incident. Raises QueryFault."""
    return read(typed, incident_time(view))


def incident_time(view: SessionView) -> datetime:
    """Return a time of the incident: when it began or its alert fired, as far as that is known."""
    opened = view.incident.opened
    incident = opened.incident if opened is not None else None
    if incident is None:
        return view.clock.now()
    verdict = view.incident.verdict
    onset = verdict.symptom.onset if verdict is not None and verdict.symptom is not None else None
    fired = incident.alert.fired_at if incident.alert is not None else None
    window = incident.window.start if incident.window is not None else None
    return onset or incident.started_at or fired or window or view.clock.now()


class LogAsking:
    """Asks the logs of one session; every fault is an ActFault of one line."""

    def __init__(self, view: SessionView) -> None:
        self._view = view

    @property
    def preview(self) -> CallPreview | None:
        """How far the search is that runs now."""
        return self._view.asked_preview

    async def search(self, query: LogQuery, cursor: str | None) -> LogsSearch:
        """Return how many events match and one page of them; cancelling this cancels the search."""
        from subagents.logs.model import LogsSearch

        given = {**query.arguments(), "limit": PAGE, **({"cursor": cursor} if cursor else {})}
        if self._view.acts is None:
            raise ActFault("it is still being opened")
        self._view.asked_preview = None
        try:
            result = await self._view.acts.ask("logs", "logs_search", given)
        finally:
            self._view.asked_preview = None
        if result.outcome != "ok" or not isinstance(result.data, LogsSearch):
            raise ActFault(result.text or f"the search gave nothing ({result.outcome})")
        return result.data

    async def around(self, citation: str, lines: int) -> LogsContext:
        """Return an event with so many lines on each side, as the file has them now."""
        roster = roster_of(self._view.acts)
        if roster is None:
            raise ActFault("the lines around it cannot be read here; enter opens what is known of it")
        given = {"citation": citation, "before": lines, "after": lines}
        context = ToolContext(key=f"around {citation}", clock=self._view.clock)
        try:
            found: LogsContext = await in_thread(
                lambda: looked_up(roster, "logs", "logs_context", given, context), "log context"
            )
        except (ToolError, OSError, ValueError) as error:
            raise ActFault(str(error)) from error
        return found

    @staticmethod
    def span_around(at: datetime) -> str:
        """Return a query for everything that was logged around a moment."""
        return f"{at - ASIDE:%Y-%m-%dT%H:%M:%S}..{at + ASIDE:%Y-%m-%dT%H:%M:%S}"


def like(raw: str, service: str | None = None) -> str:
    """Return a query for events of the wording of one as it stands in its file: words with a digit may be any."""
    from subagents.logs.needles import MAX_PATTERN

    words = _said(raw)[:_LIKE_CHARS].split()[:_LIKE_WORDS]
    parts = [_anything(word) if _varies(word) else _escaped(word) for word in words]
    while len(parts) > 1 and (parts[-1] == _ANY or len(_BLANK.join(parts)) > MAX_PATTERN):
        parts.pop()
    named = f' service:"{service}"' if service and '"' not in service else ""
    return f"/{_BLANK.join(parts)}/{named}"


def _said(raw: str) -> str:
    """Return the message of a record, or the line behind its time stamp."""
    from subagents.logs.sources.timestamps import find_stamp

    line = raw.split("\n", 1)[0]
    message = _message(line)
    if message is not None:
        return message
    stamp = find_stamp(line)
    return line[stamp.end :].lstrip("]), ") if stamp is not None and line[stamp.end :].strip() else line


def _message(line: str) -> str | None:
    """Return the first line of the message of a record, or of the record that its message is; None without one."""
    import json

    from subagents.logs.sources.json_fields import ROLES, pick

    start = line.find("{")
    if not 0 <= start < _LIKE_CHARS:
        return None
    try:
        record = json.loads(line[start:])
    except (ValueError, RecursionError):
        return None
    said = pick(record, ROLES["message"]) if isinstance(record, dict) else None
    if not isinstance(said, str) or not said.strip():
        return None
    return _message(said) or said.strip().split("\n", 1)[0]


_ANY = r"\S+"
_BLANK = r"\s+"


def _varies(word: str) -> bool:
    return any(char.isdigit() for char in word) or "<redacted:" in word


def _anything(word: str) -> str:
    head = re.match(r"[^\s\d=]*=", word)
    return _escaped(head[0]) + _ANY if head is not None else _ANY


def _escaped(word: str) -> str:
    """Return a word for RE2; what cannot be typed is anything."""
    return "".join(re.escape(char) if char.isprintable() else "." for char in word)
