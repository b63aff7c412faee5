"""`sessions list --remote`: what the server keeps beside what is kept here; one of them failing hides nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from rich.cells import cell_len

from tests.managed.conftest import KEY, Command
from tests.managed.elsewhere import OTHER, began, install_of, made_by, rest
from tests.standin import Standin
from tests.standin.cast import caller, talker


@pytest.fixture
def keyed(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    return command


def listed(keyed: Command, *options: str) -> dict[str, Any]:
    said = keyed("sessions", "list", "--remote", "--json", *options)
    found: dict[str, Any] = json.loads(said.out)
    return found


def test_both_lists_name_each_other(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": talker})
    mine = began(standin, title="mine", metadata=made_by(install_of(keyed.home)))
    theirs = began(standin, title="漢字" * 60 + "\x1b[31m", metadata=made_by(OTHER))
    nobodys = began(standin, text=None)
    rest(standin, mine)
    rest(standin, theirs)
    assert keyed("attach", mine, "--headless").status == 0
    (name,) = keyed.home.session_ids()
    said = keyed("sessions", "list", "--remote")
    assert said.status == 0, said.err
    assert "\x1b" not in said.out
    here, _, there = said.out.partition(f"\nAt {standin.base_url.removeprefix('http://')}:\n")
    assert name in here
    rows = {line.split()[0]: line for line in there.splitlines()}
    assert name in rows[mine]
    assert f"by {OTHER[:8]}" in rows[theirs]
    assert "by no warroom" in rows[nobodys]
    assert cell_len(rows[theirs].partition("漢")[1] + rows[theirs].partition("漢")[2]) <= 44
    assert rows[theirs].rstrip().endswith("…")
    document = listed(keyed)
    found = {row["id"]: row for row in document["remote"]}
    assert [row["id"] for row in document["local"]] == [name]
    assert (found[mine]["session"], found[mine]["ours"], found[mine]["agent"]) == (name, True, "lead v1")
    assert (found[theirs]["session"], found[theirs]["install"], found[nobodys]["install"]) == (None, OTHER, None)
    assert found[mine]["cost_usd"] is not None


def test_filters_count_for_both(keyed: Command, standin: Standin) -> None:
    standin.script({"lead": caller})
    waiting = began(standin)
    standin.until(lambda state: state.sessions[waiting].blocked())
    assert [row["id"] for row in listed(keyed, "--since", "1h")["remote"]] == [waiting]
    assert listed(keyed, "--status", "terminated")["remote"] == []
    assert listed(keyed, "--since", "2999-01-01T00:00Z")["remote"] == []
    wrong = keyed("sessions", "list", "--remote", "--status", "asleep")
    assert wrong.status == 2
    assert "'asleep' is not a status" in wrong.complaint


def test_more_than_a_page_is_read_and_what_is_left_out_is_said(
    keyed: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = [began(standin, text=None) for _ in range(5)]
    monkeypatch.setattr("orchestrator.engines.managed.remote_sessions._PAGE", 2)
    assert [row["id"] for row in listed(keyed)["remote"]] == ids[::-1]
    monkeypatch.setattr("orchestrator.engines.managed.remote_sessions.list_sessions.__defaults__", ((), None, 3))
    said = keyed("sessions", "list", "--remote", "--json")
    assert json.loads(said.out)["more"] is True
    assert "only the newest 3" in said.err


@pytest.mark.parametrize("fault", ["no key", "lost", "401", "slow"])
def test_what_is_here_is_listed_whatever_the_server_does(
    keyed: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    standin.script({"lead": talker})
    there = began(standin)
    rest(standin, there)
    assert keyed("attach", there, "--headless").status == 0
    if fault == "no key":
        monkeypatch.delenv("ANTHROPIC_API_KEY")
    elif fault == "lost":
        standin.faults.lose_answer("/v1/sessions", "GET", times=9)
    elif fault == "401":
        standin.options.revoked.add(KEY)
    else:
        monkeypatch.setattr("orchestrator.engines.managed.reach.ASKING_S", 0.05)
        standin.faults.add("GET", "/v1/sessions", gate="never", times=9)
    (name,) = keyed.home.session_ids()
    said = keyed("sessions", "list", "--remote")
    assert said.status == 3
    assert name in said.out
    assert said.complaint.startswith("warroom: those at the server could not be listed: ")
    assert KEY not in said.err
