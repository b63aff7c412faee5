"""Any bytes through every tool: each answers or refuses in words, no line is lost unsaid; logs without times too."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest

from subagents.contract import Params, ToolError
from subagents.logs.model import LogsCoverage, LogsPatterns, LogsStacks
from subagents.logs.params import (
    ContextParams,
    CoverageParams,
    DistinctParams,
    FirstLookParams,
    HistogramParams,
    PatternsParams,
    SearchParams,
    WindowParams,
)
from subagents.logs.wording import quote
from tests.logs.builders import agent_for, call, iso, write
from tests.thinned import thinned

PIECES = (
    b"2026-03-01T12:00:00Z ERROR x\n", b"{", b'{"ts":"2026-03-01T12:00:00Z","msg":"a","level":"error"}\n', b"\x00" * 7,
    b"\xff\xfe", b"\r", b"\n", b"\r\n", b"\t", b"\x1b[31m", b'"', b"[", b"]", b"Mar  1 12:00:00 h p[1]: m\n",
    b"<34>1 2026-03-01T12:00:00.123Z web1 sshd 812 ID47 - F\n", b"#Fields: date time cs-method cs-uri-stem sc-status\n",
    b"#Fields: \n", b"2026-03-01 12:00:00 GET /x 500\n", b"    at a.b(C.java:1)\n", b"\xed\xa0\x80", b"1772366400 x\n",
    b"Traceback (most recent call last):\n", b'  File "a", line 1, in b\n', b"99999-99-99T99:99:99Z\n", b"\xe2\x80\xa8",
    b"2026-02-31T25:61:61Z x\n", b'{"log":"a","stream":"stdout","time":"2026-03-01T12:00:00Z"}\n', b'{"a":' * 50,
    b"=ERROR REPORT==== 26-Nov-2026::12:00:00 ===\n", b"Mar  1 2026 12:00:00: %X-9-A: b\n", b"\xef\xbb\xbf",
    b"timestamp,level,message\n", b"  {\n", b"  }\n", b"Thu Nov 26 12:00:00 2026\n", b"05/05/0000 12:00:00 x\n",
    b"00/11/2026 12:00:00 x\n", b"29.02.2025 12:00:00 x\n", b"26-Nov-2026 13:00:00 Europe/Nowhere x\n", b"12:99PM x\n",
    b"99991231 29:99:99 x\n", b"[1:2:9999/999999.1:E:a] x\n", b'"a\n', b"general: error: x\n", b"GET / 599 1.0 ms\n",
    b'{app="cart", pod="x"} y\n', b" info: A[1]\n", b"      rest\n", b"audit(1772366400.1:1)\n",
    b"x01/Mar/2026:12:00:00",
    b'{"ts":1e308,"msg":{"a":[1]}}\n', b'{"ts":"","level":{},"service":[1]}\n', b"\xf0\x9f\x92\xa9",
)  # fmt: skip
ASKED: tuple[tuple[str, Params], ...] = (
    ("logs_first_look", FirstLookParams()),
    ("logs_patterns", PatternsParams(changes=["new", "burst", "vanished", "rare", "steady"])),
    ("logs_stacks", WindowParams()),
    ("logs_search", SearchParams(regex="(x*)*y|.{0,200}z")),
    ("logs_search", SearchParams(text="\u00c9", level="error")),
    ("logs_histogram", HistogramParams(by="service")),
    ("logs_distinct", DistinctParams(field="a.b")),
)


@pytest.mark.parametrize("seed", thinned(range(6), 3))
def test_every_tool_answers_for_any_bytes(tmp_path: Path, seed: int) -> None:
    chosen = random.Random(seed)
    data = b"".join(
        chosen.choice(PIECES) if chosen.random() < 0.8 else chosen.randbytes(chosen.randint(0, 30)) for _ in range(80)
    )
    agent = agent_for(write(tmp_path, "a.log", data))
    coverage = call(agent, "logs_coverage", CoverageParams()).need()
    assert coverage.lines == data.count(b"\n") + (not data.endswith(b"\n"))
    for name, params in ASKED:
        try:
            result = call(agent, name, params)
        except ToolError:  # refused in words: no stamps, nothing to compare
            continue
        assert json.loads(result.model_dump_json())
        for cited in result.citations[:2]:
            assert call(agent, "logs_context", ContextParams(citation=cited.ref)).need().lines


def test_an_archive_may_end_anywhere(tmp_path: Path) -> None:
    whole = gzip.compress("".join(f"{iso(n)} ERROR failed {n}\n" for n in range(200)).encode())
    for end in (*range(0, len(whole), len(whole) // 10), len(whole) - 1):
        (tmp_path / "a.log.gz").write_bytes(whole[:end])
        spec = write(tmp_path, "b.log", "x\n").model_copy(
            update={"id": "a.log.gz", "path": str(tmp_path / "a.log.gz"), "origin": "a.log.gz"}
        )
        (source,) = call(agent_for(spec), "logs_coverage", CoverageParams()).need().sources
        assert end == 0 or any("cut short" in problem.what for problem in source.problems), end


def test_logs_without_times_have_patterns_and_stack_traces(tmp_path: Path) -> None:
    trace = ["Traceback (most recent call last):", '  File "/app/a.py", line 3, in f', "ValueError: no"]
    lines = ["INFO:shop:ok"] * 5 + ["ERROR:shop:ledger timed out", *trace] * 3
    agent = agent_for(write(tmp_path, "shop.log", lines))
    answer = call(agent, "logs_patterns", PatternsParams())
    data = answer.need()
    assert isinstance(data, LogsPatterns)
    assert [(one.level, one.count, one.first_seen, one.timeline) for one in data.patterns] == [
        ("error", 3, None, None), ("info", 5, None, None)
    ]  # fmt: skip
    assert "no event has a time stamp" in answer.text
    assert "1970" not in answer.text
    stacks = call(agent, "logs_stacks", WindowParams()).need()
    assert isinstance(stacks, LogsStacks)
    assert [(one.exception, one.count, one.first_seen) for one in stacks.groups] == [("ValueError", 3, None)]
    assert isinstance(call(agent, "logs_coverage", CoverageParams()).need(), LogsCoverage)
    with pytest.raises(ToolError, match="time stamp"):
        call(agent, "logs_patterns", PatternsParams(start="2026-03-01T12:00:00Z"))


def test_a_stamp_in_brackets_leaves_none_before_its_message(tmp_path: Path) -> None:
    stamps = [f"[Sun Mar 01 12:00:0{second}.123456 2026]" for second in range(3)]
    spec = write(tmp_path, "error_log", [f"{stamp} [proxy:error] no backend left" for stamp in stamps])
    answer = call(agent_for(spec), "logs_patterns", PatternsParams())
    assert "[ ]" not in answer.text
    assert "no backend left" in answer.text
    assert quote("[ ] [proxy:error] no backend left") == "[proxy:error] no backend left"


def test_frames_that_are_not_shown_are_counted(tmp_path: Path) -> None:
    deep = ["ERROR lost", "com.acme.Lost: it", *(f"\tat com.acme.Step{n}.run(Step{n}.java:7)" for n in range(6))]
    spec = write(tmp_path, "app.log", [f"{iso(0)} {deep[0]}", *deep[1:], f"{iso(1)} {deep[0]}", *deep[1:6]])
    answer = call(agent_for(spec), "logs_stacks", WindowParams())
    assert ["more frame" in line for line in answer.text.splitlines()].count(True) == 1
    assert "and 2 more frames" in answer.text
