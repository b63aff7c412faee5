"""One file is one source of log events: blocks of lines become frames of events, every line accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from subagents.contract import Coverage, Problem, SourceSpec, ToolError, Window
from subagents.logs.native import library
from subagents.logs.sources.ahead import BlocksAhead, Sighted
from subagents.logs.sources.alike import AlikeReader
from subagents.logs.sources.backwards import Backwards
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.file_names import day_of_file, service_of_file
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.midnights import Midnights, days_later, midnights_of, say_no_day
from subagents.logs.sources.names import NONE, Names
from subagents.logs.sources.parts import FEW, Part, PartReader, without_borrowed_times
from subagents.logs.sources.reader import BLOCK_BYTES, CUT_BYTES, HOLD_BYTES, Block, BlockReader, read_spans
from subagents.logs.sources.stamp_kinds import AMBIGUOUS
from subagents.logs.sources.stamp_reader import StampReader
from subagents.logs.sources.timestamps import Shape, moment
from subagents.logs.sources.undated import how_to_date
from subagents.quantities import counted

ALIKE_BYTES = 1 << 20
"""Files below are read as they are: to find out which lines are alike costs more than it spares."""
ALIKE_BLOCK_BYTES = 24 << 20
"""A block of which only one in FEW lines is read takes no more memory, and what is done once a block is done less."""


@dataclass
class Tally:
    """What one pass over a source found, for its coverage."""

    lines: int = 0
    blank: int = 0
    events: int = 0
    stamped: int = 0
    first: int | None = None
    last: int | None = None
    problems: dict[str, Problem] = field(default_factory=dict)
    backwards: Backwards = field(default_factory=Backwards)

    def trouble(self, key: str, problem: Problem) -> None:
        """Add a problem; the first place stays, the counts add up."""
        old = self.problems.get(key)
        self.problems[key] = old.model_copy(update={"count": old.count + problem.count}) if old else problem

    def count(self, part: Part, names: Names) -> None:
        """Count the events of a block."""
        times, numbers, hosts = part.times, part.numbers, part.hosts
        if not part.own.all():
            times, numbers, hosts = times[part.own], numbers[part.own], hosts[part.own]
        self.backwards.add(times, numbers, hosts, names.hosts_of)
        self.lines += part.block_lines
        self.events += part.count
        self.stamped += len(times)
        if len(times):
            first, last = int(times.min()), int(times.max())
            self.first = first if self.first is None else min(first, self.first)
            self.last = last if self.last is None else max(last, self.last)


@dataclass
class LogSource:
    """Reads one log file, lazily and as often as asked; keeps what it learnt about its layout."""

    spec: SourceSpec
    tally: Tally = field(default_factory=Tally)
    block_bytes: int = BLOCK_BYTES
    _columns: ColumnReader = field(init=False)
    _reader: BlockReader | None = None
    _midnights: Midnights | None = None
    """None: not looked for yet."""
    _written: tuple[int, int] | None = None
    """When the file was last written to (ns), and its size then, as it was last read"""

    def __post_init__(self) -> None:
        hint = self._hint()
        self._columns = ColumnReader(self.name, self.service, StampReader(hint), StampReader(hint))

    @property
    def id(self) -> str:
        """The source's id, as citations write it."""
        return self.spec.id

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.spec.path)

    @property
    def name(self) -> str:
        """What the person calls it."""
        return self.spec.origin or self.path.name

    @property
    def recorded(self) -> bool:
        """It is the recorded output of a tool, not a log: what it shows holds at the time of the recording."""
        return "recorded" in self.spec.options

    @property
    def service(self) -> str | None:
        """Whose log it is, where the spec or the file's own name says so."""
        given = self.spec.options.get("service")
        if given or self.recorded:
            return given
        return service_of_file(self.path.name)

    @property
    def size_bytes(self) -> int:
        """How large the file is on disk; 0 where it cannot be seen."""
        try:
            return self.path.stat().st_size
        except OSError:
            return 0

    @property
    def read_bytes(self) -> int:
        """How much of the file on disk the pass under way has read."""
        return self._reader.read_bytes if self._reader is not None else 0

    def frames(self, first_byte: int = 0) -> Iterator[Frame]:
        """Yield the events of the file block by block; an unreadable file is a problem, not an error.

        Blocks that end before `first_byte`, where an event starts, are passed over and not counted.
        """
        for part in self._parts(Names(), None, first_byte):
            yield part.frame

    def parts(self, names: Names) -> Iterator[Part]:
        """Yield the events block by block for counting: of lines that are alike only one need be read."""
        return self._parts(names, self._alike(self._columns, names))

    def _alike(self, columns: ColumnReader, names: Names) -> AlikeReader | None:
        size = self.size_bytes
        compiled = library() if size >= ALIKE_BYTES else None
        return AlikeReader.of(columns, names, compiled, size) if compiled is not None else None

    def _parts(self, names: Names, alike: AlikeReader | None, first_byte: int = 0) -> Iterator[Part]:
        self.tally = Tally()
        if not first_byte:
            self._renew_hint()
        reader = self._reader = BlockReader(self.path, self.name, self.block_bytes)
        try:
            for part in self._read(reader, self._columns, names, self.tally, alike, first_byte):
                if self._midnights is None and part.own.any():
                    self._midnights = self._found_midnights()
                placed = self._midnights.placed(part) if self._midnights is not None else part
                del part  # blocks are large: none is kept that was read
                placed = without_borrowed_times(placed) if self.recorded else placed
                self.tally.count(placed, names)
                yield placed
                del placed
        except OSError as error:
            self.tally.trouble("open", _unreadable(self.name, error))
        if reader.problem is not None:
            self.tally.trouble("archive", reader.problem)

    def _read(
        self,
        reader: BlockReader,
        columns: ColumnReader,
        names: Names,
        tally: Tally,
        alike: AlikeReader | None,
        first_byte: int = 0,
    ) -> Iterator[Part]:
        last_time: int | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="log-scanner") as scanner:
            ahead = BlocksAhead(reader, alike, scanner)
            parts = PartReader(columns, names, self.name, tally, alike, ahead.rest)
            try:
                while (sighted := ahead.next()) is not None:
                    if sighted.block.offset + sighted.block.size <= first_byte:
                        continue
                    part, held = parts.read(sighted, tally.lines, last_time)
                    ahead.hold(held)
                    last_time = int(part.times[-1]) if part.times[-1] != NONE else last_time
                    few_read = len(part.placed) * FEW < part.count
                    reader.block_bytes = max(self.block_bytes, ALIKE_BLOCK_BYTES) if few_read else self.block_bytes
                    del sighted, held
                    yield part
                    del part
                    parts.learn()
            finally:
                ahead.rest()
                reader.close()

    def _renew_hint(self) -> None:
        """Take the file's date as it is now, if it was written to since it was last read."""
        try:
            found = self.path.stat()
            written = (found.st_mtime_ns, found.st_size)
        except OSError:
            written = (0, 0)
        if written != self._written:
            self._columns.stamps.hint = self._columns.json_stamps.hint = self._hint()
            self._written, self._midnights = written, None

    def _found_midnights(self) -> Midnights:
        """Return where the file passes midnight; where its stamps say no day, all of it is read for that.

        Only the end tells how many days the beginning lies before it. What was learnt until now stays as it is.
        """
        if not say_no_day(self._columns.stamps.hits + self._columns.json_stamps.hits):
            return Midnights()
        columns, names = self._columns.as_learnt(), Names()
        reader = BlockReader(self.path, self.name, self.block_bytes)
        parts = self._read(reader, columns, names, Tally(), self._alike(columns, names))
        found = midnights_of(parts, columns.stamps.hint, day_of_file(self.path.name))
        return found if say_no_day(columns.stamps.hits + columns.json_stamps.hits) else Midnights()

    def reread(self, byte: int, lines: int) -> Frame:
        """Read some lines again by the layout learnt so far, as if nothing stood around them.

        Raises ToolError where no line starts at `byte`, or the file cannot be read.
        """
        return self.reread_part(byte, lines, Names()).frame

    def reread_part(self, byte: int, lines: int, names: Names) -> Part:
        """Read some lines again as `reread` does, for counting."""
        wanted = [(byte, lines)] if byte == 0 else [(byte - 1, 1), (byte, lines)]
        try:
            spans = read_spans(self.path, wanted, HOLD_BYTES)
        except OSError as error:
            raise ToolError(f"{self.name} cannot be read ({error.strerror})") from error
        span = spans[-1]
        if byte and spans[0].head != b"\n":
            raise ToolError(f"no line of {self.name} starts at byte {byte}")
        data, size = span.head[:HOLD_BYTES], min(span.size, HOLD_BYTES)
        if lines == 1 and span.size > CUT_BYTES:
            data, size = data[:CUT_BYTES], span.size
        reader = PartReader(self._columns.as_learnt(), names, self.name, Tally(), None)
        part = reader.read(Sighted(Block(byte, data, size, last=True)), 0, None)[0]
        return self._midnights.placed(part) if self._midnights is not None else part

    def coverage(self) -> Coverage:
        """Return what the last whole pass understood."""
        tally = self.tally
        span = None
        if tally.first is not None and tally.last is not None:
            span = Window(start=moment(tally.first), end=moment(tally.last + 1))
        return Coverage(
            source=self.id,
            kind="logs",
            items=tally.events,
            understood=tally.stamped,
            span=span,
            layout=self.layout(),
            problems=tuple(self._problems()),
        )

    def layout(self) -> str:
        """Return the file's layout in a few words."""
        parts = []
        if self._columns.json_events:
            parts.append("Docker JSON" if {"log", "stream"} <= self._columns.json.names else "JSON lines")
        if self._columns.tables.places:
            parts.append("table")
        shapes: Counter[str] = Counter()
        for reader in (self._columns.json_stamps, self._columns.stamps):
            for shape, hits in reader.hits.items():
                shapes[shape.describe()] += hits
        parts.extend(name for name, _ in shapes.most_common(3))
        more = len(shapes) - 3
        return "; ".join(parts) + (f"; {more} more time layouts" if more > 0 else "") or "plain text, no time stamps"

    def _problems(self) -> Iterator[Problem]:
        yield from self.tally.problems.values()
        tally = self.tally
        hits = self._columns.stamps.hits + self._columns.json_stamps.hits
        if self.recorded:
            return  # a listing has no times and need not have any
        if tally.events and not tally.stamped:
            yield Problem(
                what="no time stamps that warroom knows",
                where=self.name,
                lost="it cannot be placed on the incident's clock; it is still searched",
                todo=how_to_date(self._head()),
            )
        elif (undated := tally.events - tally.stamped - bool(self._columns.tables.places)) > 0:  # a header has none
            yield Problem(
                what="events without a time stamp of their own; taken at the time of the event before them",
                where=self.name,
                count=undated,
            )
        yield from tally.backwards.problems(self.name)
        repeated = self._columns.repeats.problem(self.name)
        if repeated is not None:
            yield repeated
        passed = self._midnights.passed if self._midnights is not None else 0
        by_name = days_later(self._columns.stamps.hint, day_of_file(self.path.name))
        yield from _zone_problems(self.name, hits, passed, "the file's name" if by_name else "the file's date")

    def _head(self) -> str:
        try:
            return read_spans(self.path, [(0, 2)])[0].head.decode(errors="replace")
        except (OSError, ToolError):
            return ""

    def _hint(self) -> datetime:
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except OSError:
            return datetime(2000, 1, 1, tzinfo=UTC)


