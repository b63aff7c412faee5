"""What does not hold says so in words wherever it is seen: stream, board, answer, evidence, headless lines."""

from __future__ import annotations

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.events import ClaimsChecked, Event, FindingReported, VerdictReached
from orchestrator.journal.verdict import Verdict
from orchestrator.verdict.claim_correction import corrected
from subagents.contract import Finding
from tests.fakes import FakeClock
from tests.tui.story import LOG, SHA, Teller, accusation, opened, symptom, verdict
from tui.commands.progress import describe
from tui.session_view import SessionView
from tui.views.board import board_rows
from tui.views.evidence import cited_by
from tui.views.incident import answer, symptom_numbers
from tui.views.paint import Ref, text_of

WRONG = Doubt(place="facts[0]", claim="peak 12.2 %", reason="the data says 4.1 %, not 12.2", kind="number")
GONE = Doubt(place="culprit.commit", claim=SHA, reason="the sources know no commit of this name", kind="commit")


def checked(claim: Finding | Verdict, *doubts: Doubt, handed_back: bool = False) -> ClaimsChecked:
    about = isinstance(claim, Finding)
    return ClaimsChecked(
        subject="finding" if about else "verdict",
        id=claim.id if isinstance(claim, Finding) else "v-1",
        claimant="deploys" if about else "orchestrator",
        slot="x",
        claim=claim.claim if isinstance(claim, Finding) else claim.headline,
        doubts=doubts,
        unchecked=("340",),
        checked=3,
        handed_back=handed_back,
    )


def view_of(*events: Event) -> SessionView:
    view = SessionView(FakeClock())
    for event in events:
        view.learn(event)
    return view


def with_finding(claim: Finding, *doubts: Doubt) -> SessionView:
    tell = Teller()
    found = FindingReported(id=claim.id, finding=claim)
    return view_of(tell(opened()), tell(checked(claim, *doubts), claim.agent), tell(found, claim.agent))


def test_the_stream_marks_the_claim_and_unfolds_why() -> None:
    (row,) = with_finding(accusation(), WRONG).streams.panes["deploys"]
    assert text_of(row.line).startswith("✗ does not hold: the data says 4.1 %, not 12.2  4be100000000 explains")
    unfolded = [text_of(one) for one in row.detail]
    assert "✗         facts[0]: peak 12.2 %: the data says 4.1 %, not 12.2" in unfolded
    assert "unchecked 340" in unfolded


def test_a_claim_that_holds_is_shown_as_before_with_what_was_not_checked() -> None:
    (row,) = with_finding(accusation()).streams.panes["deploys"]
    assert text_of(row.line).startswith("+ 4be100000000 explains")
    assert [text_of(one) for one in row.detail][-1] == "unchecked 340"


def test_the_board_marks_it_and_scores_without_it() -> None:
    (row,) = board_rows(with_finding(accusation(), WRONG).hypotheses)
    assert "0.00" in text_of(row.line)
    assert "✗1" in text_of(row.line)
    (ground,) = row.detail
    assert text_of(ground).startswith("  ✗ does not hold: the data says 4.1 %, not 12.2  deploys: 4be1")


def test_what_it_cites_opens_with_the_mark() -> None:
    view = with_finding(accusation(), WRONG)
    for ref in (Ref("finding", accusation().id), Ref("hypothesis", f"commit:{SHA}")):
        cited = cited_by(view, ref)[1]
        assert [one.ref for one in cited] == [f"commit:repo/{SHA}#pool.py:4", LOG]
        assert cited[0].ground.startswith("✗ does not hold: facts[0]: peak 12.2 %: the data says 4.1 %")


def test_a_symptom_that_does_not_hold_is_not_the_symptom() -> None:
    assert symptom_numbers(with_finding(symptom()).incident) is not None
    assert symptom_numbers(with_finding(symptom(), WRONG).incident) is None


def test_a_verdict_is_shown_without_what_does_not_hold_and_says_so() -> None:
    tell, made = Teller(), verdict()
    reached = VerdictReached(verdict=made, id="v-1", corrected=corrected(made, [GONE]))
    view = view_of(tell(opened()), tell(checked(made, GONE)), tell(reached))
    cause, then = (text_of(one) for one in answer(view.incident, view.leading))
    assert cause.startswith("INCONCLUSIVE  30% of the way  ✗ 1 part did not hold, left out  ")
    assert "shop: cause not established" in cause
    assert "Tune the connection pool" not in cause
    assert "deployctl" not in then
    *_, row = view.streams.panes["orchestrator"]
    assert "✗ 1 parts did not hold, left out" in text_of(row.line)
    assert made.headline not in text_of(row.line)


def test_headless_lines_say_it_too() -> None:
    tell, made = Teller(), accusation()
    said = [describe(checked(made, WRONG)), describe(checked(made, WRONG, handed_back=True)), describe(checked(made))]
    assert said[0] is not None
    assert said[0].startswith("x does not hold: 4be100000000 explains")
    assert said[1] is not None
    assert said[1].startswith("x does not hold, handed back: ")
    assert said[2] is None
    handed = tell(checked(made, WRONG, handed_back=True), "deploys")
    (row,) = view_of(tell(opened()), handed.model_copy(update={"seq": 9})).streams.panes["deploys"]
    assert "does not hold, handed back" in text_of(row.line)
