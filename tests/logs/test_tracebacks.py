"""Stack traces as six runtimes (and two more) print them stay one event, however a collector wrapped their lines."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from subagents.logs.cited import CitedEvent, stack_group
from subagents.logs.index import LogIndex
from subagents.logs.params import WindowParams
from subagents.logs.sources import tracebacks
from subagents.logs.sources.log_source import LogSource
from subagents.logs.stack_tally import StackTally
from subagents.logs.stacks import read_trace
from tests.logs.builders import agent_for, call, iso, read, write
from tests.thinned import thinned

FOLDER = Path(__file__).with_name("tracebacks")
NAMES = [path.stem for path in sorted(FOLDER.glob("*.txt"))]


def traceback(name: str) -> tuple[list[str], list[str]]:
    """Return (language, exception, message, innermost own place) as expected, and the lines."""
    head, _, text = (FOLDER / f"{name}.txt").read_text(encoding="utf-8").partition("\n")
    return head.split(" | "), text.removesuffix("\n").split("\n")


def bare(second: int, lines: list[str]) -> list[str]:
    """As a program writes to a file of its own."""
    return [f"{iso(second)} {lines[0]}", *lines[1:]]


def kubectl(second: int, lines: list[str]) -> list[str]:
    """As `kubectl logs --timestamps` prints it: a stamp on every line."""
    return [f"{iso(second)} {line}" for line in lines]


def prefixed(second: int, lines: list[str]) -> list[str]:
    """As `kubectl logs --prefix --timestamps` prints it."""
    return [f"[pod/cart-7c9d8b6f5-x2x4z/cart] {iso(second)} {line}" for line in lines]


def cri(second: int, lines: list[str]) -> list[str]:
    """As containerd writes it."""
    return [f"{iso(second)} stderr F {line}" for line in lines]


def docker(second: int, lines: list[str]) -> list[str]:
    """As Docker's json-file driver writes it."""
    return [json.dumps({"log": line + "\n", "stream": "stderr", "time": iso(second)}) for line in lines]


def syslog(second: int, lines: list[str]) -> list[str]:
    """As rsyslog writes what a unit prints."""
    return [f"{iso(second)} web-1 cart[812]: {line}" for line in lines]


WRAPPINGS = (bare, kubectl, prefixed, cri, docker, syslog)


