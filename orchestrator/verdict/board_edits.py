"""A person's hand on the board: what an edit does to a hypothesis, which edits can be made, and how one is named."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from orchestrator.journal.events import BoardEdited
from orchestrator.journal.text import clean
from orchestrator.verdict.hypothesis import Hypothesis, Word
from subagents.contract import Suspect, SuspectKind

Act = Literal["add", "pin", "rule_out", "undo"]
"""What a person asks for; `undo` takes back the last of the others that still stands."""
FREE: SuspectKind = "none"
"""The kind of a hypothesis in free words."""
KEY_LIMIT, NOTE_LIMIT, NAME_LIMIT = 200, 500, 80
LEAST_SHA = 4
_SHA = re.compile(r"[0-9a-f]{4,64}\Z")
_KINDS = frozenset(get_args(SuspectKind)) - {FREE}


class EditFault(Exception):
    """The board cannot be edited as asked; the message says why and what to do."""


@dataclass(frozen=True)
class Edit:
    """One edit on record."""

    body: BoardEdited
    at: datetime | None = None

    @property
    def word(self) -> Word:
        """What the person said with it."""
        return Word(self.body.by, self.body.note, self.at)


def suspect_of(edit: BoardEdited) -> Suspect:
    """Return the suspect that an edit is about; one that is not on the board is read from its id."""
    kind, _, key = edit.suspect.partition(":")
    known = kind in _KINDS or kind == FREE
    return Suspect.model_validate(
        {"kind": kind if known else FREE, "key": (key if known else "") or edit.suspect, "label": edit.label}
    )


def edited(made: Mapping[str, Hypothesis], edits: Iterable[Edit]) -> dict[str, Hypothesis]:
    """Return the hypotheses with a person's edits on them, in the order in which they were made: the last word wins."""
    held = dict(made)
    for edit in edits:
        suspect = suspect_of(edit.body)
        before = held.get(suspect.id) or Hypothesis(suspect)
        after = _after(before, edit)
        if after.touched or after.supporting or after.opposing or after.excluding or after.doubted:
            held[suspect.id] = after
        else:
            held.pop(suspect.id, None)
    return held


def _after(before: Hypothesis, edit: Edit) -> Hypothesis:
    match edit.body.action:
        case "add":
            return replace(before, added=edit.word)
        case "remove":
            return replace(before, added=None, pin=None, closed=None)
        case "pin":
            return replace(before, pin=edit.word, closed=None)
        case "unpin":
            return replace(before, pin=None)
        case "rule_out":
            return replace(before, closed=edit.word, pin=None)
        case "reopen":
            return replace(before, closed=None)


def edit_for(act: Act, target: Hypothesis | Suspect, note: str = "", by: str = "person") -> BoardEdited:
    """Return the edit that carries out what a person asks; raises EditFault where it says nothing or cannot be.

    `target` is a hypothesis of the board, or a suspect that is to be added.
    """
    note = str(clean(" ".join(note.split()), newlines=False, limit=NOTE_LIMIT))
    if isinstance(target, Suspect):
        if act != "add":
            raise EditFault(f"{shown(target)} is not on the board; add it first")
        label = target.label or (target.key if target.kind == FREE else "")
        return BoardEdited(action="add", suspect=target.id, label=label, note=note, by=by)
    suspect = target.suspect
    if act == "add":
        raise EditFault(f"{shown(suspect)} is on the board already; pin it to have it looked at first")
    if act == "undo":
        return BoardEdited(action=_undoing(target), suspect=suspect.id, label=suspect.label, note=note, by=by)
    if act == "pin" and target.pinned:
        raise EditFault(f"{shown(suspect)} is pinned already")
    if act == "rule_out" and target.closed is not None:
        raise EditFault(f"{shown(suspect)} is {target.closed.words('ruled out')}; undo takes that back")
    if act == "rule_out" and not note:
        raise EditFault(f"ruling out takes a reason: nothing was done to {shown(suspect)}")
    return BoardEdited(action=act, suspect=suspect.id, label=suspect.label, note=note, by=by)


def _undoing(target: Hypothesis) -> Literal["reopen", "unpin", "remove"]:
    if target.closed is not None:
        return "reopen"
    if target.pin is not None:
        return "unpin"
    if target.added is not None:
        return "remove"
    raise EditFault(f"{shown(target.suspect)}: no person's word stands on it, so there is nothing to undo")


