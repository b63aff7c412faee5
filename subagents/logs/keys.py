"""The different messages of an index: each masked key gets a number, within bounds of memory.

A log may hold more different messages than are kept. Of the first FIRST_KEYS templates are made, and what comes later
and is an instance of one is counted with it. Others are kept as they are up to MAX_KEYS, and where they are severe, up
to SEVERE_KEYS more; the rest by their first words and their length, up to ROUGH_KEYS. So what is new late in such a
log is still seen as new, and what is not, is not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TYPE_CHECKING, Any

from subagents.logs.heads import heads_of
from subagents.logs.levels import ERROR, LEVELS, UNKNOWN, sound_bad
from subagents.logs.native.keys import KeysByText, laid_out
from subagents.logs.patterns import KEY_CHARS, mask

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.early import EarlyTemplates

FIRST_KEYS = 75_000
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
    _levels: list[int] = field(default_factory=list)
    """The severities of the first events of keys, in their order, until there is little room"""
    _early: list[EarlyTemplates] = field(default_factory=list)
    """Of the first keys, and of all of those"""
    _severe: int = 0
    _rough: int = 0
    _openings: set[tuple[str, ...]] = field(default_factory=set)
    """The severities and the least words of those that are kept by their first ones"""
    _compiled: KeysByText | None = field(default_factory=KeysByText.made)

    def number(self, key: str, level: int | None = None) -> int | None:
        """Return the number of a masked key; None where no event has it, or it is not grouped."""
        number = self._known.get(key)
        for early in self._early if number is None else ():
            template = int(early.alike([key], [level or UNKNOWN])[0])
            if template >= 0:
                number = int(early.numbers[template, int(bool(level))]) or None
                break
        if number is None and self._rough:
            ((_, said, words),) = _rough([key], [level or UNKNOWN])
            shorter = (_shortened(said, words, count) for count in FIRST_WORDS)
            number = next(filter(None, map(self._known.get, shorter)), None)
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
        found, rows, keys = compiled.find(texts, behind, KEY_CHARS, (before, self._first_room))
        numbers, exact = found.astype(np.int64), int(np.count_nonzero(found[rows]))
        self.keys += keys[:exact]
        self._levels += _levels_of(events, rows[:exact])
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
        exact = max(0, min(len(new), self._first_room + 1 - len(self.keys)))
        self._levels += _levels_of(events, np.array([firsts[place] for place in new[:exact]], np.int64))
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
        import numpy as np

        known, new = self._known, list[int]()
        found = {key: number for key in first if (number := known.get(key)) is not None}
        late = [key for key in first if key not in found]
        given = levels.gather([first[key] for key in late]).fill_null(UNKNOWN).to_list()
        while late:
            following, numbers = len(self.keys), self._some_late(late, given)
            done = len(numbers)
            found.update(zip(late[:done], numbers.tolist(), strict=True))
            different, places = np.unique(numbers, return_index=True)
            new += [first[late[place]] for place in places[different >= following].tolist()]
            late, given = late[done:], given[done:]
        return found, new

    def _some_late(self, late: Sequence[str], levels: Sequence[int]) -> Any:
        """Return the numbers of late keys (numpy), in their order, as far as they fit what is known by now."""
        import numpy as np

        if not self._early:
            self._learn_templates()
        is_full = len(self._early) > 1 or MAX_KEYS <= FIRST_KEYS
        given, rest = np.array(levels, np.int64), np.arange(len(late))
        numbers, (of, alike) = np.zeros(len(late), np.int64), np.full((2, len(late)), -1)
        for place, early in enumerate(self._early):
            found = early.alike([late[each] for each in rest.tolist()], given[rest].tolist())
            some, rest = rest[found >= 0], rest[found < 0]
            of[some], alike[some] = place, found[found >= 0]
            numbers[some] = early.numbers[alike[some], (given[some] != UNKNOWN).astype(np.int64)]
        asked = _rough(
            [late[each] for each in rest.tolist()] if is_full else [], given[rest].tolist() if is_full else []
        )
        for place in np.flatnonzero(numbers == 0).tolist():
            if alike[place] >= 0:
                numbers[place] = self._standing_for(self._early[of[place]], int(alike[place]), levels[place])
            elif is_full:
                numbers[place] = self._late(late[place], *next(asked))
            elif len(self.keys) <= MAX_KEYS:
                self._levels.append(levels[place])
                numbers[place] = self._keep(late[place])
            else:
                self._learn_templates()  # what was kept since says more
                return numbers[:place]
        return numbers

    def _standing_for(self, early: EarlyTemplates, template: int, level: int) -> int:
        """Return the number of the key that stands for an early template, where events have this severity."""
        place = template, int(level != UNKNOWN)
        if not early.numbers[place]:
            text, severity = early.said[template]
            key = _severity_said(severity, level) + text
            number = self._known.get(key)
            if number is None:
                self._levels.append(level)
                number = self._keep(key)
            early.numbers[place] = number
        return int(early.numbers[place])

    def _learn_templates(self) -> None:
        from subagents.logs.early import EarlyTemplates

        self._early.append(EarlyTemplates(self.keys[1:], self._levels))

    @property
    def _first_room(self) -> int:
        return min(FIRST_KEYS, MAX_KEYS)

    def _late(self, key: str, severe: bool, said: str, words: list[str]) -> int:
        if (number := self._numbers.get(key)) is not None:  # what another one was shortened to
            return number
        if severe and self._severe < SEVERE_KEYS:
            self._severe += 1
            return self._keep(key)
        opening = (said, *words[: FIRST_WORDS[-1]])
        if self._rough == ROUGH_KEYS and opening not in self._openings:
            return OTHER
        for part, count in enumerate(FIRST_WORDS, 1):
            short = _shortened(said, words, count)
            if (number := self._numbers.get(short)) is not None:
                return number
            if self._rough < ROUGH_KEYS * part // len(FIRST_WORDS):
                self._rough += 1
                self._openings.add(opening)
                return self._keep(short)
        return OTHER

    def _keep(self, key: str) -> int:
        number = self._numbers[key] = len(self.keys)
        self.keys.append(key)
        return number


def _rough(keys: Sequence[str], levels: Sequence[int]) -> Iterator[tuple[bool, str, list[str]]]:
    """Tell of each key whether it is severe, the severity that only the key itself says, and its words.

    They are asked together, for that is cheaper; `levels` are those of their events.
    """
    found, texts = heads_of(keys, levels)
    severe, said = [level >= ERROR for level in found], list(map(_severity_said, found, levels))
    unknown = [place for place, level in enumerate(found) if level == UNKNOWN]
    for place in compress(unknown, sound_bad([texts[place] for place in unknown])):
        severe[place] = True
    return zip(severe, said, map(str.split, texts), strict=True)


def _severity_said(found: int, given: int) -> str:
    """Return how a key says the severity that its event does not."""
    return LEVELS[found].upper() + " " if found != given else ""


def _levels_of(events: pl.DataFrame, rows: Any) -> list[int]:
    levels: list[int] = events["level"].gather(rows).fill_null(UNKNOWN).to_list()
    return levels


def _shortened(said: str, words: list[str], count: int) -> str:
    """Return what a key is kept as where there is no room: its first words and its length."""
    return f"{said}{' '.join(words[:count])} … ({len(words)} words)"


def _nothing() -> Any:
    import numpy as np

    return np.empty(0, np.int64)
