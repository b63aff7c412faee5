"""Lines that are alike are looked up instead of read: nothing may come out otherwise, whatever the file holds."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from subagents.logs.sources import alike, parts, reader
from subagents.logs.sources.ahead import Sighted
from subagents.logs.sources.class_findings import Finding
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import Names
from subagents.logs.sources.stamp_reader import Seen
from subagents.logs.sources.timestamps import microseconds
from subagents.logs.sources.twins import TwinTest
from tests.logs.both_ways import SMALL, built, built_counting, looked_up, small_blocks, what_it_says, without_library
from tests.logs.builders import at, iso, write
from tests.logs.corpus import FOLDER
from tests.thinned import thinned

__all__ = ["small_blocks"]
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
    "journalctl-short-full",
    "logfmt-time-last",
    "nginx-access",
    "node-debug-http-date",
    "openvpn",
    "postgres",
    "rails",
    "spring-boot-3",
    "syslog-3164",
    "syslog-5424",
    "syslog-day-without-zero",
    "uwsgi",
    "zones-mixed",
)


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


@pytest.fixture
def larger_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have blocks end where they do without the library: from one to the next, lines turn out to be requests."""
    monkeypatch.setattr(reader, "LEAST_BYTES", 1 << 16)


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("name", thinned(LAYOUTS, 5))
def test_nothing_comes_out_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    spec = write(tmp_path, "app.log", fuzzed((name,), seed=7))
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch))


@pytest.mark.usefixtures("larger_blocks")
@pytest.mark.parametrize("seed", thinned(range(3), 3))
def test_nor_where_files_were_put_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    names = tuple(Random(seed).sample(sorted(path.stem for path in FOLDER.glob("*.txt")), 6))
    spec = write(tmp_path, "app.log", fuzzed(names, seed))
    assert what_it_says(built(spec)) == what_it_says(without_library(spec, monkeypatch)), names


SYSLOG = "Mar  1 12:{:02d}:{:02d} web{} sshd[{}]: Failed password for root from 10.0.0.{} port {} ssh2"
ACCESS = '10.0.0.{} - - [01/Mar/2026:12:{:02d}:{:02d} +0000] "GET /api/v1/orders/{} HTTP/1.1" {} {} "-" "curl/8.5"'
PINO = '{{"level":{},"time":{},"pid":{},"hostname":"api-{}","msg":"request completed","res":{{"statusCode":{}}}}}'


