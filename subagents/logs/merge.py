"""Merging masked keys into templates: a position that five or more different words fill is a variable."""

from __future__ import annotations

from collections.abc import Sequence

LEAST_WORDS = 5
"""At four, "VM Started", "VM Stopped" and "VM Paused" fall together; an on-call needs them apart."""
ROUNDS = 6
_KEPT = ("status=", "level=")
"""Words that say what happened are never variables, however many there are."""


def merge(keys: Sequence[tuple[int, str]]) -> list[str]:
    """Return the template of each `(severity, masked text)`; only keys of one severity share a template."""
    words = [(level, text.split()) for level, text in keys]
    current: dict[tuple[int, tuple[str, ...]], list[int]] = {}
    for place, (level, split) in enumerate(words):
        current.setdefault((level, tuple(split)), []).append(place)
    for _ in range(ROUNDS):
        variables = _variables(list(current))
        if not variables:
            break
        following: dict[tuple[int, tuple[str, ...]], list[int]] = {}
        for key, places in current.items():
            level, split_words = key
            spots = variables.get(key)
            if spots:
                split_words = tuple("*" if spot in spots else word for spot, word in enumerate(split_words))
            following.setdefault((level, split_words), []).extend(places)
        current = following
    result = [""] * len(keys)
    for (_, split_words), places in current.items():
        text = " ".join(split_words)
        for place in places:
            result[place] = text
    return result


def _variables(keys: list[tuple[int, tuple[str, ...]]]) -> dict[tuple[int, tuple[str, ...]], set[int]]:
    """Return, for each key, the positions at which enough other words stand in otherwise equal keys."""
    groups: dict[tuple[int, int, int, int], list[int]] = {}
    for place, (level, words) in enumerate(keys):
        if len(words) < 2:
            continue
        hashes = [hash((spot, word)) for spot, word in enumerate(words)]
        total = sum(hashes)
        for spot, word in enumerate(words):
            if word != "*" and not word.startswith(_KEPT):
                groups.setdefault((level, len(words), spot, total - hashes[spot]), []).append(place)
    found: dict[tuple[int, tuple[str, ...]], set[int]] = {}
    for (_, _, spot, _), places in groups.items():
        if len(places) >= LEAST_WORDS:
            for place in places:
                found.setdefault(keys[place], set()).add(spot)
    return found
