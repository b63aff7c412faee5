"""Indexes made with the compiled library and without it, which must say the same.

A test file that imports `small_blocks` has its files read in small blocks.
"""

from __future__ import annotations

from typing import Any

import pytest

from subagents.contract import SourceSpec
from subagents.logs.index import HOSTS_KEPT, LogIndex
from subagents.logs.sources import alike, log_source, parts, reader
from subagents.logs.sources import lines as lines_module
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import Names

__all__ = ["built", "looked_up", "small_blocks", "what_it_says", "without_library"]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files of some thousand lines read as large ones are."""
    monkeypatch.setattr(log_source, "ALIKE_BYTES", 0)
    monkeypatch.setattr(log_source, "ALIKE_BLOCK_BYTES", 0)
    monkeypatch.setattr(reader, "FIRST_BYTES", 4096)
    monkeypatch.setattr(alike, "WORTH_CHECKING", 0)
    monkeypatch.setattr(alike, "WORTH_FOLLOWING", 0)
    monkeypatch.setattr(parts, "BLOCK_BYTES", 1 << 15)


def built(spec: SourceSpec) -> LogIndex:
    """Return the index that the library makes."""
    return LogIndex.build([LogSource(spec, block_bytes=1 << 16)])


def without_library(spec: SourceSpec, monkeypatch: pytest.MonkeyPatch) -> LogIndex:
    """Return the index that is made without it."""
    with monkeypatch.context() as patched:
        patched.setattr(log_source, "library", lambda: None)
        patched.setattr(lines_module, "texts_of", lambda *_: None)
        return built(spec)


def what_it_says(index: LogIndex) -> dict[str, Any]:
    """Return all that an index says, to be compared."""
    by = ["key", "source", "service", "level", "bucket"]
    groups = {name: (group.counts, group.firsts, group.lasts) for name, group in index.stacks.groups.items()}
    return {
        "keys": index.keys,
        "table": index.table.sort(by).rows(),
        "examples": list(index.examples),
        "coverage": index.coverage,
        "names": (set(index.names.services), set(index.names.hosts)),
        "hosts": {key: set(hosts) for key in range(len(index.keys)) if len(hosts := index.hosts(key)) < HOSTS_KEPT},
        "traces": (index.stacks.traces, groups),
        "counts": (index.lines, index.events),
    }


def looked_up(spec: SourceSpec) -> tuple[int, int]:
    """Return (events looked up, all)."""
    found = list(LogSource(spec, block_bytes=1 << 16).parts(Names()))
    return sum(part.count - len(part.placed) for part in found), sum(part.count for part in found)
