"""The core works headless: importing it brings no UI framework, no SDK, no heavy library."""

from __future__ import annotations

import subprocess
import sys

import pytest

UNWANTED = {"textual", "rich", "anthropic", "polars", "numpy", "git", "re2", "zstandard", "yaml", "httpx2"}


@pytest.mark.parametrize(
    "module",
    [
        "orchestrator.compose",
        "orchestrator.session",
        "orchestrator.engines.offline.engine",
        "subagents.roster",
        "tui.cli",
    ],
)
def test_importing_a_room_stays_light(module: str) -> None:
    script = f"import {module}, sys; print(*{{name.partition('.')[0] for name in sys.modules}})"
    found = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True).stdout
    assert module.partition(".")[0] in found.split(), "the module was imported"
    assert UNWANTED.isdisjoint(found.split())
