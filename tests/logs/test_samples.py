"""Layouts that a file shows only behind what its program's start wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest

from subagents.logs.levels import ERROR, INFO
from subagents.logs.sources.samples import AT_HEAD, SPREAD, some_of, usual_of
from tests.logs.builders import at, iso, read, write


def starting(count: int) -> Iterator[str]:
    return (f"{iso(n / 100)} [notice] 7#7: worker process {n} started" for n in range(count))


def test_requests_are_told_however_many_lines_stand_before_the_first(tmp_path: Path) -> None:
    requests = (
        f'10.0.0.7 - - [{at(60 + n):%d/%b/%Y:%H:%M:%S} +0000] "GET /orders/{n} HTTP/1.1" {503 if n % 9 == 0 else 200} 7'
        for n in range(90)
    )
    _, events = read(write(tmp_path, "web.log", [*starting(3000), *requests]))
    assert Counter((event["level"], event["suffix"]) for event in events[3000:]) == {
        (ERROR, " status=503"): 10,
        (INFO, " status=200"): 80,
    }


def test_a_program_is_told_where_most_lines_name_one_but_not_the_first(tmp_path: Path) -> None:
    lines = [f"{iso(60 + n)} web{n % 3} cart[{n}]: saved {n}" for n in range(2000)]
    _, events = read(write(tmp_path, "all.log", [*starting(200), *lines]))
    assert Counter(event["service"] for event in events) == {"cart": 2000, None: 200}
    assert {event["host"] for event in events[200:]} == {"web0", "web1", "web2"}


def test_spring_names_the_application_behind_a_banner_without_stamps(tmp_path: Path) -> None:
    banner = [f"[entrypoint] step {n} done" for n in range(100)]
    lines = [f"{iso(n)}  INFO [cart-service,{n:016x},{n:016x}] 7 --- [main] c.e.Cart : saved {n}" for n in range(300)]
    _, events = read(write(tmp_path, "all.log", [*banner, *lines]))
    assert {event["service"] for event in events[100:]} == {"cart-service"}


def test_a_severity_behind_the_mask_is_found_late_in_the_first_block(tmp_path: Path) -> None:
    lines = [f"{iso(60 + n)} app2[7]:ERROR: refused {n}" for n in range(9)]
    _, events = read(write(tmp_path, "all.log", [*starting(1500), *lines]))
    assert {event["level"] for event in events[1500:]} == {ERROR}


def test_pieces_of_containerd_are_told_late_in_a_block(tmp_path: Path) -> None:
    lines = [f"{iso(60 + n)} stdout F saved {n}" for n in range(9)]
    _, events = read(write(tmp_path, "all.log", [*starting(100), *lines]))
    assert [event["text"] for event in events[100:]] == [f" saved {n}" for n in range(9)]


def test_a_collector_is_told_where_most_lines_name_it_but_not_the_first(tmp_path: Path) -> None:
    lines = [f"cart-1  | {iso(60 + n)} INFO saved {n}" for n in range(900)]
    _, events = read(write(tmp_path, "all.log", [*starting(100), *lines]))
    assert Counter(event["service"] for event in events[100:]) == {"cart": 900}


@pytest.mark.parametrize("count", [0, 1, AT_HEAD, AT_HEAD + SPREAD, AT_HEAD + SPREAD + 1, 5000])
def test_samples_are_the_head_and_lines_from_all_over_the_rest(count: int) -> None:
    lines = pl.Series([str(n) for n in range(count)], dtype=pl.String)
    found = [int(line) for line in some_of(lines, SPREAD)]
    assert found[:AT_HEAD] == list(range(min(count, AT_HEAD)))
    assert len(found) <= AT_HEAD + SPREAD
    assert found == sorted(set(found))
    if count > 1000:
        assert max(b - a for a, b in zip(found, [*found[1:], count], strict=True)) < count / 100


def test_of_lines_with_stamps_only_those_are_asked_what_most_have() -> None:
    lines, stamped = pl.Series([str(n) for n in range(400)]), pl.Series([n >= 100 and n % 2 == 0 for n in range(400)])
    head, spread = usual_of(lines, stamped, spread=True)
    assert head == [str(n) for n in range(AT_HEAD)]  # none of those has one
    assert {int(line) % 2 for line in spread} == {0}
    assert int(spread[0]) == 100
    assert list(usual_of(lines, stamped, spread=False)) == [head]
