"""Which change to look at first where only messages, paths and times are known: no diff and no deploy says more.

One of the changes, or none, did it: each gets its share of the blame by a conditional-logit rule of five
judgements. `MOST` bounds what a share is worth, so that words alone point at a change but never convict it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from subagents.deploys.overlap import counted, without_links, without_trailers
from subagents.deploys.paths import PathClass, path_class
from subagents.deploys.scores import BASE, Part, Question, Scored
from subagents.deploys.sources.records import Commit
from subagents.deploys.timeline import Timeline

MOST = 0.5
"""What the surest lead is worth: half of the blame stays with what no message tells."""

WORDS, PLACE, EFFECT, UNDOES, REWRITTEN = 3.0, 2.5, 2.2, -2.5, -1.4
"""Log-odds of the five judgements. Fitted on one half of the development cases, rounded; docs/evaluation.md."""
PLACES = 10.0
"""Of every so many changes that landed since, the odds of place fall by a factor e."""

_FIELDS: Mapping[str, float] = {"subject": 1.0, "path": 1.0, "body": 0.5}
_LONG = 0.4
"""How much a field that is longer than the mean of its kind says less for each word."""
_PROSE = 0.7
"""What a word counts that is part of no path here: of English, rather than of this code."""
_AGAIN = 0.3
_NAMED_FILE, _NAMED_PATH = 3.0, 6.0
"""What it counts that the symptom names a file of the change; that it names more of its path."""
_ANYWHERE = frozenset({"__init__.py", "index.js", "index.ts", "mod.rs", "main.go", "main.py", "package.json"})
_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+|\b[\w-]{3,}\.[a-z]{1,5}\b")
_UNDOES = re.compile(r"(?i)^\W*(?:revert|roll(?:ed)? ?back|back(?:ed)? ?out)\b")

_EFFECT: Mapping[PathClass, float] = {
    "code": 1.0, "migration": 1.0, "manifest": 0.4, "config": 0.4, "infra": 0.4, "binary": 0.3, "generated": 0.3,
    "lock": 0.2,
}  # fmt: skip
"""How likely a change of such files changes what runs; code first, as most configuration kept beside it is routine."""
_OF_TESTS = 0.8
"""The same of tests and pipelines, where they are what fails."""


@dataclass(frozen=True)
class _Words:
    """One change's words, counted by where they stand."""

    fields: Mapping[str, Counter[str]]

    @classmethod
    def of(cls, commit: Commit) -> _Words:
        paths: Counter[str] = Counter()
        for touched in commit.files[:100]:
            paths.update(set(counted(touched.path)))
        body = counted(without_links(without_trailers(commit.body[:20_000])))
        return cls({"subject": counted(without_links(commit.subject)), "path": paths, "body": body})

    def terms(self) -> set[str]:
        """Return all that it names."""
        return set().union(*self.fields.values())


class _Likeness:
    """How much of what the symptom names each of these changes names, rare words first (BM25 over three fields)."""

    def __init__(self, question: Question, commits: Sequence[Commit]) -> None:
        self._weights = question.terms.weights
        self._said = counted(without_links(question.text))
        self._words = {commit.sha: _Words.of(commit) for commit in commits}
        every = self._words.values()
        self._spread = Counter(term for words in every for term in words.terms() & self._weights.keys())
        self._of_code = {term for words in every for term in words.fields["path"]}
        self._mean = {
            name: max(1.0, sum(len(words.fields[name]) for words in every) / max(1, len(every))) for name in _FIELDS
        }
        self._files = {name.lower().lstrip("./") for name in _FILE.findall(without_links(question.text))}

    def of(self, commit: Commit) -> tuple[float, list[str]]:
        """Return how alike a change is to the symptom, from 0, and the terms that say so, the most telling first."""
        words = self._words[commit.sha]
        gains = {term: self._gain(term, words) for term in words.terms() & self._weights.keys()}
        named, place = max(((self._named(t.path), t.path) for t in commit.files[:100]), default=(0.0, ""))
        if named:
            gains["=" + place] = named
        ranked = sorted((term for term in gains if gains[term] > 0.0), key=lambda term: (-gains[term], term))
        return math.log1p(sum(gains.values())), [term.lstrip("=") for term in ranked]

    def _gain(self, term: str, words: _Words) -> float:
        strength = sum(
            share * min(3, count) / (1.0 - _LONG + _LONG * len(words.fields[name]) / self._mean[name])
            for name, share in _FIELDS.items()
            if (count := words.fields[name][term])
        )
        rare = max(0.0, math.log((len(self._words) + 1.0) / (self._spread[term] + 0.5)))
        again = 1.0 + _AGAIN * min(2, max(0, self._said[term] - 1))
        own = 1.0 if term in self._of_code or term.startswith("=") else _PROSE
        return min(2.0, self._weights[term] / 0.6) * rare * again * own * strength / (1.0 + strength)

    def _named(self, path: str) -> float:
        path = path.lower()
        name = path.rsplit("/", 1)[-1]
        for said in self._files:
            if said == path or said.endswith("/" + path) or ("/" in said and path.endswith("/" + said)):
                return _NAMED_PATH
        return _NAMED_FILE if name not in _ANYWHERE and any(s.rsplit("/", 1)[-1] == name for s in self._files) else 0.0


def words_alone(timeline: Timeline) -> bool:
    """Say whether nothing more is known of these changes than messages, paths and times."""
    commits = timeline.commits.values()
    return len(commits) > 1 and not timeline.deploys and not any(commit.patch for commit in commits)


def look_first(scored: Sequence[Scored], question: Question) -> None:
    """Score the commits among `scored` anew, by what words alone can tell; what is ruled out stays so."""
    live = [entry for entry in scored if isinstance(entry.change, Commit) and not entry.ruled_out]
    commits = sorted((c for e in live if isinstance(c := e.change, Commit)), key=_landed, reverse=True)
    if not commits:
        return
    likeness = _Likeness(question, commits)
    places = {commit.sha: place for place, commit in enumerate(commits)}
    rewritten = _rewritten(commits)
    for entry in live:
        if not isinstance(commit := entry.change, Commit):
            continue
        kept = [part for part in entry.parts if part.name in ("reach", "undone", "lead-in")]
        entry.parts = [
            _place_part(places[commit.sha]), *kept, _words_part(*likeness.of(commit)),
            _effect_part(commit, question.of_tests), *_undoes_part(commit), *_rewritten_part(rewritten[commit.sha]),
        ]  # fmt: skip
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
        told = f"of {len(live)} changes it is the one to look at first with a share of {share:.2f}; no diff was seen"
        entry.parts.append(Part("rivals", math.log(score / (1.0 - score)) - BASE - own, told))
        entry.score = score


def _place_part(place: int) -> Part:
    how = "the last that landed before the onset" if place == 0 else f"{place} other change(s) landed since"
    return Part("time", PLACE * math.exp(-place / PLACES), how)


def _words_part(alike: float, shared: Sequence[str]) -> Part:
    what = (
        f"names what the symptom names: {', '.join(shared[:5])}" if shared else "names nothing that the symptom names"
    )
    return Part("overlap", WORDS * alike, what)


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
