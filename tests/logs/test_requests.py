"""What only looks like a change of course, and which requests are followed where the logs are large."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.logs import requests as reading
from subagents.logs.agent import build
from subagents.logs.courses import FlowBreak
from subagents.logs.model import LogsSummary
from tests.fakes import run_procedure
from tests.logs.builders import at, brief, iso, write

START, END = 600.0, 1200.0
Event = tuple[float, str, str]
"""Seconds within the request, service, message with its logger in front: `Logger#12|message`."""
COURSE: tuple[Event, ...] = (
    (0.0, "web", "Checkout#10|checkout of cart begins"),
    (0.1, "cart", "Loader#20|loading the cart"),
    (0.2, "stock", "Keeper#30|reserving all items"),
    (0.3, "stock", "Keeper#35|asking the shelf"),
    (0.4, "stock", "Keeper#41|reserved all items"),
    (0.5, "cart", "Loader#25|the cart is complete"),
    (0.6, "web", "Checkout#15|checkout done"),
)
Request = tuple[float, Sequence[Event]]


def line(second: float, number: int, event: Event) -> str:
    logger, message = event[2].split("|")
    stamp = iso(second + event[0])
    row = {"ts": stamp, "service": event[1], "level": "info", "logger": logger, "message": message}
    return json.dumps({**row, "trace_id": f"{number * 104729:012x}"})


def regular(change: Callable[[float], Sequence[Event]], every: float = 10.0) -> list[Request]:
    """One request in ten seconds; `change` gives its course from the start on."""
    seconds = [number * every for number in range(int(END / every))]
    return [(second, COURSE if second < START else change(second)) for second in seconds]


def lines_of(requests: Sequence[Request], only: str = "", until: float = END) -> list[str]:
    found = [
        (second + event[0], line(second, number, event))
        for number, (second, events) in enumerate(requests)
        for event in events
        if only in ("", event[1]) and second + event[0] < until
    ]
    return [text for _, text in sorted(found)]


async def looked(specs: list[SourceSpec]) -> tuple[tuple[FlowBreak, ...], list[str]]:
    bench, summary = await run_procedure(build(specs), brief(specs, started=at(START), end=at(END)))
    assert isinstance(summary, LogsSummary)
    return summary.flows, [finding.claim for finding in bench.reported if "were followed" in finding.claim]


def put(place: int, *events: Event) -> tuple[Event, ...]:
    return (*COURSE[:place], *events, *COURSE[place + 1 :])


LATER = tuple((when + (2.5 if service == "stock" else 0.0), service, text) for when, service, text in COURSE)
LONG = tuple((when * 200, service, text) for when, service, text in COURSE)
OTHER: tuple[Event, ...] = (COURSE[0], (0.1, "search", "Finder#7|looking for offers"))
RELEASED = tuple((w, s, t.replace("#3", "#5").replace("#41", "#62")) for w, s, t in COURSE)


@pytest.mark.parametrize(
    "requests",
    [
        pytest.param(regular(lambda s: put(2, (0.2, "stock", "Keeper#30|will now reserve items"))), id="other words"),
        pytest.param(regular(lambda s: put(3)), id="a statement removed"),
        pytest.param(regular(lambda s: RELEASED), id="other lines of code"),
        pytest.param(regular(lambda s: LATER), id="a clock that steps"),
        pytest.param([(s, LONG) for s, _ in regular(lambda s: COURSE)], id="the last requests are not over"),
        pytest.param([*regular(lambda s: COURSE), *((START + n / 2, OTHER) for n in range(1200))], id="another mix"),
    ],
)
async def test_what_is_no_change_of_course(tmp_path: Path, requests: Sequence[Request]) -> None:
    found, _ = await looked([write(tmp_path, "all.jsonl", lines_of(requests))])
    assert found == ()


async def test_what_is_dropped_without_what_came_next_is_a_change_of_course(tmp_path: Path) -> None:
    """The guard above refuses too much if it refuses this."""
    found, _ = await looked([write(tmp_path, "all.jsonl", lines_of(regular(lambda s: COURSE[:3] + COURSE[5:])))])
    assert [each.service for each in found] == ["stock"]


async def test_a_log_that_ends_before_the_others_is_no_silence(tmp_path: Path) -> None:
    requests = regular(lambda s: COURSE)
    rest = [event for event in lines_of(requests) if '"stock"' not in event]
    cut = write(tmp_path, "stock.jsonl", lines_of(requests, "stock", until=START + 60))
    found, _ = await looked([write(tmp_path, "rest.jsonl", rest), cut])
    assert found == ()


async def test_a_callee_that_its_caller_misses_is_silent_though_its_log_ends(tmp_path: Path) -> None:
    requests = regular(lambda s: COURSE[:2])
    rest = [event for event in lines_of(requests) if '"stock"' not in event]
    found, _ = await looked(
        [write(tmp_path, "rest.jsonl", rest), write(tmp_path, "stock.jsonl", lines_of(requests, "stock"))]
    )
    assert [each.service for each in found] == ["stock"]


@pytest.mark.parametrize("name", ["all.jsonl", "all.jsonl.gz"])
async def test_of_large_logs_the_part_around_the_start_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(reading, "MOST_READ", 600)
    monkeypatch.setattr("subagents.logs.sources.log_source.BLOCK_BYTES", 1 << 12)
    spec = write(tmp_path, name, lines_of(regular(lambda s: COURSE[:3] + COURSE[5:])))
    found, gaps = await looked([spec])
    assert [each.service for each in found] == ["stock"]
    assert found[0].of < 60
    assert len(gaps) == 1
    assert "only" in gaps[0]


async def test_of_many_requests_a_part_is_followed_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_EVENTS", 400)
    whole = lines_of(regular(lambda s: COURSE))
    found, gaps = await looked([write(tmp_path, "all.jsonl", whole)])
    assert found == ()
    assert "one in 2" in gaps[0]
    found, _ = await looked([write(tmp_path, "all.jsonl", lines_of(regular(lambda s: COURSE[:3] + COURSE[5:])))])
    assert [each.service for each in found] == ["stock"]
    assert 5 <= found[0].of < 50
