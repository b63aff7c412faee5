"""What a sentence of a claim states beside its facts: quotes, commits, times, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.verdict.claim_numbers import mismatch, moment, rounds_to
from subagents import quantities
from subagents.contract import Fact
from subagents.verifying import Recomputed

_ESCAPE = re.compile(r'\\u([0-9a-fA-F]{4})|\\(["\\/nrt])')
_PLAIN_QUOTE = re.compile(r'(?<![\w"\\])"([^"\n]{3,400})"(?![\w"])')
_QUOTE = re.compile(r"`([^`\n]{3,400})`|“([^”\n]{3,400})”")
_COMMIT = re.compile(r"\bcommits?\s+([0-9a-f]{7,40})\b|(?<![\w:/-])([0-9a-f]{40})(?![\w-])")
_TIME = re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:\s?(?:Z|UTC)\b|[+-]\d\d:\d\d)")
_CLOCK = re.compile(r"(?<![\w:.])(\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?)(?![\w:]|\.\d)|\b\d{4}-\d\d-\d\d\b")
_NUMBER = re.compile(
    r"(?<![\w.,\-/:#@=<\[])(?P<number>\d[\d,]*(?:\.\d+)?(?:e[+-]?\d+)?)"
    r"(?P<unit>\s?(?:%|percent|ms|µs|us|s|min|h|[KMGT]i?B|x|\u00d7)(?![\w/])|[kM](?![\w/]))?(?![\w\-/:#@=])(?!\.\d)"
)
_GAP = re.compile(r"…|\.\.\.|<[^<>\s]{0,24}>|\{[^{}\s]{0,24}\}|\*")
LEAST_PIECE = 2
"""Fewest characters of a quote's piece that must be found."""


@dataclass(frozen=True)
class Stated:
    """A number of a sentence with its unit, as written."""

    text: str
    number: str
    unit: str


def quotes(text: str) -> tuple[str, ...]:
    """Return what stands in backticks or in “…”."""
    return tuple(dict.fromkeys(next(part for part in found.groups() if part) for found in _QUOTE.finditer(text)))


def plain_quotes(text: str) -> tuple[str, ...]:
    """Return what stands in straight quotes: it may be words of the file, or a name that the writer gave."""
    return tuple(dict.fromkeys(_PLAIN_QUOTE.findall(_QUOTE.sub(" ", text))))


def unescaped(passage: str) -> str:
    """Return the text of JSON strings as it was before it was written as JSON."""
    return _ESCAPE.sub(
        lambda at: chr(int(at[1], 16)) if at[1] else {"n": " ", "r": " ", "t": " "}.get(at[2], at[2]), passage
    )


def quoted_in(quote: str, passage: str) -> bool:
    """Say whether a passage holds a quote; blanks may differ, and `…`, `*` and `<…>` stand for anything."""
    flat, at = " ".join(passage.split()), 0
    for piece in _GAP.split(quote):
        wanted = " ".join(piece.split())
        if len(wanted) < LEAST_PIECE:
            continue
        found = flat.find(wanted, at)
        if found < 0:
            return False
        at = found + len(wanted)
    return True


def commits(text: str) -> tuple[str, ...]:
    """Return the ids that a sentence calls commits, and whatever has the form of a full one."""
    return tuple(dict.fromkeys(named or full for named, full in _COMMIT.findall(_QUOTE.sub(" ", text))))


def times(text: str) -> tuple[tuple[str, datetime], ...]:
    """Return the full times of a sentence, as written and as moments, outside quotes."""
    found = []
    for written in _TIME.findall(_QUOTE.sub(" ", text)):
        try:
            found.append((written, moment(re.sub(r"\s?(?:UTC|Z)$", "+00:00", written))))
        except ValueError:
            continue  # 2026-13-45: a number like any other
    return tuple(found)


def numbers(text: str) -> Iterator[Stated]:
    """Yield the numbers of a sentence that are neither in quotes nor part of a time or a name."""
    bare = _CLOCK.sub(" ", _TIME.sub(" ", _QUOTE.sub(" ", text)))
    for found in _NUMBER.finditer(bare):
        yield Stated(found[0].strip(), found["number"], (found["unit"] or "").strip())


def clocks(text: str) -> tuple[str, ...]:
    """Return the times of day of a sentence, as written, outside quotes."""
    bare = _QUOTE.sub(" ", text).replace("Z", " ")
    return tuple(dict.fromkeys(found for found in _CLOCK.findall(bare) if found))


def unsettled(text: str, facts: Iterable[Fact], moments: Iterable[datetime] = ()) -> tuple[str, ...]:
    """Return the numbers and times of day of a sentence, as written, that neither a fact nor a moment states."""
    facts = tuple(facts)
    known = [*moments, *(at for fact in facts if (at := _moment_of(fact)) is not None)]
    days = [one for one in clocks(text) if not any(_tells(one, at) for at in known)]
    return (*_numbers_unsettled(text, facts), *days)


def _moment_of(fact: Fact) -> datetime | None:
    try:
        return moment(str(fact.value)) if fact.quantity in quantities.MOMENTS else None
    except ValueError:
        return None


def _tells(written: str, at: datetime) -> bool:
    """Say whether a time of day is that of a moment, as far as it is written, cut or rounded."""
    parts = written.zfill(5).split(":")
    near = (at, at + (timedelta(seconds=0.5) if len(parts) == 3 else timedelta(seconds=30)))
    width = 8 if len(parts) == 3 else 5
    return any(f"{one.astimezone(UTC):%H:%M:%S}"[:width] == written.zfill(width)[:width] for one in near)


def _numbers_unsettled(text: str, facts: tuple[Fact, ...]) -> tuple[str, ...]:
    held = [fact for fact in facts if fact.quantity not in quantities.MOMENTS and not isinstance(fact.value, str)]
    return tuple(dict.fromkeys(one.text for one in numbers(text) if not any(_states(one, fact) for fact in held)))


def _states(one: Stated, fact: Fact) -> bool:
    value = float(fact.value)
    if one.unit in ("k", "M"):
        return rounds_to(one.number, value / (1e3 if one.unit == "k" else 1e6))
    if one.unit in ("x", "\u00d7", ""):
        return rounds_to(one.number, value)
    plain = one.number.replace(",", "")
    said = Fact(quantity=fact.quantity, value=float(plain), unit=one.unit, citation=fact.citation)
    if "." not in plain:
        said = said.model_copy(update={"value": int(plain)} if plain.isdigit() else {})
    return mismatch(said, Recomputed(value=value, unit=fact.unit)) is None
