"""One run of the managed engine against the stand-in: made once, driven to its verdict, resumed, ended."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from orchestrator.journal.events import Note, RemoteSession
from orchestrator.journal.fold import pending_calls
from tests.managed.conftest import KEY
from tests.managed.driving import (
    ENDS,
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


async def test_from_the_incident_to_the_verdict(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_look", {"q": "here"}))))
    session = await drive.session()
    assert await session.run() == "end_turn"
    (bound,) = [event.body for event in events(session, "warroom.remote_session")]
    assert isinstance(bound, RemoteSession)
    record = server.state.only().record
    assert (bound.id, bound.act, bound.hands) == (record["id"], "created", True)
    assert record["title"] == "INC-1: it broke"
    assert record["budget"] == {"type": "limit", "max_list_cost": {"amount": "500", "currency": "USD"}}
    assert record["metadata"] == {
        "warroom": "install-1",
        "warroom_hands": "install-1",
        "warroom_incident": "INC-1",
        "warroom_nonce": bound.nonce,
        "warroom_session": session.id,
    }
    (brief,) = said_there(server, bound.id)
    assert "| title: it broke" in brief
    answers = told(session)
    assert [call for call in answers if server.state.posted(call) != 1] == []
    assert len(answers) == 2
    assert not pending_calls(session.journal.events()), "every result is acknowledged"
    assert [event.body.verdict.headline for event in events(session, "warroom.verdict")] == [  # type: ignore[union-attr]
        "It is not known what broke."
    ]
    assert session.standing.reason == "end_turn"
    used = {agent: account.used["turns"] for agent, account in session.budget.fold.agents.items()}
    assert used == {"orchestrator": 3, "scout": 2}
    assert session.budget.used("usd", "scout") > 0
    folder = b"".join(path.read_bytes() for path in drive.home.path.rglob("*") if path.is_file())
    assert KEY.encode() not in folder, "the key is kept nowhere"


async def test_results_are_fenced_bounded_and_cited_and_faults_are_answers(drive: Driver, server: Standin) -> None:
    calls = [
        Call("scout_look", {"q": "here"}),
        Call("scout_look", {"q": "huge"}),
        Call("scout_look", {"q": "fail"}),
        Call("scout_missing", {}),
        Call("conclude", {}),
        Call("scout_look", {"q": 7, "x": 1}),
    ]
    server.script(script(lead_that(ask_scout), scout_that(*calls)))
    session = await drive.session()
    assert await session.run() == "end_turn"
    stored = [event for event in server.state.events() if event["type"] == "user.custom_tool_result"]
    here, huge, fail, missing, conclude, wrong = _answers(stored, server)
    assert here[1] is False
    assert "| saw here" in here[0]
    assert "log:app.log@0+1" in here[0]
    assert huge[1] is False
    assert len(huge[0]) < 100_000
    assert "\x1b" not in huge[0]
    assert "There is more: blob:" in huge[0]
    assert fail[1] is True
    assert "name another place" in fail[0]
    assert missing == ("Not done. scout_missing: denied (tool not held): scout holds no such tool", True) or missing[1]
    assert conclude[1] is True
    assert "for the orchestrator only" in conclude[0]
    assert wrong[1] is True
    assert "x: " in wrong[0]


def _answers(stored: list[dict[str, Any]], server: Standin) -> list[tuple[str, bool]]:
    """Return what the scout's calls were answered, in the order of the calls."""
    calls = [event["id"] for event in server.state.events() if event["type"] == "agent.custom_tool_use"]
    found = sorted(stored, key=lambda one: calls.index(one["custom_tool_use_id"]))[:6]
    return [(one["content"][0]["text"], one["is_error"]) for one in found]


@pytest.mark.parametrize(
    "other", [{"cross_ids": "different", "interrupt_results": True}, {"late_calls": True, "empty_interrupt_ids": True}]
)
async def test_what_the_api_leaves_open_changes_nothing(drive: Driver, server: Standin, other: dict[str, Any]) -> None:
    for name, value in other.items():
        setattr(server.options, name, value)
    calls = [Call("scout_look", {"q": str(number)}) for number in range(3)]
    server.script(script(lead_that(ask_scout), scout_that(*calls)))
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert len(told(session)) == 4
    assert set(server.state.only().posted.values()) == {1}
    assert not pending_calls(session.journal.events())


