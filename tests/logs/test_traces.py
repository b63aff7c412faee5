"""Stack traces of six runtimes are one event each, grouped by frames, with own code as file:line."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs import stack_tally, stacks
from subagents.logs.index import LogIndex
from subagents.logs.model import LogsStacks
from subagents.logs.params import WindowParams
from subagents.logs.sources.log_source import LogSource
from subagents.logs.stacks import read_trace
from tests.logs.builders import agent_for, call, iso, read, write

PYTHON = """\
Traceback (most recent call last):
  File "/usr/lib/python3.11/site-packages/flask/app.py", line 1820, in full_dispatch_request
    rv = self.dispatch_request()
  File "/srv/app/orders/stock.py", line 88, in take
    raise StockError("negative")
orders.errors.StockError: negative"""
JAVA = """\
java.lang.RuntimeException: order failed
\tat org.springframework.web.servlet.FrameworkServlet.service(FrameworkServlet.java:897)
\tat com.acme.orders.OrderService.place(OrderService.java:41)
Caused by: java.lang.IllegalStateException: stock is negative
\tat com.acme.orders.Stock.take(Stock.java:88)
\t... 12 more"""
GO = """\
panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x0 pc=0x64]

goroutine 18 [running]:
net/http.(*conn).serve(0xc0000b0000)
\t/usr/local/go/src/net/http/server.go:1995 +0x612
github.com/acme/orders/stock.(*Store).Take(0x0, 0xc000010)
\t/srv/orders/stock/store.go:88 +0x1d
created by net/http.(*Server).Serve
\t/usr/local/go/src/net/http/server.go:3089 +0x5ed"""
NODE = """\
TypeError: Cannot read properties of undefined (reading 'sku')
    at take (/srv/app/src/stock.js:88:13)
    at async place (/srv/app/src/orders.js:41:5)
    at Layer.handle (/srv/app/node_modules/express/lib/router/layer.js:95:5)
    at node:internal/process/task_queues:95:5"""
RUST = """\
thread 'main' panicked at src/stock.rs:88:9:
stock is negative
stack backtrace:
   0: rust_begin_unwind
             at /rustc/90b35a6/library/std/src/panicking.rs:645:5
   1: orders::stock::take
             at ./src/stock.rs:88:9
   2: orders::main
             at ./src/main.rs:12:5"""
DOTNET = """\
System.InvalidOperationException: Stock is negative
   at Acme.Orders.Stock.Take(String sku) in /src/Orders/Stock.cs:line 88
   at Microsoft.AspNetCore.Mvc.Infrastructure.ActionMethodExecutor.Execute(Object controller)"""

TRACES = [
    ("Python", PYTHON, "orders.errors.StockError", "/srv/app/orders/stock.py:88"),
    ("Java", JAVA, "java.lang.IllegalStateException", "com/acme/orders/Stock.java:88"),
    ("Go", GO, "panic", "/srv/orders/stock/store.go:88"),
    ("Node", NODE, "TypeError", "/srv/app/src/stock.js:88"),
    ("Rust", RUST, "panic", "./src/stock.rs:88"),
    (".NET", DOTNET, "System.InvalidOperationException", "/src/Orders/Stock.cs:88"),
]
IDS = [language for language, *_ in TRACES]


@pytest.mark.parametrize(("language", "trace", "exception", "place"), TRACES, ids=IDS)
def test_frames_are_read_and_own_code_is_told_apart(language: str, trace: str, exception: str, place: str) -> None:
    found = read_trace(trace)
    assert found is not None
    assert (found.language, found.exception) == (language, exception)
    assert next(frame.place for frame in found.frames if frame.own) == place
    assert any(not frame.own for frame in found.frames)


@pytest.mark.parametrize(("language", "trace", "exception", "place"), TRACES, ids=IDS)
def test_a_trace_in_a_text_log_is_one_event(
    tmp_path: Path, language: str, trace: str, exception: str, place: str
) -> None:
    lines = []
    for n in range(3):
        lines += [
            f"{iso(n)} INFO before",
            f"{iso(n)} ERROR request {n} failed",
            *trace.split("\n"),
            f"{iso(n)} INFO after",
        ]
    spec = write(tmp_path, "x.log", lines)
    _, events = read(spec)
    assert [event["lines"] for event in events] == [1, 1 + trace.count("\n") + 1, 1] * 3
    data = call(agent_for(spec), "logs_stacks", WindowParams()).data
    assert isinstance(data, LogsStacks)
    assert [(group.count, group.exception, group.own_place) for group in data.groups] == [(3, exception, place)]


@pytest.mark.parametrize(("language", "trace", "exception", "place"), TRACES, ids=IDS)
def test_a_trace_in_a_json_field_is_grouped_too(
    tmp_path: Path, language: str, trace: str, exception: str, place: str
) -> None:
    import json

    record = {"ts": iso(0), "level": "error", "msg": "request failed", "service": "orders", "stack": trace}
    spec = write(tmp_path, "x.log", [json.dumps(record)] * 4)
    data = call(agent_for(spec), "logs_stacks", WindowParams()).data
    assert isinstance(data, LogsStacks)
    assert [(group.count, group.exception, group.own_place) for group in data.groups] == [(4, exception, place)]
    assert data.groups[0].services == ("orders",)
    assert place.rpartition(":")[0] in data.groups[0].terms


def test_a_collector_that_stamps_every_line_does_not_tear_traces(tmp_path: Path) -> None:
    lines = [
        f"{iso(0)} ERROR request failed",
        *(f"{iso(0)} {line}" for line in JAVA.split("\n")),
        f"{iso(1)} INFO after",
    ]
    _, events = read(write(tmp_path, "x.log", lines))
    assert len(events) <= 3
    assert sum(event["lines"] for event in events) == len(lines)


def test_an_uncaught_trace_after_a_quiet_line_is_its_own_event(tmp_path: Path) -> None:
    spec = write(tmp_path, "x.log", [f"{iso(0)} INFO all is well", *PYTHON.split("\n")])
    _, events = read(spec)
    assert [event["lines"] for event in events] == [1, 6]
    assert not events[1]["own"]


def test_a_stamped_line_after_an_unstamped_trace_is_an_event_of_its_own(tmp_path: Path) -> None:
    said = "com.acme.jobs.nightly: told to run, but its time has not come"
    lines = [f"{iso(0)} ERROR request failed", *JAVA.split("\n"), f"{iso(1)} {said}", f"{iso(2)} INFO after"]
    _, events = read(write(tmp_path, "x.log", lines))
    assert [event["text"].strip() for event in events][-2:] == [said, "INFO after"]
    assert events[0]["lines"] == len(lines) - 2


def test_traces_of_two_pods_printed_into_each_other_are_not_read_as_one(tmp_path: Path) -> None:
    def printed(pod: str, text: str) -> list[str]:
        said = f"2026-03-01 12:00:00,123 ERROR [main] c.a.Shop - failed\n{text}".split("\n")
        return [f"[pod/{pod}/shop] {line}" for line in said]

    lease = "java.lang.IllegalStateException: no lease\n\tat com.acme.Lease.take(Lease.java:20)"
    orders = printed("shop-6d8f9b7c4d-x2x4z", lease)
    mail = printed("shop-6d8f9b7c4d-tr7wd", "java.net.ConnectException: refused\n\tat com.acme.Mail.send(Mail.java:9)")
    spec = write(tmp_path, "shop.log", [line for pair in zip(orders, mail, strict=True) for line in pair])
    stacks = call(agent_for(spec), "logs_stacks", WindowParams()).data
    assert isinstance(stacks, LogsStacks)
    assert [(each.exception, [frame.place for frame in each.frames]) for each in stacks.groups] == [
        ("java.net.ConnectException", ["com/acme/Mail.java:9"])
    ]


def test_frames_that_differ_in_addresses_and_goroutines_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen, frames = list[list[str]](), stacks.frames_of

    def noted(lines: list[str]) -> stacks.Frames:
        seen.append(lines)
        return frames(lines)

    monkeypatch.setattr(stack_tally, "frames_of", noted)
    other = GO.replace("goroutine 18", "goroutine 531").replace("0xc0000b0000", "0xc0000f1230")
    lines = [f"{iso(n)} ERROR recovered\n{trace}" for n, trace in enumerate((GO, other))]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    ((group,), (first,)) = index.stacks.groups.values(), seen
    assert (sum(group.counts.values()), index.stacks.traces) == (2, 2)
    assert "goroutine 18 [running]:" in first


def test_a_trace_is_named_by_what_it_says_itself_however_long_the_first_one_was(tmp_path: Path) -> None:
    dump = "\n".join(f"    row {n} of the dump" for n in range(2_000))
    below = ["\tat com.acme.Cart.load(Cart.java:12)", "Caused by: com.acme.Deep: gone"]
    lines = list[str]()
    for n in range(4):
        lines += [f"{iso(20 * n)} ERROR lost", "java.lang.FooException: full", *([] if n else [dump]), *below]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    found = {group.trace.exception: sum(group.counts.values()) for group in index.stacks.groups.values()}
    assert found["com.acme.Deep"] >= 3


def test_traces_of_no_known_language_are_told_apart_by_their_places_whenever_they_come(tmp_path: Path) -> None:
    lines = [f"{iso(20 * n)} ERROR failed at src/main.cpp:{10 + n % 2} job {n}\n   at something" for n in range(6)]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    assert sorted(sum(group.counts.values()) for group in index.stacks.groups.values()) == [3, 3]


def test_a_plain_error_is_not_counted_with_what_was_thrown_at_the_same_place_without_a_name(tmp_path: Path) -> None:
    frames = ["    at save (/srv/app/store.js:3:1)", "    at main (/srv/app/main.js:7:1)"]
    lines = [
        line for n in range(6) for line in (f"{iso(n)} ERROR lost", "Error: full" if n % 3 else "went away", *frames)
    ]
    index = LogIndex.build([LogSource(write(tmp_path, "app.log", lines))])
    found = {group.trace.exception: sum(group.counts.values()) for group in index.stacks.groups.values()}
    assert found == {"Error": 4, "": 2}
