"""Learns how a file writes its times, from its own lines, and reads them by the column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from subagents.logs.sources.timestamps import ANY_TIME, Shape, Stamp, find_stamp, moments, shape_of

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
        rows: list[pl.Series] = []
        parts: list[pl.DataFrame] = []
        rest, part = pl.int_range(lines.len(), eager=True, dtype=pl.UInt32), lines
        known, waiting = 0, list[Shape]()
        while rest.len():
            if not waiting:
                if known == len(self.shapes) and not self._learn(part):
                    break
                # a fixed column is asked for first: it costs a tenth of what a search for an anchor does
                waiting = sorted(self.shapes[known:], key=lambda shape: bool(shape.anchor))
                known = len(self.shapes)
            shape = waiting.pop(0)
            found = shape.found_in(part).fill_null(False)
            if not found.any():
                continue
            parts.append(self._apply(part.filter(found), shape))
            rows.append(rest.filter(found))
            rest, part = rest.filter(~found), part.filter(~found)
        self.shapes.sort(key=lambda shape: -self.hits[shape])
        parts.append(part.to_frame("text").select(t=pl.lit(None, pl.Int64), text="text"))
        in_order = pl.concat(parts)[pl.concat([*rows, rest]).arg_sort()]
        return in_order["t"], in_order["text"]

    def _whole(self, lines: pl.Series) -> tuple[pl.Series, pl.Series] | None:
        """The fast path: every line has the file's most frequent shape."""
        if not self.shapes:
            return None
        shape = self.shapes[0]
        if not (shape.found_in(lines.head(SAMPLE)).all() and shape.found_in(lines).all()):
            return None
        read = self._apply(lines, shape)
        return read["t"], read["text"]

    def _apply(self, lines: pl.Series, shape: Shape) -> pl.DataFrame:
        """Read lines that have a shape: `t`, and `text` without the stamp where it is a moment."""
        import polars as pl

        self.hits[shape] += lines.len()
        line = pl.col("line")
        if shape.anchor:
            after = line.str.splitn(shape.anchor, 2).struct.field("field_1").fill_null("")
            return lines.to_frame("line").select(t=moments(after, shape, self.hint), text="line")
        slices, text = line, line.str.slice(shape.start + shape.width)
        if shape.start:
            slices = line.str.slice(shape.start, shape.width)
            text = line.str.slice(0, shape.start) + pl.lit(" ") + text
        read = lines.to_frame("line").with_columns(t=moments(slices, shape, self.hint), text=text)
        if read["t"].null_count():
            read = read.with_columns(text=pl.when(pl.col("t").is_null()).then("line").otherwise("text"))
        return read.select("t", "text")

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
