"""Requests whose paths are of numbers only come first: nothing may come out otherwise for the others."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.logs.both_ways import built_counting, small_blocks, what_it_says, without_library
from tests.logs.builders import write
from tests.thinned import thinned

__all__ = ["small_blocks"]
pytestmark = pytest.mark.needs("compiled")

STATUSES = (200, 404, 503)


def numbers_first(rng: Random) -> Iterator[tuple[int, str]]:
    """Paths of nothing but numbers come first, then others; what stands behind a question mark does not count."""
    for n in range(1600):
        parts = [str(rng.randrange(100)) for _ in range(2)]
        if n > 400 and rng.random() < 0.8:
            parts[rng.randrange(2)] = rng.choice(("orders", "users", "carts"))
        query = rng.choice(("", "?p2", f"?q=a&p={rng.randrange(90)}", "?next=/orders/7"))
        yield n, "/" + "/".join(parts) + query


PLACES = (
    '10.0.0.7 - - [01/Mar/2026:12:{:02d}:{:02d} +0000] "GET {} HTTP/1.1" {} 17 "-" "curl/8.5"',
    '[GIN] 2026/03/01 - 12:{0:02d}:{1:02d} | {3} |  17.5ms | 10.0.0.7 | GET      "{2}"',
    "2026-03-01T12:{:02d}:{:02d}Z INFO method=GET path={} format=html controller=Cart action=show status={} duration=7",
    "[pid: 7|app: 0|req: 7/7] 10.0.0.7 () {{30 vars}} [Sun Mar  1 12:{:02d}:{:02d} 2026] GET {} => generated 12 bytes"
    " in 3 msecs (HTTP/1.1 {}) 2 headers",
)


@pytest.mark.parametrize("place", thinned(PLACES, 2), ids=("combined", "gin", "lograge", "uwsgi"))
def test_nothing_comes_out_otherwise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    rng = Random(5)
    lines = (place.format(n // 60 % 60, n % 60, path, rng.choice(STATUSES)) for n, path in numbers_first(rng))
    spec = write(tmp_path, "app.log", lines)
    index, few, every = built_counting(spec)
    assert few > every / 3
    assert what_it_says(index) == what_it_says(without_library(spec, monkeypatch))
