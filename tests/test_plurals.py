"""No text for people leaves the count of things to the reader: `counted` and `verb` say it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from subagents.quantities import counted, verb

ROOT = Path(__file__).parents[1]
_LEFT_OPEN = re.compile(r"[a-z]\((?:s|es|ies)\)(?![a-z?|*)_])")


def _texts(tree: ast.AST) -> list[str]:
    """Return what code says: its strings, without documentation and without what is an expression to match."""
    documented = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documented
    ]


@pytest.mark.parametrize("floor", ["tui", "orchestrator", "subagents"])
def test_no_text_counts_with_a_plural_in_brackets(floor: str) -> None:
    said = [
        f"{path.relative_to(ROOT)}: {text[:80]}"
        for path in sorted((ROOT / floor).rglob("*.py"))
        if "(s)" in (source := path.read_text()) or "(es)" in source
        for text in _texts(ast.parse(source))
        if _LEFT_OPEN.search(text)
    ]
    assert not said


def test_a_verb_goes_with_its_count() -> None:
    assert [verb(1, one) for one in ("pass", "go", "touch", "stay")] == ["passes", "goes", "touches", "stays"]
    assert [verb(2, "touch"), counted(1, "event"), counted(0, "event")] == ["touch", "1 event", "0 events"]
