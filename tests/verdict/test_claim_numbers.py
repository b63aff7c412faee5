"""The rule of rounding, units, and what a sentence states."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.verdict.claim_figures import numbers, unsettled
from orchestrator.verdict.claim_numbers import mismatch, rounds_to, unit_of
from orchestrator.verdict.claim_words import commits, quoted_in, quotes, times
from subagents.contract import Fact
from subagents.verifying import Recomputed


@pytest.mark.parametrize(
    ("stated", "true", "holds"),
    [
        ("55", 54.7, True),
        ("55.0", 54.7, True),
        ("54", 54.7, False),
        ("54.7", 54.712, True),
        ("54.8", 54.712, False),
        ("0.11", 0.1104, True),
        ("0.1", 0.1104, True),
        ("0.2", 0.1104, False),
        ("0", 0.3, False),
        ("1", 0.6, False),
        ("1", 0.96, True),
        ("0", 0.0, True),
        ("9000", 9012, False),
        ("1e-05", 0.0000104, True),
        ("2e-05", 0.0000104, False),
        ("-3.5", -3.52, True),
        ("3.5", -3.52, False),
        ("inf", float("inf"), True),
        ("5", float("nan"), False),
    ],
)
def test_a_number_holds_at_its_own_last_digit(stated: str, true: float, holds: bool) -> None:
    assert rounds_to(stated, true) is holds


@given(st.floats(min_value=1e-9, max_value=1e12), st.integers(min_value=1, max_value=9))
def test_rounding_to_any_number_of_digits_passes_and_double_never_does(true: float, digits: int) -> None:
    stated = float(f"{true:.{digits}g}")
    assert rounds_to(str(stated), true) or stated >= 10**digits
    halfway = abs(true - 1.5 * stated) <= 2e-6 * true  # 0.15 rounds to 0.1 and to 0.2
    assert halfway or not rounds_to(str(stated * 2), true)


@pytest.mark.parametrize(
    ("text", "dimension", "scale"),
    [
        ("ms", "time", 1e-3),
        ("seconds", "time", 1.0),
        ("%", "share", 0.01),
        ("KiB", "size", 1024),
        ("bytes/s", "size", 1),
    ],
)
def test_units_are_read(text: str, dimension: str, scale: float) -> None:
    found = unit_of(text)
    assert found is not None
    assert (found.dimension, found.scale) == (dimension, scale)


@pytest.mark.parametrize("text", ["", "events", "s/s/s!", "requests/s"])
def test_what_is_no_unit_of_ours_is_not_converted(text: str) -> None:
    found = unit_of(text)
    assert found is None or found.rate


@pytest.mark.parametrize(
    ("stated", "data", "kind"),
    [
        ((11, "%"), (0.1104, "ratio"), None),
        ((11.04, "%"), (11.04, "%"), None),
        ((0.11, ""), (11.04, "%"), None),
        ((250, "ms"), (250, ""), None),
        ((250, "events"), (250, "lines"), None),
        ((1.5, "GiB"), (1536, "MiB"), None),
        ((1.5, "MiB/s"), (1.5, "MiB"), "unit"),
        ((120, "s"), (2, "min"), None),
        ((2, "s"), (2, "min"), "unit"),
        ((7, "requests"), (7, "requests/s"), "unit"),
    ],
)
def test_values_are_compared_in_the_stated_unit(
    stated: tuple[float, str], data: tuple[float, str], kind: str | None
) -> None:
    fact = Fact(quantity="peak", value=stated[0], unit=stated[1], citation="log:a@0+1")
    found = mismatch(fact, Recomputed(value=data[0], unit=data[1]))
    assert (found.kind if found else None) == kind


@pytest.mark.parametrize(
    ("stated", "holds"),
    [
        ("2026-03-29T09:08Z", True),
        ("2026-03-29T09:08:07Z", True),
        ("2026-03-29T11:08:07+02:00", True),
        ("2026-03-29T09:08:07.25Z", True),
        ("2026-03-29T09:08:08Z", True),
        ("2026-03-29T09:08:09Z", False),
        ("2026-03-29T09:07Z", False),
        ("2026-03-29T09:08:07.5Z", False),
    ],
)
def test_a_moment_holds_as_far_as_it_is_stated(stated: str, holds: bool) -> None:
    fact = Fact(quantity="onset", value=stated, citation="log:a@0+1")
    assert (mismatch(fact, Recomputed(value="2026-03-29T09:08:07.250000+00:00")) is None) is holds


def test_numbers_of_a_sentence_are_those_that_are_no_names_times_or_quotes() -> None:
    text = (
        "shop-2 v1.2.3 rose 55x to 11 % (1,500 ms) at 09:12:40 UTC on 2026-03-29, `after 30 tries`, see #17, "
        "10.0.0.1 and 9k lines, 3.5 MiB, sha 4be1c0"
    )
    assert [one.text for one in numbers(text)] == ["55x", "11 %", "1,500 ms", "9k", "3.5 MiB"]


def test_a_number_that_a_fact_states_is_settled_in_any_unit_and_rounding() -> None:
    facts = [
        Fact(quantity="factor", value=54.707, citation="log:a@0+1"),
        Fact(quantity="peak", value=0.1104, unit="ratio", citation="log:a@0+1"),
        Fact(quantity="count", value=9012, unit="events", citation="log:a@0+1"),
    ]
    assert unsettled("it rose 55x to 11 %, 9k events", facts) == ()
    assert unsettled("it rose 56x to 12 %, 8k events", facts) == ("56x", "12 %", "8k")


def test_a_time_of_day_is_settled_by_a_moment_as_far_as_it_is_written() -> None:
    onset = Fact(quantity="onset", value="2026-03-29T09:08:07.6+00:00", citation="log:a@0+1")
    assert unsettled("from 09:08:07 UTC (09:08, rounded 09:08:08Z)", [onset]) == ()
    assert unsettled("from 09:08:09 UTC, 11:08 local", [onset]) == ("09:08:09 UTC", "11:08")
    assert unsettled("from 9:05 on", [], [datetime(2026, 3, 29, 9, 5, 2, tzinfo=UTC)]) == ()
    assert not any(":" in said for said in unsettled("port 10.0.0.1:8080, ratio 3:2:1:4, `at 10:10`", []))


def test_quotes_commits_and_times_are_found() -> None:
    text = "`pool: 5` and “cut the pool”, commit 4be1c0ffee at 2026-03-29 09:08:00 UTC, not `commit deadbeef00`"
    assert quotes(text) == ("pool: 5", "cut the pool", "commit deadbeef00")
    assert commits(text) == ("4be1c0ffee",)
    assert commits(f"git revert {'a1' * 20}, trace:x/{'b2' * 20}, {'c3' * 32}") == ("a1" * 20,)
    assert [one.written for one in times(text)] == ["2026-03-29 09:08:00 UTC"]
    assert times("at 2026-13-45 09:08:00 UTC") == ()


@pytest.mark.parametrize(
    ("quote", "holds"),
    [
        ("timed  out", True),
        ("timed out <*> calling", True),
        ("upstream … payments", True),
        ("payments … upstream", False),
        ("Timed Out", False),
        ("timed out twice", False),
    ],
)
def test_a_quote_is_found_as_it_is_but_for_blanks_and_gaps(quote: str, holds: bool) -> None:
    assert quoted_in(quote, "upstream timed\n out after 1500 ms calling payments") is holds
