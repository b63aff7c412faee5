"""The one path for every tool call, whoever asks for it.

    requested -> policy decided -> (ask: approval) -> started -> run -> finished -> result handed over -> acknowledged

Each step is a durable event; steps between which nothing can happen share a transaction. `Hands.call` may be asked
again with the same id at any moment, also by another process after a crash: what is finished is handed over again;
what was only asked for runs; what was started and is read-only or keyed runs again with the same key; what was started
and is neither is `unknown`, said to human and model alike.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from orchestrator.hands.approvals import Approvals
from orchestrator.hands.budget import SPENT, Budget
from orchestrator.hands.calls import (
    Call,
    OutcomeKnown,
    Recorded,
    Use,
    deny,
    interrupted_call,
    understood,
    which_arguments,
)
from orchestrator.hands.execute import Job, execute
from orchestrator.hands.fix_events import fix_entries
from orchestrator.hands.policy import Decision, Policy
from orchestrator.hands.redacting import redacted_json
from orchestrator.hands.results import Keeper, Ran, Sealed, plain_input
from orchestrator.hands.session_rules import call_detail
from orchestrator.hands.steps import Steps, entry
from orchestrator.hands.threads import in_thread
from orchestrator.hands.watching import Watching
from orchestrator.hands.workers import WorkerProcess, Workers
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    AgentCustomToolUse,
    Event,
    Note,
    PolicyDecided,
    Redacted,
    ResultAcknowledged,
    ToolFinished,
    ToolStarted,
    UserCustomToolResult,
    text_content,
)
from orchestrator.journal.faults import DiskFull, JournalError
from subagents.contract import AgentName, Clock, Finding, Outcome, Params, Tool, ToolError, ToolResult
from subagents.specialist import Roster

ID_LIMIT = 200
"""Most characters of a call's id."""


