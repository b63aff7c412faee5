"""Which change to look at first where only messages, paths and times are known: no diff and no deploy says more.

One of the changes, or none, did it: each gets its share of the blame by a conditional-logit rule of six
judgements. `MOST` bounds what a share is worth, so that words alone point at a change but never convict it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from subagents.deploys.diff_parts import ELSEWHERE
from subagents.deploys.paths import PathClass, path_class
from subagents.deploys.scores import BASE, Part, Question, Scored
from subagents.deploys.sources.records import Commit
from subagents.deploys.timeline import Timeline
from subagents.deploys.wording import SharedTerms, closeness

MOST = 0.5
"""What the surest lead is worth: half of the blame stays with what no message tells."""

WORDS, MESSAGE, PLACE, EFFECT, UNDOES, REWRITTEN = 4.2, 2.2, 3.1, 2.1, -2.4, -1.2
"""Log-odds of the six judgements. Fitted on the development cases, shrunk and rounded; docs/evaluation.md."""
PLACES = 10.0
"""Of every so many changes that landed since, the odds of place fall by a factor e."""

_UNDOES = re.compile(r"(?i)^\W*(?:revert|roll(?:ed)? ?back|back(?:ed)? ?out)\b")

_EFFECT: Mapping[PathClass, float] = {
    "code": 1.0, "migration": 1.0, "manifest": 0.4, "config": 0.4, "infra": 0.4, "binary": 0.3, "generated": 0.3,
    "lock": 0.2,
}  # fmt: skip
"""How likely a change of such files changes what runs; code first, as most configuration kept beside it is routine."""
_OF_TESTS = 0.8
"""The same of tests and pipelines, where they are what fails."""


def words_alone(timeline: Timeline) -> bool:
    """Say whether nothing more is known of these changes than messages, paths and times."""
    commits = timeline.commits.values()
    return len(commits) > 1 and not timeline.deploys and not any(commit.patch for commit in commits)


def look_first(scored: Sequence[Scored], question: Question) -> None:
    """Score the commits among `scored` anew, by what words alone can tell; what is ruled out stays so.

    Only that its paths are of another environment rules nothing out where no service is known to have failed.
    """
    for entry in scored:
        if entry.ruled_out == ELSEWHERE and not question.failing.known:
            entry.ruled_out = ""
    live = [entry for entry in scored if isinstance(entry.change, Commit) and not entry.ruled_out]
    commits = sorted((c for e in live if isinstance(c := e.change, Commit)), key=_landed, reverse=True)
    if not commits:
        return
    shared = SharedTerms(question, commits)
    close = dict(zip((commit.sha for commit in commits), closeness(question.text, commits), strict=True))
    places = {commit.sha: place for place, commit in enumerate(commits)}
    rewritten = _rewritten(commits)
    for entry in live:
        if not isinstance(commit := entry.change, Commit):
            continue
        kept = [part for part in entry.parts if part.name in ("reach", "undone", "lead-in")]
        told = [_words_part(*shared.of(commit)), _message_part(*close[commit.sha])]
        told += [_effect_part(commit, question.of_tests), *_undoes_part(commit)]
        entry.parts = [_place_part(places[commit.sha]), *kept, *told, *_rewritten_part(rewritten[commit.sha])]
    _share(live)


def _landed(commit: Commit) -> float:
    return commit.committed_at.timestamp() if isinstance(commit.committed_at, datetime) else 0.0


def _share(live: Sequence[Scored]) -> None:
    """Give each its share of the blame, of which `MOST` counts."""
    points = [sum(part.points for part in entry.parts) for entry in live]
    top = max(points)
    total = sum(math.exp(point - top) for point in points)
    for entry, own in zip(live, points, strict=True):
        share = math.exp(own - top) / total
        score = max(1e-6, MOST * share)
        told = f"its share of the blame is {share:.2f}, among {len(live)} changes; no diff was seen"
        entry.parts.append(Part("rivals", math.log(score / (1.0 - score)) - BASE - own, told))
        entry.score = score


def _place_part(place: int) -> Part:
    since = "another change" if place == 1 else f"{place} other changes"
    how = "the last that landed before the onset" if place == 0 else f"{since} landed since"
    return Part("time", PLACE * math.exp(-place / PLACES), how)


def _words_part(alike: float, shared: Sequence[str]) -> Part:
    what = (
        f"names what the symptom names: {', '.join(shared[:5])}" if shared else "names nothing that the symptom names"
    )
    return Part("overlap", WORDS * alike, what)


def _message_part(close: float, cosine: float) -> Part:
    return Part("message", MESSAGE * close, f"its message as a whole is like the symptom's words by {cosine:.2f} of 1")


def _effect_part(commit: Commit, of_tests: bool) -> Part:
    kinds = {path_class(touched.path) for touched in commit.files[:200]}
    if kinds & {"test", "ci"} and of_tests and "code" not in kinds:
        return Part("kind", EFFECT * _OF_TESTS, "it changes tests or pipelines, and these are what fails")
    share = max((_EFFECT.get(kind, 0.0) for kind in kinds), default=0.0)
    if share == 1.0:
        return Part("kind", EFFECT, "it changes code that runs, by its paths")
    if share:
        return Part("kind", EFFECT * share, f"it changes no code, but {' and '.join(sorted(kinds))} files")
    return Part("kind", 0.0, "by its paths it changes nothing that runs")


def _undoes_part(commit: Commit) -> list[Part]:
    if not _UNDOES.search(commit.subject):
        return []
    return [Part("undoes", UNDOES, "it says that it goes back to what ran before")]


def _rewritten(commits: Sequence[Commit]) -> dict[str, float]:
    """Return, for each of these (newest first), the share of its files that later ones changed again."""
    later: set[str] = set()
    found: dict[str, float] = {}
    for commit in commits:
        paths = {touched.path for touched in commit.files[:200]}
        found[commit.sha] = len(paths & later) / len(paths) if paths else 0.0
        later |= paths
    return found


def _rewritten_part(share: float) -> list[Part]:
    if share == 0.0:
        return []
    return [Part("rewritten", REWRITTEN * share, f"later changes touched {share:.0%} of its files again")]
