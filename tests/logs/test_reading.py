"""No line is lost, every offset is exact, whatever bytes are in the file."""

from __future__ import annotations

import gzip
import hashlib
import json
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from subagents.contract import ToolError
from subagents.logs.levels import ERROR
from subagents.logs.log_set import LogSet
from subagents.logs.resolver import LogResolver
from subagents.logs.sources import lines as lines_module
from subagents.logs.sources.lines import split_lines
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.reader import CUT_BYTES, Block, BlockReader, lines_around, read_spans
from subagents.logs.sources.twins import NoTroubles
from tests.fakes import FakeClock
from tests.logs.builders import iso, read, write
from tests.thinned import thinned

GOOD = f"{iso(0)} INFO fine".encode()

ODD: dict[str, tuple[bytes, int]] = {
    "empty": (b"", 0),
    "no final newline": (GOOD + b"\n" + GOOD, 2),
    "blank lines": (GOOD + b"\n\n\n" + GOOD + b"\n", 4),
    "CRLF": (GOOD + b"\r\n" + GOOD + b"\r\n", 2),
    "lone CR": (GOOD + b"\rprogress 10%\rprogress 20%\n" + GOOD + b"\n", 2),
    "invalid UTF-8": (GOOD + b"\n" + iso(1).encode() + b" WARN caf\xe9 \xff\xfe\n" + GOOD + b"\n", 3),
    "byte 0x01": (GOOD + b"\x01a\x01\n" + GOOD + b"\n", 2),
    "NUL": (GOOD + b"\x00\x00\n" + GOOD + b"\n", 2),
    "BOM": (b"\xef\xbb\xbf" + GOOD + b"\n" + GOOD + b"\n", 2),
    "quotes": (GOOD + b' "a,b" \'c\n' + GOOD + b'"\n', 2),
    "huge line": (GOOD + b"\n" + GOOD + b"x" * (3 << 20) + b"\n" + GOOD + b"\n", 3),
    "long line": (GOOD + b"\n" + GOOD + b"y" * (100 << 10) + b"\n" + GOOD + b"\n", 3),
    "only a huge line": (b"z" * (5 << 20), 1),
    "no stamps": (b"hello\nworld\n", 2),
    "half-broken JSON": (
        b'{"ts":"2026-03-01T12:00:00Z","msg":"a"}\n{"ts":"2026-03-01T12:0\n{"ts":1}\n[1]\n{nonsense}\n',
        5,
    ),
    "NaN in JSON": (b'{"ts":"2026-03-01T12:00:00Z","msg":"a","x":NaN}\n', 1),
    "deep JSON": (b'{"a":' * 3000 + b"1" + b"}" * 3000 + b"\n" + GOOD + b"\n", 2),
    "terminal codes": (GOOD + b"\x1b[31mred\x1b[0m \xe2\x80\xae\n", 1),
}


@pytest.mark.parametrize("name", ODD)
@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gz"])
def test_lines_in_are_lines_accounted_and_offsets_are_exact(tmp_path: Path, name: str, packed: bool) -> None:
    raw, lines = ODD[name]
    source, events = read(write(tmp_path, "odd.log.gz" if packed else "odd.log", raw))
    assert source.tally.lines == lines
    assert sum(event["lines"] for event in events) == lines
    assert sum(event["size"] for event in events) == len(raw)
    place = 0
    for event in events:
        assert event["start"] == place
        place += event["size"]
        span = read_spans(source.path, [(event["start"], event["lines"])])[0]
        body = raw[event["start"] : event["start"] + event["size"]]
        assert span.digest == "sha256:" + hashlib.sha256(body).hexdigest()
        assert (span.size, span.lines) == (event["size"], event["lines"])


@pytest.mark.parametrize("first", [b"x^2 grows", b"x\x01y", b"plain"])
def test_a_block_is_split_though_it_begins_as_archives_do(first: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "texts_of", lambda *_: None)
    monkeypatch.setattr(lines_module, "LARGE_BYTES", 0)
    data = first + b"\n" + (GOOD + b"\r\n") * 3
    text = split_lines(Block(1, data, len(data)), 0, "", NoTroubles()).text
    assert (text.len(), text[0], text[-1]) == (data.count(b"\n"), first.decode(), GOOD.decode())


def test_what_only_few_records_have_is_read(tmp_path: Path) -> None:
    """Names of fields are learnt from a sample, and from all that hold a usual one that the sample has not."""
    usual = [{"ts": iso(n), "level": "info", "msg": f"served {n}", "ctx": {"error": "none"}} for n in range(3000)]
    rare = usual[1234] | {"level": "error", "msg": "lost", "err": "refused"}
    lines = (json.dumps(record) for record in [*usual[:1234], rare, *usual[1234:]])
    _, events = read(write(tmp_path, "app.log", "\n".join(lines) + '\n{"err": "torn'))
    assert [event["text"] for event in events if "served" not in event["text"]] == ["lost: refused", '{"err": "torn']


