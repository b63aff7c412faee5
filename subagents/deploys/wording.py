"""How alike a change's own words are to the symptom's: by the terms that both name, and by its message as a whole."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from subagents.deploys.comments import PARTS, word_set
from subagents.deploys.overlap import counted, stem, without_links, without_trailers
from subagents.deploys.scores import Question
from subagents.deploys.sources.records import Commit

_FIELDS: Mapping[str, float] = {"subject": 1.0, "path": 1.0, "body": 0.5}
_LONG = 0.4
"""How much a field that is longer than the mean of its kind says less for each word."""
_AGAIN = 0.3
_OF_ENGLISH = 0.3
"""What a word counts that any text may have."""
_NAMED_FILE, _NAMED_PATH = 3.0, 6.0
"""What it counts that the symptom names a file of the change; that it names more of its path."""
_ANYWHERE = frozenset({"__init__.py", "index.js", "index.ts", "mod.rs", "main.go", "main.py", "package.json"})
_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)+|\b[\w-]{3,}\.[a-z]{1,5}\b")
_MUCH = 2.0
"""From so much shared in all, what is shared besides adds less and less."""
_CLOSE = 0.2
"""From so close a cosine on, what is closer adds less and less."""
_PATHS_READ, _BODY_READ = 100, 20_000

_ENGLISH = frozenset(
    stem(word)
    for word in word_set("""
    ability able accept accidentally according accordingly across actual actually adapt additional additionally
    afterwards ago allow almost alone along already alternative although always amount another anymore anyone anything
    anyway apparent apparently appear approach appropriate around attempt available avoid aware away back bad basic
    basically become behave behavior behaviour behind believe best better beyond big bit bring brought careful case
    certain chance check choose clean clear clearly close come common complete completely concern confirm consider
    consistent contain continue couple course current currently deal decide default depend describe detail determine
    difference different difficult directly discover discuss due earlier early easily easy effect either enough ensure
    entire entirely especially even ever every everyone everything exact exactly except exist existing expect explain
    extra fact fairly far fine finish form forward found full fully future general generally give given goes going gone
    good great guess handle happen happy hard help hence hit hope hopefully huge idea immediate immediately impact imply
    important improve include incorrect incorrectly indeed inside instance intend interest investigate involve keep kind
    know known land landed large late later lead learn least leave less likely little long longer look lose lot low
    major many matter maybe mean meant mention merge merged might mind minor miss missing moment mostly move much
    multiple near necessary neither never next nice none normal normally note nothing notice number obvious obviously
    occur odd often okay older ones open opposite order original originally otherwise outside overall particular
    particularly patch people perhaps person plan please point possible possibly potential potentially prefer prepare
    present pretty prevent previous previously probably proper prove provide purpose put quick quickly quite rather
    reach real really realize reason reasonable recent recently regard regression related relevant rely remain require
    rest result right run running safe say sense separate serious several severe short show side similar simple simply
    situation slight slightly small solve somehow someone something sometimes somewhat soon sort special specific stay
    step still stop strange subtle sudden suddenly suggest support suppose sure surprise suspect talk tell temporarily
    temporary tend thank think though thought together told totally toward trigger true turn twice type unable
    understand unexpected unfortunately unless unlikely unrelated upon useful usual usually various verify wait weird
    well whatever whenever whether whole wide widespread wonder worse worst worth wrong yet
    """)
)
"""Words of English in any report and any message: they say little of what failed. Written from general knowledge."""


def message(commit: Commit) -> tuple[str, str]:
    """Return subject and body of a change as they are read: without links, trailers, and what is very long."""
    return without_links(commit.subject), without_links(without_trailers(commit.body[:_BODY_READ]))


@dataclass(frozen=True)
class _Words:
    """One change's terms, counted by where they stand."""

    fields: Mapping[str, Counter[str]]

    @classmethod
    def of(cls, commit: Commit, said: Mapping[str, float]) -> _Words:
        subject, body = message(commit)
        paths: Counter[str] = Counter()
        for touched in commit.files[:_PATHS_READ]:
            paths.update(set(counted(touched.path, said)))
        return cls({"subject": counted(subject, said), "path": paths, "body": counted(body, said)})

    def terms(self) -> set[str]:
        """Return all that it names."""
        return set().union(*self.fields.values())


