"""The events of a block for counting: some are read, the others only looked up, as lines like them were read before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from subagents.contract import Problem
from subagents.logs.native import Scan
from subagents.logs.patterns import KEY_CHARS
from subagents.logs.sources.ahead import Sighted
from subagents.logs.sources.alike import AlikeReader
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.frames import Frame, Read, events_of
from subagents.logs.sources.lines import Lines, Troubles, some_lines, split_lines
from subagents.logs.sources.names import NONE, Names
from subagents.logs.sources.reader import BLOCK_BYTES, Block
from subagents.logs.sources.runs import NO_PRINTINGS, Printings, RunBook, Runs
from subagents.logs.sources.siblings import Siblings, Told, merged
from subagents.logs.sources.stamp_reader import Seen
from subagents.logs.sources.twins import NoTroubles

if TYPE_CHECKING:
    import polars as pl

FEW = 4
"""Where fewer than one in so many lines is known, all are read; where so few are read, blocks may be larger."""


@dataclass(frozen=True)
class Part:
    """The events of a block in file order; columns are numpy, one value an event."""

    frame: Frame
    """Those that were read."""
    placed: Any
    """Where in the order those of the frame stand"""
    starts: Any
    lines: Any
    numbers: Any
    """Of their first lines in the file, counted from 1"""
    times: Any
    """µs since 1970 UTC, NONE where unknown"""
    own: Any
    """Whether they have a stamp of their own"""
    levels: Any
    """NONE where it is not known apart from the text"""
    services: Any
    hosts: Any
    """By number, NONE where there is none"""
    classes: Any
    """NONE where they are of no class. Those of a file's first block are filled in once the next is asked for."""
    block_lines: int
    """Lines of the block, without its end where that is read again"""
    runs: Any
    """Numbers of first lines of runs (see `RunBook`); NONE where they are none"""
    printings: Printings
    """Stack traces that were looked up; `heads` are rows of this"""

    @property
    def count(self) -> int:
        """How many events."""
        return len(self.starts)


def without_borrowed_times(part: Part) -> Part:
    """Return the events of a listing: objects that name no time of their own are not of the time of those before."""
    import numpy as np
    import polars as pl

    objects = pl.col("raw").str.starts_with("{") & ~pl.col("own")
    events = part.frame.events.with_columns(t=pl.when(objects).then(None).otherwise("t"))
    times = part.times.copy()
    times[part.placed[np.flatnonzero(events["t"].is_null().to_numpy())]] = NONE
    return replace(part, frame=replace(part.frame, events=events), times=times)


@dataclass
class Waiting:
    """Troubles that count once it is clear that the lines they are about need not be read again."""

    found: list[tuple[str, Problem]] = field(default_factory=list)

    def trouble(self, key: str, problem: Problem) -> None:
        """Keep a problem."""
        self.found.append((key, problem))

    def tell(self, troubles: Troubles, but: Waiting) -> None:
        """Add the problems to what is told, but for those of lines that are read again."""
        again = Counter[str]()
        for key, problem in but.found:
            again[key] += problem.count
        for key, problem in self.found:
            left = problem.count - again.pop(key, 0)
            if left > 0:
                troubles.trouble(key, problem.model_copy(update={"count": left}))


