"""The next block is read and scanned while the one before is worked on, where that surely ends between two events."""

from __future__ import annotations

from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

from subagents.logs.native import Scan
from subagents.logs.sources.alike import AlikeReader
from subagents.logs.sources.neighbours import BEFORE, BEHIND
from subagents.logs.sources.reader import Block, BlockReader

LOOKED_BACK = 256
"""So many lines at the end of a block are looked at for one that surely begins an event."""


@dataclass(frozen=True)
class Sighted:
    """A block, and its lines at first sight where they may be known."""

    block: Block
    scan: Scan | None = None
    closed: bool = False
    """Its end was left to the next block already: what it holds are whole events."""
    passed: bool = False
    """It was not looked at but for stamps, as few lines of the blocks before it were known."""
    stamps: tuple[Any, Any, Any] | None = None
    """Those, as `StampFinder.in_block` returns them, and the state of knowledge that they belong to"""
    state: int = 0


@dataclass
class BlocksAhead:
    """Gives the blocks of a file in order."""

    reader: BlockReader
    alike: AlikeReader | None
    worker: Executor
    _coming: Future[Sighted | None] | None = None
    _end: int = 0
    """Where the block that was given last ends."""
    _left: Block | None = None
    """What of it comes next, though the block behind it is being looked at already."""

    def next(self) -> Sighted | None:
        """Return the next block; None at the end of the file. Raises OSError where it cannot be read."""
        if self._left is not None:
            self.rest()
            sighted, self._left = Sighted(self._left, self._scan(self._left), closed=True), None
            return sighted
        coming = self._coming.result() if self._coming is not None else self._sight()
        self._coming = None
        if coming is None:
            return None
        if self.alike is not None and coming.scan is not None and coming.scan.state != self.alike.state:
            coming = replace(coming, scan=self._scan(coming.block))
        self._end = coming.block.offset + coming.block.size
        if coming.closed:
            self._coming = self.worker.submit(self._sight)
        return coming

    def rest(self) -> None:
        """Wait until no block is being looked at, so that what is known of lines may change."""
        if self._coming is not None:
            self._coming.exception()

    def hold(self, tail: bytes) -> None:
        """Give back the end of the block that `next` gave."""
        if not tail:
            return
        if self._coming is None:
            self.reader.hold(tail)
        else:
            self._left = Block(self._end - len(tail), tail, len(tail), last=True)

    def _scan(self, block: Block) -> Scan | None:
        return self.alike.scan(block) if self.alike is not None else None

    def _sight(self) -> Sighted | None:
        block = self.reader.next_block()
        if block is None:
            return None
        alike = self.alike
        if alike is None or not alike.ready or block.is_cut:
            return Sighted(block)
        if alike.passes():
            return Sighted(block, passed=True, stamps=alike.stamps.in_block(block), state=alike.state)
        scan = alike.scan(block)
        rows = 0 if block.last else _sure_end(alike, scan)
        if not rows:
            return Sighted(block, scan)
        cut = int(scan.starts[rows])
        self.reader.hold(block.data[cut : block.length])
        return Sighted(replace(block, size=cut, last=True), scan.head(rows), closed=True)


def _sure_end(alike: AlikeReader, scan: Scan) -> int:
    """Return a line near the end of a block that surely begins an event; 0 where none does."""
    import numpy as np

    first = max(0, len(scan.starts) - LOOKED_BACK)
    plain = alike.is_plain(scan.classes[first:])
    around = BEFORE + BEHIND + 1
    runs = np.convolve(plain, np.ones(around, int), "valid") == around
    found = np.flatnonzero(runs)
    return first + int(found[-1]) + around - 1 if first and len(found) else 0
