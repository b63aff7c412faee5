"""One pass over all log files: counts per template, service, severity and 10 s, with the first event of each.

Everything that compares windows reads this index, so a file is masked once however many questions follow.
Memory grows with templates and buckets, not with lines.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from subagents.collector import collector_waiting, memory_kept
from subagents.contract import Coverage, ToolError
from subagents.logs.counts import STEP, counted, given, together
from subagents.logs.examples import Examples
from subagents.logs.heads import head_of
from subagents.logs.keys import OTHER, KeyTable
from subagents.logs.levels import ERROR, UNKNOWN, sounds_bad
from subagents.logs.native import MOST_CLASSES
from subagents.logs.patterns import Template, numbered
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import HOSTS_KNOWN, Names
from subagents.logs.sources.parts import Part
from subagents.logs.sources.runs import MOST_MET
from subagents.logs.stack_tally import StackTally, looked_up

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.numbering import KeyWords

COMPACT_ROWS = 400_000
HOSTS_KEPT = 8


@dataclass(frozen=True)
class ReadSoFar:
    """Where a pass stands after a block."""

    done_bytes: int
    """Of the files as they lie on disk."""
    total_bytes: int
    events: int
    source: str
    """Name of the file being read."""
    index: LogIndex
    """What was counted until now. Ask it for `severe_so_far`; its `table` and `templates` are for the whole."""


@dataclass
class KeysOfClasses:
    """Which masked key the lines of a class of one file have, and the events whose first lines are of runs."""

    _by_class: Any = None
    _by_run: Any = None
    _last: Sequence[tuple[Any, Any, Any, Any]] = ()
    """Of a block that was read whole: its classes may have been filled in since."""

    def numbers(self, part: Part, read: Any) -> Any:
        """Return the keys of a block's events (numpy), `read` being those of its frame."""
        import numpy as np

        if self._by_class is None:
            self._by_class, self._by_run = np.zeros(MOST_CLASSES, np.int32), np.zeros(MOST_MET, np.int32)
        lesson = part.classes, part.runs, part.placed, read
        for classes, runs, placed, keys in (*self._last, lesson):
            for by_number, numbers in ((self._by_class, classes), (self._by_run, runs)):
                of_read = numbers[placed]
                some = of_read >= 0
                by_number[of_read[some]] = keys[some]
        self._last = [lesson] if len(read) == part.count else []
        if self._last:
            return read
        numbers = self._by_class[part.classes].astype(np.int64)
        again = np.flatnonzero(part.runs >= 0)
        numbers[again] = self._by_run[part.runs[again]]
        numbers[part.placed] = read
        return numbers


OnBlock = Callable[[ReadSoFar], None]


