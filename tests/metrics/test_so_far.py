"""What is told while metric files are read: how far, which file, how many series until now; and that once."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from subagents.contract import Progress, ToolContext
from subagents.metrics.answers import MetricsAnswers
from subagents.metrics.params import CoverageParams
from subagents.metrics.sources import load as loading
from subagents.metrics.sources.points import read_metric_csv
from tests.fakes import FakeClock
from tests.metrics.files import long_csv, spec, steady


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
    assert told.pop().text == "measuring 3 series of 3 services"
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
    assert [each.text for each in told] == ["measuring 3 series of 3 services"]
