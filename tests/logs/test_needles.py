"""What is written behind a backslash in a record is found as it reads, and as it stands."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from subagents.logs.params import SearchParams
from tests.logs.builders import agent_for, call, write

AT = "2026-03-01T12:00:00Z"
SAID = 'caf\u00e9 \U0001f600 refused "C:\\temp" <b>'
RECORDS = {
    "ascii": json.dumps({"ts": AT, "msg": SAID}),
    "utf-8": json.dumps({"ts": AT, "msg": SAID}, ensure_ascii=False),
    "html-safe": json.dumps({"ts": AT, "msg": SAID}).replace("<", "\\u003c").replace('\\"', "\\u0022"),
    "contained": json.dumps({"log": json.dumps({"msg": SAID}) + "\n", "stream": "stdout", "time": AT}),
}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_is_found_by_what_it_says(tmp_path: Path, name: str) -> None:
    other = json.dumps({"ts": AT, "msg": 'cafe "D:\\temp" \\u00e9'})
    agent = agent_for(write(tmp_path, "x.log", [RECORDS[name], other]))
    asked = [
        *({"text": text} for text in ("caf\u00e9", "\U0001f600 REFUSED", '"c:\\temp"', "<b>")),
        {"regex": r'refused "C:\\temp" <'},
        {"regex": "^.*caf\u00e9"},
    ]
    for one in asked:
        found = call(agent, "logs_search", SearchParams.model_validate(one)).need()
        assert [line.text for line in found.lines] == [RECORDS[name]], one


def test_a_record_is_found_as_it_stands_and_other_lines_only_so(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", [RECORDS["ascii"], r"12:00:00 no record of C:\temp {\u00zz}"]))
    for text, count in (("caf\\u00e9", 1), (r"C:\temp", 2), (r"C:\\temp", 1), ("\temp", 0)):
        assert call(agent, "logs_search", SearchParams(text=text)).need().matches == count, text