@dataclass
class PartReader:
    """Reads the blocks of one file, in order."""

    columns: ColumnReader
    names: Names
    name: str
    troubles: Troubles
    alike: AlikeReader | None
    """None where every line is to be read."""
    rest: Callable[[], None] = lambda: None
    """Waits until no other block is being scanned."""
    _lesson: tuple[Any, Callable[[], tuple[Any, Any]]] | None = None
    """Classes and runs of the block that was given last, and what finds them."""

    def learn(self) -> None:
        """Learn from a file's first block, now that whoever waits for it has it; before that no other is scanned."""
        if self._lesson is not None:
            marks, learnt = self._lesson
            marks[:], self._lesson = learnt(), None

    def read(self, sighted: Sighted, lines_before: int, last_time: int | None) -> tuple[Part, bytes]:
        """Return the events of a block, and its end where that is to be read again with the next one."""
        import numpy as np

        alike, scan, block = self.alike, sighted.scan, sighted.block
        if alike is None or scan is None:
            return self._all(sighted, lines_before, last_time)
        known, firsts, runs = alike.known(block, scan)
        if alike.outdated():
            return self._again(sighted, scan, lines_before, last_time, runs)
        sight = _Sight(alike, block, scan, known, runs, alike.runs, lines_before)
        are_few = np.count_nonzero(known) * FEW < len(known)
        alike.was_worth_it(not are_few)
        if are_few:
            return self._again(sighted, scan, lines_before, last_time, runs)
        siblings = alike.siblings(block, scan, known, firsts)
        while True:
            before, met = self.columns.counts(), Waiting()
            rows, lines, columns = self._those(sight, met)
            if alike.outdated():
                self.columns.count_from(before)
                return self._again(sighted, scan, lines_before, last_time, runs)
            read = events_of(block, lines, columns, last_time)
            heads, told = rows[read.heads], self._told(read)
            alike.learn_from(scan, heads, read.frame.events, told)
            if siblings is not None:
                siblings = siblings.some(sight.known[siblings.rows])
                alike.learn(scan.classes[siblings.rows], siblings.told(scan))
            amiss = sight.known & ~alike.shown[scan.classes] & ~runs.lines()
            if not amiss.any():
                break
            self.columns.count_from(before)
            sight.known[amiss] = False  # the line that was to tell what they say turned out to begin no event
        of_run = sight.book.learn(block, scan, runs, heads, read.frame, told)
        self._tell(met, lines, read)
        if alike.stamps.met_new():
            self.rest()
            alike.renew()
        return _put_together(sight, read, Heads(heads, told, of_run), siblings, self.names), read.held

    def _again(
        self, sighted: Sighted, scan: Scan, lines_before: int, last_time: int | None, runs: Runs
    ) -> tuple[Part, bytes]:
        """Read every line, where few are known; of a large block only what memory is meant for."""
        import numpy as np

        block = sighted.block
        cut = int(scan.starts[max(1, int(np.searchsorted(scan.starts, BLOCK_BYTES))) - 1])
        if not cut or block.length <= BLOCK_BYTES:
            return self._all(sighted, lines_before, last_time, runs)
        first = replace(sighted, block=replace(block, size=cut, last=False))
        part, held = self._all(first, lines_before, last_time, runs)
        return part, held + block.data[cut : block.length]

    def _all(
        self, sighted: Sighted, lines_before: int, last_time: int | None, runs: Runs | None = None
    ) -> tuple[Part, bytes]:
        """Read every line, and learn what that shows."""
        import numpy as np

        met, block = Waiting(), sighted.block
        lines = split_lines(block, lines_before, self.name, met)
        lines = replace(lines, seen=self._stamps(sighted, lines.count))
        read = events_of(block, lines, self.columns.read(lines, met), last_time)
        self._tell(met, lines, read)
        told, marks = self._told(read), np.full((2, len(read.heads)), NONE)
        if self.alike is not None and not sighted.passed and not block.is_cut:
            learnt = partial(self._learnt, self.alike, sighted, read, told, runs)
            if self.alike.ready:
                marks[:] = learnt()
            else:
                self._lesson = marks, learnt
        events = read.frame.events
        part = Part(
            read.frame,
            np.arange(events.height),
            events["start"].to_numpy(),
            events["lines"].to_numpy(),
            lines.numbers[read.heads],
            told.times,
            events["own"].to_numpy(),
            told.levels,
            told.services,
            told.hosts,
            marks[0],
            read.lines,
            marks[1],
            NO_PRINTINGS,
        )
        return part, read.held

    def _stamps(self, sighted: Sighted, lines: int) -> Seen | None:
        """Return what the first stage knows of the stamps of a block's lines; None where it may know too little."""
        import numpy as np

        alike, scan = self.alike, sighted.scan
        if alike is None or not alike.ready or sighted.block.is_cut:
            return None
        if alike.stamps.met_new():
            self.rest()
            alike.renew()
        if scan is not None:
            return alike.stamps.of_scan(scan, np.arange(lines)) if scan.state == alike.state else None
        if sighted.stamps is None or sighted.state != alike.state:
            return None
        return alike.stamps.as_read(*sighted.stamps)

    def _tell(self, met: Waiting, lines: Lines, read: Read) -> None:
        """Count the lines read and their troubles, but for those that are read again with the next block."""
        again = Waiting()
        if read.held:
            split_lines(Block(1, read.held, len(read.held)), 0, self.name, again)
            self.columns.uncount(lines[read.lines :], again)
        met.tell(self.troubles, again)

    def _learnt(
        self, alike: AlikeReader, sighted: Sighted, read: Read, told: Told, runs: Runs | None
    ) -> tuple[Any, Any]:
        """Learn from a block that was read whole; return the classes of the lines its events begin with, and runs."""
        scan = sighted.scan
        if alike.is_behind():
            self.rest()
            alike.renew()
        if scan is None or scan.state != alike.state:
            self.rest()
            scan, runs = alike.scan(sighted.block), None
        if runs is None:
            runs = alike.known(sighted.block, scan)[2]
        alike.learn_from(scan, read.heads, read.frame.events, told)
        of_run = alike.runs.learn(sighted.block, scan, runs, read.heads, read.frame, told)
        return _of_whole(scan.classes[read.heads], told), of_run

    def _told(self, read: Read) -> Told:
        import polars as pl

        events = read.frame.events
        services, hosts = self.names.numbered(events)
        levels = events["level"].fill_null(NONE).to_numpy()
        sizes = events["text"].str.len_bytes().clip(upper_bound=KEY_CHARS + 1).cast(pl.Int16)
        sizes = sizes.set(events["lines"] > 1, KEY_CHARS + 1)  # as cut: some have the next line's text in theirs
        return Told(events["t"].fill_null(NONE).to_numpy(), levels, services, hosts, sizes.to_numpy())

    def _those(self, sight: _Sight, troubles: Troubles) -> tuple[Any, Lines, pl.DataFrame]:
        """Read the lines that are not known, and those beside them that they may belong together with."""
        import numpy as np

        known = sight.known
        rows, before = np.flatnonzero(~known), self.columns.counts()
        lines, columns = self._some(sight, rows, troubles)
        more = sight.alike.unsettled(sight.scan, rows, columns, sight.runs) & known
        if more.any():
            known[more] = False
            rows = np.flatnonzero(~known)
            self.columns.count_from(before)
            lines, columns = self._some(sight, rows, NoTroubles())  # together, for some are the rest of others
        return rows, lines, columns

    def _some(self, sight: _Sight, rows: Any, troubles: Troubles) -> tuple[Lines, pl.DataFrame]:
        lines = some_lines(sight.block, sight.scan.starts, rows, sight.lines_before, self.name, troubles)
        seen = sight.alike.stamps.of_scan(sight.scan, rows)
        return lines, self.columns.read(replace(lines, seen=seen), troubles)


