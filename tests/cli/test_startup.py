"""What is imported when nothing was chosen: looked at in a fresh interpreter, not timed."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "pydantic",
    "textual",
    "rich",
    "anthropic",
    "polars",
    "numpy",
    "git",
    "sqlite3",
    "asyncio",
    "zstandard",
    "msgspec",
    "orjson",
    "orchestrator",
    "subagents",
    "runbooks",
}

LOOK = """
import sys
from tui.cli import cli
try:
    cli.main(args={arguments!r}, prog_name="warroom", standalone_mode=True)
except SystemExit as end:
    assert end.code in (0, None), end.code
print("\\n@", *sorted(m for m in sys.modules if "." not in m))
"""


def imported_by(*arguments: str) -> tuple[set[str], str]:
    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK.format(arguments=list(arguments))],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown, _, modules = ran.stdout.rpartition("\n@")
    return set(modules.split()), shown


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["--version"], ["completion", "bash"], ["run", "--help"]])
def test_nothing_heavy_is_imported_before_a_command_needs_it(arguments: list[str]) -> None:
    modules, _ = imported_by(*arguments)
    assert not modules & HEAVY


def test_the_look_would_see_a_heavy_import() -> None:
    modules, _ = imported_by("schema", "verdict")
    assert {"pydantic", "orchestrator"} <= modules


def test_help_lists_every_command_without_importing_its_module() -> None:
    from tui.cli import COMMANDS

    ran = subprocess.run(
        [sys.executable, "-P", "-c", LOOK.format(arguments=["--help"]).replace('if "." not in m', "")],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shown, _, modules = ran.stdout.rpartition("\n@")
    for name, listed in COMMANDS.items():
        assert f"  {name} " in shown
        assert listed.help.split()[0] in shown
        assert listed.target.partition(":")[0] not in modules.split()


def test_the_core_leaves_ui_and_sdk_alone() -> None:
    script = (
        "import sys, orchestrator, orchestrator.compose, orchestrator.verdict.report, subagents.contract\n"
        "print(*sorted(m for m in sys.modules if '.' not in m))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert not set(ran.stdout.split()) & {"textual", "rich", "anthropic", "polars", "numpy", "click"}
