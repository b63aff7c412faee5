"""The status machine: every pair, and what the session does with it."""

from __future__ import annotations

from itertools import product

import pytest

from orchestrator.engines.base import Desk, StopReason
from orchestrator.journal.events import (
    MAIN_THREAD,
    Body,
    Note,
    StatusIdle,
    StatusRescheduled,
    StatusRunning,
    StatusTerminated,
)
from orchestrator.journal.events import StopReason as Reason
from orchestrator.journal.fold import SessionStatus, status
from orchestrator.session import IllegalTransition, SessionFault, Standing
from tests.session.conftest import Room, types

BODIES: dict[SessionStatus, Body] = {
    "idle": StatusIdle(stop_reason=Reason(type="end_turn")),
    "running": StatusRunning(reason="start"),
    "rescheduling": StatusRescheduled(reason="503"),
    "terminated": StatusTerminated(reason="over"),
}
LEGAL = {
    ("idle", "running"),
    ("idle", "terminated"),
    ("running", "idle"),
    ("running", "rescheduling"),
    ("running", "terminated"),
    ("rescheduling", "running"),
    ("rescheduling", "idle"),
    ("rescheduling", "terminated"),
}


@pytest.mark.parametrize(("before", "after"), list(product(BODIES, BODIES)))
def test_every_pair(before: SessionStatus, after: SessionStatus) -> None:
    standing = Standing(before)
    if (before, after) in LEGAL:
        assert standing.then(BODIES[after]).status == after
    else:
        with pytest.raises(IllegalTransition, match=f"{after} cannot follow {before}"):
            standing.then(BODIES[after])


def test_only_a_status_is_a_status() -> None:
    with pytest.raises(IllegalTransition, match="no"):
        Standing().then(Note(text="no"))


async def test_an_illegal_transition_of_an_engine_is_recorded_as_its_error_and_nothing_else(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        await desk.record(StatusRunning(reason="again"), thread=MAIN_THREAD)
        return "end_turn"

    session = await room.create(script)
    assert await session.run() == "error"
    assert types(session)[1:] == ["session.status_running", "session.error", "session.status_idle"]
    assert session.standing == Standing("idle", "error", session.standing.message)
    assert "running cannot follow running" in session.standing.message


async def test_an_engine_may_reschedule_and_end_it_all(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        await desk.record(StatusRescheduled(reason="overloaded"), thread=MAIN_THREAD)
        await desk.record(StatusRunning(reason="retry"), thread=MAIN_THREAD)
        await desk.record(StatusTerminated(reason="the server says so"), thread=MAIN_THREAD)
        return "error"

    session = await room.create(script)
    await session.run()
    assert session.standing == Standing("terminated", "the server says so")
    assert status(session.journal.events()) == ("terminated", "the server says so")
    with pytest.raises(SessionFault, match="it is over"):
        await session.run()
    count = session.journal.head.seq
    await session.terminate("again")
    assert session.journal.head.seq == count


@pytest.mark.parametrize("stop", ["end_turn", "requires_action", "budget_reached", "refusal", "retries_exhausted"])
async def test_each_stop_reason_is_the_reason_of_idle(room: Room, stop: StopReason) -> None:
    async def script(desk: Desk) -> StopReason:
        return stop

    session = await room.create(script)
    assert await session.run() == stop
    assert (session.standing.status, session.standing.reason) == ("idle", stop)
