"""Units as people and dashboards write them behind numbers and in headers."""

from __future__ import annotations

import re

_PER = re.compile(r"\s*(/|per)\s*(s|sec|second)$|^(rps|ops|qps|iops)$")
TIMES = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0}
TIMES |= {"second": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0}
SIZES = {"b": 1.0, "byte": 1.0, "bytes": 1.0}
SIZES |= {f"{p}{end}": 1024.0 ** (n + 1) for n, p in enumerate("kmgt") for end in ("i", "ib")}
SIZES |= {f"{p}b": 1000.0 ** (n + 1) for n, p in enumerate("kmgt")}
_COUNTS = {"k": 1e3, "m": 1e-3, "mil": 1e6, "bil": 1e9, "g": 1e9, "%": 1.0, "": 1.0}
"""A small m is kubectl's thousandth; a capital one, a million, is looked up before the case is lost."""
_NAMED = {"percent", "pct", "milliseconds", "microseconds", "count", "ratio", "none", "unit", "units", "cores"}


def bare(unit: str) -> str:
    """Return a unit without `per second`."""
    return _PER.sub("", unit)


def is_count(unit: str) -> bool:
    """Say whether a unit only multiplies a number."""
    return bare(unit).lower() in _COUNTS and unit != "%"


def factor(unit: str) -> float | None:
    """Return what turns a number in a unit into seconds, bytes or plain counts; None where the unit is not known."""
    if bare(unit) == "M":
        return 1e6
    low = bare(unit).lower()
    return TIMES.get(low, SIZES.get(low, _COUNTS.get(low)))


def is_unit(text: str) -> bool:
    """Say whether a cell of a header is a unit."""
    text = text.strip("()[] ").lower()
    return bool(text) and (text in _NAMED or factor(text) is not None or text.endswith(("/s", "/min")))
