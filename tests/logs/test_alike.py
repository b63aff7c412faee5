"""Lines that are alike are looked up instead of read: nothing may come out otherwise, whatever the file holds."""

from __future__ import annotations

import ctypes
import re
import threading
from collections.abc import Generator, Iterator
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from subagents.contract import SourceSpec
from subagents.logs import native
from subagents.logs.index import HOSTS_KEPT, LogIndex
from subagents.logs.native import LITERAL, MOST_CLASSES, NO_CLASS, NO_TIME, SLOW, SPECIAL, VERIFIED, Classes
from subagents.logs.sources import alike, log_source, parts, reader
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import Names
from subagents.logs.sources.timestamps import find_stamp, microseconds, shape_of
from tests.logs.builders import NOON, at, iso, write
from tests.logs.corpus import FOLDER

pytestmark = pytest.mark.needs("compiled")

LAYOUTS = (
    "android",
    "ansi-colours",
    "apache-error-old",
    "apache-vhost-combined",
    "auditd",
    "aws-alb",
    "cri",
    "date-without-padding",
    "docker-compose",
    "dotnet-simple-console",
    "epoch-and-syslog",
    "epoch-column",
    "file-name-before-line",
    "haproxy",
    "iis-w3c",
    "iso-without-padding",
    "json-docker-json-file",
    "json-pino",
    "klog",
    "kubectl-prefix",
    "kubelet-journal",
    "logfmt-time-last",
    "nginx-access",
    "postgres",
    "rails",
    "spring-boot-3",
    "syslog-3164",
    "syslog-5424",
    "syslog-day-without-zero",
    "uwsgi",
    "zones-mixed",
)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_source, "ALIKE_BYTES", 0)
    monkeypatch.setattr(log_source, "ALIKE_BLOCK_BYTES", 0)
    monkeypatch.setattr(reader, "FIRST_BYTES", 4096)
    monkeypatch.setattr(alike, "WORTH_CHECKING", 0)
    monkeypatch.setattr(parts, "BLOCK_BYTES", 1 << 15)


def built(spec: SourceSpec) -> LogIndex:
    return LogIndex.build([LogSource(spec, block_bytes=1 << 16)])


def without_library(spec: SourceSpec, monkeypatch: pytest.MonkeyPatch) -> LogIndex:
    with monkeypatch.context() as patched:
        patched.setattr(log_source, "library", lambda: None)
        return built(spec)


def what_it_says(index: LogIndex) -> dict[str, Any]:
    by = ["key", "source", "service", "level", "bucket"]
    groups = {name: (group.counts, group.firsts, group.lasts) for name, group in index.stacks.groups.items()}
    return {
        "keys": index.keys,
        "table": index.table.sort(by).rows(),
        "examples": list(index.examples),
        "coverage": index.coverage,
        "names": (set(index.names.services), set(index.names.hosts)),
        "hosts": {key: set(hosts) for key in range(len(index.keys)) if len(hosts := index.hosts(key)) < HOSTS_KEPT},
        "traces": (index.stacks.traces, groups),
        "counts": (index.lines, index.events),
    }


def looked_up(spec: SourceSpec) -> tuple[int, int]:
    """Return (events looked up, all)."""
    found = list(LogSource(spec, block_bytes=1 << 16).parts(Names()))
    return sum(part.count - len(part.placed) for part in found), sum(part.count for part in found)


def altered(line: bytes, rng: Random) -> bytes:
    """Return a line with some other digits, seldom with other things in it; what may be a status stays one."""
    found = bytearray(line)
    for _ in range(rng.choice((0, 0, 1, 1, 4)) if found else 0):
        place = min(rng.randrange(len(found)) + (32 if rng.random() < 0.95 else 0), len(found) - 1)  # few stamps
        if found[place : place + 1].isdigit():
            is_status = found[place : place + 3].isdigit() and not found[max(0, place - 1) : place].isdigit()
            found[place] = rng.choice(b"12345" if is_status else b"0123456789")
        elif rng.random() < 0.15 and found[place] not in b"._-/+" and place < len(found) - 2:
            found[place] = rng.choice(b'abcxyzABC {}[]":,=\t\\0123456789/')
    if rng.random() < 0.02:
        found += rng.choice((b"\x1b[31mred\x1b[0m", " café 4".encode(), b"\xff\xfe9", b"\r", b"\0 7", b" \\u0031x"))
    return bytes(found[: rng.randrange(len(found) + 1)] if rng.random() < 0.01 else found)


