"""Stack traces that are said again are looked up, not read, and nothing may come out otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from itertools import count, islice, product
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest

from subagents.contract import SourceSpec
from subagents.logs.sources import runs as runs_module
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.names import Names
from subagents.logs.sources.neighbours import BEFORE, BEHIND
from subagents.logs.sources.runs import stand_alone
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import iso, write
from tests.thinned import thinned

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")

Lines = Callable[[Random], list[str]]


def java(rng: Random) -> list[str]:
    thrown = rng.choice(("java.io.IOException", "com.acme.V2Exception", "com.acme.v3.Gone"))
    said = rng.choice((f"call {rng.getrandbits(32):08x} failed", f"after {rng.randrange(9999)} ms"))
    return [
        f"{thrown}: {said}",
        f"\tat com.acme.Outbox.flush(Outbox.java:{rng.choice((8, 9))})",
        f"Caused by: com.acme.Deep: {rng.randrange(99)} left",
        "\tat com.acme.Net.open(Net.java:5)",
        "\t... 3 more",
    ]


def python(rng: Random) -> list[str]:
    thrown = rng.choice(("KeyError", "app.Gone", "TypeError"))
    return ["Traceback (most recent call last):", f'  File "/srv/{rng.choice("ab")}.py", line 88, in run',
            "    raise x()", f"{thrown}: '{rng.getrandbits(32):08x}'"]  # fmt: skip


def go(rng: Random) -> list[str]:
    return [f"panic: index out of range [{rng.randrange(9)}]", "", f"goroutine {rng.randrange(9999)} [running]:",
            f"main.load(0x{rng.getrandbits(32):08x})", "\t/srv/main.go:42 +0x1d"]  # fmt: skip


def node(rng: Random) -> list[str]:
    return [f"Error: connect ECONNREFUSED 10.0.0.{rng.randrange(9)}:5432", "    at dial (/srv/app/db.js:7:9)"]


def dotnet(rng: Random) -> list[str]:
    return [f"System.InvalidOperationException: {rng.randrange(99)} left", "   at Acme.Cart.Run() in /src/C.cs:line 4"]


def php(rng: Random) -> list[str]:
    return [
        f"PHP Fatal error:  Uncaught Gone: {rng.randrange(99)} left in /srv/a.php:{rng.choice((3, 4))}",
        "Stack trace:",
        f"#0 /srv/b.php({rng.choice((7, 8))}): load()",
        "#1 {main}",
    ]


def ruby(rng: Random) -> list[str]:
    return [f"/srv/app/a.rb:{rng.choice((7, 8))}:in `load': {rng.randrange(99)} left (KeyError)",
            "\tfrom /srv/app/b.rb:9:in `<main>'"]  # fmt: skip


def ended(rng: Random) -> list[str]:
    return [f"exit status {rng.randrange(9)}"]


def wrapped(rng: Random) -> list[str]:
    return rng.choice((["  detail: 7", "  more"], [f"{rng.randrange(99)} rows"], ["---", "--- x"], [""]))


def heads(rng: Random, n: int) -> str:
    said = rng.choice((
        f"request {rng.randrange(99)} failed", f"job {rng.getrandbits(32):08x} crashed:", "x=1,error=2", "x=2,ok=7",
        "com.acme.Foo.BarException: y", "done", f"[{rng.randrange(9)}] boom",
    ))  # fmt: skip
    return f"{iso(n / 9)} {rng.choice(('ERROR', 'INFO'))} exec-{rng.randrange(12)} {said}"


def bracketed(rng: Random, n: int) -> str:
    return f"[{iso(n / 9)}] ERROR {rng.choice(('cannot serve', 'lost'))} {rng.randrange(9999)}"


def syslog(rng: Random, n: int) -> str:
    return f"Mar  1 12:{n // 60 % 60:02d}:{n % 60:02d} web{rng.randrange(4)} app[{rng.randrange(9999)}]: request failed"


def compose(rng: Random, n: int) -> str:
    return f"web-{rng.randrange(3)}  | {iso(n / 9)} ERROR request {n} failed"


def logfmt(rng: Random, n: int) -> str:
    return f'ts={iso(n / 9)} level=error service=cart msg="request {n} failed" took={rng.randrange(99)}ms'


def java_util(rng: Random, n: int) -> str:
    """The line below has the severity, and what was said, mostly."""
    head = f"Mar 01, 2026 12:{n // 60 % 60:02d}:{n % 60:02d} PM com.acme.Cart save"
    return head if rng.random() < 0.3 else f"{head}\n{rng.choice(('SEVERE', 'WARNING'))}: order {n} lost"


def log(rng: Random, said: Callable[[Random, int], str], below: tuple[Lines, ...], many: int) -> Iterator[str]:
    for n in range(many):
        yield said(rng, n)
        if rng.random() < 0.4:
            yield from rng.choice(below)(rng)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return, once files were read, how many runs there were, and of them that were looked up."""
    counts, take = [0, 0], runs_module.RunBook.take

    def noted(book: runs_module.RunBook, runs: runs_module.Runs) -> None:
        take(book, runs)
        counts[0] += len(runs.taken)
        counts[1] += int(runs.taken.sum())

    monkeypatch.setattr(runs_module.RunBook, "take", noted)
    return counts


