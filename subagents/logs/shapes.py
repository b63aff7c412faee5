"""Which template a key is an instance of: the same words, but for the places that hold values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from subagents.logs.phrases import ANY, general, is_telling

LEAST_PLAIN = 2
"""Words that keys must have in common to be called alike."""

Words = tuple[str, ...]


@dataclass(frozen=True)
class Shapes:
    """The templates of one length, and the sets of positions at which they hold values, commonest first."""

    known: frozenset[Words]
    spots: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, weights: Mapping[Words, int], most: int) -> Shapes:
        """Read the shapes of weighted templates; only the commonest are tried, so that a look-up stays cheap."""
        found: Counter[tuple[int, ...]] = Counter()
        for words, weight in weights.items():
            spots = tuple(spot for spot, word in enumerate(words) if word == ANY or word.endswith("=*"))
            if spots and sum(word != ANY for word in words) >= LEAST_PLAIN:
                found[spots] += weight
        return cls(frozenset(weights), tuple(spots for spots, _ in found.most_common(most)))

    def fit(self, words: Words) -> Words | None:
        """Return the template that a key is an instance of; None where it is none, or would lose how it went."""
        for spots in self.spots:
            filled = list(words)
            for spot in spots:
                filled[spot] = general(words[spot])
            template = tuple(filled)
            if template in self.known and template != words and not _loses_telling(words, template):
                return template
        return None


def _loses_telling(words: Words, template: Words) -> bool:
    return any(word != other and is_telling(word) for word, other in zip(words, template, strict=True))