def _zone_problems(name: str, hits: Counter[Shape], midnights: int, dated_by: str) -> Iterator[Problem]:
    naive = sum(count for shape, count in hits.items() if shape.naive)
    zones = sorted(
        {shape.zone.strip() for shape in hits if shape.zone.strip()} - {"Z", "UTC", "GMT", "+00:00", "+0000"}
    )
    if naive:
        yield Problem(
            what="time stamps without a zone were taken as UTC",
            where=name,
            todo="if the host logs local time, compare with another source before trusting the order",
            count=naive,
        )
    if naive and zones:
        yield Problem(what=f"stamps with zone {', '.join(zones)} and stamps without a zone in one file", where=name)
    if any(not shape.kind.year and shape.kind.date for shape in hits):
        yield Problem(what="time stamps without a year; the year is taken from the file's date", where=name)
    if any(not shape.kind.date for shape in hits):
        passed = f", and {counted(midnights, 'midnight')} before it counted back" if midnights else ""
        yield Problem(what=f"time stamps without a date; the day is taken from {dated_by}{passed}", where=name)
    forms = [shape.format[len(shape.weekday) :] for shape in hits if shape.kind.name == AMBIGUOUS]
    dates = {form[1:2] for form in forms if form[2:3] != "."}
    if dates:
        first = " and ".join(sorted({"d": "day", "m": "month"}[each] for each in dates))
        yield Problem(what=f"dates such as 05/11/2026 were read with the {first} first", where=name)


def _unreadable(name: str, error: OSError) -> Problem:
    return Problem(
        what=f"cannot be read ({error.strerror or error})",
        where=name,
        lost="the whole file",
        todo="check its permissions",
    )
