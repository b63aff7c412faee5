"""What is asked of each block of a mixed file fits into what Polars keeps ready: else each expression is made anew."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from polars.expr.string import ExprStringNameSpace

from benchmarks.corpora import write
from subagents.contract import SourceSpec
from subagents.logs.index import LogIndex
from subagents.logs.sources.alike import AlikeReader
from subagents.logs.sources.expressions import KEPT_READY
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.parts import PartReader
from tests.logs.both_ways import small_blocks

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")

TAKE_ROOM = {"contains": True, "find": True, "extract": False, "extract_all": False, "extract_groups": False}
TAKE_ROOM |= {"replace": False, "replace_all": False}
"""What makes an expression ready; whether it does for a literal text too."""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[set[str]]:
    """The different expressions by which the lines of each block were read, not those by which classes are checked."""
    found, reading = list[set[str]](), threading.local()

    def counting(name: str, inner: Callable[..., Any], literal_too: bool) -> Callable[..., Any]:
        def ask(self: Any, pattern: Any, *args: Any, **options: Any) -> Any:
            if (literal_too or not options.get("literal")) and getattr(reading, "now", None) is not None:
                reading.now.add(f"{options.get('literal', False)} {pattern}")
            return inner(self, pattern, *args, **options)

        return ask

    for name, literal_too in TAKE_ROOM.items():
        inner = getattr(ExprStringNameSpace, name)
        monkeypatch.setattr(ExprStringNameSpace, name, counting(name, inner, literal_too))
    read, known = PartReader.read, AlikeReader.known

    def reads(self: PartReader, *args: Any) -> Any:
        reading.now = set()
        found.append(reading.now)
        return read(self, *args)

    def checks(self: AlikeReader, *args: Any) -> Any:
        kept, reading.now = getattr(reading, "now", None), None
        checked = known(self, *args)
        reading.now = kept
        return checked

    monkeypatch.setattr(PartReader, "read", reads)
    monkeypatch.setattr(AlikeReader, "known", checks)
    return found


def test_what_is_asked_of_a_block_is_kept_ready(tmp_path: Path, asked: list[set[str]]) -> None:
    path = tmp_path / "app.log"
    write(path, "plain", 3.0)
    LogIndex.build([LogSource(SourceSpec(id="logs", kind="logs", path=str(path)), block_bytes=1 << 18)])
    steady = sorted(map(len, asked[len(asked) // 2 :]))
    assert len(steady) > 4
    assert steady[-1] <= KEPT_READY
    assert steady[0] > 10, "or nothing was counted"
