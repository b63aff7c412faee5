"""What an alert says of size, in words: by what factor something grew, or from what to what."""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"\d+(?:[.,]\d+)?"
_FACTOR = re.compile(
    rf"(?<![\w.,/-])(?P<factor>{_NUMBER})\s?(?:x(?!\w)|\u00d7|[- ]?fold\b"
    r"|times (?:its|the|their|higher|more|as|above|over|normal|usual|baseline)\b)",
    re.IGNORECASE,
)
_FROM_TO = re.compile(
    rf"\bfrom\s+(?:about |around |~)?(?P<low>{_NUMBER})\s?(?P<one>%|[a-zµ]{{1,3}}\b)?\s*(?:to|->|→|up to)\s+"
    rf"(?:about |around |~)?(?P<high>{_NUMBER})\s?(?P<other>%|[a-zµ]{{1,3}}\b)?",
    re.IGNORECASE,
)
_NO_UNIT = frozenset({"to", "in", "on", "at", "by", "for", "and", "of", "as", "utc", "am", "pm"})


@dataclass(frozen=True)
class SaidGrowth:
    """By what factor an alert says that something grew, and its words for it."""

    factor: float
    text: str


def said_growth(text: str) -> SaidGrowth | None:
    """Return the growth that a text states, the one from a value to another first; None where it states none."""
    for found in _FROM_TO.finditer(text):
        low, high = _value(found["low"]), _value(found["high"])
        one, other = _unit(found["one"]), _unit(found["other"])
        if 0 < low < high and (one == other or not one or not other):
            return SaidGrowth(high / low, found[0].strip())
    times = _FACTOR.search(text)
    if times is None or _value(times["factor"]) <= 1:
        return None
    return SaidGrowth(_value(times["factor"]), times[0].strip())


def _value(written: str) -> float:
    return float(written.replace(",", "."))


def _unit(written: str | None) -> str:
    unit = (written or "").lower()
    return "" if unit in _NO_UNIT else unit
