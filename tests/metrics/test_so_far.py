"""What is told while metric files are read: how far, which file, how many series until now; and that once."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from subagents.contract import Progress, ToolContext
from subagents.metrics import scene
from subagents.metrics.answers import MetricsAnswers
from subagents.metrics.params import CompareParams, CoverageParams, OnsetsParams, RankParams
from subagents.metrics.sources import documents, texts
from subagents.metrics.sources import load as loading
from subagents.metrics.sources.points import read_metric_csv
from tests.fakes import FakeClock
from tests.metrics.files import long_csv, minute, shifted, spec, steady


def test_reading_tells_how_far_it_is_and_a_second_call_has_nothing_to_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "read_metric_csv", partial(read_metric_csv, block=600))
    one = long_csv(tmp_path / "one.csv", {("web", "rps"): steady(200), ("cart", "rps"): steady(100)})
    two = long_csv(tmp_path / "two.csv", {("ads", "rps"): steady(200)})
    told: list[Progress] = []
    answers = MetricsAnswers((spec(one), spec(two), spec(tmp_path / "gone.csv")))
    context = ToolContext(key="t", clock=FakeClock(), progress=lambda made: told.append(made()))
    assert answers.coverage(CoverageParams(), context).need().series == 3
    while told[-1].unit == "series":
        assert told.pop().text == "on 3 services: what they are"
    total = one.stat().st_size + two.stat().st_size
    assert {(each.total, each.unit) for each in told} == {(total, "bytes")}
    done = [each.done for each in told]
    assert (done[0], done[-1]) == (0, total)
    assert done == sorted(done)
    assert len(done) > 6, "large files are told of by the block"
    assert told[0].text == "one.csv, file 1 of 3"
    assert told[-1].text == "gone.csv, file 3 of 3; 3 series so far"
    told.clear()
    answers.coverage(CoverageParams(), context)
    assert {each.unit for each in told} == {"series"}, "read once"


@pytest.mark.parametrize(
    "ask",
    [
        lambda answers, context: answers.coverage(CoverageParams(), context),
        lambda answers, context: answers.onsets(OnsetsParams(), context),
        lambda answers, context: answers.rank(RankParams(), context),
        lambda answers, context: answers.compare(
            CompareParams(first_start=minute(0), first_end=minute(14), second_start=minute(15), second_end=minute(29)),
            context,
        ),
    ],
    ids=["coverage", "onsets", "rank", "compare"],
)
def test_a_long_analysis_tells_how_many_series_it_has_come_to(
    tmp_path: Path, ask: Callable[[MetricsAnswers, ToolContext], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene, "BLOCK_CELLS", 300)
    series = {(f"s{i % 7}", f"latency_{i}_ms"): shifted(90, 900 if i == 3 else 90, 20) for i in range(150)}
    told: list[Progress] = []
    answers = MetricsAnswers((spec(long_csv(tmp_path / "m.csv", series)),))
    context = ToolContext(key="t", clock=FakeClock(), progress=lambda made: told.append(made()))
    ask(answers, context)
    counted = [each for each in told if each.unit == "series"]
    assert {each.total for each in counted} == {150}
    assert len({each.done for each in counted}) >= 3
    assert all(each.text.startswith("on 7 services: ") for each in counted)


def test_what_is_measured_does_not_depend_on_how_many_are_measured_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    series = {("web", f"latency_{i}_ms"): shifted(90, 90 + 40 * (i % 4), 14 + i % 9) for i in range(40)}
    answers = MetricsAnswers((spec(long_csv(tmp_path / "m.csv", series)),))
    context = ToolContext(key="t", clock=FakeClock())
    whole = answers.onsets(OnsetsParams(limit=60), context).need()
    monkeypatch.setattr(scene, "BLOCK_CELLS", 100)
    assert answers.onsets(OnsetsParams(limit=60), context).need() == whole
    assert len(whole.moved) > 10


@pytest.mark.parametrize("form", ["json", "rows", "text"])
def test_a_large_file_that_is_no_table_tells_how_far_it_is(
    tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(texts, "EVERY", 100)
    monkeypatch.setattr(documents, "EVERY", 100)
    path = tmp_path / f"metrics.{'txt' if form == 'text' else 'json'}"
    if form == "json":
        path.write_text(
            json.dumps({f"s{i}": {"rps": [[1772366400 + 60 * k, k] for k in range(9)]} for i in range(120)})
        )
    elif form == "rows":
        path.write_text(
            json.dumps([{"ts": 1772366400 + 60 * k, "service": "a", "metric": "rps", "value": k} for k in range(900)])
        )
    else:
        rows = (f'rps{{service="s{i}"}} {k} {1772366400 + 60 * k}' for i in range(120) for k in range(9))
        path.write_text("\n".join(rows))
    told: list[Progress] = []
    context = ToolContext(key="t", clock=FakeClock(), progress=lambda made: told.append(made()))
    MetricsAnswers((spec(path),)).coverage(CoverageParams(), context)
    read = [each.done for each in told if each.unit == "bytes"]
    assert len(set(read)) > 5
    assert read[0] == 0
    assert read == sorted(read)
    assert read[-1] <= path.stat().st_size
