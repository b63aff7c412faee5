"""Changes that a later commit put back as it was, whatever its message says: both are compared, file by file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache

from subagents import quantities
from subagents.deploys.ending import Undone, after_going_back
from subagents.deploys.scores import BASE, CLOCK_SLACK, Part, Question, Scored, logistic
from subagents.deploys.sources.patch import diffs_of
from subagents.deploys.sources.records import Commit
from subagents.deploys.timeline import Timeline

CANDIDATES = 6
"""The most suspicious changes for which it is looked whether they were put back."""
LATER = 12
"""Later commits of the same files that are compared with them."""
WORTH = 0.02
"""Least score of a change for which that is looked up."""
UNDONE = 0.9
"""What it says for a change that somebody undid it after the onset: it was suspected."""


def tell_restored(
    scored: Sequence[Scored], timeline: Timeline, question: Question, fill: Callable[[Sequence[Commit]], None] | None
) -> None:
    """Add to the best of `scored` what it says that a commit after the onset put back what they changed."""
    if question.onset is None:
        return
    best = [s for s in scored[:CANDIDATES] if isinstance(s.change, Commit) and s.change.patch and s.score >= WORTH]
    live = [entry for entry in best if not entry.ruled_out]
    later = _later(live, timeline, question.onset)
    unread = [
        commit for commits in later.values() for commit in commits if commit.patch is None and not commit.no_patch
    ]
    if fill is not None and unread:
        fill(unread)
    sides = cache(lambda sha: sides_of(timeline.commits[sha]))
    for entry in live:
        if not isinstance(entry.change, Commit):
            continue
        own = sides_of(entry.change)
        by = next((commit for commit in later[entry.change.sha] if restores(sides(commit.sha), own)), None)
        if by is not None:
            _tell(entry, by, timeline, question)


def _later(entries: Sequence[Scored], timeline: Timeline, onset: datetime) -> dict[str, list[Commit]]:
    """Return, for each of these changes, the commits after the onset that touch a file of it, the first ones first."""
    after = [c for c in timeline.commits.values() if c.landed_at is not None and c.landed_at > onset - CLOCK_SLACK]
    after.sort(key=lambda commit: commit.landed_at or onset)
    found: dict[str, list[Commit]] = {}
    for entry in entries:
        if isinstance(entry.change, Commit):
            paths = {touched.path for touched in entry.change.files[:100]}
            same = [c for c in after if c.sha != entry.change.sha and any(t.path in paths for t in c.files[:300])]
            found[entry.change.sha] = same[:LATER]
    return found


Sides = Mapping[str, tuple[Counter[str], Counter[str]]]
"""By path: lines that go, lines that come."""


def restores(later: Sides, earlier: Sides) -> bool:
    """Say whether a commit takes out of one file at least all that another put in, and puts in all that it took out."""
    for path, (gone, come) in earlier.items():
        if path not in later or not any(any(ch.isalnum() for ch in line) for line in (*gone, *come)):
            continue
        removed, added = later[path]
        if not (come - removed) and not (gone - added):
            return True
    return False


def sides_of(commit: Commit) -> Sides:
    """Return what goes and what comes, without blanks; what only moves within the file is neither."""
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for diff in diffs_of(commit)[:100]:
        gone, come = found.setdefault(diff.path, (Counter(), Counter()))
        for hunk in diff.hunks[:100]:
            gone.update(line for text in hunk.removed() if (line := "".join(text.split())))
            come.update(line for text in hunk.added() if (line := "".join(text.split())))
    return {path: (gone - come, come - gone) for path, (gone, come) in found.items()}


def _tell(entry: Scored, by: Commit, timeline: Timeline, question: Question) -> None:
    """Add the parts and facts to one entry, and score it anew."""
    carriers = [d for d in timeline.carriers.get(by.sha, ()) if not d.failed and d.at is not None]
    first = min(carriers, key=lambda deploy: deploy.at or datetime.max, default=None)
    name = f"{by.sha[:10]} put back what it changed"
    if not any(part.name == "undone" for part in entry.parts):
        entry.parts.append(Part("undone", UNDONE, f"{name}, after the onset"))
    at = first.at if first is not None else by.landed_at
    if at is not None and not any(part.name == "ending" for part in entry.parts):
        how = (quantities.DEPLOYED_AT, first.ref) if first is not None else (quantities.COMMITTED_AT, by.ref)
        parts, facts = after_going_back(Undone(name, at, *how), None, question)
        entry.parts += parts
        entry.facts += facts
    entry.score = logistic(BASE + sum(part.points for part in entry.parts))
