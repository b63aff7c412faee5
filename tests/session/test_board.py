"""A person's hand on the board of a session: durable with who and when, told to the engine, and never an engine's."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from orchestrator.engines.base import BoardEdit, Desk, Incoming, StopReason
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.events import MAIN_THREAD, BoardEdited, Rechecked, VerdictReached
from orchestrator.journal.verdict import Confidence, SuspectScore, Verdict
from orchestrator.session import Session, SessionFault
from subagents.contract import SourceSpec
from tests.session.conftest import Room


def edits(session: Session) -> list[tuple[str, str, str]]:
    bodies = (event.body for event in session.journal.events(types={"warroom.board_edited"}))
    return [(body.action, body.suspect, body.by) for body in bodies if isinstance(body, BoardEdited)]


async def test_edits_are_durable_with_who_and_when_and_stand_after_reopening(room: Room) -> None:
    session = await room.create()
    event = await session.edit_board("add", "host node-7", "its fans are loud", "dana")
    await session.edit_board("pin", "1", by="dana")
    await session.edit_board("rule_out", "host:node-7", "it was drained", "lee")
    await session.close()
    again = await room.open(session.id)
    assert edits(again) == [
        ("add", "host:node-7", "dana"), ("pin", "host:node-7", "dana"), ("rule_out", "host:node-7", "lee"),
    ]  # fmt: skip
    (held,) = again.desk.fold.board.hypotheses()
    assert held.closed is not None
    assert (held.closed.by, held.closed.note, held.state) == ("lee", "it was drained", "ruled out")
    assert held.added is not None
    assert held.added.at == event.ts
    assert [edit.body.action for edit in again.desk.edits()] == ["add", "pin", "rule_out"]
    await again.edit_board("undo", "host:node-7")
    assert again.desk.fold.board.hypotheses()[0].closed is None


async def test_the_engine_is_told_while_it_works(room: Room) -> None:
    taken: list[Incoming] = []

    async def script(desk: Desk) -> StopReason:
        taken.append(await desk.inbox.get())
        return "end_turn"

    session = await room.create(script)
    running = asyncio.create_task(session.run())
    await session.edit_board("add", "the resolver of the bank", by="dana")
    await running
    (told,) = taken
    assert isinstance(told, BoardEdit)
    assert told.id.startswith("board-")
    assert "their word, not evidence" in told.text


async def test_what_cannot_be_done_is_refused_and_changes_nothing(room: Room) -> None:
    session = await room.create()
    for act, text in (("pin", "nothing"), ("undo", "1"), ("add", "  ")):
        with pytest.raises(SessionFault):
            await session.edit_board(act, text)  # type: ignore[arg-type]  # the acts of the registry
    await session.edit_board("add", "flag x")
    with pytest.raises(SessionFault, match="takes a reason"):
        await session.edit_board("rule_out", "flag:x")
    with pytest.raises(SessionFault, match="on the board already"):
        await session.edit_board("add", "flag x")
    assert len(edits(session)) == 1


@pytest.mark.parametrize(
    "body", [BoardEdited(action="pin", suspect="flag:x"), Rechecked(state="recovered", reason="trust me")]
)
async def test_no_engine_puts_a_persons_act_on_record(room: Room, body: BoardEdited | Rechecked) -> None:
    session = await room.create()
    with pytest.raises(ValueError, match="does not record"):
        await session.desk.record(body, thread=MAIN_THREAD)


async def test_a_commit_is_named_by_its_beginning_where_the_verdict_ranked_it(room: Room) -> None:
    session = await room.create()
    sha = "51d0e7a" + "0" * 33
    verdict = Verdict(
        kind="inconclusive", headline="?", confidence=Confidence(value=0.1),
        suspects=(SuspectScore(commit=sha, score=0.2),),
    )  # fmt: skip
    await session.desk.record(VerdictReached(verdict=verdict), thread=MAIN_THREAD)
    await session.edit_board("add", "51d0e7a")
    assert edits(session)[0][1] == f"commit:{sha}"


async def test_a_deploy_is_added_as_the_commit_that_it_brought(room: Room, tmp_path: Path) -> None:
    sha = "b" * 40
    path = tmp_path / "deploys.json"
    path.write_text(
        f'[{{"id": "d-42", "service": "shop", "version": "v42", "time": "2026-03-01T08:58:00Z", "commit": "{sha}"}}]'
    )
    (tmp_path / "commits.json").write_text(
        f'[{{"sha": "{sha}", "author": "lee", "timestamp": "2026-03-01T08:00:00Z", "message": "cut the TTL",'
        ' "files": ["a.py"]}]'
    )
    specs = [
        SourceSpec(id="deploys.json", kind="deploys", path=str(path)),
        SourceSpec(id="commits.json", kind="commits", path=str(tmp_path / "commits.json")),
    ]
    session = await room.create(specs=specs, recipe=RosterRecipe())
    (offered,) = await session.candidates()
    assert offered.words == f"commit:{sha}", "what was deployed and the commit that it brought are one"
    assert "shop" in offered.told
    await session.edit_board("add", "deploy v42")
    assert await session.candidates() == ()
    await session.edit_board("add", "flag unknown-to-all")
    assert [suspect for _, suspect, _ in edits(session)] == [f"commit:{sha}", "flag:unknown-to-all"]
    with pytest.raises(SessionFault, match="on the board already"):
        await session.edit_board("add", sha[:8])
    with pytest.raises(SessionFault, match="pin takes the number"):
        await session.edit_board("add", "1")
