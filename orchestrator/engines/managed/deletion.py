"""Ending what a server keeps for good: interrupt what runs, wait until the API allows it, delete or archive, verify.

Every step may be repeated: what was cut short is done from the start again, and what is gone already is gone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.client import patient
from orchestrator.engines.faults import in_doubt
from orchestrator.engines.managed.remote_sessions import RemoteRow, retrieve
from subagents.contract import Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

POLL_S: Final = (0.2, 0.5, 1.0, 2.0, 3.0, 5.0)
"""Seconds between looks at the status; the last one again and again."""
PATIENCE: Final = 30
"""Looks at the status before it is left as it is."""
TRIES: Final = 4
"""Deletions of one session: its stored status may lag behind, and somebody may wake it again."""
Say = Callable[[str], None]


class NotEnded(Exception):
    """A session at the server is still there, or still open; the message is one line for people."""


async def delete_remote(client: AsyncAnthropic, session_id: str, clock: Clock, say: Say) -> str:
    """Delete a session there, and look that it is gone; return `deleted`, or `was gone`. Raises NotEnded, SDK's."""
    import anthropic

    for attempt in range(TRIES):
        if await _quiet(client, session_id, clock, say) is None:
            return "deleted" if attempt else "was gone"
        try:
            await client.with_options(max_retries=0).beta.sessions.delete(session_id)
        except anthropic.NotFoundError:
            return "deleted" if attempt else "was gone"
        except Exception as error:
            await _again(error, session_id, attempt, clock)
            continue
        if await _found(client, session_id) is None:
            return "deleted"
        await clock.sleep(POLL_S[min(attempt, len(POLL_S) - 1)])
    raise NotEnded(f"{session_id} is still there after {TRIES} deletions; try again later")


async def archive_remote(client: AsyncAnthropic, session_id: str, clock: Clock, say: Say) -> str:
    """Archive a session there, read-only for good; return `archived`, `was archived`. Raises NotEnded, SDK's."""
    for attempt in range(TRIES):
        row = await _quiet(client, session_id, clock, say)
        if row is None:
            raise NotEnded(f"{session_id} is not there (any more): there is nothing to archive")
        if row.archived:
            return "archived" if attempt else "was archived"
        try:
            await client.with_options(max_retries=0).beta.sessions.archive(session_id)
        except Exception as error:
            await _again(error, session_id, attempt, clock)
            continue
        row = await _found(client, session_id)
        if row is not None and row.archived:
            return "archived"
    raise NotEnded(f"{session_id} is still not archived; try again later")


async def _again(error: Exception, session_id: str, attempt: int, clock: Clock) -> None:
    """Return where it is worth another look: the answer was lost, or the state was not right yet; else raise."""
    import anthropic

    if isinstance(error, anthropic.BadRequestError) and getattr(error, "error_code", None) == "workflow_run_open":
        raise NotEnded(
            f"{session_id} has a workflow run open, which only its agent can end; try again later"
        ) from error
    if attempt + 1 >= TRIES or not (
        in_doubt(error) or isinstance(error, anthropic.BadRequestError | anthropic.ConflictError)
    ):
        raise error
    await clock.sleep(POLL_S[min(attempt, len(POLL_S) - 1)])


async def _found(client: AsyncAnthropic, session_id: str) -> RemoteRow | None:
    import anthropic

    try:
        return await retrieve(patient(client), session_id)
    except anthropic.NotFoundError:
        return None


async def _quiet(client: AsyncAnthropic, session_id: str, clock: Clock, say: Say) -> RemoteRow | None:
    """Return the session once its stored status is no longer running; None where it is gone. Interrupts what runs."""
    row = await _found(client, session_id)
    if row is None or not row.busy:
        return row
    say(f"{session_id} is {row.status}: interrupting it")
    await _interrupt(client, session_id)
    for look in range(PATIENCE):
        await clock.sleep(POLL_S[min(look, len(POLL_S) - 1)])
        row = await _found(client, session_id)
        if row is None or not row.busy:
            return row
    raise NotEnded(f"{session_id} is still {row.status if row else 'there'} after an interrupt; try again later")


async def _interrupt(client: AsyncAnthropic, session_id: str) -> None:
    """Interrupt every thread; that the answer is lost, or that it came to rest meanwhile, is no fault."""
    import anthropic

    event: Any = {"type": "user.interrupt"}
    try:
        await client.with_options(max_retries=0).beta.sessions.events.send(session_id, events=[event])
    except (anthropic.BadRequestError, anthropic.NotFoundError):
        return  # what it is now is looked at next
    except Exception as error:
        if not in_doubt(error):
            raise
