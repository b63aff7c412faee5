"""What a person asks for beside the engine: on record, handed over at once, and cancelled with who waits for it."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from orchestrator.asking import ask_by_person
from orchestrator.journal.events import PolicyDecided, ToolFinished
from tests.session.conftest import Room, types


async def test_it_is_on_record_as_a_persons_and_handed_over(room: Room) -> None:
    session = await room.create()
    result = await ask_by_person(session, "toys", "asked-1", "toys_double", {"value": 4})
    assert result.outcome == "ok"
    await session._hands.acknowledged()
    assert types(session)[-6:] == [
        "agent.custom_tool_use", "warroom.policy_decided", "warroom.tool_started", "warroom.tool_finished",
        "user.custom_tool_result", "warroom.result_acknowledged",
    ]  # fmt: skip
    (decided,) = (event.body for event in session.journal.events() if isinstance(event.body, PolicyDecided))
    assert decided.rule == "person"


async def test_who_waits_no_more_cancels_it(room: Room) -> None:
    session = await room.create()
    asking = asyncio.create_task(ask_by_person(session, "toys", "asked-1", "toys_wait", {}))
    async for event in session.subscribe(0):
        if event.type == "warroom.tool_started":
            break
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await session._hands.settled(persons=True)
    (finished,) = (event.body for event in session.journal.events() if isinstance(event.body, ToolFinished))
    assert finished.outcome != "ok"


async def test_a_persons_look_goes_on_when_the_agents_are_done_or_stopped(room: Room, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    session = await room.create()
    given = {"path": str(pipe), "text": "x"}
    looking = asyncio.create_task(ask_by_person(session, "toys", "asked-1", "toys_tell_here", given))
    async for event in session.subscribe(0):
        if event.type == "warroom.tool_started":
            break
    assert await session.run() == "end_turn"
    await session.interrupt()
    await session.interrupt("toys")
    assert session.standing.status == "idle"
    assert not looking.done()
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await looking).outcome == "ok"


async def test_closing_ends_a_persons_look_and_nobody_looks_again(room: Room) -> None:
    session = await room.create()
    looking = asyncio.create_task(ask_by_person(session, "toys", "asked-1", "toys_wait", {}))
    async for event in session.subscribe(0):
        if event.type == "warroom.tool_started":
            break
    await session.close()
    assert (await looking).outcome == "cancelled"
    again = await room.open(session.id)
    assert not again.desk.fold.open_calls
