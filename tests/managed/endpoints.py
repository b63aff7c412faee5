"""What tests of the managed agents share: endpoints, a clock that does not wait, a way to sync without a person."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.config.model import EngineSettings
from orchestrator.engines.client import make_client
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.managed.definitions import definitions, shipped_agents
from orchestrator.engines.managed.plan import Plan, Step, Survey, Wanted, make_plan
from orchestrator.engines.managed.register import Register
from orchestrator.engines.managed.sync import Sync
from orchestrator.journal.events import Egress
from orchestrator.journal.home import StateHome
from tests.fakes import FakeClock
from tests.standin import Standin

AGENTS = shipped_agents()


class ClockThatDoesNotWait(FakeClock):
    """Sleeping moves it on at once; it remembers for how long each time."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)


async def not_recorded(body: Egress) -> None:
    """Egress is recorded by whoever opens the client; these tests look at the stand-in instead."""


def endpoint_of(standin: Standin, key: str | None = None) -> Endpoint:
    return Endpoint(base_url=standin.base_url, key=key or standin.key, key_name="ANTHROPIC_API_KEY")


@dataclass
class Bench:
    """A sync at one endpoint, and what it did."""

    sync: Sync
    wanted: Wanted
    clock: ClockThatDoesNotWait
    waited: list[str]
    did: list[str] = field(default_factory=list)

    async def look(self, adopt: str | None = None) -> tuple[Survey, Plan]:
        there = await self.sync.survey(self.wanted, adopt)
        return there, make_plan(self.wanted, there)

    async def make_so(self, adopt: str | None = None) -> Plan:
        there, plan = await self.look(adopt)
        await self.apply(there)
        return plan

    async def apply(self, there: Survey) -> None:
        def note(step: Step) -> None:
            self.did.append(f"{step.action} {step.what}")

        await self.sync.apply(self.wanted, there, note)


@asynccontextmanager
async def benched(
    standin: Standin, home: Path, engine: EngineSettings | None = None, key: str | None = None
) -> AsyncIterator[Bench]:
    engine = engine or EngineSettings()
    register, to, clock = Register(StateHome(home)), endpoint_of(standin, key), ClockThatDoesNotWait()
    wanted = Wanted(definitions(AGENTS, engine, register.install), register.install, engine.environment)
    async with make_client(to, not_recorded) as client:
        waited: list[str] = []
        yield Bench(Sync(client, register, to, clock, waited.append), wanted, clock, waited)
