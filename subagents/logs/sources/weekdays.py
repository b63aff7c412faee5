"""Weekdays beside a date: they are of the stamp and not of the message, which would be another one each day.

A stamp is a moment whatever weekday it names: the date says which day it was.
"""

from __future__ import annotations

import re
from datetime import date
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

_LONG = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
NAMES = (*_LONG, *(name[:3] for name in _LONG))
DAY = rf"(?:{'|'.join(f'{name[:3]}(?:{name[3:]})?' for name in _LONG)})"
WIDTHS = {"%a": 3, **{f"%{len(name)}A": len(name) for name in _LONG}}
"""Characters of weekdays by their part of a format: one for each width, as a stamp is read by place."""
_IN_NAMES = "A-Za-z0-9_./-"
"""Behind such a character a weekday is the end of a name."""
_LEAD = rf"{DAY},? "
_REACH = len("Wednesday, ") + 1
_BEFORE = re.compile(rf"(?:^|[^{_IN_NAMES}])({_LEAD})$")
_IN_COLUMN = rf"(?:^|[^{_IN_NAMES}]){_LEAD}$"
_FIRST_WORD = rf"^(?:[^ ]*[^ {_IN_NAMES}])?{_LEAD}"


def weekday_before(text: str, start: int) -> str:
    """Return the weekday before a date, with what stands between them; nothing where there is none."""
    found = _BEFORE.search(text[max(0, start - _REACH) : start])
    return found[1] if found is not None else ""


def format_of(text: str) -> str:
    """Return the format of a text whose only letters are a weekday."""
    return re.sub(DAY, lambda day: "%a" if len(day[0]) == 3 else f"%{len(day[0])}A", text)


def pattern_of(text: str) -> str:
    """Return the Rust regex of a text that may begin with a weekday, for all weekdays that are as wide."""
    found = re.match(DAY, text)
    return f"(?:{'|'.join(_as_wide(found.end()))}){text[found.end() :]}" if found is not None else text


def _as_wide(width: int) -> list[str]:
    return [name for name in NAMES if len(name) == width]


def without_weekday(body: pl.Expr, form: str) -> tuple[pl.Expr, str]:
    """Return bodies and their format without weekdays; null where one is none."""
    import polars as pl

    found = re.search("|".join(WIDTHS), form)
    if found is None:
        return body, form
    place, width = len(date(2026, 1, 1).strftime(form[: found.start()])), WIDTHS[found[0]]
    rest = body.str.slice(place + width)
    rest = body.str.slice(0, place) + rest if place else rest
    is_one = body.str.slice(place, width).is_in(_as_wide(width))
    return without_weekday(pl.when(is_one).then(rest), form.replace(found[0], "", 1))


def are_weekdays(chars: Any) -> Any:
    """Say which rows of characters (numpy uint8) are a weekday (numpy bool)."""
    import numpy as np

    width = chars.shape[1]
    texts = np.ascontiguousarray(chars).view(f"S{width}").ravel()
    return np.isin(texts, [name.encode() for name in _as_wide(width)])


def may_follow_weekday(chars: Any, start: int) -> bool:
    """Say whether what stands before a column may be a weekday in any row of characters (numpy uint8)."""
    import numpy as np

    rows = np.flatnonzero(chars[:, start - 1] == ord(" "))
    if not len(rows):
        return False
    before = chars[rows]
    ends = [before[:, at - 3 : at] for at in (start - 1, start - 2) if at >= 3]
    return any(bool((are_weekdays(end) | (end == np.frombuffer(b"day", np.uint8)).all(axis=1)).any()) for end in ends)


def follow_weekday(lines: pl.Series, start: int) -> pl.Series:
    """Say which lines have a weekday before a column, or before their first space where that is -1."""
    if start < 0:
        return lines.str.contains(_FIRST_WORD)
    first = max(0, start - _REACH)
    return lines.str.slice(first, start - first).str.contains(_IN_COLUMN)
