"""What the status and the verdict of a session are called, in the app and on the command line alike. Pure."""

from __future__ import annotations

from typing import Literal

CUT_OFF = "cut off"
"""A session that was at work when its process ended, and on which none works now."""
_STATUSES = {"running": "running", "rescheduling": "tries again", "terminated": "over"}
_ENDINGS = {
    "": "not started",
    "end_turn": "done",
    "interrupted": "stopped",
    "requires_action": "waits for you",
    "budget_reached": "budget reached",
    "retries_exhausted": "failed",
    "error": "failed",
    "refusal": "refused",
}
_VERDICTS = {
    "culprit": "cause found",
    "no_code_cause": "not a code change",
    "no_incident": "no incident",
    "inconclusive": "inconclusive",
}
STATUS_WORDS = {**{words: status for status, words in _STATUSES.items()}, **dict.fromkeys(_ENDINGS.values(), "idle")}
"""Each word for a status, and the status that the journal has for it."""

StandingTone = Literal["good", "warn", "bad", "dim", "plain"]
TONES: dict[str, StandingTone] = {
    "done": "good",
    "failed": "bad",
    "refused": "bad",
    "not started": "dim",
    "over": "dim",
}
"""How a status is shown; others ask for attention."""


def standing(status: str, reason: str) -> str:
    """Return the words for a journal's status and its reason, which may go on behind a colon."""
    if status in _STATUSES:
        return _STATUSES[status]
    kind = reason.partition(": ")[0]
    return _ENDINGS.get(kind, kind.replace("_", " "))


def verdict_words(verdict: str | None) -> str:
    """Return the words for a kind of verdict."""
    return _VERDICTS.get(verdict, verdict) if verdict else "no verdict"
