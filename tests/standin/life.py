"""The life of a thread: it is woken, runs its script, is interrupted, gets its results."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.standin.logbook import Event
from tests.standin.script import Ended, Heard, Told, blocks, plain
from tests.standin.session import Session, Thread


def deliver(session: Session, thread: Thread, heard: Heard, waiting: dict[str, Any] | None = None) -> None:
    """Put a message into a thread's inbox; a thread that rests starts to work at once."""
    if thread.status == "terminated":
        return
    thread.inbox.append((heard, waiting))
    if thread.task is None or thread.task.done():
        resume(session, thread)
    elif thread.hearing:
        session.runs(thread)
        thread.wake.set()


async def drive(session: Session, thread: Thread) -> None:
    """Run an agent's script until its turn ends; start it again while messages wait."""
    script = session.world.script()
    brain = script.get(thread.name) or script.get("*")
    reason: Mapping[str, Any] = {"type": "end_turn"}
    while thread.inbox:
        reason = {"type": "end_turn"}
        try:
            if brain is None:
                raise RuntimeError(f"the script has nobody named {thread.name!r}")
            from tests.standin.actor import Actor  # an actor sends to threads, a thread has an actor

            actor, heard = Actor(session, thread), len(thread.history)
            await brain(actor)
            if len(thread.history) == heard:
                await actor.hear()
        except Ended as end:
            if end.reason == "terminated":
                return
            reason = {"type": end.reason, **({"details": end.details} if end.details else {})}
            break
        except Exception as fault:  # a script with a mistake shows it, and the server goes on
            error = {"type": "unknown_error", "message": f"script: {fault!r}", "retry_status": {"type": "exhausted"}}
            session.post(thread, "session.error", cross=True, error=error)
            reason = {"type": "retries_exhausted"}
            thread.inbox.clear()
    thread.task = None
    session.rests(thread, reason)
    if reason["type"] == "retries_exhausted" and thread is not session.primary:
        thread.status = "terminated"
        session.post_status(thread, "terminated")
    elif thread.inbox:
        resume(session, thread)


def resume(session: Session, thread: Thread) -> None:
    """Start an agent's script on what waits in its inbox."""
    session.runs(thread)
    thread.task = asyncio.get_running_loop().create_task(drive(session, thread))


def interrupt(session: Session, thread: Thread) -> None:
    """Stop a thread at once: its calls are closed, it reports to nobody; at rest or at the cap nothing happens."""
    resting = thread.status == "idle" and not thread.pending
    if resting or thread.status == "terminated" or (thread.status == "idle" and session.at_cap()):
        return
    if thread.task is not None:
        thread.task.cancel()
        thread.task = None
    if thread.span is not None:
        usage = dict.fromkeys(
            ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens"), 0
        )
        session.post(
            thread, "span.model_request_end", model_request_start_id=thread.span, model_usage=usage, is_error=True
        )
        thread.span = None
    if session.world.options.interrupt_results:
        for pending in thread.pending.values():
            store_result(session, pending.key, blocks("The tool call was interrupted."), True)
    session.close_calls(thread)
    session.rests(thread, {"type": "end_turn"})
    if thread.inbox:
        resume(session, thread)


def store_result(session: Session, key: str, content: Sequence[Mapping[str, Any]] | None, is_error: bool) -> Event:
    """Store a result on the primary and, with another id, on the child that called; returns the primary's."""
    thread = session.threads[session.owners[key]]
    pending = thread.pending[key]
    more: dict[str, Any] = {"content": content, "is_error": is_error}
    kind = "user.custom_tool_result"
    if thread is session.primary:
        return session.emit(kind, custom_tool_use_id=key, **more)
    stored = session.emit(kind, custom_tool_use_id=key, session_thread_id=thread.id, **more)
    thread.log.add(session.event(kind, custom_tool_use_id=pending.own, **more))
    return stored


def answer(session: Session, key: str, content: Sequence[Mapping[str, Any]] | None, is_error: bool) -> Event:
    """Hand a call its result; the thread goes on when all of its calls have theirs."""
    thread = session.threads[session.owners[key]]
    stored = store_result(session, key, content, is_error)
    pending = thread.pending.pop(key)
    session.calls[key] = "answered"
    pending.told.set_result(Told(pending.call, key, plain(content), is_error))
    if thread.status == "idle" and thread.pending:
        session.rests(thread, {"type": "requires_action", "event_ids": list(thread.pending)})
    elif thread.status == "idle":
        session.runs(thread)
    return stored
