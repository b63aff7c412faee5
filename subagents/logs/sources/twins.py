"""Which words with digits matter: a line is read beside twins in which other things stand in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from subagents.contract import Problem
from subagents.logs.native import HOSTED, LITERAL, SLOW, SPECIAL, VERIFIED, Classes
from subagents.logs.patterns import mask
from subagents.logs.sources import tracebacks
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.json_lines import OBJECT
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.pieces import DOTNET_HEAD
from subagents.logs.sources.reader import Block
from subagents.logs.sources.stamp_reader import Seen

if TYPE_CHECKING:
    import polars as pl

READ_EACH = 5
"""A line is read, two twins of it, and two in which only that is kept which mattered in others."""
MOST_ASKED = 200
"""Lines at a time whose words are asked one by one."""
_WORDS = 32
_PIECE = r" (?:stdout|stderr) P "


class NoTroubles:
    """Lines that are only looked at again have no troubles."""

    def trouble(self, key: str, problem: Problem) -> None:
        """Forget it."""


@dataclass(frozen=True)
class Finding:
    """What is known of a class, as its flags say it."""

    flags: int
    literal: int = 0
    """Words, by bit, that split the class."""
    host_word: int = 0
    """The word that is the host, where a flag says that one is."""


@dataclass(frozen=True)
class Sample:
    """A line that stands for its class."""

    line: bytes
    time: int
    """As the first stage reads it."""
    finder: int


@dataclass(frozen=True)
class _Trial:
    """A line and its twins: whether the same was read of all, which words were left, which word may be the host."""

    place: int
    line: bytes
    twin: bytes
    same: bool
    hosts: tuple[str | None, str | None]
    literal: int = 0
    host_word: int | None = None


@dataclass
class TwinTest:
    """Tests lines of one file."""

    columns: ColumnReader
    classes: Classes
    _habits: dict[int, Finding] = field(default_factory=dict)
    """By finder: what was last found of a line with such a stamp; it is tried first."""
    _read: int = 0

    def taken(self) -> int:
        """Return how many bytes were read since this was last asked."""
        read, self._read = self._read, 0
        return read

    def find(
        self, samples: Sequence[Sample], head: Sequence[bytes], stamps: StampsOf, most: int
    ) -> list[Finding | None]:
        """Return what holds for each sample's class, None where `most` bytes were not enough for it.

        `head` are the lines by which the file's layouts are learnt; they are read before the others.
        """
        import polars as pl

        if not samples:
            return []
        desk = _Desk(self.columns, self.classes, samples, head, stamps, pl.DataFrame())
        words = [self.classes.twin(sample.line) for sample in samples]
        asked = [self._ask(place, sample) for place, sample in enumerate(samples)]
        by_habit = [self._habit(place, sample, words[place][0]) for place, sample in enumerate(samples)]
        trials = desk.tried(asked + [each for each in by_habit if each is not None])
        own = desk.own
        slow, special = _odd(own, samples), special_lines(own, self.columns.json.cut_lines).tolist()
        found = dict[int, Finding]()
        for place, trial in enumerate(trials[: len(samples)]):
            flags = SPECIAL if special[place] else 0
            if slow[place]:
                found[place] = Finding(flags | SLOW)
            elif trial.same and trial.hosts[0] == trial.hosts[1]:
                found[place] = Finding(flags | VERIFIED)
            elif trial.same and (word := self._host_word(words[place][0], trial)) is not None:
                found[place] = Finding(flags | VERIFIED | HOSTED, 0, word)
            elif flags:
                found[place] = Finding(flags)
        found = self._settled(trials[len(samples) :]) | found
        left, most = list[tuple[int, int]](), most - desk.read_bytes
        for place in (place for place in range(len(samples)) if place not in found):
            most -= len(samples[place].line) * 2 * (words[place][0].bit_count() + 1)
            if most < 0 or len(left) == MOST_ASKED:
                break
            left.append((place, words[place][0]))
        found |= self._by_word(left, desk)
        self._read += desk.read_bytes
        return [found.get(place) for place in range(len(samples))]

    def _habit(self, place: int, sample: Sample, words: int) -> _Asked | None:
        """Ask for what was found of other lines with such a stamp."""
        habit = self._habits.get(sample.finder)
        if habit is None:
            return None
        host_word = habit.host_word if habit.flags & HOSTED else None
        return self._ask(place, sample, keep=words & habit.literal, host_word=host_word)

    def _ask(self, place: int, sample: Sample, keep: int = 0, only: int = -1, host_word: int | None = None) -> _Asked:
        """Ask whether the same is read of twins: one with as many digits everywhere, and one with statuses."""
        twin, wide = self.classes.twin(sample.line, keep, only)[1], self.classes.wide_twin(sample.line, keep, only)
        return place, (twin,) if wide == sample.line else (twin, wide), keep, host_word

    def _by_word(self, left: list[tuple[int, int]], desk: _Desk) -> dict[int, Finding]:
        """Ask for words one by one which of them what is read depends on, and check that the others do not matter."""
        pairs = [(place, word) for place, words in left for word in range(_WORDS) if words >> word & 1]
        asked = [self._ask(place, desk.samples[place], only=word) for place, word in pairs]
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
            told.append(self._ask(place, desk.samples[place], keep=kept, host_word=host_word))
        found = self._settled(desk.tried(told))
        self._habits |= {desk.samples[place].finder: finding for place, finding in found.items()}
        return {place: found.get(place, Finding(SLOW)) for place in literal}

    def _settled(self, trials: Sequence[_Trial]) -> dict[int, Finding]:
        """Return, by place, the findings of trials in which nothing else mattered."""
        found = dict[int, Finding]()
        for trial in trials:
            hosted = trial.host_word is not None and self._is_host(trial.host_word, trial)
            if trial.same and (hosted or trial.hosts[0] == trial.hosts[1]) and (hosted or trial.literal):
                flags = (LITERAL if trial.literal else VERIFIED) | (HOSTED if hosted else 0)
                found[trial.place] = Finding(flags, trial.literal, trial.host_word or 0 if hosted else 0)
        return found

    def _host_word(self, words: int, trial: _Trial) -> int | None:
        """Return the word that is the host in both lines; None where none is."""
        return next((word for word in range(_WORDS) if words >> word & 1 and self._is_host(word, trial)), None)

    def _is_host(self, word: int, trial: _Trial) -> bool:
        """Say whether in both lines the host is that word, as it stands there."""
        told = [self.classes.word(line, word) for line in (trial.line, trial.twin)]
        return [each.decode("utf-8", "replace") if each is not None else "" for each in told] == list(trial.hosts)


StampsOf = Callable[[bytes, int], Seen]
"""Finds the stamps of lines: all in one, and how many there are."""
_Asked = tuple[int, tuple[bytes, ...], int, int | None]
"""Place of a sample, twins of it, the words left in them, and the word that may be the host."""


@dataclass
class _Desk:
    """Where samples and twins are read as if they stood in the file; nothing is learnt from them."""

    columns: ColumnReader
    classes: Classes
    samples: Sequence[Sample]
    head: Sequence[bytes]
    stamps: StampsOf
    own: pl.DataFrame
    """What was read of the samples, once twins were tried."""
    read_bytes: int = 0

    def tried(self, asked: Sequence[_Asked]) -> list[_Trial]:
        """Read twins, and the samples the first time."""
        if not asked:
            return []
        twins = [twin for _, some, _, _ in asked for twin in some]
        lines = [sample.line for sample in self.samples] if self.own.is_empty() else []
        read = self._read([*lines, *twins])
        if lines:
            self.own, read = read[: len(lines)], read[len(lines) :]
        own = self.own[[place for place, some, _, _ in asked for _ in some]]
        same, hosts = _same(own, read), list(zip(own["host"].to_list(), read["host"].to_list(), strict=True))
        found, at = list[_Trial](), 0
        for place, some, literal, host_word in asked:
            are_same, at = all(same[at : at + len(some)]), at + len(some)
            hosts_of = hosts[at - len(some)]
            found.append(_Trial(place, self.samples[place].line, some[0], are_same, hosts_of, literal, host_word))
        return found

    def _read(self, lines: Sequence[bytes]) -> pl.DataFrame:
        data = b"\n".join([*self.head, *lines]) + b"\n"
        self.read_bytes += len(data)
        read = split_lines(Block(1, data, len(data)), 0, "", NoTroubles())
        read = replace(read, seen=self.stamps(data, read.count))
        return self.columns.as_learnt().read(read, NoTroubles())[len(self.head) :]


def _odd(columns: pl.DataFrame, samples: Sequence[Sample]) -> list[bool]:
    """Say which lines cannot stand for others: the first stage reads another time, or they are more than a line."""
    import polars as pl

    times = pl.Series([sample.time for sample in samples], dtype=pl.Int64)
    odd = (columns["t"] != times).fill_null(True) | ~columns["stamped"] | columns["glued"]
    return (odd | unlike_others(columns)).to_list()


def unlike_others(columns: pl.DataFrame) -> pl.Series:
    """Say which lines hold more than a line, or are objects that could not be read."""
    more = columns["stack"].is_not_null() | columns["body"].str.contains("\n", literal=True)
    return more | (columns["raw"].str.contains(OBJECT) & columns["body"].str.contains(OBJECT))


def _same(one: pl.DataFrame, other: pl.DataFrame) -> list[bool]:
    """Say row by row whether the same was read, but for the host."""
    import polars as pl

    key = mask(pl.col("body")) + pl.col("suffix").fill_null("")
    names = ("t", "stamped", "spaced", "glued", "level", "service", "stack")
    left, right = one.select(*names, key=key), other.select(*names, key=key)
    same = left["key"] == right["key"]
    for name in names:
        same &= left[name].eq_missing(right[name])
    return same.to_list()


def special_lines(columns: pl.DataFrame, cut_lines: bool) -> Any:
    """Say which lines may be part of a stack trace, or of a record that was cut in pieces (numpy bool)."""
    import polars as pl

    text = pl.when("spaced").then(pl.col("body").str.strip_prefix(" ")).otherwise("body")
    found = (
        ~pl.col("stamped")
        | pl.col("glued")
        | pl.col("glued").shift(-1, fill_value=False)
        | text.str.contains(tracebacks.ANY_PART)
        | pl.col("body").str.contains(DOTNET_HEAD)
        | pl.col("raw").str.contains(_PIECE)
    )
    if cut_lines:
        found |= pl.col("raw").str.contains(OBJECT) & ~pl.col("raw").str.contains(r'\n"', literal=True)
    return columns.select(found.fill_null(True))["stamped"].to_numpy()
