"""The one HTTP client: where it goes, what it records first, where it follows, what it takes."""

from __future__ import annotations

import asyncio
import json
import stat
from base64 import b64encode
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest

from orchestrator.hands.egress import EgressRefused, Endpoint, Limits, ResponseRefused, client, refusal_in
from orchestrator.hands.egress_record import egress_log
from orchestrator.journal.events import Egress
from tests.egress.wire import FakeWire, Ledger, answer

API, KEY = "https://api.example.com", "sk-first-0123456789"
OTHER, OTHER_KEY = "https://llm.example.net:8443", "sk-second-987654321"
PUBLIC = {"api.example.com": ["203.0.114.7"], "llm.example.net": ["203.0.114.8"]}
BOTH = (Endpoint(f"{API}/base", KEY), Endpoint(OTHER, OTHER_KEY, {"X-Team": "team-secret-1"}))


def wired(
    *answers: bytes, endpoints: Sequence[Endpoint] = BOTH, limits: Limits | None = None, **wire: Any
) -> tuple[httpx2.AsyncClient, FakeWire, Ledger]:
    made = FakeWire(**{"names": PUBLIC, **wire}, answers=deque(answers))
    ledger = Ledger(made)
    return client(endpoints, "model", ledger, limits, made.network), made, ledger


# -- where it goes ---------------------------------------------------------------------------------


async def test_a_request_is_on_record_before_its_first_byte_and_says_no_value() -> None:
    http, _, ledger = wired(answer(set_cookie="a=b"))
    async with http:
        response = await http.post(f"{API}/v1/messages?token=hidden&beta", json={"ask": "why"})
    assert (response.status_code, response.json()) == (200, {})
    assert ledger.bytes_before[0] == 0
    sent, answered = ledger.bodies
    assert sent == Egress(
        host="api.example.com",
        purpose="model",
        bytes_out=13,
        detail={**sent.detail, "phase": "sent", "method": "POST", "url": f"{API}/v1/messages?token=&beta="},
    )
    assert (answered.detail["request"], answered.detail["status"]) == (sent.detail["request"], 200)
    assert answered.bytes_out == 0
    recorded = "".join(body.model_dump_json() for body in ledger.bodies)
    assert not [word for word in ("hidden", KEY, "why", "uthorization") if word in recorded]


async def test_the_name_is_resolved_once_and_the_checked_address_is_connected_to_under_the_name() -> None:
    http, wire, _ = wired(answer())
    async with http:
        await http.get(f"{API}/v1")
    assert wire.asked == ["api.example.com"]
    assert wire.connected == [("203.0.114.7", 443)]
    assert wire.tls_names == ["api.example.com"]
    assert b"\r\nhost: api.example.com\r\n" in wire.sent.lower()


async def test_a_name_that_rebinds_between_requests_is_refused_with_nothing_sent() -> None:
    names = {"api.example.com": ["203.0.114.7"]}
    http, wire, ledger = wired(answer(connection="close"), answer(), names=names)
    async with http:
        await http.get(API)
        left = len(wire.sent)
        names["api.example.com"] = ["203.0.114.7", "169.254.169.254"]
        with pytest.raises(EgressRefused, match=r"169\.254\.169\.254"):
            await http.get(API)
    assert len(wire.sent) == left
    assert len(wire.connected) == 1
    assert ledger.phases == ["sent", "answered", "sent", "refused"]


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/",
        "http://api.example.com/",
        "https://api.example.com:444/",
        "https://api.example.com.evil.example/",
        "https://user:pw@api.example.com/",
        "https://203.0.114.7/",
        "http://127.0.0.1/",
    ],
)
async def test_only_configured_origins_are_sent_to(url: str) -> None:
    http, wire, ledger = wired()
    async with http:
        with pytest.raises(EgressRefused):
            await http.get(url)
    assert (wire.connected, ledger.phases) == ([], ["refused"])
    assert "pw" not in ledger.bodies[0].model_dump_json()


