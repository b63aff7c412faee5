"""Learns how a file writes its times, from its own lines, and reads them by the column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from subagents.logs.sources.timestamps import ANY_TIME, Shape, Stamp, find_stamp, read_column, shape_of

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 240
MAX_SHAPES = 48


@dataclass
class StampReader:
    """The shapes met so far in one file, and how many lines had each."""

    hint: datetime
    """Where a stamp names no year or no day: its year, its day."""
    shapes: list[Shape] = field(default_factory=list)
    hits: Counter[Shape] = field(default_factory=Counter)

    @property
    def is_syslog(self) -> bool:
        """Say whether most stamps are those of RFC 3164."""
        return bool(self.shapes) and self.shapes[0].kind.name.startswith("syslog")

    def as_learnt(self) -> StampReader:
        """Return a reader with the shapes met so far; what it meets itself changes nothing here."""
        return replace(self, shapes=list(self.shapes), hits=Counter(self.hits))

    def read(self, lines: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return (microseconds since 1970 as Int64, the text without its stamp); null where a line has no stamp."""
        import polars as pl

        if not lines.len():
            return pl.Series([], dtype=pl.Int64), lines
        whole = self._whole(lines)
        if whole is not None:
            return whole
        stamps = pl.Series([None], dtype=pl.Int64).new_from_index(0, lines.len())
        texts = lines.clone()  # scatter writes in place
        rest = pl.int_range(lines.len(), eager=True, dtype=pl.UInt32)
        tried = 0
        while rest.len() and tried < MAX_SHAPES:
            if tried == len(self.shapes):
                if not self._learn(lines.gather(rest)):
                    break
                continue
            shape, tried = self.shapes[tried], tried + 1
            part = lines.gather(rest)
            found = shape.found_in(part)
            if not found.any():
                continue
            taken, text = self._apply(part.filter(found), shape)
            rows = rest.filter(found)
            stamps = stamps.scatter(rows, taken)
            texts = texts.scatter(rows, text)
            rest = rest.filter(~found)
        self.shapes.sort(key=lambda shape: -self.hits[shape])
        return stamps, texts

    def _whole(self, lines: pl.Series) -> tuple[pl.Series, pl.Series] | None:
        """The fast path: every line has the file's most frequent shape."""
        if not self.shapes:
            return None
        shape = self.shapes[0]
        if not (shape.found_in(lines.head(SAMPLE)).all() and shape.found_in(lines).all()):
            return None
        return self._apply(lines, shape)

    def _apply(self, lines: pl.Series, shape: Shape) -> tuple[pl.Series, pl.Series]:
        self.hits[shape] += lines.len()
        if shape.anchor:
            after = lines.str.splitn(shape.anchor, 2).struct.field("field_1").fill_null("")
            return read_column(after, shape, self.hint), lines
        at_start = shape.start == 0
        stamps = read_column(lines if at_start else lines.str.slice(shape.start, shape.width), shape, self.hint)
        text = lines.str.slice(shape.start + shape.width)
        if not at_start:
            text = lines.str.slice(0, shape.start) + " " + text
        if stamps.null_count():
            text = text.zip_with(stamps.is_not_null(), lines)
        return stamps, text

    def _learn(self, lines: pl.Series) -> bool:
        """Add the shapes that a sample of not yet understood lines shows; say whether there were any."""
        likely = lines.filter(lines.str.slice(0, 200).str.contains(ANY_TIME))
        if not likely.len() or len(self.shapes) >= MAX_SHAPES:
            return False
        step = max(1, likely.len() // SAMPLE)
        sample = likely.gather_every(step).head(SAMPLE).to_list() + likely.head(20).to_list()
        stamps = [(line, stamp) for line in sample if (stamp := find_stamp(line)) is not None]
        new = [shape for shape in _shapes(stamps) if shape not in self.hits and shape not in self.shapes]
        self.shapes.extend(new[: MAX_SHAPES - len(self.shapes)])
        return bool(new)


def _shapes(stamps: list[tuple[str, Stamp]]) -> list[Shape]:
    """Return the shapes of a sample, most frequent first; a wandering column becomes an anchor."""
    columns: dict[str, Counter[int]] = {}
    for _, stamp in stamps:
        columns.setdefault(stamp.kind.name, Counter())[stamp.start] += 1
    found: Counter[Shape] = Counter()
    for line, stamp in stamps:
        wanders = len(columns[stamp.kind.name]) > 2 and stamp.start > 1
        found[shape_of(stamp, line[: stamp.start] if wanders else None)] += 1
    return [shape for shape, _ in found.most_common()]
