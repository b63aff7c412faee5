"""Binding a session here to one that a server keeps: to watch it, or to carry out its calls from now on.

reach = reach_here(around, config)
async with reach.client:
    looked = await looked_at(reach, "sesn_…")                    # what it is, and whose hands it is in
    name = bound_here(around, "sesn_…")                          # the local session; empty where there is none
    name = name or await attached(reach, looked, request, around)  # made, to watch it
    await taken_over(reach, name, around, config=config, by="person")  # journaled; from then on calls run here
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orchestrator.asked import ComposeError, Found, Request, Surroundings
from orchestrator.journal.events import MAIN_THREAD
from orchestrator.journal.index import Index
from orchestrator.journal.own_remote import REMOTE_TYPES, RemoteSession, bound_to
from subagents.contract import Incident

if TYPE_CHECKING:
    from orchestrator.engines.managed.claims import Holder
    from orchestrator.engines.managed.reach import Reach
    from orchestrator.engines.managed.remote_sessions import RemoteRow

REMOTE_ID: Final = re.compile(r"sesn_[A-Za-z0-9]{1,200}\Z")
_TEXT_LIMIT, _TITLE_LIMIT, _ID_LIMIT = 4_000, 160, 80


@dataclass(frozen=True)
class Looked:
    """A server's session, and whose hands it is in."""

    row: RemoteRow
    holder: Holder


def reach_here(around: Surroundings, config: Path | None = None) -> Reach:
    """Return the way to the server that the settings name; raises ComposeError, StateError, DiskFull."""
    from orchestrator.config import ConfigError, load_settings
    from orchestrator.engines.managed.reach import NoWay, reach_of

    if config is not None and not config.is_file():
        raise ComposeError(f"{config}: no such file; check --config")
    try:
        engine = load_settings(cwd=around.cwd, env=around.env, own=config).settings.engine
        return reach_of(engine, around.env, around.home, around.clock)
    except (ConfigError, NoWay) as error:
        raise ComposeError(str(error)) from error


def bound_here(around: Surroundings, remote: str) -> str:
    """Return the local session that is bound to a server's session; empty where there is none."""
    return next((row.id for row in Index(around.home).rows() if row.remote == remote), "")


async def looked_at(reach: Reach, remote: str) -> Looked:
    """Return a server's session and whose hands it is in; raises what the SDK raises."""
    from orchestrator.engines.managed.claims import holder_of
    from orchestrator.engines.managed.remote_sessions import retrieve

    row = await retrieve(reach.asking, remote)
    return Looked(row, await holder_of(reach.asking, row))


async def attached(reach: Reach, looked: Looked, request: Request, around: Surroundings) -> str:
    """Make a session here that watches a server's session, and return its id. Raises ComposeError, SDK's."""
    from orchestrator.compose import begin
    from orchestrator.engines.managed.observing import ObservingEngine
    from orchestrator.engines.managed.remote_sessions import first_words

    row = looked.row
    bound = _binding(reach, row)
    found = Found(bound, ObservingEngine(reach.to, bound), incident_of(row, await first_words(reach.asking, row.id)))
    session = await begin(request, around, found)
    await session.close()
    return session.id


async def taken_over(reach: Reach, session_id: str, around: Surroundings, *, config: Path | None, by: str) -> None:
    """Claim the hands of the server's session that a session here is bound to, and put it on record.

    The server is told first: should this process end between the two, nothing runs here, and it can be done again.
    Raises ClaimRefused, ComposeError, JournalBusy, what the SDK raises.
    """
    from orchestrator.compose import take_up
    from orchestrator.engines.managed.claims import claim

    session = await take_up(session_id, around, config)
    try:
        bound = bound_to(session.journal.events(types=REMOTE_TYPES))
        if bound is None:
            raise ComposeError(f"{session_id}: no server keeps it, so there are no hands to take over")
        row = await claim(reach.client, bound.id, reach.install, around.clock.now())
        mine = _binding(reach, row).model_copy(update={"act": "claimed", "by": by, "nonce": bound.nonce})
        await session.desk.record(mine, thread=MAIN_THREAD)
    finally:
        await session.close()


def _binding(reach: Reach, row: RemoteRow) -> RemoteSession:
    return RemoteSession(
        id=row.id,
        act="attached",
        agent=str(row.agent.get("id") or ""),
        version=row.version,
        environment=row.environment,
        host=reach.to.host,
        nonce=row.nonce,
        install=row.install,
        models={**row.models, **({MAIN_THREAD: lead} if (lead := row.lead_model) else {})},
    )


def incident_of(row: RemoteRow, first: str) -> Incident:
    """Return what a server's session is about, as far as its title, its metadata and its first message tell."""
    from orchestrator.engines.managed.nonces import is_signed

    said = "" if is_signed(first) else first  # a brief that a warroom wrote is no alert, and nobody's words
    title = row.title or next((one.strip() for one in said.splitlines() if one.strip()), "")
    identity = row.incident or row.id
    title = title.removeprefix(f"{identity}: ")
    return Incident(
        id=identity[:_ID_LIMIT],
        title=title[:_TITLE_LIMIT] or f"session {row.id}",
        text=said[:_TEXT_LIMIT],
    )