async def test_a_host_header_for_another_host_and_odd_methods_are_refused() -> None:
    http, wire, _ = wired()
    async with http:
        with pytest.raises(EgressRefused, match="Host header"):
            await http.get(API, headers={"host": "evil.example"})
        with pytest.raises(EgressRefused, match="method"):
            await http.request("CONNECT", API)
    assert wire.connected == []


async def test_the_next_address_is_tried_and_a_dead_host_is_an_error_of_the_library() -> None:
    names = {"api.example.com": ["203.0.114.1", "203.0.114.2"]}
    http, wire, ledger = wired(answer(), names=names, dead=["203.0.114.1"])
    async with http:
        assert (await http.get(API)).status_code == 200
    assert [host for host, _ in wire.connected] == ["203.0.114.1", "203.0.114.2"]
    http, wire, ledger = wired(names=names, dead=names["api.example.com"])
    async with http:
        with pytest.raises(httpx2.ConnectTimeout, match=r"203\.0\.114\.2"):
            await http.get(API)
        with pytest.raises(httpx2.ConnectError, match="cannot be resolved"):
            await http.get(OTHER)
    assert ledger.phases == ["sent", "failed", "sent", "failed"]


async def test_proxies_of_the_environment_are_not_used_one_of_the_settings_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://proxy.evil.example:3128")
    http, wire, _ = wired(answer())
    async with http:
        await http.get(API)
    assert wire.connected == [("203.0.114.7", 443)]
    limits = Limits(proxy="http://me:word@proxy.lan:3128")
    assert "word" not in repr(limits)
    http, wire, _ = wired(answer(502), limits=limits, names={"proxy.lan": ["10.0.0.8"]})
    async with http:
        with pytest.raises(httpx2.ProxyError):
            await http.get(API)
        with pytest.raises(EgressRefused):
            await http.get("https://evil.example/")
    assert wire.connected == [("10.0.0.8", 3128)]
    assert wire.sent.startswith(b"CONNECT api.example.com:443 ")
    assert KEY.encode() not in wire.sent
    named = b64encode(b"me:w@rd").decode()
    http, wire, _ = wired(answer(502), limits=Limits(proxy="http://me:w%40rd@proxy.lan"), names={"proxy.lan": ["::1"]})
    async with http:
        with pytest.raises(httpx2.ProxyError):
            await http.get(API)
    assert wire.connected == [("::1", 80)]
    assert f"Basic {named}".encode() in wire.sent
    with pytest.raises(EgressRefused):
        wired(limits=Limits(proxy="http://169.254.169.254:80"))


async def test_where_nothing_can_be_recorded_nothing_is_sent() -> None:
    http, wire, ledger = wired(answer())
    ledger.full = True
    async with http:
        with pytest.raises(OSError, match="no room"):
            await http.get(API)
    assert wire.connected == []


async def test_a_request_that_breaks_off_stays_on_record() -> None:
    http, _, ledger = wired(b"")
    async with http:
        with pytest.raises(httpx2.HTTPError):
            await http.post(API, content=b"x" * 10)
    assert ledger.phases == ["sent", "failed"]
    assert ledger.bodies[0].bytes_out == 10


async def test_a_body_of_unknown_length_is_counted_as_it_goes() -> None:
    async def parts() -> Any:
        yield b"x" * 7
        yield b"y" * 5

    http, _, ledger = wired(answer())
    async with http:
        await http.post(API, content=parts())
    assert [body.bytes_out for body in ledger.bodies] == [0, 12]


# -- keys --------------------------------------------------------------------------------------------


async def test_each_place_gets_its_own_key_and_no_other() -> None:
    http, wire, _ = wired(answer(), answer())
    async with http:
        await http.get(API)
        first = wire.sent
        await http.get(OTHER)
    second = wire.sent[len(first) :]
    assert f"Bearer {KEY}".encode() in first
    assert OTHER_KEY.encode() not in first
    assert b"team-secret-1" not in first
    assert f"Bearer {OTHER_KEY}".encode() in second
    assert b"team-secret-1" in second
    assert KEY.encode() not in second


