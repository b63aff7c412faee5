"""Stamps read as numbers from the first characters of lines, all layouts of a block at once.

How a line begins, its digits and small letters aside, says which shapes it has: what was once found by expression for
one such beginning holds for all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from subagents.logs.sources import weekdays
from subagents.logs.sources.timestamps import EARLIEST, LATEST, Shape, zone_minutes

if TYPE_CHECKING:
    import polars as pl

REACH = 40
"""Characters of a line that are looked at; a shape that ends behind them is asked for by its expression."""
_KINDS = bytes(ord("0") if 48 <= each <= 57 else ord("a") if 97 <= each <= 122 else each for each in range(256))
_ODD = (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0x27D4EB2F165667C5, 0xD6E8FEB86659FD93)
WIDTHS = {"%Y": 4, "%b": 3, **dict.fromkeys(("%y", "%m", "%d", "%e", "%H", "%k", "%M", "%S"), 2)}
WIDTHS |= {"%3f": 3, "%6f": 6, "%9f": 9, **weekdays.WIDTHS}
"""Characters of the parts of a format."""
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Heads:
    """How the lines of a block begin."""

    kinds: Any
    """numpy uint64: one number for each way to begin, whatever digits and small letters there are."""
    chars: Any
    """numpy uint8, a row of REACH for each line; `?` where a character is none of ASCII."""


def heads_of(lines: pl.Series) -> Heads:
    """Return how lines begin."""
    import numpy as np

    heads = lines.fill_null("").str.slice(0, REACH).str.pad_end(REACH)
    joined = heads.str.join("")[0].encode()
    if len(joined) != lines.len() * REACH:
        joined = heads.str.replace_all(r"[^\x00-\x7f]", "?").str.join("")[0].encode()
    words = np.frombuffer(joined.translate(_KINDS), np.uint64).reshape(lines.len(), -1)
    mixed = words * np.array(_ODD, np.uint64)
    mixed ^= mixed >> np.uint64(29)
    return Heads(mixed.sum(axis=1), np.frombuffer(joined, np.uint8).reshape(lines.len(), REACH))


def is_covered(shape: Shape) -> bool:
    """Say whether the way a line begins tells if it has this shape."""
    return not shape.anchor and not shape.is_loose and shape.reach <= REACH


def moments_at(chars: Any, shape: Shape, hint: datetime) -> Any:
    """Return the stamps of lines that have a covered shape, in µs since 1970 UTC (numpy).

    None where one of them is no plain moment, or the shape is none that is read by place.
    """
    import numpy as np

    where = places(shape)
    if where is None:
        return None
    columns = {name: chars[:, shape.start + at : shape.start + at + WIDTHS["%" + name]] for name, at in where}
    if shape.is_bare and weekdays.may_follow_weekday(chars, shape.start):
        return None
    named = [name for name in columns if "%" + name in weekdays.WIDTHS]
    if not all(weekdays.are_weekdays(columns.pop(name)).all() for name in named):
        return None
    fields = {name: _number(column) for name, column in columns.items()}
    if "b" in fields:
        fields["m"] = _months(chars, shape.start + dict(where)["b"])
    date = hint if not shape.kind.date else None
    days = _days(fields, hint) if date is None else np.int64(hint.toordinal() - EPOCH_DAY)
    if days is None or any((fields[name] > most).any() for name, most in (("H", 23), ("M", 59), ("S", 59))):
        return None
    stamps = days * 86_400_000_000 + (fields["H"] * 3600 + fields["M"] * 60 + fields["S"]) * 1_000_000
    if shape.kind.date and not shape.kind.year and (stamps > (hint.timestamp() + 2 * 86400) * 1e6).any():
        return None
    if shape.frac:
        digits, at = min(shape.frac, 6), shape.start + shape.length + 1
        stamps = stamps + _number(chars[:, at : at + digits]) * 10 ** (6 - digits)
    for name, number in fields.items():
        if name[-1] == "f":
            stamps = stamps + number * 10**6 // 10 ** int(name[0])
    stamps = stamps - (zone_minutes(shape.zone) or 0) * 60_000_000
    return stamps if ((stamps >= EARLIEST) & (stamps <= LATEST)).all() else None


EPOCH_DAY = datetime(1970, 1, 1).toordinal()


@lru_cache(maxsize=256)
def places(shape: Shape) -> tuple[tuple[str, int], ...] | None:
    """Return where in the body which field stands; None where the format has other ones."""
    found, place = list[tuple[str, int]](), 0
    for part in parts_of(shape.format):
        if part[0] != "%":
            place += 1
        elif part not in WIDTHS:
            return None
        else:
            found.append(("H" if part == "%k" else part[1:], place))
            place += WIDTHS[part]
    names = {name for name, _ in found}
    whole = {"H", "M", "S"} <= names and (not shape.kind.date or (names & {"m", "b"} and names & {"d", "e"}))
    return tuple(found) if whole and place == shape.length else None


def parts_of(form: str) -> Iterator[str]:
    """Return the parts of a format: characters, and what begins with `%`."""
    return (found[0] for found in re.finditer(r"%[.\d]*.|.", form))


def _number(digits: Any) -> Any:
    import numpy as np

    total = np.zeros(len(digits), np.int64)
    for column in range(digits.shape[1]):
        total = total * 10 + (digits[:, column] & 15)
    return total


def _months(chars: Any, at: int) -> Any:
    """Return the numbers of months by name; 0 where it is none."""
    import numpy as np

    codes = (chars[:, at].astype(np.int64) << 16) | (chars[:, at + 1].astype(np.int64) << 8) | chars[:, at + 2]
    names = np.array([int.from_bytes(name.encode(), "big") for name in _MONTHS])
    order = np.argsort(names)
    found = order[np.clip(np.searchsorted(names[order], codes), 0, 11)]
    return np.where(names[found] == codes, found + 1, 0)


def _days(fields: dict[str, Any], hint: datetime) -> Any:
    """Return days since 1970 (numpy); None where one of the dates is none."""
    import numpy as np

    month, day = fields["m"], fields["d" if "d" in fields else "e"]
    if "Y" in fields:
        year = fields["Y"]
    elif "y" in fields:
        year = np.where(fields["y"] < 70, 2000, 1900) + fields["y"]
    else:
        year = np.full(len(month), hint.year, np.int64)
    if (month < 1).any() or (month > 12).any():
        return None
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    longest = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])[month - 1] + (leap & (month == 2))
    if (day < 1).any() or (day > longest).any():
        return None
    years = year - (month <= 2)  # the year begins in March, so that its odd day is its last
    in_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + in_year - 719_468
