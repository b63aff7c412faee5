"""Real sessions over a real repository, with the real code-fix tools and a scripted engine."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from orchestrator.compose import with_stores
from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.hands.fix_fold import Fix
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.contract import Incident, SourceSpec
from tests.fakes import FakeClock
from tests.fix.bench import git, write_repo

INCIDENT = Incident(id="INC-7", title="limits")
Script = Callable[[Desk], Awaitable[StopReason]]


class FakeEngine:
    """Does what its script says."""

    name = "offline"
    shown_as = "scripted"

    def __init__(self, script: Script) -> None:
        self._script = script

    async def run(self, desk: Desk) -> StopReason:
        return await self._script(desk)


async def rest(desk: Desk) -> StopReason:
    """Do nothing."""
    return "end_turn"


@dataclass
class Place:
    """A repository with a commit to undo, and a state directory."""

    top: Path
    repo: Path
    home: StateHome
    clock: FakeClock

    @property
    def culprit(self) -> str:
        return git(self.repo, "rev-parse", "v1")

    def drafts(self, *, check: bool = False) -> Script:
        """A script that drafts the undoing of the culprit, and may have it tested."""

        async def script(desk: Desk) -> StopReason:
            given = {"commit": self.culprit, "incident": INCIDENT.id, "why": "the limit was cut"}
            made = await desk.call("codefix", ToolUse(id="c1", name="code_draft_revert", input=given))
            assert made.outcome == "ok", made.text
            draft = made.need().draft
            assert draft is not None, made.text
            if check:
                wanted = {"draft": draft.id, "commit": draft.commit, "base": draft.base, "source": draft.source}
                await desk.call("codefix", ToolUse(id="c2", name="code_check", input=wanted))
            return "end_turn"

        return script

    async def create(self, script: Script = rest) -> Session:
        directory = self.home.new_session(self.clock)
        specs = with_stores([SourceSpec(id="repo", kind="repo", path=str(self.repo))], directory)
        settings = Settings(own_secrets=(), clock=self.clock, version="0", directory=directory, attended=True)
        return await Session.create(self.home, INCIDENT, specs, [], FakeEngine(script), settings)

    async def open(self, session_id: str, script: Script = rest) -> Session:
        settings = Settings(own_secrets=(), clock=self.clock, version="0", attended=True)
        return await Session.open(self.home, session_id, FakeEngine(script), settings)

    async def drafted(self) -> Session:
        """Return a session that ran and drafted one fix, which waits."""
        session = await self.create(self.drafts())
        assert await session.run() == "end_turn"
        return session

    def kept(self) -> tuple[str, Fix]:
        """Keep a closed session with one fix that waits; return its id and the fix."""

        async def work() -> tuple[str, Fix]:
            async with await self.drafted() as session:
                (fix,) = session.fixes.fold.fixes.values()
                return session.id, fix

        return asyncio.run(work())


def make_place(top: Path) -> Place:
    """Make a repository and a state directory below `top`."""
    write_repo(top / "user")
    return Place(top, top / "user", StateHome(top / "state"), FakeClock())
