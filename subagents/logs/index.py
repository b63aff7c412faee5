"""One pass over all log files: counts per template, service, severity and 10 s, with the first event of each.

Everything that compares windows reads this index, so a file is masked once however many questions follow.
Memory grows with templates and buckets, not with lines.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from subagents.contract import Coverage, ToolError
from subagents.logs.levels import ERROR, UNKNOWN, sounds_bad
from subagents.logs.patterns import Template, head_of, mask, templates
from subagents.logs.sources.log_source import Frame, LogSource
from subagents.logs.stacks import StackTally

if TYPE_CHECKING:
    import polars as pl

BUCKET_SECONDS = 10
MAX_KEYS = 200_000
COMPACT_ROWS = 400_000
OTHER = 0
"""Key 0: events beyond MAX_KEYS different keys. Counted, not grouped."""
EXAMPLE_CHARS = 4096
HOSTS_KEPT = 8
HOSTS_KNOWN = 20_000
"""Hosts and pods whose names are kept for look-up; with more, an unknown name may be one of the rest."""
MERGE_BY = ("key", "source", "service", "level", "bucket")
_COLUMNS = (*MERGE_BY, "n", "byte", "lines", "t0", "t1")


@dataclass(frozen=True, slots=True)
class Example:
    """The first event of a key, as it stands in the file."""

    source: int
    byte: int
    lines: int
    raw: str
    text: str
    """What it says, without stamp and record keeping."""


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


OnBlock = Callable[[ReadSoFar], None]


@dataclass
class LogIndex:
    """The index of a set of sources. `rows` is only read through `table`."""

    sources: Sequence[LogSource]
    keys: list[str] = field(default_factory=lambda: ["(more different messages than are grouped)"])
    examples: list[Example] = field(default_factory=lambda: [Example(0, 0, 1, "", "")])
    stacks: StackTally = field(default_factory=StackTally)
    coverage: list[Coverage] = field(default_factory=list)
    lines: int = 0
    events: int = 0
    _ids: dict[str, int] = field(default_factory=dict)
    _parts: list[pl.DataFrame] = field(default_factory=list)
    _part_rows: int = 0
    """Rows since the parts were last put together."""
    _services: dict[str, int] = field(default_factory=dict)
    _hosts: dict[int, dict[str, int]] = field(default_factory=dict)
    all_hosts: set[str] = field(default_factory=set)
    """Every host or pod that is named as one, up to HOSTS_KNOWN."""

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
        with ThreadPoolExecutor(1, thread_name_prefix="log-reader") as reader:
            for place, source in enumerate(sources):
                for frame in _one_ahead(reader, source.frames()):
                    if cancelled():
                        raise ToolError("cancelled while the logs were being read")
                    index.add(place, frame)
                    if on_block is not None:
                        done = sum(sizes[:place]) + min(source.read_bytes, sizes[place])
                        on_block(ReadSoFar(done, sum(sizes), index.events, source.name, index))
                index.coverage.append(source.coverage())
                index.lines += source.tally.lines
        return index

    def severe_so_far(self, limit: int = 5) -> list[tuple[str, int]]:
        """Return (message, events) of the most frequent severe messages among what was read until now, unmerged."""
        import polars as pl

        if not self._parts:
            return []
        per_key = pl.concat(self._parts).group_by("key").agg(pl.col("n").sum(), pl.col("level").max())
        found = []
        for key, n, level in per_key.sort("n", "key", descending=[True, False]).iter_rows():
            head = head_of(self.keys[key], level or UNKNOWN)
            if head[0] >= ERROR or (head[0] == UNKNOWN and sounds_bad(head[1])):
                found.append((head[1], n))
                if len(found) >= limit:
                    break
        return found

    def add(self, place: int, frame: Frame) -> None:
        """Count the events of one block."""
        import polars as pl

        self.events += frame.events.height
        events = frame.events.with_columns(key=mask(pl.col("text")), bucket=pl.col("t") // (BUCKET_SECONDS * 1_000_000))
        events = _with_traces(events, frame)
        grouped = events.group_by("key", "suffix", "service", "level", "bucket", maintain_order=True).agg(
            n=pl.len(),
            byte=pl.col("start").first(),
            lines=pl.col("lines").first(),
            raw=pl.col("raw").first(),
            text=pl.coalesce(pl.col("full").drop_nulls().first(), pl.col("text").first()),
            t0=pl.col("t").min(),
            t1=pl.col("t").max(),
        )
        if grouped["suffix"].null_count() < grouped.height:
            grouped = grouped.with_columns(key=pl.col("key") + pl.col("suffix").fill_null(""))
        ids = pl.Series(self._intern(place, grouped), dtype=pl.UInt32)
        self._parts.append(
            grouped.with_columns(
                pl.col("n").cast(pl.Int64),
                key=ids,
                source=pl.lit(place, pl.UInt16),
                service=self._numbered(grouped["service"]),
            ).select(_COLUMNS)
        )
        self._part_rows += grouped.height
        if events["host"].null_count() < events.height:
            self._count_hosts(events)
        self.stacks.add(place, frame)
        if self._part_rows > max(COMPACT_ROWS, self._parts[0].height):
            self._compact()

    def _intern(self, place: int, grouped: pl.DataFrame) -> list[int]:
        """Return the number of each row's key; new keys get the next numbers, and the row as their example."""
        known, first = self._ids, len(self.keys)
        room, new, ids = MAX_KEYS + 1 - first, list[int](), list[int]()
        for row, key in enumerate(grouped["key"].to_list()):
            number = known.get(key)
            if number is None:
                number = OTHER
                if len(new) < room:
                    number = known[key] = first + len(new)
                    self.keys.append(key)
                    new.append(row)
            ids.append(number)
        if new:
            rows = grouped[new].select("byte", "lines", "raw", "text").iter_rows()
            self.examples += [
                Example(place, byte, lines, raw[:EXAMPLE_CHARS], text.strip()[:EXAMPLE_CHARS])
                for byte, lines, raw, text in rows
            ]
        return ids

    def _numbered(self, services: pl.Series) -> pl.Series:
        """Return services as numbers, which are put together at a fraction of what names cost."""
        import polars as pl

        known = self._services
        names = services.unique(maintain_order=True).drop_nulls().to_list()
        numbers = [known.setdefault(name, len(known)) for name in names]
        return services.replace_strict(names, numbers, default=None, return_dtype=pl.UInt32)

    def _count_hosts(self, events: pl.DataFrame) -> None:
        import polars as pl

        named = events.filter(pl.col("host").is_not_null()).select(
            pl.col("key") + pl.col("suffix").fill_null(""), pl.col("host")
        )
        for key, host in named.unique(maintain_order=True).iter_rows():
            hosts = self._hosts.setdefault(self._ids.get(key, OTHER), {})
            if len(hosts) < HOSTS_KEPT:
                hosts[host] = hosts.get(host, 0) + 1
            if len(self.all_hosts) < HOSTS_KNOWN:
                self.all_hosts.add(host)

    def number(self, key: str) -> int | None:
        """Return the number of a masked key; None where no event has it, or it is not grouped."""
        return self._ids.get(key)

    def hosts(self, key: int) -> list[str]:
        """Return some of the hosts or pods that logged a key."""
        return list(self._hosts.get(key, ()))

    def _compact(self) -> None:
        import polars as pl

        if len(self._parts) == 1 and not self._part_rows:
            return
        table = pl.concat(self._parts)
        table = (
            table.group_by(*MERGE_BY, maintain_order=True)
            .agg(
                pl.col("n").sum(),
                pl.col("byte").first(),
                pl.col("lines").first(),
                pl.col("t0").min(),
                pl.col("t1").max(),
            )
            .select(_COLUMNS)
        )
        self._parts, self._part_rows = [table], 0

    @cached_property
    def table(self) -> pl.DataFrame:
        """Rows of (key, source, service, level, bucket): n, byte, lines, t0, t1 (µs), template, severe."""
        import polars as pl

        if not self._parts:
            return pl.DataFrame(schema=empty_schema())
        self._compact()
        table = self._parts[0]
        found = self.templates
        ids: dict[tuple[int, str], int] = {}
        numbers = [ids.setdefault((template.level, template.text), len(ids)) for template in found]
        lookup = pl.DataFrame(
            {
                "key": pl.Series(range(len(found)), dtype=pl.UInt32),
                "template": pl.Series(numbers, dtype=pl.UInt32),
                "severity": pl.Series([template.level for template in found], dtype=pl.Int8),
                "by_words": [template.severe_by_words for template in found],
            }
        )
        services = pl.Series(list(self._services), dtype=pl.String)
        table = table.with_columns(service=services.gather(table["service"]))
        table = table.join(lookup, on="key", how="left").with_columns(
            severe=(pl.col("severity") >= ERROR) | pl.col("by_words"),
        )
        return table.drop("by_words")

    @cached_property
    def templates(self) -> list[Template]:
        """The template of each key."""
        import polars as pl

        if not self._parts:
            return []
        self._compact()
        per_key = self._parts[0].group_by("key").agg(pl.col("n").sum(), pl.col("level").max())
        counts, levels = [0] * len(self.keys), [UNKNOWN] * len(self.keys)
        for key, n, level in per_key.iter_rows():
            counts[key], levels[key] = n, level or UNKNOWN
        return templates(self.keys, levels, counts)

    @property
    def ungrouped(self) -> int:
        """Events beyond the limit of keys."""
        import polars as pl

        return int(self.table.filter(pl.col("key") == OTHER)["n"].sum())


