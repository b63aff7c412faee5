"""One run at one session: what comes by the streams, what the person says, the budget, and how it ends.

Whatever happens sets a mark and wakes `_decide`, which alone ends the run: at rest with a conclusion, without one after
two reminders, or for a reason that the server names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.base import Desk
from orchestrator.engines.managed.access import Access
from orchestrator.engines.managed.answers import Answers
from orchestrator.engines.managed.budgets import Caps, PricedSink, role_of
from orchestrator.engines.managed.capping import Cap
from orchestrator.engines.managed.claims import lost_to
from orchestrator.engines.managed.delivered import CALL, CAUGHT_UP, RESULT, Delivered, part_of, text_of
from orchestrator.engines.managed.dispatch import Dispatcher
from orchestrator.engines.managed.endings import (
    Ending,
    ending_of,
    ending_of_stream,
    lost_for_long,
    not_there,
    taken_over_by,
)
from orchestrator.engines.managed.interrupts import Interrupts
from orchestrator.engines.managed.nonces import nonce_of
from orchestrator.engines.managed.outbox import MESSAGE, Outbox, Words
from orchestrator.engines.managed.person import Person
from orchestrator.engines.managed.remote_sessions import HOST_KEY
from orchestrator.engines.managed.sending import Sender
from orchestrator.engines.managed.streams import Health, Streams, StreamsEnded, Terms
from orchestrator.engines.managed.unconcluded import record_unconcluded
from orchestrator.engines.reporting import CONCLUDE, REPORT_TOOLS
from orchestrator.journal.events import MAIN_THREAD, Note, RemoteSession, StatusRescheduled, StatusRunning
from orchestrator.journal.events import StatusTerminated as Terminated

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

REMINDERS: Final = 2
REMINDER: Final = (
    f"There is no conclusion on record yet. Go on from where you are, and end with `{CONCLUDE}`; "
    "`inconclusive` is a good answer when it is the truth."
)
GO_ON: Final = "Go on with the investigation from where it stopped."
LEFT: Final = "nobody is here; the agents go on at the service until they need a tool; resume catches up"
TICK_S: Final = 2.0
_STATUS: Final = "session.status_"


@dataclass(frozen=True)
class Setting:
    """What a run is made of."""

    desk: Desk
    client: AsyncAnthropic
    access: Access
    remote: RemoteSession
    resumed: bool = False
    """The session was there before this run: at rest, it must be told to go on."""


class Conduct:
    """See the module. `run` once."""

    def __init__(self, setting: Setting) -> None:
        self._setting, self._desk = setting, setting.desk
        desk, remote = setting.desk, setting.remote
        sender = Sender(setting.client, remote.id, desk.clock)
        self._caps = Caps(desk.budget)
        self._cap = Cap(setting.client, remote.id, desk)
        self._person = Person(desk)
        self._outbox = Outbox(desk, sender, remote.nonce or remote.id)
        self._interrupts = Interrupts(desk, sender)
        self._dispatcher = Dispatcher(desk, Answers(sender), self._told, self._fail)
        self._sink = sink = PricedSink(desk, {MAIN_THREAD: setting.access.coordinator.model} | _models(setting.access))
        self._streams = Streams(setting.client, remote.id, sink, desk.clock, Terms(echoed=self._is_echo))
        self._moved = asyncio.Event()
        self._over: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()
        self._caught_up = False
        self._idle: Delivered | None = None
        """The session's last status, while that is idle."""
        self._resting_since_start = False
        self._reminded = 0
        self._told_to_conclude = False
        self._stopping_threads = 0
        """Interrupts of single threads on their way: what the coordinator is told of them comes next."""
        self._stopping: Ending | None = None
        """Set once everything was interrupted from here because of the budget."""
        self._taken_by = ""
        """The host that has taken the hands over; empty: they are here."""
        self._goes_on = False
        """It began to run since it was last told to stop."""
        self._rescheduled = False
        self._error = ""
        """What the last session.error said."""
        self._tasks: set[asyncio.Task[Any]] = set()

    @property
    def health(self) -> Health:
        """How the connection is."""
        return self._streams.health

    @property
    def left(self) -> list[Words]:
        """What was not sent."""
        return self._outbox.left()

    def say(self, words: Words) -> None:
        """Say something to the session, once."""
        self._outbox.put(words)
        self._moved.set()

    async def run(self) -> Ending:
        """Work until it ends; raises EngineError where the session cannot be followed any further."""
        streams = self._spawn(self._follow(), "streams")
        for work, name in (
            (self._decide(), "decide"),
            (self._outbox.work(), "outbox"),
            (self._person.listen(self.say, self._stop_by_person), "inbox"),
            (self._tick(), "tick"),
        ):
            self._spawn(work, name)
        cancel = asyncio.ensure_future(self._desk.cancel.wait())
        try:
            await asyncio.wait((self._over, cancel), return_when=asyncio.FIRST_COMPLETED)
            if self._over.done():
                return self._over.result()
            return await self._cancelled()
        finally:
            cancel.cancel()
            await self._dispatcher.stop()
            for task in (*self._tasks, streams):
                task.cancel()
            await asyncio.gather(*self._tasks, streams, return_exceptions=True)
            if self._over.done():
                self._over.exception()

    # -- what comes --------------------------------------------------------------------------

    async def _follow(self) -> None:
        try:
            ending = await self._streams.run(self._handle)
        except StreamsEnded as ended:
            if not ended.absent:
                raise
            await self._end(not_there(self._setting.remote.id, self._setting.access.endpoint.host))
            return
        await self._dispatcher.settled()
        await self._end(ending_of_stream(ending))

    async def _handle(self, one: Delivered) -> None:
        kind = one.type
        if kind == CAUGHT_UP:
            self._take_caught_up(one)
        elif kind == CALL:
            self._take_call(one)
        elif kind == RESULT and one.primary:
            self._dispatcher.acknowledge(one)
        elif kind == MESSAGE:
            self._outbox.hear(one)
        elif kind == "span.model_request_end" and not one.replayed:
            self._check_thread(one.thread)
        elif one.primary and kind.startswith("session."):
            await self._take_session(one)
        if one.primary and kind.startswith(("session.", RESULT)) and not one.replayed:
            self._dispatcher.keep_only(self._streams.open_calls)
        self._moved.set()

    async def _take_session(self, one: Delivered) -> None:
        if one.type.startswith(_STATUS):
            await self._take_status(one)
        elif one.type == "session.error":
            self._error = f"{one.error_type}: {one.error_message}"
        elif one.type in ("session.usage", "session.updated"):
            self._cap.learn(one.raw)
            if HOST_KEY in part_of(one.raw, "metadata"):
                self._taken_by = lost_to(one.raw, self._setting.access.install)

    def _take_caught_up(self, one: Delivered) -> None:
        if one.primary and not self._caught_up:
            self._caught_up = True
            self._resting_since_start = self._setting.resumed and self._idle is not None
        if one.primary:
            self._dispatcher.keep_only(one.open_calls)

    def _take_call(self, one: Delivered) -> None:
        is_open = one.open and (one.replayed or one.id in self._streams.open_calls)
        if is_open and self._interrupts.stopped(one.thread):
            is_open = False  # it is being interrupted: nobody takes the result
        if is_open and one.name not in REPORT_TOOLS and self._caps.goes_on(one.thread, called=True):
            self._spawn(self._stop_thread(one.thread), "stop-thread")
        self._dispatcher.take(one, is_open=is_open)

    async def _take_status(self, one: Delivered) -> None:
        what = one.type.removeprefix(_STATUS)
        if what == "idle":
            self._idle = one
            blocked = one.stop_reason == "requires_action"
            at_cap = one.stop_reason == "budget_reached"
            if one.stop_reason == "retries_exhausted":
                self._outbox.flushed()
            self._outbox.takes(
                "a call waits for your decision; decide, or interrupt" if blocked
                else "the budget is reached; raise it" if at_cap else ""
            )  # fmt: skip
        elif what in ("running", "rescheduled"):
            self._idle, self._goes_on = None, True
            self._resting_since_start, self._cap.raised_at = False, None
            self._outbox.takes()
        if not one.replayed and what in ("running", "rescheduled", "idle"):
            await self._reschedule(what == "rescheduled")

    async def _reschedule(self, waits: bool) -> None:
        """Say in our own status that the server retries, and that it goes on."""
        if waits == self._rescheduled or self._desk.cancel.is_set():
            return
        self._rescheduled = waits
        body = StatusRescheduled(reason=self._error) if waits else StatusRunning(reason="the service goes on")
        await self._desk.record(body, thread=MAIN_THREAD)

    def _is_echo(self, raw: Mapping[str, Any]) -> bool:
        if raw.get("type") == "user.interrupt":
            return self._interrupts.is_ours(text_of(raw, "id"))
        return raw.get("type") == MESSAGE and self._outbox.is_ours(nonce_of(raw))

    # -- interrupting ------------------------------------------------------------------------

    async def _interrupt(self, thread: str, words: str) -> None:
        """Stop one thread there and tell the coordinator, who would wait for its report for ever."""
        identity = self._streams.thread_id(thread)
        if identity is None:
            text = f"{thread} has no thread at the service, so there is nothing to interrupt"
            await self._desk.record(Note(text=text, level="warning"), thread=MAIN_THREAD)
            return
        self._dispatcher.cancel_thread(thread)
        self._stopping_threads += 1
        try:
            if (sent := await self._interrupts.send(thread, identity)) is not None:
                self.say(Words(f"stopped-{sent}", words))
        finally:
            self._stopping_threads -= 1
            self._moved.set()

    async def _stop_by_person(self, thread: str) -> None:
        told = f"The person on call stopped {thread}. It sends no report."
        await self._interrupt(thread, f"{told} Go on without it, or give it another task.")

    async def _cancelled(self) -> Ending:
        """Stop there what the person stopped here; where they only left, it goes on there as far as it can."""
        if not self._person.stopped_all():
            return Ending("interrupted", LEFT)
        sent = await self._interrupts.send_all_in_time()
        if sent:
            return Ending("interrupted", "")
        return Ending("interrupted", "the service could not be told; the session goes on there until it needs a tool")

    # -- the budget --------------------------------------------------------------------------

    async def _told(self, thread: str, text: str) -> None:
        self._caps.answered(thread, text)

    def _check_thread(self, thread: str) -> None:
        if self._caps.goes_on(thread):
            self._spawn(self._stop_thread(thread), "stop-thread")

    async def _stop_thread(self, thread: str) -> None:
        text = f"{role_of(thread)} has used up its budget and was stopped. It sends no report."
        await self._interrupt(thread, f"{text} Go on with what is on the board.")

    async def _check_session(self) -> None:
        """Tell the coordinator once that ordinary work is over; stop all where even the rest is used up."""
        if self._stopping is not None:
            if self._idle is None and self._goes_on:  # what was queued there woke it again
                self._goes_on = False
                await self._interrupts.send_all()
            return
        if not self._caught_up or self._dispatcher.concluded:
            return
        if (gone := self._caps.all_spent()) is not None:
            self._stopping = Ending("budget_reached", gone.reason)
            self._outbox.drop_own()
            await self._interrupts.send_all()
        elif not self._told_to_conclude and (spent := self._caps.session_spent()) is not None:
            self._told_to_conclude = True
            text = f"{spent.reason}. Give out no more work. Conclude now with `{CONCLUDE}` from what is on the board."
            self.say(Words(f"conclude-{self._desk.budget.resumptions}", text))

    async def _tick(self) -> None:
        while True:
            await self._desk.clock.sleep(TICK_S)
            self._moved.set()

    # -- how it ends -------------------------------------------------------------------------

    async def _decide(self) -> None:
        while True:
            self._moved.clear()
            await self._look()
            await self._moved.wait()

    async def _look(self) -> None:
        health = self._streams.health
        if (lost := lost_for_long(health, self._setting.access.endpoint.host)) is not None:
            await self._end(lost)
            return
        if self._caught_up and self._taken_by:
            await self._give_over(self._taken_by)
            return
        await self._check_session()
        if not self._caught_up:
            return
        await self._cap.follow(at_cap=self._idle is not None and self._idle.stop_reason == "budget_reached")
        if self._idle is None or self._stopping_threads or self._desk.cancel.is_set() or self._has_words(self._idle):
            return
        await self._at_rest(self._idle)

    def _has_words(self, idle: Delivered) -> bool:
        """Say whether something that was said will still wake a session at rest; at the cap nothing does."""
        return idle.stop_reason != "budget_reached" and not self._outbox.is_empty

    async def _at_rest(self, idle: Delivered) -> None:
        reason = idle.stop_reason
        if reason == "requires_action":
            return
        if self._cap.wakes():
            return
        if self._cap.raised_at is not None:  # it did not go on by itself
            self._cap.raised_at = None
            self.say(Words(f"raised-{idle.id}-{self._cap.there}", f"The budget was raised. {GO_ON}"))
            return
        stays = reason in ("refusal", "budget_reached") or self._dispatcher.concluded
        if self._resting_since_start and not stays:
            self._resting_since_start = False
            self.say(Words(f"go-on-{idle.id}", f"{GO_ON} {REMINDER}"))
            return
        ending = self._stopping or ending_of(idle, self._error)
        if ending.stop == "end_turn" and not self._dispatcher.concluded:
            if self._reminded < REMINDERS:
                self._reminded += 1
                self.say(Words(f"reminder-{idle.id}", REMINDER))
                return
            ending = Ending("end_turn", "the model ended without a conclusion; the verdict is the board's")
        await self._streams.settle()
        await self._sink.settle()
        await self._dispatcher.settled()
        if self._idle is not idle or self._has_words(idle):
            return  # something new came meanwhile
        if ending.stop == "end_turn" and self._told_to_conclude:
            ending = Ending("budget_reached", "")
        await self._end(ending)

    async def _give_over(self, host: str) -> None:
        """Another host carries the calls out from now on: nothing is run here any more, and that is on record."""
        await self._dispatcher.stop()
        lost = self._setting.remote.model_copy(update={"act": "lost", "by": host})
        await self._desk.record(lost, thread=MAIN_THREAD)
        await self._end(taken_over_by(host))

    async def _end(self, ending: Ending) -> None:
        if self._over.done():
            return
        knows = self._caught_up or not ending.absent  # whether it was concluded before
        if ending.needs_verdict and knows and not self._dispatcher.concluded:
            await record_unconcluded(
                self._desk, ending.why or ending.stop, f"board-{self._setting.remote.id}-{ending.stop}"
            )
        if ending.final:
            await self._desk.record(Terminated(reason=ending.why), thread=MAIN_THREAD)
        if not self._over.done():
            self._over.set_result(ending)

    # -- tasks -------------------------------------------------------------------------------

    def _spawn(self, work: Coroutine[Any, Any, Any], name: str) -> asyncio.Task[Any]:
        task = asyncio.create_task(work, name=f"managed-{name}")
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if not self._over.done():
            self._over.set_exception(error)
        self._moved.set()


def _models(access: Access) -> dict[str, str]:
    return {role: ref.model for role, ref in access.specialists.items()}
