"""Budgets and prices in warroom.toml: what they may be, whose word counts, and that a project only tightens."""

from __future__ import annotations

from decimal import Decimal

import pytest

from orchestrator.config import ConfigError
from orchestrator.config.read import read_file
from orchestrator.hands.usage import Prices, Usage
from tests.config.files import Place, said

OWN = """
[budgets]
usd = 2.5
seconds = 600
[budgets.agents.logs]
tool_calls = 50
[engine.prices."my-model"]
input = 0.1
output = 0.3
"""


def test_bounds_and_prices_are_read_exactly(place: Place) -> None:
    place.write(place.own, OWN)
    loaded = place.load().settings
    assert loaded.budgets.usd == Decimal("2.5")
    assert loaded.budgets.agents["logs"].tool_calls == 50
    assert Prices(loaded.engine.prices).cost(Usage(model="my-model", input_tokens=10, output_tokens=10)) == 4


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("usd = 0", "greater than 0"),
        ("usd = nan", "finite"),
        ("usd = 0.0000001", "decimal places"),
        ("tokens = 1.5", "whole number"),
        ("turns = true", "whole number"),
        ("reserve_percent = 51", "less than or equal to 50"),
        ("dollars = 5", "unknown key"),
        ("agents.log.turns = 5", "there is no agent 'log'; there are: orchestrator, logs"),
        ("agents.logs.dollars = 5", "unknown key"),
    ],
)
def test_what_is_no_bound_stops_the_run_with_its_line(place: Place, line: str, why: str) -> None:
    place.write(place.own, f"[budgets]\n{line}\n")
    with pytest.raises(ConfigError, match=why) as caught:
        place.load()
    assert f"{place.own}:2" in str(caught.value)


def test_a_project_can_lower_a_bound_and_set_one_but_raise_none(place: Place) -> None:
    place.write(place.own, OWN)
    place.write(
        place.project,
        """
[budgets]
usd = 1
seconds = 6000
turns = 10
reserve_percent = 10
reserve_usd = 0.01
[budgets.agents.logs]
tool_calls = 500
[budgets.agents.metrics]
tool_calls = 5
[engine.prices."my-model"]
input = 0
output = 0
""",
    )
    loaded = place.load()
    budgets = loaded.settings.budgets
    assert (budgets.usd, budgets.seconds, budgets.turns) == (Decimal(1), 600, 10)
    assert (budgets.reserve_percent, budgets.reserve_usd) == (15, None)
    assert (budgets.agents["logs"].tool_calls, budgets.agents["metrics"].tool_calls) == (50, 5)
    assert loaded.settings.engine.prices["my-model"].input == Decimal("0.1")
    for line in (
        "may not raise `budgets.seconds`; lost: 6000.0: 600.0 counts",
        "may not raise `budgets.agents.logs.tool_calls`; lost: 500: 50 counts",
        "may not lower `budgets.reserve_percent`; lost: 10: 15 counts",
        "may not lower `budgets.reserve_usd`; lost: 0.01: the usual part counts",
        "does not count from a project's file",
    ):
        assert line in said(loaded), line


def test_a_project_may_keep_more_for_the_verdict(place: Place) -> None:
    place.write(place.project, "[budgets]\nreserve_percent = 40\n")
    assert place.load().settings.budgets.reserve_percent == 40


def test_prices_of_several_files_are_one_table(place: Place) -> None:
    place.write(place.own, OWN + "[engine.prices.other]\ninput = 1\noutput = 2\n")
    assert set(place.load().settings.engine.prices) == {"my-model", "other"}


def test_a_price_that_is_none_is_a_fault(place: Place) -> None:
    path = place.write(place.own, "[engine.prices.m]\ninput = -1\noutput = 'free'\n")
    faults = "\n".join(fault.line() for fault in read_file(path).faults)
    assert f"{path}:2" in faults
    assert f"{path}:3" in faults