@pytest.mark.parametrize(
    "request_to",
    [
        {"url": OTHER, "headers": {"authorization": f"Bearer {KEY}"}},
        {"url": OTHER, "headers": {"x-api-key": KEY}},
        {"url": OTHER, "headers": {"x-anything": f"v={KEY};"}},
        {"url": f"{OTHER}/?k={KEY}"},
        {"url": OTHER, "content": f"say {KEY}".encode()},
        {"url": API, "headers": {"x-team": "team-secret-1"}},
        {"url": API, "headers": {"authorization": "Bearer sk-from-nowhere-1"}},
        {"url": API, "headers": {"cookie": "a=b"}},
        {"url": API, "headers": {"x-api-key": "sk-from-nowhere-1"}},
    ],
)
async def test_a_key_meant_for_another_host_is_never_sent(request_to: dict[str, Any]) -> None:
    http, wire, ledger = wired()
    async with http:
        with pytest.raises(EgressRefused, match="key"):
            await http.request("POST", **request_to)
    assert wire.connected == []
    assert KEY not in ledger.bodies[0].detail["why"]  # type: ignore[operator]
    assert KEY not in ledger.bodies[0].model_dump_json()


async def test_the_sdk_with_a_key_from_elsewhere_sends_nothing_and_the_refusal_is_found() -> None:
    http, wire, _ = wired(answer(body=b'{"type":"message"}', content_type="application/json"), endpoints=BOTH[:1])
    async with http:
        own = anthropic.AsyncAnthropic(api_key=KEY, base_url=f"{API}/base", http_client=http, max_retries=0)
        asked: dict[str, Any] = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "x"}]}
        assert (await own.messages.create(**asked)).type == "message"
        assert b"POST /base/v1/messages" in wire.sent
        left = len(wire.sent)
        wrong = own.with_options(api_key="sk-of-the-environment")
        with pytest.raises(anthropic.APIConnectionError) as failed:
            await wrong.messages.create(**asked)
    assert "not this host's" in str(refusal_in(failed.value))
    assert refusal_in(ValueError("x")) is None
    assert len(wire.sent) == left
    assert KEY not in repr(BOTH)


# -- where it follows --------------------------------------------------------------------------------


async def test_a_redirect_within_the_place_is_followed_on_record() -> None:
    http, wire, ledger = wired(answer(307, location="/v2?x=secret"), answer(body=b"[1]"))
    async with http:
        response = await http.post(f"{API}/v1?y=1", content=b"body")
    assert response.json() == [1]
    assert wire.sent.count(b"\r\n\r\nbody") == wire.sent.count(b"body") == 2
    third = ledger.bodies[2].detail
    assert (third["url"], third["redirected_from"]) == (f"{API}/v2?x=", f"{API}/v1?y=")
    assert ledger.phases == ["sent", "answered"] * 2


async def test_a_redirect_to_another_configured_place_carries_no_secret_there() -> None:
    http, wire, _ = wired(answer(302, location=f"{OTHER}/x"), answer())
    async with http:
        await http.get(API, headers={"x-custom": "perhaps-secret", "accept": "text/plain"})
    second = wire.sent.partition(b"\r\n\r\n")[2]
    assert b"perhaps-secret" not in second
    assert KEY.encode() not in second
    assert f"Bearer {OTHER_KEY}".encode() in second
    assert b"text/plain" in second
    assert b"host: llm.example.net:8443" in second.lower()


