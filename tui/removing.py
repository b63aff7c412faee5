"""Deleting a session from the list: here, and at the server that keeps it; what cannot go there stays here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.session_view import ActFault

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.engines.managed.reach import Reach
    from orchestrator.journal.index import SessionRow


async def remove(around: Surroundings, row: SessionRow) -> str:
    """Delete a session and return what became of it, in words; raises ActFault, and then it is kept."""
    from orchestrator.engines.managed.deletion import NotEnded
    from orchestrator.engines.managed.reach import explained
    from orchestrator.engines.managed.removal import Removal
    from orchestrator.journal.faults import JournalError, StateError

    said: list[str] = []
    reach = _reach(around, row) if row.remote or row.asked else None
    try:
        done = await Removal(around.home, around.clock, said.append, reach).remove(row)
    except (StateError, JournalError, NotEnded) as error:
        raise ActFault(str(error)) from error
    except Exception as error:
        words = explained(error, reach.to) if reach is not None else ""
        if not words:
            raise
        raise ActFault(f"it is kept: {words}; {_only_here(row)}") from error
    finally:
        if reach is not None:
            await reach.client.close()
    return "; ".join([done, *(one for one in said if "--foreign" in one)])


def _reach(around: Surroundings, row: SessionRow) -> Reach:
    from orchestrator.asked import ComposeError
    from orchestrator.attaching import reach_here
    from orchestrator.journal.faults import StateError

    try:
        return reach_here(around)
    except (ComposeError, StateError) as error:
        raise ActFault(
            f"{row.remote or 'its session at the server'} cannot be deleted: {error}; {_only_here(row)}"
        ) from error


def _only_here(row: SessionRow) -> str:
    return f"warroom sessions delete {row.id} --local-only deletes it only here"