def _one_ahead(reader: Executor, frames: Iterator[Frame]) -> Iterator[Frame]:
    """Let the next block be read while the one before it is counted: both leave the interpreter's lock alone."""
    coming = reader.submit(next, frames, None)
    while (frame := coming.result()) is not None:
        coming = reader.submit(next, frames, None)
        yield frame


def _with_traces(events: pl.DataFrame, frame: Frame) -> pl.DataFrame:
    """Add `full`: the text of events that carry a stack trace."""
    import polars as pl

    if not frame.traces.height:
        return events.with_columns(full=pl.lit(None, pl.String))
    traces = frame.traces.select("event", "full").unique("event", keep="first")
    numbered = events.with_columns(event=pl.int_range(pl.len(), dtype=pl.UInt32))
    return numbered.join(traces, on="event", how="left", maintain_order="left")


def empty_schema() -> dict[str, pl.DataType]:
    """Return the columns of `LogIndex.table` for an index of nothing."""
    import polars as pl

    return {
        "service": pl.String(),
        "level": pl.Int8(),
        "bucket": pl.Int64(),
        "n": pl.Int64(),
        "byte": pl.Int64(),
        "lines": pl.Int64(),
        "t0": pl.Int64(),
        "t1": pl.Int64(),
        "key": pl.UInt32(),
        "source": pl.UInt16(),
        "template": pl.UInt32(),
        "severity": pl.Int8(),
        "severe": pl.Boolean(),
    }
