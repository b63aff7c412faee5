"""What is called worse meanwhile left its own usual spread: a series that now and then bursts is not, however high."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.recheck import recheck
from tests.session.conftest import Room
from tests.session.test_recheck import KNOWN, around, at, concluded, errors

LAST = 134


def export(path: Path, search: Callable[[int], float]) -> Path:
    """Write the symptom's newer points, and the whole of another series."""
    lines = ["ts,service,metric,value"]
    for minute in range(140):
        stamp = at(minute).strftime("%Y-%m-%dT%H:%M:%SZ")
        lines += [f"{stamp},checkout,error_ratio,{errors(minute):.5f}"] if minute >= KNOWN else []
        lines.append(f"{stamp},search,latency_p95_ms,{search(minute) + minute * 7 % 5:.1f}")
    path.write_text("\n".join(lines) + "\n")
    return path


def bursts(minute: int) -> float:
    """Away for five minutes now and then, the last time at the end."""
    usual = 350.0 if minute in {*range(20, 25), *range(55, 60), *range(90, 95)} else 120.0
    return 400.0 if minute >= LAST else usual


def from_then_on(minute: int) -> float:
    return 400.0 if minute >= LAST else 120.0


def far_beyond(minute: int) -> float:
    return 1200.0 if minute >= LAST else bursts(minute)


@pytest.mark.parametrize(
    ("search", "named"),
    [(from_then_on, True), (bursts, False), (far_beyond, True)],
    ids=["a new level", "the burst that it always has", "a burst far beyond the others"],
)
async def test_only_what_leaves_its_own_usual_spread_is_called_worse(
    room: Room, tmp_path: Path, search: Callable[[int], float], named: bool
) -> None:
    session = await concluded(room, tmp_path)
    full = export(tmp_path / "full.csv", search)
    found = (await recheck(session, [str(full)], around(room, tmp_path), "dana")).body
    assert found.state == "recovered"
    assert [text.split(" left")[0] for text in found.worse] == (["search latency_p95_ms"] if named else [])
