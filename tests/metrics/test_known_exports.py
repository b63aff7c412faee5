"""Exports as some eighty tools write them: every series that they hold, by service and name, and nothing else."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from orchestrator.intake.intake import take_in
from subagents.contract import SourceSpec
from subagents.metrics.series import Store
from subagents.metrics.sources.load import load
from tests.fakes import FakeClock

FOLDER = Path(__file__).parent / "exports"
pytestmark = pytest.mark.xdist_group("exports")  # one worker: the folder of them is taken in once

EXPECTED: dict[str, Any] = json.loads(Path(__file__).with_name("expected_exports.json").read_text())
"""By file: `series` [[service, name, values]], what is `said`, whether `only` some are named, what it is `taken_as`."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SourceSpec]:
    """All of them given at once, as a folder: what each is, is found by what it holds."""
    spool = tmp_path_factory.mktemp("spool")
    intake = asyncio.run(take_in([str(FOLDER)], spool=spool, clock=FakeClock()))
    return {spec.origin.rpartition("/")[2]: spec for spec in intake.specs}


def points_of(store: Store) -> dict[tuple[str, str], list[float]]:
    return {
        (key.service, key.name): [float(value) for value in frame.values[row] if value == value]
        for frame, row, key in store.series()
    }


@pytest.mark.parametrize("name", EXPECTED)
def test_an_export_is_read_as_what_it_is(name: str, taken: dict[str, SourceSpec]) -> None:
    expected = EXPECTED[name]
    assert taken[name].kind == expected.get("taken_as", "metrics")
    store = load((taken[name].model_copy(update={"kind": "metrics"}),))
    series = {(service, metric): values for service, metric, values in expected["series"]}
    found = points_of(store)
    if expected.get("only"):
        found = {key: values for key, values in found.items() if key in series}
    assert found.keys() == series.keys()
    for key, values in series.items():
        assert found[key] == pytest.approx(values), key
    told = "\n".join(problem.line() for each in store.coverage for problem in each.problems)
    assert expected.get("said", "") in told
    assert "lost: the whole file" not in told
