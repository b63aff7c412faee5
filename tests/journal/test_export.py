"""Export: one JSON object per line, first and last line say how whole it is, and it reads back."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from orchestrator.journal.events import UnknownBody
from orchestrator.journal.export import export, read_export
from orchestrator.journal.faults import StateError
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.store import Entry, Journal
from tests.fakes import FakeClock
from tests.journal.logs import note

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def directory(tmp_path: Path, fake_clock: FakeClock) -> Path:
    journal = Journal.create(tmp_path / "s", fake_clock)
    odd = UnknownBody.model_validate({"type": "future", "big": 2**53, "f": 1e22, "t": "\u202e\u2028é", "n": None})
    await journal.append(*(note(n) for n in range(9)), Entry(odd, "logs", stream="hosted", processed=False))
    await journal.close()
    return journal.directory


async def test_it_reads_back(directory: Path, tmp_path: Path) -> None:
    with JournalReader(directory) as reader:
        integrity = await export(reader, tmp_path / "out.jsonl")
        events = list(reader.events())
    assert integrity.whole
    lines = (tmp_path / "out.jsonl").read_bytes().splitlines()
    assert list(read_export(lines)) == events
    first, last = orjson.loads(lines[0]), orjson.loads(lines[-1])
    assert (first["whole"], first["events"], first["session"]) == (True, 10, "s")
    assert (last["record"], last["events"], last["damage"]) == ("end", 10, [])


async def test_anyone_can_check_the_chain_as_documented(directory: Path, tmp_path: Path) -> None:
    with JournalReader(directory) as reader:
        await export(reader, tmp_path / "out.jsonl")
    previous = bytes(32)
    for line in (tmp_path / "out.jsonl").read_bytes().splitlines()[1:-1]:
        event = orjson.loads(line)
        body = line.split(b'"body":', 1)[1].rsplit(b',"hash":', 1)[0]
        names = ("seq", "ts", "mono", "stream", "thread", "type", "source_id")
        envelope = orjson.dumps([*(event[name] for name in names), int(event["processed"])])
        previous = hashlib.sha256(previous + envelope + b"\n" + body).digest()
        assert previous.hex() == event["hash"]


def test_to_standard_output(directory: Path) -> None:
    code = (
        "import asyncio, sys; from pathlib import Path; from orchestrator.journal.export import export;"
        "from orchestrator.journal.reader import JournalReader;"
        "asyncio.run(export(JournalReader(Path(sys.argv[1])), None))"
    )
    done = subprocess.run([sys.executable, "-c", code, str(directory)], capture_output=True, check=True, cwd=ROOT)
    assert done.stderr == b""
    assert len(list(read_export(done.stdout.splitlines()))) == 10


def test_a_line_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not of a warroom export"):
        list(read_export([b'{"some": "log line"}']))


async def test_a_session_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="no session is kept here"):
        JournalReader.open(tmp_path)
