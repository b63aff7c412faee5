"""Reports and conclusions: taken, handed back while rounds are left, marked when none is, read from prose never."""

from __future__ import annotations

from typing import Any

from orchestrator.journal.events import ClaimsChecked, FindingReported, VerdictReached
from orchestrator.verdict.board import Board
from tests.managed.driving import ENDS, Driver, ask_scout, events, lead_that, scout_that, script, told
from tests.managed.toys import CITED
from tests.standin import Actor, Call, Standin, Told

FINDING: dict[str, Any] = {"claim": "It broke.", "topic": "errors", "citations": [CITED]}


async def test_a_finding_that_holds_is_on_the_board_and_one_in_a_bad_form_is_mended(
    drive: Driver, server: Standin
) -> None:
    answers: list[Told] = []

    async def scout(actor: Actor) -> None:
        await actor.hear()
        await actor.call("scout_look", {"q": "here"})
        answers.append(await actor.call("report_finding", {**FINDING, "topic": "gossip"}))
        answers.append(await actor.call("report_finding", FINDING))
        answers.append(await actor.call("report_finding", FINDING))
        await actor.report("It is the cache, 97 percent of it.")

    server.script(script(lead_that(ask_scout), scout))
    session = await drive.session()
    assert await session.run() == "end_turn"
    wrong, taken, again = answers
    assert wrong.is_error
    assert "topic" in wrong.text
    (finding,) = [one.body for one in events(session, "warroom.finding") if isinstance(one.body, FindingReported)]
    assert (taken.is_error, taken.text) == (False, f"On the board as {finding.id}.")
    assert again.text == taken.text
    assert finding.finding.agent == "scout", "whose it is, is never taken from what the model says"


async def test_what_an_agent_found_stays_on_the_board_when_it_gets_another_task(drive: Driver, server: Standin) -> None:
    async def lead(actor: Actor) -> None:
        await actor.hear()
        thread = await actor.delegate("scout", "Look.")
        await actor.hear()
        await actor.act(sends=[(thread, "Look again.")])
        await actor.hear()
        await actor.call("conclude", ENDS)

    async def scout(actor: Actor) -> None:
        task = await actor.hear()
        await actor.call("scout_look", {"q": "here"})
        await actor.call("report_finding", {**FINDING, "claim": f"As to '{task.text}': it broke."})
        await actor.report("I am done.")

    server.script(script(lead, scout))
    session = await drive.session()
    assert await session.run() == "end_turn"
    board = Board()
    for event in events(session):
        board.apply(event)
    assert len(board.findings) == 2


async def test_what_does_not_hold_goes_back_while_rounds_are_left_and_then_counts_for_nothing(
    drive: Driver, server: Standin
) -> None:
    wrong = {**FINDING, "citations": ["log:other.log@9+1"]}
    answers: list[Told] = []

    async def scout(actor: Actor) -> None:
        await actor.hear()
        answers.extend([await actor.call("report_finding", {**wrong, "claim": f"It broke {n}."}) for n in range(3)])
        await actor.report("I am done.")

    server.script(script(lead_that(ask_scout), scout))
    session = await drive.session()
    assert await session.run() == "end_turn"
    first, second, third = answers
    assert first.is_error
    assert "does not hold" in first.text
    assert "log:other.log@9+1" in first.text
    assert "1 more time after" in first.text
    assert "last correction" in second.text
    assert "marked: it does not hold" in third.text
    checks = [one.body for one in events(session, "warroom.claims_checked") if isinstance(one.body, ClaimsChecked)]
    assert [one.handed_back for one in checks if one.doubts] == [True, True, False]
    assert session.desk.findings() == ()


async def test_a_verdict_is_corrected_and_prose_is_never_parsed(drive: Driver, server: Standin) -> None:
    answers: list[Told] = []
    chain = [{"text": "It broke.", "role": "symptom", "citations": ["log:other.log@9+1"]}]

    async def lead(actor: Actor) -> None:
        await actor.hear()
        await actor.say('{"kind": "culprit", "headline": "It was commit abc."}')
        answers.append(await actor.call("conclude", {"kind": "culprit", "headline": "It was I."}))
        answers.append(await actor.call("conclude", {**ENDS, "chain": chain}))
        answers.append(await actor.call("report_finding", FINDING))
        answers.append(await actor.call("conclude", ENDS))
        await actor.say("Done.")

    server.script({"orchestrator": lead})
    session = await drive.session()
    assert await session.run() == "end_turn"
    bad_form, doubted, not_its, taken = answers
    assert "`confidence` is missing" in bad_form.text
    assert bad_form.is_error
    assert "chain[0].citations" in doubted.text
    assert not_its.text == "report_finding was not taken: it is for the specialists only."
    assert not taken.is_error
    (verdict,) = [one.body for one in events(session, "warroom.verdict") if isinstance(one.body, VerdictReached)]
    assert verdict.verdict.kind == "inconclusive"
    assert verdict.corrected is None


async def test_a_verdict_that_stays_wrong_is_recorded_without_what_is_wrong(drive: Driver, server: Standin) -> None:
    chain = [{"text": "It broke.", "role": "symptom", "citations": ["log:other.log@9+1"]}]
    answers: list[Told] = []

    async def lead(actor: Actor) -> None:
        await actor.hear()
        answers.extend([await actor.call("conclude", {**ENDS, "chain": chain}) for _ in range(3)])
        await actor.say("Done.")

    server.script({"orchestrator": lead})
    session = await drive.session()
    assert await session.run() == "end_turn"
    assert [one.is_error for one in answers] == [True, True, False]
    assert "left out" in answers[2].text
    (verdict,) = [one.body for one in events(session, "warroom.verdict") if isinstance(one.body, VerdictReached)]
    assert verdict.stands.chain != verdict.verdict.chain


async def test_secrets_of_reports_stay_here(drive: Driver, server: Standin) -> None:
    """What a model repeats of a secret that the settings name is redacted in the journal, and in what goes back."""
    secret = "correct-horse-battery-staple"  # noqa: S105 - an invented one
    call = Call("report_finding", {**FINDING, "citations": [f"log:{secret}@1+1"]})
    server.script(script(lead_that(ask_scout), scout_that(call)))
    session = await drive.session(own_secrets=(server.key, secret))
    assert await session.run() == "end_turn"
    assert all(secret not in body.model_dump_json() for body in told(session).values())
    results = [one for one in server.state.events() if one["type"] == "user.custom_tool_result"]
    assert secret not in str(results)
