"""Specialists of one round wait for each other without ever waiting for ever."""

from __future__ import annotations

import asyncio

from orchestrator.engines.offline.bench import Floor
from subagents.contract import Finding


def finding(claim: str) -> Finding:
    return Finding(agent="logs", claim=claim, topic="errors")


async def test_a_new_finding_wakes_who_waits() -> None:
    floor = Floor(["logs", "deploys"])
    waiting = asyncio.create_task(floor.more("deploys", 0))
    await floor.add(finding("x"))
    assert await waiting is True
    assert await floor.more("deploys", 0) is True


async def test_the_last_one_working_is_told_that_no_more_will_come() -> None:
    floor = Floor(["logs", "deploys"])
    waiting = asyncio.create_task(floor.more("deploys", 0))
    await floor.done("logs")
    assert await waiting is False


async def test_when_all_wait_for_each_other_the_first_in_order_goes_on() -> None:
    floor = Floor(["logs", "metrics", "deploys", "codefix"])
    await floor.done("logs")
    await floor.done("metrics")
    fix = asyncio.create_task(floor.more("codefix", 0))
    change = asyncio.create_task(floor.more("deploys", 0))
    assert await change is False
    assert not fix.done()
    await floor.add(finding("a change is guilty"))
    assert await fix is True
    last = asyncio.create_task(floor.more("codefix", 1))
    await floor.done("deploys")
    assert await last is False
