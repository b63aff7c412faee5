"""A person's hand on the board: their word stands apart from the evidence, the last one wins, each can be undone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.journal.events import BoardEdited, Event
from orchestrator.verdict.board import Board, fold
from orchestrator.verdict.board_edits import Act, Edit, EditFault, done, edit_for, find, named, told
from orchestrator.verdict.hypothesis import TO_TEST, Hypothesis
from orchestrator.verdict.persons_word import with_persons_word
from subagents.contract import Finding, Stance, Suspect
from tests.report.story import SHA, verdict
from tui.views.board import board_rows, why_lines
from tui.views.paint import text_of

COMMIT = Suspect(kind="commit", key="a" * 40, label="cut the cache TTL")
FLAG = Suspect(kind="flag", key="new-checkout")
AT = datetime(2026, 1, 1, 9, 30, tzinfo=UTC)


def finding(stance: Stance, weight: float, about: Suspect = COMMIT, claim: str = "") -> Finding:
    return Finding(
        agent="deploys", claim=claim or f"{stance} {weight}", topic="change", about=about, stance=stance, weight=weight,
        citations=("commit:repo/" + "a" * 40,),
    )  # fmt: skip


BASE = (finding("for", 0.9), finding("for", 0.3, FLAG))


def edits(*bodies: BoardEdited) -> list[Edit]:
    return [Edit(body, AT) for body in bodies]


def act(board: tuple[Hypothesis, ...], what: Act, name: str, note: str = "") -> BoardEdited:
    held = find(name, board)
    assert held is not None
    return edit_for(what, held, note, "dana")


def test_ruling_out_closes_without_touching_the_score_or_the_reasons() -> None:
    ruled = act(fold(BASE), "rule_out", "aaaaaaa", "never left staging")
    other, only = fold(BASE, edits(ruled))
    assert (only.state, only.score) == ("ruled out", 0.9)
    assert only.reasons == ("+0.90 for 0.9",), "a person's word is no finding"
    assert only.edits == ("ruled out by dana at 09:30:00 UTC: never left staging",)
    assert other.suspect == FLAG, "what is ruled out stands last"


def test_pinning_stays_on_top_and_ruling_out_ends_it() -> None:
    pinned = act(fold(BASE), "pin", "flag:new-checkout")
    first, _ = fold(BASE, edits(pinned))
    assert first.suspect == FLAG
    assert first.pinned
    out = edit_for("rule_out", first, "it is off everywhere", "dana")
    assert not next(one for one in fold(BASE, edits(pinned, out)) if one.suspect == FLAG).pinned


def test_what_is_added_is_open_until_it_was_looked_into_and_then_not_testable_where_nothing_tells() -> None:
    added = edit_for("add", named("the resolver of the bank"), "a hunch", "dana")
    held = find("the resolver of the bank", fold(BASE, edits(added)))
    assert held is not None
    assert (held.state, held.score) == ("open", 0.0)
    gap = Finding(agent="orchestrator", claim=f"nothing tells{TO_TEST}dig it", topic="gap", terms=(held.suspect.id,))
    held = find("the resolver of the bank", fold((*BASE, gap), edits(added)))
    assert held is not None
    assert held.state == "not testable"
    assert any("dig it" in line.text for line in why_lines(held))


@pytest.mark.parametrize("what", ["pin", "rule_out"])
def test_each_act_is_undone_and_undoing_what_was_not_done_is_refused(what: Act) -> None:
    first = act(fold(BASE), what, "flag:new-checkout", "because")
    back = act(fold(BASE, edits(first)), "undo", "flag:new-checkout")
    assert fold(BASE, edits(first, back)) == fold(BASE)
    with pytest.raises(EditFault, match="nothing to undo"):
        act(fold(BASE, edits(first, back)), "undo", "flag:new-checkout")


def test_what_was_added_goes_when_that_is_undone_and_stays_where_findings_speak_of_it() -> None:
    added = edit_for("add", named("host node-7"), by="dana")
    back = act(fold(BASE, edits(added)), "undo", "host:node-7")
    assert fold(BASE, edits(added, back)) == fold(BASE)
    seen = (*BASE, finding("for", 0.2, Suspect(kind="host", key="node-7")))
    assert find("host:node-7", fold(seen, edits(added, back))) is not None


def test_an_edit_that_is_seen_twice_is_one_and_what_agents_withdraw_takes_no_word_with_it() -> None:
    board = Board()
    body = act(fold(BASE), "pin", "flag:new-checkout")
    event = Event(seq=7, ts=AT, mono=0.0, thread="orchestrator", body=body, hash="0" * 64)
    board.apply(event)
    board.apply(event)
    assert len(board.edits) == 1
    (only,) = board.hypotheses()
    assert only.pinned


@pytest.mark.parametrize(
    ("text", "kind", "key"),
    [("flag checkout-v2", "flag", "checkout-v2"), ("host:node 7", "host", "node 7"), ("51d0e7a9", "commit", "51d0e7a9"),
     ("commit AAAAAAA", "commit", "a" * 40), ("service", "none", "service"), ("20260301", "none", "20260301"),
     ("service  billing\n is slow", "none", "service billing is slow"), ("x" * 500, "none", None)],
)  # fmt: skip
def test_words_name_what_they_name_and_are_a_hypothesis_of_their_own_where_they_name_nothing(
    text: str, kind: str, key: str | None
) -> None:
    found = named(text, ["a" * 40, "b" * 40])
    assert found.kind == kind
    assert len(found.key) <= 201
    if key is not None:
        assert found.key == key


@pytest.mark.parametrize(
    ("text", "says"),
    [("", "takes some words"), ("  \n ", "takes some words"), ("commit a", "too short for a commit"),
     ("7", "pin takes the number of a row"), ("commit aaaa", "begins 2 commits")],
)  # fmt: skip
def test_words_that_say_nothing_or_too_much_are_refused(text: str, says: str) -> None:
    with pytest.raises(EditFault, match=says):
        named(text, ["aaaa" + "0" * 36, "aaaa" + "1" * 36])


def test_a_name_is_found_however_it_is_written_and_digits_may_begin_a_commit() -> None:
    sha = "47347" + "a" * 35
    board = fold((*BASE, finding("for", 0.1, Suspect(kind="service", key="Billing")),
                  finding("for", 0.1, Suspect(kind="commit", key=sha))))  # fmt: skip
    found = [find(text, board) for text in ("service billing", "47347")]
    assert [one.suspect.key for one in found if one is not None] == ["Billing", sha]


def test_what_is_there_is_named_by_place_and_what_is_not_is_refused() -> None:
    board = fold(BASE)
    assert find("1", board) is board[0]
    assert find("nothing like it", board) is None
    with pytest.raises(EditFault, match="the board has 2"):
        find("9", board)
    twice = fold((*BASE, finding("for", 0.1, Suspect(kind="service", key="new-checkout"))))
    with pytest.raises(EditFault, match="names 2"):
        find("new-checkout", twice)


def test_refusals_say_what_to_do() -> None:
    board = fold(BASE)
    with pytest.raises(EditFault, match="takes a reason"):
        edit_for("rule_out", board[0])
    with pytest.raises(EditFault, match="on the board already"):
        edit_for("add", board[0])
    with pytest.raises(EditFault, match="add it first"):
        edit_for("pin", Suspect(kind="host", key="node-9"))
    pinned = fold(BASE, edits(edit_for("pin", board[0])))
    with pytest.raises(EditFault, match="pinned already"):
        edit_for("pin", pinned[0])


def test_hostile_words_are_cleaned_before_they_are_kept_and_told() -> None:
    body = edit_for("rule_out", fold(BASE)[0], "fine\x1b[2J\n‮gone" + "x" * 900, "dana")
    assert "\x1b" not in body.note
    assert "‮" not in body.note
    assert len(body.note) <= 520
    assert "\n" not in told(body) + done(body)
    assert "not evidence" in told(body)


def test_the_sum_is_what_the_score_is() -> None:
    (only,) = fold([finding("for", 0.5), finding("for", 0.4, claim="second"), finding("against", 0.25)])
    assert only.score == pytest.approx((1 - 0.5 * 0.6) * 0.75, abs=1e-4)
    assert only.sum.startswith(f"{only.score:.2f}: for it 1 - (1 - 0.50) x (1 - 0.40) = 0.70; ")
    assert only.sum.endswith("= 0.75 of it")
    page = "\n".join(line.text for line in why_lines(only))
    assert page.count("rests on commit:repo/") == 3


def test_the_board_says_in_a_word_what_a_person_did() -> None:
    ruled = act(fold(BASE), "rule_out", "aaaaaaa", "never left staging")
    rows = board_rows(fold(BASE, edits(ruled, act(fold(BASE), "pin", "flag:new-checkout"))))
    assert "pinned flag new-checkout" in text_of(rows[0].line)
    assert "out by dana" in text_of(rows[1].line)
    assert any("a person's word" in line.text for line in why_lines(fold(BASE, edits(ruled))[1]))


def test_the_verdict_says_who_ruled_out_and_what_was_put_on_the_board_is_answered() -> None:
    board = fold(
        (finding("for", 0.9, Suspect(kind="commit", key=SHA)),),
        edits(
            BoardEdited(action="rule_out", suspect=f"commit:{SHA}", note="not deployed", by="dana"),
            BoardEdited(action="add", suspect="host:node-7", by="dana"),
        ),
    )
    shown = with_persons_word(verdict(), board)
    first, second = shown.ruled_out[:2]
    assert (first.suspect.key, first.result, first.reason) == (SHA, "ruled out", "by dana: not deployed")
    assert "no test of the data" in first.test
    assert (second.suspect.key, second.result) == ("node-7", "not testable with this data")
    assert "dana" in shown.contradictions[0].text, "the verdict names what a person ruled out: both are shown"
    assert shown.culprit == verdict().culprit
    assert with_persons_word(verdict(), fold(BASE)) == verdict()


def test_a_name_that_is_cut_says_so_and_a_sum_of_one_is_no_sum() -> None:
    long = BoardEdited(action="add", suspect=f"none:{'words ' * 20}", label="words " * 20)
    assert done(long).endswith("…”")
    assert told(long).count("“") == 1
    assert fold([finding("for", 0.5)])[0].sum == "0.50: for it 0.50; nothing against it"
