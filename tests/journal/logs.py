"""Journals that tests damage, fill and read: built once, copied per trial."""

from __future__ import annotations

import shutil
from pathlib import Path

from orchestrator.journal.codec import Entry
from orchestrator.journal.events import Note
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock


def note(number: int, size: int = 40) -> Entry:
    """An entry whose text can be told from any other's."""
    return Entry(Note(text=f"{number:06d} " + "lorem ipsum "[: size % 12] + "x" * size), "logs", source_id=f"n{number}")


async def build(directory: Path, events: int, *, closed: bool = True) -> Path:
    """Write a journal of `events` events; not closed: as a crash leaves it, the last third in the write-ahead log."""
    living = directory.with_name(directory.name + "-living")
    clock = FakeClock()
    journal = Journal.create(living, clock)
    third = events * 2 // 3 if not closed else events
    await journal.append(*(note(number) for number in range(third)))
    if closed:
        await journal.close()
        living.rename(directory)
        return directory
    await journal.close()
    journal = Journal.open(living, clock)
    for number in range(third, events):
        await journal.append(note(number))
    # The anchor follows an acknowledgement within 100 ms of the clock; the copy is made when it is there.
    head = journal.head
    while f'"seq":{head.seq},' not in (living / "head.json").read_text():
        clock.advance(1)
        await journal.append(note(0))
    copy(living, directory)
    await journal.close()
    return directory


def copy(source: Path, target: Path) -> Path:
    """Copy what is durable of a journal: everything but the shared memory and the lock."""
    target.mkdir(exist_ok=True)
    for old in target.iterdir():
        if old.is_file():
            old.unlink()
    for name in ("journal.db", "journal.db-wal", "head.json"):
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)
    return target
