"""What tests of the managed engine share: a cast at the stand-in, sessions here, a clock that hurries."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from anthropic import AsyncAnthropic

from orchestrator.config.model import Budgets
from orchestrator.engines.base import StopReason
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.managed.access import Access
from orchestrator.engines.managed.engine import ManagedEngine
from orchestrator.engines.managed.register import AgentRef
from orchestrator.hands.policy import Policy, Rule
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.events import Event, Note, UserCustomToolResult
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.clock import SystemClock
from subagents.contract import Incident
from tests.managed.toys import NAMES
from tests.standin import Actor, Call, Standin
from tests.standin.cast import roster, tool

ROOT = Path(__file__).resolve().parents[2]
RECIPE = RosterRecipe(factory="tests.managed.toys:build", import_path=str(ROOT))
FREE = Policy([Rule(name="free", answer="allow")])
ENDS: dict[str, Any] = {
    "kind": "inconclusive",
    "headline": "It is not known what broke.",
    "confidence": {"value": 0.3, "reasons": ["thin data"]},
}
"""A verdict in which nothing can be wrong."""
ANY: dict[str, Any] = {"type": "object", "properties": {"q": {"type": "string"}}}


class EagerClock(SystemClock):
    """Waiting to try again takes no time; what bounds work, and the ticks, are as they are."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0.005 if seconds < 11 and seconds not in (1.0, 2.0) else seconds)


async def cast(client: AsyncAnthropic, *scouts: str, endpoint: Endpoint) -> Access:
    """Make a coordinator over these scouts, each with its toys and its way to report."""
    refs = []
    for name in scouts:
        tools = [tool(f"{name}_{what}", input_schema=ANY) for what in ("look", "wait", "keyed", "unkeyed", "missing")]
        tools.append(tool("report_finding", input_schema=ANY))
        made: Any = await client.beta.agents.create(model="claude-haiku-5-5", name=name, tools=tools)  # type: ignore[arg-type]
        refs.append({"type": "agent", "id": made.id, "version": made.version})
    tools = [tool(name, input_schema=ANY) for name in ("conclude", "report_finding", "nobodys")]
    lead: Any = await client.beta.agents.create(
        model="claude-opus-5-5",
        name="orchestrator",
        tools=tools,  # type: ignore[arg-type]
        multiagent=roster(*refs),  # type: ignore[arg-type]
    )
    env = await client.beta.environments.create(name="e")
    agents = {
        name: AgentRef(id=ref["id"], version=1, model="claude-haiku-5-5")
        for name, ref in zip(scouts, refs, strict=True)
    }
    coordinator = AgentRef(id=lead.id, version=lead.version, model="claude-opus-5-5")
    return Access(endpoint, "install-1", coordinator, agents, env.id)


def endpoint_of(server: Standin) -> Endpoint:
    return Endpoint(base_url=server.base_url, key=server.key, key_name="ANTHROPIC_API_KEY")


@dataclass
class Driver:
    """Makes sessions of one cast in one state directory, and closes them in the end."""

    server: Standin
    access: Access
    home: StateHome
    settings: Settings
    opened: list[Session] = field(default_factory=list)

    async def session(self, title: str = "it broke", **changes: Any) -> Session:
        engine = ManagedEngine(self.access)
        incident = Incident(id="INC-1", title=title)
        made = await Session.create(self.home, incident, (), (), engine, replace(self.settings, **changes))
        self.opened.append(made)
        return made

    async def again(self, session: Session, **changes: Any) -> Session:
        """Close a session and open it as another process would."""
        await session.close()
        made = await Session.open(self.home, session.id, ManagedEngine(self.access), replace(self.settings, **changes))
        self.opened.append(made)
        return made

    def remote(self, session: Session) -> str:
        """Return the server's id of a session."""
        assert session.desk.remote is not None
        return session.desk.remote.id

    async def reached(self, holds: Callable[[Any], object]) -> None:
        await self.server.reached(lambda state: bool(holds(state)))

    async def live(self, session: Session) -> None:
        """Return once what happens at the server comes by its stream."""
        while session.health is None or session.health.state != "live":  # noqa: ASYNC110 - a link has no event for it
            await asyncio.sleep(0.002)

    async def until(self, session: Session, holds: Callable[[Event], object]) -> Event:
        """Return the first event, from the session's beginning, for which it holds."""
        async for event in session.subscribe(after=0):
            if holds(event):
                return event
        raise AssertionError("the journal was closed before it happened")


@asynccontextmanager
async def driver(server: Standin, home: Path, *scouts: str) -> AsyncIterator[Driver]:
    async with AsyncAnthropic(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
        access = await cast(client, *(scouts or ("scout",)), endpoint=endpoint_of(server))
    settings = Settings(
        recipe=RECIPE,
        policy=FREE,
        own_secrets=(server.key,),
        clock=EagerClock(),
        version="0",
        grace_s=20.0,
        budgets=Budgets(usd=5),
    )
    made = Driver(server, access, StateHome(home), settings)
    try:
        yield made
    finally:
        for session in made.opened:
            await session.close()


def events(session: Session, *types: str) -> list[Event]:
    return list(session.journal.events(types=types or None))


def notes(session: Session) -> list[str]:
    return [event.body.text for event in events(session, "warroom.note") if isinstance(event.body, Note)]


def told(session: Session) -> dict[str, UserCustomToolResult]:
    """Return what each call was answered, by its id."""
    found = (event.body for event in events(session, "user.custom_tool_result"))
    return {body.custom_tool_use_id: body for body in found if isinstance(body, UserCustomToolResult)}


def said_there(server: Standin, session: str) -> list[str]:
    """Return the messages that a session at the server got, in order."""
    return [event["content"][0]["text"] for event in server.state.events(session) if event["type"] == "user.message"]


async def run(session: Session) -> StopReason:
    return await session.run()


Brain = Callable[[Actor], Any]


def lead_that(work: Callable[[Actor], Any] | None = None, **verdict: Any) -> Brain:
    """Return a coordinator that does `work`, then concludes and ends its turn."""

    async def lead(actor: Actor) -> None:
        await actor.hear()
        if work is not None:
            await work(actor)
        await actor.call("conclude", {**ENDS, **verdict})
        await actor.say("Done.")

    return lead


def scout_that(*calls: Call, report: str = "I am done.") -> Brain:
    """Return a scout that makes these calls at once, and reports what they gave."""

    async def scout(actor: Actor) -> None:
        await actor.hear()
        answers = await actor.act(calls=calls)
        await actor.report("\n".join([report, *(one.text for one in answers)]))

    return scout


async def ask_scout(actor: Actor) -> None:
    """Give the scout its task and wait for its report."""
    await actor.delegate("scout", "Look.")
    await actor.hear()


def script(lead: Brain, scout: Brain | None = None) -> Mapping[str, Brain]:
    return {"orchestrator": lead, **({"scout": scout} if scout else {})}


__all__ = ["NAMES", "Call"]
