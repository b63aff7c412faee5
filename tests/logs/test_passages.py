"""Requests that became slow between two services: the service that is an end of all of it, and what is no slowness."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.contract import Finding
from subagents.logs.agent import build
from subagents.logs.log_set import LogSet
from subagents.logs.model import LogsSummary
from subagents.logs.resolver import LogResolver
from subagents.verifying import Recomputed
from tests.fakes import FakeClock, run_procedure
from tests.logs.builders import at, brief, iso, write

START = 600
COURSE = (
    ("web", "checkout begins"),
    ("cart", "loading the cart"),
    ("stock", "reserving items"),
    ("cart", "cart complete"),
    ("price", "computing the price"),
    ("cart", "price taken"),
    ("web", "checkout done"),
)
Delay = Callable[[int, str, str], float]
"""Seconds that a passage takes beyond its usual five milliseconds: of request, from, to."""


def log(delay: Delay, skew: float = 0.0) -> list[str]:
    rows = []
    for number in range(120):
        second = number * 10.0
        for place, (service, message) in enumerate(COURSE):
            if place:
                second += 0.005 + delay(number, COURSE[place - 1][0], service)
            shown = second + (skew if service == "stock" else 0.0)
            row = {"ts": iso(shown), "service": service, "level": "info", "msg": message, "trace_id": f"{number:012x}"}
            rows.append((shown, json.dumps(row)))
    return [line for _, line in sorted(rows)]


async def look(folder: Path, lines: list[str]) -> tuple[LogsSummary, list[Finding]]:
    spec = write(folder, "all.jsonl", lines)
    bench, summary = await run_procedure(build([spec]), brief([spec], started=at(START), end=at(1300)))
    assert isinstance(summary, LogsSummary)
    told = [finding for finding in bench.reported if "pass slowly" in finding.claim]
    fresh = LogResolver(LogSet([spec]), FakeClock())
    for finding in told:
        for fact in finding.facts:
            assert fresh.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit)
    return summary, told


def since(number: int) -> bool:
    return number * 10 >= START


async def test_a_slow_network_is_an_end_of_all_that_became_slow(tmp_path: Path) -> None:
    summary, told = await look(tmp_path, log(lambda n, a, b: 0.8 if since(n) and "cart" in (a, b) else 0.0))
    best = summary.slow[0]
    assert (best.service, best.peers, best.kinds, best.of) == ("cart", ("price", "stock", "web"), 6, 6)
    assert best.share == 1.0
    assert all(each.share < 0.6 for each in summary.slow[1:])
    assert 800 < best.now_ms < 810
    assert best.usual_ms == pytest.approx(5.0)
    assert told[0].about is not None
    assert told[0].about.key == "cart"


async def test_a_slow_callee_is_told_from_its_caller_by_the_callers_other_calls(tmp_path: Path) -> None:
    summary, _ = await look(tmp_path, log(lambda n, a, b: 0.8 if since(n) and a == "stock" else 0.0))
    assert [each.service for each in summary.slow] == ["stock", "cart"]


@pytest.mark.parametrize(
    "delay",
    [
        pytest.param(lambda n, a, b: 0.0, id="as ever"),
        pytest.param(lambda n, a, b: 0.8 if b == "stock" else 0.0, id="slow before too"),
        pytest.param(lambda n, a, b: 0.03 if since(n) else 0.0, id="a pause of any runtime"),
        pytest.param(lambda n, a, b: 2.0 if n in (70, 90) and b == "stock" else 0.0, id="two stragglers"),
        pytest.param(lambda n, a, b: 0.8 if 60 <= n < 63 and b == "stock" else 0.0, id="over again"),
    ],
)
async def test_what_is_no_slowness(tmp_path: Path, delay: Delay) -> None:
    summary, told = await look(tmp_path, log(delay))
    assert summary.slow == ()
    assert told == []


async def test_clocks_that_run_apart_are_not_slow(tmp_path: Path) -> None:
    summary, _ = await look(tmp_path, log(lambda n, a, b: 0.0, skew=0.004))
    assert summary.slow == ()


def stepped(step: float, back: float) -> list[str]:
    """The stock works for two seconds; since the start its clock shows `step` more, the way back takes `back` more."""
    rows = []
    for number in range(120):
        second, later = number * 10.0, since(number)
        shown = ("web", 0.0), ("stock", 0.005 + step * later), ("web", 2.01 + (step + back) * later)
        for place, (service, after) in enumerate(shown):
            when = second + (after if service == "stock" or not later else 2.01 + back if place else 0.0)
            row = {"ts": iso(when), "service": service, "level": "info", "msg": f"statement {'abc'[place]}"}
            rows.append((when, json.dumps({**row, "trace_id": f"{number:012x}"})))
    return [line for _, line in sorted(rows)]


async def test_a_clock_that_steps_is_not_slow(tmp_path: Path) -> None:
    assert (await look(tmp_path, stepped(0.8, 0.0)))[0].slow == ()
    truly, _ = await look(tmp_path, stepped(0.8, 0.8))
    assert {each.service for each in truly.slow} == {"stock", "web"}
