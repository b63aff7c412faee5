"""What review, evidence and report look like at three sizes, as text; see test_snapshots for accepting a change."""

from __future__ import annotations

import pytest

from tests.tui.decisions import LONG, Case, reviewing
from tests.tui.stage import SIZES, shown
from tests.tui.test_evidence import KINDS, Sources, opening, story
from tests.tui.test_snapshots import compare

EACH_SIZE = pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")


@EACH_SIZE
async def test_the_review(size: tuple[int, int]) -> None:
    async with reviewing(Case(LONG), size=size) as (_, pilot):
        compare(f"review_{size[0]}x{size[1]}", shown(pilot.app))


@EACH_SIZE
@pytest.mark.parametrize("kind", ["metric", "log"])
async def test_the_evidence(kind: str, size: tuple[int, int]) -> None:
    view = story(kind, "deploy", acts=Sources(**{kind: KINDS[kind][1]}))
    async with opening(view, size=size) as (_, pilot):
        compare(f"evidence_{kind}_{size[0]}x{size[1]}", shown(pilot.app))
