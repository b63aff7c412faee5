"""docs/evaluation.md says what the code does."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from orchestrator.evaluate import scoring
from orchestrator.evaluate.lines import EvalLine
from orchestrator.evaluate.pool import Setting
from tui.commands.evaluate import compare_runs, run

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    warroom eval (.*?)(?:\s+#.*)?$", PAGE, re.MULTILINE)


def test_every_field_of_a_line_is_named() -> None:
    assert [name for name in EvalLine.model_fields if f"`{name}`" not in PAGE] == []


def test_every_measure_and_default_is_named() -> None:
    named = (
        "RIGHT",
        "WRONG",
        "ABSTAINED",
        "WRONG_NONE",
        "NONE_FOUND",
        "DECOY",
        "DETECTED",
        "QUIET",
        "HEALTH",
        "NO_VERDICT",
    )
    measures = [str(getattr(scoring, name)) for name in named]
    assert [one for one in (*measures, "Top-1", "Top-3", "AC@1", "AC@3", "Avg@5") if one not in PAGE] == []
    for field in ("timeout_s", "memory_mib"):
        assert f"({Setting.__dataclass_fields__[field].default:g} " in PAGE


@pytest.mark.parametrize("typed", COMMANDS)
def test_every_command_parses(typed: str) -> None:
    words = shlex.split(typed)
    command, arguments = (compare_runs, words[1:]) if words[0] == "compare" else (run, words)
    with click.Context(command):
        command.make_context("eval", arguments)
