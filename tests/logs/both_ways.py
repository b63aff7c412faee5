"""Indexes made with the compiled library and without it, which must say the same.

A test file that imports `small_blocks` has its files read in small blocks.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from subagents.contract import SourceSpec
from subagents.logs.index import HOSTS_KEPT, LogIndex
from subagents.logs.sources import alike, log_source, parts, reader
from subagents.logs.sources import lines as lines_module
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import Names
from subagents.logs.sources.parts import Part

__all__ = ["built", "built_counting", "looked_up", "small_blocks", "what_it_says", "without_library"]

SMALL = 1 << 15
"""Some hundred lines make a block of it, so that few are read before the others can be looked up."""


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have files of a thousand lines read as large ones are."""
    monkeypatch.setattr(log_source, "ALIKE_BYTES", 0)
    monkeypatch.setattr(log_source, "ALIKE_BLOCK_BYTES", 0)
    monkeypatch.setattr(reader, "FIRST_BYTES", 4096)
    monkeypatch.setattr(reader, "LEAST_BYTES", 4096)
    monkeypatch.setattr(alike, "WORTH_CHECKING", 0)
    monkeypatch.setattr(alike, "WORTH_FOLLOWING", 0)
    monkeypatch.setattr(parts, "BLOCK_BYTES", SMALL // 2)


def built(spec: SourceSpec) -> LogIndex:
    """Return the index that the library makes."""
    return LogIndex.build([LogSource(spec, block_bytes=SMALL)])


def built_counting(spec: SourceSpec) -> tuple[LogIndex, int, int]:
    """Return the index that the library makes, and of how many of its events (looked up, all)."""
    source = _Counted(spec, block_bytes=SMALL)
    return LogIndex.build([source]), source.few, source.every


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
    source = _Counted(spec, block_bytes=SMALL)
    for _ in source.parts(Names()):
        pass
    return source.few, source.every


@dataclass
class _Counted(LogSource):
    """Counts, as it is read, the events that were looked up, and all."""

    few: int = 0
    every: int = 0

    def parts(self, names: Names) -> Iterator[Part]:
        for part in super().parts(names):
            self.few += part.count - len(part.placed)
            self.every += part.count
            yield part
