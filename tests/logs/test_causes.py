"""What a trace is named after and where that was thrown belong together, however a runtime writes causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.logs.params import WindowParams
from subagents.logs.stacks import read_trace
from tests.logs.builders import agent_for, call, iso, write


def java(indent: str, thrown: str, *frames: str, more: int = 0) -> list[str]:
    """Return a part of a trace as the JVM prints it; frames are `Class.method:line` of com.acme, or of a library."""
    placed = [
        f"{indent}\tat {'' if name.startswith('org.') else 'com.acme.'}{name}({name.split('.')[-2]}.java:{line})"
        for name, line in (frame.split(":") for frame in frames)
    ]
    return [indent + thrown, *placed, *([f"{indent}\t... {more} more"] if more else [])]


def told(*parts: list[str]) -> tuple[str, list[str]]:
    """Return the name of what a trace of such parts threw, and where its frames are."""
    trace = read_trace("\n".join(line for part in parts for line in part))
    assert trace is not None
    return trace.exception, [frame.place.rpartition("/")[2] for frame in trace.frames]


OUTER = java("", "com.acme.OrderException: lost", "Web.post:61", "Shop.order:40", "org.eclipse.jetty.Server.run:9")


def test_the_frames_of_the_deepest_cause_come_first() -> None:
    middle = java("", "Caused by: com.acme.PriceException: none", "Prices.total:120", more=2)
    deepest = java("", "Caused by: java.lang.NullPointerException", "Table.amount:33", "Prices.total:118", more=2)
    assert told(OUTER, middle, deepest) == (
        "java.lang.NullPointerException",
        ["Table.java:33", "Prices.java:118", "Shop.java:40", "Server.java:9", "Prices.java:120", "Web.java:61"],
    )


def test_a_cause_within_a_library_was_called_by_the_frames_that_it_shares() -> None:
    cause = java("", "Caused by: java.io.IOException: reset", "org.apache.http.Client.send:7", more=2)
    assert told(OUTER, cause) == (
        "java.io.IOException",
        ["Client.java:7", "Shop.java:40", "Server.java:9", "Web.java:61"],
    )


def test_more_shared_frames_than_are_printed_are_those_that_are() -> None:
    cause = java("", "Caused by: java.io.IOException: reset", "org.apache.http.Client.send:7", more=99)
    assert told(OUTER, cause)[1] == ["Client.java:7", "Web.java:61", "Shop.java:40", "Server.java:9"]


def test_what_was_suppressed_is_no_part_of_what_was_thrown() -> None:
    suppressed = java("\t", "Suppressed: java.lang.IllegalStateException: closing", "Client.close:9", more=2)
    nested = java("\t\t", "Suppressed: java.io.EOFException", "Pool.end:3", more=2)
    of_it = java("\t", "Caused by: java.net.SocketException: gone", "Socket.close:4", more=3)
    cause = java("", "Caused by: java.io.IOException: reset", "Client.send:7", more=2)
    names = ["Client.java:7", "Shop.java:40", "Server.java:9", "Web.java:61"]
    assert told(OUTER, suppressed, nested, of_it, cause) == ("java.io.IOException", names)
    assert told(OUTER, suppressed, of_it) == (
        "com.acme.OrderException",
        ["Web.java:61", "Shop.java:40", "Server.java:9"],
    )


def test_a_cause_stays_one_where_a_collector_took_what_lines_begin_with() -> None:
    suppressed = java("", "Suppressed: java.lang.IllegalStateException: closing", "Client.close:9")
    cause = java("", "Caused by: java.io.IOException: reset", "Client.send:7")
    lines = [[line.lstrip() for line in part] for part in (OUTER, suppressed, cause)]
    assert told(*lines) == ("java.io.IOException", ["Client.java:7", "Web.java:61", "Shop.java:40", "Server.java:9"])


def test_a_cause_in_node_was_thrown_where_its_own_frames_say() -> None:
    lines = [
        "Error: cannot place order",
        "    at place (/srv/app/orders.js:41:11) {",
        "  [cause]: StockGone: none left",
        "      at take (/srv/app/stock.js:88:13)",
        "      at node:internal/timers:581:17 {",
        "    [cause]: TypeError: row is null",
        "        at read (/srv/app/rows.js:3:1)",
    ]
    assert told(lines) == ("TypeError", ["rows.js:3", "stock.js:88", "timers:581", "orders.js:41"])


@pytest.mark.parametrize(
    "head",
    [
        ["Shop.OrderException: lost", " ---> Shop.StockException: gone", " ---> Shop.RowMissing: none"],
        ["Shop.OrderException: lost ---> Shop.StockException: gone ---> Shop.RowMissing: none"],
    ],
)
def test_the_innermost_of_dotnet_is_named_with_its_frames(head: list[str]) -> None:
    frames = [
        "   at Shop.Rows.Read(String id) in /src/Rows.cs:line 17",
        "   --- End of inner exception stack trace ---",
        "   at Shop.Api.Post(String id) in /src/Api.cs:line 40",
    ]
    other = [" ---> (Inner Exception #1) Shop.MailException: late", "   at Shop.Mail.Send() in /src/Mail.cs:line 5<---"]
    assert told(head, frames) == told(head, frames, other) == ("Shop.RowMissing", ["Rows.cs:17", "Api.cs:40"])


@pytest.mark.parametrize(
    "link",
    [
        "During handling of the above exception, another exception occurred:",
        "The above exception was the direct cause of the following exception:",
    ],
)
def test_what_python_raised_last_is_named_with_its_frames(link: str) -> None:
    first = ["Traceback (most recent call last):", '  File "/srv/rows.py", line 3, in read', "KeyError: 'sku'"]
    last = ["Traceback (most recent call last):", '  File "/srv/api.py", line 40, in post', "shop.OrderLost: none"]
    assert told(first, ["", link, ""], last) == ("shop.OrderLost", ["api.py:40", "rows.py:3"])


def test_the_same_cause_is_one_group_whatever_its_message_is(tmp_path: Path) -> None:
    lines = list[str]()
    for number in range(6):
        cause = java("", f"Caused by: com.acme.NoRow: cart {number}", "Table.amount:33", more=2)
        lines += [f"{iso(number)} ERROR request failed", *OUTER, *cause]
    (group,) = call(agent_for(write(tmp_path, "x.log", lines)), "logs_stacks", WindowParams()).need().groups
    assert (group.count, group.exception, group.own_place) == (6, "com.acme.NoRow", "com/acme/Table.java:33")
