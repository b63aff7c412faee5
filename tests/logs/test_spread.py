"""Records of JSON over several lines: one event each wherever blocks are cut, searched as one text."""

from __future__ import annotations

import json
from pathlib import Path

from subagents.logs.params import DistinctParams, SearchParams
from subagents.logs.sources.log_source import LogSource
from tests.logs.builders import agent_for, call, iso, write


def records(count: int) -> list[dict[str, object]]:
    return [
        {"time": iso(number), "severity": "ERROR", "jsonPayload": {"message": f"order {number} lost", "at": [1, {}]}}
        for number in range(count)
    ]


def test_a_record_is_one_event_wherever_blocks_are_cut(tmp_path: Path) -> None:
    text = json.dumps(records(300), indent=2) + "\n"
    source = LogSource(write(tmp_path, "app.json.log", text), block_bytes=1 << 11)
    events = [row for frame in source.frames() for row in frame.events.iter_rows(named=True)]
    assert events[0]["text"] == "["
    assert [event["text"] for event in events[1:]] == [f"order {number} lost" for number in range(300)]
    assert {event["level"] for event in events[1:]} == {5}
    assert source.tally.lines == text.count("\n") == sum(event["lines"] for event in events)
    again = source.reread(events[7]["start"], events[7]["lines"]).events
    assert again["text"].to_list() == ["order 6 lost"]


def test_a_record_is_searched_as_one_text(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", json.dumps(records(9), indent=4)))
    found = call(agent, "logs_search", SearchParams(regex=r'"ERROR".*order 3 lost')).need()
    assert [line.message for line in found.lines] == ["order 3 lost"]
    values = call(agent, "logs_distinct", DistinctParams(field="severity")).need()
    assert [(value.value, value.count) for value in values.values] == [("ERROR", 9)]


def test_a_record_that_never_ends_loses_no_line(tmp_path: Path) -> None:
    lines = [*json.dumps(records(2), indent=2).splitlines(), "  {", '    "time": "x",', *["    1,"] * 500]
    source = LogSource(write(tmp_path, "x.log", lines), block_bytes=1 << 11)
    events = [row for frame in source.frames() for row in frame.events.iter_rows(named=True)]
    assert sum(event["lines"] for event in events) == len(lines) == source.tally.lines
    assert [event["text"] for event in events[:3]] == ["[", "order 0 lost", "order 1 lost"]
