"""Budgets at the command line: a bound run ends well, says what it did not look at, and can be given more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import InProcess, settle, warroom
from tests.cli.incidents import write_logs


def test_a_bound_run_concludes_and_goes_on_when_a_person_gives_it_more(tmp_path: Path, quick: InProcess) -> None:
    folder = tmp_path / "incident"
    write_logs(folder)
    ran = settle(warroom(tmp_path, "run", str(folder), "--headless", "--budget", "4calls"))
    made = ran.json()
    session = made["session"]
    assert ran.status == 0
    assert made["kind"] == "inconclusive"
    assert any("did not finish" in gap["text"] for gap in made["verdict"]["gaps"])
    assert made["budget"]["bounds"]["tool_calls"] == 4
    assert made["budget"]["used"]["tool_calls"] <= 4
    assert f"warroom sessions budget {session}" in ran.err
    assert "budget (settings): at most 4 tool calls" in ran.err

    shown = settle(quick("sessions", "show", session)).out
    assert "of 4 tool calls" in shown
    table = settle(quick("sessions", "budget", session)).out
    assert "KEPT FOR THE VERDICT" in table
    assert quick("sessions", "budget", session, "3calls").complaint().endswith("give the new bound, not what is added")
    assert "usd is not bounded" in quick("sessions", "budget", session, "5usd").complaint()
    raised = quick("sessions", "budget", session, "300calls", "--json")
    assert "4 tool calls raised to 300 tool calls" in raised.err
    assert [change["by"] for change in raised.json()["changes"]] == ["settings", "person"]

    again = settle(warroom(tmp_path, "sessions", "resume", session, "--headless"))
    assert not any("did not finish" in gap["text"] for gap in again.json()["verdict"]["gaps"])
    assert "of 300 tool calls" in settle(quick("report", session)).out


@pytest.mark.parametrize("amount", ["", "5", "lots", "log:5calls", "0usd", "5usd,5usd"])
def test_what_is_no_budget_is_refused_before_anything_begins(tmp_path: Path, quick: InProcess, amount: str) -> None:
    ran = quick("run", str(tmp_path), "--budget", amount)
    assert ran.status == 2
    assert ran.complaint().startswith("warroom: budget: ")
    assert not (tmp_path / "state").exists()
