"""A specialist's resolver, asked in the worker that has its sources open already, and not in this process.

What `subagents.verifying` asks of a resolver can be heavy: logs are counted, series measured. A worker does it off
this process and is killed when it takes too long. Ask from a thread, never from the event loop itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.hands.threads import in_thread
from orchestrator.hands.worker import VERIFY
from orchestrator.hands.workers import WorkerGone, Workers
from subagents.contract import AgentName, Clock, Evidence, Fact, Finding, ToolError, Window
from subagents.verifying import NameKind, Recomputed

ANSWER_S = 60.0
"""Longest that one answer may take; a worker that takes longer is killed, and the question stays open."""


class NoAnswer(Exception):
    """The worker could not be asked: nothing is known of what was asked."""


class WorkerVerifier:
    """Implements `Resolver` and `subagents.verifying.Verifier` by asking an agent's worker."""

    def __init__(self, agent: AgentName, workers: Workers, clock: Clock) -> None:
        """Make it on the event loop that the workers belong to."""
        self._agent, self._workers, self._clock = agent, workers, clock
        self._loop = asyncio.get_running_loop()

    def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Return the evidence as it is now; raises ToolError where it cannot be opened, NoAnswer."""
        return Evidence.model_validate(self._ask("resolve", {"ref": ref, "context_lines": context_lines}))

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return a fact's value computed anew; raises ToolError, NoAnswer."""
        given = {"fact": fact.model_dump(mode="json"), "board": [one.model_dump(mode="json") for one in board]}
        found = self._ask("recompute", given)
        return None if found is None else Recomputed.model_validate(found)

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say whether the sources know a name; raises NoAnswer."""
        answer: bool | None = self._ask("has", {"kind": kind, "name": name})
        return answer

    def span(self) -> Window | None:
        """Return the time that the sources cover; raises NoAnswer."""
        found = self._ask("span", {})
        return None if found is None else Window.model_validate(found)

    def _ask(self, what: str, given: Mapping[str, Any]) -> Any:
        message = {VERIFY: what, "agent": self._agent, **given}
        reply = asyncio.run_coroutine_threadsafe(self._asked(message), self._loop).result()
        if "error" in reply:
            raise (ToolError if reply.get("kind") == "tool" else NoAnswer)(str(reply["error"]))
        return reply["answer"]

    async def _asked(self, message: Mapping[str, Any]) -> dict[str, Any]:
        try:
            async with self._workers.place(self._agent, asyncio.Event()) as worker:
                reply = in_thread(lambda: worker.ask(message), f"verify-{self._agent}")
                limit = asyncio.ensure_future(self._clock.sleep(ANSWER_S))
                awaited: set[asyncio.Future[Any]] = {reply, limit}
                try:
                    await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
                    if reply.done():
                        return reply.result()
                finally:
                    limit.cancel()
                    if not reply.done():
                        worker.kill()
                        reply.cancel()
        except (WorkerGone, ToolError) as error:
            raise NoAnswer(str(error)) from error
        raise NoAnswer(f"not answered after {ANSWER_S:g} s")
