"""What is told of the order in which series moved, and of those that moved at once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from subagents.metrics.model import SeriesView
from subagents.metrics.sequence import in_order, together

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def view(name: str, seconds: int, step: float = 60.0) -> SeriesView:
    return SeriesView(
        source="m",
        service=name,
        name="errors",
        role="error_count",
        citation=f"metric:m/{name}/errors@x",
        points=30,
        baseline=1.0,
        latest=9.0,
        onset=START + timedelta(seconds=seconds),
        step=step,
    )


def test_onsets_within_one_step_are_together_and_the_resolution_is_said() -> None:
    line = [view("db", 0), view("shop", 60), view("web", 61)]
    assert [[v.service for v in group] for group in together(line)] == [["db", "shop"], ["web"]]
    assert in_order(line) == (
        "db errors (12:00:00Z) and shop errors (12:01:00Z) together, as far as points a minute apart can tell; "
        "then web errors at 12:01:01Z"
    )


def test_the_coarser_series_decides_what_is_together() -> None:
    assert len(together([view("db", 0, step=300.0), view("shop", 240, step=15.0)])) == 1
    assert len(together([view("db", 0, step=15.0), view("shop", 240, step=15.0)])) == 2


def test_the_same_moment_is_named_once() -> None:
    told = in_order([view("db", 0, step=7.0), view("shop", 0, step=7.0)])
    assert told == "db errors and shop errors together at 12:00:00Z, as far as points 7 s apart can tell"


def test_a_chain_of_neighbours_is_no_single_moment() -> None:
    line = [view(f"s{i}", 60 * i) for i in range(4)]
    assert [len(group) for group in together(line)] == [2, 2]


def test_a_moment_among_days_bears_its_date() -> None:
    long = view("db", 0).model_copy(update={"points": 2000})
    assert in_order([long]) == "db errors at 2026-03-01 12:00:00Z"
