"""No engine gets a claim on the board, or a verdict on the screen, that the check has not seen."""

from __future__ import annotations

import os
from dataclasses import replace

from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.journal import fold
from orchestrator.journal.events import (
    ClaimsChecked,
    Event,
    FindingReported,
    UnknownBody,
    VerdictReached,
)
from orchestrator.journal.verdict import Confidence, Culprit, Verdict
from orchestrator.session import Session
from orchestrator.verdict.board import Board
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from orchestrator.verdict.status_update import status_update
from subagents.contract import Fact, Finding, Suspect
from tests.hands.conftest import OWN, RECIPE
from tests.session.checked_roster import DEADLY, SCORED
from tests.session.conftest import Room, rest

SUSPECT = Suspect(kind="commit", key="d" * 40)
FALSE = Finding(
    agent="toys", claim="it was d", topic="change", about=SUSPECT, stance="for", weight=0.9, citations=("log:no@0+1",)
)
PLAIN = Finding(agent="toys", claim="something is slow", topic="symptom")
VERDICT = Verdict(
    kind="culprit", headline="it was d", culprit=Culprit(commit="d" * 40), confidence=Confidence(value=0.9)
)


async def claim_both(desk: Desk) -> StopReason:
    for finding in (FALSE, PLAIN):
        await desk.record(FindingReported(id=finding.id, finding=finding), thread="toys")
    await desk.record(VerdictReached(verdict=VERDICT), thread="orchestrator", source_id="v")
    return "end_turn"


def bodies(session: Session, kind: str) -> list[Event]:
    return [event for event in session.journal.events() if event.type == kind]


async def test_a_claim_and_its_check_are_recorded_together_and_only_what_holds_counts(room: Room) -> None:
    session = await room.create(claim_both)
    assert await session.run() == "end_turn"
    assert session.desk.findings() == (PLAIN,)
    checks = [event.body for event in bodies(session, "warroom.claims_checked")]
    assert [(c.subject, c.claim) for c in checks if isinstance(c, ClaimsChecked)] == [
        ("finding", "it was d"),
        ("verdict", "it was d"),
    ]
    seqs = {event.type: event.seq for event in session.journal.events() if event.seq}
    assert seqs["warroom.claims_checked"] + 1 == seqs["warroom.verdict"], "the check stands before its claim"
    events = list(session.journal.events())
    shown = fold.verdict(events)
    assert shown is not None
    assert (shown.kind, shown.culprit) == ("inconclusive", None)
    assert list(fold.findings(events).values()) == [PLAIN]


async def test_what_was_claimed_is_listed_and_marked_in_every_report(room: Room) -> None:
    session = await room.create(claim_both)
    await session.run()
    report = build_report(session.journal.events())
    assert [(item.subject, item.claimant) for item in report.doubted] == [
        ("finding", "toys"),
        ("verdict", "orchestrator"),
    ]
    text = render_markdown(report)
    assert "## What does not hold" in text
    assert "- ✗ finding of toys, does not count: it was d" in text
    assert "**does not count**: citations: `log:no@0+1`: no tool call of this session returned" in text
    assert "not counted: 2 claims found not to hold" in status_update(report)
    assert report.verdict is not None
    assert report.verdict.kind == "inconclusive"
    assert [(line.score, line.supporting) for line in report.hypotheses] == [(0.0, 0)]


async def test_a_session_that_is_opened_again_still_knows(room: Room) -> None:
    session = await room.create(claim_both)
    await session.run()
    await session.close()
    again = await room.open(session.id)
    assert again.desk.findings() == (PLAIN,)
    assert not again.desk.claims.holds(FALSE.id)
    before = again.journal.head.seq
    await claim_both(again.desk)
    assert again.journal.head.seq == before, "a replay adds nothing"


