"""Learns how a file writes its times, from its own lines, and reads them by the column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from subagents.logs.native import NOT_LOOKED
from subagents.logs.sources.epoch_columns import epoch_columns
from subagents.logs.sources.stamp_columns import Heads, heads_of, is_covered, moments_at
from subagents.logs.sources.stamp_kinds import AMBIGUOUS, ANY_TIME, as_day_first, is_day_first
from subagents.logs.sources.timestamps import HEAD, Shape, Stamp, find_stamp, moments, shape_of, with_zeros

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 240
MAX_SHAPES = 48
MOST_ROUTES = 20_000
UNDATED = -(1 << 62)


@dataclass(frozen=True)
class Seen:
    """Stamps that were found before (numpy, one of each for a line)."""

    times: Any
    shapes: Any
    """Which of `of`; NO_FINDER: it has none of them; NOT_LOOKED: it may"""
    texts: Any
    begins: Any
    behinds: Any
    """Characters before the text, the stamp, and what stands behind that"""
    of: Sequence[Shape | None]
    """None: what is no stamp of a text"""

    @property
    def tells_nothing(self) -> bool:
        """Say whether no stamp was found, and a line may have any: then how lines begin tells more."""
        return not (self.shapes >= 0).any() and bool((self.shapes == NOT_LOOKED).any())

    def __getitem__(self, rows: Any) -> Seen:
        """Return those of some lines."""
        times, shapes, texts = self.times[rows], self.shapes[rows], self.texts[rows]
        return Seen(times, shapes, texts, self.begins[rows], self.behinds[rows], self.of)


@dataclass
class StampReader:
    """The shapes met so far in one file, and how many lines had each."""

    hint: datetime
    """Where a stamp names no year or no day: its year, its day."""
    shapes: list[Shape] = field(default_factory=list)
    hits: Counter[Shape] = field(default_factory=Counter)
    routes: dict[int, Shape | None] = field(default_factory=dict)
    """Which shape the lines have that begin alike; None where they differ."""

    def as_learnt(self) -> StampReader:
        """Return a reader with the shapes met so far; what it meets itself changes nothing here."""
        return replace(self, shapes=list(self.shapes), hits=Counter(self.hits), routes=dict(self.routes))

    def read(self, lines: pl.Series, seen: Seen | None = None) -> tuple[pl.Series, pl.Series]:
        """Return (microseconds since 1970 as Int64, the text without its stamp); null where a line has no stamp."""
        import polars as pl

        if not lines.len():
            return pl.Series([], dtype=pl.Int64), lines
        if seen is not None and seen.tells_nothing:
            seen = None
        whole = self._whole(lines) if seen is None else None
        if whole is not None:
            return whole
        heads = heads_of(lines) if self.shapes and seen is None else None
        result = _Result.of(lines)
        rest = self._routed(result, heads) if seen is None else self._given(result, seen)
        surely_none = set(seen.of) if seen is not None and not (seen.shapes == NOT_LOOKED).any() else set()
        part, known, waiting = lines[rest], 0, list[Shape]()
        found_by = list[tuple[Shape, pl.Series]]()
        while rest.len():
            if not waiting:
                if known == len(self.shapes) and not self._learn(part):
                    break
                # a fixed column is asked for first: it costs a tenth of what a search for an anchor does
                waiting = sorted(self.shapes[known:], key=lambda shape: (shape.turn, shape.start < 0))
                known = len(self.shapes)
            shape = waiting.pop(0)
            if shape in surely_none:
                continue
            found = shape.found_in(part).fill_null(False)
            if not found.any():
                continue
            read = self._apply(part.filter(found), shape)
            odd = read["t"].is_null()
            if odd.any():  # it may be a moment as another shape of the same form reads it
                found = found.scatter(pl.arg_where(found, eager=True).filter(odd), False)
                read = read.filter(~odd)
            rows = rest.filter(found)
            result.add(rows, read)
            found_by.append((shape, rows))
            rest, part = rest.filter(~found), part.filter(~found)
        # another list, for whoever looks at blocks ahead asks which there are: one that is being sorted seems empty
        self.shapes = sorted(self.shapes, key=lambda shape: -self.hits[shape])
        if heads is not None:
            self._remember(heads, found_by)
        return result.columns()

    def _given(self, result: _Result, seen: Seen) -> pl.Series:
        """Take the stamps that were found before; return the rows of lines that have none of them."""
        import numpy as np
        import polars as pl

        rows = np.flatnonzero(seen.shapes >= 0)
        for number, count in enumerate(np.bincount(seen.shapes[rows], minlength=len(seen.of)).tolist()):
            shape = seen.of[number]
            if shape is not None and count:
                self.hits[shape] += count
        result.take(rows, seen)
        return pl.Series(np.flatnonzero(seen.shapes < 0), dtype=pl.UInt32)

    def _routed(self, result: _Result, heads: Heads | None) -> pl.Series:
        """Read the lines that begin as others did before; return the rows of those that do not."""
        import numpy as np
        import polars as pl

        if heads is None or not self.routes:
            return pl.int_range(result.lines.len(), eager=True, dtype=pl.UInt32)
        known, which = np.unique(heads.kinds, return_inverse=True)
        numbers: dict[Shape | None, int] = {shape: number for number, shape in enumerate(self.shapes)}
        asked = np.array([numbers.get(self.routes.get(head), -1) for head in known.tolist()], np.int16)[which]
        order = np.argsort(asked, kind="stable")
        ends = np.searchsorted(asked[order], np.arange(-1, len(self.shapes)), side="right")
        left = [order[: ends[0]]]
        for number, shape in enumerate(list(self.shapes)):
            rows = order[ends[number] : ends[number + 1]]
            if not len(rows):
                continue
            stamps = moments_at(heads.chars[rows], shape, self.hint) if is_covered(shape) else None
            if stamps is not None:
                self.hits[shape] += len(rows)
                result.put(rows, stamps, shape)
                continue
            part = result.lines[rows]
            if shape.is_bare or not is_covered(shape):
                found = shape.found_in(part).fill_null(False)
                left.append(rows[~found.to_numpy()])
                rows, part = rows[found.to_numpy()], part.filter(found)
            if len(rows):
                read = self._apply(part, shape)
                odd = read["t"].is_null()
                left.append(rows[odd.to_numpy()])
                result.add(pl.Series(rows).filter(~odd), read.filter(~odd))
        return pl.Series(np.sort(np.concatenate(left)), dtype=pl.UInt32)

    def _remember(self, heads: Heads, found: list[tuple[Shape, pl.Series]]) -> None:
        """Keep which shape lines that begin alike were found to have."""
        import numpy as np

        if len(self.routes) > MOST_ROUTES:
            self.routes.clear()
        for shape, rows in found:
            for head in np.unique(heads.kinds[rows.to_numpy()]).tolist():
                self.routes[head] = shape if self.routes.get(head, shape) == shape else None

    def _whole(self, lines: pl.Series) -> tuple[pl.Series, pl.Series] | None:
        """The fast path: every line has the file's most frequent shape."""
        if not self.shapes:
            return None
        shape = self.shapes[0]
        if shape.turn > min(each.turn for each in self.shapes) or not (
            shape.found_in(lines.head(SAMPLE)).all() and shape.found_in(lines).all()
        ):
            return None
        read = self._apply(lines, shape)
        if read["t"].null_count():  # read line by line, and counted there
            self.hits[shape] -= lines.len() - read["t"].null_count()
            return None
        return read["t"], read["text"]

    def _apply(self, lines: pl.Series, shape: Shape) -> pl.DataFrame:
        """Read lines that have a shape: `t`, and `text` without the stamp where it is a moment."""
        import polars as pl

        line = pl.col("line")
        if shape.is_loose:
            cut = line.str.extract_groups(shape.split).struct
            before, slices = cut["1"], with_zeros(cut["2"]) + cut["3"]
            behind = pl.sum_horizontal(cut[number].str.len_chars() for number in ("1", "2", "3"))
            text = pl.when(before != "").then(before + " ").otherwise(pl.lit("")) + line.str.slice(behind)
        elif shape.anchor:
            parts = line.str.splitn(shape.anchor, 2).struct
            slices = parts.field("field_1").fill_null("")
            text = parts.field("field_0") + pl.lit(shape.anchor + " ") + slices.str.slice(shape.width)
        elif shape.start:
            slices = line.str.slice(shape.start, shape.width)
            text = line.str.slice(0, shape.start) + pl.lit(" ") + line.str.slice(shape.start + shape.width)
        else:
            slices, text = line, line.str.slice(shape.width)
        read = lines.to_frame("line").with_columns_seq(t=moments(slices, shape, self.hint), text=text)
        odd = read["t"].null_count()
        self.hits[shape] += lines.len() - odd
        if odd:
            read = read.with_columns_seq(text=pl.when(pl.col("t").is_null()).then("line").otherwise("text"))
        return read.select_seq("t", "text")

    def _learn(self, lines: pl.Series) -> bool:
        """Add the shapes that a sample of not yet understood lines shows; say whether there were any."""
        likely = lines.filter(lines.str.slice(0, HEAD).str.contains(ANY_TIME))
        if not likely.len() or len(self.shapes) >= MAX_SHAPES:
            return False
        sample = _from_all_over(likely).to_list() + likely.head(20).to_list()
        stamps = [(line, stamp) for line in sample if (stamp := find_stamp(line)) is not None]
        if len(stamps) < len(sample):
            stamps += epoch_columns(_from_all_over(lines).drop_nulls().to_list(), self.hint)
        new = [shape for shape in _shapes(stamps, self.hint) if shape not in self.hits and shape not in self.shapes]
        self.shapes.extend(new[: MAX_SHAPES - len(self.shapes)])
        return bool(new)


