"""Lines as a column of texts: the compiled part gives what splitting them gives, whatever bytes are in them."""

from __future__ import annotations

import gc
from random import Random

import numpy as np
import pytest

from subagents.logs.native import NOT_ASCII, ODD_ESCAPES
from subagents.logs.native.texts import texts_of
from subagents.logs.sources import lines as lines_module
from subagents.logs.sources.lines import Lines, some_lines, split_lines
from subagents.logs.sources.log_source import Tally
from subagents.logs.sources.reader import Block, line_feeds
from tests.thinned import thinned

needs_library = pytest.mark.needs("compiled")
PIECES = (
    b"a", b"\n", b"\n", b"\r", b"\r\n", b"\xc3\xa4", b"\xe2\x80\xa8", b"\x1b[31m", b"\x00", b"\x01", b" 17 ",
    b"\xff", b"\xe2\x80", b"\xa8", b"\xe2\x80\n\xa8", b"\xef\xbb\xbf", b"x" * 300,
)  # fmt: skip


def made(rng: Random, pieces: tuple[bytes, ...]) -> bytes:
    return b"".join(rng.choices(pieces, k=rng.randrange(1, 40)))


def shown(lines: Lines, tally: Tally) -> tuple[object, ...]:
    problems = [(key, each.what, each.where, each.count) for key, each in tally.problems.items()]
    return lines.text.to_list(), lines.starts.tolist(), lines.ends.tolist(), lines.numbers.tolist(), problems


def split(block: Block, rows: list[int] | None) -> tuple[object, ...]:
    tally = Tally()
    if rows is None:
        return shown(split_lines(block, 7, "a.log", tally), tally)
    starts = np.concatenate(([0], line_feeds(block.own()) + 1)).astype(np.int64)
    starts = starts[starts < block.length]
    chosen = np.array([row for row in rows if row < len(starts)], np.int64)
    return shown(some_lines(block, starts, chosen, 7, "a.log", tally), tally) if len(chosen) else ()


@needs_library
@pytest.mark.parametrize("seed", thinned(range(40), 4))
@pytest.mark.parametrize("clean", [True, False])
def test_lines_are_what_they_are_without_the_library(seed: int, clean: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = Random(f"{seed} {clean}")
    data = made(rng, PIECES[:11] if clean else PIECES)
    blocks = [Block(offset, data, len(data)) for offset in (0, 90)]
    wanted = [None, [0], sorted(rng.sample(range(40), 9))]
    compiled = [split(block, rows) for block in blocks for rows in wanted]
    monkeypatch.setattr(lines_module, "texts_of", lambda *_: None)
    assert compiled == [split(block, rows) for block in blocks for rows in wanted]


@needs_library
def test_what_is_odd_is_told_and_what_is_no_text_is_refused() -> None:
    data = b"plain\nt\xc3\xa4xt\r\n\x1b[0mred\n\xff\nend"
    ends = np.array([6, 13, 21, 23, 26], np.int64)
    begins = np.array([0, *ends[:-1]], np.int64)

    def taken(*rows: int) -> tuple[list[str], int] | None:
        found = texts_of(data, begins[list(rows)], ends[list(rows)])
        return None if found is None else (found[0].to_list(), found[1])

    assert taken(0, 4) == (["plain", "end"], 0)
    assert taken(1) == (["täxt"], NOT_ASCII)
    assert taken(2, 0) == (["\x1b[0mred", "plain"], ODD_ESCAPES)
    assert taken() == ([], 0)
    assert taken(0, 3) is None


@needs_library
@pytest.mark.parametrize("between", [b"\n", b"\r\n", b"\n\n", b"\nplain\n"])
def test_a_character_is_whole_in_one_line_or_it_is_none(between: bytes) -> None:
    data = b"one \xc3" + between + b"\xa4 two\n"
    ends = line_feeds(data) + 1
    begins = np.concatenate(([0], ends[:-1]))
    assert texts_of(data, begins, ends) is None
    assert texts_of(data, begins[[0, -1]], ends[[0, -1]]) is None
    tally = Tally()
    text = split_lines(Block(0, data, len(data)), 0, "a.log", tally).text.to_list()
    assert (text[0], text[-1]) == ("one \ufffd", "\ufffd two")
    assert [problem.count for problem in tally.problems.values()] == [2]


@needs_library
@pytest.mark.parametrize(("begins", "ends"), [([-1], [2]), ([0], [6]), ([3], [2]), ([0, 3], [3])])
def test_lines_beyond_the_bytes_are_refused(begins: list[int], ends: list[int]) -> None:
    with pytest.raises(ValueError, match="within"):
        texts_of(b"a\nbc\n", np.array(begins), np.array(ends))


@needs_library
def test_places_may_be_every_other_one_of_an_array() -> None:
    places = np.array([0, 2, 2, 5], np.int32)
    found = texts_of(b"a\nbc\n", places[::2], places[1::2])
    assert found is not None
    assert found[0].to_list() == ["a", "bc"]


@needs_library
def test_a_column_outlives_the_bytes_that_it_was_taken_from() -> None:
    data = bytearray(b"first of all\nsecond\n" * 2000)
    ends = line_feeds(bytes(data)) + 1
    begins = np.concatenate(([0], ends[:-1]))
    found = texts_of(bytes(data), begins, ends)
    assert found is not None
    part = found[0].filter(found[0].str.starts_with("second"))
    data[:] = b"\xff" * len(data)
    del found
    gc.collect()
    more = texts_of(b"other\n" * 4000, np.arange(0, 24000, 6), np.arange(6, 24001, 6))
    assert more is not None
    assert part.to_list() == ["second"] * 2000
