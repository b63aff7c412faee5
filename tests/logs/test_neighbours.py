"""Which lines have to be read together, and that lines which are not neighbours are never taken for one event."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from subagents.logs.sources import alike, log_source, reader
from subagents.logs.sources.continuations import continues
from subagents.logs.sources.neighbours import near
from subagents.logs.sources.spread import SpreadReader
from tests.logs.both_ways import built, built_counting, what_it_says, without_library
from tests.logs.builders import iso, write
from tests.thinned import thinned


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (".....uuu.....", "....xxxx....."),
        ("uu....", "xx...."),
        (".......m.....", "...xxxxxxx..."),
        ("m............u", "xxx.........xx"),
        ("m......u....", "xxxxxxxx...."),
        ("u......m....", "x..xxxxxxx.."),
        ("u...u...", "x..xx..."),
        ("........", "........"),
    ],
)
def test_what_has_no_stamp_belongs_to_the_line_before_it_and_what_is_marked_reaches_further(
    text: str, wanted: str
) -> None:
    bare, marked = (np.array([each == kind for each in text]) for kind in "um")
    assert "".join("x" if each else "." for each in near(bare, marked)) == wanted


@pytest.fixture
def looks_up_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a small file's lines looked up, as those of a large one are."""
    monkeypatch.setattr(log_source, "ALIKE_BYTES", 0)
    monkeypatch.setattr(log_source, "ALIKE_BLOCK_BYTES", 0)
    monkeypatch.setattr(reader, "FIRST_BYTES", 4096)
    monkeypatch.setattr(alike, "WORTH_CHECKING", 0)


def columns(texts: list[str], stamped: list[bool]) -> pl.DataFrame:
    return pl.DataFrame({"body": texts, "stamped": stamped}).with_columns(
        spaced="stamped", glued=pl.lit(False), host=pl.lit(None, pl.String)
    )


@pytest.mark.parametrize(("gap", "wanted"), [(False, "01111"), (True, "01101")])
def test_a_trace_does_not_reach_over_lines_that_are_not_there(gap: bool, wanted: str) -> None:
    texts = [
        "java.lang.Error: full",
        "  at com.acme.A.a(A.java:1)",
        "  at com.acme.B.b(B.java:2)",
        "  at com.acme.C.c(C.java:3)",
    ]
    read = columns([" saving failed", *texts], [True] * 5)
    apart = np.array([False, False, False, gap, False])
    assert "".join("01"[each] for each in continues(read, apart).tolist()) == wanted


@pytest.mark.needs("compiled")
@pytest.mark.usefixtures("looks_up_at_once")
@pytest.mark.parametrize("between", thinned((0, 1, 3, 6, 8), 3))
def test_traces_and_what_stands_around_them_say_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, between: int
) -> None:
    texts = list[str]()
    for n in range(240):
        stamp = iso(n)
        texts += [f"{stamp} INFO [pool-{n}] order {n} stored"] * (between if n % 3 else 9)
        texts.append(f"{stamp} ERROR [pool-{n}] java.lang.IllegalStateException: order {n} was lost")
        if n % 2:
            texts += ["\tat com.acme.Store.put(Store.java:31)", f"Caused by: java.io.IOException: disk {n} is full"]
            texts += ["\tat com.acme.Disk.write(Disk.java:7)", "\t... 2 more"]
        texts += [f"{stamp} INFO [pool-{n}] [audit {n}] done"] * (n % 5)
        if n % 7 == 3:
            texts += [f"{stamp} INFO [pool-{n}] settings of order {n}:", "alpha=1", "beta=2", "", "WARN [x] on its own"]
    spec = write(tmp_path, "app.log", texts)
    index, known, events = built_counting(spec)
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
    assert known > events / 4


@pytest.mark.needs("compiled")
@pytest.mark.usefixtures("looks_up_at_once")
def test_lines_with_stamps_amid_a_record_that_is_spread_belong_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = list[str]()
    for n in range(150):
        texts += [f"{iso(n)} INFO order {n} stored"] * 12
        if not n % 3:
            amid = [f"{iso(n)} INFO order {n} stored"] * (9 if n > 140 else 0)  # another writer's
            texts += ["{", f'  "time": "{iso(n)}",', f'  "order": {n}', *amid, "}"]
    spec = write(tmp_path, "app.log", texts)
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


def test_a_record_reaches_to_its_own_bracket_or_to_the_next_record() -> None:
    texts = ["a", "  {", "b", "  },", "c", "  {", "{", "d", "  {\r", "}", "e"]
    lines = {row: text.encode() for row, text in enumerate(texts) if len(text) > 1}
    assert "".join("01"[each] for each in SpreadReader(2).inside(lines, len(texts)).tolist()) == "01110111111"
    assert not SpreadReader(2).inside({}, 3).any()