def both(spec: SourceSpec, monkeypatch: pytest.MonkeyPatch) -> tuple[dict[str, Any], dict[str, Any]]:
    found = list[dict[str, Any]]()
    for index in (built(spec), without_library(spec, monkeypatch)):
        messages = {name: dataclasses.replace(group.trace) for name, group in index.stacks.groups.items()}
        found.append(what_it_says(index) | {"messages": messages})
    return found[0], found[1]


BELOW = ((java,), (python,), (go,), (node, dotnet), (php, ruby), (java, python, node, wrapped))
SAID = (heads, bracketed, syslog)


@pytest.mark.parametrize(
    ("said", "below"), thinned([(SAID[(n + turn) % 3], each) for n, each in enumerate(BELOW) for turn in range(3)], 4)
)
def test_traces_come_out_the_same_whether_they_are_looked_up_or_read(
    said: Callable[[Random, int], str],
    below: tuple[Lines, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    taken: list[int],
) -> None:
    names = " ".join(each.__name__ for each in (said, *below))
    spec = write(tmp_path, "app.log", log(Random(names), said, below, 3000 if said is heads else 1000))
    one, other = both(spec, monkeypatch)
    assert one == other
    assert taken[1] > taken[0] * (0.2 if wrapped in below else 0.5)


@pytest.mark.parametrize("said", thinned([syslog, compose, logfmt, java_util, bracketed], 3))
def test_lines_whose_texts_are_not_all_that_stands_behind_their_stamps(
    said: Callable[[Random, int], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    places = count()

    def later(_: Random) -> list[str]:
        """Other traces come later: what they say first may be looked up."""
        lines = [f"    at dial (/srv/app/db.js:{next(places) // 80}:9)", "    at run (/srv/app/db.js:1:1)"]
        return lines if said is not compose else [f"web-1  | {line}" for line in lines]

    below = (later,) if said is compose else (later, later, java, ended)
    one, other = both(write(tmp_path, "app.log", log(Random(9), said, below, 1200)), monkeypatch)
    assert one == other


def gone(rng: Random) -> list[str]:
    return [f"com.acme.Gone: {rng.randrange(99)} left", "\tat com.acme.A.b(A.java:7)"]


@pytest.mark.parametrize(
    ("below", "twin"), [(ended, b"INFO next"), (gone, b"INFO next"), (gone, b"com.acme.Other: 7 left")]
)
def test_what_a_twin_makes_something_else_of_is_read(
    below: Lines, twin: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    monkeypatch.setattr("subagents.logs.sources.run_twins.twin_below", lambda line: line if line[:1] == b"\t" else twin)
    assert built(write(tmp_path, "app.log", log(Random(1), bracketed, (below,), 800))).events == 800
    assert taken[0] > taken[1] == 0


def test_line_ends_of_windows_and_a_trace_that_goes_on_in_the_next_block_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    lines = log(Random(3), bracketed, (java, python), 1000)
    one, other = both(write(tmp_path, "app.log", "".join(line + "\r\n" for line in lines)), monkeypatch)
    assert one == other
    assert taken[1] > taken[0] // 2


def test_names_of_what_was_thrown_are_told_apart_by_their_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    rng = Random(5)

    def thrown(_: Random) -> list[str]:
        name = rng.choice(("Http404Error", "Http500Error", "x.v2.Gone_1Exception", "x.v2.Gone_2Exception"))
        return [f"com.acme.{name}: no answer after {rng.randrange(999)} ms", "\tat com.acme.A.b(A.java:7)"]

    spec = write(tmp_path, "app.log", log(rng, bracketed, (thrown,), 1200))
    one, other = both(spec, monkeypatch)
    assert one == other
    assert len(one["messages"]) == 4
    assert taken[1]


def test_a_trace_below_a_line_that_speaks_of_no_trouble_stays_an_event_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    rng = Random(7)

    def lines() -> Iterator[str]:
        for n in range(800):
            yield f"{iso(n / 9)} INFO {rng.choice(('saved', 'failed'))} {n}"
            yield from ("java.io.IOException: gone", "\tat com.acme.A.b(A.java:7)")

    one, other = both(write(tmp_path, "app.log", lines()), monkeypatch)
    assert one == other
    assert 0 < taken[1] < taken[0] * 0.6  # those below "failed" only


def test_lines_with_stamps_that_may_be_of_a_trace_have_what_stands_below_them_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(11)

    def lines() -> Iterator[str]:
        for n in range(1000):
            yield f"{iso(n / 9)} INFO tick {n}"
            if rng.random() < 0.3:
                yield f"{iso(n / 9)} Traceback (most recent call last):"
                yield from (f"{iso(n / 9)} INFO tick" for _ in range(rng.randrange(9)))
            if rng.random() < 0.5:
                yield f"{iso(n / 9)} ERROR job {n} failed"
                yield from python(rng)

    one, other = both(write(tmp_path, "app.log", lines()), monkeypatch)
    assert one == other


def test_runs_stand_alone_where_no_odd_line_is_near_before_them() -> None:
    rng = Random(1)
    for _ in range(300):
        kinds = np.array(rng.choices((0, 1, 2), (4, 2, 1), k=40))  # plain, bare, odd
        kinds[0] = 0
        bare, odd = kinds == 1, kinds == 2
        rows = np.flatnonzero(bare[1:] & ~bare[:-1] & ~odd[:-1])
        told = stand_alone(rows, bare, odd).tolist()
        for row, is_alone in zip(rows.tolist(), told, strict=True):
            above = range(row - 1, max(-1, row - BEFORE - BEHIND - 1), -1)
            met = next((kinds[each] for each in above if kinds[each]), 1)
            assert is_alone == (met == 1), (kinds.tolist(), row)


def test_no_more_is_checked_than_pays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]) -> None:
    monkeypatch.setattr("subagents.logs.sources.alike.WORTH_FOLLOWING", 10**9)
    spec = write(tmp_path, "app.log", log(Random(3), bracketed, (java,), 2000))
    parts = list(LogSource(spec, block_bytes=1 << 16).parts(Names()))
    assert sum(part.count for part in parts) == 2000
    assert taken == [0, 0]


def test_first_lines_that_are_said_but_once_are_not_asked_what_they_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, names = list[bytes](), ["".join(letters) + "7" for letters in product("ghijklm", repeat=4)]
    monkeypatch.setattr(runs_module, "tells_same", asked.append)
    monkeypatch.setattr("subagents.logs.sources.parts.BLOCK_BYTES", 1 << 15)  # of so many lines some come again

    def read(name: str, many: int, every: int) -> set[str]:
        asked.clear()
        said = [f"ERROR the order of a cart {name} failed" for name in names[:every]]  # lines of one class
        lines = (f"{iso(n / 9)} {said[n % every]}\n\tat com.acme.Net.open(Net.java:5)" for n in range(many))
        list(LogSource(write(tmp_path, name, lines), block_bytes=1 << 16).parts(Names()))
        return {line.split()[-2].decode() for line in asked}

    assert not read("once.log", 2400, 2400)
    assert len(read("again.log", 4800, 2400)) > 100  # in another block
    assert read("often.log", 4800, 5) == set(names[:5])


def place_in_head(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3)} app.ERROR: Uncaught Gone: {rng.randrange(999)} left in /srv/a.php:{rng.choice((3, 4, 77))}"
    yield from ("Stack trace:", f"#0 /srv/b.php({rng.choice((7, 8))}): load()", "#1 {main}")


def name_in_hexadecimal(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3)} ERROR com.acme.{rng.choice(('abc123', 'def456'))}.FooException: gone {n}"
    yield "\tat com.acme.A.b(A.java:7)"


