"""Numbers as people and dashboards write them: `1,234`, `1.234,5`, `12 ms`, `5 MiB`, `3.2K`, `99.5%`."""

from __future__ import annotations

import re

import numpy as np
import polars as pl

from subagents.metrics.series import Floats

NULLS = ("", "nan", "null", "none", "na", "n/a", "-", "--", "<nil>", "nil", "undefined", "no data", "#n/a")
MOST_TEXTS = 200_000
"""Distinct texts of one column that are looked at one by one; what is beyond counts as no number."""
PROBE = 200

_CELL = re.compile(r"([+-]?)\s*(\d[\d.,'\u00a0\u202f ]*)(e[+-]?\d+)?\s*([^\s\d.,][^\s]*(?: ?/ ?\w+)?)?", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}([,.'\u00a0\u202f ])\d{3}(\1\d{3})*")
_DECIMAL_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(\.\d{3})+),(\d{1,2}|\d{4,})(\s*[^\s\d.,]\S*)?")
_PER = re.compile(r"\s*(/|per)\s*(s|sec|second)$|^(rps|ops|qps|iops)$")
_TIMES = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0}
_TIMES |= {"second": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0}
_SIZES = {"b": 1.0, "byte": 1.0, "bytes": 1.0}
_SIZES |= {f"{p}{end}": 1024.0 ** (n + 1) for n, p in enumerate("kmgt") for end in ("i", "ib")}
_SIZES |= {f"{p}b": 1000.0 ** (n + 1) for n, p in enumerate("kmgt")}
_COUNTS = {"k": 1e3, "m": 1e-3, "mil": 1e6, "bil": 1e9, "g": 1e9, "%": 1.0, "": 1.0}
"""A small m is kubectl's thousandth; a capital one, a million, is looked up before the case is lost."""


def read_numbers(column: pl.Series, base: bool = False) -> tuple[Floats, str]:
    """Return a text column as numbers, NaN where it is none, infinities kept; and the unit its cells are written in.

    Cells of one unit keep their numbers; of several units, or where `base` asks for it, they become seconds, bytes
    or plain counts.
    """
    plain = column.str.strip_chars_end("%").cast(pl.Float64, strict=False)
    odd = column.filter(plain.is_null() & ~column.str.to_lowercase().is_in(NULLS)).unique(maintain_order=True)
    texts = odd.head(MOST_TEXTS).to_list()
    if texts and (read := _read(texts, base)):
        unit, known = read
        mapped = column.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Float64)
        return _array(plain.fill_null(mapped)), unit
    return _array(plain), ""


def _array(numbers: pl.Series) -> Floats:
    return numbers.fill_null(float("nan")).to_numpy().astype(np.float64)


def _read(texts: list[str], base: bool) -> tuple[str, dict[str, float]] | None:
    comma = any(_DECIMAL_COMMA.fullmatch(text) for text in texts[:PROBE])
    if not any(_parts(text, comma) for text in texts[:PROBE]):
        return None
    parts = {text: found for text in texts if (found := _parts(text, comma))}
    units = {unit for _, unit in parts.values() if unit}
    if not base and len(units) <= 1 and not any(_bare(unit).lower() in _COUNTS and unit != "%" for unit in units):
        return next(iter(units), ""), {text: number for text, (number, _) in parts.items()}
    return _base(units), {text: number * _factor(unit) for text, (number, unit) in parts.items()}


def _base(units: set[str]) -> str:
    bare = {_bare(unit).lower() for unit in units}
    return "s" if bare <= set(_TIMES) else "bytes" if bare <= set(_SIZES) else "plain numbers, seconds and bytes"


def _bare(unit: str) -> str:
    return _PER.sub("", unit)


def _factor(unit: str) -> float:
    bare = _bare(unit)
    if bare == "M":
        return 1e6
    low = bare.lower()
    return _TIMES.get(low, _SIZES.get(low, _COUNTS.get(low, 1.0)))


def _parts(text: str, comma: bool) -> tuple[float, str] | None:
    """Return number and unit of one cell, None where it is no number with a unit that is known."""
    low = text.strip().lower()
    if low in ("true", "false"):
        return float(low == "true"), ""
    match = _CELL.fullmatch(text.strip())
    if match is None:
        return None
    sign, digits, power, unit = match.groups(default="")
    bare = _bare(unit)
    if bare != "M" and bare.lower() not in _TIMES | _SIZES | _COUNTS:
        return None
    number = _digits(digits.strip(), comma)
    return None if number is None else (float(f"{sign}{number}{power}"), unit)


def _digits(text: str, comma: bool) -> str | None:
    """Return digits as Python reads them: thousands without marks, a point before decimals."""
    if comma and "," in text:
        whole, _, decimals = text.rpartition(",")
        whole = whole.replace(".", "")
    else:
        whole, _, decimals = text.partition(".") if text.count(".") == 1 else (text, "", "")
    if not whole.isdigit():
        if not _GROUPED.fullmatch(whole):
            return None
        whole = re.sub(r"\D", "", whole)
    return f"{whole}.{decimals}" if decimals.isdigit() else whole if not decimals else None