async def test_no_other_shape_or_id_gets_a_claim_round_the_check(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        raw = FindingReported(id=PLAIN.id, finding=FALSE).model_dump(mode="json")
        await desk.record(UnknownBody.model_validate(raw), thread="toys")
        await desk.record(FindingReported(id=PLAIN.id, finding=PLAIN), thread="toys")
        corrected = VERDICT.model_copy(update={"headline": "as I like it"})
        await desk.record(VerdictReached(verdict=VERDICT, corrected=corrected, id="v-mine"), thread="orchestrator")
        return "end_turn"

    session = await room.create(script)
    assert await session.run() == "end_turn"
    assert session.desk.findings() == (PLAIN,)
    (reached,) = [event.body for event in bodies(session, "warroom.verdict")]
    assert isinstance(reached, VerdictReached)
    assert reached.id != "v-mine"
    assert reached.stands.kind == "inconclusive"
    assert "as I like it" not in reached.model_dump_json()


async def test_an_engine_cannot_record_a_check(room: Room) -> None:
    refused: list[str] = []

    async def script(desk: Desk) -> StopReason:
        fake = ClaimsChecked(subject="finding", id=FALSE.id, claimant="toys", slot="x", claim="x")
        try:
            await desk.record(fake, thread="toys")
        except ValueError as error:
            refused.append(str(error))
        return "end_turn"

    session = await room.create(script)
    await session.run()
    assert refused == ["an engine does not record warroom.claims_checked"]


async def test_a_claim_handed_back_is_on_record_without_its_secrets_and_off_the_board(room: Room) -> None:
    told: list[str] = []

    async def script(desk: Desk) -> StopReason:
        claim = FALSE.model_copy(update={"claim": f"the key {OWN} leaks"})
        for _ in range(3):
            doubts = await desk.claims.check_finding(claim)
            told.append(await desk.claims.hand_back(claim, doubts, "toys"))
        return "end_turn"

    session = await room.create(script)
    await session.run()
    assert [bool(text) for text in told] == [True, True, False]
    handed = [event.body for event in bodies(session, "warroom.claims_checked")]
    assert [body.handed_back for body in handed if isinstance(body, ClaimsChecked)] == [True, True]
    assert OWN not in str(handed)
    assert bodies(session, "warroom.finding") == []
    assert [item.handed_back for item in build_report(session.journal.events()).doubted] == [True]


async def test_a_journal_without_checks_folds_as_before(room: Room) -> None:
    session = await room.create(rest)
    await session.run()
    old = [event for event in session.journal.events()]
    body = {"type": "warroom.verdict", "verdict": VERDICT.model_dump(mode="json"), "evidence": []}
    last = old[-1]
    reached = last.model_copy(update={"seq": last.seq + 1, "body": VerdictReached.model_validate(body)})
    found = last.model_copy(update={"seq": last.seq + 2, "body": FindingReported(id=FALSE.id, finding=FALSE)})
    events = [*old, reached, found]
    assert fold.verdict(events) == VERDICT
    assert list(fold.findings(events).values()) == [FALSE]
    board = Board()
    for event in events:
        board.apply(event)
    assert board.hypotheses()[0].score == 0.9
    report = build_report(events)
    assert report.verdict is not None
    assert report.verdict.culprit == VERDICT.culprit
    assert report.findings[0].doubts == ("no tool call of this session returned log:no@0+1",)


async def test_sources_are_asked_in_the_worker_that_has_them_open_and_a_dead_one_refuses_nothing(room: Room) -> None:
    def told(count: int, ref: str = "log:toys@0+1", service: str = "search", quantity: str = "count") -> Finding:
        fact = Fact(quantity=quantity, value=count, unit="events" if quantity == "count" else "", citation=ref)
        return Finding(agent="toys", claim="it counts", topic="errors", facts=(fact,), services=(service,))

    async def script(desk: Desk) -> StopReason:
        await desk.call("toys", ToolUse(id="look", name="toys_look", input={}))
        for finding in (
            told(42),
            told(43),
            told(42, DEADLY),
            told(42, service="serach"),
            told(42, "log:nowhere@0+1"),
            told(1, SCORED, quantity="score"),
        ):
            await desk.record(FindingReported(id=finding.id, finding=finding), thread="toys")
        return "end_turn"

    session = await room.create(script, recipe=replace(RECIPE, factory="tests.session.checked_roster:build"))
    assert await session.run() == "end_turn"
    checks = [event.body for event in bodies(session, "warroom.claims_checked")]
    made = [check for check in checks if isinstance(check, ClaimsChecked)]
    assert [[doubt.reason for doubt in check.doubts] for check in made] == [
        [],
        ["the data says 42 events, not 43"],
        [],
        ["the sources know no service of this name"],
        ["no tool call of this session returned log:nowhere@0+1, and it does not open: there is no log:nowhere@0+1"],
        ["the tools of this session measured 0.87"],
    ]
    assert "could not be recomputed: NoAnswer: the worker of toys ended with status 7" in made[2].unchecked[0]
    opened = {item.ref: item.excerpt for check in made for item in check.evidence}
    assert set(opened) == {"log:toys@0+1", DEADLY}
    assert f"seen by {os.getpid()}" not in opened.values(), "it was opened in the worker, not here"
    assert fold.evidence(session.journal.events()).keys() == {SCORED, *opened}, "a report resolves from the journal"
