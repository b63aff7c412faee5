"""`warroom sessions list --remote`: what is kept here and what a server keeps, in two tables that name each other."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands.faults import ENGINE_FAILED, Fault, complain, narrate
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.engines.managed.remote_sessions import Listing, RemoteRow
    from orchestrator.journal.index import SessionRow

STATUSES = ("running", "idle", "rescheduling", "terminated")
"""As a journal and a server name them; those of a person are taken, too."""
_WIDTHS = {"title": 44, "agent": 24}
"""Most cells of what others named."""


@dataclass(frozen=True)
class Wanted:
    """Which sessions."""

    words: tuple[str, ...] = ()
    """Names of statuses, a person's or a journal's."""
    since: datetime | None = None

    @property
    def statuses(self) -> tuple[str, ...]:
        """What a server calls them."""
        from tui.views.standing import STATUS_WORDS

        return tuple(dict.fromkeys(STATUS_WORDS.get(one, one) for one in self.words))


def wanted_of(statuses: Sequence[str], since: str | None) -> Wanted:
    """Read the filters; raises Fault for a status or a time that is none."""
    from subagents.clock import SystemClock
    from tui.commands.times import moment
    from tui.views.standing import STATUS_WORDS

    named = tuple(dict.fromkeys(one.strip() for given in statuses for one in given.split(",") if one.strip()))
    known = tuple(dict.fromkeys((*STATUS_WORDS, *STATUSES)))
    wrong = next((one for one in named if one not in known), None)
    if wrong is not None:
        raise Fault(f"{wrong[:40]!r} is not a status: use {', '.join(known)}")
    return Wanted(named, moment(since, SystemClock().now()) if since else None)


def chosen(rows: Sequence[SessionRow], wanted: Wanted) -> list[SessionRow]:
    """Return the sessions kept here that are wanted."""
    from tui.views.standing import standing

    return [
        row
        for row in rows
        if (not wanted.words or {row.status, standing(row.status, row.reason)} & {*wanted.words})
        and (wanted.since is None or (row.created is not None and row.created >= wanted.since))
    ]


def list_both(rows: Sequence[SessionRow], here: str, wanted: Wanted, config: Path | None) -> int:
    """Print both lists; those kept here also where the server cannot be asked. `here`: their table, empty for JSON."""
    listing, host, install, fault = asyncio.run(_asked(wanted, config))
    names = {row.remote: row.id for row in _all_here() if row.remote}
    if here:
        to_stdout(f"Here:\n{here}")
        if listing is not None:
            to_stdout(f"\nAt {host}:\n" + _page(listing, names, install))
    else:
        there = None if listing is None else [as_json(row, names, install) for row in listing.rows]
        kept = [row.model_dump(mode="json") for row in rows]
        shown = {"local": kept, "remote": there, "host": host, "fault": fault}
        to_stdout(json.dumps({**shown, "more": bool(listing and listing.more)}, indent=2) + "\n")
    if listing is not None and listing.more:
        narrate(f"warroom: only the newest {len(listing.rows)} are listed; --since and --status narrow it")
    if fault:
        complain(f"those at the server could not be listed: {fault}")
        return ENGINE_FAILED
    return 0


def _all_here() -> list[SessionRow]:
    from orchestrator.journal.index import Index
    from tui.commands.opening import clear_faults, state_home

    with clear_faults():
        return Index(state_home()).rows()


async def _asked(wanted: Wanted, config: Path | None) -> tuple[Listing | None, str, str, str]:
    """Return what the server keeps, its host, this installation, and why it could not be asked."""
    from orchestrator.asked import Surroundings
    from orchestrator.engines.managed.remote_sessions import list_sessions
    from tui.commands.remote_opening import reached

    host = install = ""
    try:
        async with reached(Surroundings.of_process(), config) as reach:
            host, install = reach.to.host, reach.install
            return await list_sessions(reach.asking, wanted.statuses, wanted.since), host, install, ""
    except Fault as fault:
        return None, host, install, fault.message


def as_json(row: RemoteRow, names: Mapping[str, str], install: str) -> dict[str, Any]:
    """Return what a script wants to know of a session."""
    return {
        "id": row.id,
        "title": row.title,
        "status": "archived" if row.archived else row.status,
        "created": row.created.isoformat() if row.created else None,
        "updated": row.updated.isoformat() if row.updated else None,
        "cost_usd": None if row.cents is None else f"{row.cents / 100:.2f}",
        "agent": row.agent_words,
        "incident": row.incident or None,
        "session": names.get(row.id),
        "install": row.install or None,
        "hands": row.host or None,
        "ours": bool(row.install) and row.install == install,
    }


def _page(listing: Listing, names: Mapping[str, str], install: str) -> str:
    from subagents.clock import SystemClock
    from tui.views.sessions import age

    if not listing.rows:
        return "No such sessions.\n"
    now = SystemClock().now()
    lines = [("SESSION", "STATUS", "AGE", "COST", "AGENT", "MADE", "HERE", "TITLE")]
    for row in listing.rows:
        made = "here" if row.install == install else f"by {row.install[:8]}" if row.install else "by no warroom"
        cost = "-" if row.cents is None else f"${row.cents / 100:.2f}"
        status = "archived" if row.archived else row.status
        agent, title = _cut(row.agent_words, _WIDTHS["agent"]), _cut(row.title or "-", _WIDTHS["title"])
        lines.append(
            (_cut(row.id, 40), status, age(row.created, now), cost, agent, made, names.get(row.id, "-"), title)
        )
    return table(lines)


def _cut(text: str, width: int) -> str:
    """Cut foreign text to a number of cells, with a mark where something is gone."""
    from rich.cells import cell_len, set_cell_size

    from orchestrator.journal.text import clean

    shown = str(clean(text, newlines=False, limit=width * 4))
    return shown if cell_len(shown) <= width else set_cell_size(shown, width - 1).rstrip() + "…"


def table(lines: Sequence[Sequence[str]]) -> str:
    """Return lines in columns as wide as their widest cell, as a terminal counts it."""
    from rich.cells import cell_len

    widths = [max(cell_len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = (
        "  ".join(cell + " " * (width - cell_len(cell)) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )
    return "".join(line.rstrip() + "\n" for line in padded)
