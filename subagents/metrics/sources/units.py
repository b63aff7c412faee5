"""Units as people and dashboards write them behind numbers and in headers."""

from __future__ import annotations

import re
from collections.abc import Iterable

_PER = re.compile(r"\s*(/|per)\s*(s|sec|second)$|^(rps|ops|qps|iops)$|(?<=[Bb])ps$")
_BITS = re.compile(r"([kKmMgGtT]?)(i?)(?:[Bb]its?(?:\s*/.*|\s+per .*|ps)?|b(?:\s*/.*|\s+per .*|ps))")
"""Bits, by their name, or as a rate with a small b: sizes are written `512 mb` by whoever means bytes."""
TIMES = {"ns": 1e-9, "us": 1e-6, "\u00b5s": 1e-6, "\u03bcs": 1e-6, "ms": 1e-3, "s": 1.0, "sec": 1.0, "secs": 1.0}
TIMES |= {"second": 1.0, "seconds": 1.0, "min": 60.0, "mins": 60.0, "h": 3600.0, "hour": 3600.0, "hours": 3600.0}
SIZES = {"b": 1.0, "byte": 1.0, "bytes": 1.0}
SIZES |= {f"{p}{end}": 1024.0 ** (n + 1) for n, p in enumerate("kmgt") for end in ("i", "ib")}
SIZES |= {f"{p}b": 1000.0 ** (n + 1) for n, p in enumerate("kmgt")}
_COUNTS = {"n": 1e-9, "u": 1e-6, "k": 1e3, "m": 1e-3, "mil": 1e6, "bil": 1e9, "g": 1e9, "%": 1.0, "": 1.0}
_NAMED = {"percent", "pct", "milliseconds", "microseconds", "count", "ratio", "none", "unit", "units", "cores"}
_OF_CPU = re.compile(r"cpu|cores?(\W|_|$)", re.IGNORECASE)
UNKNOWN = "m, whatever it stands for"


def bare(unit: str) -> str:
    """Return a unit without `per second`."""
    return _PER.sub("", unit)


def is_count(unit: str) -> bool:
    """Say whether a unit only multiplies a number."""
    return kind(unit) == "plain numbers" and unit != "%"


def kind(unit: str) -> str:
    """Return what numbers in a unit become: `s`, `bytes`, `bits` or `plain numbers`."""
    if _BITS.fullmatch(unit):
        return "bits"
    low = bare(unit).lower()
    return "s" if low in TIMES else "bytes" if low in SIZES else "plain numbers"


def factor(unit: str) -> float | None:
    """Return what turns a number in a unit into seconds, bytes, bits or plain counts; None where it is not known.

    A small m is taken for a thousandth: `meaning_of_m` says what it is among others.
    """
    bits = _BITS.fullmatch(unit)
    if bits:
        return float((1024 if bits[2] else 1000) ** " kmgt".index(bits[1].lower() or " "))
    if bare(unit) == "M":
        return 1e6
    low = bare(unit).lower()
    return TIMES.get(low, SIZES.get(low, _COUNTS.get(low)))


def meaning_of_m(name: str, others: Iterable[str]) -> float | None:
    """Return what a small m multiplies by in a column of this name and other units; None where nothing says.

    It is minutes beside times, Kubernetes' thousandth of a CPU or of any number, and a million beside thousands.
    """
    beside = set(others) - {"m"}
    if any(kind(unit) == "s" for unit in beside):
        return 60.0
    if _OF_CPU.search(name) or any(unit in ("M", "n", "u") or kind(unit) == "bytes" for unit in beside):
        return 1e-3
    if beside & {"k", "K"}:
        return 1e6
    return 1e-3 if beside else None


def is_unit(text: str) -> bool:
    """Say whether a cell of a header is a unit."""
    text = text.strip("()[] ")
    low = text.lower()
    return bool(text) and (low in _NAMED or factor(text) is not None or low.endswith(("/s", "/min")))
