"""S2: duplicates, any order, queued then processed, overlaps, missing ids: the same state, once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.engines.managed.delivered import Delivered
from orchestrator.engines.managed.merge import Arrived, Merger, Occurrences, key_of
from orchestrator.engines.managed.state import state_hash
from orchestrator.journal.faults import DiskFull
from tests.fakes import FakeClock
from tests.managed.histories import LEAD, QUEUED, S, arrivals, history, origin
from tests.managed.streaming import FakeJournal, merged, merger_of


@pytest.fixture(scope="module")
def expected() -> str:
    return state_hash(asyncio.run(merged(arrivals(), LEAD)).events, S)


Plan = Sequence[tuple[int, Sequence[tuple[int, bool]]]]
"""Connections: how much of each history it lists, and which events its tail brings, queued or processed."""
COUNT = len(arrivals())
PLANS = st.lists(
    st.tuples(st.integers(0, 20), st.lists(st.tuples(st.integers(0, COUNT - 1), st.booleans()), max_size=25)),
    max_size=4,
)


async def run_plan(plan: Plan, kind: type[Merger] = Merger) -> tuple[FakeJournal, list[Delivered]]:
    """Let a merger have connections as planned, and at last one that lists everything."""
    journal, handed = FakeJournal(FakeClock()), list[Delivered]()
    merger = merger_of(journal, LEAD, kind)

    async def handle(one: Delivered) -> None:
        handed.append(one)

    for upto, tail in [*plan, (99, [])]:
        for name, events in history().items():
            await merger.begin(origin(name), handle)
            same = Occurrences()
            listed = [Arrived(origin(name), raw, replayed=True, occurrence=same.of(raw)) for raw in events[:upto]]
            await merger.take(listed, handle)
            await merger.caught_up(origin(name), handle)
        await merger.take(list(_tail(tail)), handle)
    return journal, handed


def _tail(tail: Sequence[tuple[int, bool]]) -> list[Arrived]:
    found = []
    nameless = False
    for index, queued in tail:
        arrived = arrivals()[index]
        if not arrived.raw["id"]:
            if nameless:
                continue  # without an id, a second one is another one
            nameless = True
        elif queued and arrived.raw["type"] in QUEUED:
            arrived = Arrived(arrived.origin, {**arrived.raw, "processed_at": None})
        found.append(arrived)
    return found


def check(expected: str, journal: FakeJournal, handed: list[Delivered]) -> None:
    assert state_hash(journal.events, S) == expected
    times = Counter((one.primary, one.id, one.processed) for one in handed if one.id)
    assert max(times.values()) == 1, "handed on twice"
    whole = {raw["id"] for raw in history()[S] if raw["id"]}
    assert {one.id for one in handed if one.primary and one.processed and one.id} == whole, "something is missing"
    kept = Counter((one.stream, one.source_id, one.processed) for one in journal.events)
    assert max(kept.values()) == 1


@settings(max_examples=300, deadline=None)
@given(PLANS)
def test_whatever_comes_in_whatever_order_it_counts_once(expected: str, plan: Plan) -> None:
    check(expected, *asyncio.run(run_plan(plan)))


@pytest.mark.soak
@settings(max_examples=2000, deadline=None)
@given(PLANS)
def test_whatever_comes_in_whatever_order_it_counts_once_at_length(expected: str, plan: Plan) -> None:
    check(expected, *asyncio.run(run_plan(plan)))


class Hasty(Merger):
    """Known to be bad: takes an event for seen before it is durable."""

    async def _take(self, arrived: Arrived, handle: Any) -> None:
        await super()._take(arrived, handle)
        self._seen[arrived.origin.stream, key_of(arrived)] = True


async def interrupted_at(number: int, kind: type[Merger]) -> str:
    """Return the state where the journal refuses the n-th event once, and all is read again after that."""
    journal = FakeJournal(FakeClock())
    merger = merger_of(journal, LEAD, kind)
    asked = 0

    def refuse(body: object) -> Exception | None:
        nonlocal asked
        asked += 1
        return DiskFull("no room") if asked == number else None

    async def nothing(one: Delivered) -> None:
        assert one.type

    journal.failing = refuse
    for _ in range(2):
        try:
            await merger.take(arrivals(), nothing)
        except DiskFull:
            continue
    return state_hash(journal.events, S)


async def test_an_event_is_seen_only_once_it_is_durable(expected: str) -> None:
    for number in range(1, COUNT):
        assert await interrupted_at(number, Merger) == expected


async def test_taking_it_for_seen_before_that_is_noticed(expected: str) -> None:
    assert any([await interrupted_at(number, Hasty) != expected for number in range(1, COUNT)])


async def test_what_is_not_durable_is_not_handed_on() -> None:
    journal = FakeJournal(FakeClock())
    handed: list[str] = []

    async def handle(one: Delivered) -> None:
        handed.append(one.id)

    journal.failing = lambda body: DiskFull("no room") if body.type == "agent.message" else None
    with pytest.raises(DiskFull):
        await merger_of(journal, LEAD).take(arrivals()[:6], handle)
    assert "sevt_5" not in handed
