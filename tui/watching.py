"""A session that can only be looked at: open in another process, damaged, or of an engine that is not here."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.journal.events import Event
from tui.session_view import ActFault, SessionView

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.journal.reader import JournalReader
    from orchestrator.session.editing import Candidate
    from subagents.contract import Evidence, ToolResult

WATCH_S = 1.0
"""How often a journal that another process writes is looked at."""
FREE = "no other window has it open any more: r opens it here"
"""What is said once the process that held a session let it go."""


class Refusing:
    """Refuses whatever would be said, decided or stopped, with the reason."""

    @property
    def why_not(self) -> str:
        """Why nothing can be done to it here."""
        raise NotImplementedError

    async def message(self, text: str, to: str | None = None) -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def interrupt(self, thread: str | None = None) -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def attach(self, path: str) -> str:
        """Refuse."""
        raise ActFault(self.why_not)

    async def edit_board(self, act: str, text: str, note: str = "") -> str:
        """Refuse."""
        raise ActFault(self.why_not)

    async def candidates(self) -> Sequence[Candidate]:
        """Return nothing: nothing can be added here."""
        return ()

    async def recheck(self, path: str = "") -> str:
        """Refuse."""
        raise ActFault(self.why_not)

    async def ask(self, agent: str, tool: str, given: Mapping[str, object]) -> ToolResult[Any]:
        """Refuse."""
        raise ActFault(self.why_not)

    def about_to_ask(self, agent: str) -> None:
        """Nothing is asked of what can only be watched."""

    async def raise_budget(self, text: str) -> str:
        """Refuse."""
        raise ActFault(self.why_not)

    async def decide(
        self, approval: str, decision: Literal["approve", "reject"], digest: str, reason: str = ""
    ) -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def decide_for_session(self, approval: str, digest: str) -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def revoke(self, rule: str, reason: str = "") -> None:
        """Refuse."""
        raise ActFault(self.why_not)


class WatchedSession(Refusing):
    """A session that only can be looked at: open in another process, damaged, or of an engine that is not here."""

    def __init__(self, reader: JournalReader, around: Surroundings, why: str, *, held: bool = False) -> None:
        """`held`: by another process, which is why; it can be opened once that lets it go."""
        self._reader = reader
        self._around = around
        self._why = why
        self._held = held
        self.free = False
        self.takes_up = ""
        self.watches = False
        self.leaving = "nothing runs in this window"
        self.running = False
        self.fixes = None
        self.view = SessionView(around.clock, self)
        self._tell()
        self._follower = asyncio.create_task(self._follow(), name="watch")

    @property
    def why_not(self) -> str:
        """Why nothing can be done to it here."""
        return FREE if self.free else self._why

    def _tell(self) -> None:
        """Say why it is only watched; which session is plain to see."""
        self.view.say(f"watching only: {self.why_not.removeprefix(f'session {self.session_id} is ')}")

    @property
    def session_id(self) -> str:
        """The session's id."""
        return self._reader.directory.name

    @property
    def directory(self) -> Path:
        """The session's folder."""
        return self._reader.directory

    def go_on(self, reason: str = "") -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def note(self, text: str) -> None:
        """Refuse."""
        raise ActFault(self.why_not)

    async def status_update(self) -> str:
        """Return the status of five lines."""
        return status_of(self.directory, self._reader.events())

    async def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
        """Refuse: its sources are the other process's to open."""
        raise ActFault(f"{ref}: {self.why_not}; the frozen excerpt is what there is")

    def events(self, after: int = 0) -> Iterator[Event]:
        """Read the journal from after a seq."""
        return self._reader.events(after)

    async def stop(self) -> None:
        """Nothing runs here."""

    async def close(self) -> None:
        """Close the journal."""
        self._follower.cancel()
        with suppress(asyncio.CancelledError):
            await self._follower
        self._reader.close()

    async def _follow(self) -> None:
        while True:
            for at, event in enumerate(self._reader.events(self.view.seq)):
                self.view.learn(event)
                if at % 100 == 99:
                    await asyncio.sleep(0)
            self.view.caught_up = True
            self.free = self._held and not self._reader.live
            self._tell()
            await self._around.clock.sleep(WATCH_S)
            self._reader.refresh()


def status_of(directory: Path, events: Iterator[Event]) -> str:
    """Return the status of five lines; raises ActFault where there is none yet."""
    from orchestrator.journal.blobs import BlobStore
    from orchestrator.verdict.report import ReportError, build_report
    from orchestrator.verdict.status_update import status_update

    try:
        return status_update(build_report(events, BlobStore(directory).read))
    except ReportError as error:
        raise ActFault(str(error)) from error
