"""Tests that a change takes away along with what it does to the code: what would have told is gone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subagents.deploys.paths import path_class
from subagents.deploys.sources.patch import FileDiff

_NAMED = re.compile(
    r"^\s*(?:async\s+)?def\s+(test_\w+)|^\s*func\s+(Test\w+)\s*\(|^\s*fn\s+(test_\w+)\s*\("
    r"|^\s*(?:it|test|specify)\(\s*[\"'`]([^\"'`]{3,120})|\bvoid\s+(test\w+|\w+Test|should\w+)\s*\("
)


@dataclass(frozen=True)
class LostTest:
    """A test that goes and does not come back under its name anywhere in the change."""

    name: str
    path: str
    line: int | None


def lost_tests(files: Sequence[FileDiff]) -> tuple[LostTest, ...]:
    """Return the tests that a patch removes; those that it moves are kept, those that it renames are not told apart."""
    tests = [diff for diff in files[:200] if diff.path and path_class(diff.path) == "test"]
    gone = [(diff, hunk, names) for diff in tests for hunk in diff.hunks if (names := _names(hunk.removed()))]
    if not gone:
        return ()
    kept = {name for diff in files[:200] for hunk in diff.hunks for name in _names(hunk.added())}
    found: dict[str, LostTest] = {}
    for diff, hunk, names in gone:
        added = len(_names(hunk.added()))
        lost = [name for name in names if name not in kept]
        for name in lost[: len(lost) - added] if added else lost:  # as many may have been renamed
            found.setdefault(name, LostTest(name, diff.path, hunk.place()))
    return tuple(found.values())


def _names(lines: Iterable[str]) -> list[str]:
    matches = (_NAMED.search(line) for line in lines if "(" in line or "test" in line)
    return [next(group for group in match.groups() if group) for match in matches if match]
