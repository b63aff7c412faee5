"""The programs of the corpora: which layout each prints in, what it says, and whether it is frozen."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.corpora.layouts import LAYOUTS, Layout
from benchmarks.corpora.statements import Statement, statements

UNGRADED = frozenset({"access"})
"""Access logs print one statement; warroom groups them by path and status on purpose."""
_SECTION = re.compile(r"^\[(\w+)\] (\w+) (\w+)\n", re.MULTILINE)


@dataclass(frozen=True)
class System:
    """A program: its layout and statements, and whether rules of grouping may be chosen on it."""

    name: str
    layout: Layout
    statements: tuple[Statement, ...]
    frozen: bool
    service: bool
    """One of the service-like ones: few statements, an id in nearly every line."""

    @property
    def graded(self) -> bool:
        """Whether grouping is measured on it."""
        return self.name not in UNGRADED


def _systems(file: str, *, frozen: bool) -> list[System]:
    parts = _SECTION.split((Path(__file__).parent / file).read_text(encoding="utf-8"))
    sections = zip(parts[1::4], parts[2::4], parts[3::4], parts[4::4], strict=True)
    return [
        System(name, LAYOUTS[layout], statements(name, block), frozen, kind == "service")
        for name, layout, kind, block in sections
    ]


SYSTEMS: tuple[System, ...] = (*_systems("tuning.txt", frozen=False), *_systems("frozen.txt", frozen=True))
"""All of them; frozen.txt was written before any rule was chosen."""