def place_of_no_language(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3)} ERROR failed at src/main.cpp:{rng.choice((10, 20, 30))} job {n}"
    yield "   at something"


def records(rng: Random, n: int) -> Iterator[str]:
    thrown = rng.choice(("RecordNotFound (Couldn't find Order 3):", "RecordInvalid (Validation failed):"))
    yield f"{iso(n / 3)} FATAL ActiveRecord::{thrown}"
    yield from ("  ", "app/models/order.rb:7:in `load'", "app/controllers/orders.rb:9:in `show'")


def recovered(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3)} ERROR {rng.choice(('recovered panic: boom', 'request failed'))} {n}"
    yield from (f"goroutine {n} [running]:", f"main.load(0x{rng.getrandbits(40):x}, 0x3)", "\t/srv/a.go:9 +0x1d")


def grouped(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3)} ERROR job {n} failed"
    yield from (
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/srv/a.py", line 3, in run',
        "  | app.Many: two (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | Traceback (most recent call last):",
        '    |   File "/srv/b.py", line 3, in run',
        f"    | app.{rng.choice(('Gone', 'Lost'))}: {rng.randrange(99)}",
        "    +------------------------------------",
    )


def backwards(rng: Random, n: int) -> Iterator[str]:
    yield f"{iso(n / 3 - rng.randrange(99))} ERROR request {n} failed"
    yield from (f"java.io.IOException: {rng.randrange(100, 999)} left", f"\tat com.acme.A.b{n // 120}(A.java:7)")


