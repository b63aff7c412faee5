"""What a scripted agent can do. Each act is one model request on its thread."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from tests.standin.life import deliver
from tests.standin.script import Call, Ended, Heard, Tokens, Told, blocks
from tests.standin.session import Pending, Session, Thread

MOST_CHILDREN = 25


class Actor:
    """An agent on its thread, as its script sees it."""

    def __init__(self, session: Session, thread: Thread) -> None:
        self._session, self._thread = session, thread

    @property
    def name(self) -> str:
        """Name of the agent."""
        return self._thread.name

    @property
    def history(self) -> Sequence[Heard | Told]:
        """Messages heard and results told so far, oldest first, over all turns."""
        return self._thread.history

    @property
    def memory(self) -> dict[str, Any]:
        """What the script keeps over its turns; it outlives an interrupt."""
        return self._thread.memory

    @property
    def tools(self) -> Mapping[str, Mapping[str, Any]]:
        """The agent's custom tools by name, as they were configured."""
        return {tool["name"]: tool for tool in self._thread.agent["tools"] if tool["type"] == "custom"}

    @property
    def callable(self) -> Sequence[str]:
        """Names of the agents that this one may delegate to."""
        return list(self._session.cast) if self._thread is self._session.primary else []

    def children(self) -> Sequence[tuple[str, str]]:
        """Return the threads that this agent started, with the names of their agents."""
        return [(key, one.name) for key, one in self._session.threads.items() if one.parent == self._thread.id]

    def working(self, name: str) -> bool:
        """Say whether a thread of that agent works or waits for a result."""
        own = [one for one in self._session.threads.values() if one.name == name and one.parent == self._thread.id]
        return any(one.status in ("running", "rescheduling") or one.pending or one.inbox for one in own)

    async def hear(self) -> Heard:
        """Return the next message; where none waits, end the turn and wait for one."""
        thread, session = self._thread, self._session
        while not thread.inbox:
            thread.wake.clear()
            thread.hearing = True
            session.rests(thread, {"type": "end_turn"})
            try:
                await thread.wake.wait()
            finally:
                thread.hearing = False
        session.runs(thread)
        heard, waiting = thread.take()
        if waiting is not None:
            thread.log.processed(waiting, session.world.stamps.now())
        thread.history.append(heard)
        return heard

    def waiting(self) -> bool:
        """Say whether a message waits."""
        return bool(self._thread.inbox)

    async def gate(self, name: str) -> None:
        """Wait until the test opens the gate of that name."""
        await self._session.world.gate(name).wait()

    async def act(
        self,
        text: str = "",
        *,
        calls: Sequence[Call] = (),
        sends: Sequence[tuple[str, str]] = (),
        think: bool = False,
        shed: int | None = None,
        tokens: Tokens | None = None,
    ) -> list[Told]:
        """Make one model request: think, say, send to agents, call tools; returns what the calls gave.

        `sends` are (agent name or thread id, text); a name starts a new thread. `shed`: deltas before
        the rest of the preview is dropped.
        """
        session, thread = self._session, self._thread
        await self._afford()
        await self._pace()
        thread.span = session.post(thread, "span.model_request_start")[0]["id"]
        if think:
            await self._previewed("agent.thinking", "", None)
        if text:
            await self._previewed("agent.message", text, shed)
        for to, message in sends:
            self._send(to, message)
        pendings = [self._call(call) for call in calls]
        said = len(text) + sum(len(message) for _, message in sends) + sum(len(str(c.input)) for c in calls)
        self._end_request(tokens or Tokens(1200 + 200 * len(thread.history), 40 + said // 4))
        return await self._results(pendings)

    async def say(self, text: str, **more: Any) -> None:
        """Say something."""
        await self.act(text, **more)

    async def call(self, name: str, arguments: Mapping[str, Any] | None = None, **more: Any) -> Told:
        """Call one tool."""
        return (await self.act(calls=[Call(name, arguments or {})], **more))[0]

    async def delegate(self, name: str, text: str) -> str:
        """Start an agent on a task; returns its thread."""
        before = set(self._session.threads)
        await self.act(sends=[(name, text)])
        return next(key for key in self._session.threads if key not in before)

    async def report(self, text: str) -> None:
        """Report to the coordinator."""
        await self.act(sends=[(str(self._thread.parent), text)])

    async def fail(self, kind: str, retry: str, message: str = "The model request failed.") -> None:
        """Fail a model request: `retrying` goes on, `exhausted` ends the turn, `terminal` ends the session."""
        session, thread = self._session, self._thread
        thread.span = session.post(thread, "span.model_request_start")[0]["id"]
        self._end_request(Tokens(0, 0), is_error=True)
        error = {"type": kind, "message": message, "retry_status": {"type": retry}}
        session.post(thread, "session.error", cross=session.world.options.mirror_errors, error=error)
        if retry == "retrying":
            thread.status = "rescheduling"
            session.post_status(thread, "rescheduled")
            others = any(other.status == "running" for other in session.threads.values())
            if not others:
                session.status = "rescheduling"
                session.emit("session.status_rescheduled")
            await self._pace()
            session.runs(thread)
            return
        if retry == "terminal":
            session.terminate()
            raise Ended("terminated")
        thread.inbox.clear()
        raise Ended("retries_exhausted")

    async def refuse(self, category: str | None = "cyber", explanation: str = "The model declined.") -> None:
        """Decline: the turn ends with a refusal."""
        details = {"type": "refusal", "category": category, "explanation": explanation}
        raise Ended("refusal", details)

    # -- one model request

    async def _pace(self) -> None:
        await asyncio.sleep(self._session.world.options.pace)

    async def _afford(self) -> None:
        session, thread = self._session, self._thread
        while session.at_cap():
            session.budget_raised.clear()
            session.rests(thread, {"type": "budget_reached"})
            await session.budget_raised.wait()
            if not session.at_cap():
                session.runs(thread)

    async def _previewed(self, kind: str, text: str, shed: int | None) -> None:
        session, thread = self._session, self._thread
        event = session.event(kind)
        thread.log.preview_start(kind, event["id"])
        size = session.world.options.delta_chars
        pieces = [text[at : at + size] for at in range(0, len(text), size)]
        for piece in pieces[:shed]:
            await self._pace()
            thread.log.preview_delta(event["id"], piece)
        event["processed_at"] = session.world.stamps.now()
        thread.log.add({**event, "content": blocks(text)} if text else event)

    def _end_request(self, tokens: Tokens, is_error: bool = False) -> None:
        session, thread = self._session, self._thread
        session.charge(thread, tokens)
        usage = {
            "input_tokens": tokens.input,
            "output_tokens": tokens.output,
            "cache_read_input_tokens": tokens.cache_read,
            "cache_creation_input_tokens": tokens.cache_write,
            "speed": "standard",
        }
        start, thread.span = thread.span, None
        session.post(
            thread, "span.model_request_end", model_request_start_id=start, model_usage=usage, is_error=is_error
        )

    def _send(self, to: str, text: str) -> None:
        session, thread = self._session, self._thread
        child = session.threads.get(to)
        if child is None:
            children = [t for t in session.threads.values() if t.parent is not None and t.archived_at is None]
            if to not in session.cast or len(children) >= MOST_CHILDREN:
                raise RuntimeError(
                    f"script: {self.name} cannot start {to!r}: not in the roster, or 25 threads are there"
                )
            child = session.thread(session.cast[to], thread.id)
            session.emit("session.thread_created", session_thread_id=child.id, agent_name=to, workflow_run_id=None)
        session.post(
            thread,
            "agent.thread_message_sent",
            to_session_thread_id=child.id,
            to_agent_name=None if child is session.primary else child.name,
            content=blocks(text),
        )
        session.post(
            child,
            "agent.thread_message_received",
            from_session_thread_id=thread.id,
            from_agent_name=None if thread is session.primary else thread.name,
            content=blocks(text),
        )
        deliver(session, child, Heard(text, self.name, thread.id))

    def _call(self, call: Call) -> Pending:
        session, thread = self._session, self._thread
        own, crossed = session.post(thread, "agent.custom_tool_use", cross=True, name=call.name, input=dict(call.input))
        pending = Pending(call, crossed["id"], own["id"], asyncio.get_running_loop().create_future())
        thread.pending[pending.key] = pending
        session.calls[pending.key] = "open"
        session.owners[pending.key] = thread.id
        return pending

    async def _results(self, pendings: Sequence[Pending]) -> list[Told]:
        session, thread = self._session, self._thread
        if thread.pending:
            await self._pace()
        if thread.pending:
            session.rests(thread, {"type": "requires_action", "event_ids": list(thread.pending)})
        session.release(thread)
        told = [await pending.told for pending in pendings]
        thread.history.extend(told)
        return told
