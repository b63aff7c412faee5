"""Parquet: read as the table that it is, in parts as if whole; what cannot be read is said."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.recognise import recognise
from subagents.metrics.sources import parquet
from subagents.metrics.sources.load import load
from tests.metrics.files import spec

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def write(path: Path, count: int = 9) -> Path:
    times = [START + timedelta(minutes=i) for i in range(count)]
    columns = {"ts": times, "service": ["shop"] * count, "latency_ms": [i + 0.5 for i in range(count - 1)] + [None]}
    frame = pl.DataFrame(columns | {"tags": [["a", "b"]] * count, "trace": [b"\xff"] * count})
    frame.with_columns(pl.col("ts").dt.convert_time_zone("Europe/Berlin")).write_parquet(path)
    return path


@pytest.mark.parametrize("rows", [4, 500_000])
def test_a_table_is_read_as_it_would_be_from_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(parquet, "ROWS", rows)
    path = write(tmp_path / "export.parquet")
    assert recognise(path, path.name, path.name, IntakeLimits()).role == "metrics"
    store = load((spec(path),))
    (frame,) = store.frames
    assert [(key.service, key.name) for key in frame.keys] == [("shop", "latency_ms")]
    assert frame.values[0].tolist() == [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]
    assert float(frame.times[0]) == START.timestamp(), "another zone is the same moment"
    told = "\n".join(problem.line() for each in store.coverage for problem in each.problems)
    assert "columns that hold lists, records or bytes are not read: tags, trace" in told


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "export.parquet"
    path.write_bytes(write(tmp_path / "whole.parquet").read_bytes()[:-40])
    assert recognise(path, path.name, path.name, IntakeLimits()).role is None
    store = load((spec(path),))
    assert store.frames == []
    assert "the Parquet file cannot be read" in "\n".join(p.line() for c in store.coverage for p in c.problems)


def test_a_reader_that_panics_takes_nothing_along(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def panic(path: Path) -> pl.LazyFrame:
        raise pl.exceptions.PanicException("assertion failed")

    path = write(tmp_path / "export.parquet")
    monkeypatch.setattr(parquet, "_scan", panic)
    assert recognise(path, path.name, path.name, IntakeLimits()).role is None
    store = load((spec(path),))
    assert "cannot be read (assertion failed)" in "\n".join(p.line() for c in store.coverage for p in c.problems)


def test_a_file_without_numbers_over_time_is_none_of_metrics(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    pl.DataFrame({"name": ["kim", "lee"], "city": ["Bonn", "Kiel"]}).write_parquet(path)
    found = recognise(path, path.name, path.name, IntakeLimits())
    assert found.role is None
    assert "a Parquet file without a column of times" in found.reason
