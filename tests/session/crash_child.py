"""Sessions that are killed: run as `python -m tests.session.crash_child PLAN`, prints what came of it as JSON.

This process imports everything and then forks one child per life of a session, so that a kill costs a few dozen
milliseconds. A child kills itself with SIGKILL at its n-th boundary: before and after each commit, before and after
each effect.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.hands.policy import Policy, Rule
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal import index, reader  # noqa: F401 - imported before the forks
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import AgentMessage, Event, FindingReported, text_content
from orchestrator.journal.fold import calls, findings, status
from orchestrator.journal.home import StateHome
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.redaction import Redactor
from orchestrator.journal.secret_scanner import prepare
from orchestrator.journal.store import Journal
from orchestrator.session import Session, SessionFault, Settings
from subagents.contract import Finding, Incident, Params, ServiceInfo, SourceSpec, Tool, ToolContext, ToolResult
from subagents.specialist import Agent, Roster


class Boundaries:
    """Counts boundaries; dies at the chosen one."""

    def __init__(self) -> None:
        self.passed = 0
        self.deadly = 0

    def hit(self) -> None:
        self.passed += 1
        if self.passed == self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)


BOUNDARIES = Boundaries()


class Effect(Params):
    folder: str
    call: str


class Done(BaseModel):
    call: str


def _keyed(params: Effect, context: ToolContext) -> ToolResult[Done]:
    """Take effect once per key: another key for the same call would show as a second file."""
    BOUNDARIES.hit()
    os.close(os.open(Path(params.folder) / f"{params.call}@{context.key}", os.O_CREAT | os.O_WRONLY))
    BOUNDARIES.hit()
    return ToolResult(data=Done(call=params.call), text=f"did {params.call}")


def _unkeyed(params: Effect, context: ToolContext) -> ToolResult[Done]:
    """Take effect once per run."""
    BOUNDARIES.hit()
    handle = os.open(Path(params.folder) / params.call, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.write(handle, b"!")
    os.close(handle)
    BOUNDARIES.hit()
    return ToolResult(data=Done(call=params.call), text=f"did {params.call}")


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    agents = {}
    for name in ("a", "b", "c", "d"):
        keyed: Tool[Any, Any] = Tool(f"{name}_keyed", "", Effect, Done, _keyed, effect="keyed")
        unkeyed: Tool[Any, Any] = Tool(f"{name}_unkeyed", "", Effect, Done, _unkeyed, effect="unkeyed")
        agents[name] = Agent(name, "", "", "", (keyed, unkeyed))
    return Roster(agents)


@dataclass(frozen=True)
class Plan:
    """What to run and how to kill it."""

    home: str
    effects: str
    calls: int
    agents: int = 4
    seed: int = 0
    longest_life: int = 40
    """Boundaries in a life, at most; 0: kill once at each boundary of a small session instead."""


@dataclass
class Tally:
    """What came of it."""

    kills: int = 0
    interrupted: set[str] = field(default_factory=set)
    """Calls of unkeyed tools that were seen started and unfinished after a kill."""


def kind_of(number: int) -> str:
    return "keyed" if number % 2 == 0 else "unkeyed"


class FakeEngine:
    """Some agents at once, each making its calls in order and reporting each."""

    name = "fake"
    shown_as = "fake"

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    async def run(self, desk: Desk) -> StopReason:
        names = ("a", "b", "c", "d")[: self._plan.agents]
        await asyncio.gather(*(self._work(desk, name, place) for place, name in enumerate(names)))
        await desk.record(AgentMessage(content=text_content("done")), thread="orchestrator", source_id="done")
        return "end_turn"

    async def _work(self, desk: Desk, name: str, place: int) -> None:
        for number in range(place, self._plan.calls, self._plan.agents):
            kind = kind_of(number // self._plan.agents)
            call_id = f"{name}-{number}-{kind}"
            use = ToolUse(id=call_id, name=f"{name}_{kind}", input={"folder": self._plan.effects, "call": call_id})
            await desk.call(name, use)
            finding = Finding(agent=name, claim=f"{call_id} was asked for", topic="health")
            await desk.record(FindingReported(id=finding.id, finding=finding), thread=name)


async def live(plan: Plan) -> None:
    """One life of the session: begin or go on, until done."""
    append = Journal.append

    async def deadly(self: Journal, *entries: Entry) -> list[Event]:
        BOUNDARIES.hit()
        events = await append(self, *entries)
        BOUNDARIES.hit()
        return events

    Journal.append = deadly  # type: ignore[method-assign] # only in this fork
    home = StateHome(Path(plan.home))
    settings = Settings(
        recipe=RosterRecipe("tests.session.crash_child:build"),
        policy=Policy([Rule(name="free", answer="allow")]),
        own_secrets=(),
        version="0",
    )
    session = await _begun(home, FakeEngine(plan), settings)
    assert await session.run() == "end_turn"
    await session.close()


async def _begun(home: StateHome, engine: FakeEngine, settings: Settings) -> Session:
    for known in reversed(home.session_ids()):
        try:
            return await Session.open(home, known, engine, settings)
        except SessionFault:
            continue  # killed before its first event: nothing was promised, another one is begun
    incident = Incident(id="INC-1", title="killed")
    specs = [SourceSpec(id="log", kind="logs", path="/x.log")]
    return await Session.create(home, incident, specs, [], engine, settings)


def fork(life: Callable[[], None], deadly: int) -> bool:
    """Run one life in a child; return whether it came to its end."""
    pid = os.fork()
    if pid == 0:
        BOUNDARIES.passed, BOUNDARIES.deadly = 0, deadly
        try:
            life()
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, wait_status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(wait_status):
        assert os.WTERMSIG(wait_status) == signal.SIGKILL
        return False
    assert os.WEXITSTATUS(wait_status) == 0, "a life ended with an error"
    return True


def interrupted(plan: Plan) -> set[str]:
    """Return the calls whose effect may or may not have happened, as the journal has it after a kill."""
    home = StateHome(Path(plan.home))
    found: set[str] = set()
    for known in home.session_ids():
        with JournalReader(home.session_dir(known)) as opened:
            for call in calls(opened.events()).values():
                if call.state == "started" and call.started is not None and call.started.effect == "unkeyed":
                    found.add(call.id)
    return found


def state(plan: Plan) -> dict[str, Any]:
    """Return the folded state of the session that came to its end."""
    home = StateHome(Path(plan.home))
    journals: list[list[Event]] = []
    for known in home.session_ids():
        with JournalReader(home.session_dir(known)) as opened:
            assert opened.verify().whole
            journals.append(list(opened.events()))
    (events,) = [journal for journal in journals if journal]
    made = calls(events)
    ended = {name: call.finished for name, call in made.items() if call.finished is not None}
    return {
        "status": status(events),
        "findings": sorted(findings(events)),
        "sources": [e.body.spec.id for e in events if e.type == "warroom.source_added"],  # type: ignore[union-attr]
        "said": sum(event.type == "agent.message" for event in events),
        "states": sorted({call.state for call in made.values()}),
        "outcomes": {name: done.outcome for name, done in sorted(ended.items())},
        "texts": {
            name: call.finished.text
            for name, call in sorted(made.items())
            if call.finished and call.finished.outcome == "ok"
        },
        "results": {
            name: sum(e.type == "user.custom_tool_result" and e.body.custom_tool_use_id == name for e in events)  # type: ignore[union-attr]
            for name in made
        },
        "effects": count_effects(plan),
    }


def count_effects(plan: Plan) -> dict[str, int]:
    """Return how often each call took effect."""
    counts: dict[str, int] = {}
    for path in Path(plan.effects).iterdir():
        call, _, key = path.name.partition("@")
        counts[call] = counts.get(call, 0) + (1 if key else path.stat().st_size)
    return counts


def until_done(plan: Plan, life: Callable[[], None], inspect: bool) -> Tally:
    """Live and be killed at random boundaries, until done."""
    dice = random.Random(plan.seed)
    tally = Tally()
    while not fork(life, dice.randint(1, plan.longest_life)):
        tally.kills += 1
        if inspect:
            tally.interrupted |= interrupted(plan)
    return tally


def at_every_boundary(plan: Plan) -> list[dict[str, Any]]:
    """Kill a small session once at each boundary and let it go on; return the states, the uncut one's first."""
    states: list[dict[str, Any]] = []
    for deadly in range(100_000):
        folder = replace(plan, home=f"{plan.home}/{deadly}", effects=f"{plan.effects}/{deadly}")
        Path(folder.effects).mkdir(parents=True)
        whole = fork(lambda plan=folder: asyncio.run(live(plan)), deadly)  # type: ignore[misc]
        at_risk = set() if whole else interrupted(folder)
        if not whole:
            assert fork(lambda plan=folder: asyncio.run(live(plan)), 0)  # type: ignore[misc]
        states.append({**state(folder), "interrupted": sorted(at_risk), "killed": not whole})
        shutil.rmtree(folder.home)
        if deadly and whole:
            return states
    raise AssertionError("there is no end to it")


