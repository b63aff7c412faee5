"""A suspect's name says nothing twice, on paper and on the board."""

from __future__ import annotations

import pytest

from orchestrator.verdict.suspect_words import suspect_words
from subagents.contract import Suspect, SuspectKind


@pytest.mark.parametrize(
    ("kind", "key", "label", "words"),
    [
        ("flag", "new_ui", "new_ui off->on", "flag new_ui off->on"),
        ("commit", "4be1", "commit the cart first", "commit 4be1 commit the cart first"),
        ("commit", "4be1", "", "commit 4be1"),
        ("service", "shop", "shop", "service shop"),
        ("resource", "shop/cpu_pct", "shop cpu_pct", "resource shop/cpu_pct"),
        ("resource", "pool exhausted in shop", "pool exhausted in shop", "pool exhausted in shop"),
        ("config", "image not pulled", "", "image not pulled"),
        ("traffic", "shop", "traffic surge", "traffic surge at shop"),
        ("certificate", "pay.example", "certificate expired: pay.example", "certificate expired: pay.example"),
        ("deploy", "v42", "deploy", "deploy at v42"),
        ("none", "the redis thing", "", "the redis thing"),
        ("none", "redis", "", "redis"),
    ],
)
def test_nothing_is_said_twice(kind: SuspectKind, key: str, label: str, words: str) -> None:
    assert suspect_words(Suspect(kind=kind, key=key, label=label)) == words


def test_each_part_is_written_as_it_is_wanted() -> None:
    suspect = Suspect(kind="flag", key="new_ui", label="new_ui off->on")
    assert suspect_words(suspect, lambda key: f"`{key}`", str.upper) == "flag `new_ui` OFF->ON"
