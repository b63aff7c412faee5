"""Lines that are alike: what was read of one line holds for all of its class, so most lines are only looked up.

The compiled first stage (`native`) gives each line a time and a class. A class counts as known once a line of it was
read together with a twin, which has other things in its words with digits, and nothing came out differently. What
depends on such a word splits the class by it. Lines that are not known, and those beside lines that may continue
others, are read the long way: the result is the same, whether a line is looked up or read.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from subagents.logs.native import (
    HOSTED,
    MOST_CLASSES,
    NO_CLASS,
    NO_FINDER,
    NOT_ASCII,
    ODD_BYTES,
    SLOW,
    SPECIAL,
    VERIFIED,
    Classes,
    Scan,
    looked_at,
)
from subagents.logs.patterns import KEY_CHARS
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.lines import raw_lines
from subagents.logs.sources.names import Names
from subagents.logs.sources.neighbours import near
from subagents.logs.sources.reader import Block
from subagents.logs.sources.runs import RunBook, Runs
from subagents.logs.sources.samples import AT_HEAD, SPREAD
from subagents.logs.sources.siblings import MORE, PROGRAM, Groups, Siblings, Told, heads_of, siblings_of
from subagents.logs.sources.stamp_finder import StampFinder
from subagents.logs.sources.twins import READ_EACH, Sample, TwinTest, special_lines, unlike_others

if TYPE_CHECKING:
    import polars as pl

MOST_PASSED = 15
"""Blocks that are not looked at after many of which few lines were known."""
MOST_CHECKED = 4_000
"""Classes that are checked per block; the others wait for the next one."""
CHECKED_SHARE = 8
"""One in so many bytes may be read to check classes, and half of what that spared: no file costs much more by it."""
CHECKED_BYTES = 1 << 18
"""So much may be read for it from the start."""
WORTH_CHECKING, WORTH_EACH = 1_500, 8
"""To check classes costs as much as to read so many lines, and so many for each line that stands for others."""
WORTH_FOLLOWING = 50_000
"""To check what stands below lines costs as much as to read so many more."""
FEW_BELOW = 8
"""Where fewer than one in so many lines stand below others, to follow them costs more than to read them."""


class Firsts(NamedTuple):
    """Lines of a block that are the first of new classes, and what their heads say as others of their groups told."""

    rows: Any
    """numpy"""
    heads: Any
    """numpy, as `Groups.heads` returns them"""


@dataclass
class AlikeReader:
    """What is known of the classes of one file's lines."""

    columns: ColumnReader
    classes: Classes
    stamps: StampFinder
    seen: Any
    """numpy bool by class: met in a block before"""
    shown: Any
    """numpy bool by class: a line of it was read as an event, so what it says is known"""
    said: Told
    """By class; the times are of no meaning."""
    test: TwinTest
    groups: Groups
    runs: RunBook
    names: Names
    file_bytes: int
    """As the file lies on disk"""
    state: int = 0
    """Number of times that layouts turned out to be others, or stamps were met that are not looked for yet."""
    _layouts: object = None
    _hosts: list[int] = field(default_factory=list)
    """The numbers of hosts that the first stage met."""
    _allowed: int = CHECKED_BYTES
    """Bytes that may be read to check classes."""
    _in_vain: int = 0
    """Blocks looked at, one after the other, of which few lines were known."""
    _to_pass: int = 0
    """Blocks that are not looked at."""

    @classmethod
    def of(cls, columns: ColumnReader, names: Names, library: ctypes.CDLL, file_bytes: int) -> AlikeReader:
        """Nothing is known yet."""
        import numpy as np

        classes, room = Classes(library), MOST_CLASSES
        services, hosts, sizes = np.zeros(room, np.int32), np.zeros(room, np.int32), np.zeros(room, np.int16)
        said = Told(np.empty(0), np.zeros(room, np.int8), services, hosts, sizes)
        seen, shown = np.zeros(room, bool), np.zeros(room, bool)
        stamps, test = StampFinder(columns, classes), TwinTest(columns, classes)
        groups, runs = Groups(classes), RunBook(columns, classes)
        return cls(columns, classes, stamps, seen, shown, said, test, groups, runs, names, file_bytes)

    @property
    def ready(self) -> bool:
        """Say whether any line could be known."""
        return self.stamps.ready

    def learn_from(self, scan: Scan, rows: Any, events: pl.DataFrame, told: Told) -> None:
        """Keep what events say whose first lines are these (numpy rows), and what their first words said."""
        import numpy as np

        classes = scan.classes[rows]
        apart = self.groups.apart(classes, events["suffix"].is_not_null().to_numpy())
        self.shown[classes[apart]] = False
        new = self.learn(np.where(apart, NO_CLASS, classes), told)
        self._learn_heads(scan, rows[new], events.filter(new), told.some(new))

    def learn(self, classes: Any, told: Told) -> Any:
        """Keep what events say whose first lines are of these classes; return of which it was new (numpy bool)."""
        new = (classes >= 0) & ~self.shown[classes] & (told.sizes <= KEY_CHARS)
        which = classes[new]
        self.shown[which] = True
        for kept, given in zip(self.said[1:], told[1:], strict=True):
            kept[which] = given[new]
        return new

    def _learn_heads(self, scan: Scan, rows: Any, events: pl.DataFrame, told: Told) -> None:
        simple = (scan.finders[rows] >= 0) & (scan.places[rows, 0] == 0) & self.groups.is_of_one(scan.classes[rows])
        if not self.columns.is_plain or not simple.any():
            return
        heads = heads_of(scan, rows[simple], events.filter(simple), told.some(simple))
        self.groups.learn(scan.classes[rows[simple]], heads)

    def told(self, scan: Scan, rows: Any) -> Told:
        """Return what lines (numpy rows) of a block say, to be changed; nonsense where they are of no class."""
        import numpy as np

        classes, named = scan.classes[rows], scan.hosts[rows]
        told = Told(scan.times[rows], *(kept[classes] for kept in self.said[1:]))
        for name in self.classes.hosts(len(self._hosts)):
            self._hosts.append(self.names.host(name))
        hosted = np.flatnonzero(named >= 0)
        if len(hosted):
            told.hosts[hosted] = np.array(self._hosts, np.int32)[named[hosted]]
        return told

    def outdated(self) -> bool:
        """Say whether the file's layouts are no more what they were, so that nothing is known."""
        return self.columns.layouts() != self._layouts

    def was_worth_it(self, worth: bool) -> None:
        """Take in whether enough lines of a block were known; the more in vain, the longer until one is looked at."""
        self._in_vain = 0 if worth else self._in_vain + 1
        self._to_pass = min(2 ** (self._in_vain - 1), MOST_PASSED + 1) - 1 if self._in_vain else 0

    def passes(self) -> bool:
        """Say whether the next block is not worth a look."""
        if not self._to_pass:
            return False
        self._to_pass -= 1
        return True

    def is_behind(self) -> bool:
        """Say whether more was learnt of the file's layouts and stamps than lines are scanned by."""
        return self.outdated() or self.stamps.met_new()

    def renew(self) -> None:
        """Learn the file's layouts; forget what was known by others. No block may be scanned meanwhile."""
        self.state += 1
        if self.outdated():
            self._layouts = self.columns.layouts()
            self.classes.forget()
            self.seen[:], self.shown[:] = False, False
            self.stamps = StampFinder(self.columns, self.classes)
            self.test, self.groups = TwinTest(self.columns, self.classes), Groups(self.classes)
        self.runs = RunBook(self.columns, self.classes)
        self.stamps.renew()

    def is_plain(self, classes: Any) -> Any:
        """Say which lines of these classes surely are events of their own, if nothing beside them is odd (numpy)."""
        import numpy as np

        return (np.where(classes >= 0, self.classes.flags[classes], 0) & (VERIFIED | SLOW | SPECIAL)) == VERIFIED

    def scan(self, block: Block) -> Scan:
        """Look at the lines of a block."""
        feeds, odd = (block.feeds, block.odd) if block.feeds >= 0 else looked_at(block.data)
        if odd & NOT_ASCII and not self.classes.is_utf8(block.data, block.length):
            odd |= ODD_BYTES
        return replace(self.classes.scan(block.data, block.length, odd, feeds + 1), state=self.state)

    def known(self, block: Block, scan: Scan) -> tuple[Any, Firsts, Runs]:
        """Return which lines need not be read (numpy bool), after checking what was met twice by now.

        Of new classes the first line is read, or its head was told by others: those are returned too. So are the runs
        of lines without a stamp that stand alone.
        """
        import numpy as np

        self._look_for_requests(block, scan)
        some = scan.classes >= 0
        counts = np.bincount(scan.classes[some], minlength=len(self.classes))
        flags = self.classes.flags[: len(counts)]
        new = np.flatnonzero((flags == 0) & (counts > 0))
        new = new[~self.groups.settled(new)]
        waiting = new[(counts[new] > 1) | self.seen[new] | self.groups.of_many(new)]
        self.seen[new] = True
        lengths, is_text = np.diff(scan.starts, append=block.length), self.stamps.are_texts(scan.finders)
        self._allowed += block.length // CHECKED_SHARE
        waiting = waiting[np.argsort(-counts[waiting], kind="stable")]
        asked = waiting[self.groups.not_enough(waiting)][:MOST_CHECKED]
        lines = counts * self._still_to_come(block)
        if lines[waiting].sum() >= WORTH_CHECKING + WORTH_EACH * len(asked):
            self._check(block, scan, asked, lengths, lines)
            self.groups.settled(new[self.classes.flags[new] == 0])
        given = np.where(some, self.classes.flags[scan.classes], 0)
        known = (given & (VERIFIED | SLOW | SPECIAL)) == VERIFIED
        known &= (given & HOSTED == 0) | (scan.hosts >= 0)  # found out after the scan
        known &= self._is_whole(scan, lengths)
        bare = ~some & (scan.finders == NO_FINDER)
        odd = (~some & ~bare) | (given & SPECIAL > 0)
        may_head = known & is_text & (lengths <= KEY_CHARS)
        known &= ~near(bare, odd)
        if self.columns.spread.indent >= 0:
            known &= ~self._amid_records(block, scan)
        known[-1:] = False  # the end of a block may go on in the next one
        firsts = self._read_once(scan, known)  # those that stand alone: what goes on says more than others
        for head in (slice(AT_HEAD), np.flatnonzero(is_text)[:AT_HEAD]):  # layouts are learnt from these
            known[head] = may_head[head] = False
        runs = self._runs(block, scan, bare, odd, may_head)
        known |= runs.lines()
        self._allowed += int(lengths[known].sum()) // 2
        return known, firsts, runs

    def _look_for_requests(self, block: Block, scan: Scan) -> None:
        """Learn what forms of requests a block has of lines from all over it, as those that are known are not read."""
        import numpy as np

        rows = np.arange(0, len(scan.starts), max(1, len(scan.starts) // SPREAD))
        self.columns.learn_requests([line.decode("utf-8", "replace") for line in raw_lines(block, scan.starts, rows)])

    def _runs(self, block: Block, scan: Scan, bare: Any, odd: Any, may_head: Any) -> Runs:
        """Return the runs of a block, those taken that are known, after checking what was met twice."""
        import numpy as np

        coming = self._still_to_come(block)
        below = np.count_nonzero(bare)
        is_worth = self.runs.said or below * coming >= WORTH_FOLLOWING
        if not (self.runs.pays and is_worth and below * FEW_BELOW >= len(bare)):
            bare = np.zeros_like(bare)
        runs = self.runs.find(block, scan, bare, odd, may_head)
        self._allowed -= self.runs.check(
            block, scan, runs, self.stamps.of_lines, self._allowed, lambda lines: lines * coming >= WORTH_FOLLOWING
        )
        self.runs.take(runs)
        return runs

    def _still_to_come(self, block: Block) -> float:
        """Return how much of the file is not read yet, in blocks like this one."""
        left = self.file_bytes - block.offset
        return (left if left > 0 else block.offset) / max(block.length, 1)  # a packed file is larger than it looks

    def _is_whole(self, scan: Scan, lengths: Any) -> Any:
        """Say of which lines all that they say counts: what is cut depends on how long their words with digits are."""
        import numpy as np

        whole = lengths <= KEY_CHARS
        rows = np.flatnonzero(~whole)
        classes = scan.classes[rows]
        whole[rows] = self.shown[classes] & (self.said.sizes[classes] + scan.varied[rows] <= KEY_CHARS)
        return whole

    def _read_once(self, scan: Scan, known: Any) -> Firsts:
        """Have one line of each class read that says what it is; return those of which siblings told."""
        import numpy as np

        rows = np.flatnonzero(known & ~self.shown[scan.classes])
        rows = rows[np.sort(np.unique(scan.classes[rows], return_index=True)[1])]
        heads = self._heads(scan, rows)
        told = heads[:, PROGRAM] != MORE
        known[rows[~told]] = False
        return Firsts(rows[told], heads[told])

    def _heads(self, scan: Scan, rows: Any) -> Any:
        """Return what the heads of lines say, where others told and each of them is where it is in all (numpy)."""
        import numpy as np

        simple = (scan.finders[rows] >= 0) & (scan.places[rows, 0] == 0) & self.columns.is_plain
        return self.groups.heads(np.where(simple, scan.classes[rows], NO_CLASS))

    def siblings(self, block: Block, scan: Scan, known: Any, firsts: Firsts) -> Siblings | None:
        """Return the lines of new classes whose heads others told; those that say more than that become unknown."""
        left = known[firsts.rows]
        rows, heads = firsts.rows[left], firsts.heads[left]
        if not len(rows):
            return None
        found, odd = siblings_of(block, scan, rows, heads, self.columns)
        known[rows[odd]] = False
        return found.some(~odd)

    def unsettled(self, scan: Scan, rows: Any, columns: pl.DataFrame, runs: Runs) -> Any:
        """Return what is `near` those of the lines read (numpy rows) that may be part of more than their own event.

        Of runs beside such lines all are returned.
        """
        import numpy as np

        special = special_lines(columns, self.columns.json.cut_lines)
        for mark, lines in ((SPECIAL, special), (SLOW, unlike_others(columns).to_numpy())):
            classes = scan.classes[rows[lines]]
            self.classes.flags[classes[classes >= 0]] |= np.uint8(mark)
        stamped, bare, marked = columns["stamped"].to_numpy(), *np.zeros((2, len(scan.starts)), bool)
        bare[rows[~stamped]] = True
        marked[rows[special & stamped]] = True
        found = near(bare, marked)
        return found | runs.let_go(marked, found, rows[stamped])

    def _amid_records(self, block: Block, scan: Scan) -> Any:
        """Say which lines stand amid a record that is spread (numpy bool), whatever they say themselves."""
        import numpy as np

        rows = np.flatnonzero(scan.classes < 0)
        lines = dict(zip(rows.tolist(), raw_lines(block, scan.starts, rows), strict=True))
        return self.columns.spread.inside(lines, len(scan.starts))

    def _check(self, block: Block, scan: Scan, classes: Any, lengths: Any, lines: Any) -> None:
        """Find out whether what is read of a line of these classes depends on its words with digits.

        `lengths` has the bytes of each line, `lines` how many lines there will be of each class.
        """
        import numpy as np

        first = np.empty(len(self.classes) + 1, np.int64)  # the last one is NO_CLASS's
        first[scan.classes[::-1]] = np.arange(len(scan.classes) - 1, -1, -1)
        few = int(np.searchsorted(np.cumsum(lengths[first[classes]]) * READ_EACH, self._allowed, "right"))
        classes, rows = classes[:few], first[classes[:few]]
        if not few:
            return
        told = scan.times[rows].tolist(), scan.finders[rows].tolist(), lines[classes].tolist()
        samples = list(map(Sample, raw_lines(block, scan.starts, rows), *told))
        found = self.test.find(samples, self.stamps.of_lines, self._allowed, WORTH_CHECKING)
        done = np.array([finding is not None for finding in found])
        self.groups.add(classes[done], [finding for finding in found if finding is not None])
        self._allowed -= self.test.taken()
