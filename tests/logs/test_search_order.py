"""What is found in several files comes in the order of time, page by page; fields are found in any wrapping."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from subagents.contract import ToolError
from subagents.logs.model import LogsDistinct, LogsSearch
from subagents.logs.params import DistinctParams, SearchParams
from tests.logs.builders import agent_for, call, iso, write


def test_lines_of_several_files_are_merged_on_one_clock_and_paged(tmp_path: Path) -> None:
    files = {
        "orders.log": [f"{iso(10 * n)} ERROR failed {n}" for n in range(30)],
        "billing.log": [f"{iso(10 * n + 5)} ERROR failed too {n}" for n in range(30)],
        "notes.log": ["ERROR failed, with no time"],
    }
    agent = agent_for(*(write(tmp_path, name, lines) for name, lines in files.items()))
    texts: list[str] = []
    cursor = None
    while True:
        data = call(agent, "logs_search", SearchParams(text="failed", limit=7, cursor=cursor)).data
        assert isinstance(data, LogsSearch)
        assert data.matches == 61
        texts += [line.text for line in data.lines]
        cursor = data.cursor
        if cursor is None:
            break
    assert texts == [*sorted(files["orders.log"] + files["billing.log"]), *files["notes.log"]]


def test_lines_of_one_file_stay_as_they_stand(tmp_path: Path) -> None:
    lines = [f"{iso(second)} ERROR failed" for second in (5, 3, 9, 1)]
    agent = agent_for(write(tmp_path, "a.log", lines), write(tmp_path, "b.log", [f"{iso(0)} INFO ok"]))
    data = call(agent, "logs_search", SearchParams(text="failed", source="a.log")).data
    assert isinstance(data, LogsSearch)
    assert [line.text for line in data.lines] == lines


def test_a_page_beyond_what_is_held_is_refused_with_what_to_do(tmp_path: Path) -> None:
    specs = [write(tmp_path, name, [f"{iso(0)} INFO ok"]) for name in ("a.log", "b.log")]
    agent = agent_for(*specs)
    with pytest.raises(ToolError, match="give a time, a service or one source"):
        call(agent, "logs_search", SearchParams(text="ok", cursor="skip=20000"))


def test_fields_are_found_behind_and_inside_of_what_a_collector_wrote(tmp_path: Path) -> None:
    own = json.dumps({"level": "error", "http": {"status": 503}})
    lines = [
        f"[pod/checkout-7c9d8b6f5-x2x4z/checkout-with-a-long-name] {iso(0)} {own}",
        json.dumps({"log": own + "\n", "stream": "stderr", "time": iso(1)}),
    ]
    agent = agent_for(*(write(tmp_path, f"{place}.log", [line]) for place, line in enumerate(lines)))
    data = call(agent, "logs_distinct", DistinctParams(field="http.status")).data
    assert isinstance(data, LogsDistinct)
    assert [(value.value, value.count) for value in data.values] == [("503", 2)]


def test_a_search_says_when_all_that_match_were_and_what_each_says(tmp_path: Path) -> None:
    spec = write(tmp_path, "a.log", [f"{iso(20 * n)} ERROR [main] failed {n}" for n in range(9)])
    data = call(agent_for(spec), "logs_search", SearchParams(text="failed", limit=1)).data
    assert isinstance(data, LogsSearch)
    assert data.lines[0].message == "[main] failed 0"
    assert data.timeline is not None
    assert (data.timeline.start, data.timeline.bucket_seconds) == (data.first, 60)
    assert data.timeline.counts == (3, 3, 3)


def test_matches_over_years_are_counted_in_few_buckets(tmp_path: Path) -> None:
    lines = [f"{1990 + n // 12}-{1 + n % 12:02}-01T00:00:00Z ERROR failed" for n in range(360)]
    data = call(agent_for(write(tmp_path, "a.log", lines)), "logs_search", SearchParams(text="failed", limit=1)).data
    assert isinstance(data, LogsSearch)
    assert data.timeline is not None
    assert len(data.timeline.counts) <= 500
    assert sum(data.timeline.counts) == 360


def test_nothing_found_says_what_was_searched_and_what_there_is(tmp_path: Path) -> None:
    specs = [write(tmp_path, name, [f"{iso(0)} INFO ok"]) for name in ("orders.log", "billing.log")]
    agent = agent_for(*specs)
    misspelt = call(agent, "logs_search", SearchParams(text="ok", service="order"))
    assert misspelt.need().there == ("billing", "orders")
    assert "no event is of service order; services: billing, orders" in misspelt.text
    assert "searched for “ok”, service order" in misspelt.text
    late = call(agent, "logs_search", SearchParams(start="2026-03-02T00:00:00Z"))
    assert "searched for all events, from 2026-03-02 00:00:00 UTC" in late.text
    assert "the events are of 2026-03-01 12:00:00" in late.text
    other = call(agent, "logs_search", SearchParams(text="no such", service="orders"))
    assert other.need().there == ()


@pytest.mark.parametrize("pattern", ["(", "a**", "\\ud800", "(?<x", "[z-a]", "x{2000}"])
def test_a_bad_expression_is_refused_in_words(tmp_path: Path, pattern: str) -> None:
    with pytest.raises(ToolError) as fault:
        call(agent_for(write(tmp_path, "a.log", ["x"])), "logs_search", SearchParams(regex=pattern))
    assert "regular expression" in str(fault.value)
    assert "b'" not in str(fault.value)
