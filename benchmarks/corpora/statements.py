"""The statements of a program: written as text with places for values, compiled to something fast."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from benchmarks.corpora.values import METHODS, VALUES, Value

Choose = Callable[[Random], tuple[str, str]]
"""Returns the text, and which of the literal words and optional parts it has."""
_PLACE = re.compile(r"\{((?:[^{}]|\{[^{}]*\})*)\}")
_LEVELS = {"-": "", "D": "DEBUG", "I": "INFO", "W": "WARN", "E": "ERROR", "F": "FATAL"}
OPTIONAL = 0.4
VALUES_FROM = 5
"""So many wordings in one place are values of one template."""
LONGEST_LIST = 6


@dataclass(frozen=True)
class Statement:
    """One logging statement."""

    id: str
    weight: float
    level: str
    logger: str
    text: str
    render: Choose
    """Returns (message, variant): a template is a statement's id with its variant."""


def statements(system: str, block: str) -> tuple[Statement, ...]:
    """Read statements, one a line: `weight level logger | text`.

    In the text `{name}` is a value, `{list:name}` one to six values with commas, `{many:name}` the same with
    blanks. `{a|b}` is one of some wordings and `{?text}` is there or not: these are told apart as the labels of
    the literature tell them apart ("VM Started" is not "VM Stopped"), unless one of the choices holds a value.
    """
    found = []
    for number, line in enumerate(block.strip().splitlines()):
        head, text = line.split(" | ", 1)
        weight, level, logger = head.split()
        found.append(Statement(f"{system}/{number}", float(weight), _LEVELS[level], logger, text, compiled(text)))
    return tuple(found)


def compiled(text: str) -> Choose:
    """Return what renders a statement's text with fresh values."""
    parts: list[str | Choose] = []
    at = 0
    for match in _PLACE.finditer(text):
        if match.start() > at:
            parts.append(text[at : match.start()])
        parts.append(_place(match[1]))
        at = match.end()
    if at < len(text):
        parts.append(text[at:])
    if len(parts) == 1 and isinstance(parts[0], str):
        constant = (parts[0], "")
        return lambda rng: constant

    def render(rng: Random) -> tuple[str, str]:
        said, variant = [], ""
        for part in parts:
            if isinstance(part, str):
                said.append(part)
            else:
                words, choice = part(rng)
                said.append(words)
                variant += choice
        return "".join(said), variant

    return render


def _place(name: str) -> Choose:
    if name.startswith("?"):
        return _optional(compiled(name[1:]))
    if name.startswith(("list:", "many:")):
        kind, _, of = name.partition(":")
        return _several(VALUES[of], ", " if kind == "list" else " ")
    if name == "method":
        return _one_of([compiled(verb) for verb in METHODS], told_apart=True)
    if "|" in name:
        return _one_of(
            [compiled(choice) for choice in name.split("|")],
            told_apart="{" not in name and name.count("|") < VALUES_FROM - 1,
        )
    value = VALUES[name]
    return lambda rng: (value(rng), "")


def _optional(inner: Choose) -> Choose:
    def render(rng: Random) -> tuple[str, str]:
        if rng.random() >= OPTIONAL:
            return "", "-"
        words, variant = inner(rng)
        return words, f"+{variant}"

    return render


def _one_of(choices: list[Choose], *, told_apart: bool) -> Choose:
    def render(rng: Random) -> tuple[str, str]:
        place = int(rng.random() * len(choices))
        words, variant = choices[place](rng)
        return words, f"{variant}.{place}" if told_apart else ""

    return render


def _several(value: Value, between: str) -> Choose:
    def render(rng: Random) -> tuple[str, str]:
        return between.join([value(rng) for _ in range(1 + int(rng.random() * LONGEST_LIST))]), ""

    return render
