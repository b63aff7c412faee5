"""Which words with digits matter: a line is read beside twins in which other things stand in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subagents.contract import Problem
from subagents.logs.native import HOSTED, LITERAL, SLOW, SPECIAL, VERIFIED, Classes
from subagents.logs.patterns import mask
from subagents.logs.sources import tracebacks
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.pieces import DOTNET_HEAD
from subagents.logs.sources.reader import Block

if TYPE_CHECKING:
    import polars as pl

MOST_ASKED = 200
"""Lines at a time whose words are asked one by one."""
_WORDS = 32
_OBJECT = r"^\s*\{"
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
    """A line and its twin: whether the same was read of both, which words were left, which word may be the host."""

    sample: Sample
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

    def find(self, samples: Sequence[Sample], head: Sequence[bytes]) -> list[Finding | None]:
        """Return what holds for each sample's class, None where there was no time for it.

        `head` are the lines by which the file's layouts are learnt; they are read before the others.
        """
        if not samples:
            return []
        twins = [self.classes.twin(sample.line) for sample in samples]
        own = self._read([sample.line for sample in samples], head)
        trials = self._tried(
            [(sample, twin, 0, None) for sample, (_, twin) in zip(samples, twins, strict=True)], head, own
        )
        slow, special = _odd(own, samples), special_lines(own, self.columns.json.cut_lines).tolist()
        found = dict[int, Finding]()
        for place, trial in enumerate(trials):
            flags = SPECIAL if special[place] else 0
            if slow[place]:
                found[place] = Finding(flags | SLOW)
            elif trial.same and trial.hosts[0] == trial.hosts[1]:
                found[place] = Finding(flags | VERIFIED)
            elif flags:
                found[place] = Finding(flags)
        left = [(place, samples[place], twins[place][0]) for place in range(len(samples)) if place not in found]
        found |= self._by_habit(left, head)
        found |= self._by_word([each for each in left if each[0] not in found][:MOST_ASKED], head)
        return [found.get(place) for place in range(len(samples))]

    def _by_habit(self, left: list[tuple[int, Sample, int]], head: Sequence[bytes]) -> dict[int, Finding]:
        """Try what was found of other lines with such a stamp."""
        tried = list[tuple[int, Sample, int, int | None]]()
        for place, sample, words in left:
            habit = self._habits.get(sample.finder)
            if habit is not None:
                host_word = habit.host_word if habit.flags & HOSTED else None
                tried.append((place, sample, words & habit.literal, host_word))
        trials = self._tried([(each[1], self._kept(each[1], each[2]), each[2], each[3]) for each in tried], head)
        return self._settled([place for place, *_ in tried], trials)

    def _by_word(self, left: list[tuple[int, Sample, int]], head: Sequence[bytes]) -> dict[int, Finding]:
        """Ask for words one by one which of them what is read depends on, and check that the others do not matter."""
        pairs = [(each, word) for each in left for word in range(_WORDS) if each[2] >> word & 1]
        asked = [(sample, self.classes.twin(sample.line, only=word)[1], 0, None) for (_, sample, _), word in pairs]
        literal, hosts = dict.fromkeys((place for place, *_ in left), 0), dict[int, list[int]]()
        for ((place, _, _), word), trial in zip(pairs, self._tried(asked, head), strict=True):
            if trial.same and trial.hosts[0] != trial.hosts[1] and self._is_host(word, trial):
                hosts.setdefault(place, []).append(word)
            elif not trial.same or trial.hosts[0] != trial.hosts[1]:
                literal[place] |= 1 << word
        for place, words in hosts.items():
            if len(words) > 1:
                literal[place] |= sum(1 << word for word in words)
        told = [
            (sample, self._kept(sample, literal[place]), literal[place], words[0] if len(words) == 1 else None)
            for place, sample, _ in left
            for words in [hosts.get(place, [])]
        ]
        found = self._settled([place for place, *_ in left], self._tried(told, head))
        for place, sample, _ in left:
            if place in found:
                self._habits[sample.finder] = found[place]
            else:
                found[place] = Finding(SLOW)
        return found

    def _kept(self, sample: Sample, literal: int) -> bytes:
        return self.classes.twin(sample.line, keep=literal)[1]

    def _settled(self, places: Sequence[int], trials: Sequence[_Trial]) -> dict[int, Finding]:
        """Return, by place, the findings of trials in which nothing else mattered."""
        found = dict[int, Finding]()
        for place, trial in zip(places, trials, strict=True):
            hosted = trial.host_word is not None and self._is_host(trial.host_word, trial)
            if trial.same and (hosted or trial.hosts[0] == trial.hosts[1]) and (hosted or trial.literal):
                flags = (LITERAL if trial.literal else VERIFIED) | (HOSTED if hosted else 0)
                found[place] = Finding(flags, trial.literal, trial.host_word or 0 if hosted else 0)
        return found

    def _tried(
        self,
        asked: Sequence[tuple[Sample, bytes, int, int | None]],
        head: Sequence[bytes],
        own: pl.DataFrame | None = None,
    ) -> list[_Trial]:
        """Read samples (`own`: they have been read) and their twins."""
        if not asked:
            return []
        twins = self._read([each[1] for each in asked], head)
        own = own if own is not None else self._read([each[0].line for each in asked], head)
        hosts = zip(own["host"].to_list(), twins["host"].to_list(), strict=True)
        return [
            _Trial(sample, twin, same, both, literal, host_word)
            for (sample, twin, literal, host_word), same, both in zip(asked, _same(own, twins), hosts, strict=True)
        ]

    def _is_host(self, word: int, trial: _Trial) -> bool:
        """Say whether in both lines the host is that word, as it stands there."""
        told = [self.classes.word(line, word) for line in (trial.sample.line, trial.twin)]
        return [each.decode("utf-8", "replace") if each is not None else "" for each in told] == list(trial.hosts)

    def _read(self, lines: Sequence[bytes], head: Sequence[bytes]) -> pl.DataFrame:
        """Read lines as if they stood in the file; nothing is learnt from them."""
        data = b"\n".join([*head, *lines]) + b"\n"
        read = split_lines(Block(1, data, len(data)), 0, "", NoTroubles())
        return self.columns.as_learnt().read(read, NoTroubles())[len(head) :]


def _odd(columns: pl.DataFrame, samples: Sequence[Sample]) -> list[bool]:
    """Say which lines cannot stand for others: the first stage reads another time, or they are more than a line."""
    import polars as pl

    times = pl.Series([sample.time for sample in samples], dtype=pl.Int64)
    odd = (columns["t"] != times).fill_null(True) | ~columns["stamped"] | columns["glued"]
    return (odd | unlike_others(columns)).to_list()


def unlike_others(columns: pl.DataFrame) -> pl.Series:
    """Say which lines hold more than a line, or are objects that could not be read."""
    more = columns["stack"].is_not_null() | columns["body"].str.contains("\n", literal=True)
    return more | (columns["raw"].str.contains(_OBJECT) & columns["body"].str.contains(_OBJECT))


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
        | text.str.contains(tracebacks.ANY_PART)
        | pl.col("body").str.contains(DOTNET_HEAD)
        | pl.col("raw").str.contains(_PIECE)
    )
    if cut_lines:
        found |= pl.col("raw").str.contains(r"^\s*\{") & ~pl.col("raw").str.contains(r'\n"', literal=True)
    return columns.select(found.fill_null(True))["stamped"].to_numpy()
