"""Benches: a repository, a store, a draft and a journal, copied from one that is made once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from tests.fix.bench import Bench, make_bench, write_template

Make = Callable[..., Awaitable[Bench]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_template(tmp_path_factory.mktemp("fix-template"))


@pytest.fixture
async def make(tmp_path: Path, template: Path) -> AsyncIterator[Make]:
    made: list[Bench] = []

    async def one(place: Path = tmp_path, repo: Path | None = None) -> Bench:
        made.append(await make_bench(place, repo, template))
        return made[-1]

    yield one
    for bench in made:
        await bench.journal.close()


@pytest.fixture
async def bench(make: Make) -> Bench:
    return await make()