def naive(plan: Plan) -> None:
    """What the tests must catch: do it, then write down that it was done."""
    done_file = Path(plan.home) / "done"
    done = set(done_file.read_text().split()) if done_file.exists() else set()
    for number in range(plan.calls):
        name = f"naive-{number}"
        if name not in done:
            _unkeyed(Effect(folder=plan.effects, call=name), None)  # type: ignore[arg-type]
            with done_file.open("a") as file:
                file.write(f"{name}\n")
            BOUNDARIES.hit()


def main() -> None:
    mode, raw = sys.argv[1:]
    plan = Plan(**json.loads(raw))
    Redactor((), b"k" * 32).redact_json({"warm": "the patterns are compiled before the forks"})
    prepare(Path(plan.home))
    Path(plan.home).mkdir(parents=True, exist_ok=True)
    Path(plan.effects).mkdir(parents=True, exist_ok=True)
    result: Any
    if mode == "boundaries":
        result = at_every_boundary(plan)
    elif mode == "naive":
        tally = until_done(plan, lambda: naive(plan), inspect=False)
        result = {"kills": tally.kills, "effects": count_effects(plan)}
    else:
        tally = until_done(plan, lambda: asyncio.run(live(plan)), inspect=True)
        result = {"kills": tally.kills, "interrupted": sorted(tally.interrupted), **state(plan)}
    print(json.dumps(result))


if __name__ == "__main__":
    # Once more by its name: the roster's tools must be those of this very module.
    from tests.session import crash_child

    crash_child.main()
