"""When a series is back is a fact like its onset: from the cited span alone, and refused where it is not back."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.citations import MetricRef
from subagents.contract import Fact, ToolError
from subagents.metrics.agent import build
from subagents.verifying import Recomputed, Verifier
from tests.metrics.files import long_csv, minute, shifted, spec, steady


def test_when_a_series_is_back_is_measured_again(tmp_path: Path) -> None:
    back = [*shifted(90, 900, 22)[:30], *steady(90)[:10]]
    known: object = build((spec(long_csv(tmp_path / "metrics.csv", {("web", "latency_p99_ms"): back})),)).resolver
    assert isinstance(known, Verifier)

    def ended(last: int) -> Recomputed | None:
        cited = MetricRef(source="metrics.csv", service="web", name="latency_p99_ms", start=minute(0), end=minute(last))
        return known.recompute(Fact(quantity=q.ENDED, value="", citation=str(cited)))

    assert ended(39) == Recomputed(value=minute(30).isoformat().replace("+00:00", "Z"))
    with pytest.raises(ToolError, match="not back at its baseline"):
        ended(28)
