"""Calls: side by side, answered once, denied with a reason, waiting for a person, interrupted, and after a crash."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.hands.policy import Policy, Rule
from orchestrator.journal.fold import calls as calls_of
from tests.managed.conftest import KEY
from tests.managed.driving import (
    ENDS,
    ROOT,
    Driver,
    ask_scout,
    events,
    lead_that,
    notes,
    said_there,
    scout_that,
    script,
    told,
)
from tests.standin import Actor, Call, Standin

ASKS = Policy([Rule(name="ask first", answer="ask", tool="scout_look")])


async def test_a_call_that_needs_a_yes_is_denied_where_nobody_can_give_one(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_look", {"q": "here"}))))
    session = await drive.session(policy=ASKS)
    assert await session.run() == "end_turn"
    (denied,) = [body for body in told(session).values() if body.is_error]
    assert "scout_look" in denied.content[0].text
    (there,) = [one for one in server.state.events() if one["type"] == "user.custom_tool_result" and one["is_error"]]
    assert there["content"][0]["text"] == f"Not done. {denied.content[0].text}"


async def test_a_call_waits_for_a_person_while_the_session_blocks_and_a_message_waits_with_it(
    drive: Driver, server: Standin
) -> None:
    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.delegate("scout", "Look.")
        await actor.hear()
        await actor.hear()
        await actor.call("conclude", ENDS)

    server.script(script(lead, scout_that(Call("scout_look", {"q": "here"}))))
    session = await drive.session(policy=ASKS, attended=True)
    running = asyncio.create_task(session.run())
    await drive.until(session, lambda event: event.type == "warroom.approval_requested")
    await drive.reached(lambda state: state.only().blocked())
    await session.message("Hurry, please.", to="scout")
    await drive.until(session, lambda event: "is kept and sent as soon as" in str(event.body))
    assert len(said_there(server, drive.remote(session))) == 1, "the API takes no message now"
    (request,) = session.pending()
    await session.decide(request.id, "reject", request.digest, reason="Not on a Friday.")
    assert await running == "end_turn"
    refused = [body.content[0].text for body in told(session).values() if body.is_error]
    assert refused == ["scout_look: not approved: Not on a Friday."]
    assert said_there(server, drive.remote(session))[1].startswith("for scout: Hurry, please.")
    assert sum("is kept" in one for one in notes(session)) == 1


async def test_an_interrupted_specialist_is_done_without(drive: Driver, server: Standin, tmp_path: Path) -> None:
    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.delegate("scout", "Look.")
        heard = await actor.hear()
        actor.memory["heard"] = heard.text
        await actor.call("conclude", ENDS)

    server.script(script(lead, scout_that(Call("scout_wait", {"q": str(tmp_path / "never")}))))
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.until(session, lambda event: event.type == "warroom.tool_started")
    await drive.live(session)
    await session.interrupt("scout")
    assert await running == "end_turn"
    assert "stopped scout" in said_there(server, drive.remote(session))[1]
    outcomes = [call.finished.outcome for call in calls_of(events(session)).values() if call.finished]
    assert outcomes == ["cancelled"]
    assert [event.type for event in events(session)].count("user.interrupt") == 1, "its echo is no second one"


@pytest.mark.parametrize("reopened", [False, True])
async def test_all_is_stopped_there_too_and_goes_on_when_it_is_resumed(
    drive: Driver, server: Standin, tmp_path: Path, reopened: bool
) -> None:
    async def lead(actor: Actor) -> None:
        heard = await actor.hear()
        if "Go on with the investigation" not in heard.text:
            await ask_scout(actor)
        await actor.call("conclude", ENDS)

    server.script(script(lead, scout_that(Call("scout_wait", {"q": str(tmp_path / "never")}))))
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.until(session, lambda event: event.type == "warroom.tool_started")
    await drive.live(session)
    await session.interrupt()
    assert await running == "interrupted"
    await drive.reached(lambda state: state.only().status == "idle" and not state.only().blocked())
    assert session.standing.reason == "interrupted"
    if reopened:
        session = await drive.again(session)
    assert await session.run() == "end_turn"
    outcomes = [call.finished.outcome for call in calls_of(events(session)).values() if call.finished]
    assert outcomes == ["cancelled"], "a call that was closed there is settled here and does not run again"
    assert len(server.state.sessions) == 1


async def test_who_only_leaves_finds_the_calls_waiting(drive: Driver, server: Standin, tmp_path: Path) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_wait", {"q": str(tmp_path / "gate")}))))
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.until(session, lambda event: event.type == "warroom.tool_started")
    await drive.live(session)
    await session.close()
    assert await running == "interrupted"
    assert server.state.only().blocked(), "nothing was interrupted there"
    (tmp_path / "gate").touch()
    session = await drive.again(session)
    assert "resume catches up" in session.standing.message
    assert await session.run() == "end_turn"
    assert [call.finished.outcome for call in calls_of(events(session)).values() if call.finished] == ["ok"]


async def test_a_result_for_a_closed_call_is_dropped_and_one_in_a_bad_form_is_replaced(
    drive: Driver, server: Standin
) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_look", {"q": "here"}))))
    server.faults.refuse(400, "POST", "*/events", message="content: too long")
    session = await drive.session()
    assert await session.run() == "end_turn"
    (replaced,) = [
        one["content"][0]["text"]
        for one in server.state.events()
        if one["type"] == "user.custom_tool_result" and one["is_error"]
    ]
    assert replaced.startswith("The result could not be handed over")
    assert notes(session) == []


async def test_calls_run_side_by_side_and_each_is_answered_when_it_is_done(
    drive: Driver, server: Standin, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    calls = [Call("scout_wait", {"q": str(gate)}), *(Call("scout_look", {"q": str(n)}) for n in range(5))]
    server.script(script(lead_that(ask_scout), scout_that(*calls)))
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.reached(lambda state: state.sessions and list(state.only().calls.values()).count("answered") == 5)
    assert list(server.state.only().calls.values()).count("open") == 1
    gate.touch()
    assert await running == "end_turn"
    assert set(server.state.only().posted.values()) == {1}
    posts = [one for one in server.requests if one.method == "POST" and one.path.endswith("/events")]
    assert all(len(one.body["events"]) == 1 for one in posts), "one result in a request"


def crash(server: Standin, folder: Path, calls: int, seed: int, longest: int) -> Any:
    plan: dict[str, Any] = {
        "home": str(folder / "home"),
        "effects": str(folder / "effects"),
        "url": server.base_url,
        "key": KEY,
    }
    plan |= {"calls": calls, "seed": seed, "longest_life": longest}
    argv = [sys.executable, "-m", "tests.managed.crash_child", json.dumps(plan)]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads(done.stdout)


@pytest.mark.parametrize("calls", [40, pytest.param(400, marks=pytest.mark.soak)])
def test_killed_at_random_it_does_nothing_twice_and_leaves_nothing_unanswered(
    server: Standin, tmp_path: Path, calls: int
) -> None:
    from tests.managed.crash_child import brains

    server.script(brains(calls, tmp_path / "effects"))
    result = crash(server, tmp_path, calls, seed=8, longest=240)
    assert result["kills"] >= calls // 8
    assert result["sessions"] == len(server.state.sessions) == 1
    outcomes, effects = result["outcomes"], result["effects"]
    assert len(outcomes) == calls
    assert set(server.state.only().calls.values()) == {"answered"}
    assert {server.state.posted(call) for call in outcomes} == {1}
    assert result["states"] == ["acknowledged"]
    for call, name in result["names"].items():
        kind = name.rpartition("-")[2]
        if kind == "keyed":
            assert (outcomes[call], effects.get(name)) == ("ok", 1), "keyed: exactly once"
        elif outcomes[call] == "ok":
            assert effects.get(name) == 1
        else:
            assert outcomes[call] == "unknown"
            assert effects.get(name, 0) <= 1, "unkeyed: at most once, and said to be unknown"
    assert result["verdicts"] == 1
    assert result["status"] == ["idle", "end_turn"]
