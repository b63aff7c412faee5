"""S4: whatever a server refuses with, in whatever sequence: waits are within the policy, and it is never hammered."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from email.utils import format_datetime
from random import Random
from typing import Any

import httpx2
import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.managed import links, retrying
from orchestrator.engines.managed.links import Link, LinkLost, Pace, Ways
from orchestrator.engines.managed.merge import Origin
from orchestrator.engines.managed.retrying import Dropped, Fault, StreamError, delay, fault_of, gives_up
from orchestrator.engines.managed.sources import PrimarySource
from tests.managed.streaming import HurriedClock


@dataclass
class Refusal:
    """What a server does with one request; `wait`: what it asks for, None where it does not."""

    status: int
    retry_after: str = ""
    wait: float | None = None
    code: str = ""


NETWORK = Refusal(0)
PASSING = [
    NETWORK,
    Refusal(408),
    Refusal(409),
    Refusal(500),
    Refusal(503),
    Refusal(529),
    Refusal(429, "7", 7.0),
    Refusal(429, "0", 0.0),
    Refusal(429, "2.5", 2.5),
    Refusal(429, "86400", 300.0),
    Refusal(429, "DATE", 20.0),
    Refusal(529, "4", 4.0),
]
UNSAID = [Refusal(429), Refusal(429, "soon"), Refusal(429, "-5"), Refusal(429, "nan"), Refusal(429, "inf")]
LAST = Refusal(401)


@dataclass
class FakeServer:
    """Refuses as it is told; remembers when it was asked."""

    clock: HurriedClock
    script: list[Refusal]
    asked_at: list[float] = field(default_factory=list)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked_at.append(self.clock.monotonic())
        refusal = self.script.pop(0)
        if refusal is NETWORK:
            raise httpx2.ConnectError("no route", request=request)
        headers = {"retry-after": refusal.retry_after} if refusal.retry_after else {}
        if refusal.retry_after == "DATE":
            from datetime import timedelta

            moment = self.clock.now().replace(microsecond=0) + timedelta(seconds=20)
            headers["retry-after"] = format_datetime(moment, usegmt=True)
        error = {"type": "an_error", "message": "planned", "details": {"error_code": refusal.code or None}}
        return httpx2.Response(refusal.status, headers=headers, json={"type": "error", "error": error})


@dataclass
class Tried:
    """What a link did with a script, up to what ended it."""

    waits: list[tuple[Fault, int, float]]
    asked_at: list[float]
    ended: LinkLost
    told: list[str]


async def tried(script: list[Refusal], random: Random, patch: pytest.MonkeyPatch) -> Tried:
    clock = HurriedClock()
    server = FakeServer(clock, list(script))
    waits: list[tuple[Fault, int, float]] = []
    told: list[str] = []

    def noted(fault: Fault, attempt: int, draw: Any) -> float:
        seconds = delay(fault, attempt, draw)
        waits.append((fault, attempt, seconds))
        return seconds

    async def lost(origin: Origin, fault: Fault) -> None:
        told.append(fault.why)

    async def never(*what: Any) -> None:
        raise AssertionError(what)

    patch.setattr(links, "delay", noted)
    http = httpx2.AsyncClient(transport=httpx2.MockTransport(server))
    async with AsyncAnthropic(base_url="http://127.0.0.1:9", api_key="k", max_retries=0, http_client=http) as client:
        ways = Ways(clock, random.random, never, lost, never, never)
        link = Link(Origin("sesn_1"), PrimarySource(client, "sesn_1"), ways)
        with pytest.raises(LinkLost) as raised:
            await link.follow()
    assert all(seconds in clock.slept for _, _, seconds in waits)
    return Tried(waits, server.asked_at, raised.value, told)


async def test_a_hundred_sequences_stay_within_the_policy(monkeypatch: pytest.MonkeyPatch) -> None:
    for seed in range(100):
        random = Random(seed)
        script = [random.choice(PASSING) for _ in range(random.randint(1, 7))] + [LAST]
        run = await tried(script, random, monkeypatch)
        assert len(run.asked_at) == len(script), f"seed {seed}: gave up on {script}"
        assert run.ended.fault.status == 401
        for refusal, (_, attempt, seconds) in zip(script, run.waits, strict=False):
            if refusal.wait is not None:
                assert max(0.5, refusal.wait - 1) <= seconds <= 0.5 + refusal.wait * 1.25 + 0.5
            else:
                assert 0.5 <= seconds <= min(10.0, 2.0 ** (attempt - 1))
        assert len(run.told) == (len(script) > 2), "once per outage, and not for one that passed at once"
        for first, begins in enumerate(run.asked_at):  # never more than 3 at once and one in 5 s after that
            for last, ends in enumerate(run.asked_at[first:], 1):
                assert last <= 3 + (ends - begins) / 5 + 1e-6


async def test_spread(monkeypatch: pytest.MonkeyPatch) -> None:
    for fault in (Fault("down", 529), Fault("busy", 429, retry_after=8.0)):
        drawn = [delay(fault, 4, Random(seed).random) for seed in range(50)]
        assert (max(drawn) - min(drawn)) / (sum(drawn) / len(drawn)) >= 0.2
    full = [delay(Fault("down"), 9, Random(seed).random) for seed in range(100)]
    assert min(full) < 1.5
    assert 9 < max(full) <= 10


@pytest.mark.parametrize("refusal", UNSAID, ids=lambda one: one.retry_after or "none")
async def test_429_that_says_not_when_is_given_up_soon(refusal: Refusal, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await tried([refusal] * 9, Random(1), monkeypatch)
    assert len(run.asked_at) == 3
    assert "without a word on when" in str(run.ended)


@pytest.mark.parametrize("code", ["enforced_spend_limit_reached", "linked_organization_spend_limit_reached"])
@pytest.mark.parametrize("after", ["", "5"])
async def test_a_spend_limit_is_not_tried_again(code: str, after: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await tried([Refusal(429, after, code=code), LAST], Random(1), monkeypatch)
    assert len(run.asked_at) == 1
    assert "spend limit" in str(run.ended)


@pytest.mark.parametrize("status", [400, 401, 402, 403, 404, 422])
async def test_what_waiting_does_not_mend_is_asked_once(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await tried([Refusal(status), LAST], Random(1), monkeypatch)
    assert len(run.asked_at) == 1
    assert str(status) in str(run.ended)
    assert run.ended.fault.absent is (status == 404)


@pytest.mark.parametrize("status", [500, 529])
async def test_refusals_in_a_row_are_given_up(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await tried([Refusal(status)] * 20, Random(1), monkeypatch)
    assert len(run.asked_at) == retrying.MOST_REFUSALS
    broken = ([Refusal(status)] * 7 + [NETWORK]) * 2 + [LAST]
    assert len((await tried(broken, Random(1), monkeypatch)).asked_at) == len(broken), "in a row, not in all"


async def test_waiting_is_cut_short_by_waking(monkeypatch: pytest.MonkeyPatch) -> None:
    """What waits five minutes for a server does not wait on after the machine was asleep."""
    asleep = asyncio.Event()

    class Stuck(HurriedClock):
        async def sleep(self, seconds: float) -> None:
            asleep.set()
            await asyncio.Event().wait()

    clock = Stuck()
    server = FakeServer(clock, [Refusal(429, "300"), LAST])

    async def never(*what: Any) -> None:
        raise AssertionError(what)

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(server))
    async with AsyncAnthropic(base_url="http://127.0.0.1:9", api_key="k", max_retries=0, http_client=http) as client:
        link = Link(Origin("s"), PrimarySource(client, "s"), Ways(clock, Random(1).random, never, never, never, never))
        following = asyncio.ensure_future(link.follow())
        await asleep.wait()
        assert (link.state, link.retry_at is not None) == ("waiting", True)
        link.drop("awake", at_once=True)
        with pytest.raises(LinkLost):
            await following
    assert len(server.asked_at) == 2


def test_faults_are_sorted() -> None:
    now = HurriedClock().now()
    assert fault_of(Dropped("nothing came"), now) == Fault("nothing came")
    overloaded = StreamError({"error": {"type": "overloaded_error", "message": "m"}})
    assert fault_of(overloaded, now).status == 529
    assert gives_up(fault_of(StreamError({"error": {"type": "permission_error"}}), now), 1)
    assert fault_of(ValueError("no page"), now).refusal
    assert fault_of(httpx2.ReadTimeout("silent"), now).why == "ReadTimeout: silent"
    with pytest.raises(ZeroDivisionError):
        fault_of(ZeroDivisionError(), now)
    assert "\n" not in fault_of(StreamError({"error": {"message": "a\nb"}}), now).why


async def test_pace() -> None:
    clock = HurriedClock()
    pace = Pace(clock)
    for _ in range(3):
        await pace.take()
    assert clock.slept == []
    await pace.take()
    assert sum(clock.slept) == pytest.approx(5)
    clock.advance(100)
    for _ in range(3):
        await pace.take()
    assert sum(clock.slept) == pytest.approx(5), "after a rest, three at once again"