@dataclass(frozen=True)
class _Sight:
    """A block of which many lines are known."""

    alike: AlikeReader
    block: Block
    scan: Scan
    known: Any
    """numpy bool by line; what turns out to need reading is taken out"""
    runs: Runs
    book: RunBook
    lines_before: int


class Heads(NamedTuple):
    """The lines that events begin with that were read (numpy)."""

    rows: Any
    told: Told
    runs: Any
    """Numbers of first lines of runs that were learnt from them; NONE where none were"""


def _of_whole(classes: Any, told: Told) -> Any:
    """Return the classes of events, NONE where their text is cut: where that is depends on its words with digits."""
    import numpy as np

    return np.where(told.sizes <= KEY_CHARS, classes, NONE)


def _put_together(sight: _Sight, read: Read, heads: Heads, siblings: Siblings | None, names: Names) -> Part:
    """Return the events read, which begin with the lines `heads`, and the known ones in the order of the file."""
    import numpy as np

    scan, block, runs, kept = sight.scan, sight.block, sight.runs, len(sight.scan.starts)
    if read.held:
        kept = int(np.searchsorted(scan.starts, block.length - len(read.held)))
    chosen = sight.known[:kept].copy()
    chosen[runs.bare[:kept]] = False
    sight.alike.stamps.count_hits(scan.finders[:kept][chosen])
    chosen[heads.rows] = True
    rows = np.flatnonzero(chosen)
    placed = np.searchsorted(rows, heads.rows)
    own, lines = np.ones(len(rows), bool), np.ones(len(rows), np.int64)
    own[placed], lines[placed] = read.frame.events["own"].to_numpy(), read.frame.events["lines"].to_numpy()
    classes, numbers = scan.classes[rows], np.full(len(rows), NONE)
    said = sight.alike.told(scan, rows)
    for of_all, of_read in zip(said, heads.told, strict=True):
        of_all[placed] = of_read
    classes[placed], numbers[placed] = _of_whole(classes[placed], heads.told), heads.runs
    printings = NO_PRINTINGS
    if runs.taken.any():
        taken = np.searchsorted(rows, runs.heads[runs.taken])
        classes[taken], numbers[taken] = NONE, runs.numbers[runs.taken]
        lines[taken] = (runs.behinds - runs.heads)[runs.taken]
        sight.book.tell(numbers[taken], scan.hosts[rows[taken]] >= 0, said, taken)
        printings = sight.book.printings(block, scan, runs)
        printings = printings._replace(heads=np.searchsorted(rows, printings.heads))
    frame = read.frame
    if siblings is not None:
        siblings = siblings.some(siblings.rows < kept)
        events = siblings.events(scan, block, names, said.hosts[np.searchsorted(rows, siblings.rows)])
        frame, framed = merged(frame, heads.rows, siblings, events)
        placed = np.searchsorted(rows, framed)
    return Part(
        frame,
        placed,
        scan.starts[rows] + block.offset,
        lines,
        rows + (sight.lines_before + 1),
        said.times,
        own,
        said.levels,
        said.services,
        said.hosts,
        classes,
        kept,
        numbers,
        printings,
    )
