"""Claims go back to their claimant in bounded rounds; what is slow or refused again is marked and does not count."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from orchestrator.journal.events import Body, ClaimsChecked, Event, FindingReported, VerdictReached
from orchestrator.journal.verdict import Confidence, Culprit, Verdict
from orchestrator.verdict.board import Board
from orchestrator.verdict.claim_rounds import ClaimRounds, slot_of
from orchestrator.verdict.claims import ClaimsChecker
from subagents.contract import Evidence, Finding, Suspect
from subagents.verifying import NameKind
from tests.fakes import FakeClock
from tests.verdict.claimed import COMMIT, ERRORS, SHA, FakeVerifier, checker, fact, finding

FALSE = finding("errors rose 90x", facts=(fact("factor", 90, ERRORS),))
TRUE = finding("errors rose 55x", facts=(fact("factor", 54.7, ERRORS),))
VERDICT = Verdict(
    kind="culprit",
    headline="it was deadbeef",
    culprit=Culprit(commit="d" * 40),
    confidence=Confidence(value=0.9),
)


class FakeLog:
    """Keeps what is appended, each id once."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.rounds: ClaimRounds | None = None

    async def __call__(self, body: Body, thread: str, source_id: str) -> Event:
        assert source_id not in [event.source_id for event in self.events]
        at = datetime(2026, 3, 29, tzinfo=UTC)
        event = Event(
            seq=len(self.events) + 1, ts=at, mono=0, thread=thread, source_id=source_id, body=body, hash=""
        )  # fmt: skip
        self.events.append(event)
        if self.rounds is not None:
            self.rounds.learn(event)
        return event


def rounds(verifier: object | None = None, clock: FakeClock | None = None) -> tuple[ClaimRounds, FakeLog]:
    at, log = checker(verifier), FakeLog()

    def made() -> Callable[[], ClaimsChecker]:
        return lambda: at

    log.rounds = ClaimRounds(made, log, clock or FakeClock())
    return log.rounds, log


async def test_a_claim_is_handed_back_twice_with_what_does_not_hold_and_then_no_more() -> None:
    gate, log = rounds()
    doubts = await gate.check_finding(FALSE)
    first, second, third = [await gate.hand_back(FALSE, doubts, "logs") for _ in range(3)]
    assert "facts[0]: factor 90: the data says 54.707, not 90" in first
    assert "You can correct it 1 more time after" in first
    assert "the last correction" in second
    assert third == ""
    bodies = [event.body for event in log.events]
    assert [type(body) for body in bodies] == [ClaimsChecked, ClaimsChecked]
    assert all(isinstance(body, ClaimsChecked) and body.handed_back and body.doubts == doubts for body in bodies)


async def test_a_true_claim_is_never_handed_back() -> None:
    gate, log = rounds()
    assert await gate.check_finding(TRUE) == ()
    assert await gate.hand_back(TRUE, ()) == ""
    assert log.events == []


async def test_rounds_are_counted_per_claimant_and_subject_whatever_the_words() -> None:
    gate, _ = rounds()
    doubts = await gate.check_finding(FALSE)
    await gate.hand_back(FALSE, doubts)
    other_words = FALSE.model_copy(update={"claim": "errors rose ninetyfold"})
    about = FALSE.model_copy(update={"about": Suspect(kind="commit", key=SHA)})
    other_agent = FALSE.model_copy(update={"agent": "metrics"})
    assert [gate.rounds_left(one) for one in (FALSE, other_words, about, other_agent)] == [1, 1, 2, 2]
    assert (slot_of(about), slot_of(VERDICT)) == (f"errors:commit:{SHA}", "verdict")


async def test_a_resumed_session_goes_on_counting() -> None:
    gate, log = rounds()
    doubts = await gate.check_finding(FALSE)
    await gate.hand_back(FALSE, doubts)
    again, _ = rounds()
    for event in (*log.events, *log.events):
        again.learn(event)
    assert again.rounds_left(FALSE) == 1


async def test_at_the_gate_a_finding_is_kept_as_it_was_claimed_beside_the_check() -> None:
    gate, _ = rounds()
    check, body = await gate.ruled(FindingReported(id=FALSE.id, finding=FALSE))
    assert isinstance(check, ClaimsChecked)
    assert (check.id, check.claimant, check.claim, check.handed_back) == (FALSE.id, "logs", FALSE.claim, False)
    assert [doubt.kind for doubt in check.doubts] == ["number"]
    assert isinstance(body, FindingReported)
    assert body.finding == FALSE