@pytest.mark.parametrize(
    ("method", "status", "location", "said"),
    [
        ("GET", 302, "https://evil.example/", "configured"),
        ("GET", 301, "http://169.254.169.254/latest", "metadata"),
        ("GET", 302, "http://2130706433/", "number"),
        ("GET", 302, "http://api.example.com/", "not encrypted"),
        ("GET", 308, "//user:pw@api.example.com/", "password"),
        ("GET", 302, "file:///etc/passwd", "not an http"),
        ("POST", 307, f"{OTHER}/x", "no other"),
        ("GET", 302, "https://[", "host name"),
    ],
)
async def test_a_redirect_that_is_not_followed(method: str, status: int, location: str, said: str) -> None:
    http, wire, ledger = wired(answer(status, location=location), answer())
    async with http:
        with pytest.raises(EgressRefused, match=said):
            await http.request(method, API, content=b"body" if method == "POST" else None)
    assert len(wire.connected) == 1
    assert ledger.phases == ["sent", "answered", "refused"]


async def test_https_to_http_is_not_followed_even_where_both_are_configured() -> None:
    endpoints = (Endpoint(API, KEY), Endpoint("http://api.example.com"))
    http, wire, _ = wired(answer(302, location="http://api.example.com/"), answer(), endpoints=endpoints)
    async with http:
        with pytest.raises(EgressRefused, match="not encrypted"):
            await http.get(API)
    assert len(wire.connected) == 1


async def test_a_post_that_is_seen_elsewhere_becomes_a_get_and_circles_end() -> None:
    http, wire, _ = wired(answer(303, location="/done"), answer())
    async with http:
        await http.post(API, content=b"body")
    assert b"GET /done HTTP/1.1" in wire.sent
    assert wire.sent.count(b"body") == 1
    http, wire, _ = wired(*[answer(302, location="/")] * 9)
    async with http:
        with pytest.raises(EgressRefused, match="more than 5"):
            await http.get(API)


# -- what it takes -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        answer(body=b"x" * 2000),
        answer(body=b"x" * 2000, content_length="", connection="close"),
        answer(content_encoding="gzip"),
    ],
    ids=["stated", "unstated", "packed"],
)
async def test_an_answer_that_is_too_large_or_packed_is_not_taken(raw: bytes) -> None:
    http, wire, _ = wired(raw, limits=Limits(body=1000))
    async with http:
        with pytest.raises(ResponseRefused):
            await http.get(API)
    assert b"accept-encoding: identity" in wire.sent.lower()


async def test_an_event_stream_may_go_on_but_no_line_of_it_without_end() -> None:
    lines: dict[str, Any] = {
        "content_type": "text/event-stream; charset=utf-8",
        "content_length": "",
        "connection": "close",
    }
    limits = Limits(body=1000, event_stream=True)
    http, _, _ = wired(answer(body=b"data: x\n\n" * 500, **lines), limits=limits)
    async with http, http.stream("GET", API) as response:
        assert len(await response.aread()) == 4500
    http, _, _ = wired(answer(body=b"data: " + b"x" * 2000, **lines), limits=limits)
    async with http:
        with pytest.raises(ResponseRefused, match="a line"):
            await http.get(API)
    http, _, _ = wired(answer(body=b"data: x\n\n" * 500, **lines), limits=Limits(body=1000))
    async with http:
        with pytest.raises(ResponseRefused):
            await http.get(API)


# -- for real ----------------------------------------------------------------------------------------


async def test_a_model_on_this_machine_and_the_log_outside_sessions(tmp_path: Path) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer(body=b"[2]"))
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    here = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    record = egress_log(tmp_path, lambda: datetime(2026, 3, 1, tzinfo=UTC))
    async with server, client([Endpoint(here)], "agents sync", record) as http:
        assert (await http.get(f"{here}/v1")).json() == [2]
    log = tmp_path / "egress.log"
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [line["detail"]["phase"] for line in lines] == ["sent", "answered"]
    assert {line["ts"] for line in lines} == {"2026-03-01T00:00:00+00:00"}
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    log.unlink()
    log.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r"egress\.log"):
        await record(Egress(host="x", purpose="y"))
    assert not (tmp_path / "elsewhere").exists()
