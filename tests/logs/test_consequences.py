"""Failures that another one brings about: what waits for locks empties a pool, and not the other way round."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from subagents.logs.agent import build
from subagents.logs.consequences import with_consequences
from subagents.logs.model import LogsSummary, Signature
from tests.fakes import run_procedure
from tests.logs.builders import at, brief, iso, write

STAMP = "%Y-%m-%d %H:%M:%S.000 UTC"


def sign(name: str, service: str, since: float, *, count: int = 9, before: float = 0.0) -> Signature:
    return Signature(
        name=name, kind="resource", key=f"{name} in {service}", label=f"{name} in {service}", named=False,
        explains="x", count=count, baseline_count=before, services=(service,), first_seen=at(since),
        last_seen=at(since) + timedelta(minutes=9), example="e", citation="log:a@0+1", patterns=("p-1",), terms=(),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("holding", "cause"),
    [
        (sign("locks", "db", 2400), "locks in db"),
        (sign("full collections", "db", 2490), "full collections in db"),
        (sign("locks", "db", 2400 - 1900), None),
        (sign("locks", "db", 2400 + 120), None),
        (sign("locks", "db", 2400, before=20.0), None),
        (sign("full collections", "mailer", 2440, count=1), None),
        (sign("datastore restarting", "db", 2400, count=1), "datastore restarting in db"),
        (sign("upstream timeout", "db", 2400), None),
    ],
    ids=[
        "locks",
        "a pause, seen a moment later",
        "long before",
        "afterwards",
        "as ever",
        "one stop",
        "a restart",
        "a wait itself",
    ],
)
def test_a_pool_runs_out_where_what_it_lends_is_held_up(holding: Signature, cause: str | None) -> None:
    pool, other = with_consequences([sign("pool exhausted", "shop", 2430), holding])
    assert pool.follows == cause
    assert other.followed_by == (("shop",) if cause else ())
    assert other.follows is None


async def test_what_waits_is_told_after_what_it_waits_for(tmp_path: Path) -> None:
    database = [
        f"{at(n).strftime(STAMP)} [{n}] app@shop LOG:  duration: 1.{n} ms  statement: SELECT 1"
        for n in range(0, 3600, 3)
    ]
    database += [
        f"{at(n).strftime(STAMP)} [9] app@shop LOG:  process {n} still waiting for ShareLock on transaction {n} after "
        f"1000.1 ms"
        for n in range(2400, 3600, 5)
    ]
    shop = [f"{iso(n)} INFO shop - cart {n} priced" for n in range(0, 3600, 3)]
    empty = "HikariPool-1 - Connection is not available, request timed out after 30000ms"
    shop += [f"{iso(n)} ERROR shop - {empty} (waiting={n})" for n in range(2430, 3600, 4)]
    specs = [write(tmp_path, "postgresql.log", sorted(database)), write(tmp_path, "shop.log", sorted(shop))]
    bench, summary = await run_procedure(build(specs), brief(specs))
    assert isinstance(summary, LogsSummary)
    assert {each.label: each.follows for each in summary.signatures} == {
        "locks in postgresql": None,
        "pool exhausted in shop": "locks in postgresql",
    }
    told = {finding.about.label: finding for finding in bench.reported if finding.about is not None}
    locks, pool = told["locks in postgresql"], told["pool exhausted in shop"]
    assert locks.weight > pool.weight
    assert locks.services == ("postgresql", "shop")
    assert "and shop ran out of what waits for it" in locks.claim
