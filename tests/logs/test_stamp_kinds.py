"""Dates that could be read two ways, and zones that stand within a stamp."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.logs.sources.timestamps import moment
from tests.logs.builders import read, write

NOVEMBER = datetime(2026, 11, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("dates", "file_date", "days"),
    [
        (("05/11/2026", "06/11/2026"), datetime(2027, 1, 1, tzinfo=UTC), ["2026-11-05", "2026-11-06"]),
        (("11/05/2026", "11/06/2026"), datetime(2027, 1, 1, tzinfo=UTC), ["2026-11-05", "2026-11-06"]),
        (("05/11/2026",), NOVEMBER, ["2026-11-05"]),
        (("11/05/2026",), NOVEMBER, ["2026-11-05"]),
        (("05/11/2026",), datetime(2027, 1, 1, tzinfo=UTC), ["2026-05-11"]),
        (("12/11/2026", "13/11/2026"), datetime(2027, 1, 1, tzinfo=UTC), ["2026-11-12", "2026-11-13"]),
        (("31/03/2026", "01/04/2026"), datetime(2027, 1, 1, tzinfo=UTC), ["2026-03-31", "2026-04-01"]),
        (("05.11.2026", "06.11.2026"), datetime(2027, 1, 1, tzinfo=UTC), ["2026-11-05", "2026-11-06"]),
    ],
)
def test_a_date_is_read_as_the_others_of_its_file(
    tmp_path: Path, dates: tuple[str, ...], file_date: datetime, days: list[str]
) -> None:
    spec = write(tmp_path, "x.log", [f"{date} 12:00:00 INFO started" for date in dates])
    os.utime(spec.path, (file_date.timestamp(), file_date.timestamp()))
    source, events = read(spec)
    assert [f"{moment(event['t']):%Y-%m-%d}" for event in events] == days
    first = "day" if dates[0][:2] != days[0][5:7] else "month"
    told = [problem.what for problem in source.coverage().problems if "dates such as" in problem.what]
    assert told == ([] if "." in dates[0] else [f"dates such as 05/11/2026 were read with the {first} first"])


def test_what_turns_out_later_to_have_the_day_first_is_still_dated(tmp_path: Path) -> None:
    early = [f"05/11/2026 12:00:00 INFO order {number} accepted by the till of the shop" for number in range(12_000)]
    spec = write(tmp_path, "x.log", [*early, "13/11/2026 12:00:00 INFO late"])
    os.utime(spec.path, (0, 0))
    source, events = read(spec)
    assert f"{moment(events[-1]['t']):%Y-%m-%d}" == "2026-11-13"
    assert any("the day and month first" in problem.what for problem in source.coverage().problems)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Thu Jul 02 14:00:00 CEST 2026 started", "2026-07-02T12:00:00+00:00"),
        ("Thu Jul 02 14:00:00 IST 2026 started", "2026-07-02T14:00:00+00:00"),
        ("[02-Jul-2026 14:00:00 Europe/Berlin] PHP Notice:  x", "2026-07-02T12:00:00+00:00"),
        ("[02-Jan-2026 14:00:00 Europe/Berlin] PHP Notice:  x", "2026-01-02T13:00:00+00:00"),
        ("[02-Jan-2026 14:00:00 Europe/Nowhere] PHP Notice:  x", "2026-01-02T14:00:00+00:00"),
        ("2026-07-02 07:00:00 PDT [812] LOG:  started", "2026-07-02T14:00:00+00:00"),
        ("2026-07-02-14.00.00.123456-300 I812 LEVEL: Info", "2026-07-02T19:00:00.123456+00:00"),
        ("Thu, 02 Jul 2026 14:00:00 +0200 started", "2026-07-02T12:00:00+00:00"),
        ("Mon 2026-07-02 14:00:00 UTC web-1 a[1]: the weekday is wrong", "2026-07-02T14:00:00+00:00"),
    ],
)
def test_a_zone_within_a_stamp_counts(tmp_path: Path, line: str, expected: str) -> None:
    _, events = read(write(tmp_path, "x.log", [line]))
    assert moment(events[0]["t"]).isoformat() == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("2026-03-02 07:00:00 EST x", "2026-03-02T12:00:00+00:00"),
        ("2026-03-02 07:00:00 Z x", "2026-03-02T07:00:00+00:00"),
        ("2026-03-02 07:00:00 ESTABLISHED x", "2026-03-02T07:00:00+00:00"),
        ("03/02/2026 07:00:00 PM x", "2026-03-02T19:00:00+00:00"),
        ("03/02/2026 07:00:00 PMX x", "2026-03-02T07:00:00+00:00"),
        ("Mar 2, 2026 07:00:00 PM x", "2026-03-02T19:00:00+00:00"),
        ("Mar  2 07:00:00 CET 2026 x", "2026-03-02T06:00:00+00:00"),
    ],
)
def test_a_zone_counts_though_stamps_without_one_come_first(tmp_path: Path, line: str, expected: str) -> None:
    naive = ("2026-03-01 07:00:00 x", "03/01/2026 07:00:00 x", "Mar 1, 2026 07:00:00 x", "Mar  1 07:00:00 x")
    spec = write(tmp_path, "x.log", [*naive * 300, line])
    os.utime(spec.path, (1_772_500_000, 1_772_500_000))
    _, events = read(spec)
    assert moment(events[-1]["t"]).isoformat() == expected
    assert {moment(event["t"]).isoformat() for event in events[:-1]} == {"2026-03-01T07:00:00+00:00"}
