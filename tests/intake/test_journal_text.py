"""journalctl's `-o export` and `-o verbose`: an entry is one event, with its own severity, unit and host."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from orchestrator.intake.journal_text import entries_of, form_of
from subagents.logs.levels import ERROR, INFO
from subagents.logs.sources.timestamps import microseconds
from tests.intake.folders import kinds, spec, take, write
from tests.logs.builders import at, read

FIELDS = "PRIORITY={priority}\nSYSLOG_IDENTIFIER=shop\n_SYSTEMD_UNIT=shop.service\n_HOSTNAME=web-1\n"
SAID = {0.0: (6, "served 17"), 5.0: (3, "charge 18 failed")}


def exported(seconds: float, priority: int, text: str) -> bytes:
    head = f"__CURSOR=s=0a1;i=1\n__REALTIME_TIMESTAMP={int(at(seconds).timestamp() * 1e6)}\n__MONOTONIC_TIMESTAMP=17\n"
    raw = text.encode()
    said = b"MESSAGE=" + raw if "\n" not in text else b"MESSAGE\n" + len(raw).to_bytes(8, "little") + raw
    return (head + FIELDS.format(priority=priority)).encode() + said + b"\n\n"


def verbose(seconds: float, priority: int, text: str) -> bytes:
    head = f"{at(seconds):%a %Y-%m-%d %H:%M:%S}.000000 UTC [s=0a1;i=1;b=2b;m=3c;t=4d;x=5e]\n"
    fields = "".join(f"    {line}\n" for line in FIELDS.format(priority=priority).splitlines())
    return (head + fields + "    MESSAGE=" + text.replace("\n", "\n" + " " * 12) + "\n").encode()


BOTH = {
    "export": b"".join(exported(seconds, *said) for seconds, said in SAID.items()),
    "verbose": b"-- Logs begin at Sun 2026-03-01 00:00:00 UTC. --\n"
    + b"".join(verbose(seconds, *said) for seconds, said in SAID.items()),
}


@pytest.mark.parametrize("form", BOTH)
@pytest.mark.parametrize("name", ["journal.export", "journal.txt.gz"])
async def test_entries_are_events(tmp_path: Path, form: str, name: str) -> None:
    found = await take(write(tmp_path / "i", {name: BOTH[form]}), spool=tmp_path / "s")
    assert kinds(found) == {name: "logs"}
    _, events = read(spec(found, name))
    assert [row["t"] for row in events] == [microseconds(at(seconds)) for seconds in SAID]
    assert [(row["level"], row["text"], row["service"], row["host"]) for row in events] == [
        (INFO, "served 17", "shop", "web-1"),
        (ERROR, "charge 18 failed", "shop", "web-1"),
    ]


@pytest.mark.parametrize("form", BOTH)
def test_a_value_of_several_lines_stays_one(form: str) -> None:
    text = "boom\nTraceback:\nlast = line"
    written = {"export": exported, "verbose": verbose}[form]
    data = written(1, 3, text) + written(2, 6, "ok")
    assert form_of(data) == form
    assert [entry["MESSAGE"] for entry in entries_of(form, io.BytesIO(data))] == [text, "ok"]


def test_an_export_that_ends_in_the_middle_is_read_up_to_there() -> None:
    cut = exported(0, 6, "ok") + exported(1, 3, "boom\nmore")[:-9]
    told = [entry.get("MESSAGE") for entry in entries_of("export", io.BytesIO(cut))]
    assert told[0] == "ok"
    assert len(told) == 2


@pytest.mark.parametrize(
    "head",
    [
        b"__CURSOR=s=0a1\nsomething else\n",
        b"PATH=/usr/bin\nHOME=/root\n",
        b"Sun 2026-03-01 12:00:00 UTC [s=0a1] started\n    and a line below\n",
        b"2026-03-01T12:00:00Z INFO x\n    KEY=value\n",
        b"",
    ],
)
def test_what_only_looks_like_a_journal_is_none(head: bytes) -> None:
    assert form_of(head) == ""
