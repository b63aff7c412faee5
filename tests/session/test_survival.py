"""A session after a crash, beside another one, and while the disk is full."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.engines.base import Desk, StopReason
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentCustomToolUse,
    Body,
    Event,
    Note,
    ResultAcknowledged,
    StatusRunning,
)
from orchestrator.journal.faults import DiskFull, JournalBusy, JournalReadOnly
from orchestrator.journal.fold import STATUS_TYPES, pending_calls
from orchestrator.journal.index import Index
from tests.hands.conftest import effects
from tests.session.conftest import Room, call, rest, source


async def test_an_orphaned_running_session_opens_as_interrupted_and_says_what_it_did(
    room: Room, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await room.create()
    asked = AgentCustomToolUse(name="toys_keyed", input={"path": str(tmp_path)})
    running = StatusRunning(reason="start")
    await session.journal.append(Entry(running, MAIN_THREAD), Entry(asked, "toys", source_id="c1"))
    await session.journal.close()  # as a crash leaves it: the status says running, the call has no result
    session._closed = True
    again = await room.open(session.id, rest)
    assert (again.standing.status, again.standing.reason) == ("idle", "interrupted")
    assert "toys: toys_keyed" in again.standing.message
    assert again.was_doing == ("toys: toys_keyed",)
    write = again._hands.steps.write

    async def slowly(body: Body, thread: str, source_id: str) -> Event:
        for _ in range(20_000 if isinstance(body, ResultAcknowledged) else 0):
            await asyncio.sleep(0)
        return await write(body, thread, source_id)

    monkeypatch.setattr(again._hands.steps, "write", slowly)
    assert await again.run() == "end_turn", "and the call that this engine forgot is answered"
    assert not pending_calls(again.journal.events())
    assert len(effects(tmp_path)) == 1
    runs = [event.body.reason for event in again.journal.events() if isinstance(event.body, StatusRunning)]
    assert runs == ["start", "resume"]


async def test_two_sessions_at_once_share_nothing(room: Room) -> None:
    pids: dict[str, int] = {}

    async def script(desk: Desk) -> StopReason:
        around = (await call(desk, "toys_around", "c1")).need().value
        pids[desk.brief.sources[0].id] = around["pid"]
        return "end_turn"

    one, two = await room.create(script, specs=[source("a")]), await room.create(script, specs=[source("b")])
    assert set(await asyncio.gather(one.run(), two.run())) == {"end_turn"}
    assert one.directory != two.directory
    assert len(set(pids.values())) == 2
    assert {row.id for row in Index(room.home).rows()} == {one.id, two.id}
    with pytest.raises(JournalBusy):
        await room.open(one.id)


async def test_the_index_knows_the_session(room: Room) -> None:
    session = await room.create()
    await session.run()
    (row,) = Index(room.home)._read().values()
    assert (row.id, row.title, row.status, row.reason) == (session.id, "search is slow", "idle", "end_turn")


async def test_a_session_that_cannot_be_taken_up_is_not_held(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    session = await room.create()
    await session.close()

    def unreadable(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("orchestrator.session.core.make_redactor", unreadable)
    with pytest.raises(PermissionError):
        await room.open(session.id)
    monkeypatch.undo()
    assert await (await room.open(session.id)).run() == "end_turn"


# -- a full disk ---------------------------------------------------------------------------------


async def test_while_the_disk_is_full_no_tool_starts_and_then_work_goes_on(
    room: Room, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    session = await room.create(lambda desk: _effect(desk, str(tmp_path)))
    append = session.journal.append
    full = asyncio.Event()
    refused: list[str] = []

    async def limited(*entries: Entry) -> object:
        if entries[-1].body.type == "warroom.tool_started":
            full.set()
        if full.is_set() and len(refused) < 3:
            refused.append(entries[-1].body.type)
            raise DiskFull("no room left")
        return await append(*entries)

    monkeypatch.setattr(session.journal, "append", limited)
    told: list[str] = []
    session.on_full_disk(told.append)
    run = asyncio.create_task(session.run())
    await full.wait()
    assert not effects(tmp_path)
    while not run.done():
        if session._log.waiting:
            assert not effects(tmp_path)
            room.clock.advance(2)
        await asyncio.sleep(0)
    assert await run == "end_turn"
    assert refused == ["warroom.tool_started"] * 3
    assert told == [f"{session.directory}: no room left; waiting for some, nothing is lost; free some space"]
    assert len(effects(tmp_path)) == 1
    assert any("disk was full" in event.body.text for event in session.journal.events() if isinstance(event.body, Note))


async def _effect(desk: Desk, path: str) -> StopReason:
    assert (await call(desk, "toys_keyed", "c1", path=path)).outcome == "ok"
    return "end_turn"


@pytest.mark.parametrize("error", [DiskFull("no room left"), JournalReadOnly("the disk failed")])
async def test_an_interrupt_gets_through_when_nothing_can_be_stored(
    room: Room, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    broken = asyncio.Event()

    async def script(desk: Desk) -> StopReason:
        async def refuse(*entries: Entry) -> object:
            raise error

        monkeypatch.setattr(session.journal, "append", refuse)
        broken.set()
        await call(desk, "toys_double", "c1", value=1)
        return "end_turn"

    session = await room.create(script)
    run = asyncio.create_task(session.run())
    await broken.wait()
    if isinstance(error, DiskFull):
        with pytest.raises(DiskFull):
            await session.message("hello?")
        await session.interrupt()
    assert await run == ("interrupted" if isinstance(error, DiskFull) else "error")
    assert session.standing.status == "running", "the journal could not say otherwise; the next to run it does"
    with pytest.raises(type(error)):
        await session.run()
    monkeypatch.undo()
    monkeypatch.setattr(session._engine, "_script", rest)
    assert await session.run() == "end_turn"
    statuses = [event.type.rpartition("_")[2] for event in session.journal.events(types=STATUS_TYPES)]
    assert statuses == ["running", "idle", "running", "idle"]