def times_below(rng: Random, n: int) -> Iterator[str]:
    """Below lines stand numbers, later also such as are times."""
    yield f"{iso(n / 3)} ERROR request {n} failed:"
    yield f"{rng.randrange(10_000, 99_999) if n < 600 or n % 2 else 1_772_366_400 + n} rows were lost"


def more_below(rng: Random, n: int) -> Iterator[str]:
    """What stands below a line may be part of what it says, as java.util.logging has it, where most is new once."""
    yield f"{iso(n / 3)} ERROR com.acme.Cart save"
    yield "SEVERE: order lost" if 300 < n < 340 else "\tat com.acme.A.b(A.java:7)"
    if 300 < n < 340:
        yield from (f"{iso(n / 3)} INFO {''.join(rng.choices('ghijkl', k=9))} came" for _ in range(40))


@pytest.mark.parametrize(
    "said",
    thinned((place_in_head, name_in_hexadecimal, place_of_no_language, records, recovered, backwards, grouped,
             times_below, more_below), 2),
)  # fmt: skip
def test_what_numbers_and_other_lines_decide_is_not_looked_up(
    said: Callable[[Random, int], Iterator[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = Random(1)
    lines = islice((line for n in count() for line in said(rng, n)), 3000)
    one, other = both(write(tmp_path, "app.log", lines), monkeypatch)
    assert one == other


def test_a_run_is_let_go_where_a_line_before_it_turns_out_to_have_a_stamp() -> None:
    bare = np.array([False, False, True, False, True, False])
    odd, nothing = np.arange(6) == 0, np.zeros(6, bool)
    for stamped, left in (([], True), ([2], False)):
        number = np.array([0])
        runs = runs_module.Runs(np.array([3]), np.array([5]), number, number, number, bare, np.array([True]))
        assert runs.let_go(odd, nothing, np.array(stamped, int)).any() != left
        assert runs.taken.tolist() == [left]


def test_few_lines_below_others_are_not_followed(tmp_path: Path, taken: list[int]) -> None:
    lines = [
        f"{iso(n)} ERROR lost {n}\nexit status {n % 9}" if n % 9 == 0 else f"{iso(n)} saved {n}" for n in range(2000)
    ]
    assert built(write(tmp_path, "app.log", lines)).events == 2000
    assert taken == [0, 0]


def test_runs_that_all_say_something_new_are_followed_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: list[int]
) -> None:
    monkeypatch.setattr(runs_module, "MANY_MET", 500)
    rng = Random(4)

    def said(_: Random, n: int) -> str:
        return f"{iso(n / 9)} ERROR lost {rng.randrange(9999)}_{rng.randrange(9999)}"

    spec = write(tmp_path, "app.log", log(rng, said, (ended,), 9000))
    assert built(spec).events == 9000
    assert 500 <= taken[0] < 1500
    assert taken[1] < taken[0] // 2
