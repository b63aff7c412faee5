"""Runs of lines read beside twins, which have other numbers: they do not matter where nothing comes out otherwise."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import compress
from typing import TYPE_CHECKING, Any

from subagents.logs.patterns import mask
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.continuations import kinds_of_heads
from subagents.logs.sources.frames import Read, events_of
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.names import NONE
from subagents.logs.sources.reader import Block
from subagents.logs.sources.traces import Printed, framed
from subagents.logs.sources.twins import NoTroubles, StampsOf, unlike_others
from subagents.logs.stacks import told_by, trace_of

if TYPE_CHECKING:
    import polars as pl

Run = Sequence[bytes]
"""Its lines, without their ends"""
_WORD = re.compile(rb"(?<![0-9A-Za-z_$\x80-\xff])(?<![A-Za-z]:)[0-9A-Za-z_$\x80-\xff]+")
_PLACED = re.compile(rb"\.[A-Za-z]+:[0-9A-Za-z_$\x80-\xff]+|" + _WORD.pattern.replace(rb"(?<![A-Za-z]:)", b""))
"""Words of first lines; numbers of lines of files with what stands before them, so that they are no numbers"""
_VALUE = re.compile(rb"(?!1\d{9}(?:\d{3}){0,3}$)\d+|0[xX][0-9a-fA-F]+|(?=[0-9a-fA-F]{6})(?=[a-fA-F]*\d)[0-9a-fA-F]+")
_OTHERS = bytes.maketrans(b"0123456789abcdefABCDEF", b"3456789012bcdefaBCDEFA")


def beside_twins(
    columns: ColumnReader, samples: Sequence[Run], times: Any, stamps: StampsOf
) -> list[tuple[int, list[bool]] | None]:
    """Return, of runs whose stamps are these times, the kinds of the first lines and which others are frames.

    None where a twin says something else, or it is not all one event.
    """
    import polars as pl

    twins, count = [[run[0], *map(twin_below, run[1:])] for run in samples], len(samples)
    lines, read, begins = _read(columns, [*samples, *twins], stamps)
    events, at = read.frame.events, {head: event for event, head in enumerate(read.heads.tolist())}
    key = mask(pl.col("text")) + pl.col("suffix").fill_null("")
    said = events.select_seq("t", "own", "level", "service", "host", "lines", key.alias("key")).rows()
    odd, frames = (lines["glued"] | unlike_others(lines)).to_numpy(), framed(lines["body"])
    kinds = kinds_of_heads(events["text"], events["spaced"]).tolist()
    traces = dict[int, list[Printed]]()
    for event, *printed in read.frame.traces.select("event", "frames", "full").rows():
        traces.setdefault(event, []).append(Printed(*printed))
    found = list[tuple[int, list[bool]] | None]()
    for place, (run, time) in enumerate(zip(samples, times.tolist(), strict=True)):
        first, second, size = begins[place], begins[place + count], len(run)
        one, other = at.get(first, NONE), at.get(second, NONE)
        of_run = frames[first + 1 : first + size]
        is_alike = (
            not odd[first : first + size].any()
            and not odd[second : second + size].any()
            and NONE not in (one, other)
            and said[one] == said[other]
            and (said[one][0], said[one][5]) == (time, size)
            and _is_same(traces.get(one, []), traces.get(other, []))
            and _is_as_it_stands(traces.get(one, []), run, of_run)
        )
        found.append((kinds[one], of_run) if is_alike else None)
    return found


def _read(columns: ColumnReader, runs: Sequence[Run], stamps: StampsOf) -> tuple[pl.DataFrame, Read, list[int]]:
    """Read runs as if each stood by itself; return also where each begins."""
    import numpy as np

    sizes = np.array([len(run) for run in runs])
    begins = np.cumsum(sizes) - sizes
    data = b"\n".join(line for run in runs for line in run) + b"\n"
    block = Block(1, data, len(data), last=True)
    lines = split_lines(block, 0, "", NoTroubles())
    numbers = lines.numbers + np.repeat(np.arange(len(runs)), sizes)  # with a line between them
    lines = replace(lines, seen=stamps(data, lines.count), numbers=numbers)
    found = columns.as_learnt(doubts=True).read(lines, NoTroubles())
    return found, events_of(block, lines, found, None), begins.tolist()


def _is_same(one: Sequence[Printed], other: Sequence[Printed]) -> bool:
    if len(one) != len(other) or len(one) > 1:
        return False
    read = [trace_of(*printed) for printed in (*one, *other)]
    return len({trace.id if trace is not None else "" for trace in read}) <= 1


def _is_as_it_stands(traces: Sequence[Printed], run: Run, frames: Sequence[bool]) -> bool:
    """Say whether the trace of a run is its lines, of which these are frames; or it has none, and none is one."""
    if not traces:
        return not any(frames)
    lines = [line.decode("utf-8", "replace") for line in run[1:]]
    return traces[0].frames == "\n".join(compress(lines, frames)) and traces[0].full.split("\n")[1:] == lines


def tells_same(said: bytes) -> bool:
    """Say whether a first line tells the same of the trace below it whatever its numbers are."""
    lines = {line.decode("utf-8", "replace") for line in (said, _PLACED.sub(_other, said))}
    return len(lines) == 1 or len(set(map(told_by, lines))) == 1


def twin_below(line: bytes) -> bytes:
    """Return a line below a first one with other numbers, where the library takes any numbers for the same."""
    return line if line[:1] in (b" ", b"\t", b"#") else _WORD.sub(_other, line)


def _other(word: re.Match[bytes]) -> bytes:
    text = word[0]
    if not _VALUE.fullmatch(text):
        return text
    prefix = text[:2] if text[1:2] in (b"x", b"X") else b""
    return prefix + text[len(prefix) :].translate(_OTHERS)
