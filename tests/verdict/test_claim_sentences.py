"""What stands in words: false quotes, commits, times and names are refused or listed, and their true twins are not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from orchestrator.verdict.claim_figures import numbers, unsettled
from orchestrator.verdict.claim_sentences import LONGEST
from orchestrator.verdict.claim_words import commits, ids, names, plain_quotes, quoted_in, quotes, times
from subagents.contract import Fact, Finding, Suspect, Window
from subagents.verifying import NameKind, Recomputed
from tests.verdict.claimed import (
    COMMIT,
    DEPLOY,
    ELSEWHERE,
    ERRORS,
    LATENCY,
    LINE,
    OTHER,
    SHA,
    SPAN,
    FakeVerifier,
    check,
    checker,
    fact,
    finding,
)

S = SHA[:12]


@pytest.mark.parametrize(
    ("false", "true", "kind"),
    [
        ("it said «timed out after 9 ms»", "it said «timed out after 1500 ms»", "quote"),
        ("it said „timed out after 9 ms“", "it said „timed out after 1500 ms“", "quote"),
        ("it said \u2018timed out after 9 ms\u2019", "it said \u2018timed out after 1500 ms\u2019", "quote"),
        ("it said `timed out\nafter 9 ms`", "it said `timed out\nafter 1500 ms`", "quote"),
        ("it said `" + "timed out " * 60 + "`", "it said `timed out`", "quote"),
        ('it said "card declined for order"', 'it said "timed out after"', "quote"),
        ("it said `ti…ou…ca…pa`", "it said `timed out … payments`", "quote"),
        ("commit `deadbeef12` did it", f"commit `{S}` did it", "commit"),
        ("Commit DEADBEEF12 did it", f"Commit {S.upper()} did it", "commit"),
        (f"commits {S} and deadbeef12 did it", f"commits {S} and {ELSEWHERE} did it", "commit"),
        ("sha deadbeef12, revision 20260329", f"sha {S}, revision 20260329", "commit"),
        ("it began 2026-03-27 09:08", "it began 2026-03-29 09:08", "time"),
        ("it began on 2026-03-27", "it began on 2026-03-29", "time"),
        ("it began 2026-03-29 14:08 +0200", "it began 2026-03-29 11:08 +0200", "time"),
        ("x" * (LONGEST + 1), "x" * 1000, "malformed"),
    ],
)
def test_false_words_are_refused_and_true_ones_are_not(false: str, true: str, kind: str) -> None:
    refused = check(finding(false, citations=(LINE,))).doubts
    assert refused[0].kind == kind
    assert check(finding(true, citations=(LINE,))).doubts == []


@pytest.mark.parametrize(
    ("false", "true", "listed"),
    [
        ("deadbeef12 did it", f"{S} did it", "deadbeef12 (no commit that the sources know, and not in what is cited)"),
        ("the billing-api service broke", "the payments service broke", "billing-api (a name that no source knows)"),
        ("billing_latency rose", "latency_p99 rose", "billing_latency (a name that no source knows)"),
        ("it said 'a strange thing'", "it said 'timed out after'", '"a strange thing"'),
    ],
)
def test_names_that_nothing_knows_are_listed(false: str, true: str, listed: str) -> None:
    assert check(finding(false, citations=(LINE,))).unchecked == [listed]
    assert check(finding(true, citations=(LINE,))).unchecked == []


def test_a_quote_of_nothing_is_listed_unless_the_incident_says_it() -> None:
    found = check(finding("it said `utterly made up`, `checkout answers 5xx` and `shop`"))
    assert (found.doubts, found.unchecked) == ([], ["“utterly made up” (nothing is cited for it)"])


def test_a_time_that_nothing_is_cited_for_lies_in_what_any_source_covers() -> None:
    assert [doubt.kind for doubt in check(finding("it began 2020-01-01 00:00 UTC")).doubts] == ["time"]
    old = Finding.model_validate({**finding().model_dump(), "at": "2020-01-01T00:00:00Z"})
    assert [doubt.place for doubt in check(old).doubts] == ["at"]


@pytest.mark.parametrize(
    ("kind", "known", "unknown"), [("dependency", "payments", "billing"), ("traffic", "shop", "billing")]
)
def test_suspects_that_no_source_names_are_listed(kind: str, known: str, unknown: str) -> None:
    made = [
        finding(about=Suspect.model_validate({"kind": kind, "key": key}), stance="for", citations=(LINE,))
        for key in (known, unknown)
    ]
    assert [check(one).unchecked for one in made] == [[], [f"{kind} {unknown} (a name that no source knows)"]]
    nowhere = finding(about=Suspect(kind="host", key="node-7"), stance="for", citations=(LINE,))
    assert check(nowhere).unchecked == ["host node-7 (no source holds names of this kind)"]


FACTS = (
    fact("factor", 101.7, ERRORS),
    fact("peak", 0.2335, ERRORS, "ratio"),
    fact("count", 431, LINE, "events"),
    fact("lead_time", 120, DEPLOY, "s"),
    fact("peak", 1589.94, LATENCY, "ms"),
    fact("score", 0.87, COMMIT),
)


@pytest.mark.parametrize(
    ("false", "true"),
    [
        ("10.2x", "102x"),
        ("102%", "102-fold"),
        ("x432", "x102"),
        ("120 minutes later", "2 minutes later"),
        ("a 120-minute delay", "a 2-minute delay"),
        ("2h later", "2m later"),
        ("1590 seconds", "1590 milliseconds"),
        ("1.59 msec", "1590 msec"),
        ("1590μs", "1.59 secs"),
        ("p99=432ms", "p99=1590ms"),
        ("431/min", "431 times"),
        ("431 million", "0.43 thousand"),
        ("-431", "~431"),
        ("432errors", "431 errors"),
        ("431 per cent", "23 per cent"),
        ("23.35pp", "23.35 %"),
        ("431 %", "87 %"),
        ("1.59e2 ms", "1.59e3 ms"),
        ("4,310", "431, 5xx, 99th, x86"),
        ("\u0664\u0663\u0662", "431"),
    ],
)
def test_a_number_with_another_unit_or_sign_is_not_what_a_fact_states(false: str, true: str) -> None:
    assert unsettled(f"it was {false}", FACTS) != ()
    assert unsettled(f"it was {true}", FACTS) == ()


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("at 10:20 pm", ()),
        ("at 10:20 am", ("10:20 am",)),
        ("at 22:20 CEST", ("22:20 CEST",)),
        ("at 00:20 +02:00", ()),
        ("at 2026-07-04T00:20:03+02:00", ()),
        ("at 2026-07-03 22:20", ()),
        ("at 2026-07-03 22:22 UTC", ("2026-07-03 22:22 UTC",)),
        ("on 2026-07-03", ()),
    ],
)
def test_times_are_compared_in_their_own_zone(text: str, left: tuple[str, ...]) -> None:
    onset = fact("onset", "2026-07-03T22:20:03+00:00", ERRORS)
    assert unsettled(text, [onset]) == left


def test_long_sentences_of_one_piece_are_read_to_their_end() -> None:
    for piece in ("“", "`", "«", "1,", "a_", "2026-03-29 ", "commit 4be1c0ffee and ", "'", "…", "10:10 "):
        text = piece * (LONGEST // len(piece))
        for work in (quotes, plain_quotes, commits, ids, names, times):
            work(text)
        list(numbers(text))
    assert quoted_in("…" * 5000, "x" * 4096) is False


def test_the_words_of_another_file_in_straight_quotes_are_no_name() -> None:
    (doubt,) = check(finding('shop said "card declined for order"', citations=(LINE,))).doubts
    assert (doubt.kind, doubt.reason) == ("quote", "what is cited does not say this")
    assert check(finding('payments said "card declined for order"', citations=(OTHER,))).doubts == []


def test_the_board_calls_a_commit_by_its_own_words_only() -> None:
    for label, refused in (("cut the pool", []), ("drop all tables", ["about.label"])):
        about = Suspect(kind="commit", key=SHA, label=label)
        found = check(finding(about=about, stance="for", citations=(COMMIT,)))
        assert [doubt.place for doubt in found.doubts] == refused


def test_a_flag_where_no_source_holds_flags_is_refused_unless_something_names_it() -> None:
    class FakeWithoutFlags(FakeVerifier):
        def has(self, kind: NameKind, name: str) -> bool | None:
            return None if kind == "flag" else super().has(kind, name)

    for key, refused in (("payments", 0), ("nope", 1)):
        claim = finding(about=Suspect(kind="flag", key=key), stance="for", citations=(LINE,))
        assert len(check(claim, FakeWithoutFlags()).doubts) == refused


@pytest.mark.parametrize("text", ["1e999 ms", "9" * 5000, "9" * 5000 + " ms", "2026-03-29 24:00 UTC", "25:99"])
def test_numbers_and_times_that_nothing_can_have_are_listed(text: str) -> None:
    assert len(unsettled(f"it was {text}", [*FACTS, fact("count", 10**400, LINE, "events")])) == 1


@pytest.mark.parametrize("value", [10**400, -(10**400)])
@pytest.mark.parametrize("quantity", ["peak", "complaints"])
def test_a_number_that_no_float_holds_is_refused(value: int, quantity: str) -> None:
    (doubt,) = check(finding("it was 5 ms", facts=(fact(quantity, value, ERRORS, "ms"),))).doubts
    assert (doubt.kind, doubt.place) == ("malformed", "facts[0]")


def test_a_fact_is_recomputed_with_what_can_bear_on_it_only() -> None:
    boards: list[Sequence[Finding]] = []

    class FakeKeepingBoards(FakeVerifier):
        def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
            boards.append(board)
            return None

    same = [finding(f"{at}", at=SPAN.start, facts=(fact("count", at, LINE),)) for at in range(500)]
    spans = [fact("count", 1, LINE, "events").model_copy(update={"window": Window(start=SPAN.start, end=SPAN.end)})]
    board = [*same, finding("counted", facts=spans), finding("later", at=SPAN.end)]
    at = checker(FakeKeepingBoards(), board)
    at.finding(finding(facts=(fact("lead_time", 1, DEPLOY), fact("count", 1, LINE), fact("peak", 1, ERRORS))))
    assert [[one.claim for one in each] for each in boards] == [["0", "later"], ["counted"], []]
