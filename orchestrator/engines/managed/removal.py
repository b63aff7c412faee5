"""Deleting a session where it is kept: at the server first, then here, then one line of what was done.

In this order whatever is cut short can be done again: what is gone at the server is found gone, and here the session
still says which one it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.hands.threads import in_thread
from orchestrator.journal.deeds import record_deed
from orchestrator.journal.home import StateHome

if TYPE_CHECKING:
    from orchestrator.engines.managed.deletion import Say
    from orchestrator.engines.managed.reach import Reach
    from orchestrator.journal.index import SessionRow
    from subagents.contract import Clock


@dataclass(frozen=True)
class Removal:
    """How sessions are deleted."""

    home: StateHome
    clock: Clock
    say: Say
    reach: Reach | None = None
    """None: only here."""
    foreign: bool = False
    """Also those at the server that another installation made or drives."""

    async def remove(self, row: SessionRow) -> str:
        """Delete one session; return what became of it, in words.

        Raises StateError, JournalError (it is in use, or cannot be deleted here), NotEnded, and what the SDK raises:
        then it is kept here, and can be deleted again.
        """
        refuse_in_use(self.home, row.id)
        head = await in_thread(lambda: _head(self.home, row.id), "head")
        row = await self._identified(row)
        there = await self._remotely(row)
        await in_thread(lambda: _here(self.home, row.id), "remove")
        about = {"session": row.id, "incident": row.incident, "events": row.events, "hash": head, "remote": row.remote}
        about |= {"host": self.reach.to.host if self.reach is not None and row.remote else "", "there": there}
        await in_thread(lambda: record_deed(self.home.path, self.clock.now(), "deleted", about), "deed")
        return {"": "deleted", "kept": f"deleted here; {row.remote} was left where it is"}.get(
            there, f"deleted, here and {row.remote} ({there})"
        )

    async def _identified(self, row: SessionRow) -> SessionRow:
        """Return the row with the server's id of a session that was asked for and whose answer never came."""
        from orchestrator.engines.managed.remote_sessions import find_by_nonce

        if row.remote or not row.asked or self.reach is None:
            return row
        found = await find_by_nonce(self.reach.asking, row.asked)
        return row if found is None else row.model_copy(update={"remote": found.id})

    async def _remotely(self, row: SessionRow) -> str:
        from orchestrator.engines.managed.deletion import delete_remote

        if not row.remote:
            return ""
        if self.reach is None or not await self._may(self.reach, row):
            return "kept"
        return await delete_remote(self.reach.client, row.remote, self.clock, self.say)

    async def _may(self, reach: Reach, row: SessionRow) -> bool:
        """Say whether it is ours to delete, as the server has it; what is another's is left, and that is said."""
        import anthropic

        from orchestrator.engines.managed.remote_sessions import retrieve

        try:
            found = await retrieve(reach.asking, row.remote)
        except anthropic.NotFoundError:
            return True
        if self.foreign or (found.install == reach.install and found.host == reach.install):
            return True
        whose = f"was made by {_who(found.install)} and is in the hands of {_who(found.host)}"
        self.say(f"{row.remote} {whose}: it is left there; --foreign deletes it too")
        return False


def _who(install: str) -> str:
    return f"another installation ({install[:16]})" if install else "no warroom"


def refuse_in_use(home: StateHome, session: str) -> None:
    """Raise JournalBusy where a session is open in a process: nothing of it is deleted, there neither."""
    from orchestrator.journal.faults import JournalBusy
    from orchestrator.journal.lock import is_live

    if is_live(home.session_dir(session)):
        raise JournalBusy(f"{session}: is open in another warroom; nothing was deleted; close it there first")


def _head(home: StateHome, session: str) -> str:
    from orchestrator.journal.anchor import AnchorFile

    return AnchorFile(home.session_dir(session)).read().head.hash


def _here(home: StateHome, session: str) -> None:
    from orchestrator.journal.index import Index
    from orchestrator.journal.removal import remove_session

    remove_session(home.sessions, session)
    Index(home).forget(session)
