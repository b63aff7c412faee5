"""`warroom purge --remote`: what this installation left at the server and keeps nowhere here any more."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from subagents.quantities import counted
from tui.commands.confirm import Doomed, confirmed
from tui.commands.faults import ENGINE_FAILED, Fault, complain, narrate

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.engines.managed.reach import Reach
    from orchestrator.engines.managed.remote_sessions import RemoteRow


def purge_strays(older: str, before: datetime | None, token: str | None, config: Path | None) -> int:
    """Delete, in two steps, sessions at the server that this installation made and drives, and that are not kept here.

    Only those that have not changed since `before`; None: none is old enough.
    """
    return asyncio.run(_purge(older, before, token, config))


async def _purge(older: str, before: datetime | None, token: str | None, config: Path | None) -> int:
    from orchestrator.asked import Surroundings
    from tui.commands.opening import clear_faults
    from tui.commands.remote_opening import reached

    with clear_faults():
        around = Surroundings.of_process()
    async with reached(around, config) as reach:
        rows = await _strays(reach, around, before)
        if not rows:
            if token is not None:
                raise Fault(f"nothing at the server is older than {older} and kept nowhere here; nothing was deleted")
            narrate(f"No session at the server is older than {older} and kept nowhere here.")
            return 0
        narrate(f"{counted(len(rows), 'session')} at {reach.to.host} that are kept nowhere here.")
        if not confirmed([_doomed(row) for row in rows], token, f"warroom purge --remote --older-than {older}"):
            return 0
        return await _delete(rows, reach, around)


async def _strays(reach: Reach, around: Surroundings, before: datetime | None) -> list[RemoteRow]:
    """Return what is this installation's alone; a session here whose making is in doubt keeps the one it asked for."""
    from orchestrator.engines.managed.remote_sessions import list_sessions
    from orchestrator.journal.index import Index

    kept = Index(around.home).rows()
    known, asked = {row.remote for row in kept}, {row.asked for row in kept}
    listing = await list_sessions(reach.asking)
    return [
        row
        for row in listing.rows
        if row.install == reach.install == row.host
        and row.id not in known
        and (not row.nonce or row.nonce not in asked)
        and before is not None
        and row.updated is not None
        and row.updated < before
    ]


def _doomed(row: RemoteRow) -> Doomed:
    from orchestrator.journal.text import clean

    made = row.created.strftime("%Y-%m-%d %H:%M UTC") if row.created else "unknown"
    title = clean(row.title or "no title", newlines=False, limit=80)
    return Doomed(f"{row.id}  {title}  (made {made})", str(row.updated))


async def _delete(rows: Sequence[RemoteRow], reach: Reach, around: Surroundings) -> int:
    from orchestrator.engines.managed.deletion import NotEnded, delete_remote
    from orchestrator.engines.managed.reach import explained
    from orchestrator.journal.deeds import record_deed

    status = 0
    for row in rows:
        try:
            there = await delete_remote(reach.client, row.id, around.clock, lambda words: narrate(f"warroom: {words}"))
        except Exception as error:
            words = str(error) if isinstance(error, NotEnded) else explained(error, reach.to)
            if not words:
                raise
            complain(f"{row.id} is not deleted: {words}")
            status = ENGINE_FAILED
            continue
        about = {"incident": row.incident, "remote": row.id, "host": reach.to.host, "there": there}
        record_deed(around.home.path, around.clock.now(), "deleted", about)
        narrate(f"deleted {row.id}")
    return status
