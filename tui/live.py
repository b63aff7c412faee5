"""A session of this process behind the screens: opened, followed, run, left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

from orchestrator.hands.threads import in_thread
from orchestrator.journal.events import BoardEdited, Event, SourceAddedEvent
from orchestrator.session import Session, SessionFault
from orchestrator.verdict.board_edits import Act
from tui.attaching import taken_in
from tui.session_view import ASKED, ActFault, SessionView
from tui.watching import WatchedSession, status_of

if TYPE_CHECKING:
    from orchestrator.compose import Request, Surroundings
    from orchestrator.hands.fix_desk import FixDesk
    from orchestrator.session.editing import Candidate
    from subagents.contract import Evidence, SourceSpec, ToolResult
    from subagents.specialist import Roster

T = TypeVar("T")
_ACTS: dict[str, Act] = {act: act for act in get_args(Act)}

BY_COORDINATOR = (
    "It goes to the orchestrator. To steer one specialist, begin with @ and its name: @logs look at the gateway. "
    "That goes through the orchestrator too, which passes it on."
)
SLICE_S = 0.008
"""Longest that catching up holds the event loop at a time."""


class LiveSession:
    """A session that this process holds; implements `SessionActs`."""

    def __init__(self, session: Session, around: Surroundings) -> None:
        self._session = session
        self._around = around
        self.view = SessionView(around.clock, self)
        self._follower = asyncio.create_task(self._follow(), name=f"follow-{session.id}")
        self._run: asyncio.Task[None] | None = None
        self._asked = 0
        self.view.health = lambda: session.health
        session.on_preview(self.view.preview)
        session.on_call_preview(self.view.call_preview)

    # -- SessionActs -------------------------------------------------------------------------

    watches = False
    free = False

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._session.id

    @property
    def directory(self) -> Path:
        """The session's folder."""
        return self._session.directory

    @property
    def running(self) -> bool:
        """Whether the engine works now."""
        return self._run is not None and not self._run.done()

    @property
    def why_not(self) -> str:
        """Nothing is in the way: this process holds the session."""
        return ""

    @property
    def engine(self) -> str:
        """The engine's name."""
        opened = self.view.incident.opened
        return opened.engine if opened else ""

    @property
    def takes_up(self) -> str:
        """What the engine makes of a message, where that is not obvious."""
        if self.engine == "managed":
            return BY_COORDINATOR
        if self.engine != "offline":
            return ""
        from orchestrator.engines.offline.engine import TAKES_UP

        return TAKES_UP

    @property
    def leaving(self) -> str:
        """What leaving means for this engine."""
        if self.engine == "managed":
            return "the agents go on without this window; opening the session again catches up"
        return "it stops with this window and goes on when it is opened again"

    @property
    def roster(self) -> Roster:
        """The agents with their tools and resolvers, for who opens evidence."""
        return self._session.roster

    @property
    def fixes(self) -> FixDesk | None:
        """The desk of fixes."""
        return self._session.fixes

    def go_on(self, reason: str = "") -> None:
        """Let the engine work."""
        if self.running:
            raise ActFault("it is working already")
        if self._session.standing.status == "terminated":
            raise ActFault("the session is over; start a new one on the same inputs")
        self.view.say("")
        self._run = asyncio.create_task(self._work(reason), name=f"run-{self.session_id}")

    async def _work(self, reason: str) -> None:
        try:
            await self._session.run(reason)
        except SessionFault as fault:
            self.view.say(str(fault))
        except Exception as error:  # the screen shows it; the session is kept as it is
            from tui.commands.faults import log_fault

            where = log_fault(error)
            self.view.say(f"the work stopped ({type(error).__name__}); details are in {where or 'no log'}")

    async def message(self, text: str, to: str | None = None) -> None:
        """Steer or ask; where the engine has stopped, the message is kept and the next run takes it up."""
        await self._guarded(self._session.message(text, to))

    async def interrupt(self, thread: str | None = None) -> None:
        """Stop one agent's work, or all."""
        if not self.running:
            raise ActFault("nothing is running")
        await self._guarded(self._session.interrupt(thread))

    async def attach(self, path: str) -> str:
        """Take in a path as `warroom run` would, and give the session what is new; starts a run where none is on."""
        from orchestrator.compose import joining

        specs, problems = await taken_in(path, self._around, self.directory)
        known = self._sources()
        fresh = [spec for spec in specs if spec.path not in {one.path for one in known}]
        if not fresh:
            why = problems[0].line() if problems else "it is part of the session already" if specs else "nothing usable"
            raise ActFault(f"{path}: {why}")
        for spec in joining(fresh, known, self.directory):
            await self._guarded(self._session.add_source(spec, None))
        if not self.running:
            self.go_on("source_added")
        said = ", ".join(f"{spec.id} ({spec.kind})" for spec in fresh[:5])
        return said + (f" and {len(fresh) - 5} more" if len(fresh) > 5 else "")

    def _sources(self) -> list[SourceSpec]:
        found = self._session.journal.events(types={"warroom.source_added"})
        return [event.body.spec for event in found if isinstance(event.body, SourceAddedEvent)]

    async def note(self, text: str) -> None:
        """Keep a line for the record."""
        await self._guarded(self._session.note(text))

    async def edit_board(self, act: str, text: str, note: str = "") -> str:
        """Edit the board, as this user; return what was done, in words."""
        from orchestrator.session.settings import person
        from orchestrator.verdict.board_edits import done

        event = await self._guarded(self._session.edit_board(_ACTS[act], text, note, person()))
        taken_up = "; it is taken up" if self.running else "; r goes on, and takes it up"
        return (done(event.body) if isinstance(event.body, BoardEdited) else "") + taken_up

    async def candidates(self) -> Sequence[Candidate]:
        """Return what could be added to the board."""
        return await self._guarded(self._session.candidates())

    async def recheck(self, path: str = "") -> str:
        """Measure the symptom again; return how it stands, in words."""
        from orchestrator.compose import ComposeError
        from orchestrator.recheck import recheck
        from orchestrator.session.settings import person

        try:
            again = recheck(self._session, (path,) if path else (), self._around, person())
            return (await self._guarded(again)).words
        except ComposeError as error:
            raise ActFault(str(error)) from error

    def about_to_ask(self, agent: str) -> None:
        """Start what will answer, while the person types."""
        from orchestrator.asking import about_to_ask

        about_to_ask(self._session, agent)

    async def ask(self, agent: str, tool: str, given: Mapping[str, object]) -> ToolResult[Any]:
        """Have a tool run as a person's call; it is in the journal and in the agent's stream like any other."""
        from orchestrator.asking import ask_by_person

        self._asked += 1
        key = f"{ASKED}{self._session.journal.head.seq}-{self._asked}"
        return await self._guarded(ask_by_person(self._session, agent, key, tool, given))

    async def raise_budget(self, text: str) -> str:
        """Raise bounds to what was typed, on record."""
        from orchestrator.hands.budget_words import BudgetWordsFault, parse_budget
        from orchestrator.session.budgeting import BudgetFault

        try:
            raised = self._session.raise_budgets(parse_budget(text))
            await self._guarded(raised)
        except (BudgetWordsFault, BudgetFault) as error:
            raise ActFault(str(error)) from error
        return f"{self._session.budget.fold.changes[-1].words}; it is on record" + (
            "" if self.running else "; r goes on"
        )

    async def decide(
        self, approval: str, decision: Literal["approve", "reject"], digest: str, reason: str = ""
    ) -> None:
        """Decide on exactly the bytes that the digest names."""
        await self._guarded(self._session.decide(approval, decision, digest, "person", reason))

    async def decide_for_session(self, approval: str, digest: str) -> None:
        """Say yes to a call, and to exactly the same call for the rest of the session."""
        await self._guarded(self._session.approvals.decide_for_session(approval, digest, "person"))

    async def revoke(self, rule: str, reason: str = "") -> None:
        """Take back a yes that goes on for the session."""
        await self._guarded(self._session.approvals.revoke(rule, "person", reason))

    async def status_update(self) -> str:
        """Return the status of five lines."""
        return await in_thread(lambda: status_of(self.directory, self._session.journal.events()), "status")

    async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Open a citation by the agent that cites its kind; raises ActFault where it cannot be opened."""
        from subagents.contract import ToolError

        kind = ref.partition(":")[0]
        agents = self._session.roster.agents.values()
        agent = next((one for one in agents if kind in one.cites and one.resolver is not None), None)
        if agent is None or agent.resolver is None:
            raise ActFault(f"{ref}: nobody here opens `{kind}` citations; the frozen excerpt is what there is")
        resolver = agent.resolver
        try:
            return await in_thread(lambda: resolver.resolve(ref, context_lines), "resolve")
        except (ToolError, OSError, ValueError) as error:
            raise ActFault(str(error)) from error

    def events(self, after: int = 0) -> Iterator[Event]:
        """Read the journal from after a seq."""
        return self._session.journal.events(after)

    # -- the screen's side -------------------------------------------------------------------

    async def close(self) -> None:
        """Stop what runs and close the journal; the session can be opened again."""
        self._follower.cancel()
        with suppress(asyncio.CancelledError):
            await self._follower
        await self._session.close()
        if self._run is not None:
            await asyncio.gather(self._run, return_exceptions=True)

    async def stop(self) -> None:
        """Interrupt all work, and return once it has ended."""
        if self.running and self._run is not None:
            await self._session.interrupt()
            await asyncio.gather(self._run, return_exceptions=True)

    async def _follow(self) -> None:
        behind = self._session.journal.head.seq
        if self._session.was_doing:
            self.view.say(f"the last run was at {', '.join(self._session.was_doing)}; r goes on")
        slice_ends = self._around.clock.monotonic() + SLICE_S
        async for event in self._session.subscribe(0):
            self.view.learn(event)
            self.view.caught_up = event.seq >= behind
            if self._around.clock.monotonic() > slice_ends:
                await asyncio.sleep(0)
                slice_ends = self._around.clock.monotonic() + SLICE_S

    async def _guarded(self, act: Awaitable[T]) -> T:
        from orchestrator.hands.approvals import ApprovalError
        from orchestrator.journal.faults import JournalError, StateError

        try:
            return await act
        except (SessionFault, ApprovalError, JournalError, StateError) as error:
            raise ActFault(str(error)) from error


Opened = LiveSession | WatchedSession


async def start(request: Request, around: Surroundings) -> LiveSession:
    """Begin a session on what was given, and let it work. Raises ActFault."""
    from orchestrator.compose import begin

    session = await _faults(begin(request, around))
    live = LiveSession(session, around)
    live.go_on()
    return live


async def reopen(session_id: str, around: Surroundings, config: Path | None = None) -> Opened:
    """Open a kept session, to go on with it where that is possible, else to watch it. Raises ActFault."""
    from orchestrator.compose import ComposeError, take_up
    from orchestrator.journal.faults import JournalBusy, JournalError, StateError
    from orchestrator.journal.reader import JournalReader

    try:
        session = await take_up(session_id, around, config)
        if session.watches:
            from tui.attached import AttachedSession

            return AttachedSession(session, around)
        return LiveSession(session, around)
    except (ComposeError, SessionFault, JournalError, StateError) as error:
        why, held = str(error), isinstance(error, JournalBusy)
    try:
        reader = JournalReader.open(around.home.session_dir(session_id))
    except (JournalError, StateError) as error:
        raise ActFault(str(error)) from error
    if not reader.head.seq:
        reader.close()
        raise ActFault(why)
    return WatchedSession(reader, around, why, held=held)


async def _faults(opening: Awaitable[Session]) -> Session:
    from orchestrator.compose import ComposeError
    from orchestrator.journal.faults import JournalError, StateError

    try:
        return await opening
    except ComposeError as error:
        more = "; ".join(problem.line() for problem in error.problems[1:4])
        raise ActFault(f"{error}{'; ' + more if more else ''}") from error
    except (SessionFault, JournalError, StateError) as error:
        raise ActFault(str(error)) from error
