"""Zones that stamps name: by an abbreviation, or by a place whose hour changes with the season."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

HOURS = {
    "CET": 1, "CEST": 2, "EET": 2, "EEST": 3, "WET": 0, "WEST": 1, "BST": 1, "MSK": 3, "EST": -5, "EDT": -4, "CDT": -5,
    "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "KST": 9, "SGT": 8, "HKT": 8, "AEST": 10, "AEDT": 11,
    "NZST": 12, "NZDT": 13,
}  # fmt: skip
"""Zones by their short names, where those mean one zone only: not CST (in America or China), not IST."""


def is_zone(name: str) -> bool:
    """Say whether a name within a stamp is that of one zone."""
    from zoneinfo import ZoneInfo

    if name in ("UTC", "GMT") or name in HOURS:
        return True
    try:
        return "/" in name and ZoneInfo(name) is not None
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return False


def placed(moments: pl.Expr, name: str) -> pl.Expr:
    """Return moments of a named zone as those of UTC; as they are, where there is none of that name."""
    import polars as pl

    if name in HOURS:
        return moments - pl.duration(hours=HOURS[name])
    if "/" not in name or not is_zone(name):
        return moments
    return moments.dt.replace_time_zone(name, ambiguous="earliest", non_existent="null")
