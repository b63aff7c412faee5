"""Which commits lie between two others, from the parents that are known: no process, and no guess where one is not."""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from subagents.deploys.sources.records import Commit

_OF_HEAD, _OF_PREVIOUS, _OF_BOTH = 1, 2, 3
STEPS_LIMIT = 20_000
"""Commits that are walked over before the question is left to git."""


@dataclass(frozen=True)
class Between:
    """What one version has and another has not, newest first."""

    added: tuple[str, ...]
    removed: tuple[str, ...]


def between(commits: Mapping[str, Commit], previous: str, head: str) -> Between | None:
    """Return what `head` adds to `previous` and takes from it; None where a parent or a date does not let one say."""
    if previous == head:
        return Between((), ())
    walk = _Walk(commits)
    if not (walk.mark(head, _OF_HEAD) and walk.mark(previous, _OF_PREVIOUS)):
        return None
    for _ in range(STEPS_LIMIT):
        if not walk.unsettled():
            return Between(tuple(walk.found(_OF_HEAD)), tuple(walk.found(_OF_PREVIOUS)))
        if not walk.step():
            return None
    return None


def _date(commit: Commit) -> float:
    return commit.committed_at.timestamp() if commit.committed_at else 0.0


class _Walk:
    """Paints histories down from two commits, newest first, until all that is left is common to both."""

    def __init__(self, commits: Mapping[str, Commit]) -> None:
        self._commits = commits
        self._marks: dict[str, int] = {}
        self._queue: list[tuple[float, str]] = []
        self._queued: dict[str, int] = {}
        """Marks with which a commit waits in the queue."""
        self._last = datetime(9000, 1, 1, tzinfo=UTC).timestamp()

    def mark(self, sha: str, marks: int) -> bool:
        """Add marks to a commit and have it looked at again if that is news; say whether the commit is known."""
        known = self._marks.get(sha, 0)
        if known | marks == known:
            return True
        commit = self._commits.get(sha)
        if commit is None or commit.committed_at is None:
            return False
        self._marks[sha] = known | marks
        if sha not in self._queued:
            heapq.heappush(self._queue, (-_date(commit), sha))
        self._queued[sha] = known | marks
        return True

    def unsettled(self) -> bool:
        """Say whether a commit of one side only is still to be looked at, or one as young as the last one was."""
        if self._queue and -self._queue[0][0] >= self._last:
            return True
        return any(marks != _OF_BOTH for marks in self._queued.values())

    def step(self) -> bool:
        """Hand the youngest commit's marks to its parents; False where one is unknown or dated after its child."""
        _, sha = heapq.heappop(self._queue)
        marks, commit = self._queued.pop(sha), self._commits[sha]
        self._last = _date(commit)
        for parent in commit.parents:
            if not self.mark(parent, marks) and marks != _OF_BOTH:
                return False
            if parent in self._commits and _date(self._commits[parent]) > self._last:
                return False
        return bool(commit.parents) or (commit.is_first and marks == _OF_BOTH)

    def found(self, side: int) -> list[str]:
        """Return the commits of one side, newest first."""
        return sorted((sha for sha, marks in self._marks.items() if marks == side),
                      key=lambda sha: -_date(self._commits[sha]))  # fmt: skip
