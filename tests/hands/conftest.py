"""Hands over a real journal, with the toy roster and a clock that moves only when told to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import ToolUse
from orchestrator.hands.approvals import Approvals
from orchestrator.hands.policy import Policy, Rule
from orchestrator.hands.results import Keeper
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.hands.run import Hands
from orchestrator.hands.steps import Steps
from orchestrator.hands.workers import Workers
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.events import Event
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.store import Journal
from orchestrator.session.patient import PatientLog
from subagents.contract import Finding, ToolResult
from tests.fakes import FakeClock

RECIPE = RosterRecipe(factory="tests.hands.toy_roster:build", import_path=str(Path(__file__).resolve().parents[2]))
OWN = "correct-horse-battery-staple"
"""A secret of our own environment."""
LOOSE = (Rule(name="loose", answer="allow", tool="toys_*keyed"),)
"""Effects run without asking, where a test is not about asking."""


@dataclass
class Rig:
    """Hands, and what stands around them."""

    journal: Journal
    hands: Hands
    approvals: Approvals
    clock: FakeClock
    board: list[Finding] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)

    async def call(self, name: str, call_id: str = "c1", agent: str = "toys", **arguments: Any) -> ToolResult[Any]:
        return await self.ask(agent, ToolUse(id=call_id, name=name, input=arguments), agent)

    async def ask(self, agent: str, use: ToolUse, thread: str) -> ToolResult[Any]:
        """Make a call and wait until its result is acknowledged as well."""
        result = await self.hands.call(agent, thread, use)
        await self.hands.acknowledged()
        return result

    def begin(self, name: str, call_id: str = "c1", **arguments: Any) -> asyncio.Task[ToolResult[Any]]:
        return asyncio.create_task(self.call(name, call_id, **arguments))

    def events(self, *types: str) -> list[Event]:
        return list(self.journal.events(types=types or None))

    def types(self) -> list[str]:
        return [event.type for event in self.journal.events()]

    async def until(self, kind: str) -> Event:
        """Wait for an event of that type; return it."""
        async for event in self.journal.subscribe(after=0):
            if event.type == kind:
                return event
        raise AssertionError(f"the journal was closed before {kind}")

    async def after(self, seconds: float, call: asyncio.Task[ToolResult[Any]]) -> ToolResult[Any]:
        """Let time pass until the call is done: `seconds` once it waits on the clock, and not before."""
        while not self.clock.sleeping:  # noqa: ASYNC110 - the fake clock has no event for it
            await asyncio.sleep(0)
        self.clock.advance(seconds - 0.1)
        for _ in range(10):
            await asyncio.sleep(0)
        assert not call.done()
        self.clock.advance(0.2)
        return await call

    def stored(self) -> bytes:
        """Return every byte that lies in the session's folder."""
        return b"".join(path.read_bytes() for path in self.journal.directory.rglob("*") if path.is_file())


def effects(folder: Path) -> list[Path]:
    """Return what the toys' effects left in a folder."""
    return sorted((*folder.glob("*.keyed"), *folder.glob("*.unkeyed")))


MakeRig = Callable[..., Awaitable[Rig]]


@pytest.fixture
async def make_rig(tmp_path: Path) -> AsyncIterator[MakeRig]:
    rigs: list[Rig] = []

    async def make(*rules: Rule, name: str = "s", attended: bool = False) -> Rig:
        clock = FakeClock()
        directory = tmp_path / name
        start = Journal.open if directory.exists() else Journal.create
        journal = start(directory, clock)
        redactor = Redactor([OWN], b"k" * 32)

        def learn(event: Event) -> None:
            approvals.learn(event)

        steps = Steps(PatientLog(journal, clock, learn))
        approvals = Approvals(steps, attended)
        for event in journal.events():
            learn(event)
        board: list[Finding] = []
        logged: list[str] = []
        hands = Hands(
            steps=steps,
            keeper=Keeper(redactor, BlobStore(directory)),
            policy=Policy(rules),
            approvals=approvals,
            workers=Workers(RECIPE, clock),
            clock=clock,
            findings=lambda: tuple(board),
            log=logged.append,
            roster=RECIPE.build(()),
        )
        rigs.append(Rig(journal, hands, approvals, clock, board, logged))
        return rigs[-1]

    yield make
    for rig in rigs:
        await rig.hands.close()
        await rig.journal.close()


@pytest.fixture
async def rig(make_rig: MakeRig) -> Rig:
    return await make_rig(*LOOSE)