class SharedTerms:
    """How much of what the symptom names each of these changes names, rare words first (BM25 over three fields).

    A compound that both name counts once, not with each of its parts.
    """

    def __init__(self, question: Question, commits: Sequence[Commit]) -> None:
        self._weights = question.terms.weights
        text = without_links(question.text)
        self._said = counted(text)
        self._words = {commit.sha: _Words.of(commit, self._weights) for commit in commits}
        every = self._words.values()
        self._spread = Counter(term for words in every for term in words.terms() & self._weights.keys())
        self._mean = {
            name: max(1.0, sum(len(words.fields[name]) for words in every) / max(1, len(every))) for name in _FIELDS
        }
        self._files = {name.lower().lstrip("./") for name in _FILE.findall(text)}

    def of(self, commit: Commit) -> tuple[float, list[str]]:
        """Return how alike a change is to the symptom, from 0, and the terms that say so, the most telling first."""
        words = self._words[commit.sha]
        gains = {term: self._gain(term, words) for term in words.terms() & self._weights.keys()}
        named, place = max(((self._named(t.path), t.path) for t in commit.files[:_PATHS_READ]), default=(0.0, ""))
        if named:
            gains["=" + place] = named
        ranked = sorted((term for term in gains if gains[term] > 0.0), key=lambda term: (-gains[term], term))
        return math.log1p(math.fsum(gains.values()) / _MUCH), [term.lstrip("=") for term in ranked]

    def _gain(self, term: str, words: _Words) -> float:
        strength = math.fsum(
            share * min(3, count) / (1.0 - _LONG + _LONG * len(words.fields[name]) / self._mean[name])
            for name, share in _FIELDS.items()
            if (count := words.fields[name][term])
        )
        rare = max(0.0, math.log((len(self._words) + 1.0) / (self._spread[term] + 0.5)))
        again = 1.0 + _AGAIN * min(2, max(0, self._said[term] - 1))
        own = _OF_ENGLISH if term in _ENGLISH else 1.0
        return min(2.0, self._weights[term] / 0.6) * rare * again * own * strength / (1.0 + strength)

    def _named(self, path: str) -> float:
        path = path.lower()
        name = path.rsplit("/", 1)[-1]
        for said in self._files:
            if said == path or said.endswith("/" + path) or ("/" in said and path.endswith("/" + said)):
                return _NAMED_PATH
        return _NAMED_FILE if name not in _ANYWHERE and any(s.rsplit("/", 1)[-1] == name for s in self._files) else 0.0


def closeness(text: str, commits: Sequence[Commit]) -> list[tuple[float, float]]:
    """Return for each change (how close its message as a whole is to the text, from 0; its cosine, 0 to 1).

    Every word counts here, stop words too, the rarer among these messages the more; a long message is no closer
    for its length.
    """
    messages = [_spoken(" ".join(message(commit))) for commit in commits]
    spread = Counter(word for words in messages for word in words)

    def weighed(words: Counter[str]) -> dict[str, float]:
        found = {
            word: (1.0 + math.log(count)) * math.log((1 + len(messages)) / (1 + spread[word]) + 1.0)
            for word, count in words.items()
        }
        length = math.sqrt(math.fsum(weight * weight for weight in found.values()))
        return {word: weight / length for word, weight in found.items()} if length else {}

    wanted = weighed(_spoken(without_links(text)))
    cosines = [
        math.fsum(wanted[word] * weight for word, weight in weighed(words).items() if word in wanted)
        for words in messages
    ]
    return [(math.log1p(cosine / _CLOSE), cosine) for cosine in cosines]


def _spoken(text: str) -> Counter[str]:
    return Counter(stem(part.lower()) for part in PARTS.findall(text) if len(part) > 2 and not part.isdigit())
