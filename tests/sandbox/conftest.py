"""One sandbox for these tests, and a short way to run a Python script in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.codefix.limits import SandboxLimits
from subagents.codefix.sandbox import Sandbox, SandboxJob, SandboxRun
from subagents.codefix.sandbox_mounts import View
from subagents.codefix.sandbox_toolchains import Place, Toolchains
from tests.gitstore.repos import init
from tests.sandbox.checked import Bench

RunPython = Callable[..., SandboxRun]


@pytest.fixture(scope="session")
def sandbox() -> Sandbox:
    return Sandbox()


@pytest.fixture(scope="session")
def python() -> Place:
    place = Toolchains().python(None, "", "")
    assert place is not None
    return place


@pytest.fixture
def export(tmp_path: Path) -> Path:
    place = tmp_path / "export"
    place.mkdir()
    return place


@pytest.fixture
def run_python(sandbox: Sandbox, python: Place, export: Path) -> RunPython:
    """Run a script in the sandbox, within 20 s unless told otherwise."""

    def run(
        script: str,
        *arguments: str,
        limits: SandboxLimits = SandboxLimits(wall_s=20),  # noqa: B008  frozen
        cancelled: Callable[[], bool] = lambda: False,
    ) -> SandboxRun:
        (export / "script.py").write_text(script)
        view = View(export, ro_paths=python.ro_paths)
        return sandbox.run(SandboxJob((python.program, "script.py", *arguments), view, limits=limits), cancelled)

    return run


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(init(tmp_path / "repo"), tmp_path / "runs")
