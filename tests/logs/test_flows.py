"""Requests that leave their usual course: who is silent, who is only a victim, and what is no change of course."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from orchestrator.verdict.claim_words import quoted_in, quotes
from subagents.contract import Finding
from subagents.logs.agent import build
from subagents.logs.courses import FlowBreak
from subagents.logs.log_set import LogSet
from subagents.logs.model import LogsSummary
from subagents.logs.resolver import LogResolver
from subagents.verifying import Recomputed
from tests.fakes import FakeClock, run_procedure
from tests.logs.builders import at, brief, iso, write

START = 600
Step = tuple[str, str, str]
"""Service, level, message; `#` becomes the number of the request."""
COURSE: tuple[Step, ...] = (
    ("web", "info", "checkout of cart # begins"),
    ("cart", "info", "loading cart #"),
    ("stock", "info", "reserving items of #"),
    ("stock", "info", "reserved 3 items of #"),
    ("cart", "info", "cart # complete"),
    ("web", "info", "checkout # done in 12 ms"),
)
Change = Callable[[int], Sequence[Step]]


def log(change: Change, ids: bool = True) -> list[str]:
    """Twenty minutes of one request in ten seconds; `change` gives the course from the start on."""
    lines = []
    for number in range(120):
        second = number * 10
        for place, (service, level, message) in enumerate(COURSE if second < START else change(number)):
            row = {
                "ts": iso(second + 0.1 * place),
                "service": service,
                "level": level,
                "logger": f"{service}.Main:{len(message)}",
                "message": message.replace("#", f"c{number * 7919}"),
                **({"trace_id": f"{number * 104729:012x}"} if ids else {}),
            }
            lines.append(json.dumps(row))
    return lines


async def flows(
    folder: Path, lines: Sequence[str], started: float = START
) -> tuple[tuple[FlowBreak, ...], list[Finding]]:
    spec = write(folder, "all.jsonl", lines)
    bench, summary = await run_procedure(build([spec]), brief([spec], started=at(started), end=at(1200)))
    assert isinstance(summary, LogsSummary)
    told = [finding for finding in bench.reported if "usual course" in finding.claim]
    fresh = LogResolver(LogSet([spec]), FakeClock())
    cited = {proof.ref: proof.digest for _, _, result in bench.calls for proof in result.citations}
    for finding in told:
        for ref in finding.citations:
            assert fresh.resolve(ref).digest == cited[ref]
        excerpts = [fresh.resolve(ref).excerpt for ref in finding.citations]
        for quoted in quotes(finding.claim):
            assert any(quoted_in(quoted, excerpt) for excerpt in excerpts), quoted
        for fact in finding.facts:
            assert fresh.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit)
    return summary.flows, told


async def test_a_method_that_returns_early_is_found_where_it_is_silent(tmp_path: Path) -> None:
    found, told = await flows(tmp_path, log(lambda n: COURSE[:3] + COURSE[4:]))
    assert [(each.service, each.blamed) for each in found] == [("stock", ("stock",))]
    assert (found[0].followed, found[0].of, found[0].still, found[0].since_of) == (60, 60, 0, 59)
    assert found[0].since == at(START + 0.2)
    assert found[0].instead is not None
    assert told[0].about is not None
    assert told[0].about.key == "stock"
    assert "reserved" in told[0].claim


async def test_what_stops_further_down_is_a_victim_and_not_named(tmp_path: Path) -> None:
    found, _ = await flows(tmp_path, log(lambda n: COURSE[:3]))
    assert [each.service for each in found] == ["stock"]
    assert found[0].instead is None


async def test_a_silent_callee_whose_caller_goes_on_is_blamed_alone(tmp_path: Path) -> None:
    found, _ = await flows(tmp_path, log(lambda n: COURSE[:2] + COURSE[4:]))
    assert [(each.service, each.blamed) for each in found] == [("stock", ("stock",))]


async def test_a_caller_in_trouble_before_it_reaches_its_callee_shares_the_blame(tmp_path: Path) -> None:
    trouble = ("cart", "error", "no instance of stock for #")
    found, told = await flows(tmp_path, log(lambda n: (*COURSE[:2], trouble)))
    assert [(each.service, each.blamed) for each in found] == [("stock", ("stock", "cart"))]
    assert told[0].services == ("stock", "cart")
    alone, _ = await flows(tmp_path, log(lambda n: COURSE[:2] + COURSE[4:]))
    assert alone[0].blamed == ("stock",)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda n: COURSE, id="nothing changed"),
        pytest.param(lambda n: COURSE if n % 2 else COURSE[:3] + COURSE[4:], id="half of the requests"),
        pytest.param(lambda n: COURSE[:3] + COURSE[4:] if n < 90 else COURSE, id="over again"),
        pytest.param(lambda n: (), id="no requests any more"),
        pytest.param(lambda n: COURSE[:3] + COURSE[4:] if n < 63 else (), id="three requests prove nothing"),
    ],
)
async def test_what_is_no_change_of_course(tmp_path: Path, change: Change) -> None:
    assert (await flows(tmp_path, log(change)))[0] == ()


async def test_an_error_that_stops_is_no_loss(tmp_path: Path) -> None:
    changed = log(lambda n: COURSE[:3] + COURSE[4:])
    lines = [line.replace('"info"', '"error"') if '"reserved' in line else line for line in changed]
    assert lines != changed
    assert (await flows(tmp_path, lines))[0] == ()


async def test_where_nothing_is_known_of_the_time_before_the_window_itself_shows_the_change(tmp_path: Path) -> None:
    found, _ = await flows(tmp_path, log(lambda n: COURSE[:3] + COURSE[4:]), started=0)
    assert [(each.service, each.followed, each.of, each.still) for each in found] == [("stock", 60, 60, 0)]
    assert (await flows(tmp_path, log(lambda n: COURSE), started=0))[0] == ()


async def test_without_request_ids_nothing_is_followed(tmp_path: Path) -> None:
    assert (await flows(tmp_path, log(lambda n: COURSE[:3] + COURSE[4:], ids=False)))[0] == ()


async def test_data_in_a_message_makes_no_other_statement(tmp_path: Path) -> None:
    """What follows the first words is data: lists that grow, names that change."""
    lines = log(lambda n: COURSE)
    with_data = [
        line.replace('", "trace_id', f' holds for this {"rowx " * (1 if place < 360 else place % 7)}", "trace_id')
        for place, line in enumerate(lines)
    ]
    assert with_data != lines
    assert (await flows(tmp_path, with_data))[0] == ()