def _from_all_over(lines: pl.Series) -> pl.Series:
    return lines.gather_every(max(1, lines.len() // SAMPLE)).head(SAMPLE)


@dataclass
class _Result:
    """Times and texts of a block's lines, filled in by shape."""

    lines: pl.Series
    times: Any
    """numpy int64, UNDATED where there is none."""
    behind: Any
    """numpy: how many characters stand before the text."""
    rows: list[pl.Series] = field(default_factory=list)
    texts: list[pl.Series] = field(default_factory=list)

    @classmethod
    def of(cls, lines: pl.Series) -> _Result:
        """Nothing is known yet."""
        import numpy as np

        return cls(lines, np.full(lines.len(), UNDATED, np.int64), np.zeros(lines.len(), np.int32))

    def put(self, rows: Any, stamps: Any, shape: Shape) -> None:
        """Take the stamps of rows (numpy) that have a fixed shape."""
        import polars as pl

        self.times[rows] = stamps
        if not shape.start:
            self.behind[rows] = shape.width
            return
        lines = self.lines[rows]
        self._say(pl.Series(rows), lines.str.slice(0, shape.start) + " " + lines.str.slice(shape.start + shape.width))

    def take(self, rows: Any, seen: Seen) -> None:
        """Take the stamps of rows (numpy) that were found before."""
        import polars as pl

        self.times[rows], self.behind[rows] = seen.times[rows], seen.behinds[rows]
        within = rows[seen.begins[rows] > 0]
        if len(within):
            lines = pl.DataFrame(
                {"line": self.lines[within], "begin": seen.begins[within], "behind": seen.behinds[within]}
            )
            line = pl.col("line")
            text = line.str.slice(0, pl.col("begin")) + " " + line.str.slice(pl.col("behind"))
            self._say(pl.Series(within), lines.select_seq(text=text)["text"])

    def add(self, rows: pl.Series, read: pl.DataFrame) -> None:
        """Take what was read by expression: `t` and `text`."""
        self.times[rows.to_numpy()] = read["t"].fill_null(UNDATED).to_numpy()
        self._say(rows, read["text"])

    def _say(self, rows: pl.Series, texts: pl.Series) -> None:
        self.rows.append(rows)
        self.texts.append(texts)

    def columns(self) -> tuple[pl.Series, pl.Series]:
        """Return times and texts."""
        import polars as pl

        t, behind = pl.col("t"), pl.Series(self.behind)
        read = pl.DataFrame({"t": self.times, "line": self.lines}).select_seq(
            t=pl.when(t != UNDATED).then(t), text=pl.col("line").str.slice(behind)
        )
        text = read["text"]
        if self.rows:
            text = text.scatter(pl.concat([rows.cast(pl.UInt32) for rows in self.rows]), pl.concat(self.texts))
        return read["t"], text


def _shapes(stamps: list[tuple[str, Stamp]], hint: datetime) -> list[Shape]:
    """Return the shapes of a sample, most frequent first; a wandering column becomes an anchor."""
    columns: dict[str, Counter[int]] = {}
    for _, stamp in stamps:
        columns.setdefault(stamp.kind.name, Counter())[stamp.start] += 1
    day_first = is_day_first([stamp.body for _, stamp in stamps if stamp.kind.name == AMBIGUOUS], hint)
    found: Counter[Shape] = Counter()
    for line, stamp in stamps:
        wanders = len(columns[stamp.kind.name]) > 2 and stamp.start > 1
        form = as_day_first(stamp.body) if day_first and stamp.kind.name == AMBIGUOUS else None
        found[shape_of(stamp, line[: stamp.start] if wanders else None, form)] += 1
    return [shape for shape, _ in found.most_common()]
