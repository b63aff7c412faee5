"""A peer is named where most events of a message name it, and not because the first of them does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.logs.params import FirstLookParams
from tests.logs.builders import agent_for, at, call, write


def proxied(seconds: int, upstream: str) -> str:
    what = "[warn] 31#31: *{0} a client request body is buffered to a temporary file"
    if upstream:
        what = "[error] 31#31: *{0} upstream timed out (110: Connection timed out) while reading response header"
    asked = f'request: "POST /api/orders HTTP/1.1", upstream: "http://{upstream or "10.1.0.7:8080"}/api/orders"'
    return f"{at(seconds):%Y/%m/%d %H:%M:%S} {what.format(seconds)}, client: 10.0.0.3, server: shop.example, {asked}"


@pytest.mark.parametrize("name", ["nginx-error.log", "nginx-error.log.gz"])
@pytest.mark.parametrize(
    ("upstream", "label"),
    [
        (lambda n: f"10.1.0.{n % 4}:8080", "upstream timeout in nginx"),
        (lambda n: f"10.1.0.{0 if n % 4 else n % 3}:8080", "upstream timeout: 10.1.0.0"),
        (lambda _: "billing-v2.internal:8080", "upstream timeout: billing-v2.internal"),
    ],
    ids=["each of four", "most", "one"],
)
def test_one_of_many_peers_is_not_blamed(tmp_path: Path, name: str, upstream: Callable[[int], str], label: str) -> None:
    lines = [proxied(n, "") for n in range(0, 1200, 6)]
    lines += [proxied(1200 + n, upstream(n)) for n in range(120)]
    look = call(agent_for(write(tmp_path, name, lines)), "logs_first_look", FirstLookParams()).need()
    assert [sign.label for sign in look.signatures] == [label]
    assert look.signatures[0].count == 120
