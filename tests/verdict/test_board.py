"""The board is a pure fold: findings in, hypotheses out, every score readable back to its reasons."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.journal.events import Body, Event, FindingReported, ThreadStatusRunning
from orchestrator.verdict.board import Board, fold
from subagents.contract import Finding, Stance, Suspect

COMMIT = Suspect(kind="commit", key="a" * 40, label="cut the cache TTL")
FLAG = Suspect(kind="flag", key="new-checkout")


def finding(stance: Stance, weight: float, about: Suspect | None = COMMIT, claim: str = "") -> Finding:
    return Finding(
        agent="deploys", claim=claim or f"{stance} {weight}", topic="change", about=about, stance=stance, weight=weight
    )


def event(body: Body, seq: int = 1) -> Event:
    return Event(seq=seq, ts=datetime(2026, 1, 1, tzinfo=UTC), mono=0.0, thread="deploys", body=body, hash="0" * 64)


def test_independent_grounds_add_up_and_opposition_takes_away() -> None:
    (only,) = fold([finding("for", 0.5), finding("for", 0.5, claim="second"), finding("against", 0.4)])
    assert only.score == pytest.approx(0.75 * 0.6)
    assert only.state == "open"
    assert [reason[:5] for reason in only.reasons] == ["+0.50", "+0.50", "-0.40"]


def test_one_exclusion_closes_a_hypothesis_whatever_speaks_for_it() -> None:
    (only,) = fold([finding("for", 0.99), finding("rules_out", 1.0)])
    assert (only.score, only.state) == (0.0, "ruled out")


def test_observations_make_no_hypothesis() -> None:
    assert fold([finding("observes", 0.9, about=None), finding("observes", 0.9)]) == ()


def test_best_first_and_ruled_out_last() -> None:
    other = Suspect(kind="commit", key="b" * 40)
    ranked = fold([finding("for", 0.3), finding("for", 0.8, FLAG), finding("rules_out", 1, other)])
    assert [h.suspect for h in ranked] == [FLAG, COMMIT, other]


def test_equal_suspects_fold_into_one_whatever_their_label() -> None:
    bare = Suspect(kind="commit", key="a" * 40)
    (only,) = fold([finding("for", 0.5, bare), finding("for", 0.5)])
    assert only.suspect.label == "cut the cache TTL"
    assert len(only.supporting) == 2


def test_an_agent_that_starts_over_withdraws_what_it_does_not_repeat() -> None:
    board = Board()
    old, new = finding("for", 0.9, claim="old"), finding("for", 0.2, claim="new")
    other = finding("for", 0.5).model_copy(update={"agent": "logs", "claim": "from the logs"})
    for body in (
        FindingReported(id=old.id, finding=old),
        FindingReported(id=other.id, finding=other),
        ThreadStatusRunning(session_thread_id="deploys", agent_name="deploys"),
        FindingReported(id=new.id, finding=new),
        FindingReported(id=new.id, finding=new),
    ):
        board.apply(event(body))
    assert {f.claim for f in board.findings} == {"new", "from the logs"}
    assert len(board.findings) == 2
