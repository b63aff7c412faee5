"""Budgets as people type them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.config.model import Bounds, Budgets
from orchestrator.hands.budget_measures import shown
from orchestrator.hands.budget_words import EXAMPLE, BudgetWordsFault, in_words, parse_budget


def test_all_units_with_commas_or_spaces_and_for_one_agent() -> None:
    read = parse_budget("$5, 1.5h 200calls,50turns  400ktokens 2Moutput logs:50calls logs:30s")
    assert read == Budgets(
        usd=Decimal(5),
        seconds=5400,
        tool_calls=200,
        turns=50,
        tokens=400_000,
        output_tokens=2_000_000,
        agents={"logs": Bounds(tool_calls=50, seconds=30)},
    )
    assert in_words(read) == (
        "$5.00, 400k tokens, 2M output tokens, 50 turns, 200 tool calls, 90:00 min, logs: 50 tool calls, logs: 30 s"
    )


def test_commas_too_many_and_capital_letters_do_no_harm() -> None:
    assert parse_budget("5USD,, 2MTokens,") == parse_budget("5usd 2Mtokens")


def test_the_example_is_a_budget() -> None:
    assert parse_budget(EXAMPLE).agents["logs"].tool_calls == 50


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no amount is given"),
        (" , ", "no amount is given"),
        ("\u0665usd", "is no budget"),
        ("5usd;10m", "is no budget"),
        ("1d", "is no budget"),
        ("5", "is no budget"),
        ("five usd", "is no budget"),
        ("-5usd", "is no budget"),
        ("5$", "is no budget"),
        ("0usd", "greater than 0"),
        ("1.5calls", "a whole number"),
        ("5usd 6usd", "given twice"),
        ("log:5calls", "there is no agent 'log'"),
        ("9999h", "less than or equal to"),
        ("\x1b[2J5usd", "is no budget"),
    ],
)
def test_what_is_no_budget_is_said(text: str, why: str) -> None:
    with pytest.raises(BudgetWordsFault, match=why) as caught:
        parse_budget(text)
    assert "\x1b" not in str(caught.value)


def test_amounts_are_short() -> None:
    assert [shown("usd", amount) for amount in (0, 1, 9_999, 10_000, 5_000_000)] == [
        "$0.00", "$0.0001", "$0.0100", "$0.01", "$5.00",
    ]  # fmt: skip
    assert [shown("tokens", amount) for amount in (9_999, 12_345, 1_500_000, 2 * 10**9)] == [
        "9999", "12.3k", "1.5M", "2G",
    ]  # fmt: skip
    assert [shown("seconds", amount) for amount in (0, 1_300, 42_000, 61_000)] == ["0 s", "1.3 s", "42 s", "1:01"]
