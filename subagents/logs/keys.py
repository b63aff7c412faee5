"""The different messages of an index: each masked key gets a number, within bounds of memory.

A log may hold more different messages than are kept. What comes after MAX_KEYS is kept as it is where it is severe,
up to SEVERE_KEYS; the others by their first words and their length, up to ROUGH_KEYS. So what is new late in such a
log is still seen as new.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from subagents.logs.heads import head_of
from subagents.logs.levels import ERROR, LEVELS, UNKNOWN, sounds_bad

MAX_KEYS = 150_000
SEVERE_KEYS = 40_000
ROUGH_KEYS = 10_000
OTHER = 0
"""Key 0: events beyond all of these. Counted, not grouped."""
FIRST_WORDS = (6, 2)
"""So many words, and so many where those do not fit either: each may take half of the room."""


@dataclass
class KeyTable:
    """Masked keys by number."""

    keys: list[str] = field(default_factory=lambda: ["(more different messages than are grouped)"])
    _numbers: dict[str, int] = field(default_factory=dict)
    _severe: int = 0
    _rough: int = 0

    def number(self, key: str, level: int | None = None) -> int | None:
        """Return the number of a masked key; None where no event has it, or it is not grouped."""
        number = self._numbers.get(key)
        if number is None and self._rough:
            number = next(filter(None, map(self._numbers.get, rough(key, level or UNKNOWN)[1])), None)
        return number

    def add(self, keys: Sequence[str], levels: Callable[[], Sequence[int | None]]) -> tuple[list[int], list[int]]:
        """Return the number of each key (no two are equal) and the places of the new ones.

        `levels` is asked once there is little room.
        """
        known, before = self._numbers, len(self.keys)
        numbers = [known.get(key, -1) for key in keys]
        new = [place for place, number in enumerate(numbers) if number < 0]
        exact = max(0, min(len(new), MAX_KEYS + 1 - before))
        for place in new[:exact]:
            numbers[place] = self._keep(keys[place])
        if exact == len(new):
            return numbers, new
        given, kept = levels(), new[:exact]
        for place in new[exact:]:
            following = len(self.keys)
            numbers[place] = self._late(keys[place], given[place] or UNKNOWN)
            if numbers[place] == following:
                kept.append(place)
        return numbers, kept

    def _late(self, key: str, level: int) -> int:
        severe, shorter = rough(key, level)
        if severe and self._severe < SEVERE_KEYS:
            self._severe += 1
            return self._keep(key)
        for part, short in enumerate(shorter, 1):
            number = self._numbers.get(short)
            if number is not None:
                return number
            if self._rough < ROUGH_KEYS * part // len(shorter):
                self._rough += 1
                return self._keep(short)
        return OTHER

    def _keep(self, key: str) -> int:
        number = self._numbers[key] = len(self.keys)
        self.keys.append(key)
        return number


def rough(key: str, level: int) -> tuple[bool, list[str]]:
    """Return (whether a masked key is severe, what it is kept as where there is no room: first words and length)."""
    found, text = head_of(key, level)
    words = text.split()
    said = LEVELS[found].upper() + " " if level == UNKNOWN != found else ""
    severe = found >= ERROR or (found == UNKNOWN and sounds_bad(text))
    return severe, [f"{said}{' '.join(words[:count])} … ({len(words)} words)" for count in FIRST_WORDS]
