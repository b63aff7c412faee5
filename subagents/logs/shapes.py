"""Which template a key is an instance of: the same words, but for the places that hold values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from subagents.logs.vocabulary import (
    CELLS_AT_ONCE,
    Alike,
    Facts,
    Flags,
    Hashes,
    Ints,
    Numbers,
    of_places,
    row_hashes,
)


class Meanings(Protocol):
    """What is asked of words, by their numbers; see `Facts`."""

    @property
    def hashes(self) -> Hashes:
        """Alike where words are."""

    @property
    def general(self) -> Numbers:
        """What stands for a word where its value is of no matter."""

    @property
    def telling(self) -> Flags:
        """Whether it says how something went."""


LEAST_PLAIN = 2
"""Words that keys must have in common to be called alike."""


@dataclass(frozen=True)
class Shapes:
    """The templates of one length, and the sets of places at which they hold values, commonest first."""

    known: Hashes
    """Of the templates, ascending."""
    at: Flags
    """A row for each place, a column for each set."""

    @classmethod
    def of(cls, words: Numbers, said: Flags, weights: Ints, facts: Facts, most: int) -> Shapes:
        """Read the shapes of weighted templates; only the commonest are tried, so that a look-up stays cheap.

        `said`: which words are neither values nor columns of a file.
        """
        known = np.sort(row_hashes(words, facts.hashes))
        values = facts.open.take(words)
        asked = np.flatnonzero(values.any(1) & (said.sum(1) >= LEAST_PLAIN))
        values = values[asked]
        if not len(asked):
            return cls(known, values.T)
        alike = Alike.by(values @ of_places(words.shape[1]))
        first, weight = alike.first, np.add.reduceat(weights[asked][alike.order], alike.starts)
        commonest = first[np.lexsort((first, -weight))][:most]
        return cls(known, values[commonest].T)

    def values(self, words: Numbers, facts: Meanings) -> Flags:
        """Return where each key holds values, by the template it is an instance of.

        Nowhere, where it is of none, or would lose how it went.
        """
        found, at = np.zeros(words.shape, np.bool_), self.at
        width, sets = at.shape
        at_once = max(1, CELLS_AT_ONCE // (width + sets))
        for start in range(0, len(words) if sets else 0, at_once):
            here = words[start : start + at_once]
            filled, hashes = facts.general.take(here), facts.hashes.take(here)
            changed = filled != here
            fits = (changed @ at) & ~((changed & facts.telling.take(here)) @ at)
            factors = of_places(width)
            other = (facts.hashes.take(filled) - hashes) * factors
            fits[fits] = self._knows((other @ at + (hashes @ factors)[:, None])[fits])
            some = np.flatnonzero(fits.any(1))
            found[start + some] = changed[some] & at.T[fits[some].argmax(1)]
        return found

    def filled(self, words: Numbers, facts: Meanings) -> tuple[Numbers, Flags]:
        """Return keys as the templates they are instances of, and which are some template now."""
        found = np.where(self.values(words, facts), facts.general[words], words)
        return found, self._knows(row_hashes(found, facts.hashes))

    def _knows(self, hashes: Hashes) -> Flags:
        places = np.searchsorted(self.known, hashes)
        return np.asarray(self.known[np.minimum(places, len(self.known) - 1)] == hashes)
