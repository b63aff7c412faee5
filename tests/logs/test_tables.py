"""Logs exported as tables: columns by their names, records of several lines, and what is no table after all."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.timestamps import moment
from tests.logs.builders import iso, read, write


@pytest.mark.parametrize(
    ("header", "record"),
    [
        ("timestamp;severity;app;text", "2026-03-01T12:00:00Z;ERROR;cart;lost; the ledger"),
        ("Time [UTC]\tLevel\tService\tMessage", "2026-03-01 12:00:00\tError\tcart\tlost"),
        ("_time,host,service,level,_raw", '2026-03-01T12:00:00Z,web-1,cart,error,"lost, again"'),
        ("message,service,level,timestamp", "lost,cart,error,1772366400"),
        ("insertId,textPayload,severity,resource.labels.container_name,timestamp",
         '65a,"lost 2026-01-01 00:00:00",ERROR,cart,2026-03-01T12:00:00.000Z'),
    ],
)  # fmt: skip
def test_columns_are_read_by_their_names(tmp_path: Path, header: str, record: str) -> None:
    _, (heading, event) = read(write(tmp_path, "app.csv", [header, record]))
    assert (heading["own"], event["level"], event["service"]) == (False, 5, "cart")
    assert f"{moment(event['t']):%F %T}" == "2026-03-01 12:00:00"
    assert event["text"].startswith("lost")


def test_records_of_several_lines_are_one_event_wherever_blocks_are_cut(tmp_path: Path) -> None:
    said = 'lost ""db"",\nat noon\n\n2026-01-01 00:00:00 inside'
    lines = ["timestamp,level,message", *(f'{iso(second)},ERROR,"{said} {second}"' for second in range(400))]
    source = LogSource(write(tmp_path, "app.csv", lines), block_bytes=1 << 12)
    events = [row for frame in source.frames() for row in frame.events.iter_rows(named=True)]
    assert [event["lines"] for event in events] == [1] + [4] * 400
    assert [event["text"] for event in events[1:3]] == [said.replace('""', '"') + f" {second}" for second in (0, 1)]
    assert source.tally.lines == 1601


def test_a_quotation_that_never_ends_takes_no_other_record(tmp_path: Path) -> None:
    lines = ["timestamp,level,message", f'{iso(0)},ERROR,5" disk lost', *(f"{iso(n)},INFO,ok" for n in range(300))]
    source, events = read(write(tmp_path, "app.csv", lines))
    assert [event["level"] for event in events] == [None, 5, *[3] * 300]
    assert source.layout().startswith("table; ISO 8601")
    assert source.coverage().problems == ()
    assert source.tally.lines == len(lines)


@pytest.mark.parametrize("header", ["a,b,c", "time,flies,by", "level,message,x", "2026-03-01T12:00:00Z,ERROR,message"])
def test_other_first_lines_make_no_table(tmp_path: Path, header: str) -> None:
    _, events = read(write(tmp_path, "app.log", [header, f"{iso(0)},ERROR,lost"]))
    assert events[1]["text"] == ",ERROR,lost"
