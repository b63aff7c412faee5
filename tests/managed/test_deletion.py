"""Deleting and archiving what a server keeps: both places, in two steps, resumable, and nothing of others unasked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from orchestrator.config.model import EngineSettings
from orchestrator.engines.managed.reach import reach_of
from orchestrator.engines.managed.removal import Removal
from orchestrator.journal.index import SessionRow
from tests.fakes import FakeClock
from tests.managed.conftest import KEY, Command
from tests.managed.elsewhere import OTHER, began, install_of, made_by, only_here, rest, writes
from tests.standin import Actor, Standin
from tests.standin.cast import talker


@pytest.fixture
def keyed(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setattr("orchestrator.engines.managed.deletion.POLL_S", (0.0,))
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return command


async def busy(actor: Actor) -> None:
    await actor.hear()
    await actor.gate("never")


def here_and_there(keyed: Command, standin: Standin, install: str | None = None) -> tuple[str, str]:
    """Return the ids of one session: here, and at the stand-in, where it rests."""
    standin.script({"lead": talker})
    before = set(keyed.home.session_ids())
    there = began(standin, metadata=made_by(install or install_of(keyed.home)))
    rest(standin, there)
    said = keyed("attach", there, "--headless")
    assert said.status == 0, said.err
    (name,) = set(keyed.home.session_ids()) - before
    return name, there


def token_of(keyed: Command, *command: str) -> str:
    said = keyed(*command)
    assert said.status == 0, said.err
    assert "Nothing was" in said.err
    return said.err.rstrip().rpartition(" ")[2]


def deeds(keyed: Command) -> list[dict[str, Any]]:
    log = keyed.home.path / "audit.log"
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def wake(standin: Standin, there: str) -> None:
    """Let the session's agent work on something that does not end."""
    from tests.standin.cast import connected, said, send

    standin.script({"lead": busy})

    async def speak() -> None:
        async with connected(standin) as client:
            await send(client, there, said("go on"))

    asyncio.run(speak())
    standin.until(lambda state: state.sessions[there].status == "running")


def test_a_running_session_is_interrupted_and_deleted_in_both_places(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin)
    standin.options.lag_reads = 2  # the stored status lags behind the stream's idle: deletion is refused meanwhile
    wake(standin, there)
    first = keyed("sessions", "delete", name)
    assert f"and {there} at its server" in first.err
    assert there in standin.state.sessions
    token = first.err.rstrip().rpartition(" ")[2]
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 0, said.err
    assert "interrupting it" in said.err
    assert there in standin.state.deleted
    assert keyed.home.session_ids() == []
    (deed,) = deeds(keyed)
    assert (deed["did"], deed["session"], deed["remote"], deed["there"]) == ("deleted", name, there, "deleted")
    assert len(deed["hash"]) == 64
    assert KEY not in json.dumps(deed)
    assert any(line.startswith("POST") and line.endswith("/events") for line in writes(standin))


def test_the_token_is_for_what_was_shown(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin)
    token = token_of(keyed, "sessions", "delete", name, "--local-only")
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 2
    assert "does not fit" in said.complaint
    assert there in standin.state.sessions
    assert keyed.home.session_ids() == [name]


def test_only_here_leaves_the_server_alone(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin)
    token = token_of(keyed, "sessions", "delete", name, "--local-only")
    before = len(standin.requests)
    said = keyed("sessions", "delete", name, "--local-only", "--confirm", token)
    assert said.status == 0, said.err
    assert len(standin.requests) == before
    assert there in standin.state.sessions
    assert keyed.home.session_ids() == []
    assert deeds(keyed)[0]["there"] == "kept"


@pytest.mark.parametrize("status", [500, 401, 403])
def test_what_cannot_be_deleted_there_is_kept_here_and_can_be_tried_again(
    keyed: Command, standin: Standin, status: int
) -> None:
    name, there = here_and_there(keyed, standin)
    token = token_of(keyed, "sessions", "delete", name)
    standin.faults.refuse(status, "DELETE", f"/v1/sessions/{there}", times=9)
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 3
    assert "is kept here" in said.complaint
    assert "--local-only" in said.complaint
    assert keyed.home.session_ids() == [name]
    assert deeds(keyed) == []
    standin.faults.clear()
    again = keyed("sessions", "delete", name, "--confirm", token)
    assert again.status == 0, again.err
    assert keyed.home.session_ids() == []


def test_a_lost_answer_and_what_is_gone_already_end_the_same(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin)
    token = token_of(keyed, "sessions", "delete", name)
    standin.faults.lose_answer(path=f"/v1/sessions/{there}", method="DELETE")
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 0, said.err
    assert deeds(keyed)[-1]["there"] == "deleted"
    other, gone = here_and_there(keyed, standin)
    standin.run(lambda: standin._app.space.sessions.delete(gone))
    token = token_of(keyed, "sessions", "delete", other)
    said = keyed("sessions", "delete", other, "--confirm", token)
    assert said.status == 0, said.err
    assert deeds(keyed)[-1]["there"] == "was gone"


