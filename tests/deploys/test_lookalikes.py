"""Diffs that do harm and diffs that only look like it, in the languages of a usual stack: `lookalikes.txt`.

Each entry is `=== name | path | expected` and the lines of a hunk. Expected are the kinds of which one has to be found,
`innocent` (nothing in it can have an effect) or `mild` (it has one, but none of those that are dangerous).
"""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.deploys.diffkinds import KINDS, read_diff_kinds
from subagents.deploys.sources.patch import parse_patch

DANGEROUS = 0.7
ENTRIES = [
    (*(part.strip() for part in head.split("|")), body)
    for head, _, body in (
        entry.partition("\n")
        for entry in Path(__file__).with_name("lookalikes.txt").read_text().split("=== ")
        if entry.strip()
    )
]


@pytest.mark.parametrize(("path", "expected", "body"), [e[1:] for e in ENTRIES], ids=[e[0] for e in ENTRIES])
def test_harm_is_told_from_what_looks_like_it(path: str, expected: str, body: str) -> None:
    reading = read_diff_kinds(parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}"))
    found = {sign.kind for sign in reading.signs}
    if expected == "innocent":
        assert reading.innocent is not None
    elif expected == "mild":
        assert reading.innocent is not None or reading.danger < DANGEROUS, found
    else:
        assert set(expected.split()) <= KINDS.keys()
        assert found & set(expected.split()), found
        assert reading.innocent is None
        assert reading.danger >= DANGEROUS
    assert all(sign.path == path for sign in reading.signs if sign.path)


def test_lines_that_change_places_are_no_layout() -> None:
    def read(body: str) -> tuple[str | None, set[str]]:
        reading = read_diff_kinds(parse_patch(f"--- a/svc/a.go\n+++ b/svc/a.go\n@@ -1,9 +1,9 @@\n{body}"))
        return reading.innocent, {sign.kind for sign in reading.signs}

    assert read("+\tmu.Lock()\n \trows := load()\n-\tmu.Lock()\n \tput(rows)") == (None, {"changed_lock"})
    assert read("+\tsend(order)\n \tsave(order)\n-\tsend(order)") == (None, {"moved_code"})
    assert read("-\tsend(order)\n+\t\tsend(order)\n \tsave(order)") == ("formatting", set())
    assert read('-\t"os"\n \t"fmt"\n+\t"os"')[1] <= {"moved_code"}


def test_what_is_quoted_stands_in_the_diff() -> None:
    """The claims checker looks for it there."""
    for name, path, _, body in ENTRIES:
        reading = read_diff_kinds(parse_patch(f"--- a/{path}\n+++ b/{path}\n@@ -1,9 +1,9 @@\n{body}"))
        held = "".join("".join(line[1:].split()) for line in body.split("\n"))
        for sign in reading.signs:
            for quoted in sign.what.split("`")[1:-1:2] if sign.what.count("`") == 2 else ():
                assert "".join(quoted.rstrip("…").split()) in held, name
