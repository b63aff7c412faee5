"""A gate never stays shut where a rule would find something; over every diff of the look-alikes and over odd text."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from subagents.deploys.diffkinds import RULES
from subagents.deploys.exchanges import EXCHANGES
from subagents.deploys.gates import Gates, needs
from subagents.deploys.hunkview import HunkView, view
from subagents.deploys.settings_signs import SETTINGS_SIGNS
from subagents.deploys.signs import CODE_SIGNS, Sign
from subagents.deploys.sources.patch import parse_patch
from subagents.deploys.taken_away import TAKEN_AWAY
from subagents.deploys.wiring import WIRING
from tests.deploys.test_lookalikes import ENTRIES

ALL = (*SETTINGS_SIGNS, *WIRING, *CODE_SIGNS, *EXCHANGES, *TAKEN_AWAY)


def views() -> list[HunkView]:
    """Return the hunks of every diff of the look-alikes."""
    found = []
    for _, path, _, body in ENTRIES:
        for parsed in parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}"):
            found += [view(parsed, hunk) for hunk in parsed.hunks]
    return found


def test_what_a_closed_gate_keeps_out_would_have_found_nothing() -> None:
    seen, shut = 0, 0
    for each in views():
        opened = list(RULES.open(each))
        assert opened == [rule for rule in ALL if rule in opened], "in their order"
        for rule in ALL:
            if rule in opened:
                continue
            shut += 1
            assert list(rule(each)) == [], f"{rule.__name__}: {each.removed} {each.added}"
        seen += 1
    assert seen > 100
    assert shut > 5 * seen


@pytest.mark.parametrize("line", ["lock\u00e9.acquire()", "a\x0block.acquire()", "pool = 4  \u2013 acquire("])
def test_text_that_the_two_engines_read_differently_opens_every_gate(line: str) -> None:
    (parsed,) = parse_patch(f"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n+{line}\n")
    assert tuple(RULES.open(view(parsed, parsed.hunks[0]))) == ALL


def test_what_cannot_be_put_into_the_set_is_always_asked() -> None:
    def plain(_: HunkView) -> Iterator[Sign]:
        return iter(())

    @needs(re.compile(r"(a)\1"))
    def repeated(_: HunkView) -> Iterator[Sign]:
        return iter(())

    @needs(re.compile(r"b(?!(?:c|d)e)"))
    def ahead(_: HunkView) -> Iterator[Sign]:
        return iter(())

    gates = Gates((plain, repeated, ahead))
    (parsed,) = parse_patch("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n+x = 1\n")
    assert [rule.__name__ for rule in gates.open(view(parsed, parsed.hunks[0]))] == ["plain", "repeated"]
    (parsed,) = parse_patch("--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n+x = b\n")
    assert len(list(gates.open(view(parsed, parsed.hunks[0])))) == 3