@dataclass
class LogIndex:
    """The index of a set of sources. `rows` is only read through `table`."""

    sources: Sequence[LogSource]
    known: KeyTable = field(default_factory=KeyTable)
    examples: Examples = field(default_factory=Examples)
    stacks: StackTally = field(default_factory=StackTally)
    coverage: list[Coverage] = field(default_factory=list)
    lines: int = 0
    events: int = 0
    _parts: list[pl.DataFrame] = field(default_factory=list)
    _part_rows: int = 0
    """Rows since the parts were last put together."""
    _compact_rows: int = 0
    """Rows when they were."""
    _hosts: dict[int, list[str]] = field(default_factory=dict)
    _hosts_seen: set[int] = field(default_factory=set)
    _full: list[int] = field(default_factory=list)
    """Keys of which no more hosts are kept."""
    _harmless: list[int] = field(default_factory=list)
    """Keys whose text was asked, and is of nothing severe: it is asked once."""
    _words: KeyWords | None = None
    """Those of the keys, until templates are made of them"""
    names: Names = field(default_factory=Names)

    @classmethod
    def build(
        cls,
        sources: Sequence[LogSource],
        cancelled: Callable[[], bool] = lambda: False,
        on_block: OnBlock | None = None,
    ) -> LogIndex:
        """Read every source once, telling `on_block` after each block; raise ToolError when `cancelled` says so."""
        index = cls(sources)
        sizes = [source.size_bytes for source in sources]
        with collector_waiting(), memory_kept(), ThreadPoolExecutor(1, thread_name_prefix="log-reader") as reader:
            for place, source in enumerate(sources):
                keys = KeysOfClasses()
                for part in _one_ahead(reader, source.parts(index.names)):
                    if cancelled():
                        raise ToolError("cancelled while the logs were being read")
                    index.add(place, part, keys)
                    if on_block is not None:
                        done = sum(sizes[:place]) + min(source.read_bytes, sizes[place])
                        on_block(ReadSoFar(done, sum(sizes), index.events, source.name, index))
                index.coverage.append(source.coverage())
                index.lines += source.tally.lines
            index.known.settle()
        return index

    def severe_so_far(self, limit: int = 5) -> list[tuple[str, int]]:
        """Return (message, events) of the most frequent severe messages among what was read until now, unmerged."""
        import numpy as np

        counts, levels = self._totals()
        asked = (counts > 0) & ((levels >= ERROR) | (levels == UNKNOWN))
        asked[self._harmless] &= levels[self._harmless] != UNKNOWN
        order, found = np.argsort(-counts, kind="stable"), list[tuple[str, int]]()
        for key in order[asked[order]].tolist():
            level, said = head_of(self.keys[key], int(levels[key]))
            if level < ERROR and not (level == UNKNOWN and sounds_bad(said)):
                self._harmless.append(key)
                continue
            found.append((said, int(counts[key])))
            if len(found) >= limit:
                break
        return found

    @property
    def all_hosts(self) -> Collection[str]:
        """Every host or pod that is named as one, up to HOSTS_KNOWN."""
        return self.names.hosts.keys()

    @property
    def keys(self) -> list[str]:
        """Masked keys by number."""
        return self.known.keys

    def add(self, place: int, part: Part, keys: KeysOfClasses | None = None) -> None:
        """Count the events of one block; `keys` are those of the file's classes."""
        keys = keys or KeysOfClasses()
        self.events += part.count
        numbers = keys.numbers(part, self._interned(place, part.frame))
        self._parts.append(counted(part, numbers, place))
        self._part_rows += self._parts[-1].height
        self._count_hosts(part.hosts, numbers)
        self.stacks.add(place, part.frame, looked_up(part, list(self.names.services)))
        if self._part_rows > max(COMPACT_ROWS, self._compact_rows):
            self._compact()

    def _interned(self, place: int, frame: Frame) -> Any:
        """Return the number of each event's key (numpy); the first event of a new key is its example."""
        numbers, new = self.known.add(frame.events)
        if len(new):
            self._show(place, frame, numbers, new)
            self._take_words(frame.events["level"][new].is_null().to_numpy())
        return numbers

    def _take_words(self, unknown: Any) -> None:
        """Number the words of new keys, of which these are such as say no severity but in their text (numpy bool)."""
        import numpy as np

        if self._words is None:
            from subagents.logs.numbering import KeyWords

            self._words = KeyWords()
        keys, asked = self.keys[self._words.count :], np.ones(len(self.keys) - self._words.count, bool)
        asked[len(asked) - len(unknown) :] = unknown
        self._words.take(keys, asked)

    def _show(self, place: int, frame: Frame, numbers: Any, rows: Any) -> None:
        """Keep the events of these rows as examples of new keys; one with a stack trace of its own says all of it."""
        import numpy as np

        events, traced = frame.traces["event"].to_numpy(), dict[int, str]()
        first_new = len(self.keys) - len(rows)
        new = np.flatnonzero(np.isin(events, rows))
        new = new[np.argsort(events[new], kind="stable")]
        for row, full in zip(events[new].tolist(), frame.traces["full"].gather(new).to_list(), strict=True):
            traced.setdefault(int(numbers[row]) - first_new, full)
        self.examples.add(place, frame.events[["start", "lines", "raw", "text"]][rows], traced)

    def _count_hosts(self, by_row: Any, numbers: Any) -> None:
        import numpy as np

        full = np.zeros(len(self.keys), bool)
        full[self._full] = True
        rows = np.flatnonzero(by_row >= 0)
        rows = rows[~full[numbers[rows]]]
        if not len(rows):
            return
        pairs, first = np.unique(numbers[rows] * HOSTS_KNOWN + by_row[rows], return_index=True)
        listed = list(self.names.hosts)
        for pair in pairs[np.argsort(first)].tolist():
            if pair in self._hosts_seen:
                continue
            key, host = divmod(pair, HOSTS_KNOWN)
            logged = self._hosts.setdefault(key, [])
            if len(logged) < HOSTS_KEPT:
                logged.append(listed[host])
                self._hosts_seen.add(pair)
                if len(logged) == HOSTS_KEPT:
                    self._full.append(key)

    def number(self, key: str, level: int | None = None) -> int | None:
        """Return the number of a masked key; None where no event has it, or it is not grouped."""
        return self.known.number(key, level)

    def hosts(self, key: int) -> list[str]:
        """Return some of the hosts or pods that logged a key."""
        return list(self._hosts.get(key, ()))

    def _totals(self) -> tuple[Any, Any]:
        """Return events and highest severity by key (numpy)."""
        import numpy as np

        counts, levels = np.zeros(len(self.keys), np.int64), np.zeros(len(self.keys), np.int8)
        for part in self._parts:
            keys = part["key"].to_numpy()
            counts += np.bincount(keys, part["n"].to_numpy(), len(counts)).astype(np.int64)
            np.maximum.at(levels, keys, part["level"].to_numpy())
        return counts, levels

    def _compact(self) -> None:
        self._parts = together(self._parts)
        self._part_rows, self._compact_rows = 0, sum(part.height for part in self._parts)

    @cached_property
    def table(self) -> pl.DataFrame:
        """Rows of (key, source, service, level, bucket): n, byte, lines, t0, t1 (µs), template, severity, severe.

        Events have the severity of their own field, others that of their template: one message may have several.
        """
        import polars as pl

        if not self._parts:
            return pl.DataFrame(schema=empty_schema())
        self._compact()
        found, numbers = self._numbered_templates
        template = pl.Series(numbers, dtype=pl.UInt32)
        severity = pl.Series([each.level for each in found], dtype=pl.Int8).gather(template)
        severe = pl.Series([each.is_severe for each in found], dtype=pl.Boolean).gather(template)
        services = pl.Series(list(self.names.services), dtype=pl.Categorical)
        table = pl.concat(self._parts)
        self._parts = [table.select("key", "n", "level")]  # what totals need; the rest would lie here twice
        start = pl.col("bucket").cast(pl.Int64) * STEP
        for column in (  # one by one: what it replaces is let go
            given("bucket"),
            given("level"),
            (start + pl.col("t0")).alias("t0"),
            (start + pl.col("t1")).alias("t1"),
            pl.col("n").cast(pl.Int64),
            pl.lit(services).gather(given("service")).alias("service"),
            pl.lit(template).gather(pl.col("key")).alias("template"),
            pl.coalesce("level", pl.lit(severity).gather(pl.col("key"))).alias("severity"),
            pl.coalesce(pl.col("level") >= ERROR, pl.lit(severe).gather(pl.col("key"))).alias("severe"),
        ):
            table = table.with_columns(column)
        return table

    @cached_property
    def services(self) -> pl.Series:
        """The services that logged anything, as the table has them."""
        return self.table["service"].unique().drop_nulls()

    @cached_property
    def buckets(self) -> Any:
        """The buckets that hold events, in order (numpy)."""
        return self.table["bucket"].unique().drop_nulls().sort().to_numpy()

    @cached_property
    def _numbered_templates(self) -> tuple[list[Template], Any]:
        counts, levels = self._totals()
        words, self._words = self._words, None
        with collector_waiting(), memory_kept():
            return numbered(self.keys, levels, counts, words)

    @property
    def different(self) -> list[Template]:
        """The different templates, by their number in `table`."""
        return self._numbered_templates[0]

    def template_of(self, key: int) -> int:
        """Return the number of a key's template."""
        return int(self._numbered_templates[1][key])

    @cached_property
    def templates(self) -> list[Template]:
        """The template of each key."""
        found, numbers = self._numbered_templates
        return [found[number] for number in numbers.tolist()]

    @property
    def ungrouped(self) -> int:
        """Events beyond the limit of keys."""
        return int(self.table["n"].filter(self.table["key"] == OTHER).sum())


def _one_ahead(reader: Executor, parts: Iterator[Part]) -> Iterator[Part]:
    """Let the next block be read while the one before it is counted: both leave the interpreter's lock alone.

    Not while the first is, which somebody waits for. All are read by one thread, as each has its own expressions ready.
    """
    if (first := reader.submit(next, parts, None).result()) is None:
        return
    yield first
    del first
    coming = reader.submit(next, parts, None)
    while (part := coming.result()) is not None:
        coming = reader.submit(next, parts, None)
        yield part
        del part


def empty_schema() -> dict[str, pl.DataType]:
    """Return the columns of `LogIndex.table` for an index of nothing."""
    import polars as pl

    return {
        "service": pl.Categorical(),
        "level": pl.Int8(),
        "bucket": pl.Int32(),
        "n": pl.Int64(),
        "byte": pl.Int64(),
        "lines": pl.UInt32(),
        "t0": pl.Int64(),
        "t1": pl.Int64(),
        "key": pl.UInt32(),
        "source": pl.UInt16(),
        "template": pl.UInt32(),
        "severity": pl.Int8(),
        "severe": pl.Boolean(),
    }
