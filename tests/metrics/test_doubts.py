"""Tables that may hold no metric, or several series as one: read all the same, and told."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from subagents.metrics.sources.doubts import FEWEST
from subagents.metrics.sources.load import gaps
from subagents.metrics.sources.points import read_metric_csv
from subagents.metrics.sources.table import Faults
from tests.metrics.files import START, problems, read

EVENTS, MERGED = "rows look like events, not samples", "are never of one moment"
COUNT = 200


def at_random(count: int = COUNT, mean_s: float = 300.0) -> Iterator[str]:
    """Moments at which nobody samples."""
    drawn, at = random.Random(7), START
    for _ in range(count):
        at += timedelta(seconds=drawn.expovariate(1 / mean_s))
        yield f"{at:%Y-%m-%dT%H:%M:%SZ}"


def sampled(count: int = COUNT, every_s: float = 15.0, jitter_s: float = 2.0) -> Iterator[str]:
    drawn = random.Random(7)
    for number in range(count):
        yield f"{START + timedelta(seconds=every_s * number + drawn.uniform(0, jitter_s)):%Y-%m-%dT%H:%M:%S.%fZ}"


def told(path: Path, header: str, rows: Iterator[str] | list[str]) -> str:
    path.write_text("\n".join([header, *rows]) + "\n")
    store = read(path)
    assert store.frames
    return problems(store)


def code(number: int) -> str:
    return f"{number * 7919 % 10007:05d}-{number}x"


@pytest.mark.parametrize("numbering", [lambda n: 4711 + n, lambda n: 4711 - n, lambda n: 4711 + n + n // 30, code])
def test_a_row_to_each_event_is_told(tmp_path: Path, numbering: Callable[[int], object]) -> None:
    rows = [f"{numbering(n)},{at},{n % 7}.5,{n % 3}" for n, at in enumerate(at_random())]
    said = told(tmp_path / "orders.csv", "order,date,amount,pieces", rows)
    assert f"{EVENTS}, so that this may be no metric: every row has its own order" in said
    worded = [f"{row},{('open', 'paid')[n % 2]}" for n, row in enumerate(rows)]
    said = told(tmp_path / "orders.csv", "order,date,amount,pieces,state", worded)
    assert EVENTS in said
    assert MERGED not in said, "that is said of samples"
    assert EVENTS not in told(tmp_path / "orders.csv", "order,date,amount,pieces", rows[: FEWEST - 1])


def test_samples_are_no_events_whatever_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    assert not told(path, "row,ts,cpu", [f"{n},{at},{n % 7}.5" for n, at in enumerate(sampled())])
    hosts = [f"{code(n)},{at},web{n % 2},{n % 7}.5" for n, at in enumerate(sampled(jitter_s=0.0))]
    assert not told(path, "id,ts,host,cpu", hosts)
    apart = [(at, f"web{host}") for host in range(9) for at in sampled(60, every_s=90.0, jitter_s=host * 1.1)]
    shuffled = sorted((at[:-5] + f"{host[-1]}Z", host) for at, host in apart)
    assert not told(path, "row,ts,host,cpu", [f"{n},{at},{host},{n % 7}.5" for n, (at, host) in enumerate(shuffled)])


def test_values_at_any_time_are_no_events_where_nothing_numbers_them(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    cells: dict[str, Callable[[int], int]]
    cells = {"total": lambda n: 3 * n, "temperature": lambda n: n % 7, "area": lambda n: n * n}
    for name, cell in cells.items():
        assert EVENTS not in told(path, f"ts,{name}", [f"{at},{cell(n)}" for n, at in enumerate(at_random())])
    long = [f"{at},cart,latency,{n}" for n, at in enumerate(at_random())]
    assert EVENTS not in told(path, "ts,service,metric,value", long), "it says itself that it is a metric"


def test_words_that_vary_within_a_series_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    rows = [f"{at},{('eu', 'us')[n % 2]},{n % 7}.5" for n, at in enumerate(sampled())]
    said = told(path, "ts,region,cpu", rows)
    assert f"rows that differ in region {MERGED}: they are read as one series" in said
    assert "call that column service or host" in said
    both = [f"{row},{('old', 'new')[n % 3 > 0]}" for n, row in enumerate(rows)]
    assert f"rows that differ in region, build {MERGED}" in told(path, "ts,region,cpu,build", both)
    assert not told(path, "ts,host,cpu", rows), "whose they are"
    met = [f"{at},{region},{n % 7}.5" for n, at in enumerate(sampled()) for region in ("eu", "us")]
    assert not told(path, "ts,region,cpu", met), "that is what tells series apart"
    where = [f"{at},web{n % 2},{('eu', 'us')[n % 2]},{n % 7}.5" for n, at in enumerate(sampled())]
    assert not told(path, "ts,host,region,cpu", where), "it is the same for each host"
    once = [f"{at},word-{n},{n % 7}.5" for n, at in enumerate(sampled())]
    assert not told(path, "ts,remark,cpu", once)


def test_words_that_meet_in_a_later_block_are_not_told(tmp_path: Path) -> None:
    path, faults = tmp_path / "m.csv", Faults("m.csv")
    moments = list(sampled(400))
    rows = [f"{at},{('eu', 'us')[n % 2]},{n % 7}.5" for n, at in enumerate(moments)]
    rows += [f"{moments[-1]},{region},1.5" for region in ("eu", "us")]
    path.write_text("\n".join(["ts,region,cpu", *rows]) + "\n")
    points, _ = read_metric_csv(path, faults, block=4_000)
    assert {name for _, name in points.labels} == {"cpu{region=eu}", "cpu{region=us}"}
    assert MERGED not in "\n".join(problem.what for problem in faults.all())


def test_events_that_come_when_they_come_leave_no_holes(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    read_as = {"orders": at_random(), "samples": (at for n, at in enumerate(sampled(jitter_s=0.0)) if n // 9 % 5)}
    found = {}
    for name, times in read_as.items():
        path.write_text("\n".join(["ts,amount", *(f"{at},{n % 7}.5" for n, at in enumerate(times))]) + "\n")
        found[name] = [len(gaps(frame)) for frame in read(path).frames]
    assert found == {"orders": [0], "samples": [4]}
