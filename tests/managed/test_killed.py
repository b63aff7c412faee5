"""Kill -9 in the middle of a sync: whatever had begun is found again, and nothing is created twice."""

from __future__ import annotations

import subprocess

from tests.cli.command import WARROOM, environment
from tests.managed.conftest import KEY, Command
from tests.standin import Standin


def test_a_killed_sync_is_finished_by_the_next(command: Command, standin: Standin) -> None:
    env = {"ANTHROPIC_BASE_URL": standin.base_url, "ANTHROPIC_API_KEY": KEY, "WARROOM_HOME": str(command.home.path)}
    standin.faults.add("POST", "/v1/agents", skip=2, late="the answer")
    with subprocess.Popen(
        [str(WARROOM), "agents", "sync", "--yes"],
        env=environment(command.cwd, **env),
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        standin.until(lambda state: len(state.agents) == 3)
        process.kill()
    standin.open("the answer")
    said = command("agents", "sync", "--yes", **env)
    assert said.status == 0, said.err
    assert (len(standin.state.agents), len(standin.state.environments)) == (5, 1)
    assert command("agents", "status", **env).status == 0
    assert '"intents": []' in (command.home.path / "managed.json").read_text()
