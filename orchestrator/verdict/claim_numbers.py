"""Whether a stated value is what the data says: by its unit, and by as many digits as it states.

The rule of rounding. A number holds where the recomputed one, in the stated unit, rounds to it at its own last
digit: 11 % holds for 0.1104, 55 for 54.7, 54.7 for 54.712; 54 does not hold for 54.7. The last digit never stands
for more than the first digit of the true value: 0 does not hold for 0.3, nor 1 for 0.6. Trailing zeros of a whole
number count as digits: 9000 does not hold for 9012. A moment holds where it is the same as far as it is stated: to
the minute, the second, or the fraction of a second.
"""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from orchestrator.journal.doubts import DoubtKind
from subagents import quantities
from subagents.contract import Fact
from subagents.verifying import Recomputed

SCALES: Mapping[str, Mapping[str, float]] = {
    "time": {
        "ns": 1e-9,
        "us": 1e-6,
        "µs": 1e-6,
        "ms": 1e-3,
        "millisecond": 1e-3,
        "s": 1.0,
        "sec": 1.0,
        "second": 1.0,
        "min": 60.0,
        "minute": 60.0,
        "h": 3600.0,
        "hour": 3600.0,
        "day": 86400.0,
    },
    "share": {"ratio": 1.0, "fraction": 1.0, "%": 0.01, "percent": 0.01},
    "size": {
        "b": 1.0,
        "byte": 1.0,
        "kb": 1e3,
        "mb": 1e6,
        "gb": 1e9,
        "tb": 1e12,
        "kib": 2.0**10,
        "mib": 2.0**20,
        "gib": 2.0**30,
        "tib": 2.0**40,
    },
}
"""Units that can be converted into each other, by what they measure."""
EXACT = 1e-9
"""Relative difference that comes from arithmetic alone."""
_STATED = re.compile(r"(?P<minute>\d\d:\d\d)(?P<second>:\d\d)?(?:[.,](?P<fraction>\d+))?")


@dataclass(frozen=True)
class Unit:
    """A unit by what it measures, its size, and whether it is per second."""

    dimension: str
    scale: float
    rate: str = ""


@dataclass(frozen=True)
class Mismatch:
    """Why a stated value is not what the data says."""

    reason: str
    kind: DoubtKind


def unit_of(text: str) -> Unit | None:
    """Read a unit; None for one that cannot be converted, such as `events` or none at all."""
    name, slash, per = text.strip().partition("/")
    key = name.strip().casefold().replace("μ", "µ")
    for dimension, scales in SCALES.items():
        for candidate in (key, key.removesuffix("s")) if len(key) > 2 else (key,):
            if candidate in scales:
                return Unit(dimension, scales[candidate], slash + per.strip())
    return None


def mismatch(fact: Fact, data: Recomputed) -> Mismatch | None:
    """Return why a fact's value is not the recomputed one; None where it holds."""
    if fact.quantity in quantities.MOMENTS:
        return _moments(str(fact.value), str(data.value))
    if isinstance(data.value, str) or isinstance(fact.value, str):
        same = str(fact.value).strip() == str(data.value).strip()
        return None if same else Mismatch(f"the data says {data.value}", "number")
    return _numbers(fact, float(fact.value), float(data.value), data.unit)


def _numbers(fact: Fact, stated: float, true: float, true_unit: str) -> Mismatch | None:
    mine, theirs = unit_of(fact.unit), unit_of(true_unit)
    if fact.unit.strip() and true_unit.strip() and ("/" in fact.unit) != ("/" in true_unit):
        return Mismatch(f"stated in {fact.unit}, but the data is in {true_unit}: one is a rate", "unit")
    if (mine is None and theirs is None) or not fact.unit.strip() or not true_unit.strip():
        # Where one side names no unit there is nothing to convert: the numbers must agree as they are, but for a
        # share, which is the same with and without a name.
        shares = [unit for unit in (mine, theirs) if unit is not None and unit.dimension == "share"]
        factor = (theirs.scale if theirs else 1.0) / (mine.scale if mine else 1.0) if shares else 1.0
        if rounds_to(str(fact.value), true) or (shares and rounds_to(str(fact.value), true * factor)):
            return None
        return _wrong(stated, true, true_unit)
    if mine is None or theirs is None or (mine.dimension, mine.rate) != (theirs.dimension, theirs.rate):
        return Mismatch(f"stated in {fact.unit or 'no unit'}, but the data is in {true_unit or 'no unit'}", "unit")
    converted = true * theirs.scale / mine.scale
    if rounds_to(str(fact.value), converted):
        return None
    slip = _slip(str(fact.value), true * theirs.scale, mine)
    if slip:
        return Mismatch(f"the data says {_plain(converted)} {fact.unit}: {_plain(stated)} would be in {slip}", "unit")
    return _wrong(stated, converted, fact.unit)


def _slip(stated: str, true_base: float, mine: Unit) -> str:
    """Name the unit in which the number would have been right; empty where there is none."""
    for name, scale in SCALES[mine.dimension].items():
        if scale != mine.scale and rounds_to(stated, true_base / scale):
            return name
    return ""


def _wrong(stated: float, true: float, unit: str) -> Mismatch:
    return Mismatch(f"the data says {_plain(true)}{' ' + unit if unit else ''}, not {_plain(stated)}", "number")


def _plain(value: float) -> str:
    return f"{value:.6g}"


def is_finite(value: float | int | str) -> bool:
    """Say whether a value is a number that a float can hold."""
    return not isinstance(value, str) and -sys.float_info.max <= value <= sys.float_info.max


def rounds_to(stated: str, true: float) -> bool:
    """Say whether a true value rounds to a stated number at the stated number's last digit."""
    try:
        number = Decimal(stated.replace(",", ""))
    except ArithmeticError:
        return False
    if not number.is_finite() or not math.isfinite(true):
        return str(float(number)) == str(true)
    if not math.isfinite(float(number)):
        return False
    off = abs(float(number) - true)
    if off <= EXACT * max(abs(float(number)), abs(true)):
        return True
    exponent = int(number.as_tuple().exponent)
    if exponent < 0 and number == number.to_integral_value():
        exponent = 0  # 55.0 is how a float writes 55
    last = 10.0**exponent
    first = 10.0 ** math.floor(math.log10(abs(true))) if true else last
    return off <= 0.5 * min(last, first) * (1 + 1e-6)


def _moments(stated: str, true: str) -> Mismatch | None:
    try:
        there, here = moment(true), moment(stated)
    except ValueError as error:
        return Mismatch(str(error), "malformed")
    found = _STATED.search(stated)
    grain = timedelta(minutes=1)
    if found and found["fraction"]:
        grain = timedelta(seconds=10.0 ** -min(len(found["fraction"]), 6))
    elif found and found["second"]:
        grain = timedelta(seconds=1)
    if abs(there - here) < grain or (grain < timedelta(seconds=1) and abs(there - here) <= grain):
        return None
    return Mismatch(f"the data says {there.isoformat()}", "time")


def moment(text: str) -> datetime:
    """Read an ISO 8601 time with a zone; raises ValueError that says what is wrong."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"not a time: {text!r}") from None
    if found.tzinfo is None:
        raise ValueError(f"a time without a zone: {text!r}")
    return found.astimezone(UTC)
