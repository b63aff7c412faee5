"""D7: bits flip, files are cut, rows are swapped. Every change is named, what is shown is a true prefix."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from pathlib import Path

import pytest

from orchestrator.journal.anchor import AnchorFile, Head
from orchestrator.journal.chain import DamageKind
from orchestrator.journal.database import DatabaseFault, SqliteDatabase
from orchestrator.journal.events import Event
from orchestrator.journal.export import export, read_export
from orchestrator.journal.faults import JournalDamaged, StateError
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.rows import Row, batch
from orchestrator.journal.store import Journal
from tests.fakes import FakeClock
from tests.journal.logs import build, copy, note

EVENTS = 240


@dataclass
class Original:
    """An undamaged journal and what it says."""

    directory: Path
    events: list[Event]
    rows: list[Row]


async def originals(place: Path) -> list[Original]:
    """One journal that was closed, and one whose end is in the write-ahead log."""
    found = []
    for name, closed in (("closed", True), ("crashed", False)):
        directory = await build(place / name, EVENTS, closed=closed)
        work = copy(directory, place / f"{name}-read")
        with JournalReader(work) as reader:
            assert reader.verify().whole
            events = list(reader.events())
        found.append(Original(directory, events, plain_rows(work)))
    return found


def plain_rows(directory: Path) -> list[Row]:
    """What a reader without a chain check would see; raises DatabaseFault where SQLite itself notices."""
    database = SqliteDatabase(directory / "journal.db", readonly=True)
    try:
        return batch(database, 0, 10_000)
    finally:
        database.close()


def flip(path: Path, rng: random.Random) -> None:
    data = bytearray(path.read_bytes())
    place = rng.randrange(len(data) * 8)
    data[place // 8] ^= 1 << place % 8
    path.write_bytes(data)


def cut(path: Path, rng: random.Random) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: rng.randrange(len(data))])


def harm(directory: Path, rng: random.Random) -> str:
    """Damage a journal in one of the ways a disk does."""
    files = [name for name in ("journal.db", "journal.db-wal") if (directory / name).exists()]
    name = rng.choice(files)
    how = rng.choice((flip, flip, flip, cut))
    how(directory / name, rng)
    return f"{how.__name__} {name}"


async def trial(original: Original, work: Path, rng: random.Random) -> bool:
    """Damage, read, compare; return whether a reader without the chain would have missed a change."""
    copy(original.directory, work)
    what = harm(work, rng)
    with JournalReader(work) as reader:
        integrity = reader.verify()
        shown = list(reader.events())
        await export(reader, work / "out.jsonl")
    assert shown == original.events[: len(shown)], f"{what}: what is shown is not a prefix"
    if len(shown) < EVENTS:
        assert not integrity.whole, f"{what}: {len(shown)} events shown as if whole"
        assert integrity.words.startswith("damaged: ")
    lines = (work / "out.jsonl").read_bytes().splitlines()
    assert b'"record":"export"' in lines[0]
    assert b'"record":"end"' in lines[-1]
    exported = {event.seq: event for event in read_export(lines)}
    assert all(exported.get(event.seq) == event for event in shown)
    try:
        journal = Journal.open(work, FakeClock())
    except (JournalDamaged, StateError):
        assert not integrity.whole, f"{what}: refused, and yet called whole"
    else:
        seen = list(journal.events())
        await journal.close()
        assert seen == original.events, f"{what}: opened for writing with a change unseen"
    copy(work, work.with_name("plain"))
    try:
        plain = plain_rows(work.with_name("plain"))
    except DatabaseFault:
        return False
    return plain != original.rows and len(shown) < EVENTS


async def run_trials(place: Path, count: int) -> int:
    whole = await originals(place)
    rng = random.Random(count)
    missed_by_sqlite = 0
    for number in range(count):
        missed_by_sqlite += await trial(whole[number % 2], place / "work", rng)
    return missed_by_sqlite


async def test_100_damages_are_all_named(tmp_path: Path) -> None:
    missed = await run_trials(tmp_path, 100)
    assert missed > 10, "the teeth: without chain and anchor, changes pass unseen"


@pytest.mark.soak
async def test_1000_damages_are_all_named(tmp_path: Path) -> None:
    assert await run_trials(tmp_path, 1000) > 100


@pytest.mark.parametrize(
    ("statements", "kind", "words", "good"),
    [
        (
            ["UPDATE event SET body = replace(body, '000100', '000101') WHERE seq = 101"],
            "changed",
            "event 101 changed",
            100,
        ),
        (["UPDATE event SET ts = replace(ts, '2026', '2025') WHERE seq = 7"], "changed", "event 7 changed", 6),
        (["UPDATE event SET thread = 'metrics' WHERE seq = 9"], "changed", "event 9 changed", 8),
        (["UPDATE event SET hash = zeroblob(32) WHERE seq = 50"], "changed", "event 50 changed", 49),
        (["DELETE FROM event WHERE seq BETWEEN 20 AND 22"], "missing", "events 20 to 22 missing", 19),
        (["DELETE FROM event WHERE seq > 230"], "shortened", "events 231 to 240 missing at the end", 230),
        (
            [f"UPDATE event SET seq = {b} WHERE seq = {a}" for a, b in ((30, 999), (60, 30), (999, 60))],  # noqa: S608
            "swapped",
            "events 30 and 60 swapped",
            29,
        ),
        (
            [f"UPDATE event SET seq = {b} WHERE seq = {a}" for a, b in ((30, 999), (31, 30), (999, 31))],  # noqa: S608
            "swapped",
            "events 30 and 31 swapped",
            29,
        ),
    ],
)
async def test_tampering_is_named(
    statements: list[str], kind: DamageKind, words: str, good: int, tmp_path: Path
) -> None:
    directory = await build(tmp_path / "s", EVENTS)
    connection = sqlite3.connect(directory / "journal.db")
    connection.create_function(
        "replace", 3, lambda v, a, b: v.replace(a.encode(), b.encode()) if isinstance(v, bytes) else v.replace(a, b)
    )
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()
    with JournalReader(directory) as reader:
        assert [damage.kind for damage in reader.integrity.damage] == [kind]
        assert words in reader.words
        assert [event.seq for event in reader.events()] == list(range(1, good + 1))
        assert reader.tail(1)[0].seq == good == reader.head.seq
    with pytest.raises(JournalDamaged, match=words):
        Journal.open(directory, FakeClock())


async def test_the_anchor_is_what_notices_a_shorter_log(tmp_path: Path) -> None:
    """The teeth: with an anchor that matches the shortened log, nothing could be seen."""
    directory = await build(tmp_path / "s", EVENTS)
    connection = sqlite3.connect(directory / "journal.db")
    connection.execute("DELETE FROM event WHERE seq > 200")
    (last,) = connection.execute("SELECT hash FROM event WHERE seq = 200").fetchone()
    connection.commit()
    connection.close()
    with JournalReader(directory) as reader:
        assert not reader.verify().whole
    AnchorFile(directory).write(Head(200, last.hex()))
    with JournalReader(directory) as reader:
        assert reader.verify().whole


@pytest.mark.parametrize("content", [None, b"", b"{}", b'{"seq":240,"hash":"00","clean":true}', b"\xff\xfe"])
async def test_a_lost_or_damaged_anchor_is_named(content: bytes | None, tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 10)
    (directory / "head.json").unlink()
    if content is not None:
        (directory / "head.json").write_bytes(content)
    with JournalReader(directory) as reader:
        assert "the end cannot be proved (head.json is" in reader.words
        assert len(list(reader.events())) == 10
    with pytest.raises(JournalDamaged, match=r"head\.json is"):
        Journal.open(directory, FakeClock())


async def test_damage_far_from_the_end_is_found_behind_the_work(tmp_path: Path) -> None:
    """Opening checks the last 1,000; the background finds the rest, and then nothing more is written."""
    directory = await build(tmp_path / "s", 1500)
    connection = sqlite3.connect(directory / "journal.db")
    connection.execute("UPDATE event SET body = x'7b7d' WHERE seq = 17")
    connection.commit()
    connection.close()
    journal = Journal.open(directory, FakeClock())
    integrity = await journal.verify()
    assert "event 17 changed" in integrity.words
    assert not journal.writable
    assert "event 17 changed" in journal.trouble
    with pytest.raises(JournalDamaged, match="event 17 changed"):
        await journal.append(note(1))
    await journal.close()
    with JournalReader(directory) as reader:
        assert len(list(reader.events())) == 16
        assert reader.integrity.good == 16


async def test_pages_that_sqlite_cannot_read_are_passed_over(tmp_path: Path) -> None:
    """What lies behind a damaged page is exported too; what lies on it is named."""
    directory = await build(tmp_path / "s", EVENTS)
    path = directory / "journal.db"
    data = bytearray(path.read_bytes())
    # A table leaf in the middle of the file: page type byte 13.
    page = next(p for p in range(len(data) // 4096 // 2, len(data) // 4096) if data[p * 4096] == 13)
    data[page * 4096 : page * 4096 + 2000] = b"\xff" * 2000
    path.write_bytes(data)
    with JournalReader(directory) as reader:
        integrity = await export(reader, tmp_path / "out.jsonl")
        shown = len(list(reader.events()))
    assert "on damaged pages" in integrity.words
    assert shown == integrity.good < EVENTS
    exported = [event.seq for event in read_export((tmp_path / "out.jsonl").read_bytes().splitlines())]
    assert exported[-1] == EVENTS
    assert shown < len(exported) < EVENTS


SPOILT = {"header": b"\0" * 100, "zeros": b"\0" * 4096, "ones": b"\xff" * 4096}


@pytest.mark.parametrize("how", SPOILT)
async def test_a_lost_first_page_loses_no_event(how: str, tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", EVENTS)
    before = spoil_first_page(directory, how)
    with JournalReader(directory) as reader:
        await export(reader, tmp_path / "out.jsonl")
        assert "the first page of journal.db is damaged" in reader.words
        assert not reader.integrity.whole
        assert reader.integrity.good == reader.integrity.total == EVENTS
        assert len(list(reader.events())) == EVENTS
    assert len(list(read_export((tmp_path / "out.jsonl").read_bytes().splitlines()))) == EVENTS
    assert (directory / "journal.db").read_bytes() == before
    with pytest.raises(JournalDamaged):
        Journal.open(directory, FakeClock())


@pytest.mark.parametrize("how", SPOILT)
async def test_a_first_page_that_the_log_still_holds_is_not_missed(how: str, tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", EVENTS, closed=False)
    spoil_first_page(directory, how)
    with JournalReader(directory) as reader:
        assert reader.verify().whole
    journal = Journal.open(directory, FakeClock())
    await journal.append(note(10**6))
    await journal.close()
    (directory / "journal.db-wal").unlink(missing_ok=True)
    with JournalReader(directory) as reader:
        assert reader.verify().whole


def spoil_first_page(directory: Path, how: str) -> bytes:
    with (directory / "journal.db").open("r+b") as file:
        file.write(SPOILT[how])
    return (directory / "journal.db").read_bytes()


async def test_an_index_that_misses_an_id_is_damage(tmp_path: Path) -> None:
    """The chain does not cover the index, and append relies on it to do nothing twice."""
    directory = await build(tmp_path / "s", EVENTS)
    connection = sqlite3.connect(directory / "journal.db")
    connection.execute("PRAGMA writable_schema = ON")
    connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'NOT NULL', 'NULL') WHERE name = 'once'")
    connection.commit()
    connection.close()
    with JournalReader(directory) as reader:
        assert "SQLite: " in reader.verify().words
    with pytest.raises(JournalDamaged, match="SQLite: "):
        Journal.open(directory, FakeClock())


async def test_a_reader_changes_nothing(tmp_path: Path) -> None:
    directory = await build(tmp_path / "s", 60, closed=False)
    before = {name: (directory / name).read_bytes() for name in ("journal.db", "journal.db-wal", "head.json")}
    assert len(before["journal.db-wal"]) > 0
    with JournalReader(directory) as reader:
        assert reader.verify().whole
        assert len(list(reader.events())) >= 60
    assert {name: (directory / name).read_bytes() for name in before} == before
