"""Commits whose dates cannot be right: later than what was built on them, or earlier than what they build on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta

from subagents.deploys.sources.records import Commit

Getter = Callable[[str], Commit | None]

TOLERANCE = timedelta(hours=1)
"""By so much clocks may differ before a date is doubted."""


def mark_misdated(commits: Sequence[Commit], until: datetime | None) -> list[Commit]:
    """Mark the commits whose dates are not to be relied on, and return them; `until` is when the window ends."""
    by_sha = {commit.sha: commit for commit in commits}
    found: dict[str, Commit] = {}
    for child in commits:
        for sha in child.parents:
            parent = by_sha.get(sha)
            if parent is not None and _later(parent, child):
                wrong = parent if _is_the_wrong_one(parent, child, by_sha.get, until) else child
                wrong.misdated = True
                found[wrong.sha] = wrong
    return list(found.values())


def _later(parent: Commit, child: Commit) -> bool:
    one, other = parent.committed_at, child.committed_at
    return one is not None and other is not None and one > other and one - other > TOLERANCE


def _is_the_wrong_one(parent: Commit, child: Commit, known: Getter, until: datetime | None) -> bool:
    """Of a parent dated after its child, say whether the parent is wrong: the child fits what came before both."""
    if until is not None and parent.committed_at is not None and parent.committed_at > until:
        return True
    before = [found for sha in parent.parents if (found := known(sha)) is not None]
    return bool(before) and not any(_later(each, child) for each in before)


def edges(commits: Iterable[Commit]) -> list[str]:
    """Return the parents that were not read along with their children."""
    held, parents = set[str](), dict[str, None]()
    for commit in commits:
        held.add(commit.sha)
        parents.update(dict.fromkeys(commit.parents))
    return [sha for sha in parents if sha not in held]
