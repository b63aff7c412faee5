"""A session's budget: what goes over it is refused, a stop says how to go on, only a person raises, all on record."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from orchestrator.config.model import Bounds, Budgets
from orchestrator.engines.base import Desk, StopReason
from orchestrator.engines.offline.engine import OfflineEngine
from orchestrator.hands.budget import SPENT, Allowed, Estimate, Refused
from orchestrator.hands.budget_summary import summary_of
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.hands.usage import Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    BudgetChanged,
    StatusIdle,
    ThreadStatusIdle,
    ToolStarted,
    UnknownBody,
    VerdictReached,
)
from orchestrator.session import Session
from orchestrator.session.budgeting import BudgetFault
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from subagents.contract import SPECIALISTS, ToolResult
from tests.session.conftest import INCIDENT, FakeEngine, Room, call, rest, types, use

LOOKERS = RosterRecipe(factory="tests.session.lookers:build")


def changes(session: Session) -> list[str]:
    found = (event.body for event in session.journal.events() if isinstance(event.body, BudgetChanged))
    return [f"{body.detail['by']}: {body.detail['words']}" for body in found]


def last_words(session: Session) -> str:
    *_, idle = (event.body for event in session.journal.events() if isinstance(event.body, StatusIdle))
    return idle.stop_reason.message


async def test_bounds_are_on_record_from_the_first_transaction_and_none_where_there_are_none(room: Room) -> None:
    free = await room.create()
    assert "warroom.budget_changed" not in types(free)
    bound = await room.create(budgets=Budgets(tool_calls=3, agents={"logs": Bounds(usd=Decimal("0.5"))}))
    assert types(bound)[:2] == ["warroom.incident", "warroom.budget_changed"]
    assert changes(bound) == ["settings: at most 3 tool calls, logs: $0.50"]


async def test_parallel_calls_start_no_more_often_than_the_bound(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        results = await asyncio.gather(*(call(desk, "toys_double", f"c{n}", value=n) for n in range(8)))
        refused = [result for result in results if result.outcome == "denied"]
        assert len(refused) == 3
        assert all(result.text.startswith(f"{SPENT}: ") for result in refused)
        assert "toys_double was not run" in refused[0].text
        return "budget_reached"

    session = await room.create(script, budgets=Budgets(tool_calls=6))
    assert await session.run() == "budget_reached"
    assert sum(isinstance(event.body, ToolStarted) for event in session.journal.events()) == 5
    assert session.standing.reason == "budget_reached"
    assert "5 of 6 tool calls used, 1 kept for the verdict" in last_words(session)
    assert f"warroom sessions budget {session.id}" in last_words(session)


async def test_a_call_that_does_not_start_gives_its_place_back(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        assert (await call(desk, "toys_double", "bad", wrong=1)).outcome == "error"
        assert (await call(desk, "toys_unkeyed", "no", path="/x")).outcome == "denied"
        assert (await call(desk, "toys_double", "good", value=1)).outcome == "ok"
        assert (await call(desk, "toys_double", "good", value=1)).outcome == "ok", "what is there is handed over"
        assert (await call(desk, "toys_double", "more", value=1)).text.startswith(SPENT)
        return "end_turn"

    session = await room.create(script, budgets=Budgets(tool_calls=1), policy=room.settings.policy.__class__(()))
    assert await session.run() == "end_turn"


async def test_a_tool_that_runs_when_the_time_is_up_is_stopped_there(room: Room) -> None:
    taken: list[ToolResult[Any]] = []

    async def script(desk: Desk) -> StopReason:
        taken.append(await call(desk, "toys_wait", "c1"))
        taken.append(await call(desk, "toys_double", "c2", value=1))
        return "budget_reached"

    session = await room.create(script, budgets=Budgets(seconds=10, reserve_percent=0))
    running = asyncio.create_task(session.run())
    async for event in session.subscribe(0):
        if event.type == "warroom.tool_started":
            break
    while not room.clock.sleeping:  # noqa: ASYNC110 - the fake clock has no event for it
        await asyncio.sleep(0)
    room.clock.advance(9.5)
    for _ in range(5):
        await asyncio.sleep(0)
    assert not taken
    room.clock.advance(0.5)
    assert await running == "budget_reached"
    assert [result.outcome for result in taken] == ["timeout", "denied"]
    assert taken[0].text == f"{SPENT}: toys_wait ran into the session's time"
    assert taken[1].text == f"{SPENT}: 10 s of 10 s used; toys_double was not run"
    room.clock.advance(1000)
    assert session.budget.used("seconds") == 10_000, "waiting is free"


async def test_a_resumed_session_goes_on_with_what_was_spent(room: Room) -> None:
    async def first(desk: Desk) -> StopReason:
        asked = Estimate("r1", "claude-haiku-4-5", 1000, 1000)
        assert isinstance(desk.budget.check("logs", asked), Allowed)
        usage = Usage(model="claude-haiku-4-5", input_tokens=1000, output_tokens=600)
        await desk.record(desk.budget.spend("logs", usage, "r1"), thread="logs")
        await call(desk, "toys_double", "c1", value=1)
        return "end_turn"

    async def second(desk: Desk) -> StopReason:
        refused = desk.budget.check("logs", Estimate("r2", "claude-haiku-4-5", 1000, 1000))
        assert isinstance(refused, Refused)
        assert refused.reason.startswith(f"{SPENT}: $0.0040 of $0.01 used")
        return "budget_reached"

    session = await room.create(first, budgets=Budgets(usd=Decimal("0.01"), tool_calls=2))
    assert await session.run() == "end_turn"
    await session.close()
    again = await room.open(session.id, second, budgets=Budgets(usd=Decimal(100)))
    assert await again.run() == "budget_reached"
    assert again.budget.used("tool_calls", "toys") == 1
    assert again.budget.meter().startswith("$0.0040 of $0.01 · 1 turn · 1 of 2 tool calls")


async def test_a_raise_is_a_persons_act_on_record(room: Room) -> None:
    budgets = Budgets(tool_calls=1, agents={"logs": Bounds(turns=3)})
    session = await room.create(budgets=budgets)
    wished = Budgets(tool_calls=9, agents={"logs": Bounds(turns=4)})
    await session.raise_budgets(wished, by="ada")
    assert changes(session)[1:] == ["ada: 1 tool call raised to 9 tool calls", "ada: logs: 3 turns raised to 4 turns"]
    await session.close()
    again = await room.open(session.id)
    assert (again.budget.bound("tool_calls"), again.budget.bound("turns", "logs")) == (9, 4)
    assert [change.by for change in summary_of(again.journal.events()).changes] == ["settings", "ada", "ada"]


@pytest.mark.parametrize(
    ("wished", "why"),
    [
        (Budgets(), "name what to raise"),
        (Budgets(tool_calls=5), "5 tool calls is no raise: the bound is 5 tool calls"),
        (Budgets(tool_calls=4), "no raise"),
        (Budgets(usd=Decimal(5)), "usd is not bounded, so there is nothing to raise"),
        (Budgets(tool_calls=6, turns=1), "turns is not bounded"),
        (Budgets(tool_calls=6, agents={"logs": Bounds(turns=9)}), "logs: turns is not bounded"),
    ],
)
async def test_what_is_no_raise_changes_nothing(room: Room, wished: Budgets, why: str) -> None:
    session = await room.create(budgets=Budgets(tool_calls=5))
    before = types(session)
    with pytest.raises(BudgetFault, match=why):
        await session.raise_budgets(wished)
    assert types(session) == before


async def test_an_engine_cannot_raise(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        wish = BudgetChanged(detail={"by": "person", "bounds": {"tool_calls": 1000}})
        with pytest.raises(ValueError, match=r"does not record warroom\.budget_changed"):
            await desk.record(wish, thread=MAIN_THREAD)
        assert not [name for name in vars(type(desk.budget)) if "raise" in name or "set" in name]
        assert (await call(desk, "toys_double", "c1", value=1)).outcome == "ok"
        assert (await call(desk, "toys_double", "c2", value=1)).outcome == "denied"
        return "end_turn"

    session = await room.create(script, budgets=Budgets(tool_calls=1))
    assert await session.run() == "end_turn"
    assert len(changes(session)) == 1


async def test_what_a_person_asks_for_is_no_agents_spending(room: Room) -> None:
    session = await room.create(budgets=Budgets(tool_calls=1))
    for number in range(3):
        ask = use("toys_double", f"c{number}", value=1)
        assert (await session._hands.call("toys", "toys", ask, by_person=True)).outcome == "ok"
    assert session.budget.over("toys") is not None
    refused = await session.desk.call("toys", use("toys_double", "d", value=1))
    assert refused.text.startswith(SPENT)


async def test_an_engine_says_how_far_it_may_go_over(room: Room) -> None:
    class Loose(FakeEngine):
        overshoot = "up to one request per thread"

    settings = replace(room.settings, budgets=Budgets(turns=3))
    session = await Session.create(room.home, INCIDENT, (), (), Loose(rest), settings)
    room.opened.append(session)
    assert summary_of(session.journal.events()).overshoot == "up to one request per thread"


async def test_unknown_shapes_of_a_raise_are_no_raise(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        body = UnknownBody.model_validate({"type": "warroom.budget_changed", "detail": {"bounds": {"tool_calls": 99}}})
        with pytest.raises(ValueError, match="does not record"):
            await desk.record(body, thread=MAIN_THREAD)
        return "end_turn"

    session = await room.create(script, budgets=Budgets(tool_calls=1))
    assert await session.run() == "end_turn"
    assert session.budget.bound("tool_calls") == 1


# -- the offline engine ------------------------------------------------------------------------


async def offline(room: Room, budgets: Budgets) -> Session:
    settings = replace(room.settings, recipe=LOOKERS, budgets=budgets)
    session = await Session.create(room.home, INCIDENT, (), (), OfflineEngine(), settings)
    room.opened.append(session)
    return session


def verdicts(session: Session) -> list[VerdictReached]:
    return [event.body for event in session.journal.events() if isinstance(event.body, VerdictReached)]


async def test_the_offline_engine_concludes_with_what_it_has_and_goes_on_once_it_is_given_more(room: Room) -> None:
    session = await offline(room, Budgets(tool_calls=5, reserve_percent=0))
    assert await session.run() == "budget_reached"
    (first,) = (one.verdict for one in verdicts(session))
    assert first.kind == "inconclusive"
    cut = [gap for gap in first.gaps if "did not finish" in gap.text]
    assert cut
    assert all("of 5 tool calls used" in gap.why and "_look was not run" in gap.why for gap in cut)
    assert "the budget was spent before all was looked at" in first.headline
    assert any("did not finish, because the budget was spent" in line for line in first.confidence.against)
    assert len(session.desk.findings()) == 5
    stops = {e.body.stop_reason.type for e in session.journal.events() if isinstance(e.body, ThreadStatusIdle)}
    assert "budget_reached" in stops

    assert await session.run() == "budget_reached", "without more it ends where it was"
    assert len(verdicts(session)) == 1
    assert session.budget.used("tool_calls") == 5

    await session.raise_budgets(Budgets(tool_calls=40))
    assert await session.run() == "end_turn"
    assert len(verdicts(session)) == 2
    assert session.budget.used("tool_calls") == 8, "what was done is not done again"
    assert {finding.claim for finding in session.desk.findings()} == {
        f"{agent} looked {where}" for agent in SPECIALISTS for where in ("here", "there")
    }
    made = build_report(session.journal.events())
    page = render_markdown(made)
    assert "- Used: 8 of 40 tool calls" in page
    assert "- Budget raised by person: 5 tool calls raised to 40 tool calls" in page


async def test_the_offline_engine_stops_at_the_time(room: Room) -> None:
    session = await offline(room, Budgets(seconds=60))
    room.clock.advance(5)
    subscription = session.subscribe(0)
    running = asyncio.create_task(session.run())
    async for event in subscription:
        if event.type == "session.status_running":
            room.clock.advance(52)
            break
    assert await running == "budget_reached"
    assert "52 s of 1:00 min used, 9 s kept for the verdict" in last_words(session)
    assert len(verdicts(session)) == 1


async def test_a_session_without_bounds_reports_none(room: Room) -> None:
    session = await room.create(rest)
    await session.run()
    assert "Used:" not in render_markdown(build_report(session.journal.events()))
