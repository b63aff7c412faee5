"""What is told while the history is read and diffs are: how many commits, how far back, how many diffs of how many."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from subagents.contract import Progress, ToolContext
from subagents.deploys.sources.records import Commit

EVERY = 64
"""Commits between two that are told of: most of the time nobody asks."""


class SoFar:
    """Passes on what is read, and tells how much that is."""

    def __init__(self, context: ToolContext) -> None:
        self._progress = context.progress
        self._commits = self._diffs = 0

    def commits(self, take: Callable[[Commit], None] | None = None) -> Callable[[Commit], None]:
        """Return what is given each commit of a repository as it comes; `take` is given it, too."""

        def seen(commit: Commit) -> None:
            self._commits += 1
            if take is not None:
                take(commit)
            if self._commits % EVERY == 1:
                self._progress(lambda: self._history(commit))

        return seen

    def _history(self, commit: Commit) -> Progress:
        back = f"back to {commit.committed_at:%Y-%m-%d %H:%M} UTC" if commit.committed_at is not None else ""
        return Progress(done=self._commits, unit="commits", text=back)

    def diffs(self, fill: Callable[[Sequence[Commit]], None], total: int) -> Callable[[Sequence[Commit]], None]:
        """Return what reads the diffs of some commits, of at most `total` in all."""

        def filled(commits: Sequence[Commit]) -> None:
            words = "of the most suspicious changes" + (f"; {self._commits:,} commits read" if self._commits else "")
            self._progress(lambda: Progress(done=self._diffs, total=total, unit="diffs", text=words))
            fill(commits)
            self._diffs += len(commits)

        return filled
