"""The pass over all files: what it tells while it runs, and that what it counts does not depend on how it is cut."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.contract import ToolError
from subagents.logs import index as index_module
from subagents.logs.heads import head_of
from subagents.logs.index import LogIndex, ReadSoFar
from subagents.logs.sources import lines as lines_module
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.log_source import LogSource, Tally
from subagents.logs.sources.reader import Block
from tests.logs.builders import iso, write

SMALL_BLOCK = 1 << 16


def lines(count: int, level: str) -> str:
    return "".join(f"{iso(n * 0.01)} {level} order {n} of user={n % 7} failed to settle\n" for n in range(count))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_the_pass_tells_where_it_stands_after_each_block(tmp_path: Path, packed: bool) -> None:
    end = ".log.gz" if packed else ".log"
    specs = [write(tmp_path, "a" + end, lines(4000, "INFO")), write(tmp_path, "b" + end, lines(4000, "ERROR"))]
    told: list[ReadSoFar] = []
    severe: list[list[tuple[str, int]]] = []

    def on_block(so_far: ReadSoFar) -> None:
        told.append(so_far)
        severe.append(so_far.index.severe_so_far())

    sources = [LogSource(spec, block_bytes=SMALL_BLOCK) for spec in specs]
    index = LogIndex.build(sources, on_block=on_block)
    assert len(told) > 4
    done = [each.done_bytes for each in told]
    assert done == sorted(done)
    assert {each.total_bytes for each in told} == {sum(source.size_bytes for source in sources)}
    assert done[-1] == told[-1].total_bytes
    assert told[-1].events == 8000 == sum(each.items for each in index.coverage)
    assert [each.source for each in told] == sorted(each.source for each in told)
    assert severe[0] == []
    assert severe[-1] == [("order * of user=* failed to settle", 4000)]


def test_a_text_that_is_of_nothing_severe_is_asked_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("took", "left", "kept", "moved", "sold")
    text = "".join(f"{iso(n * 0.01)} order was {words[n % 5]} by user={n % 7}\n" for n in range(4000))
    source = LogSource(write(tmp_path, "a.log", text + f"{iso(50)} payment refused\n"), block_bytes=SMALL_BLOCK)
    asked: list[str] = []

    def counted(key: str, level: int) -> tuple[int, str]:
        asked.append(key)
        return head_of(key, level)

    monkeypatch.setattr(index_module, "head_of", counted)
    severe: list[list[tuple[str, int]]] = []
    LogIndex.build([source], on_block=lambda so_far: severe.append(so_far.index.severe_so_far()))
    assert len(severe) > 2
    assert severe[-2:] == [[], [("payment refused", 1)]]
    assert len(asked) == len(set(asked)) == 6


def test_what_tells_may_stop_the_pass(tmp_path: Path) -> None:
    source = LogSource(write(tmp_path, "a.log", lines(4000, "INFO")), block_bytes=SMALL_BLOCK)
    told: list[ReadSoFar] = []
    with pytest.raises(ToolError, match="cancelled"):
        LogIndex.build([source], lambda: len(told) >= 2, told.append)
    assert len(told) == 2


@pytest.mark.parametrize(
    "data",
    [
        b"a\n",
        b"a",
        b"\n",
        b"\n\n",
        b"a\r\n\r\nb\r",
        b"a\r\r\nb\rc\n",
        b'\x00\x01\x0b\x1c\xc2\x85\n\xe2\x80\xa8,"\n',
        b"\xff\n\xfe",
    ],
)
def test_large_blocks_are_split_as_small_ones(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    small = split_lines(Block(9, data, len(data)), 0, "a.log", Tally())
    monkeypatch.setattr(lines_module, "texts_of", lambda *_: None)
    monkeypatch.setattr(lines_module, "LARGE_BYTES", 0)
    large = split_lines(Block(9, data, len(data)), 0, "a.log", Tally())
    assert large.text.to_list() == small.text.to_list()
    assert large.count == small.count == small.text.len()


def test_what_is_counted_does_not_depend_on_how_often_it_is_compacted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    specs = [write(tmp_path, f"{name}.log", lines(3000, "WARN")) for name in "ab"]

    def table() -> list[tuple[object, ...]]:
        index = LogIndex.build([LogSource(spec, block_bytes=SMALL_BLOCK) for spec in specs])
        return index.table.sort("source", "key", "bucket").rows()

    whole = table()
    monkeypatch.setattr(index_module, "COMPACT_ROWS", 8)
    assert table() == whole
    assert len(whole) == 2 * 3
