"""The shared markers: an absent tool skips with a reason, and fails where WARROOM_REQUIRE asks for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests import conftest


class FakeItem:
    def __init__(self, *tools: str) -> None:
        self._tools = tools

    def iter_markers(self, name: str) -> Iterator[Any]:
        assert name == "needs"
        yield pytest.mark.needs(*self._tools).mark


def setup(*tools: str) -> None:
    item: Any = FakeItem(*tools)
    conftest.pytest_runtest_setup(item)


def test_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARROOM_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs no-such-tool, which is absent"):
        setup("python3", "no-such-tool")


@pytest.mark.parametrize("value", ["all", "no-such-tool", "tmux, no-such-tool"])
def test_absent_and_required(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_REQUIRE", value)
    with pytest.raises(pytest.fail.Exception, match="no-such-tool is absent, and WARROOM_REQUIRE asks for it"):
        setup("no-such-tool")


def test_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_REQUIRE", "all")
    monkeypatch.setitem(conftest.PROBES, "disk", lambda: True)
    setup("python3", "disk")