def syslog(rng: Random) -> Iterator[str]:
    for n in range(1600):
        yield SYSLOG.format(n // 60 % 60, n % 60, rng.randrange(8), rng.randrange(30_000), rng.randrange(250), 1024 + n)


def access(rng: Random) -> Iterator[str]:
    for n in range(2400):
        status = rng.choice((200, 200, 304, 404, 429, 500, 503))
        yield ACCESS.format(n % 250, n // 60 % 60, n % 60, rng.randrange(10**6), status, rng.randrange(9000))


def pino(rng: Random) -> Iterator[str]:
    for n in range(1600):
        level, status = rng.choice(((30, 200), (30, 204), (40, 404), (50, 500)))
        yield PINO.format(level, microseconds(at(n)) // 1000, rng.randrange(100), rng.randrange(4), status)


def long_ones(rng: Random) -> Iterator[str]:
    """Lines that are cut, sooner or later as their ids are long, and short ones of the same kind."""
    for n in range(300):
        ids = " ".join(f"id {rng.randrange(10 ** rng.randrange(1, 9))}" for _ in range(55))
        yield f"{iso(n)} INFO batch of {ids} was settled by the worker"
        yield f'{{"time":"{iso(n)}","msg":"batch {n} settled","ids":"{ids}, {ids}"}}'


def late_statuses(rng: Random) -> Iterator[str]:
    """A client that goes has the status 0; numbers of one digit come first, then such as are severe."""
    for n in range(1200):
        yield ACCESS.format(n % 250, n // 60 % 60, n % 60, n, 0 if n < 600 else rng.choice((200, 503)), 17)


def padded(rng: Random) -> Iterator[str]:
    """Numbers with a zero too many make no objects."""
    for n in range(1000):
        yield f'{{"time":"{iso(n)}","level":"warn","msg":"order {n} is late","ms":{rng.randrange(400):03d}}}'


def other_stamps(rng: Random) -> Iterator[str]:
    """Stamps of another form that begin in the middle of a block, and go on in the next one."""
    for n in range(1600):
        is_new = n > 600 and n % 41 == 0
        yield f"{at(n):%d/%b/%Y %H:%M:%S} WARN basket {n} is late" if is_new else f"{iso(n)} INFO order {n} settled"


def put_together(_: Random) -> Iterator[str]:
    """What a line says has the next one's text in it where it is met first, and not so later."""
    for n in range(2000):
        if n < 20:
            yield f"{iso(n)} the order {n} was sent\nINFO: by the ledger"
        yield f"{iso(n)} the order {n} was sent" if n > 1000 and n % 5 == 0 else f"{iso(n)} the next one is {n}"


@pytest.mark.parametrize(
    "lines", thinned([long_ones, late_statuses, padded, other_stamps, put_together], 2), ids=lambda each: each.__name__
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
        if self._offset > 80_000:
            raise OSError(5, "Input/output error")
        return read(self, stream, size)

    monkeypatch.setattr(reader.BlockReader, "_read", torn)
    index = built(spec)
    assert 400 < index.events < 1600
    assert index.coverage[0].problems[0].what == "cannot be read (Input/output error)"
    assert index.coverage == without_library(spec, monkeypatch).coverage


def test_a_pass_that_is_given_up_leaves_no_thread(tmp_path: Path) -> None:
    found = LogSource(write(tmp_path, "app.log", syslog(Random(5))), block_bytes=SMALL).parts(Names())
    assert sum(next(found).count for _ in range(5)) > 1000
    assert any(each.name.startswith("log-scanner") for each in threading.enumerate())
    assert isinstance(found, Generator)
    found.close()
    assert not any(each.name.startswith("log-scanner") for each in threading.enumerate())


@pytest.mark.parametrize("lines", [syslog, access, pino], ids=lambda each: each.__name__)
def test_most_lines_are_looked_up_and_words_that_tell_something_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    index, few, every = built_counting(spec)
    assert few > every * 0.6
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))


def test_what_begins_late_in_a_packed_file_is_looked_up_though_the_file_is_larger_than_it_looks(tmp_path: Path) -> None:
    late = (f"{iso(n)} {'INFO order' if n < 800 else 'WARN basket'} {n} waits for {n % 90} ms" for n in range(3200))
    spec = write(tmp_path, "app.log.gz", late)
    assert Path(spec.path).stat().st_size < 800 * len(iso(0))
    few, every = looked_up(spec)
    assert few > every * 0.6


@pytest.mark.parametrize(("others", "pays"), [(1, True), (100, False)])
def test_words_are_asked_one_by_one_where_that_pays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, others: int, pays: bool
) -> None:
    def lines() -> Iterator[str]:
        for n, request in enumerate(access(Random(5))):
            yield f"{iso(n)} INFO order {n} settled in {n % 90} ms"
            if n % others == 0:
                yield request

    asked: list[int] = []
    by_word = TwinTest._by_word

    def spied(self: TwinTest, left: list[tuple[int, int]], desk: Any) -> dict[int, Finding]:
        asked.append(len(left))
        return by_word(self, left, desk)

    monkeypatch.setattr(alike, "WORTH_CHECKING", 600)
    monkeypatch.setattr(TwinTest, "_by_word", spied)
    few, every = looked_up(write(tmp_path, "app.log", lines()))
    assert few > every * 0.3
    assert bool(asked) is pays


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
        for n in range(400):
            yield f"{iso(n)} INFO order {n} settled"
        for n in range(400, 800):
            yield f"{at(n):%Y-%m-%d %H:%M:%S},{n % 1000:03d} WARN order {n} waits"
        yield from (f'{{"time":"{iso(n)}","level":"error","msg":"order {n} lost"}}' for n in range(800, 1200))
        yield from access(Random(3))

    spec = write(tmp_path, "app.log", lines())
    index, few, every = built_counting(spec)
    assert few > every / 5
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))


def test_stamps_are_found_for_blocks_of_which_few_lines_are_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines() -> Iterator[str]:
        for n in range(1200):
            stamp = iso(n) if n % 450 < 300 else f"{at(n):%d/%b/%Y %H:%M:%S}"
            yield f"{stamp} {'ERROR' if n % 3 else 'INFO'} order {n} {'lost' if n % 3 else 'kept'}"
            if n % 3:
                yield "java.lang.IllegalStateException: \x1b[31mno order\x1b[0m" if n % 50 else f"told at {iso(n + 9)}"
                yield from (f"\tat com.shop.Orders.take{chr(97 + n % 7)}(Orders.java:{n % 5 + k})" for k in range(12))

    given: list[bool] = []
    stamps = parts.PartReader._stamps

    def spied(self: parts.PartReader, sighted: Sighted, count: int) -> Seen | None:
        seen = stamps(self, sighted, count)
        given.append(sighted.passed and seen is not None)
        scan = replace(sighted.scan, state=-1) if sighted.scan is not None else None
        assert stamps(self, replace(sighted, scan=scan, state=-1), count) is None, "less was known then"
        return seen

    monkeypatch.setattr(parts.PartReader, "_stamps", spied)
    spec = write(tmp_path, "app.log", lines())
    index = built(spec)
    assert any(given), "no block was passed"
    assert index.stacks.traces > 500
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