async def test_work_that_is_stopped_before_there_is_a_session_makes_none(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that()))
    server.faults.add("POST", "/v1/sessions", broken="reset", times=10_000)
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.reached(lambda state: any(one.path == "/v1/sessions" for one in server.requests))
    await session.interrupt()
    assert await running == "interrupted"
    server.faults.clear()
    assert await session.run() == "end_turn"
    assert len(server.state.sessions) == 1


@pytest.mark.parametrize("fault", ["lost", "error", "list fails"])
async def test_a_session_whose_making_is_in_doubt_is_found_again(drive: Driver, server: Standin, fault: str) -> None:
    server.script(script(lead_that()))
    if fault == "error":
        server.faults.refuse(503, "POST", "/v1/sessions", applied=True)
    else:
        server.faults.lose_answer("/v1/sessions")
    if fault == "list fails":
        server.faults.refuse(529, "GET", "/v1/sessions")
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert len(server.state.sessions) == 1
    assert drive.remote(session) == server.state.only().id


async def test_a_session_that_was_not_made_is_made_once(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that()))
    server.faults.add("POST", "/v1/sessions", broken="reset")
    server.faults.rate_limit("1", path="/v1/sessions", method="POST", skip=1)
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert len(server.state.sessions) == 1


async def test_what_cannot_be_made_says_why_and_is_made_later(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that()))
    server.options.no_beta.add(KEY)
    session = await drive.session()
    assert await session.run() == "retries_exhausted"
    assert "may not use Managed Agents" in session.standing.message
    server.options.no_beta.clear()
    assert await session.run() == "end_turn"
    assert len(server.state.sessions) == 1
    assert KEY not in session.standing.message


