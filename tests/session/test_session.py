"""A session: what it records, what reaches the engine."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.engines.base import Desk, Incoming, Interrupt, Message, SourceAdded, StopReason
from orchestrator.hands.approvals import ApprovalError
from orchestrator.hands.policy import Policy
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import (
    MAIN_THREAD,
    AgentMessage,
    ApprovalDecided,
    FindingReported,
    IncidentOpened,
    Note,
    SourceAddedEvent,
    ThreadCreated,
    UserMessage,
    text_content,
)
from orchestrator.journal.index import Index
from orchestrator.journal.store import Journal
from orchestrator.session import SessionFault
from subagents.contract import Finding, ServiceInfo, SourceSpec
from tests.hands.conftest import OWN, RECIPE
from tests.session.conftest import Room, Script, call, source, types, until, use


def collect(taken: list[Incoming], count: int) -> Script:
    async def script(desk: Desk) -> StopReason:
        while len(taken) < count:
            taken.append(await desk.inbox.get())
        return "end_turn"

    return script


async def test_the_first_events_are_the_incident_and_its_sources(room: Room) -> None:
    session = await room.create(specs=[source("a"), source("b")], services=(ServiceInfo(name="search"),))
    first, *others = session.journal.events()
    assert isinstance(first.body, IncidentOpened)
    assert (first.body.session, first.body.engine, first.body.shown_as) == (session.id, "fake", "scripted")
    assert [event.body.spec.id for event in others if isinstance(event.body, SourceAddedEvent)] == ["a", "b"]
    brief = session.desk.brief
    assert [spec.id for spec in brief.sources] == [item.source for item in brief.coverage] == ["a", "b"]
    assert session.desk.started_at == first.ts
    assert (await session.desk.call("others", use("others_sources", "use-others_sources"))).need().value == ["a", "b"]
    await session.close()
    again = await room.open(session.id)
    assert again.desk.brief == brief, "services come from the journal too"


async def test_what_is_wrong_with_the_inputs_is_there_from_the_first_transaction(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    groups: list[list[str]] = []
    append = Journal.append

    async def counted(journal: Journal, *entries: Entry) -> object:
        groups.append([entry.body.type for entry in entries])
        return await append(journal, *entries)

    monkeypatch.setattr(Journal, "append", counted)
    session = await room.create(specs=[source("a")], remarks=("no repository", f"bad row with {OWN}"))
    assert groups[0] == ["warroom.incident", "warroom.source_added", "warroom.note", "warroom.note", "warroom.redacted"]
    notes = [event.body for event in session.journal.events() if isinstance(event.body, Note)]
    assert (notes[0].level, notes[0].text) == ("warning", "no repository")
    assert OWN not in notes[1].text


async def test_what_the_engine_records_is_durable_redacted_and_recorded_once(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        finding = Finding(agent="toys", claim=f"the password {OWN} leaks", topic="errors")
        for _ in range(2):
            await desk.record(FindingReported(id=finding.id, finding=finding), thread="toys")
            await desk.record(AgentMessage(content=text_content(f"saw {OWN}")), thread="toys", source_id="m1")
        assert [f.claim for f in desk.findings()] == [next(iter(desk.findings())).claim]
        assert OWN not in desk.findings()[0].claim
        return "end_turn"

    session = await room.create(script)
    assert await session.run() == "end_turn"
    seen = types(session)
    assert (seen.count("warroom.finding"), seen.count("agent.message"), seen.count("warroom.redacted")) == (1, 1, 2)
    await session.close()
    stored = b"".join(path.read_bytes() for path in session.directory.rglob("*") if path.is_file())
    assert OWN.encode() not in stored


@pytest.mark.parametrize(
    "body",
    [
        ApprovalDecided(id="call:c1", decision="approve", digest="sha256:0", by="me"),
        SourceAddedEvent(spec=source("mine")),
    ],
)
async def test_an_engine_cannot_record_what_is_not_its_to_say(room: Room, body: ApprovalDecided) -> None:
    async def script(desk: Desk) -> StopReason:
        await desk.record(body, thread=MAIN_THREAD)
        return "end_turn"

    session = await room.create(script)
    assert await session.run() == "error"
    assert "does not record" in session.standing.message
    assert body.type not in types(session)


async def test_a_source_stays_findable_and_what_was_typed_for_it_is_redacted(room: Room) -> None:
    spec = SourceSpec(
        id="cmd", kind="logs", path=f"/spool/{OWN}.log", origin=f"curl -H 'Authorization: Bearer {OWN}' x"
    )
    session = await room.create(specs=[spec])
    kept = session.desk.brief.sources[0]
    assert kept.path == spec.path
    assert OWN not in kept.origin


# -- how it ends ---------------------------------------------------------------------------------


# -- what reaches the engine ---------------------------------------------------------------------


async def test_messages_interrupts_and_late_sources_reach_the_engine_in_order(room: Room) -> None:
    taken: list[Incoming] = []
    session = await room.create(collect(taken, 4))
    await session.message("before it starts")
    run = asyncio.create_task(session.run())
    await until(session, "session.status_running")
    await session.message("look at the cache", to="toys")
    await session.interrupt("toys")
    await session.add_source(source("late"))
    assert await run == "end_turn"
    said = [event for event in session.journal.events() if isinstance(event.body, UserMessage)]
    ids = [f"message-{event.seq}" for event in said]
    assert taken == [
        Message(text="before it starts", id=ids[0]),
        Message(text="look at the cache", to="toys", id=ids[1]),
        Interrupt(thread="toys"),
        SourceAdded(spec=source("late")),
    ]
    assert session.desk.brief.notes == ("before it starts", "look at the cache")
    assert [event.body.model_dump()["to"] for event in said] == [None, "toys"]


async def test_a_late_source_is_in_the_rosters_of_this_process_and_of_the_workers(room: Room) -> None:
    seen: list[object] = []

    async def script(desk: Desk) -> StopReason:
        seen.append((await call(desk, "toys_sources", "c1")).need().value)
        await desk.inbox.get()
        seen.append((await call(desk, "toys_sources", "c2")).need().value)
        seen.append((await desk.call("others", use("others_sources", "c3"))).need().value)
        return "end_turn"

    session = await room.create(script, specs=[source("a")])
    run = asyncio.create_task(session.run())
    await until(session, "user.custom_tool_result")
    await session.add_source(source("late"))
    assert await run == "end_turn"
    assert seen == [["a"], ["a", "late"], ["a", "late"]]


async def test_a_source_is_added_once_and_a_name_serves_one(room: Room) -> None:
    session = await room.create(specs=[source("a")])
    count = session.journal.head.seq
    await session.add_source(source("a"))
    assert session.journal.head.seq == count
    assert session.desk.inbox.drain() == []
    with pytest.raises(SessionFault, match="there already"):
        await session.add_source(source("a").model_copy(update={"path": "/other.log"}))


async def test_a_source_that_breaks_the_roster_breaks_nothing_else(room: Room) -> None:
    recipe = RosterRecipe("tests.hands.toy_roster:broken", import_path=RECIPE.import_path)
    session = await room.create(recipe=recipe)
    await session.add_source(source("bad"))
    note = next(session.journal.events(types=["warroom.note"])).body
    assert isinstance(note, Note)
    assert "cannot read bad" in note.text
    assert (await call(session.desk, "toys_double", "c1", value=1)).outcome == "ok"


async def test_a_thread_belongs_to_the_agent_it_was_made_for(room: Room) -> None:
    async def script(desk: Desk) -> StopReason:
        await desk.record(ThreadCreated(session_thread_id="t-1", agent_name="toys"), thread="t-1")
        assert (await desk.call("t-1", use("toys_chatter", "use-toys_chatter"))).outcome == "ok"
        assert (await desk.call("t-2", use("toys_double", "use-toys_double"))).outcome == "denied"
        return "end_turn"

    session = await room.create(script)
    assert await session.run() == "end_turn"


async def test_previews_are_cleaned_and_never_stored(room: Room) -> None:
    session = await room.create()
    shown: list[tuple[str, str]] = []
    session.on_preview(lambda thread, text: shown.append((thread, text)))
    count = session.journal.head.seq
    session.desk.preview("toys", "half a \x1b[31mthought")
    assert shown == [("toys", shown[0][1])]
    assert "\x1b" not in shown[0][1]
    assert session.journal.head.seq == count


async def test_a_person_decides_through_the_session_alone(room: Room, tmp_path: Path) -> None:
    async def script(desk: Desk) -> StopReason:
        assert not hasattr(desk, "decide")
        assert (await call(desk, "toys_unkeyed", "c1", path=str(tmp_path))).outcome == "ok"
        return "end_turn"

    session = await room.create(script, policy=Policy(), attended=True)
    run = asyncio.create_task(session.run())
    await until(session, "warroom.approval_requested")
    (asked,) = session.pending()
    await session._index.settle()
    (row,) = Index(room.home)._read().values()
    assert (row.status, row.approvals) == ("running", (asked.id,))
    with pytest.raises(ApprovalError, match="nothing of that name"):
        await session.decide("call:none", "approve", asked.digest, "ann")
    await session.decide(asked.id, "approve", asked.digest, "ann")
    assert await run == "end_turn"
