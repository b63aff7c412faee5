"""What append promises: durable, in order, once; subscribers see what is durable; bad bodies are refused."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orchestrator.journal.codec import BODY_LIMIT, DEPTH_LIMIT, Entry, encode
from orchestrator.journal.events import Body, Event, Note, SessionUsage, ToolFinished, UnknownBody, parse_body
from orchestrator.journal.faults import (
    BodyRefused,
    JournalClosed,
    JournalDamaged,
    JournalReadOnly,
    JournalTooNew,
    StateError,
)
from orchestrator.journal.ledger import Ledger
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.store import Journal
from orchestrator.journal.subscription import BUFFER_EVENTS
from tests.fakes import FakeClock
from tests.journal.logs import note

NEWER = UnknownBody.model_validate({"type": "session.future_thing", "detail": {"deep": [1, 2.5, None, "…"]}})


@pytest.fixture
def journal(tmp_path: Path, fake_clock: FakeClock) -> Journal:
    return Journal.create(tmp_path / "s", fake_clock)


async def test_events_come_back_as_they_went_in(journal: Journal, fake_clock: FakeClock) -> None:
    first = await journal.append(Entry(NEWER, "orchestrator", stream="hosted", source_id="ev_1", processed=False))
    fake_clock.advance(2.5)
    await journal.append(Entry(Note(text="\u202e [bold]x[/]\x1b[31m"), "logs"))
    assert [event.seq for event in journal.events()] == [1, 2]
    assert list(journal.events())[:1] == first
    one, two = journal.events()
    assert (one.body, one.stream, one.source_id, one.processed) == (NEWER, "hosted", "ev_1", False)
    assert (two.mono, two.ts - one.ts, two.thread) == (2.5, timedelta(seconds=2.5), "logs")
    assert journal.head.hash == two.hash
    await journal.close()
    again = Journal.open(journal.directory, fake_clock)
    assert list(again.events()) == [one, two]
    assert again.recovery.clean
    await again.close()


async def test_filters(journal: Journal) -> None:
    await journal.append(*(Entry(Note(text=str(n)), "logs" if n % 2 else "metrics") for n in range(700)))
    await journal.append(Entry(NEWER, "logs"))
    assert [e.seq for e in journal.events(650, thread="logs")][:2] == [652, 654]
    assert [e.seq for e in journal.events(types={"session.future_thing"})] == [701]
    assert len(list(journal.events(limit=300))) == 300
    assert list(journal.events(types=())) == []
    await journal.close()
    with JournalReader(journal.directory) as reader:
        assert [e.seq for e in reader.tail(2)] == [700, 701]
        assert [e.seq for e in reader.events(650, thread="logs", limit=2)] == [652, 654]


async def test_an_id_is_stored_once_per_stream_and_state(journal: Journal) -> None:
    async def put(text: str, **where: Any) -> Event:
        [event] = await journal.append(Entry(Note(text=text), "logs", source_id="ev_1", **where))
        return event

    queued = await put("queued", processed=False)
    processed = await put("processed")
    other = await put("other stream", stream="hosted")
    assert [queued.seq, processed.seq, other.seq] == [1, 2, 3]
    assert await put("again") == processed
    assert await put("again", processed=False) == queued
    assert journal.find("ev_1") == processed
    assert journal.find("ev_1", "hosted") == other
    assert journal.find("ev_2") is None
    both = await journal.append(note(5), note(5), Entry(Note(text="no id"), "logs"), Entry(Note(text="no id"), "logs"))
    assert [event.seq for event in both] == [4, 4, 5, 6]
    await journal.close()


async def test_many_appenders_share_transactions(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    groups: list[int] = []
    real = Ledger.append

    def counted(self: Ledger, drafts: Any) -> Any:
        groups.append(len(drafts))
        return real(self, drafts)

    monkeypatch.setattr(Ledger, "append", counted)
    results = await asyncio.gather(*(journal.append(note(n)) for n in range(2000)))
    assert [event.seq for [event] in results] == list(range(1, 2001))
    assert sum(groups) == 2000
    assert len(groups) < 500
    await journal.close()


@pytest.mark.parametrize("error", [MemoryError("no memory"), OSError(5, "Input/output error")])
async def test_a_fault_that_nobody_foresaw_is_told_to_who_waits(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    [kept] = await journal.append(note(1))

    def broken(self: Ledger, drafts: Any) -> Any:
        raise error

    monkeypatch.setattr(Ledger, "append", broken)
    for _ in range(2):
        with pytest.raises(JournalReadOnly, match=type(error).__name__):
            await journal.append(note(2))
    assert not journal.writable
    assert list(journal.events()) == [kept]
    await journal.close()


async def test_what_is_published_is_durable_and_in_order(journal: Journal) -> None:
    live = journal.subscribe()
    other = JournalReader(journal.directory)
    seen = []

    async def follow() -> None:
        async for event in live:
            other.refresh()
            assert other.head.seq >= event.seq
            seen.append(event)

    task = asyncio.create_task(follow())
    for number in range(40):
        await journal.append(note(number), note(number))
    await journal.close()
    await task
    other.close()
    assert [event.seq for event in seen] == list(range(1, 41))


async def test_a_slow_subscriber_misses_nothing_and_holds_nobody_up(journal: Journal) -> None:
    count = BUFFER_EVENTS * 3
    await journal.append(note(count))
    slow, whole = journal.subscribe(), journal.subscribe(after=0)
    for start in range(0, count, 100):
        await journal.append(*(note(n) for n in range(start, min(count, start + 100))))
    assert len(slow._buffer) <= BUFFER_EVENTS
    assert slow.waiting == count
    assert [(await anext(slow)).seq for _ in range(count)] == list(range(2, count + 2))
    assert [(await anext(whole)).seq for _ in range(count + 1)] == list(range(1, count + 2))
    assert slow.waiting == whole.waiting == 0
    await journal.append(note(count + 1))
    assert (await anext(slow)).seq == (await anext(whole)).seq == count + 2
    slow.close()
    await journal.append(note(count + 2))
    with pytest.raises(StopAsyncIteration):
        await anext(slow)
    await journal.close()


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def usage(value: Any) -> Body:
    return SessionUsage.model_construct(type="session.usage", usage={"x": value})


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (usage(float("nan")), "not finite"),
        (usage({"a": [1.0, float("-inf"), None]}), "not finite"),
        (ToolFinished(tool_use_id="t", tool="t", outcome="ok", seconds=float("inf")), "not finite"),
        (usage([1, -(10**400)]), "too large to read back"),
        (usage("x" * BODY_LIMIT), "more than 1048576"),
        (usage(nested(DEPTH_LIMIT + 1)), "deeper than 64"),
        (usage(nested(5000)), "deeper than 64"),
        (Note(text="\ud800"), "not text"),
        (usage({"k": object()}), "not JSON"),
    ],
    ids=["nan", "inf", "field", "huge", "large", "deep", "very deep", "surrogate", "object"],
)
async def test_a_body_that_would_not_come_back_is_refused(journal: Journal, body: Body, why: str) -> None:
    with pytest.raises(BodyRefused, match=why):
        await journal.append(note(1), Entry(body, "logs"))
    assert journal.head.seq == 0, "all or nothing"
    await journal.append(note(1))
    assert journal.head.seq == 1
    await journal.close()


@pytest.mark.parametrize("field", [{"thread": "x" * 2000}, {"source_id": "\udcff"}, {"stream": "s" * 1025}])
async def test_an_envelope_that_cannot_be_stored_is_refused(journal: Journal, field: dict[str, Any]) -> None:
    with pytest.raises(BodyRefused, match="longer than 1024 characters or not text"):
        await journal.append(dataclasses.replace(note(1), **field))
    await journal.close()


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(value=JSON)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_is_accepted_reads_back_equal(value: Any) -> None:
    import orjson

    body = SessionUsage(usage={"x": value})
    assert parse_body(orjson.loads(encode(body))) == body


async def test_clocks_that_jump_change_nothing_but_the_stamps(tmp_path: Path) -> None:
    """D9: an hour back, a year on. Order and durations do not depend on the wall clock."""

    class Jumping(FakeClock):
        shift = timedelta()

        def now(self) -> datetime:
            return super().now() + self.shift

    clock = Jumping()
    journal = Journal.create(tmp_path / "s", clock)
    for shift in (timedelta(), timedelta(hours=-1), timedelta(days=366), timedelta(seconds=-86400), timedelta()):
        clock.shift = shift
        clock.advance(1)
        await journal.append(Entry(Note(text=str(shift)), "logs"))
    events = list(journal.events())
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert [event.mono for event in events] == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert events[2].ts > events[4].ts > events[1].ts
    assert {event.ts.tzinfo for event in events} == {UTC}
    await journal.close()
    with JournalReader(tmp_path / "s") as reader:
        assert reader.verify().whole


async def test_a_newer_log_is_not_written_but_read_and_exported(journal: Journal, tmp_path: Path) -> None:
    """P6."""
    import sqlite3

    from orchestrator.journal.export import export, read_export

    await journal.append(note(1), note(2))
    await journal.close()
    connection = sqlite3.connect(journal.directory / "journal.db")
    connection.execute("PRAGMA user_version = 2")
    connection.execute("ALTER TABLE event ADD COLUMN tomorrow TEXT")
    connection.commit()
    connection.close()
    before = (journal.directory / "journal.db").read_bytes()
    with pytest.raises(JournalTooNew, match=r"newer warroom .log version 2, here 1.*exported"):
        Journal.open(journal.directory, FakeClock())
    with JournalReader(journal.directory) as reader:
        assert reader.newer
        assert "newer warroom" in reader.words
        assert len(list(reader.events())) == 2
        await export(reader, tmp_path / "out.jsonl")
    assert [e.seq for e in read_export((tmp_path / "out.jsonl").read_bytes().splitlines())] == [1, 2]
    assert (journal.directory / "journal.db").read_bytes() == before


async def test_what_is_no_journal_is_refused_in_one_line(tmp_path: Path, fake_clock: FakeClock) -> None:
    with pytest.raises(StateError, match="no session is kept here"):
        Journal.open(tmp_path / "absent", fake_clock)
    with pytest.raises(StateError, match="no session is kept here"):
        JournalReader.open(tmp_path / "absent")
    with pytest.raises(StateError, match="No such file"):
        Journal.create(tmp_path / "no" / "parent", fake_clock)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "journal.db").write_text("not a database, whatever its name says" * 100)
    with pytest.raises(JournalDamaged, match="not a database"):
        Journal.open(tmp_path / "text", fake_clock)
    with JournalReader(tmp_path / "text") as reader:
        assert not reader.integrity.whole
        assert list(reader.events()) == []
    journal = Journal.create(tmp_path / "s", fake_clock)
    await journal.append(note(1))
    await journal.close()
    with pytest.raises(StateError, match="kept here already"):
        Journal.create(tmp_path / "s", fake_clock)
    journal = Journal.open(tmp_path / "s", fake_clock)
    assert journal.head.seq == 1
    await journal.close()


async def test_a_session_killed_while_it_was_made_can_be_opened(tmp_path: Path, fake_clock: FakeClock) -> None:
    (tmp_path / "s").mkdir()
    from orchestrator.journal.anchor import AnchorFile, Head

    AnchorFile(tmp_path / "s").write(Head())
    (tmp_path / "s" / "journal.db").touch()
    journal = Journal.open(tmp_path / "s", fake_clock)
    await journal.append(note(1))
    assert journal.head.seq == 1
    await journal.close()


def test_an_empty_database_without_its_anchor_is_not_called_whole(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "journal.db").touch()
    with JournalReader(tmp_path / "s") as reader:
        assert not reader.integrity.whole
        assert "journal.db is empty and head.json is missing" in reader.words
        assert list(reader.events()) == []


async def test_closing(journal: Journal) -> None:
    waiting = [asyncio.create_task(journal.append(note(n))) for n in range(50)]
    await asyncio.sleep(0)
    await journal.close()
    await journal.close()
    assert [event.seq for task in waiting for event in await task] == list(range(1, 51))
    assert not journal.writable
    with pytest.raises(JournalClosed, match="not stored"):
        await journal.append(note(99))
    with pytest.raises(JournalClosed):
        next(journal.events())
    assert sorted(p.name for p in journal.directory.iterdir()) == ["head.json", "journal.db", "journal.lock"]


async def test_it_belongs_to_one_loop(journal: Journal) -> None:
    await journal.append(note(1))
    with pytest.raises(RuntimeError, match="one event loop"):
        await asyncio.to_thread(lambda: asyncio.run(_append(journal)))
    await journal.close()


async def _append(journal: Journal) -> None:
    await journal.append(note(2))


async def test_files_are_private(journal: Journal) -> None:
    await journal.append(note(1))
    modes = {path.name: path.stat().st_mode & 0o777 for path in journal.directory.iterdir()}
    assert set(modes.values()) == {0o600}
    assert journal.directory.stat().st_mode & 0o777 == 0o700
    await journal.close()
