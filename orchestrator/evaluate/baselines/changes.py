"""Rules that blame a commit: the latest deploy, the newest commit, the largest diff, the most similar text."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence

from orchestrator.evaluate.baselines.inputs import Change, Inputs
from orchestrator.evaluate.lines import BaselineAnswer
from orchestrator.journal.verdict import SuspectScore

_WORD = re.compile(r"[A-Za-z][a-z]+|[A-Z]+(?![a-z])|\d{2,}")
_RECENCY_WEIGHT, _RECENCY_SCALE = 0.1, 10.0


def latest_deploy(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the last commit that was deployed before the page."""
    before = [one for one in inputs.deploys if inputs.alerted is None or one.at <= inputs.alerted]
    if not before:
        return None
    return _blame("latest deploy", list(dict.fromkeys(one.sha for one in before)))


def newest_commit(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the commit that landed last."""
    return _blame("newest commit", [one.sha for one in _landed(inputs)])


def largest_diff(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the commit with the longest diff; where there are no diffs, the most lines changed."""
    ranked = sorted(_landed(inputs), key=lambda one: -one.size)  # stable: the newer of equals comes first
    return _blame("largest diff first", [one.sha for one in ranked])


def text_similarity(inputs: Inputs) -> BaselineAnswer | None:
    """Blame the commit whose message and paths are most like the symptom (TF-IDF cosine), newer ones a little more."""
    landed = _landed(inputs)
    if not landed or not inputs.symptom:
        return None
    alike = cosines(inputs.symptom, [one.text for one in landed])
    scores = [
        similarity + _RECENCY_WEIGHT * math.exp(-place / _RECENCY_SCALE) for place, similarity in enumerate(alike)
    ]
    ranked = sorted(range(len(landed)), key=lambda place: -scores[place])
    return _blame("text similarity, recency", [landed[place].sha for place in ranked])


def cosines(query: str, texts: Sequence[str]) -> list[float]:
    """Return how alike each text is to the query, 0 to 1: cosine of TF-IDF vectors with logarithmic counts."""
    counted = [Counter(_words(text)) for text in texts]
    spread = Counter(word for counts in counted for word in counts)

    def vector(counts: Counter[str]) -> dict[str, float]:
        weights = {
            word: (1 + math.log(count)) * math.log((1 + len(texts)) / (1 + spread[word]) + 1)
            for word, count in counts.items()
        }
        length = math.sqrt(math.fsum(weight * weight for weight in weights.values()))
        return {word: weight / length for word, weight in weights.items()} if length else {}

    wanted = vector(Counter(_words(query)))
    return [math.fsum(wanted.get(word, 0.0) * weight for word, weight in vector(counts).items()) for counts in counted]


def _words(text: str) -> list[str]:
    """Words of at least two letters, identifiers taken apart, plural endings dropped."""
    found = [word.lower() for word in _WORD.findall(text) if len(word) > 1]
    return [word[:-1] if word.endswith("s") and len(word) > 3 else word for word in found]


def _landed(inputs: Inputs) -> list[Change]:
    """Commits that were there when the page fired, newest first."""
    return [one for one in inputs.commits if one.at is None or inputs.alerted is None or one.at <= inputs.alerted]


def _blame(name: str, ranked: list[str]) -> BaselineAnswer | None:
    if not ranked:
        return None
    suspects = tuple(SuspectScore(commit=sha, score=1 / (place + 1)) for place, sha in enumerate(ranked))
    return BaselineAnswer(name=name, kind="culprit", culprit=ranked[0], suspects=suspects)
