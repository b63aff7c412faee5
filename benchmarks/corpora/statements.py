"""The statements of a program: written as text with places for values, compiled to something fast."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.corpora.values import VALUES

Render = Callable[[Random], str]
_PLACE = re.compile(r"\{((?:[^{}]|\{[^{}]*\})*)\}")
_LEVELS = {"-": "", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
OPTIONAL = 0.4
LONGEST_LIST = 6


@dataclass(frozen=True)
class Statement:
    """One logging statement: all that it prints is one group, whatever the values are."""

    id: str
    weight: float
    level: str
    logger: str
    text: str
    render: Render


def statements(system: str, block: str) -> tuple[Statement, ...]:
    """Read statements, one a line: `weight level logger | text`.

    In the text `{name}` is a value, `{a|b}` one of some words, `{?text}` there or not, `{list:name}` one to six
    values with commas, `{many:name}` the same with blanks.
    """
    found = []
    for number, line in enumerate(block.strip().splitlines()):
        head, text = line.split(" | ", 1)
        weight, level, logger = head.split()
        found.append(Statement(f"{system}/{number}", float(weight), _LEVELS[level], logger, text, compiled(text)))
    return tuple(found)


def compiled(text: str) -> Render:
    """Return what renders a statement's text with fresh values."""
    parts: list[str | Render] = []
    at = 0
    for match in _PLACE.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        parts.append(_place(match[1]))
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    if len(parts) == 1 and isinstance(parts[0], str):
        constant = parts[0]
        return lambda rng: constant
    return lambda rng: "".join([part if isinstance(part, str) else part(rng) for part in parts])


def _place(name: str) -> Render:
    if name.startswith("?"):
        inner = compiled(name[1:])
        return lambda rng: inner(rng) if rng.random() < OPTIONAL else ""
    if name.startswith(("list:", "many:")):
        kind, _, of = name.partition(":")
        return _several(VALUES[of], ", " if kind == "list" else " ")
    if "|" in name:
        choices = [compiled(choice) for choice in name.split("|")]
        return lambda rng: choices[int(rng.random() * len(choices))](rng)
    return VALUES[name]


def _several(value: Render, between: str) -> Render:
    def render(rng: Random) -> str:
        return between.join([value(rng) for _ in range(1 + int(rng.random() * LONGEST_LIST))])

    return render
