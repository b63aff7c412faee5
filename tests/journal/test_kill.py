"""D1: SIGKILL at any moment of appending. Nothing acknowledged is lost, the chain holds, the session goes on."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import pytest

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Note
from orchestrator.journal.faults import JournalBusy
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock

ROOT = Path(__file__).resolve().parents[2]


class Victims:
    """Starts children that append, kills them, and returns what they had acknowledged."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._in: IO[str] = process.stdin
        self._out: IO[str] = process.stdout

    def start(self, mode: str, directory: Path) -> int:
        self._in.write(f"{mode} {directory}\n")
        self._in.flush()
        word, pid = self._line()
        assert word == "pid"
        return int(pid)

    def kill_after(self, acks: int, mode: str, directory: Path) -> dict[int, str]:
        """Let a child acknowledge at least `acks` events, kill it, return all it had acknowledged by then."""
        pid = self.start(mode, directory)
        found: dict[int, str] = {}
        while len(found) < acks:
            self._take(found)
        os.kill(pid, signal.SIGKILL)
        while self._take(found):
            pass
        return found

    def _take(self, found: dict[int, str]) -> bool:
        word, *rest = self._line()
        if word == "dead":
            return False
        assert word == "ack"
        found[int(rest[0])] = rest[1]
        return True

    def _line(self) -> list[str]:
        line = self._out.readline()
        assert line, "the appender is gone"
        return line.split()


@pytest.fixture
def victims() -> Iterator[Victims]:
    command = [sys.executable, "-m", "tests.journal.appender"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
        yield Victims(process)
        assert process.stdin is not None
        process.stdin.close()


async def kill_and_check(victims: Victims, directory: Path, kills: int, rng: random.Random) -> None:
    acked: dict[int, str] = {}
    unclean = 0
    for _ in range(kills):
        acked |= victims.kill_after(rng.randint(0, 30), "journal", directory)
        if not acked:
            continue
        journal = Journal.open(directory, FakeClock())
        assert journal.head.seq >= max(acked)
        unclean += not journal.recovery.clean
        assert str(journal.recovery.events) in journal.recovery.words
        await journal.close()
    with JournalReader(directory) as reader:
        assert reader.verify().whole
        assert reader.integrity.checked_from == 1
        stored = {event.seq: event.hash for event in reader.events()}
    assert {seq: stored.get(seq) for seq in acked} == acked
    assert list(stored) == list(range(1, len(stored) + 1))
    assert unclean > kills // 2


async def test_nothing_acknowledged_is_lost_in_100_kills(victims: Victims, tmp_path: Path) -> None:
    await kill_and_check(victims, tmp_path, 100, random.Random(1))


@pytest.mark.soak
async def test_nothing_acknowledged_is_lost_in_1000_kills(victims: Victims, tmp_path: Path) -> None:
    for run in range(10):
        directory = tmp_path / str(run)
        directory.mkdir()
        await kill_and_check(victims, directory, 100, random.Random(run))


def test_a_plain_log_does_lose(victims: Victims, tmp_path: Path) -> None:
    """The teeth: the same kills lose acknowledged lines of a JSONL log that is not repaired on opening."""
    rng = random.Random(2)
    lost = 0
    for _ in range(100):
        acked = victims.kill_after(rng.randint(1, 1000), "jsonl", tmp_path)
        readable = set()
        for line in (tmp_path / "log.jsonl").read_text().splitlines():
            try:
                readable.add(json.loads(line)["n"])
            except ValueError:
                continue
        lost += len(acked.keys() - readable)
        if lost:
            break
    assert lost


async def test_one_writer_and_any_reader(victims: Victims, tmp_path: Path) -> None:
    """A second writer is refused while the first lives, a reader is not; a kill frees the session."""
    clock = FakeClock()
    journal = Journal.create(tmp_path / "s", clock)
    await journal.append(Entry(Note(text="first"), "logs"))
    with pytest.raises(JournalBusy, match=f"process {os.getpid()}"):
        Journal.open(tmp_path / "s", clock)
    await journal.close()

    pid = victims.start("hold", tmp_path / "s")
    assert victims._line()[0] == "ack"
    with pytest.raises(JournalBusy, match=f"session s is open in another warroom \\(process {pid}\\)"):
        Journal.open(tmp_path / "s", clock)
    with JournalReader(tmp_path / "s") as reader:
        assert reader.live
        assert [event.body.model_dump()["text"] for event in reader.events()] == ["first", "held"]
        assert reader.integrity.whole
    os.kill(pid, signal.SIGKILL)
    assert victims._line() == ["dead"]
    with JournalReader(tmp_path / "s") as reader:
        assert not reader.live
    journal = Journal.open(tmp_path / "s", clock)
    assert journal.head.seq == 2
    assert not journal.recovery.clean
    await journal.close()
