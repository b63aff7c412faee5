"""Lines without a stamp below one that has one: what became of them holds where the same are said again.

A run is a stamped line and all lines without a stamp below it: mostly a stack trace. Its first line is known once one
like it was read (`native.Classes.runs`), the rest once it was read beside a twin, which has other numbers, and nothing
came out differently. Runs are looked up only where no line before them can be part of the same trace.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import Any, NamedTuple

from subagents.logs.native import Classes, Scan
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.continuations import kinds_of_heads
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.lines import raw_lines
from subagents.logs.sources.names import NONE
from subagents.logs.sources.neighbours import BEFORE, BEHIND
from subagents.logs.sources.reader import Block
from subagents.logs.sources.run_twins import beside_twins, tells_same
from subagents.logs.sources.siblings import Told
from subagents.logs.sources.traces import Printed
from subagents.logs.sources.twins import StampsOf

LONGEST_RUN, LARGEST_RUN = 400, 1 << 16
"""Lines, and bytes, of a run that may be known."""
MOST_MET = 1 << 16
"""First lines, and rests, that are told apart."""
MOST_KNOWN = 4_096
"""Rests that are known."""
MOST_CHECKED = 64
"""Rests that are checked per block."""
MANY_MET = 5_000
"""Runs met from which on it is asked whether it pays to follow them."""
_KINDS = 1 << 16
"""More than there are kinds of first lines"""
Pays = Callable[[int], bool]
"""Says whether it pays to check what so many lines of the block depend on."""


@dataclass
class Runs:
    """The runs of a block that stand alone, in order (numpy)."""

    heads: Any
    """Their first lines"""
    behinds: Any
    """The lines behind them"""
    numbers: Any
    """Of their first lines; NONE where they are not told apart"""
    rests: Any
    """Of their other lines"""
    keys: Any
    """By what it is told whether they are known, negative where their first lines were not when the block was met"""
    bare: Any
    """Which lines of the block have no stamp (numpy bool)"""
    taken: Any
    """numpy bool: they are looked up, not read"""

    def lines(self, which: Any = None) -> Any:
        """Return which lines of the block are of runs that are taken, or of those taken that are such (numpy bool)."""
        import numpy as np

        found, which = np.zeros(len(self.bare), bool), self.taken if which is None else self.taken & which
        heads, sizes = self.heads[which], (self.behinds - self.heads)[which]
        found[np.repeat(heads - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())] = True
        return found

    def let_go(self, odd: Any, read: Any, stamped: Any) -> Any:
        """Take no more those that stand alone no more; return which lines are theirs (numpy bool).

        Some lines turned out to be odd, or are to be read (numpy bool), and some to be `stamped` (numpy rows).
        """
        import numpy as np

        if not self.taken.any():
            return np.zeros(len(self.bare), bool)
        before, bare = np.append(0, np.cumsum(read)), self.bare.copy()
        bare[stamped] = False
        beside = (before[self.behinds] > before[self.heads]) | ~stand_alone(self.heads, bare, odd)
        lines, self.taken = self.lines(beside), self.taken & ~beside
        return lines


class Printings(NamedTuple):
    """The stack traces of runs that were looked up (numpy)."""

    heads: Any
    """The first lines of the runs"""
    which: Any
    """Which of `different` each of them printed"""
    different: Sequence[Printed]


NO_PRINTINGS = Printings((), (), ())


class _Said(NamedTuple):
    """What events say that begin with a line of some number."""

    level: int
    service: int
    host: int
    kinds: int
    """By which it is told what continues the line"""
    before: int
    """Spaces in the line without its stamp before what it says"""


@dataclass
class RunBook:
    """What is known of the runs of one file."""

    columns: ColumnReader
    classes: Classes
    said: dict[int, _Said] = field(default_factory=dict)
    """By number of first lines that were read"""
    _once: set[int] = field(default_factory=set)
    """Numbers of those that were read: what is said but once need not be known"""
    _unfit: set[int] = field(default_factory=set)
    """Numbers of those that do not end with what they say, or whose values may tell traces apart"""
    _numbers: dict[int, int] = field(default_factory=dict)
    """By hash"""
    _rests: dict[int, int] = field(default_factory=dict)
    """By hash"""
    _known: dict[int, list[bool]] = field(default_factory=dict)
    """Which lines are frames, by kinds of the first line and number of the rest"""
    _asked: set[int] = field(default_factory=set)
    """Those that were checked, likewise; without kinds where they were not known then"""
    _met: int = 0
    """Runs that stood alone"""
    _taken: int = 0
    """Of those"""

    @property
    def pays(self) -> bool:
        """Say whether enough of the runs met were known, if there were many: else each says something new."""
        return self._met < MANY_MET or 2 * self._taken >= self._met

    def find(self, block: Block, scan: Scan, bare: Any, odd: Any, may_head: Any) -> Runs:
        """Return the runs of a block that stand alone (numpy bool by line).

        `bare` lines have no stamp, `odd` ones may be part of a trace, runs begin with those that `may_head` one.
        """
        import numpy as np

        begins, behinds = np.flatnonzero(np.diff(bare, prepend=False, append=False)).reshape(-1, 2).T
        heads = begins - 1
        whole = (heads >= 0) & (behinds < len(bare)) & (behinds - begins <= LONGEST_RUN) & self.columns.is_by_line
        heads, behinds = heads[whole], behinds[whole]
        if len(heads):
            alone = may_head[heads] & stand_alone(heads, bare, odd)
            alone &= scan.starts[behinds] - scan.starts[heads] <= LARGEST_RUN
            heads, behinds = heads[alone], behinds[alone]
        hashes = self.classes.runs(block.data, scan, heads, behinds)
        numbers, rests = _numbered(self._numbers, hashes[0]), _numbered(self._rests, hashes[1])
        return Runs(heads, behinds, numbers, rests, self._keys(numbers, rests), bare, np.zeros(len(heads), bool))

    def take(self, runs: Runs) -> None:
        """Have those looked up that are known."""
        import numpy as np

        known = np.fromiter(self._known, np.int64, len(self._known))
        runs.taken = np.isin(runs.keys, known)
        self._met += len(runs.taken)
        self._taken += int(np.count_nonzero(runs.taken))

    def _keys(self, numbers: Any, rests: Any) -> Any:
        import numpy as np

        which, of_run = np.unique(numbers, return_inverse=True)
        kinds = [self.said[each].kinds if each in self.said else NONE for each in which.tolist()]
        told = np.array(kinds, np.int64)[of_run]
        return np.where(rests == NONE, -_KINDS * MOST_MET, told * MOST_MET + rests)

    def check(self, block: Block, scan: Scan, runs: Runs, stamps: StampsOf, most: int, pays: Pays) -> int:
        """Find out which rests that were met twice are the same whatever their numbers are; return how much was read.

        That is at most so many bytes.
        """
        import numpy as np

        keys, first, counts = np.unique(runs.keys, return_index=True, return_counts=True)
        sizes = runs.behinds[first] - runs.heads[first]
        lengths = 2 * (scan.starts[runs.behinds[first]] - scan.starts[runs.heads[first]])
        waiting = [each >= -MOST_MET and each not in self._asked for each in keys.tolist()]
        asked = np.flatnonzero((counts > 1) & np.array(waiting, bool))
        asked = asked[np.argsort(-(counts * sizes)[asked], kind="stable")][:MOST_CHECKED]
        asked = asked[np.cumsum(lengths[asked]) <= most]
        if not len(asked) or len(self._known) >= MOST_KNOWN or not pays(int((counts * sizes)[asked].sum())):
            return 0
        heads, behinds = runs.heads[first[asked]], runs.behinds[first[asked]]
        samples = list(_lines_of(block, scan, heads, behinds))
        found = beside_twins(self.columns, samples, scan.times[heads], stamps)
        for key, rest, each in zip(keys[asked].tolist(), runs.rests[first[asked]].tolist(), found, strict=True):
            self._asked.add(key)
            if each is not None:
                kinds, frames = each
                self._asked.add(kinds * MOST_MET + rest)
                self._known[kinds * MOST_MET + rest] = frames
        return int(lengths[asked].sum())

    def learn(self, block: Block, scan: Scan, runs: Runs, heads: Any, frame: Frame, told: Told) -> Any:
        """Keep what events say that begin at the lines `heads` (numpy), and said it before.

        Return the numbers of those that tell it, NONE for the others: with what stands below it, a line may say more
        than it says elsewhere.
        """
        import numpy as np

        found, telling = np.full((2, len(heads)), NONE)
        if not len(heads) or not len(runs.heads):
            return telling
        where = np.minimum(np.searchsorted(heads, runs.heads), len(heads) - 1)
        same = heads[where] == runs.heads
        found[where[same]] = runs.numbers[same]
        numbers, first, counts = np.unique(found, return_index=True, return_counts=True)
        new = [
            each != NONE and (count > 1 or each in self._once) and each not in self.said and each not in self._unfit
            for each, count in zip(numbers.tolist(), counts.tolist(), strict=True)
        ]
        self._once.update(numbers.tolist())
        rows = first[np.array(new, bool)]
        if not len(rows):
            return telling
        events = frame.events[rows]
        kinds = kinds_of_heads(events["text"], events["spaced"]).tolist()
        lines, places = raw_lines(block, scan.starts, heads[rows]), scan.places[heads[rows]].tolist()
        texts = zip(lines, places, events["text"].to_list(), events["spaced"].to_list(), strict=True)
        for row, kind, (line, place, text, spaced) in zip(rows.tolist(), kinds, texts, strict=True):
            whole, said = _undated(line, place), (text.removeprefix(" ") if spaced else text).encode()
            before, number = whole.removesuffix(said), int(found[row])
            is_whole = whole.endswith(said) and (not before or before.endswith(b" "))
            if is_whole and tells_same(said):
                levels = int(told.levels[row]), int(told.services[row]), int(told.hosts[row])
                self.said[number], telling[row] = _Said(*levels, kind, before.count(b" ")), number
            else:
                self._unfit.add(number)
        return telling

    def tell(self, numbers: Any, hosted: Any, told: Told, rows: Any) -> None:
        """Put in what events at some rows say; those `hosted` name their host by a word (numpy bool)."""
        import numpy as np

        which, of_row = np.unique(numbers, return_inverse=True)
        said = np.array([self.said[each][:3] for each in which.tolist()], np.int32).reshape(-1, 3)[of_row]
        told.levels[rows], told.services[rows] = said[:, 0], said[:, 1]
        told.hosts[rows[~hosted]] = said[~hosted, 2]

    def printings(self, block: Block, scan: Scan, runs: Runs) -> Printings:
        """Return the stack traces of those that are taken: of those that say the same, the earliest."""
        import numpy as np

        taken = np.flatnonzero(runs.taken)
        taken = taken[np.argsort(scan.times[runs.heads[taken]], kind="stable")]
        keys = runs.keys[taken]
        different, first, which = np.unique(
            runs.numbers[taken] * MOST_MET + runs.rests[taken], return_index=True, return_inverse=True
        )
        heads, behinds = runs.heads[taken[first]], runs.behinds[taken[first]]
        numbers, places = runs.numbers[taken[first]].tolist(), scan.places[heads].tolist()
        found, at = list[Printed](), np.full(len(different), NONE)
        lines = _lines_of(block, scan, heads, behinds)
        for each, (key, number, place, (line, *rest)) in enumerate(
            zip(keys[first].tolist(), numbers, places, lines, strict=True)
        ):
            frames = self._known[key]
            if any(frames):
                at[each] = len(found)
                said = _undated(line, place).split(b" ", self.said[number].before)[-1]
                full = [text.decode("utf-8", "replace") for text in (said, *rest)]
                found.append(Printed("\n".join(compress(full[1:], frames)), "\n".join(full)))
        has_one = at[which] != NONE
        return Printings(runs.heads[taken[has_one]], at[which][has_one], found)


def stand_alone(heads: Any, bare: Any, odd: Any) -> Any:
    """Say which runs stand so that no line before them can be part of their traces (numpy bool).

    A stamped line behind one without a stamp never belongs to what stands before it; traces begin no further up.
    """
    import numpy as np

    last_bare, last_odd = (_last_before(heads, np.flatnonzero(lines)) for lines in (bare, odd))
    return last_odd < np.maximum(heads - (BEFORE + BEHIND), last_bare + 1)


def _last_before(rows: Any, places: Any) -> Any:
    """Return the last of some places before each row, -1 where there is none (numpy)."""
    import numpy as np

    return np.append(places, -1)[np.searchsorted(places, rows) - 1]


def _numbered(known: dict[int, int], hashes: Any) -> Any:
    """Return the number of each hash (numpy), a new one where there is none and room for one, else NONE."""
    import numpy as np

    different, of_hash = np.unique(hashes, return_inverse=True)
    numbers = [
        known.setdefault(each, len(known)) if len(known) < MOST_MET else known.get(each, NONE)
        for each in different.tolist()
    ]
    return np.array(numbers, np.int64)[of_hash]


def _lines_of(block: Block, scan: Scan, heads: Any, behinds: Any) -> Iterator[list[bytes]]:
    """Yield the lines of runs, without their ends."""
    for begin, end in zip(scan.starts[heads].tolist(), scan.starts[behinds].tolist(), strict=True):
        yield [line.removesuffix(b"\r") for line in block.data[begin:end].split(b"\n")[:-1]]


def _undated(line: bytes, places: Sequence[int]) -> bytes:
    """Return what is left of a line without its stamp, by where its text, its stamp and what stands behind begin."""
    text, stamp, behind = places
    return line[text:stamp] + b" " + line[behind:] if stamp > text else line[behind:]