def test_objects_behind_stamps_are_read_wherever_the_first_one_stands(tmp_path: Path) -> None:
    lines = [f"{iso(n)} listening {n}" for n in range(100)] + [f"{iso(100)} {{not this" for _ in range(70)]
    _, events = read(write(tmp_path, "app.log", [*lines, f'{iso(200)} {{"level":"error","msg":"lost"}}']))
    assert (events[-1]["text"], events[-1]["level"]) == ("lost", ERROR)
    assert events[100]["text"] == " {not this"


def test_requests_are_known_though_a_file_begins_with_other_lines(tmp_path: Path) -> None:
    lines = [f"{iso(n)} listening {n}" for n in range(200)]
    lines.append(f'{iso(200)} 10.0.0.9 - - "GET /cart?id=7 HTTP/1.1" 503 71')
    _, events = read(write(tmp_path, "app.log", lines))
    assert (events[-1]["text"], events[-1]["suffix"], events[-1]["level"]) == ("GET /cart", " status=503", ERROR)


@pytest.mark.parametrize("name", ["half-broken JSON", "invalid UTF-8", "huge line", "no stamps"])
def test_odd_input_is_told_with_file_and_line(tmp_path: Path, name: str) -> None:
    source, _ = read(write(tmp_path, "odd.log", ODD[name][0]))
    problems = source.coverage().problems
    assert problems
    assert problems[0].where.startswith("odd.log")
    if name != "no stamps":
        assert problems[0].where == "odd.log:2"


def test_a_long_line_is_cut_visibly(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "odd.log", ODD["huge line"][0]))
    assert len(events[1]["raw"]) < CUT_BYTES
    assert f"[cut: {len(GOOD) + (3 << 20) + 1} bytes]" in events[1]["raw"]


@pytest.mark.parametrize("block", [1 << 16, 100_000])
def test_blocks_cover_the_file_wherever_they_are_cut(tmp_path: Path, block: int) -> None:
    lines = [f"{iso(n)} INFO line {n} " + "pad " * (n % 50) for n in range(5000)]
    lines.insert(2500, "q" * (2 << 20))
    raw = "\n".join(lines).encode()
    path = tmp_path / "x.log"
    path.write_bytes(raw)
    place = 0
    for piece in iter(BlockReader(path, block_bytes=block).next_block, None):
        assert piece.offset == place
        assert raw[place : place + piece.length] == piece.own()
        place += piece.size
    assert place == len(raw)


def test_what_was_given_back_is_kept_though_the_file_is_cut_meanwhile(tmp_path: Path) -> None:
    raw = b"".join(f"{iso(n)} INFO line {n}\n".encode() for n in range(20_000))
    path = tmp_path / "x.log"
    path.write_bytes(raw)
    reader = BlockReader(path, block_bytes=1 << 20)
    block = reader.next_block()
    assert block is not None
    tail = block.own()[-300:]
    reader.hold(tail)
    path.write_bytes(b"")
    again = reader.next_block()
    assert again is not None
    assert again.own().startswith(tail)
    assert raw[again.offset :].startswith(again.own())