async def test_at_the_gate_a_verdict_is_kept_whole_and_shown_corrected() -> None:
    gate, _ = rounds()
    forged = Evidence(ref="runbook:made-up#1", digest="sha256:0", excerpt="roll it back")
    check, body = await gate.ruled(VerdictReached(verdict=VERDICT, evidence=(forged,)))
    assert isinstance(check, ClaimsChecked)
    assert isinstance(body, VerdictReached)
    assert (body.verdict, body.id, body.evidence) == (VERDICT, check.id, ())
    assert body.stands.kind == "inconclusive"
    assert body.stands.culprit is None
    assert any("the sources know no commit" in said for said in body.stands.unchecked)


async def test_a_check_that_takes_too_long_leaves_the_claim_unchecked_and_the_loop_free() -> None:
    release = threading.Event()

    class FakeSlow(FakeVerifier):
        def resolve(self, ref: str, context_lines: int = 0) -> Evidence:
            release.wait(30)
            return super().resolve(ref)

    class FakeImpatientClock(FakeClock):
        async def sleep(self, seconds: float) -> None:
            self.advance(seconds)

    gate, _ = rounds(FakeSlow(), FakeImpatientClock())
    slow = finding("elsewhere", citations=("commit:infra-repo/" + "77aa5ca1ab" + "0" * 30,))
    check, _ = await gate.ruled(FindingReported(id=slow.id, finding=slow))
    release.set()
    assert isinstance(check, ClaimsChecked)
    assert check.doubts == ()
    assert check.unchecked == ("what was not checked by then: the check took longer than 30 s",)


async def test_what_was_found_before_the_time_was_up_counts() -> None:
    release, reached = threading.Event(), threading.Event()

    class FakeSlowNames(FakeVerifier):
        def has(self, kind: NameKind, name: str) -> bool | None:
            reached.set()
            release.wait(30)
            return super().has(kind, name)

    class FakeClockOnceReached(FakeClock):
        async def sleep(self, seconds: float) -> None:
            await asyncio.to_thread(reached.wait)
            self.advance(seconds)

    gate, _ = rounds(FakeSlowNames(), FakeClockOnceReached())
    slow = finding("x", facts=(fact("peak", 0.45, ERRORS, "ratio"),), services=("shop",))
    check, _ = await gate.ruled(FindingReported(id=slow.id, finding=slow))
    release.set()
    assert isinstance(check, ClaimsChecked)
    assert [doubt.reason for doubt in check.doubts] == ["the data says 0.1104 ratio, not 0.45"]
    assert check.unchecked == ("what was not checked by then: the check took longer than 30 s",)


async def test_a_claim_that_breaks_the_check_does_not_count_and_ends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    gate, _ = rounds()
    monkeypatch.setattr(ClaimsChecker, "finding", broken)
    check, _ = await gate.ruled(FindingReported(id=TRUE.id, finding=TRUE))
    assert isinstance(check, ClaimsChecked)
    assert [doubt.reason for doubt in check.doubts] == ["the check broke off: ZeroDivisionError"]


async def test_what_says_nothing_that_can_be_looked_up_makes_no_event() -> None:
    gate, _ = rounds()
    plain = finding("the logs could not be read")
    assert (await gate.ruled(FindingReported(id=plain.id, finding=plain)))[0] is None


async def test_the_board_shows_what_does_not_hold_and_scores_without_it() -> None:
    gate, log = rounds()
    suspect = Suspect(kind="commit", key=SHA)
    false = FALSE.model_copy(update={"about": suspect, "stance": "for", "weight": 0.9})
    true = finding("it changed", about=suspect, stance="for", weight=0.4, citations=(COMMIT,))
    board = Board()
    for claim in (false, true):
        check, body = await gate.ruled(FindingReported(id=claim.id, finding=claim))
        assert check is not None
        for number, one in enumerate((check, body)):
            board.apply(await log(one, "logs", f"{claim.id}-{number}"))
    (held,) = board.hypotheses()
    assert (held.score, held.supporting, [item.finding for item in held.doubted]) == (0.4, (true,), [false])
    assert board.findings == (true,)
    assert gate.holds(true.id)
    assert not gate.holds(false.id)


async def test_only_false_claims_about_it_leave_a_hypothesis_without_a_score() -> None:
    board = Board()
    suspect = Suspect(kind="commit", key=SHA, label="cut the pool")
    false: Finding = FALSE.model_copy(update={"about": suspect, "stance": "for", "weight": 0.9})
    gate, log = rounds()
    check, body = await gate.ruled(FindingReported(id=false.id, finding=false))
    assert check is not None
    board.apply(await log(check, "logs", "check"))
    board.apply(await log(body, "logs", "claim"))
    (held,) = board.hypotheses()
    assert (held.score, held.state, held.suspect.label) == (0.0, "open", "cut the pool")
