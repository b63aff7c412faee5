"""One session as the screens see it: folds of its events, and what a person can do to it.

Every screen is given a SessionView. It is fed events (by `tui.live`, by tests) and holds no widget; `version` grows
with every change, so that a ticker knows whether to look again. What changes the session goes through `acts`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, Protocol

from orchestrator.hands.budget_fold import SpentFold
from orchestrator.hands.budget_summary import meter
from orchestrator.hands.fix_fold import FixFold
from orchestrator.hands.session_rules import SessionRules
from orchestrator.journal.events import Event, RemoteSession
from orchestrator.verdict.board import BOARD_TYPES, Board, Hypothesis
from subagents.contract import Clock
from tui.views.agents import Agents
from tui.views.incident import IncidentFold
from tui.views.stream import Streams
from tui.views.thread_meter import ThreadMeters

if TYPE_CHECKING:
    from orchestrator.hands.fix_desk import FixDesk
    from orchestrator.hands.watching import CallPreview
    from orchestrator.session.editing import Candidate
    from subagents.contract import Evidence, ToolResult
    from tui.views.connection import Health

ASKED = "asked-"
"""How the id of a call begins that a person asked for."""


class ActFault(Exception):
    """What the person asked for cannot be done; the message is one line for people."""


class SessionActs(Protocol):
    """What a person can do to a session. Each raises ActFault with what to do instead."""

    @property
    def session_id(self) -> str:
        """The session's id."""

    @property
    def running(self) -> bool:
        """Whether the engine works now."""

    @property
    def why_not(self) -> str:
        """Why nothing can be done to it here (it is open elsewhere, or cannot be continued); empty where all can."""

    @property
    def watches(self) -> bool:
        """Whether it follows what others drive at a server: it is looked at anew by itself, and nothing can be done."""

    @property
    def free(self) -> bool:
        """Whether it is only watched because another process held it, and that let it go: it can be opened here."""

    @property
    def takes_up(self) -> str:
        """What the engine makes of a message, where that is not obvious; empty otherwise."""

    @property
    def leaving(self) -> str:
        """What leaving means for the work that runs, as a sentence."""

    @property
    def fixes(self) -> FixDesk | None:
        """The desk at which drafts are decided and delivered; None where nothing can be done."""

    def go_on(self, reason: str = "") -> None:
        """Let the engine work; returns at once."""

    async def message(self, text: str, to: str | None = None) -> None:
        """Steer or ask."""

    async def interrupt(self, thread: str | None = None) -> None:
        """Stop one agent's work, or all."""

    async def attach(self, path: str) -> str:
        """Attach a file, folder or repository; return what came in, in words."""

    async def note(self, text: str) -> None:
        """Keep a line for the record."""

    async def edit_board(self, act: str, text: str, note: str = "") -> str:
        """Add, pin, rule out or undo on the board; return what was done, in words."""

    async def candidates(self) -> Sequence[Candidate]:
        """Return what could be added to the board, to be picked from."""

    async def recheck(self, path: str = "") -> str:
        """Measure the symptom again with newer data in (from `path`, or where it was); return how it stands."""

    def about_to_ask(self, agent: str) -> None:
        """Make ready for `ask`, while the person types; returns at once."""

    async def ask(self, agent: str, tool: str, given: Mapping[str, object]) -> ToolResult[Any]:
        """Have an agent's tool run as a person's call, on record; cancelling this cancels the call."""

    async def raise_budget(self, text: str) -> str:
        """Raise bounds to what was typed (`10usd, 20m`), on record; return what was raised, in words."""

    async def decide(
        self, approval: str, decision: Literal["approve", "reject"], digest: str, reason: str = ""
    ) -> None:
        """Decide on exactly the bytes that the digest names."""

    async def decide_for_session(self, approval: str, digest: str) -> None:
        """Say yes to a call, and to exactly the same call for the rest of the session."""

    async def revoke(self, rule: str, reason: str = "") -> None:
        """Take back a yes that goes on for the session."""

    async def status_update(self) -> str:
        """Return the status of five lines."""

    async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Open a citation as its source is now."""

    def events(self, after: int = 0) -> Iterator[Event]:
        """Read the journal from after a seq. Blocks: call it off the loop for more than a few."""


class SessionView:
    """See the module. Belongs to one event loop."""

    def __init__(self, clock: Clock, acts: SessionActs | None = None) -> None:
        self.clock = clock
        self.acts = acts
        self.incident = IncidentFold()
        self.board = Board()
        self.streams = Streams()
        self.agents = Agents()
        self.fixes = FixFold()
        self.rules = SessionRules()
        """What was approved for the rest of the session."""
        self.spent = SpentFold()
        self.meters = ThreadMeters()
        self.remote: RemoteSession | None = None
        """The server's session that this one is, where a server keeps it."""
        self.health: Callable[[], Health | None] = _no_health
        """How the connection to it is now."""
        self.seq = 0
        """The last event taken into account."""
        self.version = 0
        self.board_version = 0
        self.notice = ""
        """What the person must know of this session now, such as why it only can be watched."""
        self.caught_up = False
        """Whether all that the journal held when it was opened has been taken into account."""
        self.asked_of_logs = ""
        """What was last typed to search the logs."""
        self.asked_preview: CallPreview | None = None
        """How far the call is that a person asked for and waits for."""
        self._hypotheses: tuple[int, tuple[Hypothesis, ...]] = (-1, ())

    def learn(self, event: Event) -> None:
        """Take one event into account; one that was seen before changes nothing."""
        if event.seq <= self.seq:
            return
        self.seq = event.seq
        self.version += 1
        self.incident.learn(event)
        self.agents.learn(event)
        self.streams.learn(event)
        self.fixes.learn(event)
        self.rules.learn(event)
        self.spent.learn(event)
        self.meters.learn(event)
        if isinstance(event.body, RemoteSession):
            self.remote = event.body
        if event.type in BOARD_TYPES:
            self.board.apply(event)
            self.board_version += 1

    @property
    def to_review(self) -> list[str]:
        """What the review screen goes through: what waits, oldest first, then what stands for the session."""
        return [*self.incident.pending, *(rule.name for rule in self.rules.standing())]

    def preview(self, thread: str, text: str) -> None:
        """Show streamed text."""
        self.version += 1
        self.streams.preview(thread, text)

    def call_preview(self, preview: CallPreview) -> None:
        """Show how far a running call is."""
        self.version += 1
        self.streams.call_preview(preview)
        if preview.call_id.startswith(ASKED):
            self.asked_preview = preview

    def say(self, notice: str) -> None:
        """Change the notice."""
        if notice != self.notice:
            self.notice = notice
            self.version += 1

    def meter(self) -> str:
        """Return what was spent and what is left; empty where nothing costs and nothing is bounded."""
        return meter(self.spent, (self.clock.now(), self.clock.monotonic()))

    @property
    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """The candidate causes, best first."""
        if self._hypotheses[0] != self.board_version:
            self._hypotheses = self.board_version, self.board.hypotheses()
        return self._hypotheses[1]

    @property
    def leading(self) -> Hypothesis | None:
        """The hypothesis that holds best, where one holds at all."""
        return next((one for one in self.hypotheses if one.state != "ruled out"), None)

    @property
    def running(self) -> bool:
        """Whether the session works, as its journal says."""
        return self.agents.session in ("running", "rescheduling")


def _no_health() -> Health | None:
    return None