def fuzzed(names: tuple[str, ...], seed: int) -> bytes:
    """Return lines of some layouts in runs, so that events of several lines stay together, mostly."""
    rng = Random(seed)
    layouts = [(FOLDER / f"{name}.txt").read_bytes().partition(b"====\n")[0].splitlines() for name in names]
    lines = list[bytes]()
    while len(lines) < 1200:
        layout = rng.choice(layouts)
        first = rng.randrange(len(layout))
        lines += [altered(line, rng) for line in layout[first : first + rng.choice((1, 2, 5, len(layout)))]]
    return b"\n".join(lines) + b"\n"


@pytest.mark.parametrize("name", LAYOUTS)
def test_nothing_comes_out_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    spec = write(tmp_path, "app.log", fuzzed((name,), seed=7))
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


@pytest.mark.parametrize("seed", range(3))
def test_nor_where_files_were_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    names = tuple(Random(seed).sample(sorted(path.stem for path in FOLDER.glob("*.txt")), 6))
    spec = write(tmp_path, "app.log", fuzzed(names, seed))
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch)), names


SYSLOG = "Mar  1 12:{:02d}:{:02d} web{} sshd[{}]: Failed password for root from 10.0.0.{} port {} ssh2"
ACCESS = '10.0.0.{} - - [01/Mar/2026:12:{:02d}:{:02d} +0000] "GET /api/v1/orders/{} HTTP/1.1" {} {} "-" "curl/8.5"'
PINO = '{{"level":{},"time":{},"pid":{},"hostname":"api-{}","msg":"request completed","res":{{"statusCode":{}}}}}'


