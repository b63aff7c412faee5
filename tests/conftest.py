"""What every test shares: the soak and needs markers, a fake clock, a state directory of its own."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from orchestrator.journal.home import StateHome
from tests.fakes import FakeClock

# No test may spend a person's money or depend on their keys: whoever needs a key sets one of their own.
for _name in [name for name in os.environ if name.startswith("ANTHROPIC_")]:
    del os.environ[_name]

# No test may depend on how busy the machine is.
hypothesis.settings.register_profile("busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("busy")


@functools.cache
def _may_mount() -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    with tempfile.TemporaryDirectory() as place:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", place], check=False, capture_output=True
        )
        if mounted.returncode == 0:
            subprocess.run(["umount", place], check=True)
    return mounted.returncode == 0


def _may_contain() -> bool:
    from subagents.codefix.sandbox_probe import probe

    return probe().usable


def _is_compiled() -> bool:
    from subagents.logs.native import library

    return library() is not None


# Tools that are more than one command on the path. What is not here is looked up on the path.
PROBES: dict[str, Callable[[], bool]] = {
    "tmpfs": _may_mount,
    "bwrap": functools.cache(_may_contain),
    "compiled": _is_compiled,
}


def _required(tool: str) -> bool:
    named = {name.strip() for name in os.environ.get("WARROOM_REQUIRE", "").split(",")}
    return tool in named or "all" in named


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the soak tests out unless they are asked for by `-m`."""
    if "soak" in config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("soak")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose tool is absent, saying so; fail it where WARROOM_REQUIRE names the tool or says `all`."""
    for marker in item.iter_markers("needs"):
        for tool in marker.args:
            there = PROBES[tool]() if tool in PROBES else shutil.which(tool) is not None
            if there:
                continue
            if _required(tool):
                pytest.fail(f"{tool} is absent, and WARROOM_REQUIRE asks for it", pytrace=False)
            pytest.skip(f"needs {tool}, which is absent here")


@pytest.fixture
def fake_clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> StateHome:
    """A state directory of the test's own, also for code that locates it from the environment."""
    path = tmp_path / "warroom-home"
    monkeypatch.setenv("WARROOM_HOME", str(path))
    return StateHome(path)
