"""A stand-in for the API, a state home, and the command line that talks to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from anthropic import AsyncAnthropic

from orchestrator.journal.home import StateHome
from tests.managed.driving import Driver, driver
from tests.managed.streaming import client_of, lead, scout
from tests.standin import Options, Standin

KEY = "sk-ant-CANARY-4f1c9b7e2a8d6053"
"""Looked for in everything that is written or shown."""

UNSET = (
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_CUSTOM_HEADERS",
    "ANTHROPIC_WORKSPACE_ID",
    "WARROOM_BASE_URL",
    "WARROOM_KEY_ENV",
    "WARROOM_MODEL",
    "WARROOM_ENGINE",
    "XDG_CONFIG_HOME",
)


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(options=Options(key=KEY)) as server:
        yield server


@dataclass
class Said:
    """What a command did."""

    status: int
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """The one line that says what was wrong; fails where it is not one line."""
        lines = [line for line in self.err.splitlines() if line.startswith("warroom: ")]
        assert len(lines) == 1, self.err
        assert "Traceback" not in self.err + self.out
        return lines[0]


@dataclass
class Command:
    """The command line in this process, at home in a folder of its own."""

    home: StateHome
    cwd: Path
    patch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    heard: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str, **env: str) -> Said:
        from tui.cli import cli
        from tui.commands.faults import run_to_exit_status

        with self.patch.context() as patched:
            for name, value in env.items():
                patched.setenv(name, value)
            self.capture.readouterr()
            status = run_to_exit_status(cli, arguments)
        said = self.capture.readouterr()
        self.heard += [said.out, said.err]
        return Said(status, said.out, said.err)


@pytest.fixture
def command(
    state_home: StateHome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    for name in UNSET:
        monkeypatch.delenv(name, raising=False)
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.chdir(place)
    return Command(state_home, place, monkeypatch, capsys)


@pytest.fixture
def synced(command: Command, standin: Standin, monkeypatch: pytest.MonkeyPatch) -> Command:
    """The command line with a key, after one sync."""
    monkeypatch.setenv("ANTHROPIC_BASE_URL", standin.base_url)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    said = command("agents", "sync", "--yes")
    assert said.status == 0, said.err
    return command


Creates = Callable[[], list[str]]


@pytest.fixture
def changed(standin: Standin) -> Creates:
    """Return, each time, the requests since the last time that were no reads."""
    seen = 0

    def since() -> list[str]:
        nonlocal seen
        fresh = standin.requests[seen:]
        seen += len(fresh)
        return [f"{one.method} {one.path}" for one in fresh if one.method != "GET"]

    return since


@pytest.fixture
def server() -> Iterator[Standin]:
    """A stand-in whose lead asks its scouts, where no test's script says otherwise."""
    with Standin({"lead": lead, "scout": scout}, options=Options(key=KEY)) as made:
        yield made


@pytest.fixture
async def client(server: Standin) -> AsyncIterator[AsyncAnthropic]:
    """The service's own client at that stand-in, which tries nothing again."""
    async with client_of(server) as made:
        yield made


@pytest.fixture
async def drive(server: Standin, tmp_path: Path) -> AsyncIterator[Driver]:
    """Sessions of a coordinator and one scout at that stand-in."""
    async with driver(server, tmp_path / "home") as made:
        yield made
