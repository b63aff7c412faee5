"""A managed session that is killed: run as `python -m tests.managed.crash_child PLAN`, prints what came of it as JSON.

The stand-in lives in the process that starts this one, so the server's session outlives every kill. Each life of the
session here is a fork that kills itself with SIGKILL at its n-th boundary: around each commit, each effect and each
request.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
from anthropic import AsyncAnthropic, NotFoundError

from orchestrator.config.model import Budgets
from orchestrator.engines.client import make_client
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.managed import conduct as conduct
from orchestrator.engines.managed import engine as engine_room
from orchestrator.engines.managed.access import Access
from orchestrator.engines.managed.engine import ManagedEngine
from orchestrator.hands import egress as egress
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Event
from orchestrator.journal.fold import calls, status
from orchestrator.journal.home import StateHome
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.secret_scanner import prepare
from orchestrator.journal.store import Journal
from orchestrator.session import Session, SessionFault, Settings
from subagents.contract import Incident
from tests.managed import toys
from tests.managed.driving import ENDS, FREE, NAMES, EagerClock, cast
from tests.session import crash_child as killing
from tests.standin import Actor, Call


@dataclass(frozen=True)
class Plan:
    """What to run and how to kill it."""

    home: str
    effects: str
    url: str
    key: str
    calls: int
    seed: int = 0
    longest_life: int = 100

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(base_url=self.url, key=self.key, key_name="ANTHROPIC_API_KEY")


def brains(count: int, effects: Path) -> Mapping[str, Callable[[Actor], Any]]:
    """Return four agents that make so many calls between them, two at a time, and a coordinator that waits for them."""

    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.act("All of you.", sends=[(name, "Work.") for name in NAMES])
        for _ in NAMES:
            await actor.hear()
        await actor.call("conclude", ENDS)

    async def worker(actor: Actor) -> None:
        await actor.hear()
        numbers = range(NAMES.index(actor.name), count, len(NAMES))
        made = [_call(actor.name, number, effects) for number in numbers]
        for at in range(0, len(made), 2):
            await actor.act(calls=made[at : at + 2])
        await actor.report("I am done.")

    return {"orchestrator": lead, **dict.fromkeys(NAMES, worker)}


def _call(agent: str, number: int, effects: Path) -> Call:
    kind = killing.kind_of(number // len(NAMES))
    return Call(f"{agent}_{kind}", {"q": str(effects / f"{agent}-{number}-{kind}")})


class DeadlyTransport(httpx2.AsyncHTTPTransport):
    """Dies before or after a request, where that is the boundary."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.method == "POST":
            killing.BOUNDARIES.hit()
        answer = await super().handle_async_request(request)
        if request.method == "POST":
            killing.BOUNDARIES.hit()
        return answer


async def live(plan: Plan, access: Access) -> None:
    """One life of the session: begin or go on, until done."""
    append = Journal.append

    async def deadly(self: Journal, *entries: Entry) -> list[Event]:
        killing.BOUNDARIES.hit()
        events = await append(self, *entries)
        killing.BOUNDARIES.hit()
        return events

    def deadly_client(endpoint: Endpoint, record: Any) -> AsyncAnthropic:
        return make_client(endpoint, record, httpx2.AsyncClient(transport=DeadlyTransport()))

    Journal.append = deadly  # type: ignore[method-assign] # only in this fork
    setattr(engine_room, "make_client", deadly_client)  # noqa: B010 - only in this fork
    recipe = RosterRecipe("tests.managed.toys:build")
    settings = Settings(
        recipe=recipe,
        policy=FREE,
        own_secrets=(plan.key,),
        clock=EagerClock(),
        version="0",
        budgets=Budgets(usd=10_000, turns=100_000, seconds=100_000),
    )
    session = await _begun(StateHome(Path(plan.home)), ManagedEngine(access), settings)
    stop = await session.run()
    assert stop == "end_turn", (stop, session.standing)
    await session.close()


async def _begun(home: StateHome, engine: ManagedEngine, settings: Settings) -> Session:
    for known in reversed(home.session_ids()):
        try:
            return await Session.open(home, known, engine, settings)
        except SessionFault:
            continue  # killed before its first event: nothing was promised, another one is begun
    return await Session.create(home, Incident(id="INC-1", title="killed"), (), (), engine, settings)


async def _cast(plan: Plan) -> Access:
    async with AsyncAnthropic(base_url=plan.url, api_key=plan.key, max_retries=0) as client:
        with suppress(NotFoundError):  # what a life needs is imported before the forks
            await client.beta.sessions.events.stream("sesn_none", event_deltas=["agent.message"])
        with suppress(NotFoundError):
            await client.beta.sessions.threads.events.list("sthr_none", session_id="sesn_none")
        with suppress(NotFoundError):
            await client.beta.sessions.events.send("sesn_none", events=[{"type": "user.interrupt"}])
        return await cast(client, *NAMES, endpoint=plan.endpoint)


def state(plan: Plan) -> dict[str, Any]:
    """Return what the journal and the effects say in the end."""
    home = StateHome(Path(plan.home))
    journals: list[list[Event]] = []
    for known in home.session_ids():
        with JournalReader(home.session_dir(known)) as opened:
            assert opened.verify().whole
            journals.append(list(opened.events()))
    (events,) = [journal for journal in journals if journal]
    made = calls(events)
    ran = {name: call for name, call in made.items() if call.finished is not None}
    effects: dict[str, int] = {}
    for path in Path(plan.effects).iterdir():
        name, _, key = path.name.partition("@")
        effects[name] = effects.get(name, 0) + (1 if key else path.stat().st_size)
    return {
        "outcomes": {name: call.finished.outcome for name, call in ran.items() if call.finished},
        "names": {name: Path(str(call.request.input["q"])).name for name, call in ran.items() if call.request},
        "states": sorted({call.state for call in made.values()}),
        "effects": effects,
        "verdicts": sum(event.type == "warroom.verdict" for event in events),
        "status": status(events),
        "sessions": len({e.body.id for e in events if e.type == "warroom.remote_session"}),  # type: ignore[union-attr]
    }


def main() -> None:
    plan = Plan(**json.loads(sys.argv[1]))
    Redactor((), b"k" * 32).redact_json({"warm": "the patterns are compiled before the forks"})
    Path(plan.home).mkdir(parents=True, exist_ok=True)
    Path(plan.effects).mkdir(parents=True, exist_ok=True)
    prepare(Path(plan.home))
    access = asyncio.run(_cast(plan))
    wanted = killing.Plan(plan.home, plan.effects, plan.calls, seed=plan.seed, longest_life=plan.longest_life)
    tally = killing.until_done(wanted, lambda: asyncio.run(live(plan, access)), inspect=False)
    print(json.dumps({"kills": tally.kills, **state(plan)}))


if __name__ == "__main__":
    from tests.managed import crash_child

    assert toys.NAMES
    crash_child.main()
