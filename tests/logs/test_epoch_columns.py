"""Which numbers in a later column are taken for times, and which stamps of a line are its own."""

from __future__ import annotations

from datetime import UTC, datetime
from random import Random

import pytest

from subagents.logs.sources.epoch_columns import epoch_columns
from subagents.logs.sources.timestamps import find_stamp

HINT = datetime(2026, 11, 26, tzinfo=UTC)
FLOW = "2 123456789010 eni-0a1b2c3d4e 10.0.0.{} 10.0.1.7 20641 443 6 20 4249 {} {} ACCEPT OK"
"""Of one interface, as cloud networks write it: the same ids and numbers stand before the time."""
MIXED = ["disk-{} state.change {} 1 failed", "fan-{} node {} 1 slow", "{} boot {} 2 done"]


def lines(numbers: list[int], forms: list[str] = MIXED) -> list[str]:
    return [forms[place % len(forms)].format(place, number) for place, number in enumerate(numbers)]


@pytest.mark.parametrize(
    "sample",
    [
        lines([1795694400, 1795694405, 1795694405]),
        [*lines([1795694400, 1795694405, 1795694405]), "", "\tat com.acme.Till", "some other line"],
        lines([1795694400 - Random(3).randrange(10**8) for _ in range(40)]),
        [f"- {1795694400 + place} 2026.11.26 rack up" for place in range(4)],
        [FLOW.format(place, 1795694400 + place, 1795694460 + place) for place in range(9)],
    ],
)
def test_seconds_in_one_column_are_times(sample: list[str]) -> None:
    found = epoch_columns(sample, HINT)
    assert len(found) == sum("179" in line or " 17" in line or " 16" in line for line in sample)
    assert {stamp.words for _, stamp in found} in ({2}, {1}, {10})
    assert all(line[stamp.start :].startswith(stamp.body) for line, stamp in found)


@pytest.mark.parametrize(
    "sample",
    [
        lines([1795694400, 1795694405]),
        lines([1795694400, 1795694300, 1795694200]),
        lines([Random(5).randrange(10**9, 2 * 10**9) + place for place in range(8)][::-1]),
        lines([1000000000 + Random(place).randrange(10**9) for place in range(40)]),
        [f"accepted order {1795694400 + place} of the shop" for place in range(40)],
        [f"order-id {1795694400 + place} accepted" for place in range(40)],
        [*lines([1795694400, 1795694405, 1795694405]), *["some other line"] * 4],
        [f"2026-11-26 12:00:00 disk-{place} order {1795694400 + place} done" for place in range(9)],
        [f"disk  of {1795694400 + place} {'x' * place} done" for place in range(9)],
    ],
)
def test_other_numbers_are_not(sample: list[str]) -> None:
    assert epoch_columns(sample, HINT) == []


@pytest.mark.parametrize(
    ("line", "own"),
    [
        ("api.log.1.2026-11-25_13:53:08 2026-11-26 12:00:00.008 25746 INFO x", "2026-11-26 12:00:00"),
        ("api-20261125 135308.log 2026-11-26 12:00:00 INFO x", "2026-11-26 12:00:00"),
        ("api.log.1.2026-11-25_13:53:08 INFO renewed until 2026-11-26 12:00:00", "2026-11-25_13:53:08"),
        ("- 1795694400 2026.11.26 rack7 Nov 26 13:00:00 net@rack7 up", "1795694400"),
        ("- 1795694400 2026.11.26 rack7 Nov 26 13:00:01 net@rack7 up", "Nov 26 13:00:01"),
        ("- 1795694400 2026.11.26 rack7 2026-11-26-13.00.00.123456 rack7 up", "2026-11-26-13.00.00"),
    ],
)
def test_a_stamp_of_a_name_is_not_the_lines_and_seconds_say_more_than_a_day_without_year(line: str, own: str) -> None:
    stamp = find_stamp(line)
    assert stamp is not None
    assert stamp.body == own
