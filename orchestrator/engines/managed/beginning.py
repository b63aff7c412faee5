"""A session comes into being at the server, once: intended on record, created, found again where that is in doubt."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.base import Desk, EngineError, Message
from orchestrator.engines.faults import Garbled, explain, in_doubt
from orchestrator.engines.first_look import first_look
from orchestrator.engines.managed.access import Access
from orchestrator.engines.managed.brief import brief_text
from orchestrator.engines.managed.budgets import cap_in_cents
from orchestrator.engines.managed.definitions import OWNER_KEY
from orchestrator.engines.managed.nonces import message_nonce, session_nonce, signed
from orchestrator.engines.managed.remote import raw_of
from orchestrator.engines.managed.remote_sessions import HOST_KEY, INCIDENT_KEY, JOURNAL_KEY, NONCE_KEY, find_by_nonce
from orchestrator.engines.managed.retrying import delay, fault_of, gives_up
from orchestrator.journal.events import MAIN_THREAD, RemoteRequest, RemoteSession

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

INTENT: Final = "remote-session"
TITLE_LIMIT, METADATA_LIMIT = 200, 512
LOOKED_AT: Final = 2000
"""Most sessions that are looked through for one whose making is in doubt, newest first."""
CREATE_S: Final = 60.0


async def begin(desk: Desk, client: AsyncAnthropic, access: Access) -> RemoteSession:
    """Return the session that this one is at the server, made now where there is none; raises EngineError.

    The first look is taken before anything is sent. Whatever moment the process ends at, the next one finds the
    intent with its nonce, and the session by it.
    """
    known = desk.recorded(INTENT)
    intent = known.body if known is not None else await _intend(desk)
    if not isinstance(intent, RemoteRequest):
        raise EngineError("what this session was to be at the server cannot be read; start a new one")
    made = await _make(desk, client, access, intent, doubtful=known is not None)
    remote = RemoteSession(
        id=made["id"],
        act="created",
        agent=access.coordinator.id,
        version=access.coordinator.version,
        environment=access.environment,
        host=access.endpoint.host,
        nonce=intent.nonce,
        install=access.install,
        models={role: f"{ref.model} v{ref.version}" for role, ref in _cast(access).items()},
    )
    await desk.record(remote, thread=MAIN_THREAD, source_id=f"remote-{remote.id}")
    return remote


def is_told(desk: Desk, message: Message) -> bool:
    """Say whether the brief holds what the person said: it was said before the brief was written."""
    return bool(message.id) and desk.recorded(f"told-{message.id}") is not None


async def _intend(desk: Desk) -> RemoteRequest:
    look = await first_look(desk)
    nonce = session_nonce()
    incident = desk.brief.incident
    _go_on(desk)
    told = [item for item in desk.inbox.drain() if isinstance(item, Message) and item.id]
    text = signed(brief_text(desk, look), message_nonce(nonce, "brief"))
    for message in told:  # it stands in the brief: on record before the intent, so that no crash sends it again
        note = RemoteRequest(what="message", nonce=nonce, state="sent")
        await desk.record(note, thread=MAIN_THREAD, source_id=f"told-{message.id}")
    title = f"{incident.id}: {incident.title}"[:TITLE_LIMIT]
    wish = RemoteRequest(what="session", nonce=nonce, title=title, text=text)
    event = await desk.record(wish, thread=MAIN_THREAD, source_id=INTENT)
    assert isinstance(event.body, RemoteRequest)  # noqa: S101 narrows only
    return event.body


def _cast(access: Access) -> dict[str, Any]:
    return {MAIN_THREAD: access.coordinator, **access.specialists}


def _body(desk: Desk, access: Access, intent: RemoteRequest) -> dict[str, Any]:
    cents = cap_in_cents(desk.budget)
    budget = {"type": "limit", "max_list_cost": {"amount": str(cents), "currency": "USD"}}
    incident = intent.title.partition(": ")[0]
    return {
        "agent": {"type": "agent", "id": access.coordinator.id, "version": access.coordinator.version},
        "environment_id": access.environment,
        "title": intent.title,
        "metadata": {
            OWNER_KEY: access.install,
            HOST_KEY: access.install,
            NONCE_KEY: intent.nonce,
            JOURNAL_KEY: desk.session_id[:METADATA_LIMIT],
            INCIDENT_KEY: incident[:METADATA_LIMIT],
        },
        "initial_events": [{"type": "user.message", "content": [{"type": "text", "text": intent.text}]}],
        **({"budget": budget} if cents is not None else {}),
    }


async def _make(
    desk: Desk, client: AsyncAnthropic, access: Access, intent: RemoteRequest, *, doubtful: bool
) -> dict[str, Any]:
    once = client.with_options(max_retries=0)
    attempts = refusals = 0
    while True:
        _go_on(desk)
        try:
            if doubtful:
                there = await find_by_nonce(once, intent.nonce, access.coordinator.id, LOOKED_AT)
                if there is not None:
                    return dict(there.raw)
            doubtful = False
            return raw_of(await once.beta.sessions.create(**_body(desk, access, intent), timeout=CREATE_S), "session")
        except Exception as error:
            doubtful = doubtful or in_doubt(error)
            attempts += 1
            if not isinstance(error, Garbled):
                fault = fault_of(error, desk.clock.now())
                refusals = refusals + 1 if fault.refusal else 0
                unreachable = not fault.status and attempts >= 8
                if gives_up(fault, refusals) or unreachable:
                    raise EngineError(f"no session could be made: {explain(error, access.endpoint)}") from error
                await desk.clock.sleep(delay(fault, attempts, _half))
            elif attempts >= 3:
                raise EngineError(f"no session could be made: {explain(error, access.endpoint)}") from error


def _go_on(desk: Desk) -> None:
    """Make nothing any more once the work was stopped."""
    if desk.cancel.is_set():
        raise asyncio.CancelledError


def _half() -> float:
    return 0.5
