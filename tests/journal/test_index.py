"""The index holds nothing that the session folders do not: lost, corrupt or stale, it comes back by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Body,
    IncidentOpened,
    StatusIdle,
    StatusRunning,
    StopReason,
    VerdictReached,
)
from orchestrator.journal.home import StateHome
from orchestrator.journal.index import Index, SessionRow, fold, summarise
from orchestrator.journal.store import Entry, Journal
from orchestrator.journal.verdict import Confidence, Verdict
from subagents.contract import Incident
from tests.fakes import FakeClock
from tests.journal.logs import note

DIGEST = "sha256:00"


def life(session: str, title: str) -> list[Body]:
    return [
        IncidentOpened(
            session=session,
            incident=Incident(id="INC-7", title=title, service="search"),
            engine="offline",
            shown_as="offline investigator, no model",
            version="0.1.0",
        ),
        StatusRunning(reason="start"),
        VerdictReached(verdict=Verdict(kind="culprit", headline="h", confidence=Confidence(value=0.9))),
        ApprovalRequested(id="a1", subject="fix", digest=DIGEST, detail={}),
        ApprovalRequested(id="a2", subject="push", digest=DIGEST, detail={}),
        ApprovalDecided(id="a1", decision="approve", digest=DIGEST, by="me"),
        StatusIdle(stop_reason=StopReason(type="requires_action")),
    ]


async def session(home: StateHome, clock: FakeClock, title: str) -> Journal:
    clock.advance(60)
    journal = Journal.create(home.new_session(clock), clock)
    for body in life(journal.directory.name, title):
        clock.advance(1)
        await journal.append(Entry(body, "orchestrator"))
    return journal


@pytest.fixture
def index(state_home: StateHome) -> Index:
    return Index(state_home)


async def test_a_row_says_what_the_list_shows(index: Index, state_home: StateHome, fake_clock: FakeClock) -> None:
    assert index.rows() == []
    older = await session(state_home, fake_clock, "older")
    newer = await session(state_home, fake_clock, "newer [bold]")
    rows = index.rows()
    assert [row.title for row in rows] == ["newer [bold]", "older"]
    row = rows[0]
    assert row.id == newer.directory.name
    assert (row.incident, row.service, row.engine) == ("INC-7", "search", "offline investigator, no model")
    assert (row.status, row.reason, row.verdict, row.approvals) == ("idle", "requires_action", "culprit", ("a2",))
    assert row.events == 7
    assert row.created is not None
    assert row.updated is not None
    assert (row.updated - row.created).total_seconds() == 6
    assert fold(SessionRow(id=row.id), newer.events()) == row
    assert state_home.index.stat().st_mode & 0o777 == 0o600
    await older.close()
    await newer.close()


async def test_a_stale_row_is_made_anew_and_a_lost_session_forgotten(
    index: Index, state_home: StateHome, fake_clock: FakeClock
) -> None:
    journal = await session(state_home, fake_clock, "one")
    await journal.close()
    [row] = index.rows()
    journal = Journal.open(journal.directory, fake_clock)
    await journal.append(Entry(StatusRunning(reason="resume"), "orchestrator"))
    await journal.close()
    [now] = index.rows()
    assert (row.status, now.status, now.reason, now.events) == ("idle", "running", "resume", 8)
    index.note(now.model_copy(update={"title": "noted"}))
    assert index.rows()[0].title == "noted"
    assert index.rebuild()[0].title == "one"
    index.forget(now.id)
    assert index.rows() == [now]
    journal.directory.rename(state_home.path / "gone")
    assert index.rows() == []


async def test_a_live_session_is_not_read_again_and_again(
    index: Index, state_home: StateHome, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = await session(state_home, fake_clock, "one")
    index.note(fold(SessionRow(id=journal.directory.name), journal.events()))
    read: list[int] = []
    real = summarise

    def counted(directory: Path, row: SessionRow | None = None) -> SessionRow:
        read.append(row.events if row else 0)
        return real(directory, row)

    monkeypatch.setattr("orchestrator.journal.index.summarise", counted)
    [row] = index.rows()
    assert (row.events, read) == (7, [])
    await journal.append(Entry(StatusRunning(reason="approval"), "orchestrator"))
    await journal.close()
    [row] = index.rows()
    assert (row.status, row.reason, row.events, row.title, row.approvals) == ("running", "approval", 8, "one", ("a2",))
    assert read == [7], "only what is new is read"


@pytest.mark.parametrize("content", [b"", b"not a database" * 500, b"SQLite format 3\0" + b"\xff" * 4096])
async def test_a_corrupt_index_is_rebuilt_silently(
    content: bytes, index: Index, state_home: StateHome, fake_clock: FakeClock
) -> None:
    journal = await session(state_home, fake_clock, "one")
    await journal.close()
    expected = index.rows()
    state_home.index.write_bytes(content)
    assert index.rows() == expected
    assert index.rows() == expected
    index.note(expected[0])
    connection = sqlite3.connect(state_home.index)
    connection.execute("UPDATE session SET row = '{}'")
    connection.commit()
    connection.close()
    assert index.rows() == expected


async def test_a_damaged_session_is_listed_with_its_problem(
    index: Index, state_home: StateHome, fake_clock: FakeClock
) -> None:
    journal = await session(state_home, fake_clock, "one")
    await journal.append(*(note(n) for n in range(20)))
    await journal.close()
    connection = sqlite3.connect(journal.directory / "journal.db")
    connection.execute("DELETE FROM event WHERE seq > 15")
    connection.commit()
    connection.close()
    row = summarise(journal.directory)
    assert row.title == "one"
    assert "events 16 to 27 missing at the end" in row.problem
    (journal.directory / "journal.db").unlink()
    assert "no session is kept here" in index.rebuild()[0].problem


async def test_a_folder_that_was_never_begun_is_not_listed(
    index: Index, state_home: StateHome, fake_clock: FakeClock
) -> None:
    state_home.new_session(fake_clock)
    assert index.rows() == []


def test_an_unreadable_state_directory_loses_no_note(tmp_path: Path) -> None:
    Index(StateHome(tmp_path / "absent")).note(SessionRow(id="20260301-120000-0a1b2c"))
    assert Index(StateHome(tmp_path / "absent")).rows() == []