@dataclass
class Hands:
    """Carries calls out. Holds what engines must not: the journal, the workers, the policy, the approvals."""

    steps: Steps
    keeper: Keeper
    policy: Policy
    approvals: Approvals
    workers: Workers
    clock: Clock
    findings: Callable[[], tuple[Finding, ...]] = tuple
    """The findings of the session so far, for arguments named `finding_ids`."""
    log: Callable[[str], None] = lambda text: None
    """Where traces go: never to a screen, and redacted first."""
    acknowledge: bool = True
    """Record that the engine has its result. False for an engine that learns of it from a server and records it."""
    roster: Roster = field(default_factory=lambda: Roster({}))
    """The agents as they are now; the session replaces it when a source is added."""
    budget: Budget | None = None
    """What may be spent; None: nothing is bounded."""
    watching: Watching | None = None
    """Who is shown how far a running call is."""
    _running: dict[str, Call] = field(default_factory=dict)
    _acknowledging: set[asyncio.Task[None]] = field(default_factory=set)

    async def call(self, agent: AgentName, thread: str, use: Use, *, by_person: bool = False) -> ToolResult[Any]:
        """Carry a call out, or return what it gave before. Raises only what the journal raises."""
        try:
            call = await self._read(agent, thread, use, by_person)
        except ToolError as error:
            return await self._refuse(thread, str(error))
        running = self._running.get(call.id)
        if running is None:
            running = self._running[call.id] = call
            call.task = asyncio.create_task(self._settle(call), name=f"call-{call.id}")
            call.task.add_done_callback(lambda task: self._ended(call.id, task))
        elif not running.same(call):
            return await self._refuse(thread, f"call {call.id}: another call with this id is running; use a new id")
        try:
            result = await asyncio.shield(running.work())
        except asyncio.CancelledError:
            running.cancelled.set()
            raise
        if self.acknowledge and running.answered:
            self._acknowledge(call)
        return result

    async def recover(self, agent: AgentName, event: Event) -> ToolResult[Any] | None:
        """Settle a call that an earlier process left unanswered and that the engine did not ask for again."""
        body, call_id = event.body, event.source_id
        if not isinstance(body, AgentCustomToolUse) or call_id is None or call_id in self._running:
            return None
        use = Recorded(call_id, body.name, body.input)
        if self.steps.read(f"redacted:{call_id}") is None:
            return await self.call(agent, event.thread, use)
        call = Call(agent, event.thread, call_id, body.name, dict(body.input), dict(body.input), secret=True)
        ran = Ran("error", message=f"{body.name}: not run; its arguments held a secret, which was not kept. Ask again.")
        if (attempts := self._attempts(call_id)) and attempts[-1].effect == "unkeyed":
            ran = interrupted_call(call)
        return await self._finish(call, None, ran)

    async def abandon(self, agent: AgentName, thread: str, use: Use) -> None:
        """Settle a call whose result nobody takes any more: it does not start; one that had started is `unknown`."""
        with suppress(ToolError):
            call = await self._read(agent, thread, use, False)
            running = self._running.setdefault(call.id, call)
            running.cancelled.set()
            if running is call:
                call.task = asyncio.create_task(self._settle(call), name=f"abandon-{call.id}")
                call.task.add_done_callback(lambda task: self._ended(call.id, task))
            await asyncio.shield(running.work())

    def cancel(self, thread: str | None = None) -> int:
        """Cancel what agents have running, everywhere or on one thread, for good; return how many calls that were."""
        chosen = [call for call in self._running.values() if thread in (None, call.thread) and not call.apart]
        for call in chosen:
            call.cancelled.set()
        return len(chosen)

    def stop(self, *, persons: bool = False) -> None:
        """Stop what runs because the session stops. As after a crash: what can run again does so when asked again."""
        for call in self._running.values():
            if persons or not call.apart:
                call.put_off = not call.apart  # who looked is gone by then
                call.cancelled.set()

    def running(self) -> tuple[str, ...]:
        """Return the ids of the calls on their way."""
        return tuple(self._running)

    async def settled(self, *, persons: bool = False) -> None:
        """Wait until every call of agents has ended, with `persons` theirs too, and every result is acknowledged."""
        running = [call for call in self._running.values() if persons or not call.apart]
        tasks = [call.task for call in running if call.task is not None]
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.acknowledged()

    async def acknowledged(self) -> None:
        """Wait until every result that an engine has is recorded as acknowledged."""
        await asyncio.gather(*self._acknowledging)

    async def close(self) -> None:
        """Stop every call, wait until each has ended, and end the workers."""
        self.stop(persons=True)
        await self.settled(persons=True)
        await self.workers.close()

    def _ended(self, call_id: str, task: asyncio.Task[ToolResult[Any]]) -> None:
        self._running.pop(call_id, None)
        if not task.cancelled():
            task.exception()  # taken here, since whoever asked may be gone

    # -- the steps ---------------------------------------------------------------------------

    async def _read(self, agent: AgentName, thread: str, use: Use, by_person: bool) -> Call:
        if not use.id or len(use.id) > ID_LIMIT or not use.id.isprintable():
            raise ToolError(f"the id of a call is 1 to {ID_LIMIT} printable characters; this one was refused")
        try:
            arguments = plain_input(use.input)
        except ToolError as error:
            # Recorded as refused, so that the asking and its answer are in the journal like any other.
            arguments = {"refused": str(error)}
        recorded, counts = await redacted_json(self.keeper.redactor, arguments)
        name = use.name[:ID_LIMIT].encode("utf-8", "replace").decode()
        tool = self.roster.tool(agent, name)
        apart = by_person and tool is not None and tool.effect == "read"
        call = Call(agent, thread, use.id, name, arguments, recorded, by_person, apart, bool(counts))
        body = AgentCustomToolUse(name=call.name, input=recorded)
        entries = [Entry(body=body, thread=thread, source_id=call.id)]
        if counts:
            redacted = Redacted(where=f"arguments of {call.id}", counts=dict(counts))
            entries.append(entry(redacted, thread, f"redacted:{call.id}"))
        known = self.steps.call(call.id) or (await self.steps.write_all(*entries))[0]
        if known.body != body or known.thread != thread:
            raise ToolError(
                f"call {call.id}: this id was used before, for another call ({known.type} on {known.thread}); "
                "nothing was run. Use a new id"
            )
        return call

    def _acknowledge(self, call: Call) -> None:
        """Record that the engine has its result, without keeping it waiting for that."""

        async def write() -> None:
            # A full disk while the session stops: the result is handed over again next time.
            with suppress(JournalError):
                await self.steps.write(ResultAcknowledged(tool_use_id=call.id), call.thread, f"acknowledged:{call.id}")

        task = asyncio.create_task(write(), name=f"acknowledge-{call.id}")
        self._acknowledging.add(task)
        task.add_done_callback(self._acknowledging.discard)

    async def _refuse(self, thread: str, reason: str) -> ToolResult[Any]:
        await self.steps.write_all(Entry(body=Note(text=reason, level="warning"), thread=thread))
        return ToolResult(text=reason, outcome="denied")

    async def _settle(self, call: Call) -> ToolResult[Any]:
        tool = self.roster.tool(call.agent, call.name)
        finished = self.steps.read(f"finished:{call.id}")
        if isinstance(finished, ToolFinished):
            return await self._hand_over(call, tool, finished)
        try:
            ran = await self._carry_out(call, tool)
        except OutcomeKnown as known:
            ran = known.ran
        finally:
            if self.budget is not None:
                self.budget.release(call.id)
        if call.put_off and ran.outcome == "cancelled":
            return ToolResult(
                text=f"{call.name}: the session was stopped; it runs when that goes on", outcome="cancelled"
            )
        return await self._finish(call, tool, ran)

    async def _carry_out(self, call: Call, tool: Tool[Any, Any] | None) -> Ran:
        attempts = self._attempts(call.id)
        if attempts and attempts[-1].effect == "unkeyed":
            raise OutcomeKnown(interrupted_call(call))
        decision = self._decide(call, tool)
        if tool is None or decision.answer == "deny":
            raise deny(f"{call.name}: denied ({decision.rule}): {decision.reason or 'by policy'}")
        arguments = self._arguments(call, tool)
        findings = self._findings(call, arguments)
        self._admit(call)
        if decision.answer == "ask":
            await self._ask(call, call_detail(call.agent, tool, call.arguments, decision))
        job = Job(call.agent, tool, arguments.model_dump(mode="json"), call.id, findings, call.cancelled)
        async with AsyncExitStack() as stack:
            worker = await self._place(stack, job, beside=call.by_person and tool.beside)
            if call.cancelled.is_set():
                raise OutcomeKnown(Ran("cancelled", message=f"{call.name}: cancelled before it started."))
            job, cut_off = self._in_time(call, job)
            attempt, effect = len(attempts) + 1, tool.effect
            started = ToolStarted(tool_use_id=call.id, tool=tool.name, effect=effect, attempt=attempt, apart=call.apart)
            await self._commit(call, entry(started, call.thread, f"started:{started.attempt}:{call.id}"))
            if self.watching is not None:
                job = replace(job, tell=stack.enter_context(self.watching.call(call.thread, call.id, tool.name)))
            ran = await execute(job, self.clock, worker)
        if ran.trace:
            told, _ = await redacted_json(self.keeper.redactor, f"{call.agent} {call.name} {call.id}\n{ran.trace}")
            self.log(told)
        return Ran("timeout", message=cut_off, seconds=ran.seconds) if cut_off and ran.outcome == "timeout" else ran

    def _admit(self, call: Call) -> None:
        """Reserve the call, or refuse it where the budget is spent; what a person asks for is no agent's spending."""
        refused = None
        if self.budget is not None and not call.by_person:
            refused = self.budget.admit(call.agent, call.id, call.name)
        if refused is not None:
            raise deny(f"{refused.reason}; {call.name} was not run")

    def _in_time(self, call: Call, job: Job) -> tuple[Job, str]:
        """Let a call run no longer than the budget's time, and return what is said where that stops it."""
        left = None if self.budget is None or call.by_person else self.budget.time_left(call.agent)
        if left is None or left >= job.tool.timeout_s:
            return job, ""
        if left <= 0:
            raise deny(f"{SPENT}: the session's time was up before {call.name} could start")
        return replace(job, tool=replace(job.tool, timeout_s=left)), f"{SPENT}: {call.name} ran into the session's time"

    def _attempts(self, call_id: str) -> list[ToolStarted]:
        attempts: list[ToolStarted] = []
        while isinstance(body := self.steps.read(f"started:{len(attempts) + 1}:{call_id}"), ToolStarted):
            attempts.append(body)
        return attempts

    def _decide(self, call: Call, tool: Tool[Any, Any] | None) -> Decision:
        """Decide now; an earlier decision still counts where it was the stricter one."""
        arguments = call.arguments if tool is None else understood(tool, call.arguments)
        decision = self.policy.decide(call.agent, tool, arguments, by_person=call.by_person)
        if decision.answer == "ask" and tool is not None and not tool.outward and not call.secret:
            given = self.approvals.rules.answer(call_detail(call.agent, tool, call.arguments, decision))
            decision = given or decision
        times = 1
        while isinstance(body := self.steps.read(f"policy:{times}:{call.id}"), PolicyDecided):
            earlier = Decision(answer=body.decision, rule=body.rule, reason=body.reason)
            if (decision := earlier.stricter(decision)) is earlier:
                return earlier
            times += 1
        body = PolicyDecided(
            tool_use_id=call.id,
            agent=call.agent,
            tool=call.name,
            decision=decision.answer,
            rule=decision.rule,
            reason=decision.reason,
        )
        call.unwritten.append(entry(body, call.thread, f"policy:{times}:{call.id}"))
        return decision

    def _arguments(self, call: Call, tool: Tool[Any, Any]) -> Params:
        try:
            arguments: Params = tool.params.model_validate(call.arguments)
        except ValidationError as error:
            raise OutcomeKnown(Ran("error", message=f"{call.name}: {which_arguments(call, error)}")) from None
        return arguments

    def _findings(self, call: Call, arguments: Params) -> tuple[Finding, ...]:
        wanted = getattr(arguments, "finding_ids", None)
        if not wanted:
            return ()
        board = {finding.id: finding for finding in self.findings()}
        missing = [name for name in wanted if name not in board]
        if missing:
            message = f"{call.name}: no finding {', '.join(map(str, missing))} is on the board (finding_ids)"
            raise OutcomeKnown(Ran("error", message=message))
        return tuple(board[name] for name in wanted)

    async def _ask(self, call: Call, detail: dict[str, Any]) -> None:
        if call.secret:
            raise deny(f"{call.name}: its arguments hold a secret, so a person cannot be shown what would be done")
        await self._commit(call)
        request = await self.approvals.request(call.thread, "tool_call", f"call:{call.id}", detail)
        waiting = asyncio.ensure_future(self.approvals.wait(request.id))
        cancel = asyncio.ensure_future(call.cancelled.wait())
        try:
            await asyncio.wait({waiting, cancel}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                if not call.put_off:
                    await self.approvals.void(request.id, request.digest, "cancelled")
                raise OutcomeKnown(Ran("cancelled", message=f"{call.name}: cancelled while it waited for a person."))
            decided = waiting.result()
        finally:
            waiting.cancel()
            cancel.cancel()
        if decided.decision == "approve" and not self.approvals.binds(request.id, detail):
            decided = await self.approvals.void(request.id, request.digest, "the call is not the one that was approved")
        if decided.decision != "approve":
            verb = {"reject": "not approved", "void": "the approval is void"}[decided.decision]
            raise deny(f"{call.name}: {verb}: {decided.reason or f'{decided.by} gave no reason'}")

    async def _place(self, stack: AsyncExitStack, job: Job, *, beside: bool) -> WorkerProcess | None:
        if not job.tool.worker:
            return None
        try:
            return await stack.enter_async_context(self.workers.place(job.agent, job.cancelled, beside))
        except ToolError as error:
            outcome: Outcome = "cancelled" if job.cancelled.is_set() else "error"
            raise OutcomeKnown(Ran(outcome, message=f"{job.tool.name}: {error}")) from None

    async def _finish(self, call: Call, tool: Tool[Any, Any] | None, ran: Ran) -> ToolResult[Any]:
        sealed = await in_thread(lambda: self.keeper.seal(call.id, call.name, tool, ran), f"seal-{call.id}")
        while True:
            try:
                finished = await self.keeper.keep(sealed)
                break
            except DiskFull:
                await self.steps.wait_for_room()
        made = fix_entries(call.thread, call.name, Sealed(finished, sealed.blob))
        await self._commit(call, entry(finished, call.thread, f"finished:{call.id}"), *made, _handed(call, finished))
        return await self._told(call, tool, finished)

    async def _hand_over(self, call: Call, tool: Tool[Any, Any] | None, kept: ToolFinished) -> ToolResult[Any]:
        if self.steps.read(f"result:{call.id}") is None:
            await self._commit(call, _handed(call, kept))
        return await self._told(call, tool, kept)

    async def _commit(self, call: Call, *entries: Entry) -> None:
        """Record steps, and what the call has not recorded yet, in one transaction."""
        await self.steps.write_all(*call.unwritten, *entries)
        call.unwritten.clear()

    async def _told(self, call: Call, tool: Tool[Any, Any] | None, kept: ToolFinished) -> ToolResult[Any]:
        call.answered = True
        return await in_thread(lambda: self.keeper.unseal(tool, kept), f"unseal-{call.id}")


def _handed(call: Call, kept: ToolFinished) -> Entry:
    body = UserCustomToolResult(
        custom_tool_use_id=call.id, content=text_content(kept.text), is_error=kept.outcome != "ok"
    )
    return entry(body, call.thread, f"result:{call.id}")
