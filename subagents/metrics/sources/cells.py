"""Numbers as people and dashboards write them: `1,234`, `1.234,5`, `12 ms`, `5 MiB`, `3.2K`, `99.5%`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import polars as pl

from subagents.metrics.series import Floats
from subagents.metrics.sources.units import UNKNOWN, factor, is_count, kind, meaning_of_m

NULLS = ("", "nan", "null", "none", "na", "n/a", "-", "--", "<nil>", "nil", "undefined", "no data", "#n/a")
MOST_TEXTS = 200_000
"""Distinct texts with commas of one column that are looked at to tell what commas mean."""
PROBE = 200

_CELL = r"(?i)^([+-]?)\s*([0-9][0-9.,'\x{a0}\x{202f} ]*)(e[+-]?[0-9]+)?\s*([^\s0-9.,][^\s]*(?: ?/ ?\w+)?)?$"
"""Sign, digits, power and unit."""
_MARKS = (",", ".", "'", "\u00a0", "\u202f", " ")
"""What parts thousands."""
_UNIT = r"(?:e[+-]?\d+)?(\s*[^\s\d.,]\S*)?"
_DECIMAL_COMMA = re.compile(
    rf"[+-]?(\d+|\d{{1,3}}([.'\u00a0\u202f ]\d{{3}})+),(\d{{1,2}}|\d{{4,}}){_UNIT}|[+-]?(0|\d{{4,}}),\d+{_UNIT}"
)
_GROUPING_COMMA = re.compile(rf"[+-]?\d{{1,3}}(,\d{{3}})+\.\d+{_UNIT}|[+-]?\d{{1,3}}(,\d{{3}}){{2,}}{_UNIT}")
_POINT_GROUPED = r"^[+-]?[1-9]\d{0,2}(\.\d{3})+$"
_EITHER_COMMA = re.compile(rf"[+-]?[1-9]\d{{0,2}},\d{{3}}{_UNIT}")


Meanings: TypeAlias = dict[str, float | None]
"""By column what a small m multiplies by; None where nothing says."""


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


def read_numbers(
    column: pl.Series, base: bool = False, comma: bool | None = None, known: Meanings | None = None, named: str = ""
) -> tuple[Floats, str]:
    """Return a text column as numbers, NaN where it is none, infinities kept; and the unit its cells are written in.

    Cells of one unit keep their numbers; of several units, or where `base` asks for it, they become seconds, bytes,
    bits or plain counts. `comma`: decimals follow a comma, and points part thousands; None: its own cells
    say so. `known`: what a small m meant in other blocks of the file. `named`: the unit that the column is said to
    have: cells of such units become it, those of no unit have it.
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
    odd = plain.is_null() & ~column.str.to_lowercase().is_in(NULLS)
    some = column.filter(odd).unique(maintain_order=True).head(PROBE)
    if not len(some) or _parts(some, comma)["number"].null_count() == len(some):
        return _array(plain), ""
    parts = _parts(column.filter(odd), comma)
    units = set(parts.filter(pl.col("number").is_not_null())["unit"].unique().to_list())
    has_plain, into = bool((plain.fill_nan(0.0) != 0.0).any()), kind(named)
    sized = into in ("s", "bytes")
    factors, unit = _factors(column.name, units, has_plain, base or sized, {} if known is None else known)
    if sized and unit == into:  # `5120Mi` below MEMORY(bytes)
        factors, unit = {one: by / (factor(named) or 1.0) if one else by for one, by in factors.items()}, named
    scaled = parts.select(
        pl.col("number") * pl.col("unit").replace_strict(factors, default=None, return_dtype=pl.Float64)
    )
    numbers = _array(plain)
    numbers[odd.to_numpy()] = _array(scaled["number"])
    return numbers, unit


def _array(numbers: pl.Series) -> Floats:
    return numbers.fill_null(float("nan")).to_numpy().astype(np.float64)


def _factors(name: str, units: set[str], has_plain: bool, base: bool, known: Meanings) -> tuple[dict[str, float], str]:
    """Return what numbers of each unit are multiplied by, and the unit that all have then."""
    if "m" in units and name not in known:
        known[name] = meaning_of_m(name, units | ({""} if has_plain else set()))
    small = {"m": known[name] or 1.0} if "m" in units else {}
    told = units - {""}
    if small and known[name] is None and told == {"m"}:
        return small | {"": 1.0}, UNKNOWN
    if not base and len(told) <= 1 and not any(is_count(unit) for unit in told):
        return dict.fromkeys(units, 1.0), next(iter(told), "")
    kinds = {"s" if small.get(unit) == 60.0 else kind(unit) for unit in told - {"%"}}
    return {unit: factor(unit) or 1.0 for unit in units} | small, " and ".join(sorted(kinds))


def _parts(cells: pl.Series, comma: bool) -> pl.DataFrame:
    """Return number and unit of each cell, null where it is no number with a unit that is known."""
    text = cells.alias("cell").str.strip_chars()
    frame = text.str.extract_groups(_CELL).struct.rename_fields(["sign", "digits", "power", "unit"]).struct.unnest()
    units = [unit for unit in frame["unit"].unique().to_list() if unit is None or factor(unit) is not None]
    whole = pl.col("sign") + _digits(pl.col("digits").str.strip_chars(), comma) + pl.col("power").fill_null("")
    low = pl.lit(text.str.to_lowercase())
    number = (
        pl.when(low == "true").then(1.0).when(low == "false").then(0.0)
        .when(pl.col("unit").is_in(units, nulls_equal=True)).then(whole.cast(pl.Float64, strict=False))
    )  # fmt: skip
    return frame.select(number.alias("number"), pl.col("unit").fill_null(""))


def _digits(text: pl.Expr, comma: bool) -> pl.Expr:
    """Return digits as Python reads them, thousands without marks, a point before decimals; null for others."""
    forms = [pl.when(text.str.contains(r"^[0-9]+(\.[0-9]*)?$")).then(text)]
    for mark in _MARKS:
        thousands = f"([{mark}][0-9]{{3}})" + ("{2,}" if mark == "." else "+")
        decimals = "" if mark == "." else r"(\.[0-9]*)?"
        bare = text.str.replace_all(mark, "", literal=True)
        forms.append(pl.when(text.str.contains(f"^[0-9]{{1,3}}{thousands}{decimals}$")).then(bare))
    if not comma:
        return pl.coalesce(forms)
    with_comma = [pl.when(text.str.contains("^[0-9]+,[0-9]*$")).then(text)]
    for mark in _MARKS[1:]:
        bare = text.str.replace_all(mark, "", literal=True)
        with_comma.append(pl.when(text.str.contains(f"^[0-9]{{1,3}}([{mark}][0-9]{{3}})+(,[0-9]*)?$")).then(bare))
    without = pl.when(~text.str.contains(",", literal=True)).then(pl.coalesce(forms))
    return pl.coalesce([*(form.str.replace(",", ".", literal=True) for form in with_comma), without])
