"""The offline engine works in rounds, replays after a crash, and survives a specialist's defect."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from orchestrator.engines.base import BoardEdit, EngineError, Interrupt, Message, SourceAdded
from orchestrator.engines.offline.engine import EDIT_TAKEN_UP, TAKES_UP, OfflineEngine
from orchestrator.journal.events import AgentMessage, BoardEdited, SessionError, ThreadStatusIdle, VerdictReached
from orchestrator.journal.faults import DiskFull
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.board import Board
from orchestrator.verdict.board_edits import Edit
from subagents.contract import (
    Brief,
    Finding,
    Frozen,
    Incident,
    Params,
    SourceSpec,
    Suspect,
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


async def waits(brief: Brief, bench: Workbench) -> BaseModel | None:
    """Wait until nobody else finds anything."""
    while await bench.more(len(bench.board())):
        pass
    return None


@pytest.mark.parametrize("fault", [ValueError, NameError, RuntimeError, AssertionError])
async def test_a_specialist_that_fails_is_a_gap_and_no_more(fault: type[Exception]) -> None:
    async def broken(brief: Brief, bench: Workbench) -> BaseModel | None:
        raise fault("no such column")

    at = desk({"metrics": broken, "logs": waits})
    assert await OfflineEngine().run(at) == "end_turn"
    (verdict,) = verdicts(at)
    assert any("metrics did not finish" in gap.text and "no such column" in gap.why for gap in verdict.gaps)
    assert any(isinstance(event.body, SessionError) for event in at.events)
    idle = {e.thread: e.body.stop_reason.type for e in at.events if isinstance(e.body, ThreadStatusIdle)}
    assert idle == {"logs": "end_turn", "metrics": "error", "deploys": "end_turn", "codefix": "end_turn"}


async def test_a_journal_that_fails_ends_it_though_others_wait() -> None:
    async def cut_off(brief: Brief, bench: Workbench) -> BaseModel | None:
        raise DiskFull("no space left for the journal")

    with pytest.raises(DiskFull):
        await OfflineEngine().run(desk({"logs": cut_off, "metrics": waits}))


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


EDIT = Edit(BoardEdited(action="add", suspect="host:node-7", by="dana"))


def said(at: FakeDesk) -> list[str]:
    bodies = (event.body for event in at.events if isinstance(event.body, AgentMessage))
    return ["".join(part.text for part in body.content) for body in bodies]


async def test_what_a_person_added_is_looked_into_and_is_no_lead_by_itself() -> None:
    at = desk()
    at.board_edits = (EDIT,)
    await OfflineEngine().run(at)
    (gap,) = [finding for finding in at.findings() if finding.topic == "gap" and finding.agent == "orchestrator"]
    assert gap.terms == ("host:node-7",)
    assert "to test it: export its CPU" in gap.claim
    (verdict,) = verdicts(at)
    assert "node-7" not in verdict.headline
    assert any(gap.command and gap.command.startswith("export its CPU") for gap in verdict.gaps)


async def test_an_edit_at_rest_is_concluded_anew_by_the_next_run_without_asking_anything_twice() -> None:
    at = desk()
    await OfflineEngine().run(at)
    ran = list(at.runs)
    at.board_edits = (EDIT,)
    await OfflineEngine().run(at)
    assert len(verdicts(at)) == 2
    assert at.runs == ran
    await OfflineEngine().run(at)
    assert len(verdicts(at)) == 2, "the same board, the same verdict"
    at.board_edits = (EDIT, Edit(BoardEdited(action="remove", suspect="host:node-7", by="dana")))
    await OfflineEngine().run(at)
    assert len(verdicts(at)) == 3, "an undo is an edit too"


async def test_an_edit_while_it_works_is_taken_up_and_said() -> None:
    waiting, go = asyncio.Event(), asyncio.Event()

    async def waits(brief: Brief, bench: Workbench) -> BaseModel | None:
        waiting.set()
        await go.wait()
        return None

    at = desk({"logs": waits})
    work = asyncio.create_task(OfflineEngine().run(at))
    await waiting.wait()
    at.board_edits = (EDIT,)
    await at.inbox.queue.put(BoardEdit(text="the person added something"))
    await at.until(lambda: f"{EDIT_TAKEN_UP}the person added something" in said(at))
    go.set()
    assert await work == "end_turn"
    assert TAKES_UP not in said(at)
    (verdict,) = verdicts(at)
    assert any("node-7" in gap.text for gap in verdict.gaps)


def suspects(agent: str, key: str, weight: float) -> Procedure:
    async def report(brief: Brief, bench: Workbench) -> BaseModel | None:
        refs = tuple(item.ref for item in (await bench.call(f"{agent}_look", Look(), Seen)).citations)
        about = Suspect(kind="host", key=key)
        found = Finding(agent=agent, claim=f"{key} fails", topic="mechanism", about=about, stance="for", weight=weight,
                        citations=refs)  # fmt: skip
        await bench.report(Finding(agent=agent, claim="errors rise", topic="symptom", citations=refs))
        await bench.report(found)
        return None

    return report


async def test_what_a_person_ruled_out_is_not_named_the_cause_and_that_the_evidence_holds_is_said() -> None:
    at = desk({"metrics": suspects("metrics", "node-7", 0.9)})
    await OfflineEngine().run(at)
    (before,) = verdicts(at)
    assert before.cause is not None
    assert before.kind == "no_code_cause"
    at.board_edits = (Edit(BoardEdited(action="rule_out", suspect="host:node-7", note="drained", by="dana")),)
    await OfflineEngine().run(at)
    after = verdicts(at)[-1]
    assert after.kind == "inconclusive"
    assert after.cause is None
    assert any("ruled out by dana, and the evidence supports it" in item.text for item in after.contradictions)
    assert not any(item.suspect.key == "node-7" for item in after.ruled_out), "that is told as theirs, by who shows it"


async def test_who_starts_over_with_a_larger_budget_reports_again_what_it_holds() -> None:
    at = desk()
    await OfflineEngine().run(at)
    at.budget.fold.resumptions = 1  # as after a raise and a resume
    await OfflineEngine().run(at)
    board = Board()
    for event in at.events:
        board.apply(event)
    assert {finding.agent for finding in board.findings} == {"logs", "metrics", "deploys", "codefix"}
