"""How a run ends: given up, broken, interrupted, closed; and how it goes on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import Desk, EngineError, StopReason
from orchestrator.hands.policy import Policy
from orchestrator.journal.events import UserCustomToolResult
from orchestrator.journal.fold import pending_calls
from orchestrator.session import Session, SessionFault
from subagents.contract import ToolResult
from tests.hands import toy_roster
from tests.hands.conftest import OWN, effects
from tests.session.conftest import Room, call, forever, types, until


async def test_an_engine_that_gives_up_is_an_event_and_idle(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        raise EngineError("the endpoint answers 503 since 12:00; try again later")

    session = await room.create(script)
    assert await session.run() == "retries_exhausted"
    assert types(session)[1:] == ["session.status_running", "session.error", "session.status_idle"]
    assert session.standing.message == "the endpoint answers 503 since 12:00; try again later"


async def test_a_defect_of_an_engine_is_one_line_and_its_trace_is_in_the_log(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        raise KeyError(f"boom {OWN}")

    session = await room.create(script)
    assert await session.run() == "error"
    assert session.standing.message.startswith("the engine failed: KeyError")
    log = room.home.log.read_text()
    assert "Traceback" in log
    assert OWN not in log
    assert room.home.log.stat().st_mode & 0o777 == 0o600
    assert await session.run() == "error", "it can be run again"


@pytest.mark.parametrize("how", ["fails", "is-stopped"])
async def test_what_was_at_work_when_it_stopped_is_done_when_it_goes_on(room: Room, how: str) -> None:
    """A stop is like a crash: what can run again does, what cannot is unknown. Nothing stays cancelled for ever."""

    async def script(desk: Desk) -> StopReason:
        both = asyncio.gather(call(desk, "toys_wait", "c1"), call(desk, "toys_wait_unkeyed", "c2"))
        started = 0
        async for event in session.subscribe(after=0):
            started += event.type == "warroom.tool_started"
            if started == 2:
                break
        if how == "fails":
            raise EngineError("gone")
        at_work.set()
        await both
        return "end_turn"

    async def again(desk: Desk) -> StopReason:
        told.append(await call(desk, "toys_wait", "c1"))
        told.append(await call(desk, "toys_wait_unkeyed", "c2"))
        return "end_turn"

    at_work = asyncio.Event()
    told: list[ToolResult[Any]] = []
    session = await room.create(script)
    run = asyncio.create_task(session.run())
    if how == "is-stopped":
        await at_work.wait()
        await session.interrupt()
    assert await run == ("retries_exhausted" if how == "fails" else "interrupted")
    assert set(pending_calls(session.journal.events())) == ({"c1", "c2"} if how == "fails" else {"c1"}) - _handed(
        session
    )
    await session.close()
    toy_roster.RELEASE.set()
    resumed = await room.open(session.id, again)
    assert await resumed.run() == "end_turn"
    assert [result.outcome for result in told] == ["ok", "unknown"]
    assert not pending_calls(resumed.journal.events())


def _handed(session: Session) -> set[str]:
    events = session.journal.events(types=["user.custom_tool_result"])
    return {event.body.custom_tool_use_id for event in events if isinstance(event.body, UserCustomToolResult)}


async def test_a_question_outlives_a_stop(room: Room, tmp_path: Path) -> None:
    async def script(desk: Desk) -> StopReason:
        told.append(await call(desk, "toys_unkeyed", "c1", path=str(tmp_path)))
        return "end_turn"

    told: list[ToolResult[Any]] = []
    session = await room.create(script, policy=Policy(), attended=True)
    run = asyncio.create_task(session.run())
    await until(session, "warroom.approval_requested")
    await session.interrupt()
    assert await run == "interrupted"
    assert told == []
    await session.close()
    resumed = await room.open(session.id, script, policy=Policy(), attended=True)
    (asked,) = resumed.pending()
    await resumed.decide(asked.id, "approve", asked.digest, "ann")
    assert await resumed.run() == "end_turn"
    assert told.pop().outcome == "ok"
    assert len(effects(tmp_path)) == 1


async def test_interrupt_stops_the_engine_and_its_calls(room: Room) -> None:
    taken_for_an_answer: list[str] = []

    async def specialist(desk: Desk, call_id: str) -> None:
        taken_for_an_answer.append((await call(desk, "toys_wait", call_id)).outcome)

    async def script(desk: Desk) -> StopReason:
        await asyncio.gather(specialist(desk, "c1"), specialist(desk, "c2"), return_exceptions=True)
        await specialist(desk, "c3")
        return "end_turn"

    session = await room.create(script)
    run = asyncio.create_task(session.run())
    await until(session, "warroom.tool_started")
    await session.interrupt()
    assert await run == "interrupted"
    assert taken_for_an_answer == []
    assert (session.standing.status, session.standing.reason) == ("idle", "interrupted")
    assert "user.interrupt" in types(session)
    assert session.journal.find("c3") is None, "nothing new is asked for once it stops"


@pytest.mark.parametrize("stubborn", [False, True])
async def test_an_engine_that_does_not_listen_is_stopped_all_the_same(room: Room, stubborn: bool) -> None:
    hold = asyncio.Event()

    async def script(desk: Desk) -> StopReason:
        while True:
            try:
                await hold.wait()
                return "end_turn"
            except asyncio.CancelledError:
                if not stubborn:
                    raise

    session = await room.create(script)
    run = asyncio.create_task(session.run())
    await until(session, "session.status_running")
    await session.interrupt()
    while not run.done():
        room.clock.advance(5)
        await asyncio.sleep(0)
    assert await run == "interrupted"
    hold.set()
    assert ("left behind" in session.standing.message) is stubborn


async def test_ctrl_c_leaves_an_interrupted_session(room: Room) -> None:
    session = await room.create(forever)
    run = asyncio.create_task(session.run())
    await until(session, "session.status_running")
    run.cancel()
    with pytest.raises(asyncio.CancelledError):
        await run
    assert (session.standing.status, session.standing.reason) == ("idle", "interrupted")


async def test_one_run_at_a_time_and_none_after_closing(room: Room) -> None:
    session = await room.create(forever)
    run = asyncio.create_task(session.run())
    await until(session, "session.status_running")
    with pytest.raises(SessionFault, match="running already"):
        await session.run()
    await session.close()
    assert await run == "interrupted"
    with pytest.raises(SessionFault, match="closed"):
        await session.run()