def syslog(rng: Random) -> Iterator[str]:
    for n in range(4000):
        yield SYSLOG.format(n // 60 % 60, n % 60, rng.randrange(8), rng.randrange(30_000), rng.randrange(250), 1024 + n)


def access(rng: Random) -> Iterator[str]:
    for n in range(4000):
        status = rng.choice((200, 200, 304, 404, 429, 500, 503))
        yield ACCESS.format(n % 250, n // 60 % 60, n % 60, rng.randrange(10**6), status, rng.randrange(9000))


def pino(rng: Random) -> Iterator[str]:
    for n in range(4000):
        level, status = rng.choice(((30, 200), (30, 204), (40, 404), (50, 500)))
        yield PINO.format(level, microseconds(at(n)) // 1000, rng.randrange(100), rng.randrange(4), status)


def long_ones(rng: Random) -> Iterator[str]:
    """Lines that are cut, sooner or later as their ids are long, and short ones of the same kind."""
    for n in range(1500):
        ids = " ".join(f"id {rng.randrange(10 ** rng.randrange(1, 9))}" for _ in range(55))
        yield f"{iso(n)} INFO batch of {ids} was settled by the worker"
        yield f'{{"time":"{iso(n)}","msg":"batch {n} settled","ids":"{ids}, {ids}"}}'


def late_statuses(rng: Random) -> Iterator[str]:
    """A client that goes has the status 0; numbers of one digit come first, then such as are severe."""
    for n in range(3000):
        yield ACCESS.format(n % 250, n // 60 % 60, n % 60, n, 0 if n < 1500 else rng.choice((200, 503)), 17)


def padded(rng: Random) -> Iterator[str]:
    """Numbers with a zero too many make no objects."""
    for n in range(2500):
        yield f'{{"time":"{iso(n)}","level":"warn","msg":"order {n} is late","ms":{rng.randrange(400):03d}}}'


def other_stamps(rng: Random) -> Iterator[str]:
    """Stamps of another form that begin in the middle of a block, and go on in the next one."""
    for n in range(4000):
        is_new = n > 1500 and n % 41 == 0
        yield f"{at(n):%d/%b/%Y %H:%M:%S} WARN basket {n} is late" if is_new else f"{iso(n)} INFO order {n} settled"


def put_together(_: Random) -> Iterator[str]:
    """What a line says has the next one's text in it where it is met first, and not so later."""
    for n in range(5000):
        if n < 20:
            yield f"{iso(n)} the order {n} was sent\nINFO: by the ledger"
        yield f"{iso(n)} the order {n} was sent" if n > 2500 and n % 5 == 0 else f"{iso(n)} the next one is {n}"


@pytest.mark.parametrize(
    "lines", [long_ones, late_statuses, padded, other_stamps, put_together], ids=lambda each: each.__name__
)
def test_nor_where_lines_of_a_class_differ_by_more_than_digits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    index = built(spec)
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
    broken = [problem.count for problem in index.coverage[0].problems if problem.what.startswith("not valid JSON")]
    assert sum(broken) == sum('"ms":0' in line for line in padded(Random(5))) * (lines is padded)


def test_nor_where_the_file_cannot_be_read_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec, read = write(tmp_path, "app.log", syslog(Random(5))), reader.BlockReader._read

    def torn(self: reader.BlockReader, stream: Any, size: int) -> bytes:
        if self._offset > 200_000:
            raise OSError(5, "Input/output error")
        return read(self, stream, size)

    monkeypatch.setattr(reader.BlockReader, "_read", torn)
    index = built(spec)
    assert 1000 < index.events < 4000
    assert index.coverage[0].problems[0].what == "cannot be read (Input/output error)"
    assert index.coverage == without_library(spec, monkeypatch).coverage


def test_a_pass_that_is_given_up_leaves_no_thread(tmp_path: Path) -> None:
    found = LogSource(write(tmp_path, "app.log", syslog(Random(5))), block_bytes=1 << 16).parts(Names())
    assert sum(next(found).count for _ in range(4)) > 1000
    assert any(each.name.startswith("log-scanner") for each in threading.enumerate())
    assert isinstance(found, Generator)
    found.close()
    assert not any(each.name.startswith("log-scanner") for each in threading.enumerate())


@pytest.mark.parametrize("lines", [syslog, access, pino], ids=lambda each: each.__name__)
def test_most_lines_are_looked_up_and_words_that_tell_something_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    few, every = looked_up(spec)
    assert few > every * 0.6
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


def test_a_trace_amid_lines_that_are_known_is_one_event(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> Iterator[str]:
        for n in range(1200):
            yield f"{iso(n)} INFO order {n} settled in {n % 90} ms"
            if n % 97 == 96:
                yield f"{iso(n)} ERROR order {n} failed"
                yield from ("Traceback (most recent call last):", '  File "a.py", line 3, in f', "KeyError: 'x'")

    spec = write(tmp_path, "app.log", lines())
    index = built(spec)
    assert index.stacks.traces == 12
    assert index.events == 1212
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))


def test_what_a_file_begins_to_show_late_is_learnt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def lines() -> Iterator[str]:
        for n in range(900):
            yield f"{iso(n)} INFO order {n} settled"
        for n in range(900, 1800):
            yield f"{at(n):%Y-%m-%d %H:%M:%S},{n % 1000:03d} WARN order {n} waits"
        yield from (f'{{"time":"{iso(n)}","level":"error","msg":"order {n} lost"}}' for n in range(1800, 2600))
        yield from access(Random(3))

    spec = write(tmp_path, "app.log", lines())
    few, every = looked_up(spec)
    assert few > every / 5
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


@pytest.fixture
def classes() -> Classes:
    library = native.library()
    assert library is not None
    found = Classes(library)
    line = f"{iso(0)} x"
    stamp = find_stamp(line)
    assert stamp is not None
    finder = finder_of(shape_of(stamp, None), NOON)
    assert finder is not None
    found.find_by([finder], 0)
    return found


def scanned(classes: Classes, *lines: str) -> tuple[list[int], list[int]]:
    data = "\n".join(lines).encode()
    scan = classes.scan(data, len(data), 0, 100)
    assert len(scan.starts) == len(lines)
    return scan.times.tolist(), scan.classes.tolist()


def test_lines_are_of_one_class_but_for_words_with_digits(classes: Classes) -> None:
    times, found = scanned(
        classes,
        f"{iso(1)} order 17 of 10.1.2.3 failed",
        f"{iso(2.5)} order 4711 of 192.168.0.17 failed",
        f"{iso(3)} order 17 of 10.1.2.3 settled",
        "order 17 of 10.1.2.3 failed",
        f"{iso(4)[:-1]}+01:00 order 17 of 10.1.2.3 failed",
    )
    assert times[:3] == [microseconds(at(seconds)) for seconds in (1, 2.5, 3)]
    assert found[0] == found[1] != found[2]
    assert (times[3:], found[3:]) == ([NO_TIME] * 2, [NO_CLASS] * 2)


def test_a_class_that_depends_on_a_word_is_split_by_it_until_there_are_too_many(classes: Classes) -> None:
    def line(status: int) -> str:
        return f"{iso(1)} done with {status} bytes"

    parent = scanned(classes, line(200))[1][0]
    classes.flags[parent], classes.literal[parent] = LITERAL, 1 << 2
    ok, bad, again = scanned(classes, line(200), line(503), line(200))[1]
    assert ok == again != bad
    assert {ok, bad}.isdisjoint({parent, NO_CLASS})
    assert classes.flags[ok] & VERIFIED
    many = "\n".join(line(1000 + n) for n in range(4000)).encode()
    found = classes.scan(many, len(many), 0, 2000).classes
    assert set(found[-100:].tolist()) == {parent}
    assert classes.flags[parent] & SLOW


def test_a_twin_is_of_the_same_class_and_differs_where_it_may(classes: Classes) -> None:
    line = f"{iso(1)} order 17 of web3 at 10.1.2.3 took 5ms".encode()
    words, twin = classes.twin(line)
    assert words == 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7
    assert twin[: len(iso(1))] == line[: len(iso(1))]
    assert scanned(classes, line.decode(), twin.decode())[1][0] == scanned(classes, twin.decode())[1][0]
    assert [a != b for a, b in zip(line.split(), twin.split(), strict=True)] == [
        bool(words >> (n - 1) & 1) if n else False for n in range(9)
    ]
    assert classes.twin(line, keep=int(words))[1] == line
    assert classes.word(line, 3) == b"web3"
    assert classes.word(line, 4) is None


def test_another_twin_has_statuses_where_numbers_have_more_or_fewer_digits(classes: Classes) -> None:
    line = f"{iso(1)} order 17 of web3 took 5ms [0] 404 1234567".encode()
    assert classes.wide_twin(line) == f"{iso(1)} order 503 of web3 took 5ms [503] 404 503".encode()
    assert classes.wide_twin(line, keep=1 << 1) == line.replace(b"[0]", b"[503]").replace(b"1234567", b"503")
    assert classes.wide_twin(line, only=6) == line.replace(b"[0]", b"[503]")
    assert classes.wide_twin(b"no stamp 5") == b"no stamp 5"


def test_numbers_before_a_stamp_in_a_column_keep_their_width(classes: Classes) -> None:
    line = f"job 4711 {iso(1)} took 5 s".encode()
    stamp = find_stamp(line.decode())
    assert stamp is not None
    finder = finder_of(shape_of(stamp, None), NOON)
    assert finder is not None
    classes.find_by([finder], 0)
    assert classes.wide_twin(line) == line.replace(b"took 5", b"took 503")
    assert classes.twin(line)[1].startswith(b"job 7044 ")


def test_lines_cannot_be_made_to_be_taken_for_one(classes: Classes) -> None:
    """Bits that cancel each other out whatever the seed, where the factor is known: 0x40 here, 0x08 and 0x40 there."""
    one, other = bytearray(b"aaaaaaaabbbbbbbb"), bytearray(b"aaaaaaaabbbbbbbb")
    other[7], other[11], other[15] = one[7] ^ 0x40, one[11] ^ 0x08, one[15] ^ 0x40
    first, second = scanned(classes, f"{iso(1)}{one.decode()}", f"{iso(1)}{other.decode()}")[1]
    assert first != second


@pytest.mark.parametrize(
    "amiss",
    [
        {"body_length": 49},
        {"zone_length": -1},
        {"fraction": 99},
        {"place": (0, 0, 0, 0, 0, 0, 0, 47, 0)},
        {"within": 3},
        {"within": 10},
        {"words": 999},
    ],
    ids=str,
)
def test_a_finder_that_reaches_beyond_its_body_is_refused(classes: Classes, amiss: dict[str, Any]) -> None:
    stamp = find_stamp(iso(0))
    assert stamp is not None
    finder = finder_of(shape_of(stamp, None), NOON)
    assert finder is not None
    for name, value in amiss.items():
        setattr(finder, name, type(getattr(finder, name))(*value) if isinstance(value, tuple) else value)
    with pytest.raises(ValueError, match="beyond its own body"):
        classes.find_by([finder], 0)


def test_room_ends_and_what_was_learnt_can_be_forgotten(classes: Classes) -> None:
    word = "abcdefghij"
    lines = [f"{iso(1)} {word[n % 10]}{word[n // 10 % 10]}{word[n // 100 % 10]}" for n in range(1000)]
    data = "\n".join(lines).encode()
    assert len(set(classes.scan(data, len(data), 0, 2000).classes.tolist())) == 1000 == len(classes)
    assert len(classes.scan(data, len(data), 0, 10).starts) == 10
    classes.flags[:5] = SPECIAL
    classes.forget()
    assert len(classes) == 0
    assert not classes.flags[:1000].any()
    assert len(classes.flags) == MOST_CLASSES
    with pytest.raises(ValueError, match="at most"):
        classes.find_by([native.Finder()] * 300, 0)


def test_a_library_that_is_not_ours_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native, "__file__", str(tmp_path / "__init__.py"))
    native.library.cache_clear()
    try:
        assert native.library() is None
        (tmp_path / f"_lines{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library")
        native.library.cache_clear()
        assert native.library() is None
        assert "apt-get install gcc" in native.absence()
    finally:
        native.library.cache_clear()


def test_a_library_that_lacks_a_function_is_not_used_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    exported = r"^(?:EXPORT|__attribute__.*\bvoid) .*?(\w+)\("
    sources = "".join(path.read_text() for path in Path(native.__file__).parent.glob("*.c"))
    names = re.findall(exported, sources, re.MULTILINE)
    assert {"classes_scan", "twins_of", "keys_find", "words_of_keys", "block_is_utf8"} <= set(names)
    real, lacking = native.library(), dict[str, str]()
    try:
        for name in names:
            rest = SimpleNamespace(**{each: getattr(real, each) for each in names if each != name})
            monkeypatch.setattr("ctypes.CDLL", lambda _path, rest=rest: rest)
            native.library.cache_clear()
            lacking[name] = native.absence()
    finally:
        native.library.cache_clear()
    assert [name for name, told in lacking.items() if "not compiled" not in told] == []


def test_the_library_and_python_agree_on_what_a_finder_is() -> None:
    library = native.library()
    assert library is not None
    assert library.finder_size() == ctypes.sizeof(native.Finder)
    assert library.classes_room() == MOST_CLASSES
    assert native.absence() == ""