@pytest.mark.parametrize("most", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("ends", [b"", b"\n"])
def test_blocks_hold_no_more_lines_than_they_may(tmp_path: Path, most: int, ends: bytes) -> None:
    raw = b"\n".join(b"x" * (n % 3) for n in range(23)) + ends
    spec = write(tmp_path, "x.log", raw)
    blocks = list(iter(BlockReader(Path(spec.path), block_lines=most).next_block, None))
    assert b"".join(block.own() for block in blocks) == raw
    assert all(block.own().count(b"\n") <= most for block in blocks)
    assert [block.offset for block in blocks] == list(accumulate((block.size for block in blocks[:-1]), initial=0))
    assert [block.last for block in blocks] == [False] * (len(blocks) - 1) + [True]


def test_a_trace_across_a_block_border_stays_one_event(tmp_path: Path) -> None:
    trace = [f"{iso(1)} ERROR boom", "Traceback (most recent call last):"]
    trace += [f'  File "/srv/app/m{n}.py", line {n}, in f{n}' for n in range(40)] + ["ValueError: bad"]
    spec = write(tmp_path, "x.log", trace * 200)
    source = LogSource(spec, block_bytes=1 << 16)
    events = [row for frame in source.frames() for row in frame.events.iter_rows(named=True)]
    assert [event["lines"] for event in events] == [len(trace)] * 200


def test_a_cut_archive_keeps_what_came_before(tmp_path: Path) -> None:
    packed = gzip.compress(b"".join(f"{iso(n)} INFO {n * 2654435761 % 2**32}\n".encode() for n in range(6_000)))
    spec = write(tmp_path, "x.log", b"")
    Path(spec.path).write_bytes(packed[: len(packed) // 2])
    source, events = read(spec)
    assert len(events) > 1000
    assert any("cut short" in problem.what for problem in source.coverage().problems)


def test_a_missing_file_is_a_problem_not_an_error(tmp_path: Path) -> None:
    spec = write(tmp_path, "x.log", b"a\n")
    Path(spec.path).unlink()
    source, events = read(spec)
    assert events == []
    assert "cannot be read" in source.coverage().problems[0].what


@pytest.mark.parametrize("name", ["x.log", "x.log.gz", "x.log.zst"])
def test_a_citation_opens_to_the_same_bytes_with_context(tmp_path: Path, name: str) -> None:
    lines = [f"{iso(n)} INFO line number {n}" for n in range(3000)]
    logs = LogSet([write(tmp_path, name, lines)])
    start = sum(len(line) + 1 for line in lines[:1500])
    found = LogResolver(logs, FakeClock()).resolve(f"log:{name}@{start}+2", context_lines=3)
    body = (lines[1500] + "\n" + lines[1501] + "\n").encode()
    assert found.digest == "sha256:" + hashlib.sha256(body).hexdigest()
    assert found.excerpt.split("\n")[:-1] == lines[1497:1505]
    for gone in (f"log:{name}@99999999+1", f"log:{name}@{start}+2000", "log:other@0+1", "runbook:a#1"):
        with pytest.raises(ToolError):
            LogResolver(logs, FakeClock()).resolve(gone)


def test_context_at_the_edges_of_a_file(tmp_path: Path) -> None:
    spec = write(tmp_path, "x.log", ["one", "two", "three"])
    assert lines_around(Path(spec.path), 0, 1, 5, 1) == (0, 2, b"one\ntwo\n")
    assert lines_around(Path(spec.path), 8, 1, 1, 9) == (4, 2, b"two\nthree\n")


def test_json_of_any_shape_never_stops_the_reading(tmp_path: Path) -> None:
    records: list[object] = [
        {"ts": "2026-03-01T12:00:00Z", "msg": {"a": 1}}, {"ts": None, "msg": None},
        {"ts": [1], "level": {}, "msg": ["x"]},
        {"ts": True, "msg": "b"}, {"time": 1e99, "msg": "c"}, {"ts": -1, "message": "d", "service": 5}, {"a": 1},
        {"MESSAGE": [104, 105], "PRIORITY": "3", "__REALTIME_TIMESTAMP": "1772366400000000"},
    ]  # fmt: skip
    _, events = read(write(tmp_path, "x.log", [json.dumps(record) for record in records]))
    assert len(events) == len(records)
    assert events[-1]["text"] == "hi"
    assert events[6]["text"] == "a=1"


def test_a_lone_surrogate_costs_one_character(tmp_path: Path) -> None:
    lines = [
        '{"ts":"2026-03-01T12:00:00Z","msg":"a \\ud83d\\ude00 b"}',
        '{"ts":"2026-03-01T12:00:01Z","msg":"cut \\ud83d","\\udc00":["\\uDFFF"],"service":"web"}',
        '{"ts":"2026-03-01T12:00:02Z","other":"\\ud800"}',
        '{"ts":"2026-03-01T12:00:03Z","msg":"c"}',
    ]
    source, events = read(write(tmp_path, "x.jsonl", lines))
    assert [event["text"] for event in events] == ["a \U0001f600 b", "cut ?", "other=?", "c"]
    assert (events[1]["service"], source.coverage().dropped) == ("web", 0)


def test_a_source_can_be_read_again(tmp_path: Path) -> None:
    source = LogSource(write(tmp_path, "x.log", [f"{iso(n)} INFO {n}" for n in range(10)]))
    for _ in range(2):
        assert sum(frame.events.height for frame in source.frames()) == 10
        assert source.tally.events == 10


def test_zero_times_are_no_times(tmp_path: Path) -> None:
    lines = [
        "0001-01-01T00:00:00Z zero",
        "9999-12-31T23:59:59Z never",
        "2026-03-01T12:00:00Z real",
        "2026-02-30T12:00:00Z no day",
    ]
    source, events = read(write(tmp_path, "x.log", lines))
    assert [event["own"] for event in events] == [False, False, True, False]
    assert source.coverage().understood == 1


_PIECES = st.one_of(
    st.binary(max_size=40),
    st.sampled_from([
        b"2026-03-01T12:00:00Z INFO a", b'{"ts":"2026-03-01T12:00:00Z","msg":"b"}', b"  at a.b.C(D.java:1)", b"", b"{",
        b"Traceback (most recent call last):", b"Mar  1 12:00:00 h p[1]: x",
        b"\xef\xbb\xbf", b"1772366400 x", b"panic: y",
    ]),
)  # fmt: skip


@pytest.mark.parametrize("part", thinned(range(3), 3))
@settings(max_examples=27, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces=st.lists(_PIECES, max_size=30), ends=st.sampled_from([b"\n", b"\r\n"]))
def test_any_bytes_are_accounted_for(tmp_path: Path, part: int, pieces: list[bytes], ends: bytes) -> None:
    raw = ends.join(pieces)
    assume(not raw.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd")))  # an archive, by its first bytes
    source, events = read(write(tmp_path, "x.log", raw))
    assert source.tally.lines == raw.count(b"\n") + (bool(raw) and not raw.endswith(b"\n"))
    assert sum(event["lines"] for event in events) == source.tally.lines
    assert sum(event["size"] for event in events) == len(raw)
    assert [event["start"] for event in events] == sorted(event["start"] for event in events)