def test_what_others_made_is_left_there_unless_it_is_asked_for(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin, OTHER)
    token = token_of(keyed, "sessions", "delete", name)
    before = writes(standin)
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 0, said.err
    assert "--foreign deletes it too" in said.err
    assert (there in standin.state.sessions, writes(standin)) == (True, before)
    assert keyed.home.session_ids() == []
    assert keyed("attach", there, "--headless").status == 0
    name = only_here(keyed.home)
    token = token_of(keyed, "sessions", "delete", name, "--foreign")
    assert keyed("sessions", "delete", name, "--foreign", "--confirm", token).status == 0
    assert there in standin.state.deleted


def test_without_a_key_it_is_kept(keyed: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    name, there = here_and_there(keyed, standin)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    token = token_of(keyed, "sessions", "delete", name)
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 2
    assert "ANTHROPIC_API_KEY" in said.err
    assert "--local-only" in said.err
    assert keyed.home.session_ids() == [name]
    assert there in standin.state.sessions


def test_purge_counts_and_covers_the_server(keyed: Command, standin: Standin) -> None:
    pairs = [here_and_there(keyed, standin) for _ in range(2)]
    first = keyed("purge", "--older-than", "0s")
    assert "2 sessions, 2 of them with a session at a server" in first.err
    token = first.err.rstrip().rpartition(" ")[2]
    said = keyed("purge", "--older-than", "0s", "--confirm", token)
    assert said.status == 0, said.err
    assert {there for _, there in pairs} <= standin.state.deleted
    assert keyed.home.session_ids() == []


def test_archiving_is_for_good_and_keeps_what_is_here(keyed: Command, standin: Standin) -> None:
    name, there = here_and_there(keyed, standin)
    wake(standin, there)
    token = token_of(keyed, "sessions", "archive", name)
    assert standin.state.sessions[there].record["archived_at"] is None
    said = keyed("sessions", "archive", name, "--confirm", token)
    assert said.status == 0, said.err
    assert standin.state.sessions[there].record["archived_at"] is not None
    assert keyed.home.session_ids() == [name]
    assert deeds(keyed)[0]["did"] == "archived"
    assert "archived already" in keyed("sessions", "archive", there).err


def test_archiving_what_others_made_is_refused(keyed: Command, standin: Standin) -> None:
    name, _ = here_and_there(keyed, standin, OTHER)
    before = writes(standin)
    said = keyed("sessions", "archive", name)
    assert said.status == 2
    assert "--foreign" in said.complaint
    assert writes(standin) == before


def test_one_that_never_rests_is_given_up_and_kept(keyed: Command, standin: Standin) -> None:
    name, _ = here_and_there(keyed, standin)
    token = token_of(keyed, "sessions", "delete", name)
    standin.run(lambda: setattr(standin.state.only(), "lag", 10_000))
    said = keyed("sessions", "delete", name, "--confirm", token)
    assert said.status == 3
    assert "still running after an interrupt" in said.err
    assert keyed.home.session_ids() == [name]


def test_a_session_whose_making_is_in_doubt_is_looked_for_and_goes_too(keyed: Command, standin: Standin) -> None:
    name, _ = here_and_there(keyed, standin)
    orphan = began(standin, metadata={**made_by(install_of(keyed.home)), "warroom_nonce": "0123456789abcdef"})
    rest(standin, orphan)
    assert orphan in asyncio.run(removed(keyed, standin, SessionRow(id=name, asked="0123456789abcdef")))
    assert orphan in standin.state.deleted


async def removed(keyed: Command, standin: Standin, row: SessionRow) -> str:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY}
    reach = reach_of(EngineSettings(), env, keyed.home, FakeClock())
    async with reach.client:
        return await Removal(keyed.home, FakeClock(), lambda words: None, reach).remove(row)


def test_what_is_left_at_the_server_is_found_and_nothing_else(keyed: Command, standin: Standin) -> None:
    mine = install_of(keyed.home)
    name, kept = here_and_there(keyed, standin)
    stray, theirs = began(standin, metadata=made_by(mine)), began(standin, metadata=made_by(OTHER))
    claimed_away = began(standin, metadata={**made_by(mine), "warroom_hands": OTHER})
    for one in (stray, theirs, claimed_away):
        rest(standin, one)
    assert "No session at the server" in keyed("purge", "--remote", "--older-than", "1d").err
    assert keyed("purge", "--remote", "--older-than", "0s", "--local-only").status == 2
    first = keyed("purge", "--remote", "--older-than", "0s")
    assert "1 session at" in first.err
    said = keyed("purge", "--remote", "--older-than", "0s", "--confirm", first.err.rstrip().rpartition(" ")[2])
    assert said.status == 0, said.err
    assert standin.state.deleted == {stray}
    assert {kept, theirs, claimed_away} <= set(standin.state.sessions)
    assert keyed.home.session_ids() == [name]
    assert deeds(keyed)[-1]["remote"] == stray
    assert kept in keyed("sessions", "show", name).out
