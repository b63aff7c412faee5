"""The numbers and the times of day of a sentence, and which of them no fact and no moment states."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.verdict.claim_numbers import is_finite, mismatch, moment, rounds_to
from orchestrator.verdict.claim_words import times, without_times
from subagents import quantities
from subagents.contract import Fact
from subagents.verifying import Recomputed

_ZONE = r"(?:UTC|GMT|Z|[A-Z]{1,3}[SD]T|CEST|CET|MSK|[ECMP]T)\b|[+-]\d\d:?\d\d\b"
_CLOCK = re.compile(
    r"(?<![\w:.+])(?P<clock>\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)(?:\s?(?P<half>[ap])\.?m\b\.?)?"
    rf"(?:\s?(?P<zone>{_ZONE}))?(?![\w:]|\.\d)",
    re.ASCII,
)
_UNITS = (
    r"%|per\s?cent|percent(?:age points?)?|pp|milliseconds?|millis|msecs?|ms|microseconds?|[µμu]s|seconds?|secs?|s|"
    r"minutes?|mins?|hours?|hrs?|h|days?|d|[KMGTkmgt]i?[Bb]|bytes?|ratio|fold|times|x|\u00d7|thousand|million|billion|[kKmMG]"
)
_NUMBER = re.compile(
    r"(?<![\w.,/:#@<\[\-\u2212])(?:x(?=\d))?(?P<number>(?:(?<![^\s(])[-\u2212])?\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)"
    rf"(?P<unit>[\s-]?(?:{_UNITS})(?!\w))?(?P<rest>[A-Za-z]\w*)?(?P<per>\s?/\s?(?:s|sec|second|m|min|minute|h|hour|day)\b)?"
    r"(?![\w\-/:#@=])(?!\.\d)"
)
_NO_NUMBER = re.compile(r"\d+(?:st|nd|rd|th|xx)\Z|(?=\d*[a-f])[0-9a-f]{6,}\Z|x(?:86|64|509)", re.IGNORECASE)
"""Ordinals, classes of status codes, and ids."""
_SCALES: Mapping[str, float] = {"k": 1e3, "K": 1e3, "thousand": 1e3, "M": 1e6, "million": 1e6, "G": 1e9, "billion": 1e9}
_UNIT_NAMES: Mapping[str, str] = {
    "per cent": "percent",
    "percent": "%",
    "m": "min",
    "d": "day",
    "hr": "h",
    "hrs": "h",
    "millis": "ms",
    "msec": "ms",
    "msecs": "ms",
    "microsecond": "us",
    "microseconds": "us",
}
_MOST_DIGITS = 300
"""Longer numbers are infinite."""
_FACTORS = ("x", "\u00d7", "fold")
_RATIOS = frozenset({quantities.FACTOR, quantities.LEVEL_RATIO})
_PLAIN = frozenset(
    {quantities.FACTOR, quantities.LEVEL_RATIO, quantities.COUNT, quantities.BASELINE_COUNT, quantities.RANK}
    | {quantities.PASSED, quantities.FOLLOWED}
    | quantities.TRACED
)
"""Quantities that no share is."""


@dataclass(frozen=True)
class Stated:
    """A number of a sentence with its unit, as written."""

    text: str
    number: str
    unit: str


def numbers(text: str) -> Iterator[Stated]:
    """Yield the numbers of a sentence that are neither in quotes nor part of a time or a name."""
    for found in _NUMBER.finditer(_CLOCK.sub(" ", without_times(text))):
        if found["rest"] and not found["unit"]:
            if not _NO_NUMBER.match(found[0]):
                yield Stated(found[0], found["number"], found["rest"])
        elif not _NO_NUMBER.match(found[0].strip()):
            unit = (found["unit"] or "").strip(" -") + (found["per"] or "").replace(" ", "")
            yield Stated(found[0].strip(), found["number"].replace("\u2212", "-"), unit)


def unsettled(text: str, facts: Iterable[Fact], moments: Iterable[datetime] = ()) -> tuple[str, ...]:
    """Return the numbers and times of a sentence, as written, that neither a fact nor a moment states."""
    facts = tuple(facts)
    known = [*moments, *(at for fact in facts if (at := _moment_of(fact)) is not None)]
    bare = without_times(text)
    days = [found[0] for found in _CLOCK.finditer(bare) if not any(_tells(found, at) for at in known)]
    full = [one for one in times(text) if not one.is_day]
    dated = [one.written for one in full if not any(abs(one.at - at) < one.length for at in known)]
    return (*_numbers_unsettled(text, facts), *dict.fromkeys((*dated, *days)))


def _moment_of(fact: Fact) -> datetime | None:
    try:
        return moment(str(fact.value)) if fact.quantity in quantities.MOMENTS else None
    except ValueError:
        return None


def _tells(written: re.Match[str], at: datetime) -> bool:
    """Say whether a time of day is that of a moment, as far as it is written, cut or rounded."""
    hour, _, rest = written["clock"].partition(":")
    if written["half"]:
        hour = str(int(hour) % 12 + (12 if written["half"] == "p" else 0))
    zone = _zone(written["zone"])
    if zone is None:
        return False  # a zone by name may be any of several
    width = 8 if ":" in rest else 5
    near = (at, at + timedelta(seconds=0.5 if width == 8 else 30))
    local = (one.astimezone(UTC) + zone for one in near)
    return any(f"{one:%H:%M:%S}"[:width] == f"{hour.zfill(2)}:{rest}"[:width] for one in local)


def _zone(written: str | None) -> timedelta | None:
    if written in (None, "UTC", "GMT", "Z"):
        return timedelta()
    found = re.fullmatch(r"([+-])(\d\d):?(\d\d)", str(written))
    if found is None:
        return None
    return timedelta(hours=int(found[2]), minutes=int(found[3])) * (1 if found[1] == "+" else -1)


def _numbers_unsettled(text: str, facts: tuple[Fact, ...]) -> tuple[str, ...]:
    held = [fact for fact in facts if fact.quantity not in quantities.MOMENTS and is_finite(fact.value)]
    return tuple(dict.fromkeys(one.text for one in numbers(text) if not any(_states(one, fact) for fact in held)))


def _states(one: Stated, fact: Fact) -> bool:
    value = float(fact.value)
    unit = _UNIT_NAMES.get(one.unit, one.unit)
    if fact.quantity == quantities.LEAD_TIME:  # words say before or after, and how long
        value = abs(value)
    if unit in _SCALES:
        return rounds_to(one.number, value / _SCALES[unit])
    if unit in _FACTORS:
        return fact.quantity not in quantities.KNOWN - _RATIOS and rounds_to(one.number, value)
    if unit in ("", "times"):
        return rounds_to(one.number, value)
    if unit in ("%", "percent") and fact.quantity in _PLAIN:
        return False
    plain = one.number.replace(",", "")
    said = Fact(quantity=fact.quantity, value=float(plain), unit=unit, citation=fact.citation)
    if plain.removeprefix("-").isdigit() and len(plain) <= _MOST_DIGITS:
        said = said.model_copy(update={"value": int(plain)})
    return mismatch(said, Recomputed(value=value, unit=fact.unit)) is None
