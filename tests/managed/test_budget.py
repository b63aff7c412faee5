"""The budget of a managed session: the server's cap, ours within it, an agent's own, a raise."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.config.model import Bounds, Budgets
from orchestrator.engines.managed.budgets import Caps, cap_in_cents
from orchestrator.hands.budget import SPENT, Budget
from orchestrator.hands.budget_fold import SpentFold
from tests.fakes import FakeClock
from tests.managed.driving import ENDS, Driver, driver, events, lead_that, said_there, script
from tests.standin import Actor, Standin, Told
from tests.standin.session import Session as ServerSession


@pytest.mark.parametrize("told", [True, False], ids=["usage-with-budget", "usage-without"])
async def test_the_servers_cap_ends_the_run_and_a_raise_goes_on(
    drive: Driver, server: Standin, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.options.request_cost = 60_000
    if not told:
        emit = ServerSession.emit

        def without(self: ServerSession, kind: str, **more: Any) -> Any:
            more |= {"budget": None} if kind == "session.usage" else {}
            return emit(self, kind, **more)

        monkeypatch.setattr(ServerSession, "emit", without)

    async def works(actor: Actor) -> None:
        await actor.hear()
        if len(actor.history) > 1:
            return
        for n in range(4):
            await actor.say(f"Thinking {n}.")
        await actor.call("conclude", ENDS)

    server.script({"orchestrator": works})
    session = await drive.session(budgets=Budgets(usd="0.12"))
    assert server.state.sessions == {}
    assert await session.run() == "budget_reached"
    assert server.state.only().record["budget"]["max_list_cost"]["amount"] == "12"
    assert "raise it" in session.standing.message
    assert len(events(session, "warroom.verdict")) == 1, "the board's own, for now"
    again = await drive.again(session)
    await again.message("Look at the cache.")
    assert await again.run() == "budget_reached", "nothing was raised"
    assert len(said_there(server, drive.remote(again))) == 1, "the API takes no message at the cap"
    await again.raise_budgets(Budgets(usd=1))
    assert await again.run() == "end_turn"
    assert server.state.only().record["budget"]["max_list_cost"]["amount"] == "100"
    assert said_there(server, drive.remote(again))[1].startswith("Look at the cache.")
    verdicts = events(again, "warroom.verdict")
    assert len(verdicts) == 2
    assert again.budget.used("usd") == 300_000


async def test_an_agent_over_its_own_bound_is_told_then_stopped_and_the_coordinator_hears_of_it(
    server: Standin, tmp_path: Path
) -> None:
    answers: list[Told] = []

    async def logs(actor: Actor) -> None:
        await actor.hear()
        while True:
            answers.append(await actor.call("logs_look", {"q": "here"}))

    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.delegate("logs", "Look.")
        await actor.hear()
        await actor.call("conclude", ENDS)

    server.script({"orchestrator": lead, "logs": logs})
    async with driver(server, tmp_path / "home", "logs") as drive:
        session = await drive.session(budgets=Budgets(usd=5, agents={"logs": Bounds(tool_calls=3)}))
        assert await session.run() == "end_turn"
        assert [one.text.startswith(SPENT) for one in answers].count(True) in (1, 2)
        assert answers[-1].text.startswith(SPENT)
        assert "logs has used up its budget and was stopped" in said_there(server, drive.remote(session))[1]


async def test_at_the_sessions_bound_the_coordinator_concludes_with_the_reserve(drive: Driver, server: Standin) -> None:
    async def scout(actor: Actor) -> None:
        await actor.hear()
        while not (await actor.call("scout_look", {"q": "here"})).text.startswith(SPENT):
            pass
        await actor.report("I was told to stop.")

    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.delegate("scout", "Look.")
        await actor.hear()
        await actor.hear()
        await actor.call("conclude", ENDS)

    server.script(script(lead, scout))
    session = await drive.session(budgets=Budgets(usd=5, tool_calls=10))
    assert await session.run() == "budget_reached"
    told = said_there(server, drive.remote(session))
    assert len(told) == 2
    assert "Conclude now" in told[1]
    assert session.desk.findings() == ()
    assert len(events(session, "warroom.verdict")) == 1, "the coordinator's own"


async def test_where_even_the_reserve_is_used_up_all_is_stopped(drive: Driver, server: Standin) -> None:
    async def lead(actor: Actor) -> None:
        await actor.hear()
        while True:
            await actor.say("I think.")
            await actor.gate("on")

    server.script({"orchestrator": lead})
    server.open("on")
    server.options.pace = 0.01
    session = await drive.session(budgets=Budgets(usd=50, turns=6))
    assert await session.run() == "budget_reached"
    assert "turns" in session.standing.message
    assert len(events(session, "warroom.verdict")) == 1


async def test_dollars_without_a_bound_are_not_bounded_there(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that()))
    session = await drive.session(budgets=Budgets(tokens=100_000))
    assert await session.run() == "end_turn"
    assert server.state.only().record["budget"] is None


@pytest.mark.parametrize(("usd", "cents"), [("0.001", 1), ("0.019", 1), ("2.5", 250), (None, None)])
def test_the_cap_is_whole_cents_and_never_more_than_the_bound(usd: str | None, cents: int | None) -> None:
    fold = SpentFold()
    fold.budgets = Budgets(usd=usd) if usd else Budgets()
    assert cap_in_cents(Budget(fold, FakeClock())) == cents


def test_an_agent_that_reports_in_time_is_not_stopped() -> None:
    caps = Caps(Budget(SpentFold(), FakeClock()))
    caps.answered("scout", f"{SPENT}: 2 of 2 tool calls used")
    assert [caps.goes_on("scout") for _ in range(2)] == [False, False]
    assert caps.goes_on("scout"), "the third request is one too many"
    assert not caps.goes_on("scout"), "it is stopped once"
    assert not caps.goes_on("other", called=True)


def test_calls_of_the_request_in_which_it_was_told_are_no_going_on() -> None:
    caps = Caps(Budget(SpentFold(), FakeClock()))
    caps.answered("scout", f"{SPENT}: 2 of 2 tool calls used")
    assert not caps.goes_on("scout", called=True)
    assert not caps.goes_on("scout")
    assert caps.goes_on("scout", called=True)
