"""Metrics as text that is no table of cells: samples to a line, or statistics of a host in columns."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from sys import intern
from typing import IO

from subagents.files import BoundedReader, open_bounded
from subagents.metrics.series import Points
from subagents.metrics.sources.columns import Statistics
from subagents.metrics.sources.courses import Course, named
from subagents.metrics.sources.forms import text_form
from subagents.metrics.sources.gathering import gather
from subagents.metrics.sources.recorders import RECORDERS, Recording
from subagents.metrics.sources.samples import FORMS, telling
from subagents.metrics.sources.snapshots import CAPTURE
from subagents.metrics.sources.table import LONGEST_LINE, Faults
from subagents.quantities import counted

BEGINNING = 1 << 16
"""Bytes by which the form is found."""
EVERY = 4096
"""Lines between two that are told of: most of the time nobody asks."""


def read_metric_text(path: Path, faults: Faults, service: str = "") -> tuple[Points, str] | None:
    """Read a text of metrics; return its points and its form, or None where it has none of these forms."""
    stream, bounded = open_bounded(path, faults.name)
    with stream:
        beginning = stream.peek(BEGINNING)[:BEGINNING].decode("utf-8", "replace")
        form = text_form(beginning)
        if form in ("", CAPTURE):  # these are tables
            return None
        lines = _lines(stream, bounded, faults)
        read = _samples if form in FORMS else _recording if form in RECORDERS else _statistics
        courses = read(lines, form, faults)
        end = bounded.read_bytes
    if bounded.problem is not None:
        faults.problems.append(bounded.problem)
    return gather(courses, named(courses, service), faults, range(end // 2, end)), form


def _lines(stream: IO[bytes], bounded: BoundedReader, faults: Faults) -> Iterator[tuple[int, str]]:
    number = 0
    while line := stream.readline(LONGEST_LINE):
        number += 1
        if number % EVERY == 0:
            faults.on_read(bounded.read_bytes // 2)  # the other half is what is made of the lines
        yield number, line.decode("utf-8", "replace")


def _statistics(lines: Iterator[tuple[int, str]], program: str, faults: Faults) -> list[Course]:
    found = Statistics()
    found.read(lines, program)
    faults.add("the line is none of a table with a time", found.bad)
    if found.unit_left_open:
        faults.note(
            "sizes may be KiB, or MiB of `vmstat -S M`: little memory for a host in KiB; their unit is left open"
        )
    if found.order.remark:
        faults.note(found.order.remark)
    if found.courses:
        faults.no_zone()
    return list(found.courses.values())


def _recording(lines: Iterator[tuple[int, str]], recorder: str, faults: Faults) -> list[Course]:
    found = Recording()
    found.read(lines, recorder)
    faults.add(f"the line is not one of {recorder}", found.bad)
    if found.courses and not found.zone_told:
        faults.no_zone()
    return list(found.courses.values())


def _samples(lines: Iterator[tuple[int, str]], form: str, faults: Faults) -> list[Course]:
    parse = FORMS[form]
    courses: dict[str, Course] = {}
    bad: list[int] = []
    timeless = 0
    for number, line in telling(lines):
        samples = parse(line)
        if samples is None:
            bad.append(number)
        for sample in samples or ():
            if not sample.time:
                timeless += 1
                continue
            at = intern(sample.time)  # other series have it, too: a text for each would be half of the memory
            if sample.head in courses:
                courses[sample.head].add(at, sample.value)
            else:
                courses[sample.head] = Course(sample.labels, sample.name, [at], [sample.value])
    faults.add(f"the line is not one of {form}", bad)
    if timeless:
        faults.note(
            "samples have no time: a single scrape says nothing of change",
            lost=counted(timeless, "sample"),
            todo="export a range (query_range as JSON), or samples with their times",
            count=timeless,
        )
    return list(courses.values())
