"""Hunks as a reviewer meets them: how many are told at first sight.

`firstsight.txt` has entries as `lookalikes.txt` has: `harm` is what a reviewer would stop at, `mild` what one would
pass. Nobody looked at the failures of the `frozen` half when rules were made: it says what to expect of others.
The further sets (`s2-`, `s3-`, `s4-`) were each written when the ones before had been worked on, and were
worked on in their turn: what was told of them at first was less.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from subagents.deploys.diffkinds import read_diff_kinds
from subagents.deploys.sources.patch import parse_patch
from tests.deploys.test_lookalikes import DANGEROUS

BARS = {
    "harm": {"open": 0.95, "frozen": 0.8, "second": 0.9, "third": 0.8, "fourth": 0.8},
    "mild": {"open": 0.95, "frozen": 0.95, "second": 0.95, "third": 0.9, "fourth": 0.95},
}


def entries() -> list[tuple[str, str, str, str]]:
    """Return (name, path, expected, hunk) of each entry."""
    found = []
    text = Path(__file__).with_name("firstsight.txt").read_text()
    for entry in f"\n{text}".split("\n=== ")[1:]:
        head, _, body = entry.partition("\n")
        name, path, expected = (part.strip() for part in head.split("|"))
        found.append((name, path, expected, body))
    return found


def half(name: str) -> str:
    """Return which part of the set an entry belongs to."""
    if name.startswith(("s2-", "s3-", "s4-")):
        return {"2": "second", "3": "third", "4": "fourth"}[name[1]]
    return "frozen" if hashlib.sha1(name.encode(), usedforsecurity=False).digest()[0] % 2 else "open"


@pytest.mark.parametrize("expected", ["harm", "mild"])
def test_most_is_told_at_first_sight(expected: str) -> None:
    told: dict[str, list[bool]] = {}
    for name, path, label, body in entries():
        if label == expected:
            reading = read_diff_kinds(parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}"))
            stops = reading.innocent is None and reading.danger >= DANGEROUS
            told.setdefault(half(name), []).append(stops == (expected == "harm"))
    assert {name: len(found) >= 20 for name, found in told.items()} == dict.fromkeys(BARS[expected], True)
    shares = {name: sum(found) / len(found) for name, found in told.items()}
    assert all(shares[name] >= bar for name, bar in BARS[expected].items()), shares
