"""Sessions over a real state directory, with scripted engines."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.hands.policy import Policy
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.contract import Coverage, Incident, SourceSpec, ToolResult
from tests.fakes import FakeClock
from tests.hands import toy_roster
from tests.hands.conftest import LOOSE, OWN, RECIPE

INCIDENT = Incident(id="INC-1", title="search is slow")

Script = Callable[[Desk], Awaitable[StopReason]]


class FakeEngine:
    """Does what its script says."""

    name = "fake"
    shown_as = "scripted"

    def __init__(self, script: Script) -> None:
        self._script = script

    async def run(self, desk: Desk) -> StopReason:
        return await self._script(desk)


async def rest(desk: Desk) -> StopReason:
    """A script that has nothing to do."""
    return "end_turn"


def use(name: str, call_id: str, **arguments: Any) -> ToolUse:
    return ToolUse(id=call_id, name=name, input=arguments)


async def call(desk: Desk, name: str, call_id: str, **arguments: Any) -> ToolResult[Any]:
    return await desk.call("toys", use(name, call_id, **arguments))


def source(name: str) -> SourceSpec:
    return SourceSpec(id=name, kind="logs", path=f"/{name}.log", origin=f"{name}.log")


@dataclass
class Room:
    """Makes sessions in one state directory and closes them in the end."""

    home: StateHome
    clock: FakeClock
    settings: Settings
    opened: list[Session]

    async def create(self, script: Script = rest, specs: Sequence[SourceSpec] = (), **changes: Any) -> Session:
        coverage = [Coverage(source=spec.id, kind=spec.kind, items=3) for spec in specs]
        settings = replace(self.settings, **changes)
        session = await Session.create(self.home, INCIDENT, specs, coverage, FakeEngine(script), settings)
        self.opened.append(session)
        return session

    async def open(self, session_id: str, script: Script = rest, **changes: Any) -> Session:
        settings = replace(self.settings, **changes)
        session = await Session.open(self.home, session_id, FakeEngine(script), settings)
        self.opened.append(session)
        return session


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    """Let calls that wait go on once the test has ended."""
    toy_roster.RELEASE.clear()
    yield
    toy_roster.RELEASE.set()


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    clock = FakeClock()
    settings = Settings(recipe=RECIPE, policy=Policy(LOOSE), own_secrets=(OWN,), clock=clock, version="0")
    made = Room(StateHome(tmp_path / "home"), clock, settings, [])
    yield made
    for session in made.opened:
        await session.close()


def types(session: Session) -> list[str]:
    return [event.type for event in session.journal.events()]


async def forever(desk: Desk) -> StopReason:
    await desk.cancel.wait()
    return "end_turn"


async def until(session: Session, kind: str) -> None:
    async for event in session.subscribe(after=0):
        if event.type == kind:
            return