async def test_a_result_whose_answer_is_lost_is_posted_once(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_look", {"q": "here"}))))
    server.faults.lose_answer("*/events")
    server.faults.refuse(500, "POST", "*/events", skip=1, applied=True)
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert {server.state.posted(call) for call in told(session)} == {1}


async def test_without_a_conclusion_it_is_reminded_twice_and_then_the_board_concludes(
    drive: Driver, server: Standin
) -> None:
    async def talker(actor: Actor) -> None:
        await actor.hear()
        await actor.say("The verdict: it was the cache, surely.")

    server.script({"orchestrator": talker})
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert sum("no conclusion on record" in text for text in said_there(server, drive.remote(session))) == 2
    (verdict,) = [event.body for event in events(session, "warroom.verdict")]
    assert verdict.verdict.kind == "inconclusive"  # type: ignore[union-attr]
    assert "the model gave no conclusion" in verdict.verdict.confidence.reasons[0]  # type: ignore[union-attr]
    assert "cache" not in verdict.model_dump_json(), "prose is shown, never read"
    assert "without a conclusion" in session.standing.message


async def test_a_reminder_helps(drive: Driver, server: Standin) -> None:
    async def forgetful(actor: Actor) -> None:
        await actor.hear()
        if len(actor.history) > 1:
            await actor.call("conclude", {**ENDS, "headline": "All is open."})
        await actor.say("So.")

    server.script({"orchestrator": forgetful})
    session = await drive.session()
    assert await session.run() == "end_turn"
    (verdict,) = [event.body for event in events(session, "warroom.verdict")]
    assert verdict.verdict.headline == "All is open."  # type: ignore[union-attr]


async def _refuses(actor: Actor) -> None:
    await actor.hear()
    if len(actor.history) == 1:
        await actor.refuse("cyber", "I will not.")
    await actor.call("conclude", ENDS)


async def _exhausted(actor: Actor) -> None:
    await actor.hear()
    if len(actor.history) == 1:
        await actor.fail("model_overloaded_error", "exhausted", "Overloaded.")
    await actor.call("conclude", ENDS)


@pytest.mark.parametrize(
    ("brain", "stop", "says"),
    [(_refuses, "refusal", "declined (cyber): I will not."), (_exhausted, "retries_exhausted", "Overloaded.")],
)
async def test_each_ending_says_what_to_do_and_a_message_goes_on(
    drive: Driver, server: Standin, brain: Any, stop: str, says: str
) -> None:
    server.script({"orchestrator": brain})
    session = await drive.session()
    assert await session.run() == stop
    assert says in session.standing.message
    assert "message" in session.standing.message
    session = await drive.again(session)
    await session.message("Go on, please.")
    assert await session.run() == "end_turn"
    assert len(server.state.sessions) == 1
    assert "Go on, please." in said_there(server, drive.remote(session))[-1]


async def test_a_session_that_is_terminated_there_ends_here_with_the_boards_verdict(
    drive: Driver, server: Standin
) -> None:
    async def dies(actor: Actor) -> None:
        await actor.hear()
        await actor.fail("unknown_error", "terminal", "It broke for good.")

    server.script({"orchestrator": dies})
    session = await drive.session()
    assert await session.run() == "error"
    assert session.standing.status == "terminated"
    assert "start a new one" in session.standing.reason
    assert len(events(session, "warroom.verdict")) == 1


async def test_a_retry_there_is_a_reschedule_here(drive: Driver, server: Standin) -> None:
    async def stumbles(actor: Actor) -> None:
        await actor.hear()
        await actor.gate("watched")
        await actor.fail("model_rate_limited_error", "retrying", "Slow down.")
        await actor.call("conclude", ENDS)

    server.script({"orchestrator": stumbles})
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.live(session)
    server.open("watched")
    assert await running == "end_turn"
    statuses = [event.type for event in events(session) if event.type.startswith("session.status_")]
    assert statuses == [
        "session.status_running",
        "session.status_rescheduled",
        "session.status_running",
        "session.status_idle",
    ]


async def test_a_finished_session_answers_what_the_person_says_later(drive: Driver, server: Standin) -> None:
    async def lead(actor: Actor) -> None:
        heard = await actor.hear()
        if len(actor.history) == 1:
            await actor.call("conclude", ENDS)
        await actor.say(f"I heard: {heard.text[:12]}")

    server.script({"orchestrator": lead})
    session = await drive.session()
    await session.message("Said before")
    assert await session.run() == "end_turn"
    assert "The person on call said: Said before" in said_there(server, drive.remote(session))[0]
    assert len(said_there(server, drive.remote(session))) == 1, "what the brief holds is not said again"
    await session.message("And then?", to="scout")
    assert await session.run() == "end_turn"
    session = await drive.again(session)
    assert await session.run() == "end_turn"
    assert [text.partition("\n")[0] for text in said_there(server, drive.remote(session))[1:]] == [
        "for scout: And then?"
    ], "nothing is said twice, whoever opens it"
    assert len(events(session, "warroom.verdict")) == 1
    assert len([one for one in events(session, "user.message")]) == 2, "an echo is no second message"
    assert notes(session) == []


async def test_another_host_takes_the_hands_over(drive: Driver, server: Standin) -> None:
    async def waits(actor: Actor) -> None:
        await actor.hear()
        await actor.gate("never")

    server.script({"orchestrator": waits})
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.live(session)
    remote = server.state.only()
    server.run(lambda: server._app.space.sessions.update(remote.id, {"metadata": {"warroom_hands": "install-2"}}))
    assert await running == "interrupted"
    assert session.desk.remote is not None
    assert (session.desk.remote.act, session.desk.remote.by) == ("lost", "install-2")
    assert "install-2 has taken the hands over" in session.standing.message
    assert not any(isinstance(one.body, Note) and one.body.level == "error" for one in events(session))


async def test_a_session_that_is_gone_there_ends_with_the_boards_verdict_and_says_what_to_do(
    drive: Driver, server: Standin
) -> None:
    async def waits(actor: Actor) -> None:
        await actor.hear()
        await actor.gate("held")

    server.script({"orchestrator": waits})
    session = await drive.session()
    running = asyncio.create_task(session.run())
    await drive.reached(lambda state: state.sessions)
    await drive.live(session)
    server.faults.refuse(404, path="/v1/sessions/*", times=999)
    server.cut()
    assert await running == "error"
    assert session.standing.status == "idle", "with another key it may go on"
    assert "a new one begins anew" in session.standing.message
    (verdict,) = events(session, "warroom.verdict")
    assert verdict.body.verdict.kind == "inconclusive"  # type: ignore[union-attr]


async def test_a_concluded_session_that_is_gone_there_keeps_its_verdict(drive: Driver, server: Standin) -> None:
    server.script(script(lead_that(ask_scout), scout_that(Call("scout_look", {"q": "here"}))))
    session = await drive.session()
    assert await session.run() == "end_turn"
    server.faults.refuse(404, path="/v1/sessions/*", times=999)
    again = await drive.again(session)
    assert await again.run() == "error"
    assert "has no session" in again.standing.message
    assert len(events(again, "warroom.verdict")) == 1
