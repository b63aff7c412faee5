"""S3, S4, S7: dead links, refusals, sleep and wake."""

from __future__ import annotations

import socket
from datetime import datetime
from typing import Any

import httpcore2
import pytest
from anthropic import AsyncAnthropic

from orchestrator.engines.managed import links
from orchestrator.engines.managed.delivered import CAUGHT_UP
from orchestrator.engines.managed.streams import StreamsEnded
from orchestrator.hands import egress
from tests.managed.streaming import (
    STREAM,
    HurriedClock,
    finished,
    following,
    live,
    not_recorded,
    opened,
    say_go,
    ticks,
    turns_until,
)
from tests.standin import Standin, Step, paging
from tests.standin.cast import begin
from tests.standin.session import Session as ServerSession

# -- S3: half open ------------------------------------------------------------------------------


async def test_silence_is_noticed_after_45_seconds_and_not_before(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout")
    server.faults.stream(Step(1, "silence"), path=STREAM)
    async with following(client, session_id) as followed:
        await live(followed)
        await say_go(followed)
        await followed.until(lambda: "user.message" in followed.types())
        await ticks(followed, 44)
        assert opened(server) == 1
        assert followed.streams.health.byte_age == 44
        await ticks(followed, 1)
        await finished(server, followed)
        assert opened(server) == 2
        assert followed.journal.notes() == [], "it was back at the first attempt: no word on it"


async def test_the_patience_of_the_sdk_would_be_noticed(
    server: Standin, client: AsyncAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known to be bad: ten minutes."""
    monkeypatch.setattr(links, "SILENCE_MOST_S", 600.0)
    monkeypatch.setattr(links, "SILENCE_S", 600.0)
    session_id = await begin(client, "scout")
    server.faults.stream(Step(1, "silence"), path=STREAM)
    async with following(client, session_id) as followed:
        await live(followed)
        await say_go(followed)
        await followed.until(lambda: "user.message" in followed.types())
        await ticks(followed, 60)
        assert opened(server) == 1


@pytest.mark.parametrize("path", [STREAM, "*/events"])
async def test_a_peer_that_takes_the_connection_and_says_nothing_is_left(
    server: Standin, client: AsyncAnthropic, path: str
) -> None:
    session_id = await begin(client, "scout", text="go")
    fault = server.faults.add(method="GET", path=path, gate="never")
    async with following(client, session_id) as followed:
        await turns_until(lambda: fault.hits == 1 and followed.clock.beats())
        await ticks(followed, 44)
        assert fault.hits == 1
        await ticks(followed, 1)
        await finished(server, followed)
        assert fault.hits >= 2


async def test_keep_alives_without_progress_are_shown_and_do_not_end_it(
    server: Standin, client: AsyncAnthropic
) -> None:
    session_id = await begin(client, "scout")
    server.options.ping_seconds = 0.001
    server.faults.stream(Step(1, "pings"), path=STREAM)
    async with following(client, session_id) as followed:
        await live(followed)
        await say_go(followed)
        await followed.until(lambda: "user.message" in followed.types())
        for _ in range(200):
            await ticks(followed, 1)
            await turns_until(lambda: not followed.streams.health.byte_age)
        assert opened(server) == 1
        assert followed.streams.health.event_age == 200
        assert followed.streams.health.state == "live"


async def test_a_server_whose_keep_alives_are_rare_is_borne_with(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout")
    server.faults.stream(Step(1, "silence"), path=STREAM, times=9)
    async with following(client, session_id) as followed:
        await live(followed)
        pulse = followed.link.pulse
        assert pulse.limit == 45
        followed.clock.advance(30)
        pulse.bytes()
        assert pulse.limit == 90
        followed.clock.advance(89)
        pulse.bytes()
        assert pulse.limit == 180, "and no longer"
        pulse.opened()
        pulse.died()
        assert pulse.limit == 180


async def test_the_system_probes_a_silent_connection_as_well(server: Standin) -> None:
    options: list[tuple[int, ...]] = []

    class Listening(httpcore2.AnyIOBackend):
        async def connect_tcp(self, *args: Any, **more: Any) -> httpcore2.AsyncNetworkStream:
            stream = await super().connect_tcp(*args, **more)
            raw = stream.get_extra_info("socket")
            probes = [raw.getsockopt(socket.IPPROTO_TCP, name) for name in (socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)]
            options.append((raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE), *probes))
            return stream

    place = egress.Endpoint(server.base_url, "k", {}, private=True)
    async with egress.client([place], "model", not_recorded, network=egress.Network(backend=Listening())) as http:
        await http.get(f"{server.base_url}/v1/agents")
    assert options == [(1, 10, 3)]


# -- S7: sleep and wake -------------------------------------------------------------------------


class SleepyClock(HurriedClock):
    """The machine sleeps: the wall moves on, the steady clock does not."""

    def __init__(self) -> None:
        super().__init__()
        self.asleep = 0.0

    def now(self) -> datetime:
        from datetime import timedelta

        return super().now() + timedelta(seconds=self.asleep)


@pytest.mark.parametrize("steady", [True, False])
async def test_after_sleep_it_connects_at_once(server: Standin, client: AsyncAnthropic, steady: bool) -> None:
    session_id, clock = await begin(client, "scout"), SleepyClock()
    async with following(client, session_id, clock) as followed:
        await live(followed)
        for times in range(1, 5):
            slept = list(clock.slept)
            if steady:
                clock.advance(600)  # the process was stopped: both clocks went on
            else:
                clock.asleep += 600
                clock.advance(1)
            await followed.until(lambda times=times: followed.types().count(CAUGHT_UP) > times)  # type: ignore[misc]
            assert clock.slept == slept, "it waited before it connected"
            await live(followed)
        await say_go(followed)
        await finished(server, followed)


async def test_a_wall_clock_that_is_set_back_is_no_sleep(server: Standin, client: AsyncAnthropic) -> None:
    session_id, clock = await begin(client, "scout"), SleepyClock()
    async with following(client, session_id, clock) as followed:
        await live(followed)
        clock.asleep -= 3600
        await ticks(followed, 3)
        assert opened(server) == 1


# -- S4: refusals, end to end -------------------------------------------------------------------


async def test_retry_after_is_followed_and_an_outage_is_said_once(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout", text="go")
    server.faults.rate_limit("7", path=STREAM)
    server.faults.refuse(529, path=STREAM, skip=1, times=2)
    server.faults.refuse(500, path="*/events", method="GET", times=1)
    async with following(client, session_id) as followed:
        await finished(server, followed)
        waits = [seconds for seconds in followed.clock.slept if seconds > 0]
        assert waits[0] == pytest.approx(7 + 0.5 * 7 * 0.25)
        lost, back = followed.journal.notes()
        assert "529" in lost
        assert "is back after" in back


@pytest.mark.parametrize(
    ("status", "code", "said_"),
    [
        (401, None, "the key is not valid"),
        (403, None, "beta access"),
        (404, None, "no such session"),
        (429, "enforced_spend_limit_reached", "spend limit"),
    ],
)
@pytest.mark.parametrize("path", [STREAM, "*/events", "*/sessions/*"])
async def test_what_does_not_pass_is_said_at_once(
    server: Standin, client: AsyncAnthropic, status: int, code: str | None, said_: str, path: str
) -> None:
    session_id = await begin(client, "scout")
    server.faults.refuse(status, path=path, method="GET", code=code, times=99)
    async with following(client, session_id) as followed:
        assert followed.task is not None
        with pytest.raises(StreamsEnded, match=said_) as raised:
            await followed.task
        assert "\n" not in str(raised.value)
        asked = [one.path for one in server.requests if one.status == status]
        assert len(asked) == len(set(asked)), "asked again"


@pytest.mark.parametrize("status", [404, 405, 501])
async def test_threads_that_cannot_be_listed_are_learnt_from_events(
    server: Standin, client: AsyncAnthropic, status: int
) -> None:
    session_id = await begin(client, "scout", text="go")
    server.faults.refuse(status, path="*/threads", method="GET", times=99)
    async with following(client, session_id) as followed:
        await finished(server, followed)
        assert {one.thread for one in followed.given} == {"orchestrator", "scout", "scout-2"}


@pytest.mark.parametrize(("status", "times"), [(529, 8), (503, 8), (429, 3)])
async def test_a_server_that_keeps_refusing_is_given_up(
    server: Standin, client: AsyncAnthropic, status: int, times: int
) -> None:
    session_id = await begin(client, "scout")
    server.faults.refuse(status, path=STREAM, times=99)
    async with following(client, session_id) as followed:
        assert followed.task is not None
        with pytest.raises(StreamsEnded, match=f"{status}.*refused {times} times"):
            await followed.task
        assert sum(one.status == status for one in server.requests) == times


async def test_a_network_that_is_gone_is_tried_for_ever(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout", text="go")
    server.faults.add(path=STREAM, broken="reset", times=30)
    async with following(client, session_id) as followed:
        await finished(server, followed)
        assert followed.journal.notes()[0].startswith("the connection to the session is lost")
        assert len(followed.journal.notes()) == 2


async def test_threads_that_do_not_say_whose_they_are_are_not_all_the_coordinator(
    server: Standin, client: AsyncAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = ServerSession.read_thread

    def bare(self: ServerSession, thread: Any) -> dict[str, Any]:
        kept = ("id", "type", "status", "agent")
        return {name: one for name, one in whole(self, thread).items() if name in kept}

    monkeypatch.setattr(ServerSession, "read_thread", bare)
    session_id = await begin(client, "scout", text="go")
    await server.reached(lambda state: len(state.sessions[session_id].threads) == 3)
    async with following(client, session_id) as followed:
        await finished(server, followed)
        assert {one.thread for one in followed.given} == {"orchestrator", "scout", "scout-2"}


async def test_a_server_that_gives_shorter_pages_is_asked_for_those(
    server: Standin, client: AsyncAnthropic, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole: Any = paging.page

    def short(rows: Any, query: Any, listing: str, limits: tuple[int, int], order: str) -> Any:
        return whole(rows, query, listing, (20, 100) if listing.startswith("events ") else limits, order)

    monkeypatch.setattr("tests.standin.sessions.page", short)
    session_id = await begin(client, "scout", text="go")
    async with following(client, session_id) as followed:
        await finished(server, followed)
        assert {one.thread for one in followed.given} == {"orchestrator", "scout", "scout-2"}


@pytest.mark.parametrize("status", [404, 400])
async def test_a_thread_that_is_refused_does_not_end_the_session(
    server: Standin, client: AsyncAnthropic, status: int
) -> None:
    session_id = await begin(client, "scout", text="go")
    server.faults.refuse(529, path="*/threads/*/stream", times=12)
    server.faults.refuse(status, path="*/threads/*/stream", skip=12, times=1)
    async with following(client, session_id) as followed:
        await finished(server, followed)


@pytest.mark.parametrize("kind", ["overloaded_error", "api_error", "rate_limit_error", "unheard_of_error"])
async def test_an_error_frame_is_a_lost_connection(server: Standin, client: AsyncAnthropic, kind: str) -> None:
    session_id = await begin(client, "scout", text="go")
    data = f'event: error\ndata: {{"type":"error","error":{{"type":"{kind}","message":"m"}}}}\n\n'
    server.faults.stream(Step(3, "garbage", data=data.encode()), path=STREAM)
    async with following(client, session_id) as followed:
        await finished(server, followed)


async def test_an_error_frame_that_does_not_pass_ends_it(server: Standin, client: AsyncAnthropic) -> None:
    session_id = await begin(client, "scout")
    data = b'event: error\ndata: {"type":"error","error":{"type":"authentication_error","message":"revoked"}}\n\n'
    server.faults.stream(Step(1, "garbage", data=data), path=STREAM)
    async with following(client, session_id) as followed:
        await live(followed)
        await say_go(followed)
        assert followed.task is not None
        with pytest.raises(StreamsEnded, match="revoked"):
            await followed.task
