"""The tools: typed, bounded, exact; bad arguments get a sentence, hostile patterns finish."""

from __future__ import annotations

import hashlib
from itertools import product
from pathlib import Path

import pytest

from subagents.contract import SPECIALISTS, Evidence, SourceSpec, ToolContext, ToolError
from subagents.logs import scans
from subagents.logs.agent import build
from subagents.logs.model import LogsContext, LogsCoverage, LogsDistinct, LogsHistogram, LogsSearch
from subagents.logs.params import (
    ContextParams,
    CoverageParams,
    DistinctParams,
    HistogramParams,
    PatternsParams,
    SearchParams,
    WindowParams,
)
from subagents.specialist import Roster
from tests.fakes import FakeClock
from tests.logs.builders import agent_for, at, call, incident_log, iso, write


def _search(spec: SourceSpec, **params: object) -> tuple[LogsSearch, tuple[Evidence, ...]]:
    result = call(agent_for(spec), "logs_search", SearchParams.model_validate(params))
    assert isinstance(result.data, LogsSearch)
    return result.data, result.citations


@pytest.fixture
def spec(tmp_path: Path) -> SourceSpec:
    return write(tmp_path, "orders.log.gz", incident_log())


def test_the_tools_are_flat_unique_and_read_only(spec: SourceSpec) -> None:
    agent = build([spec])
    assert agent.name in SPECIALISTS
    Roster({"logs": agent})
    for tool in agent.tools:
        assert tool.name.startswith("logs_")
        assert (tool.effect, tool.outward) == ("read", False)
        assert tool.worker or tool.name == "logs_context"
        properties = tool.schema().get("properties", {})
        assert all("$ref" not in str(value) and value.get("type") != "object" for value in properties.values())


def test_opening_is_lazy(tmp_path: Path) -> None:
    agent = build([SourceSpec(id="gone.log", kind="logs", path=str(tmp_path / "gone.log"))])
    data = call(agent, "logs_coverage", CoverageParams()).data
    assert isinstance(data, LogsCoverage)
    assert "cannot be read" in data.sources[0].problems[0].what


def test_coverage_counts_everything(spec: SourceSpec) -> None:
    data = call(agent_for(spec), "logs_coverage", CoverageParams()).data
    assert isinstance(data, LogsCoverage)
    lines = len(incident_log())
    assert (data.lines, data.events, data.dated) == (lines, lines, lines)
    assert {each.level: each.count for each in data.levels} == {"info": 3000, "warn": 308, "error": 120}
    assert data.services[0].service == "orders"


def test_search_counts_before_lines_and_pages(spec: SourceSpec) -> None:
    first, evidence = _search(spec, text="Connection REFUSED", limit=3)
    assert (first.matches, len(first.lines), first.more) == (120, 3, 117)
    assert first.first == at(2400)
    assert evidence[0].digest == "sha256:" + hashlib.sha256((first.lines[0].text + "\n").encode()).hexdigest()
    second, _ = _search(spec, text="Connection REFUSED", limit=3, cursor=first.cursor)
    assert second.lines[0].at == at(2430)


def test_search_filters_combine(spec: SourceSpec) -> None:
    found, _ = _search(spec, level="warn", start=at(2400).isoformat(), end=at(2500).isoformat(), regex=r"took \d+ ms$")
    assert found.matches == 25
    assert _search(spec, service="nobody")[0].matches == 0
    assert _search(spec, source="orders.log.gz", text="mail")[0].matches == 1200


def test_search_finds_lines_inside_traces(tmp_path: Path) -> None:
    lines = [
        f"{iso(0)} ERROR boom",
        "Traceback (most recent call last):",
        '  File "/srv/app/x.py", line 3, in f',
        "KeyError: 'sku'",
    ]
    found, evidence = _search(write(tmp_path, "x.log", lines), text="KeyError")
    assert found.matches == 1
    assert evidence[0].excerpt == "\n".join(lines) + "\n"