def find(text: str, board: Sequence[Hypothesis]) -> Hypothesis | None:
    """Return the hypothesis that a person names: by its place (`2`), its id, its key or the start of a commit.

    None where nothing of the board is meant; raises EditFault where it could be several.
    """
    wanted = text.strip()
    if wanted.isdecimal() and len(wanted) < LEAST_SHA:
        if not 1 <= int(wanted) <= len(board):
            raise EditFault(f"there is no hypothesis {wanted}: the board has {len(board)}")
        return board[int(wanted) - 1]
    exact = [one for one in board if wanted in (one.suspect.id, one.suspect.key)]
    kind, key = _kind_and_key(wanted)
    exact = exact or [one for one in board if (one.suspect.kind, one.suspect.key) == (kind, key)]
    alike = (kind, key.casefold())
    exact = exact or [one for one in board if (one.suspect.kind, one.suspect.key.casefold()) == alike]
    found = exact or [one for one in board if one.suspect.kind == "commit" and _begins(one.suspect.key, key)]
    if len(found) > 1:
        raise EditFault(f"{wanted[:60]!r} names {len(found)}: {', '.join(one.suspect.id[:40] for one in found[:4])}")
    return found[0] if found else None


def named(text: str, commits: Iterable[str] = ()) -> Suspect:
    """Return the suspect that a person's words name: `flag checkout-v2`, `host:node-7`, a commit, or words as they are.

    `commits` are full ids that the start of one stands for. Raises EditFault for words that say nothing.
    """
    words = str(clean(" ".join(text.split()), newlines=False, limit=KEY_LIMIT))
    if not words:
        raise EditFault("a hypothesis takes some words, or a commit, `flag NAME`, `service NAME`, `host NAME`")
    kind, key = _kind_and_key(words)
    if words.isdecimal() and len(words) < LEAST_SHA:
        raise EditFault(f"{words} alone names nothing new: pin takes the number of a row, add takes words")
    if kind == "commit" and len(key) < LEAST_SHA:
        raise EditFault(f"{key!r} is too short for a commit: give {LEAST_SHA} characters of it or more")
    if kind == "commit" or (kind == FREE and _looks_like_commit(words)):
        return Suspect(kind="commit", key=_full(key, commits))
    return Suspect(kind=kind, key=key) if kind != FREE else Suspect(kind=FREE, key=words)


def shown(suspect: Suspect) -> str:
    """Name a suspect in a line for people."""
    whole = suspect.key[:12] if suspect.kind == "commit" else suspect.key
    key = whole if len(whole) <= NAME_LIMIT else f"{whole[: NAME_LIMIT - 1]}…"
    return f"“{key}”" if suspect.kind == FREE else f"{suspect.kind} {key}"


def told(edit: BoardEdited) -> str:
    """Return an edit as it is told to whoever investigates: a person's word and wish, not evidence."""
    suspect = suspect_of(edit)
    name = shown(suspect)
    label = f" “{edit.label}”" if edit.label and suspect.kind != FREE and edit.label not in name else ""
    because = f" They say: {edit.note}" if edit.note else ""
    what = {
        "add": f"added a hypothesis to the board: {name}{label}. Look for evidence for and against it, or say that the "
        "data cannot test it and what would",
        "remove": f"took the hypothesis {name}{label} off the board",
        "pin": f"pinned {name}{label}: look at it first, for and against",
        "unpin": f"unpinned {name}{label}: it is one of many again",
        "rule_out": f"ruled out {name}{label}: do not name it the cause",
        "reopen": f"took back that {name}{label} is ruled out: it is open again",
    }[edit.action]
    return f"The person ({edit.by}) {what}. It is their word, not evidence.{because}"


def done(edit: BoardEdited) -> str:
    """Return an edit as it is confirmed to the person who made it."""
    verb = {"add": "added", "remove": "taken off", "pin": "pinned", "unpin": "unpinned"}.get(edit.action)
    verb = verb or ("ruled out" if edit.action == "rule_out" else "open again")
    return f"{verb}: {shown(suspect_of(edit))}"


def _kind_and_key(words: str) -> tuple[SuspectKind, str]:
    """Split `flag:name` or `flag name`; what names no kind is free words."""
    for mark in (":", " "):
        kind, found, key = words.partition(mark)
        if found and key.strip() and kind.casefold() in _KINDS:
            single = mark == ":" or len(key.split()) == 1
            if single:
                known: SuspectKind = kind.casefold()  # type: ignore[assignment]  # looked up in the kinds
                return known, key.strip()
    return FREE, words


def _looks_like_commit(words: str) -> bool:
    return len(words) >= 7 and bool(_SHA.match(words.casefold())) and not words.isdecimal()


def _begins(sha: str, start: str) -> bool:
    return len(start) >= LEAST_SHA and bool(_SHA.match(start.casefold())) and sha.startswith(start.casefold())


def _full(start: str, commits: Iterable[str]) -> str:
    found = sorted({sha for sha in commits if _begins(sha, start)})
    if len(found) > 1:
        raise EditFault(f"{start[:40]!r} begins {len(found)} commits: {', '.join(sha[:16] for sha in found[:4])}")
    return found[0] if found else start.casefold() if _SHA.match(start.casefold()) else start
