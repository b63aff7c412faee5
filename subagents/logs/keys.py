"""The different messages of an index: each masked key gets a number, within bounds of memory.

A log may hold more different messages than are kept. What comes after MAX_KEYS is kept as it is where it is severe,
up to SEVERE_KEYS; the others by their first words and their length, up to ROUGH_KEYS. So what is new late in such a
log is still seen as new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subagents.logs.heads import head_of
from subagents.logs.levels import ERROR, LEVELS, UNKNOWN, sounds_bad
from subagents.logs.native.keys import KeysByText, laid_out
from subagents.logs.patterns import KEY_CHARS, mask

if TYPE_CHECKING:
    import polars as pl

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
    """By key; what the library numbers is in it once somebody asks."""
    _severe: int = 0
    _rough: int = 0
    _compiled: KeysByText | None = field(default_factory=KeysByText.made)

    def number(self, key: str, level: int | None = None) -> int | None:
        """Return the number of a masked key; None where no event has it, or it is not grouped."""
        number = self._known.get(key)
        if number is None and self._rough:
            number = next(filter(None, map(self._known.get, rough(key, level or UNKNOWN)[1])), None)
        return number

    def add(self, events: pl.DataFrame) -> tuple[Any, Any]:
        """Return the number of each event's key and the rows of the first events of new keys (numpy).

        Of `events` it takes `text`, which is masked, `suffix`, which is not, and where there is little room `level`.
        """
        if not events.height:
            return _nothing(), _nothing()
        return self._add_compiled(self._compiled, events) if self._compiled is not None else self._add(events)

    def settle(self) -> None:
        """Let go of what only numbers new keys quickly; they are numbered one by one from now on."""
        self._compiled = None

    @property
    def _known(self) -> dict[str, int]:
        """The numbers of all keys."""
        for number in range(len(self._numbers) + 1, len(self.keys)):
            self._numbers[self.keys[number]] = number
        return self._numbers

    def _add_compiled(self, compiled: KeysByText, events: pl.DataFrame) -> tuple[Any, Any]:
        import numpy as np
        import polars as pl

        texts, behind = laid_out(events["text"]), None
        if not texts[0].isascii():
            wide = pl.col("text").str.len_bytes() > pl.col("text").str.len_chars()
            texts = laid_out(events.select(pl.when(wide).then(mask(pl.col("text"))).otherwise("text")).to_series())
        if events["suffix"].null_count() < events.height:
            behind = laid_out(events["suffix"].fill_null(""))
        before = len(self.keys)
        found, rows, keys = compiled.find(texts, behind, KEY_CHARS, (before, MAX_KEYS))
        numbers, exact = found.astype(np.int64), int(np.count_nonzero(found[rows]))
        self.keys += keys[:exact]
        if exact == len(rows):
            return numbers, rows
        first = dict[str, int]()
        for row, key in zip(rows[exact:].tolist(), keys[exact:], strict=True):
            first.setdefault(key, row)
        of_late, new = self._all_late(first, events["level"])
        numbers[rows[exact:]] = [of_late[key] for key in keys[exact:]]
        return numbers, np.append(rows[:exact], np.array(new, np.int64))

    def _add(self, events: pl.DataFrame) -> tuple[Any, Any]:
        import numpy as np
        import polars as pl

        key = mask(pl.col("text"))
        if events["suffix"].null_count() < events.height:
            key += pl.col("suffix").fill_null("")
        keyed = events.select(key=key, row=pl.int_range(pl.len(), dtype=pl.UInt32))
        groups = keyed.group_by("key", maintain_order=True).agg("row")
        rows, sizes = groups["row"].explode().to_numpy(), groups["row"].list.len().to_numpy()
        firsts, keys = rows[np.cumsum(sizes) - sizes].tolist(), groups["key"].to_list()
        known = self._known
        found = [known.get(key, -1) for key in keys]
        new = [place for place, number in enumerate(found) if number < 0]
        exact = max(0, min(len(new), MAX_KEYS + 1 - len(self.keys)))
        for place in new[:exact]:
            found[place] = self._keep(keys[place])
        of_late, late = self._all_late({keys[place]: firsts[place] for place in new[exact:]}, events["level"])
        for place in new[exact:]:
            found[place] = of_late[keys[place]]
        numbers = np.empty(events.height, np.int64)
        numbers[rows] = np.repeat(np.array(found, np.int64), sizes)
        return numbers, np.array([*(firsts[place] for place in new[:exact]), *late], np.int64)

    def _all_late(self, first: Mapping[str, int], levels: pl.Series) -> tuple[dict[str, int], list[int]]:
        """Return the numbers of keys for which there is little room, and the rows of those that are new.

        `first` has the row of the first event of each.
        """
        found, new = dict[str, int](), list[int]()
        for key, row in first.items():
            number = self._known.get(key)
            if number is None:
                following = len(self.keys)
                number = self._late(key, levels[row] or UNKNOWN)
                if number == following:
                    new.append(row)
            found[key] = number
        return found, new

    def _late(self, key: str, level: int) -> int:
        severe, shorter = rough(key, level)
        if severe and self._severe < SEVERE_KEYS:
            self._severe += 1
            return self._keep(key)
        for part, short in enumerate(shorter, 1):
            number = self._known.get(short)
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


def _nothing() -> Any:
    import numpy as np

    return np.empty(0, np.int64)
