"""What a person names on the board, found among what the session knows: the board, its verdict, its sources."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from orchestrator.hands.threads import in_thread
from orchestrator.journal.events import BoardEdited
from orchestrator.session.desk import SessionDesk
from orchestrator.verdict.board_edits import LEAST_SHA, Act, EditFault, edit_for, find, named
from subagents.contract import Suspect, ToolContext, ToolError

LISTED = 1000
"""Most changes of the sources among which a deploy or a flag is looked for."""


@dataclass(frozen=True)
class Candidate:
    """Something that the session knows and that a person could put on the board."""

    words: str
    """What adds it, as it would be typed."""
    told: str
    """What it is, in a line."""


async def candidates(desk: SessionDesk) -> tuple[Candidate, ...]:
    """Return what is not on the board: changes, the latest first, then services. Reads beside the event loop."""
    there = {one.suspect.id for one in desk.fold.board.hypotheses()}
    named_services = {info.name for info in desk.brief.services}
    named_services |= {name for found in desk.fold.findings.values() for name in found.services}
    services = [Candidate(f"service:{name}", f"service {name}") for name in sorted(named_services - {""})]
    changes = await in_thread(lambda: _changes(desk), "candidates")
    return tuple(one for one in (*changes, *services) if one.words not in there)


def _changes(desk: SessionDesk) -> list[Candidate]:
    found: dict[str, Candidate] = {}
    with suppress(ToolError, OSError, ValueError, LookupError):  # whatever is wrong with a source: words can be typed
        for line in reversed(_run(desk, "deploys_timeline", {"limit": LISTED}).changes):
            commit = line.commit if line.kind == "deploy" else line.key if line.kind == "commit" else None
            words = f"commit:{commit}" if commit else f"{line.kind}:{line.key}"
            name = f"{commit[:12]} {line.version if line.kind == 'deploy' else ''}" if commit else line.key
            when = f"{line.at:%m-%d %H:%M}" if line.at is not None else ""
            told = f"{line.kind} {name} {when} {line.service} {line.label if line.label != line.key else ''}"
            found.setdefault(words, Candidate(words, " ".join(told.split())))
    return list(found.values())


async def wished(desk: SessionDesk, act: Act, text: str, note: str, by: str) -> BoardEdited:
    """Return the edit that a person asks for; raises EditFault. May read the sources, beside the event loop."""
    board = desk.fold.board.hypotheses()
    place = act == "add" and text.strip().isdecimal() and len(text.strip()) < LEAST_SHA
    there = None if place else find(text, board)  # a row's number names nothing that could be added
    if there is not None or act != "add":
        if there is None:
            raise EditFault(f"nothing on the board is called {text.strip()[:60]!r}; add it first, or name it by number")
        return edit_for(act, there, note, by)
    suspect = named(text, _commits(desk))
    if suspect.kind in ("commit", "deploy", "flag"):
        suspect = await in_thread(lambda: _known(desk, suspect), "board")
    known = next((one for one in board if one.suspect.id == suspect.id), None)
    return edit_for(act, known or suspect, note, by)


def _commits(desk: SessionDesk) -> Iterator[str]:
    """Yield the commits that the verdict ranked."""
    verdict = desk.fold.verdict.stands if desk.fold.verdict is not None else None
    yield from (item.commit for item in (verdict.suspects if verdict else ()))


def _known(desk: SessionDesk, suspect: Suspect) -> Suspect:
    """Return the change as its sources name it, with its subject; one that none of them knows stays as it was typed."""
    from subagents.deploys.catalogue import AmbiguousId

    if suspect.kind == "commit" and len(suspect.key) >= LEAST_SHA:
        try:
            found = _run(desk, "deploys_diff", {"commit": suspect.key[:64]})
            return Suspect(kind="commit", key=found.commit, label=found.subject[:80])
        except AmbiguousId as error:
            raise EditFault(str(error)) from error
        except (ToolError, OSError, ValueError, LookupError):
            pass  # whatever is wrong with the source: another may name it
    try:
        return _listed(desk, suspect)
    except (ToolError, OSError, ValueError, LookupError):
        return suspect  # the person's words stand as they are


def _listed(desk: SessionDesk, suspect: Suspect) -> Suspect:
    """Return a deploy by the commit that it brought, where it names one: findings are about that."""
    for line in _run(desk, "deploys_timeline", {"limit": LISTED}).changes:
        names = (line.key, line.ref.partition("#")[2], line.version)
        if suspect.kind == "commit":
            if line.commit and len(suspect.key) >= LEAST_SHA and line.commit.startswith(suspect.key):
                return suspect.model_copy(update={"key": line.commit})
        elif line.kind == suspect.kind and suspect.key in names:
            if line.kind == "deploy" and line.commit:
                return Suspect(kind="commit", key=line.commit)
            return suspect.model_copy(update={"label": line.label[:80] if line.label != suspect.key else ""})
    return suspect


def _run(desk: SessionDesk, name: str, given: dict[str, Any]) -> Any:
    """Ask a read-only tool for a person, as opening evidence does: it is no step of the investigation."""
    tool = desk.roster.tool("deploys", name)
    if tool is None:
        raise ToolError("no change source is among the sources")
    return tool.run(tool.params.model_validate(given), ToolContext(key=f"board {name}", clock=desk.clock)).need()
