"""The corpora of the log benchmarks: what they claim to hold, they hold."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.bench_templates import accuracy, groups_of_messages
from benchmarks.corpora import KINDS, SYSTEMS, answers, events, sample, write
from benchmarks.corpora.stream import CHANGE


def test_half_of_at_least_twelve_systems_are_frozen() -> None:
    assert len({system.layout.name for system in SYSTEMS}) >= 12
    assert sum(system.frozen for system in SYSTEMS) * 2 == len(SYSTEMS)
    assert {system.service for system in SYSTEMS if system.frozen} == {True, False}
    assert len({said.id for system in SYSTEMS for said in system.statements}) == sum(
        len(system.statements) for system in SYSTEMS
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_corpus_is_the_same_each_time_and_every_event_has_its_template(kind: str, tmp_path: Path) -> None:
    one, other, labels = tmp_path / "1.log", tmp_path / "2.log", tmp_path / "labels"
    written = write(one, kind, 0.4, labels=labels)
    assert write(other, kind, 0.4) == written
    assert one.read_bytes() == other.read_bytes()
    assert write(other, kind, 0.4, seed=8) != written
    assert len(labels.read_text().splitlines()) == written.events
    assert one.read_bytes().count(b"\n") == written.lines > written.events
    assert abs(written.size - 400_000) < 5_000


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_tenth_holds_what_the_answers_say(kind: str) -> None:
    known = answers(kind)
    assert len(known.new) == 3
    wanted = (*known.new, known.burst, known.vanished)
    early: Counter[str] = Counter()
    late: Counter[str] = Counter()
    size = 0
    for event in events(kind, 2.0):
        counts = early if size < 2e6 * CHANGE else late
        counts.update(named for named in wanted if re.fullmatch(re.escape(named) + r"[-+.\d]*", event.template))
        size += len(event.line) + 1
    assert all(early[new] == 0 < late[new] for new in known.new)
    assert late[known.burst] * 9 > early[known.burst] * 4, "at four times its rate"
    assert late[known.vanished] == 0 < early[known.vanished]


def test_wordings_are_told_apart_and_values_are_not() -> None:
    orders = next(system for system in SYSTEMS if system.name == "orders")
    said = list(sample(orders, 400))
    assert len({template for template, message in said if "cancelled by" in message}) > 1
    assert len({template for template, message in said if "authorised by" in message}) == 1


def test_grouping_accuracy_counts_whole_groups() -> None:
    assert accuracy("aabb", "1122") == (1.0, 1.0)
    assert accuracy("aabb", "1112") == (0.0, 0.0)
    assert accuracy("aabbc", "11234") == (0.6, 4 / 7)


def test_groups_come_from_the_masks_and_templates_of_the_pass() -> None:
    found = groups_of_messages(["took 3 ms", "took 4 ms", "failed"])
    assert found[0] == found[1] != found[2]
