"""Words may matter beside others only, or once letters or digits are others: nothing may come out otherwise."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from tests.logs.both_ways import built, built_counting, small_blocks, what_it_says, without_library
from tests.logs.builders import iso, write
from tests.thinned import thinned

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")

UWSGI = (
    "[pid: 7|app: 0|req: 7/7] 10.0.0.7 () {{30 vars}} [Sun Mar  1 12:{:02d}:{:02d} 2026] GET {} => generated {} bytes"
    " in 3 msecs (HTTP/1.1 {}) 2 headers"
)


def levels_of_statuses(rng: Random) -> Iterator[str]:
    """A status of 500 and more makes an error of what has another level."""
    for n in range(1600):
        level, status = (30, 502) if n < 600 else (rng.choice((30, 50)), rng.choice((200, 404, 504)))
        yield f'{{"time":"{iso(n)}","level":{level},"msg":"request","status":{status},"ms":{rng.randrange(90)}}}'


def paths_of_statuses(rng: Random) -> Iterator[str]:
    """Of a line without a status the path is a word like others; the layout is known by others before."""
    for n in range(1600):
        status = 200 if n < 40 else 0 if n < 800 else rng.choice((200, 404, 503))
        path = f"/{rng.choice(('orders', 'carts', 'users'))}/{rng.randrange(900)}" if n >= 40 else "/"
        yield UWSGI.format(n // 60 % 60, n % 60, path, rng.randrange(900), status)


def letters_of_levels(rng: Random) -> Iterator[str]:
    """What klog's first letter says, the text says too, at first."""
    for n in range(1600):
        letter = "W" if n < 600 else rng.choice("IWEF")
        said = f"{letter}0301 12:00:00.{rng.randrange(10**6):06d}    {rng.randrange(90)} pods.go:{rng.randrange(90)}]"
        yield f"{iso(n)[:-5]}.123456789Z stderr F {said} {'level=warning' if n % 9 else 'ok'}: pod {n}"


def levels_behind_queries(rng: Random) -> Iterator[str]:
    """Numbers of paths stand where those of levels do in other lines."""
    for n in range(2000):
        is_first = n < 400
        status = 404 if is_first else 502 if n < 1200 else rng.choice((200, 502))
        path = f"/search?q={rng.choice('abcdefgh')}&page={n % 90}" if is_first else "/carts"
        level = '"info"' if is_first else 30 if n < 1200 else rng.choice((30, 50))
        yield f'{{"time":"{iso(n)}","msg":"request","status":{status},"path":"{path}","level":{level}}}'


def shades_beside_statuses(rng: Random) -> Iterator[str]:
    """Of requests that went well nobody need say the severity; some do, with a number."""
    for n in range(2000):
        severity = "INFO2" if n < 500 else rng.choice(("INFO", "INFO2", "WARN4", "ERROR3"))
        said = f'"msg":"request {n}","ms":{n % 7},"pid":3,"n":{n},"status":{rng.choice((200, 404, 503))}'
        yield f'{{"time":"{iso(n)}",{said},"severityText":"{severity}"}}'


def letters_with_numbers(rng: Random) -> Iterator[str]:
    """Letters that are no severity come first."""
    for n in range(1600):
        level = "L3" if n < 600 else rng.choice(("L1", "V2", "E-4"))
        yield f'{{"time":"{iso(n)}","msg":"order {n}","level":"{level}"}}'


def levels_of_three_digits(rng: Random) -> Iterator[str]:
    """Numbers that are no severity come first."""
    for n in range(1600):
        yield f'{{"time":"{iso(n)}","msg":"order {n}","level":{300 if n < 600 else rng.choice((30, 50))}}}'


def statuses_beside_statuses(rng: Random) -> Iterator[str]:
    """What a balancer answered is a status only beside what the target did, which has to be one or 0."""
    for n in range(1600):
        first, second = (0, 200) if n < 800 else (rng.choice((200, 404, 503)), rng.choice((0, 200)))
        path = f"/{rng.choice(('orders', 'carts', 'users'))}/{rng.randrange(900)}"
        said = f"{first} {second} {rng.randrange(100, 999)} {rng.randrange(100, 999)}"
        kind, said = ("h2", said) if n >= 40 else ("https", "503 0 123 456")
        yield f'{kind} {iso(n)} app/lb 10.0.0.7:443 0.001 {said} "GET {path} HTTP/2"'


def statuses_in_pairs(rng: Random) -> Iterator[str]:
    """A request that failed is an error, unless the line itself says more."""
    for n in range(1600):
        level, status = rng.choice(("info", "info", "warn", "debug")), 200 if n < 600 else rng.choice((200, 404, 503))
        path = f"/{rng.choice(('orders', 'carts'))}/{rng.randrange(900)}"
        yield f'time="{iso(n)}" level={level} msg="request" method=GET path={path} status={status} took={n % 90}ms'


def statuses_of_none(rng: Random) -> Iterator[str]:
    """Some write -1 where there was no answer."""
    for n in range(1600):
        status = -1 if 40 < n < 800 else rng.choice((200, 404, 503))
        path = f"/{''.join(rng.choices('abc', k=2))}" if n > 40 else "/"
        yield f'{iso(n)} level=info msg="E5" status={status} path={path} service=s{n % 3}'


def statuses_behind_paths(rng: Random) -> Iterator[str]:
    """Numbers behind paths are statuses only beside a time."""
    for n in range(1600):
        status = 200 if n < 600 else rng.choice((200, 404, 503, 1503))
        path = f"/{rng.choice(('orders', 'carts'))}/{rng.randrange(900)}"
        yield f"{iso(n)} INFO GET {path} {status} {rng.choice(('items', '7ms', '12 ms')) if n > 120 else '9ms'}"


LINES = (
    *(levels_of_statuses, paths_of_statuses, letters_of_levels, levels_behind_queries),
    *(shades_beside_statuses, letters_with_numbers, levels_of_three_digits),
    *(statuses_beside_statuses, statuses_in_pairs, statuses_of_none, statuses_behind_paths),
)


@pytest.mark.parametrize("lines", thinned(LINES, 3), ids=lambda each: each.__name__)
def test_nothing_comes_out_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: Callable[[Random], Iterator[str]]
) -> None:
    spec = write(tmp_path, "app.log", lines(Random(5)))
    index, few, every = built_counting(spec)
    assert few > every * 0.6
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))


@pytest.mark.parametrize("are_same", [True, False])
@pytest.mark.parametrize("layout", ["{}", '{{"log":{},"stream":"stdout","time":"2026-03-01T12:00:00Z"}}'])
def test_nor_where_messages_have_the_text_of_errors_but_for_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, are_same: bool, layout: str
) -> None:
    def lines(rng: Random) -> Iterator[str]:
        for n in range(1200):
            code = n % 9 if n < 600 or rng.random() < 0.5 else rng.randrange(9)
            said = code if are_same else (code + 1) % 9
            line = f'{{"time":"{iso(n)}","level":"error","msg":"sent 7 times: code {n % 9}","err":"code {said}"}}'
            yield layout.format(line if layout == "{}" else json.dumps(line + "\n"))

    spec = write(tmp_path, "app.log", lines(Random(5)))
    index = built(spec)
    assert {key.count("code") for key in index.keys if "code" in key} == {1, 2}
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
