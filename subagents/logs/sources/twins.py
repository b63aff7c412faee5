"""Which words with digits matter: a line is read beside twins in which other things stand in them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from subagents.contract import Problem
from subagents.logs.native import HOSTED, LITERAL, MISREAD, SLOW, SPECIAL, VERIFIED, Classes
from subagents.logs.native.twins import Twins, Wanted, twins_of
from subagents.logs.patterns import mask
from subagents.logs.sources import tracebacks
from subagents.logs.sources.class_findings import WORDS, Finding, Habit
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.expressions import with_part
from subagents.logs.sources.json_lines import OBJECT
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.pieces import DOTNET_HEAD
from subagents.logs.sources.reader import Block
from subagents.logs.sources.stamp_reader import Seen

if TYPE_CHECKING:
    import polars as pl

READ_EACH = 7
"""A line is read, three twins of it, and three in which only that is kept which mattered in others."""
MOST_ASKED = 200
"""Lines at a time whose words are asked one by one."""
ENOUGH_PROVEN = 5
"""So many lines of which the same words matter tell that no others do where those are others."""
MOST_PROVEN = 64
"""Kinds of lines of which that is asked at a time."""
_NAMED = re.compile(rb"([A-Za-z_]+)\"?[:=] ?\"?-?\d")
_PIECES = (" stdout P ", " stderr P ")


class NoTroubles:
    """Lines that are only looked at again have no troubles."""

    def trouble(self, key: str, problem: Problem) -> None:
        """Forget it."""


class Sample(NamedTuple):
    """A line that stands for its class."""

    line: bytes
    time: int
    """As the first stage reads it."""
    finder: int
    lines: float = 0
    """How many like it there are, here and in what is to come"""


class _Asked(NamedTuple):
    """Whether the same is read of a sample and its twins."""

    place: int
    """Of the sample"""
    wanted: Wanted
    host_word: int | None = None
    """The word that may be the host"""


class _Trial(NamedTuple):
    """A line and its twins: whether the same was read of all, which words were left, which word may be the host."""

    place: int
    line: bytes
    twin: bytes
    same: bool
    hosts: tuple[str | None, str | None]
    words: int
    """Words with digits that the line has, by bit"""
    literal: int
    host_word: int | None


@dataclass
class TwinTest:
    """Tests lines of one file."""

    columns: ColumnReader
    classes: Classes
    _habits: dict[int, Habit] = field(default_factory=dict)
    """By finder: what was last found of a line with such a stamp; it is tried first."""
    _proven: Counter[_Kind] = field(default_factory=Counter)
    """In how many lines of a kind no more words matter where those that do are others."""
    _read: int = 0

    def taken(self) -> int:
        """Return how many bytes were read since this was last asked."""
        read, self._read = self._read, 0
        return read

    def find(self, samples: Sequence[Sample], stamps: StampsOf, most: int, worth: int) -> list[Finding | None]:
        """Return what holds for each sample's class, None where `most` bytes were not enough for it.

        None also where words would have to be asked one by one, for fewer lines than are `worth` it.
        """
        if not samples:
            return []
        desk = _Desk(self.columns, self.classes, samples, stamps)
        asked = [_Asked(place, Wanted(sample.line)) for place, sample in enumerate(samples)]
        made = twins_of(self.classes, [each.wanted for each in asked])
        by_habit = [
            _Asked(place, Wanted(sample.line, literal), _host_word_of(habit.finding))
            for place, (sample, twins) in enumerate(zip(samples, made, strict=True))
            if (habit := self._habits.get(sample.finder)) is not None
            for literal in habit.literal_in(twins.words)
        ]
        trials = desk.tried(asked + by_habit, made)
        own = desk.own
        self.columns.learn_requests(own["raw"])  # they are to stand for others
        slow, special = _odd(own, samples), special_lines(own, self.columns.json.cut_lines).tolist()
        found = dict[int, Finding]()
        for place, trial in enumerate(trials[: len(samples)]):
            flags = SPECIAL if special[place] else 0
            if slow[place]:
                found[place] = Finding(flags | SLOW | MISREAD)
            elif trial.same and trial.hosts[0] == trial.hosts[1]:
                found[place] = Finding(flags | VERIFIED)
            elif trial.same and (word := self._host_word(trial)) is not None:
                found[place] = Finding(flags | VERIFIED | HOSTED, 0, word)
            elif flags:
                found[place] = Finding(flags)
        found = self._settled(trials[len(samples) :]) | found
        left, most = list[tuple[int, int]](), most - desk.read_bytes
        for place in (place for place in range(len(samples)) if place not in found):
            most -= len(samples[place].line) * 2 * (made[place].words.bit_count() + 1)
            if most < 0 or len(left) == MOST_ASKED:
                break
            left.append((place, made[place].words))
        if sum(samples[place].lines for place, _ in left) >= worth:
            found |= self._by_word(left, desk)
        self._prove(found, desk, made, worth)
        self._read += desk.read_bytes
        return [found.get(place) for place in range(len(samples))]

    def _by_word(self, left: list[tuple[int, int]], desk: _Desk) -> dict[int, Finding]:
        """Ask for words one by one which of them what is read depends on, and check that the others do not matter."""
        pairs = [(place, word) for place, words in left for word in range(WORDS) if words >> word & 1]
        asked = [_Asked(place, Wanted(desk.samples[place].line, only=word)) for place, word in pairs]
        literal, hosts = {place: 0 for place, _ in left}, dict[int, list[int]]()
        for (place, word), trial in zip(pairs, desk.tried(asked), strict=True):
            if trial.same and trial.hosts[0] != trial.hosts[1] and self._is_host(word, trial):
                hosts.setdefault(place, []).append(word)
            elif not trial.same or trial.hosts[0] != trial.hosts[1]:
                literal[place] |= 1 << word
        for place, words in hosts.items():
            if len(words) > 1:
                literal[place] |= sum(1 << word for word in words)
        told = list[_Asked]()
        for place, kept in literal.items():
            host_word = hosts[place][0] if len(hosts.get(place, ())) == 1 else None
            told.append(_Asked(place, Wanted(desk.samples[place].line, kept), host_word))
        found, words_of = self._settled(desk.tried(told)), dict(left)
        self._habits |= {desk.samples[place].finder: Habit(each, words_of[place]) for place, each in found.items()}
        return {place: found.get(place, Finding(SLOW)) for place in literal}

    def _prove(self, found: dict[int, Finding], desk: _Desk, made: Sequence[Twins], worth: int) -> None:
        """Put in which words matter only where others that do are not as they stand: the level beside a status of 500.

        Only some samples of each kind are tried; where more matters in one, the others are left for the next time. So
        are all where fewer lines than are `worth` it depend on them.
        """
        kinds = dict[_Kind, list[int]]()
        for place, finding in found.items():
            if not finding.flags & LITERAL:
                continue
            sample = desk.samples[place]
            kind = (sample.finder, made[place].words, finding.literal, tuple(_NAMED.findall(sample.line)))
            if self._proven[kind] < ENOUGH_PROVEN:
                kinds.setdefault(kind, []).append(place)
        for kind in list(kinds)[MOST_PROVEN:]:
            for place in kinds.pop(kind):
                del found[place]
        doubted = [place for places in kinds.values() for place in places]
        if not doubted or sum(desk.samples[place].lines for place in doubted) < worth:
            for place in doubted:
                del found[place]
            return
        tried = {place: kind for kind, places in kinds.items() for place in places[:ENOUGH_PROVEN]}
        more = self._more_words({place: found[place] for place in tried}, desk)
        for place, kind in tried.items():
            if place not in more:
                self._proven[kind] += 1
                continue
            for other in kinds[kind][ENOUGH_PROVEN:]:
                found.pop(other, None)
        asked = [
            _Asked(place, Wanted(desk.samples[place].line, literal), _host_word_of(found[place]))
            for place, literal in more.items()
            if literal
        ]
        settled = self._settled(desk.tried(asked))
        self._habits |= {desk.samples[place].finder: Habit(each, made[place].words) for place, each in settled.items()}
        found |= {place: settled.get(place, Finding(SLOW)) for place in more}

    def _more_words(self, found: dict[int, Finding], desk: _Desk) -> dict[int, int]:
        """Return all words that matter, by bit, of samples in which more do where one of those found is another.

        0 where they cannot be told.
        """
        pairs = [(place, word) for place, each in found.items() for word in range(WORDS) if each.literal >> word & 1]
        made = twins_of(self.classes, [Wanted(desk.samples[place].line, only=word) for place, word in pairs])
        samples, places = list[Sample](), list[int]()
        for (place, _), each in zip(pairs, made, strict=True):
            sample = desk.samples[place]
            others = [line for line in dict.fromkeys(each[1:]) if line and line != sample.line]
            samples += [sample._replace(line=line) for line in others]
            places += [place] * len(others)
        other = replace(desk, samples=samples, read_bytes=0)
        wanted = [Wanted(each.line, found[place].literal) for each, place in zip(samples, places, strict=True)]
        twins = twins_of(self.classes, wanted)
        asked = [
            _Asked(number, each, _host_word_of(found[place]))
            for number, (each, place) in enumerate(zip(wanted, places, strict=True))
        ]
        settled = self._settled(other.tried(asked, twins))
        left = [(number, twins[number].words) for number in range(len(samples)) if number not in settled]
        more = dict[int, int]()
        told = self._by_word(left, other) if left else {}
        for number, finding in told.items():
            place = places[number]
            known = more.get(place, found[place].literal)
            more[place] = known | finding.literal if known and finding.literal else 0
        desk.read_bytes += other.read_bytes
        return more

    def _settled(self, trials: Sequence[_Trial]) -> dict[int, Finding]:
        """Return, by place, the findings of trials in which nothing else mattered."""
        found = dict[int, Finding]()
        for trial in trials:
            hosted = trial.host_word is not None and self._is_host(trial.host_word, trial)
            if trial.same and (hosted or trial.hosts[0] == trial.hosts[1]) and (hosted or trial.literal):
                flags = (LITERAL if trial.literal else VERIFIED) | (HOSTED if hosted else 0)
                found[trial.place] = Finding(flags, trial.literal, trial.host_word or 0 if hosted else 0)
        return found

    def _host_word(self, trial: _Trial) -> int | None:
        """Return the word that is the host in both lines; None where none is."""
        return next((word for word in range(WORDS) if trial.words >> word & 1 and self._is_host(word, trial)), None)

    def _is_host(self, word: int, trial: _Trial) -> bool:
        """Say whether in both lines the host is that word, as it stands there."""
        lines = zip((trial.line, trial.twin), trial.hosts, strict=True)
        return all((self.classes.word(line, word) or b"").decode("utf-8", "replace") == host for line, host in lines)


_Kind = tuple[int, int, int, tuple[bytes, ...]]
"""Of a sample: its finder, its words with digits, and those that matter, by bit, and the names of numbers."""
StampsOf = Callable[[bytes, int], Seen]
"""Finds the stamps of lines: all in one, and how many there are."""


@dataclass
class _Desk:
    """Where samples and twins are read as if they stood in the file; nothing is learnt from them."""

    columns: ColumnReader
    classes: Classes
    samples: Sequence[Sample]
    stamps: StampsOf
    read_bytes: int = 0

    def __post_init__(self) -> None:
        import polars as pl

        self.own = self._said = pl.DataFrame()
        """What was read of the samples, once twins were tried, and how that is compared"""

    def tried(self, asked: Sequence[_Asked], made: Sequence[Twins] = ()) -> list[_Trial]:
        """Read twins, one with as many digits everywhere and one with statuses, and the samples the first time.

        Those of the first ones asked for may have been `made` before.
        """
        if not asked:
            return []
        made = [*made, *twins_of(self.classes, [each.wanted for each in asked[len(made) :]])]
        lines = [sample.line for sample in self.samples] if self.own.is_empty() else []
        twins, places = list[bytes](), list[int]()
        sizes = list[int]()
        for (place, wanted, _), each in zip(asked, made, strict=True):
            some = [each.twin, *(wide for wide in each[2:] if wide and wide != wanted.line)]
            twins += some
            places += [place] * len(some)
            sizes.append(len(some))
        read = self._read([*lines, *twins])
        if lines:
            self.own, read = read[: len(lines)], read[len(lines) :]
            self._said = _said(self.own)
        same, hosts = _same(self._said[places], _said(read))
        found, at = list[_Trial](), 0
        for (place, wanted, host_word), each, size in zip(asked, made, sizes, strict=True):
            end = at + size
            are_same = all(same[at:end])
            found.append(_Trial(place, wanted.line, each.twin, are_same, hosts[at], each.words, wanted.keep, host_word))
            at = end
        return found

    def _read(self, lines: Sequence[bytes]) -> pl.DataFrame:
        data = b"\n".join(lines) + b"\n"
        self.read_bytes += len(data)
        read = split_lines(Block(1, data, len(data)), 0, "", NoTroubles())
        read = replace(read, seen=self.stamps(data, read.count))
        return self.columns.as_learnt(doubts=True).read(read, NoTroubles())


def _host_word_of(finding: Finding) -> int | None:
    return finding.host_word if finding.flags & HOSTED else None


def _odd(columns: pl.DataFrame, samples: Sequence[Sample]) -> list[bool]:
    """Say which lines cannot stand for others: the first stage reads another time, or they are more than a line."""
    import polars as pl

    times = pl.Series([sample.time for sample in samples], dtype=pl.Int64)
    odd = (columns["t"] != times).fill_null(True) | ~columns["stamped"] | columns["glued"]
    return (odd | unlike_others(columns)).to_list()


def unlike_others(columns: pl.DataFrame) -> pl.Series:
    """Say which lines hold more than a line, or are objects that could not be read."""
    import polars as pl

    body = pl.col("body")
    more = pl.col("stack").is_not_null() | with_part(body, "\n")
    return columns.select_seq(more | (pl.col("raw").str.contains(OBJECT) & body.str.contains(OBJECT))).to_series()


_COMPARED = ("t", "stamped", "spaced", "glued", "level", "service", "stack")


def _said(columns: pl.DataFrame) -> pl.DataFrame:
    """Return what was read of lines, as it is compared."""
    import polars as pl

    return columns.select_seq(*_COMPARED, "host", key=mask(pl.col("body")) + pl.col("suffix").fill_null(""))


def _same(one: pl.DataFrame, other: pl.DataFrame) -> tuple[list[bool], list[tuple[str | None, str | None]]]:
    """Say row by row whether the same was read, but for the host; return also both hosts."""
    import polars as pl

    both = one.hstack(other.rename(lambda name: f"other {name}"))
    are_same = both.select_seq(
        pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"other {name}")) for name in (*_COMPARED, "key"))
    )
    hosts = list(zip(one["host"].to_list(), other["host"].to_list(), strict=True))
    return are_same.to_series().to_list(), hosts


def special_lines(columns: pl.DataFrame, cut_lines: bool) -> Any:
    """Say which lines may be part of a stack trace, or of a record that was cut in pieces (numpy bool)."""
    import polars as pl

    text = pl.when("spaced").then(pl.col("body").str.strip_prefix(" ")).otherwise("body")
    found = (
        ~pl.col("stamped")
        | pl.col("glued")
        | pl.col("glued").shift(-1, fill_value=False)
        | tracebacks.may_be_part(text, or_has=DOTNET_HEAD)
        | with_part(pl.col("raw"), *_PIECES)
    )
    if cut_lines:
        found |= pl.col("raw").str.contains(OBJECT) & ~with_part(pl.col("raw"), r'\n"')
    return columns.select_seq(found.fill_null(True))["stamped"].to_numpy()
