"""Lines of new classes whose first words others had are told by those: nothing may come out otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import pytest

from subagents.logs.native import CHILD, HOSTED, LITERAL, SLOW, VERIFIED
from subagents.logs.sources import access, alike, siblings
from subagents.logs.sources.class_findings import Finding
from subagents.logs.sources.siblings import ENOUGH_ALIKE, MORE, PROGRAM, VARIES, Groups, Head
from tests.logs.both_ways import built, small_blocks, what_it_says, without_library
from tests.logs.builders import iso, write
from tests.thinned import thinned

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")


def name(rng: Random) -> str:
    return "".join(rng.choices("abcdefghij", k=7))


def users(rng: Random) -> Iterator[str]:
    """One kind of statement, in each line another name; now and then one that goes on, or is another."""
    odd = (
        "INFO to all the user {} failed\n    at com.acme.Cart.add(Cart.java:17)\n    at com.acme.Main.main(M.java:3)",
        "INFO to all the user {}\n  went away",
        "INFO to all the user {} " + "and on " * 100,
        "INFO to all the user {} café",
        "INFO to all the user {} \x1b[31mred\x1b[0m",
        '{{"level":"error","msg":"user {} is gone"}}',
        "ERROR to all the user {} is gone",
    )
    for n in range(1200):
        form = rng.choice(odd) if rng.random() < 0.02 else "INFO to all the user {} came in"
        yield f"{iso(n // 10)} {form.format(name(rng))} in {rng.randrange(90)} ms"


def requests(rng: Random) -> Iterator[str]:
    """Late, some of the statements are requests, though they begin as the others do."""
    for n in range(1200):
        asked, status = "GET" if n > 800 and n % 50 < 7 else "got", rng.choice((200, 503))
        said = f'"{asked} /cart HTTP/1.1" {status} 17'
        who = name(rng) if n < 1000 else "somebody"
        yield (
            f"{iso(n // 10)} INFO to all the {who} asked {said} times" if n > 4 else f'{iso(0)} "GET / HTTP/1.1" 200 17'
        )


def calls(rng: Random) -> Iterator[str]:
    """Some are calls of a trace, though they begin as the others do."""
    for n in range(1200):
        yield f"{iso(n // 10)} com.acme.run(one two three four {name(rng)}{')' if n % 50 == 7 else ''}"


def within(rng: Random) -> Iterator[str]:
    """The stamp stands in brackets."""
    for n in range(1200):
        yield f"[{iso(n // 10)}] WARN [cache-{rng.randrange(4)}] so far shard {name(rng)} is cold after {n} s"


def programs(rng: Random) -> Iterator[str]:
    """Syslog: hosts and numbers of processes vary, and the program is the service."""
    for n in range(1200):
        head = f"web-{rng.randrange(5):02d} sshd[{rng.randrange(10 ** rng.randrange(2, 6))}]:"
        yield f"Mar  1 12:{n // 60 % 60:02d}:{n % 60:02d} {head} Invalid user {name(rng)} from 10.0.0.{n % 250}"


def keyed(rng: Random) -> Iterator[str]:
    """A pair anywhere in the text names the service, so that first words do not tell."""
    for n in range(1200):
        service = rng.choice(("cart", "pay"))
        yield f'time={iso(n // 10)} level=info msg="user {name(rng)} came in" ms={n % 90} service={service}'


def completed(rng: Random) -> Iterator[str]:
    """Requests that look as the other statements do, but for one word, and are fewer than those."""
    for n in range(1200):
        said, number = rng.choice(("Read", "Sent", "Kept", "Made", "Took", "Left")), rng.randrange(100, 600)
        if n % 12 == 5:
            said, number = "Completed", rng.choice((200, 404, 503))
        yield f"{iso(n // 10)} INFO app web worker {said} {number} OK in {rng.randrange(10, 99)}ms"


def numbered(rng: Random) -> Iterator[str]:
    """A pair far behind names the service, here and there by a number, where others have one too."""
    for n in range(1200):
        last = "service=pay" if n % 3 else f"shard={rng.randrange(7)}"
        said = rng.choice(("came", "went", "paid", "left", "asked", "saw"))
        if n > 160 and n % 40 == 7:
            said, last = "goes", f"service=cart{rng.randrange(4)}"
        yield f"time={iso(n // 10)} level=info at=web msg={said} a b c d {last}"


def wrapped(rng: Random) -> Iterator[str]:
    """Objects behind host and program that were cut; late, some are whole, and say more than their text."""
    for n in range(1200):
        said = f'{{"app": "cart", "msg": "settled {n}"}}'
        if n > 80:
            end = "}" if n > 800 and rng.random() < 0.1 else ""
            said = f'{{"to": "all the", "msg": "{name(rng)} came {n}", "app": "{rng.choice(("cart", "pay"))}"{end}'
        yield f"Mar  1 12:{n // 60 % 60:02d}:{n % 60:02d} web api[{rng.randrange(100, 999)}]: {said}"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """How many lines were told, and how many had to be read after all, by block."""
    found, inner = list[tuple[int, int]](), siblings.siblings_of

    def counting(*args: Any) -> Any:
        those, odd = inner(*args)
        found.append((int((~odd).sum()), int(odd.sum())))
        return those, odd

    monkeypatch.setattr(alike, "siblings_of", counting)
    return found


@pytest.mark.parametrize(
    ("lines", "least", "odd"),
    thinned(
        [
            (users, 600, 0),
            (within, 600, 0),
            (programs, 600, 0),
            (requests, 400, 1),
            (calls, 600, 8),
            (wrapped, 600, 4),
            (keyed, 0, 0),
            (completed, 0, 0),
            (numbered, 0, 0),
        ],
        2,
    ),
    ids=lambda each: getattr(each, "__name__", str(each)),
)
def test_nothing_comes_out_otherwise(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    told: list[tuple[int, int]],
    lines: Callable[[Random], Iterator[str]],
    least: int,
    odd: int,
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    said = what_it_says(built(spec))
    assert bool(told) == bool(least)
    assert sum(block[0] for block in told) >= least
    assert sum(block[1] for block in told) >= odd
    assert said == what_it_says(without_library(spec, monkeypatch))


class _Classes:
    """Classes 0 to 9 are of one group, 10 of another."""

    def __init__(self) -> None:
        import numpy as np

        self.group = np.array([7] * 10 + [9], np.uint64)
        self.flags = np.full(11, VERIFIED, np.uint8)
        self.literal, self.host_word = np.zeros(11, np.uint32), np.zeros(11, np.uint8)
        self.settled: list[tuple[int, int]] = []

    def settle(self, group: int, flags: int, literal: int, host_word: int) -> None:
        self.settled.append((group, flags))


def test_a_group_is_settled_by_enough_of_its_classes_until_one_differs() -> None:
    import numpy as np

    classes: Any = _Classes()
    groups = Groups(classes)
    for number in range(ENOUGH_ALIKE):
        assert not groups.settled(np.arange(11)).any()
        groups.add(np.array([number]), [Finding(LITERAL | HOSTED, 5, 2)])
    assert classes.settled == [(7, LITERAL | HOSTED)]
    assert groups.settled(np.arange(11)).tolist() == [True] * 10 + [False]
    assert classes.flags.tolist() == [LITERAL | HOSTED] * 10 + [VERIFIED]
    assert classes.literal.tolist() == [5] * 10 + [0]
    assert classes.host_word.tolist() == [2] * 10 + [0]
    groups.add(np.array([8]), [Finding(SLOW)])
    assert classes.settled[-1] == (7, 0)
    assert not groups.settled(np.arange(11)).any()


def test_heads_are_told_where_all_said_the_same_and_hosts_only_by_a_word_of_the_line() -> None:
    import numpy as np

    classes: Any = _Classes()
    groups, head = Groups(classes), Head(3, 1, 4, program=True)

    def told(*which: int) -> list[tuple[int, ...] | None]:
        return [tuple(row) if row[PROGRAM] != MORE else None for row in groups.heads(np.array(which)).tolist()]

    groups.learn(np.arange(ENOUGH_ALIKE - 1), np.array([head] * (ENOUGH_ALIKE - 1)))
    assert told(9) == [None]
    groups.learn(np.array([8]), np.array([head]))
    assert told(9, 10, -1) == [head, None, None]
    groups.learn(np.array([7]), np.array([head._replace(host=5)]))
    assert told(9) == [None]
    classes.flags[9] |= HOSTED
    assert told(9, 8) == [head._replace(host=VARIES), None]
    groups.learn(np.array([6]), np.array([head._replace(level=5)]))
    assert told(9) == [None]
    assert groups.heads(np.array([], np.int32)).shape == (0, len(head))


def test_heads_that_come_at_once_tell_what_they_tell_one_by_one() -> None:
    import numpy as np

    heads = [(3, 1, 4, 1), (3, 1, 5, 1), (3, 1, 4, MORE), (5, 1, 4, 1), (3, 1, 4, 0)]
    for many in product(heads, repeat=3):
        at_once, by_one = Groups(_Classes()), Groups(_Classes())  # type: ignore[arg-type]
        at_once.learn(np.arange(2, 5), np.array(many))
        for number, each in enumerate(many, 2):
            by_one.learn(np.array([number]), np.array([each]))
        assert at_once._heads == by_one._heads, many


def test_what_is_needed_of_a_group_is_no_more_than_settles_it() -> None:
    import numpy as np

    groups = Groups(_Classes())  # type: ignore[arg-type]
    assert groups.not_enough(np.arange(11)).tolist() == [True] * ENOUGH_ALIKE + [False] * 5 + [True]


def test_requests_are_told_apart_from_what_begins_as_they_do_once() -> None:
    import numpy as np

    classes: Any = _Classes()
    groups = Groups(classes)
    for number in range(ENOUGH_ALIKE):
        groups.add(np.array([number]), [Finding(VERIFIED)])
    classes.flags[3] = VERIFIED | CHILD
    met, with_status = np.array([8, 3, 9, -1]), np.array([True, True, False, True])
    assert groups.apart(met, with_status).tolist() == [True, False, False, False]
    assert classes.flags[[8, 3, 9]].tolist() == [0, VERIFIED | CHILD, VERIFIED]
    assert groups.settled(np.array([8, 9])).tolist() == [False, True]
    assert groups.not_enough(np.arange(11)).tolist() == [True] * ENOUGH_ALIKE + [False] * 3 + [True, False, True]
    classes.flags[8] = VERIFIED
    assert not groups.apart(met, with_status).any()


def test_requests_are_told_from_what_only_looks_like_one() -> None:
    import polars as pl

    lines = (
        '10.0.0.1 - - [05/Nov/2026:12:00:00 +0000] "GET /cart HTTP/1.1" 503 17',
        'he asked for "GET /cart" and 503 of them came',
        "nothing of the kind 503",
        'Completed 200 OK in 12ms (Views: "GET")',
    )
    reader = access.AccessReader(access._FORMS)
    assert reader.has_status(pl.Series(lines)).tolist() == [True, False, False, True]
    assert access.AccessReader().has_status(pl.Series(lines)).tolist() == [False] * len(lines)
