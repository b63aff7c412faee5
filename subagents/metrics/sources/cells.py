"""Numbers as people and dashboards write them: `1,234`, `1.234,5`, `12 ms`, `5 MiB`, `3.2K`, `99.5%`."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import polars as pl

from subagents.metrics.series import Floats
from subagents.metrics.sources.units import SIZES, TIMES, bare, factor, is_count

NULLS = ("", "nan", "null", "none", "na", "n/a", "-", "--", "<nil>", "nil", "undefined", "no data", "#n/a")
MOST_TEXTS = 200_000
"""Distinct texts of one column that are looked at one by one; what is beyond counts as no number."""
PROBE = 200

_CELL = re.compile(r"([+-]?)\s*(\d[\d.,'\u00a0\u202f ]*)(e[+-]?\d+)?\s*([^\s\d.,][^\s]*(?: ?/ ?\w+)?)?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}([,.'\u00a0\u202f ])\d{3}(\1\d{3})*")
_UNIT = r"(?:e[+-]?\d+)?(\s*[^\s\d.,]\S*)?"
_DECIMAL_COMMA = re.compile(
    rf"[+-]?(\d+|\d{{1,3}}([.'\u00a0\u202f ]\d{{3}})+),(\d{{1,2}}|\d{{4,}}){_UNIT}|[+-]?(0|\d{{4,}}),\d+{_UNIT}"
)
_GROUPING_COMMA = re.compile(rf"[+-]?\d{{1,3}}(,\d{{3}})+\.\d+{_UNIT}|[+-]?\d{{1,3}}(,\d{{3}}){{2,}}{_UNIT}")
_POINT_GROUPED = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
_EITHER_COMMA = re.compile(rf"[+-]?[1-9]\d{{0,2}},\d{{3}}{_UNIT}")


@dataclass
class CommaUse:
    """What a comma in the numbers of one file stands before, decimals or thousands: settled once, by all of them."""

    decimal: bool | None = None
    """None: not settled yet."""
    remark: str = ""
    """What had to be assumed."""
    _told: bool | None = None
    _either: bool = False
    _points: bool = False

    def add(self, column: pl.Series, mark: str = ",") -> None:
        """Take in the cells of a column of numbers, which `mark` parts from others."""
        if self._told is None and self.decimal is None:
            texts = column.filter(column.str.contains(",", literal=True)).unique(maintain_order=True)
            for text in texts.head(MOST_TEXTS).to_list():
                if _DECIMAL_COMMA.fullmatch(text) or _GROUPING_COMMA.fullmatch(text):
                    self._told = _GROUPING_COMMA.fullmatch(text) is None
                    return
                self._either |= _EITHER_COMMA.fullmatch(text) is not None
            self._points |= mark == ";" and bool(column.str.contains(_POINT_GROUPED).any())

    @property
    def is_open(self) -> bool:
        """Say whether there are numbers that can be read either way, and nothing says which."""
        return self.decimal is None and (self._either or self._points) and self._told is None

    def settle(self, mark: str) -> bool:
        """Return whether decimals follow a comma, by what is known now and what parts the cells; it stays so."""
        if self.decimal is None and (self._either or self._points or self._told is not None):
            self.decimal = bool(self._told)
            if self._told is None and self._either:
                self.decimal = mark == ";"
                how = "decimals, as `;` parts the cells" if self.decimal else "thousands"
                self.remark = f"commas in numbers like 1,234 are read as those of {how}; no other number says"
        return bool(self.decimal)


def read_numbers(column: pl.Series, base: bool = False, comma: bool | None = None) -> tuple[Floats, str]:
    """Return a text column as numbers, NaN where it is none, infinities kept; and the unit its cells are written in.

    Cells of one unit keep their numbers; of several units, or where `base` asks for it, they become seconds, bytes
    or plain counts. `comma`: decimals follow a comma, and points part thousands; None: its own cells
    say so.
    """
    if comma is None:
        use = CommaUse()
        use.add(column)
        comma = use.settle(",")
    digits = column.str.strip_chars_end("%")
    if comma:
        grouped = pl.when(digits.str.contains(_POINT_GROUPED)).then(digits.str.replace_all(".", "", literal=True))
        digits = pl.select(grouped.otherwise(digits).alias("digits"))["digits"]
    plain = digits.cast(pl.Float64, strict=False)
    odd = column.filter(plain.is_null() & ~column.str.to_lowercase().is_in(NULLS)).unique(maintain_order=True)
    texts = odd.head(MOST_TEXTS).to_list()
    if texts and (read := _read(texts, base, comma)):
        unit, known = read
        mapped = column.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Float64)
        return _array(plain.fill_null(mapped)), unit
    return _array(plain), ""


def _array(numbers: pl.Series) -> Floats:
    return numbers.fill_null(float("nan")).to_numpy().astype(np.float64)


def _read(texts: list[str], base: bool, comma: bool) -> tuple[str, dict[str, float]] | None:
    if not any(_parts(text, comma) for text in texts[:PROBE]):
        return None
    parts = {text: found for text in texts if (found := _parts(text, comma))}
    units = {unit for _, unit in parts.values() if unit}
    if not base and len(units) <= 1 and not any(is_count(unit) for unit in units):
        return next(iter(units), ""), {text: number for text, (number, _) in parts.items()}
    scaled = {text: number * (factor(unit) or 1.0) for text, (number, unit) in parts.items()}
    return _base(units) if units else "", scaled


def _base(units: set[str]) -> str:
    plain = {bare(unit).lower() for unit in units}
    return "s" if plain <= TIMES.keys() else "bytes" if plain <= SIZES.keys() else "plain numbers, seconds and bytes"


def _parts(text: str, comma: bool) -> tuple[float, str] | None:
    """Return number and unit of one cell, None where it is no number with a unit that is known."""
    low = text.strip().lower()
    if low in ("true", "false"):
        return float(low == "true"), ""
    match = _CELL.fullmatch(text.strip())
    if match is None:
        return None
    sign, digits, power, unit = match.groups(default="")
    if factor(unit) is None:
        return None
    number = _digits(digits.strip(), comma)
    return None if number is None else (float(f"{sign}{number}{power}"), unit)


def _digits(text: str, comma: bool) -> str | None:
    """Return digits as Python reads them: thousands without marks, a point before decimals."""
    if comma and ("," in text or _GROUPED.fullmatch(text)):
        whole, _, decimals = text.partition(",")
    else:
        whole, _, decimals = text.partition(".") if text.count(".") == 1 else (text, "", "")
    if not whole.isdigit():
        if not _GROUPED.fullmatch(whole):
            return None
        whole = re.sub(r"\D", "", whole)
    return f"{whole}.{decimals}" if decimals.isdigit() else whole if not decimals else None
