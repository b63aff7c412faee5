"""The stand-in without a script, one per module."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import pytest
from anthropic import AsyncAnthropic

from tests.standin import Standin
from tests.standin.cast import connected, talker


@pytest.fixture(scope="module")
def quiet() -> Iterator[Standin]:
    """A server whose agents say back what they hear."""
    with Standin({"*": talker}) as server:
        yield server


@pytest.fixture
async def client(quiet: Standin) -> AsyncIterator[AsyncAnthropic]:
    """A client of that server."""
    async with connected(quiet) as found:
        yield found
