"""What can go wrong with the state directory and a journal; every message is one line for people."""

from __future__ import annotations

from pathlib import Path


class StateError(Exception):
    """The state directory cannot be used: says which path, why, and what to do."""


class JournalError(Exception):
    """Base of what can go wrong with one session's journal."""


class JournalBusy(JournalError):
    """Another process is writing this session."""


class JournalTooNew(JournalError):
    """A newer warroom wrote this session: it can be read and exported here, not continued."""


class JournalDamaged(JournalError):
    """History is changed, missing or shortened: it can be read as a prefix and exported, not continued."""


class JournalReadOnly(JournalError):
    """Writing failed in a way after which nothing more may be acknowledged; reading goes on."""


class JournalClosed(JournalError):
    """The journal was closed before this append."""


class DiskFull(JournalError):
    """There is no room: nothing of this append was kept, all earlier events are safe, try again later."""


class BodyRefused(JournalError):
    """A body cannot be stored as it is: too large, too deep, not a number, or not text."""


class BlobMissing(JournalError):
    """A blob is not there, or its content is not what its name says."""


def no_such_session(directory: Path) -> StateError:
    """Return the error for a session that is not there."""
    return StateError(f"{directory}: no session is kept here; `warroom sessions list` shows those that are")