@pytest.mark.parametrize(
    ("name", "wrap"),
    thinned([(name, WRAPPINGS[(n + turn) % 6]) for n, name in enumerate(NAMES) for turn in range(6)], 5),
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_a_traceback_is_one_event(tmp_path: Path, name: str, wrap: Callable[[int, list[str]], list[str]]) -> None:
    (language, exception, message, place), lines = traceback(name)
    text = [
        *wrap(0, ["INFO listening"]),
        *wrap(1, ["ERROR request failed"]),
        *wrap(1, lines),
        *wrap(2, ["INFO ready", "INFO again"]),
    ]
    source, events = read(write(tmp_path, "x.log", text))
    counts = [event["lines"] for event in events]
    assert counts in ([1, 1, len(lines), 1, 1], [1, 1 + len(lines), 1, 1]), counts
    tally = StackTally()
    for frame in source.frames():
        tally.add(0, frame)
    assert len(tally.groups) == 1
    trace = next(iter(tally.groups.values())).trace
    own = next((frame.place for frame in trace.frames if frame.own), "")
    assert [trace.language, trace.exception, trace.message, own] == [language, exception, message, place]


@pytest.mark.parametrize("name", thinned(NAMES, 3, kind=lambda name: traceback(name)[0][0]))
def test_a_traceback_is_read_by_its_citation_as_it_was_counted(tmp_path: Path, name: str) -> None:
    _, lines = traceback(name)
    source = LogSource(write(tmp_path, "x.log", [*bare(1, ["ERROR request failed", *lines]), *bare(2, ["INFO ready"])]))
    index = LogIndex.build([source])
    (group,) = index.stacks.groups.values()
    event = CitedEvent(0, group.byte, group.lines, 0, (), None, None)
    assert stack_group(source, index, event) is group


@pytest.mark.parametrize("name", thinned(NAMES, 3, kind=lambda name: traceback(name)[0][0]))
def test_a_traceback_reads_the_same_in_a_field(tmp_path: Path, name: str) -> None:
    (language, exception, message, place), lines = traceback(name)
    record = {"time": iso(0), "level": "error", "msg": "request failed", "stack": "\n".join(lines)}
    source, _ = read(write(tmp_path, "x.log", [json.dumps(record)] * 2))
    tally = StackTally()
    for frame in source.frames():
        tally.add(0, frame)
    assert [(group.trace.language, group.trace.exception) for group in tally.groups.values()] == [(language, exception)]
    alone = read_trace("\n".join(lines))
    assert alone is not None
    assert alone.message == message
    assert next(frame.place for frame in alone.frames if frame.own) == place


def test_the_same_frames_may_throw_different_things(tmp_path: Path) -> None:
    frame = "\tat com.acme.Cart.load(Cart.java:12)"
    lines = []
    for number in range(12):
        thrown = "java.net.ConnectException: refused" if number % 3 else "java.net.SocketTimeoutException: late"
        lines += [f"{iso(number / 10)} ERROR lost", thrown, frame]
    found = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need()
    assert [(group.exception, group.count) for group in found.groups] == [
        ("java.net.ConnectException", 8), ("java.net.SocketTimeoutException", 4)
    ]  # fmt: skip


def test_what_is_thrown_need_not_be_called_an_error(tmp_path: Path) -> None:
    lines = []
    for number in range(12):
        thrown = "acme.errors.OrderFailed: no stock" if number % 3 else "acme.errors.CardDeclined"
        source = ["Traceback (most recent call last):", '  File "/app/pay.py", line 7, in charge', "    raise mapped"]
        lines += [f"{iso(number / 10)} ERROR lost order{number}: told", *source, thrown]
    found = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need()
    assert [(group.exception, group.count) for group in found.groups] == [
        ("acme.errors.OrderFailed", 8), ("acme.errors.CardDeclined", 4)
    ]  # fmt: skip


def test_java_throws_and_causes_of_any_name_are_told(tmp_path: Path) -> None:
    frames, lines = ["\tat com.acme.Cart.load(Cart.java:12)", "\tat com.acme.Cart.main(Cart.java:5)"], list[str]()
    causes = ["", "Caused by: com.acme.PoolDrained: none left", "Caused by: com.acme.Throttled"]
    for number, cause in enumerate(causes * 3):
        told = [cause, "\tat com.acme.Pool.get(Pool.java:7)"] if cause else []
        lines += [f"{iso(number / 10)} ERROR lost", f"com.acme.OrderRejected: order {number}", *frames, *told]
    found = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need()
    assert [(group.exception, group.message, group.count) for group in found.groups] == [
        ("com.acme.OrderRejected", "order 0", 3),
        ("com.acme.PoolDrained", "none left", 3),
        ("com.acme.Throttled", "", 3),
    ]  # fmt: skip


def test_a_trace_without_a_message_has_the_name_of_what_is_thrown(tmp_path: Path) -> None:
    frames, lines = ["    at charge (/app/pay.js:3:4)", "    at post (/app/api.js:9:1)"], list[str]()
    for number in range(4):
        lines += [f"{iso(number)} ERROR lost", "CardDeclined: no" if number % 2 else "QuotaGone: none", *frames]
    found = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need()
    assert [(group.exception, group.count) for group in found.groups] == [("QuotaGone", 2), ("CardDeclined", 2)]


def test_the_first_of_a_group_is_the_earliest_wherever_it_stands(tmp_path: Path) -> None:
    trace = ["java.io.IOException: lost", "\tat com.acme.Cart.load(Cart.java:12)"]
    lines = [f"{iso(5)} ERROR lost", *trace, f"{iso(3)} ERROR lost", *trace]
    (group,) = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need().groups
    assert group.first_seen is not None
    assert f"{group.first_seen:%S}" == "03"
    assert group.citation.endswith("+3")
    assert "@0+" not in group.citation


@pytest.mark.parametrize("seed", thinned(range(6), 3))
def test_runs_of_lines_that_were_met_before_are_read_as_at_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    rng, lines = Random(seed), list[str]()
    for second in range(300):
        _, trace = traceback(rng.choice(NAMES))
        trace = trace[rng.choice((0, 0, 0, 1, 2)) : rng.choice((1, 2, 3, 5, None, None))]
        if rng.random() < 0.2:
            trace.insert(rng.randrange(len(trace) + 1), rng.choice(("", "told so", "  }", "[1, 2", "3]", "Error: odd")))
        lines += rng.choice((bare, bare, kubectl, prefixed, cri))(second, trace or ["nothing"])
    spec = write(tmp_path, "x.log", lines)
    known = tracebacks._RUNS
    known.clear()
    first, again = read(spec)[1], read(spec)[1]
    assert len(known) > 20
    monkeypatch.setattr(tracebacks, "LONGEST_KNOWN", 0)
    known.clear()
    assert first == again == read(spec)[1]
    assert not known


def goroutine(number: int, state: str, *calls: str) -> str:
    """Return a part of a dump."""
    return "\n".join((f"goroutine {number} [{state}]:", *calls))


RULES = "main.rules(0xc00019)\n\t/src/rules.go:142 +0x1d5"
CACHE = "main.(*Cache).loop(0xc00006)\n\t/src/cache.go:31 +0x9c"
MAIN = "main.main()\n\t/src/main.go:9 +0x8a"
POLL = "internal/poll.runtime_pollWait(0xc00016, 0x72)\n\t/usr/local/go/src/runtime/netpoll.go:343 +0x85"
IDLE = "runtime.futex(0x55, 0x80)\n\t/usr/local/go/src/runtime/sys_linux_amd64.s:557 +0x21"


def places(dump: str) -> list[str]:
    """Return the places of a trace's frames, by the names of their files."""
    trace = read_trace(dump)
    assert trace is not None
    return [frame.place.rpartition("/")[2] for frame in trace.frames]


def test_the_frames_of_a_panic_are_those_of_the_goroutine_that_panicked() -> None:
    others = [goroutine(7, "IO wait", POLL), goroutine(8, "select, 3 minutes", CACHE)]
    for some in ([], others, others[::-1]):
        assert places("\n\n".join(["panic: gone", goroutine(933, "running", POLL, RULES), *some])) == [
            "netpoll.go:343", "rules.go:142"
        ]  # fmt: skip


def test_a_dump_without_a_panic_is_about_one_goroutine_of_own_code() -> None:
    quit_ = ["SIGQUIT: quit\nPC=0x46 m=0 sigcode=0", goroutine(0, "idle", IDLE)]
    first, later = goroutine(1, "chan receive, 9 minutes", MAIN), goroutine(8, "select", CACHE)
    assert places("\n\n".join([*quit_, first, goroutine(7, "IO wait", POLL), later])) == ["main.go:9"]
    assert places("\n\n".join([*quit_, first, later])) == ["main.go:9"]


def test_panics_beside_other_goroutines_are_one_group(tmp_path: Path) -> None:
    lines, rng = list[str](), Random(7)
    for second in range(9):
        others = [goroutine(rng.randrange(99), "IO wait", rng.choice((POLL, CACHE, MAIN))) for _ in range(3)]
        dump = "\n\n".join(["panic: gone", goroutine(rng.randrange(99), "running", RULES), *others])
        lines += [f"{iso(second)} INFO served", *dump.split("\n")]
    (group,) = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need().groups
    assert (group.count, group.own_place) == (9, "/src/rules.go:142")
