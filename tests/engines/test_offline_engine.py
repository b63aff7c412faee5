"""The offline engine works in rounds, replays after a crash, and survives a specialist's defect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from orchestrator.engines.base import EngineError, Interrupt, Message, SourceAdded
from orchestrator.engines.offline.engine import TAKES_UP, OfflineEngine
from orchestrator.journal.events import AgentMessage, SessionError, ThreadStatusIdle, VerdictReached
from orchestrator.journal.verdict import Verdict
from subagents.contract import (
    Brief,
    Finding,
    Frozen,
    Incident,
    Params,
    SourceSpec,
    Tool,
    ToolContext,
    ToolResult,
    evidence,
)
from subagents.specialist import Agent, Procedure, Roster, Workbench
from tests.engines.desks import FakeDesk

LINE = "log:app.log@0+1"
SPEC = SourceSpec(id="app.log", kind="logs", path="/app.log")


class Look(Params):
    where: str = "here"


class Seen(Frozen):
    text: str


def look(params: Look, context: ToolContext) -> ToolResult[Seen]:
    return ToolResult(data=Seen(text=params.where), text=params.where, citations=(evidence(LINE, b"boom\n"),))


async def honest(brief: Brief, bench: Workbench) -> BaseModel | None:
    result = await bench.call(f"{bench.agent}_look", Look(), Seen)
    claim = f"{bench.agent} saw {len(brief.sources)} source(s)"
    refs = tuple(item.ref for item in result.citations)
    await bench.report(Finding(agent=bench.agent, claim=claim, topic="errors", citations=refs))
    await bench.say("done looking")
    return None


def desk(procedures: Mapping[str, Procedure] | None = None) -> FakeDesk:
    agents = {}
    for name in ("logs", "metrics", "deploys", "codefix"):
        tool: Tool[Any, Any] = Tool(name=f"{name}_look", description="Look.", params=Look, result=Seen, run=look)
        agents[name] = Agent(
            name=name,
            description=name,
            mission=f"look at {name}",
            prompt="",
            tools=(tool,),
            procedure=(procedures or {}).get(name, honest),
        )
    return FakeDesk(Roster(agents), Brief(incident=Incident(id="i", title="t"), sources=(SPEC,)))


def verdicts(at: FakeDesk) -> list[Verdict]:
    return [event.body.verdict for event in at.events if isinstance(event.body, VerdictReached)]


async def test_four_specialists_work_and_one_verdict_ends_it() -> None:
    at = desk()
    assert await OfflineEngine().run(at) == "end_turn"
    assert {finding.agent for finding in at.findings()} == {"logs", "metrics", "deploys", "codefix"}
    (verdict,) = verdicts(at)
    assert verdict.kind == "inconclusive"
    assert at.events[-1].body.type == "warroom.verdict"


async def test_started_again_it_asks_for_the_same_and_adds_nothing() -> None:
    at = desk()
    await OfflineEngine().run(at)
    before, ran = len(at.events), list(at.runs)
    assert await OfflineEngine().run(at) == "end_turn"
    assert len(at.events) == before
    assert at.runs == ran


class LookOnce(Look):
    once: ClassVar[bool] = True


@pytest.mark.parametrize(("asks", "answers"), [(LookOnce, ["early", "early"]), (Look, ["early", "late"])])
async def test_what_is_asked_once_takes_the_first_answer_when_started_again(
    asks: type[Look], answers: list[str]
) -> None:
    """What others have found by then differs from run to run; one round must not find two things."""
    known, given = ["early", "late"], []

    async def by_what_is_known(brief: Brief, bench: Workbench) -> BaseModel | None:
        given.append((await bench.call("logs_look", asks(where=known.pop(0)), Seen)).text)
        return None

    at = desk({"logs": by_what_is_known})
    await OfflineEngine().run(at)
    await OfflineEngine().run(at)
    assert given == answers


async def test_a_specialist_that_fails_is_a_gap_and_no_more() -> None:
    async def broken(brief: Brief, bench: Workbench) -> BaseModel | None:
        raise ValueError("no such column")

    at = desk({"metrics": broken})
    assert await OfflineEngine().run(at) == "end_turn"
    (verdict,) = verdicts(at)
    assert any("metrics did not finish" in gap.text and "no such column" in gap.why for gap in verdict.gaps)
    assert any(isinstance(event.body, SessionError) for event in at.events)
    idle = {e.thread: e.body.stop_reason.type for e in at.events if isinstance(e.body, ThreadStatusIdle)}
    assert idle == {"logs": "end_turn", "metrics": "error", "deploys": "end_turn", "codefix": "end_turn"}


async def test_a_finding_whose_citation_no_tool_returned_does_not_count() -> None:
    async def liar(brief: Brief, bench: Workbench) -> BaseModel | None:
        await bench.report(
            Finding(agent="logs", claim="it was aliens", topic="symptom", weight=1.0, citations=("log:app.log@9+1",))
        )
        return None

    at = desk({"logs": liar})
    await OfflineEngine().run(at)
    (verdict,) = verdicts(at)
    assert verdict.symptom is None or "aliens" not in verdict.symptom.text
    assert any("aliens" in text for text in verdict.unchecked)


async def test_cancel_ends_it_without_a_verdict() -> None:
    async def endless(brief: Brief, bench: Workbench) -> BaseModel | None:
        await asyncio.Event().wait()
        return None

    at = desk({"deploys": endless})
    running = asyncio.create_task(OfflineEngine().run(at))
    await at.until(at.findings)
    at.cancel.set()
    assert await running == "interrupted"
    assert verdicts(at) == []


async def test_an_interrupt_of_one_thread_stops_that_one_only() -> None:
    async def endless(brief: Brief, bench: Workbench) -> BaseModel | None:
        await asyncio.Event().wait()
        return None

    at = desk({"deploys": endless})
    running = asyncio.create_task(OfflineEngine().run(at))
    await at.until(at.findings)
    at.inbox.queue.put_nowait(Interrupt(thread="deploys"))
    assert await running == "end_turn"
    (verdict,) = verdicts(at)
    assert any("deploys did not finish" in gap.text for gap in verdict.gaps)


async def test_a_late_source_starts_another_round_with_all_sources() -> None:
    released = asyncio.Event()

    async def slow(brief: Brief, bench: Workbench) -> BaseModel | None:
        if len(brief.sources) == 1:
            await released.wait()
        return await honest(brief, bench)

    at = desk({"metrics": slow})
    running = asyncio.create_task(OfflineEngine().run(at))
    await at.until(at.findings)
    late = SourceSpec(id="metrics.csv", kind="metrics", path="/metrics.csv")
    at.brief = at.brief.model_copy(update={"sources": (SPEC, late)})
    at.inbox.queue.put_nowait(SourceAdded(spec=late))
    assert await running == "end_turn"
    assert "metrics saw 2 source(s)" in {finding.claim for finding in at.findings()}
    assert len(verdicts(at)) == 1


async def test_a_message_is_answered_with_what_can_be_taken_up() -> None:
    released = asyncio.Event()

    async def slow(brief: Brief, bench: Workbench) -> BaseModel | None:
        await released.wait()
        return None

    at = desk({"metrics": slow})
    at.inbox.queue.put_nowait(Message(text="is it the cache?"))
    running = asyncio.create_task(OfflineEngine().run(at))

    def said() -> list[str]:
        return [event.body.content[0].text for event in at.events if isinstance(event.body, AgentMessage)]

    await at.until(lambda: TAKES_UP in said())
    released.set()
    assert await running == "end_turn"


async def test_without_specialists_it_says_so() -> None:
    at = FakeDesk(Roster({}), Brief(incident=Incident(id="i", title="t")))
    with pytest.raises(EngineError, match="no specialists"):
        await OfflineEngine().run(at)
