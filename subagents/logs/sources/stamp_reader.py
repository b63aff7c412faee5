"""Learns how a file writes its times, from its own lines, and reads them by the column."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.timestamps import ANY_TIME, Shape, Stamp, find_stamp, moments, shape_of

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 240
MAX_SHAPES = 48
LOOKED_AT = 24
"""Characters of a line that tell lines of one layout from those of others, mostly."""
MOST_ROUTES = 20_000


@dataclass
class StampReader:
    """The shapes met so far in one file, and how many lines had each."""

    hint: datetime
    """Where a stamp names no year or no day: its year, its day."""
    shapes: list[Shape] = field(default_factory=list)
    hits: Counter[Shape] = field(default_factory=Counter)
    routes: dict[int, Shape | None] = field(default_factory=dict)
    """Which shape the lines have that begin alike; None where they differ. It is asked first, and checked."""

    def as_learnt(self) -> StampReader:
        """Return a reader with the shapes met so far; what it meets itself changes nothing here."""
        return replace(self, shapes=list(self.shapes), hits=Counter(self.hits), routes=dict(self.routes))

    def read(self, lines: pl.Series) -> tuple[pl.Series, pl.Series]:
        """Return (microseconds since 1970 as Int64, the text without its stamp); null where a line has no stamp."""
        import polars as pl

        if not lines.len():
            return pl.Series([], dtype=pl.Int64), lines
        whole = self._whole(lines)
        if whole is not None:
            return whole
        heads = _heads(lines) if self.shapes else None
        rows, parts, rest = self._routed(lines, heads)
        part = lines.gather(rest) if rows else lines
        by_search = list[tuple[Shape, pl.Series]]()
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
            by_search.append((shape, rows[-1]))
            rest, part = rest.filter(~found), part.filter(~found)
        self.shapes.sort(key=lambda shape: -self.hits[shape])
        if heads is not None:
            self._remember(heads, by_search)
        parts.append(part.to_frame("text").select(t=pl.lit(None, pl.Int64), text="text"))
        in_order = pl.concat(parts)[pl.concat([*rows, rest]).arg_sort()]
        return in_order["t"], in_order["text"]

    def _routed(self, lines: pl.Series, heads: Any) -> tuple[list[pl.Series], list[pl.DataFrame], pl.Series]:
        """Read the lines whose beginnings are known: one question each; return (rows, what was read, other rows)."""
        import numpy as np
        import polars as pl

        every = pl.int_range(lines.len(), eager=True, dtype=pl.UInt32)
        if heads is None or not self.routes:
            return [], [], every
        known, which = np.unique(heads, return_inverse=True)
        numbers = {shape: number for number, shape in enumerate(self.shapes)}
        of_head = np.array([numbers.get(self.routes.get(head), -1) for head in known.tolist()])
        asked = of_head[which]
        rows, parts, left = list[pl.Series](), list[pl.DataFrame](), [every.filter(pl.Series(asked < 0))]
        for number, shape in enumerate(list(self.shapes)):
            places = np.flatnonzero(asked == number)
            if not len(places):
                continue
            mine = pl.Series(places.astype(np.uint32))
            part = lines.gather(mine)
            found = shape.found_in(part).fill_null(False)
            if not found.all():
                left.append(mine.filter(~found))
                mine, part = mine.filter(found), part.filter(found)
            if mine.len():
                rows.append(mine)
                parts.append(self._apply(part, shape))
        return rows, parts, pl.concat(left)

    def _remember(self, heads: Any, found: list[tuple[Shape, pl.Series]]) -> None:
        """Keep which shape lines that begin alike were found to have."""
        import numpy as np

        if len(self.routes) > MOST_ROUTES:
            self.routes.clear()
        for shape, rows in found:
            for head in np.unique(heads[rows.to_numpy()]).tolist():
                self.routes[head] = shape if self.routes.get(head, shape) == shape else None

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


def _heads(lines: pl.Series) -> Any:
    """Return a number (numpy) for how each line begins, whatever its digits and letters are."""
    import numpy as np

    heads = lines.str.slice(0, LOOKED_AT).str.pad_end(LOOKED_AT)
    joined = heads.str.join("")[0].encode()
    if len(joined) != lines.len() * LOOKED_AT:
        joined = heads.str.replace_all(r"[^\x00-\x7f]", "?").str.join("")[0].encode()
    kinds = np.frombuffer(joined.translate(_KINDS), np.uint64).reshape(lines.len(), -1)
    return (kinds * np.array(_ODD[: kinds.shape[1]], np.uint64)).sum(axis=1)


_KINDS = bytes(
    ord("0") if chr(each).isdigit() else ord("a") if 97 <= each <= 122 else ord("A") if 65 <= each <= 90 else each
    for each in range(256)
)
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9)
"""Odd numbers without a pattern: what begins differently gets different numbers, almost surely; a shape is checked."""


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