@pytest.mark.parametrize("hostile", [r"(a+)+$", r"(a|aa)+$", r"(.*a){12}$", r"^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_a_hostile_regex_finishes(tmp_path: Path, hostile: str) -> None:
    spec = write(tmp_path, "x.log", [f"{iso(0)} {'a' * 20_000}!"] * 5)
    assert _search(spec, regex=hostile)[0].scanned == 5


@pytest.mark.parametrize("bad", ["(", r"(?=a)", r"(a)\1", "a" * 600, "(((a{1000}){1000}){1000})"])
def test_a_regex_that_cannot_run_in_linear_time_is_refused(spec: SourceSpec, bad: str) -> None:
    with pytest.raises(ToolError):
        _search(spec, regex=bad)


@pytest.mark.parametrize(
    "bad",
    [
        {"start": "yesterday"},
        {"start": at(10).isoformat(), "end": at(5).isoformat()},
        {"source": "nope"},
        {"cursor": "x"},
    ],
)
def test_bad_arguments_get_a_sentence(spec: SourceSpec, bad: dict[str, str]) -> None:
    with pytest.raises(ToolError, match=r"\w+ \w+"):
        _search(spec, **bad)


def test_histogram_by_level_from_index_and_by_scan_agree(spec: SourceSpec) -> None:
    agent = agent_for(spec)
    fast = call(agent, "logs_histogram", HistogramParams(by="level")).data
    slow = call(agent, "logs_histogram", HistogramParams(by="level", regex=".")).data
    assert isinstance(fast, LogsHistogram)
    assert isinstance(slow, LogsHistogram)
    assert fast.series == slow.series
    assert {each.name: each.total for each in fast.series} == {"info": 3000, "warn": 308, "error": 120}
    assert fast.bucket_seconds == 60
    assert fast.series[0].counts[0] == 60


def test_a_histogram_counts_what_a_search_of_the_same_window_finds(tmp_path: Path) -> None:
    undated = write(tmp_path, "undated.log", ["nothing says when"])
    agent = agent_for(write(tmp_path, "orders.log", incident_log()), undated)
    windows = ((2405, 2433), (2400, 2410), (2396, 2410), (2409.5, 2409.9), (-90, 7))
    filters: tuple[dict[str, str], ...] = ({}, {"level": "warn"}, {"service": "orders"}, {"source": "orders.log"})
    for (start, end), more in product(windows, filters):
        asked = {"start": at(start).isoformat(), "end": at(end).isoformat()}
        counted = call(agent, "logs_histogram", HistogramParams.model_validate({**asked, **more, "by": "level"})).data
        found = call(agent, "logs_search", SearchParams.model_validate(asked | more)).data
        assert isinstance(counted, LogsHistogram)
        assert isinstance(found, LogsSearch)
        assert sum(each.total for each in counted.series) == found.matches, (start, end, more)
        assert counted.undated == (0 if more else 1)
        assert all(sum(each.counts) == each.total for each in counted.series)


def test_a_histogram_reads_no_file_again_where_no_end_of_its_window_cuts_a_count(
    spec: SourceSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    agent = agent_for(spec)
    monkeypatch.setattr(scans, "matching", None)
    for start, end in ((None, None), (at(2400).isoformat(), at(2460).isoformat()), (None, at(2408.5).isoformat())):
        call(agent, "logs_histogram", HistogramParams(start=start, end=end, source=spec.id))


def test_distinct_values_of_json_and_of_text(tmp_path: Path) -> None:
    lines = [f'{{"ts":"{iso(n)}","msg":"m","http":{{"route":"/r{n % 3}"}},"service":"s{n % 2}"}}' for n in range(9)]
    agent = agent_for(
        write(tmp_path, "x.log", lines), write(tmp_path, "y.log", [f"{iso(0)} pool=main size=3", "pool=other"])
    )
    data = call(agent, "logs_distinct", DistinctParams(field="http.route", limit=2)).data
    assert isinstance(data, LogsDistinct)
    assert (data.events, data.with_field, data.distinct, data.more) == (11, 9, 3, 1)
    assert data.values[0].count == 3
    assert "http.route" in data.fields
    pools = call(agent, "logs_distinct", DistinctParams(field="pool")).data
    assert isinstance(pools, LogsDistinct)
    assert [each.value for each in pools.values] == ["main", "other"]


def test_context_marks_what_is_cited(tmp_path: Path) -> None:
    lines = [f"{iso(n)} INFO line {n}" for n in range(50)]
    start = sum(len(line) + 1 for line in lines[:20])
    agent = agent_for(write(tmp_path, "x.log.gz", lines))
    data = call(agent, "logs_context", ContextParams(citation=f"log:x.log.gz@{start}+1", before=2, after=2)).data
    assert isinstance(data, LogsContext)
    assert data.lines == tuple(lines[18:23])
    assert (data.cited_from, data.cited_lines) == (2, 1)


def test_no_times_is_said_not_guessed(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", ["error: disk full", "ok"]))
    assert "no event has a time stamp" in call(agent, "logs_patterns", PatternsParams()).text
    for params in (PatternsParams(start="2026-03-01T12:00:00Z"), PatternsParams(baseline_end="2026-03-01T12:00:00Z")):
        with pytest.raises(ToolError, match="time stamp"):
            call(agent, "logs_patterns", params)
    with pytest.raises(ToolError, match="no log files"):
        call(build([]), "logs_patterns", PatternsParams())


def test_a_cancelled_scan_stops(spec: SourceSpec) -> None:
    tool = next(tool for tool in agent_for(spec).tools if tool.name == "logs_search")
    with pytest.raises(ToolError, match="cancelled"):
        tool.run(SearchParams(text="x"), ToolContext(key="t", clock=FakeClock(), cancelled=lambda: True))


def test_a_file_that_grew_is_read_again(tmp_path: Path) -> None:
    spec = write(tmp_path, "x.log", [f"{iso(0)} INFO a"])
    agent = agent_for(spec)
    call(agent, "logs_coverage", CoverageParams())
    Path(spec.path).write_text(f"{iso(0)} INFO a\n{iso(1)} INFO b\n")
    data = call(agent, "logs_coverage", CoverageParams()).data
    assert isinstance(data, LogsCoverage)
    assert data.lines == 2


def test_sources_hours_apart_are_reported_and_not_reordered(tmp_path: Path) -> None:
    here = [f"2026-03-01 12:{n:02d}:00 INFO a" for n in range(60)]
    there = [f"2026-03-01 14:{n:02d}:00 INFO b" for n in range(60)]
    data = call(
        agent_for(write(tmp_path, "a.log", here), write(tmp_path, "b.log", there)), "logs_coverage", CoverageParams()
    ).data
    assert isinstance(data, LogsCoverage)
    assert "2 h after all other sources" in " ".join(problem.what for problem in data.skew)
    assert data.span is not None
    assert data.span.seconds > 2 * 3600


def test_what_cannot_be_opened_says_what_could(tmp_path: Path) -> None:
    agent = agent_for(write(tmp_path, "x.log", [f"{iso(second)} INFO ok {second}" for second in range(3)]))
    for citation, why in (
        ("garbage", r"not a log citation: 'garbage'; one looks like log:app\.log@1024\+1"),
        ("log:x.log@7+1", r"no line of x\.log starts at byte 7"),
        ("log:x.log@9999+1", r"ends before byte 9999"),
    ):
        with pytest.raises(ToolError, match=why):
            call(agent, "logs_context", ContextParams(citation=citation))
    asked = DistinctParams(field="nosuch")
    assert call(agent, "logs_distinct", asked).text.startswith("no value of nosuch: none of 3 events has it")
    with pytest.raises(ToolError, match=r"starts 2026-03-01 13:00:00 UTC, after the last event; give moments within"):
        call(agent, "logs_stacks", WindowParams(start="2026-03-01T13:00:00Z"))


def test_a_histogram_of_a_source_that_cannot_be_read_is_empty(spec: SourceSpec, tmp_path: Path) -> None:
    agent = agent_for(spec, SourceSpec(id="gone.log", kind="logs", path=str(tmp_path / "gone.log")))
    for text in (None, "order"):
        counted = call(agent, "logs_histogram", HistogramParams(source="gone.log", text=text, by="service")).data
        assert isinstance(counted, LogsHistogram)
        assert not counted.series
