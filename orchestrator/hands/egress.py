"""The one door to the network: an HTTP client that reaches configured places only, and records each request first.

    async with client([Endpoint(base_url, key)], "model", record) as http: ...

Per request, also per redirect: the origin must be configured; no key goes to another origin; the name is resolved once,
every address is checked, and the connection goes to a checked address under the name's own TLS and Host. A
`warroom.egress` event is durable before the first byte leaves (`phase: sent`) and says how it went after (`answered`,
`failed`, `refused`); one that stays `sent` may have arrived. Proxies of the environment are not used: one counts only
where `Limits.proxy` names it. Import this module where it is used: it brings the HTTP library.
"""

from __future__ import annotations

import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

import httpcore2
import httpx2
from pydantic import JsonValue

from orchestrator.hands.egress_addresses import Reach, literal
from orchestrator.hands.egress_connect import CheckedBackend, Network
from orchestrator.hands.egress_endpoints import DEFAULT_PORTS, Allowed, EgressRefused, Endpoint, Origin, origin_of
from orchestrator.hands.egress_record import Record
from orchestrator.hands.egress_stream import Counted, ResponseRefused, bounded, passing_on
from orchestrator.journal.events import Egress

__all__ = ["EgressRefused", "Endpoint", "Limits", "Network", "ResponseRefused", "client", "refusal_in"]

MOST_REDIRECTS = 5
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CARRIED = frozenset({"accept", "user-agent", "content-type", "content-length", "anthropic-version", "anthropic-beta"})
"""Headers that go along to another origin; any other could hold a secret."""
_PATH_LIMIT, _WHY_LIMIT = 500, 300


@dataclass(frozen=True)
class Limits:
    """Bounds of a client, seconds and bytes."""

    connect_s: float = 5.0
    read_s: float = 120.0
    """Longest silence while an answer is read."""
    body: int = 32 << 20
    """Largest answer; with `event_stream`, the largest line of one."""
    event_stream: bool = False
    """An answer of type `text/event-stream` may go on without end."""
    proxy: str = field(default="", repr=False)
    """Address of a proxy that the person's own settings name, which may hold a user name and password."""


def client(
    allowed: Sequence[Endpoint],
    purpose: str,
    record: Record,
    limits: Limits | None = None,
    network: Network | None = None,
) -> httpx2.AsyncClient:
    """Return a client that reaches only what is allowed; raises EgressRefused where an address cannot be used.

    `purpose` is one word or two for the record, such as `model`. Requests raise EgressRefused, ResponseRefused and
    what httpx2 raises; libraries wrap these, `refusal_in` finds them.
    """
    limits, network = limits or Limits(), network or Network()
    places = Allowed(allowed)
    proxy, through = _proxy(limits.proxy)
    backend = CheckedBackend(places.reaches if through is None else through, network, limits.connect_s)
    context = network.tls or httpcore2.default_ssl_context()
    pool = httpcore2.AsyncConnectionPool(
        ssl_context=context,
        proxy=proxy,
        max_connections=100,
        keepalive_expiry=30.0,
        network_backend=backend,
        socket_options=probing(),
    )
    timeout = httpx2.Timeout(limits.read_s, connect=limits.connect_s, pool=limits.read_s)
    transport = CheckedTransport(pool, places, purpose, record, limits)
    return httpx2.AsyncClient(transport=transport, timeout=timeout, trust_env=False, follow_redirects=False)


def refusal_in(error: BaseException) -> EgressRefused | None:
    """Return the refusal that an error of a library was made from, if any: to be told, not to be tried again."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, EgressRefused):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


def probing() -> list[tuple[int, int, int]]:
    """Return socket options that let the system find a dead peer: asked after 30 s of silence, 3 times, 10 s apart."""
    wanted = (("TCP_KEEPIDLE", 30), ("TCP_KEEPALIVE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3))
    there = [
        (getattr(socket, name), value) for name, value in wanted if hasattr(socket, name)
    ]  # names differ by system
    return [(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1), *((socket.IPPROTO_TCP, name, value) for name, value in there)]


class CheckedTransport(httpx2.AsyncBaseTransport):
    """Sends requests that may be sent, one recorded hop at a time."""

    def __init__(
        self, pool: httpcore2.AsyncConnectionPool, allowed: Allowed, purpose: str, record: Record, limits: Limits
    ) -> None:
        self._pool = pool
        self._allowed = allowed
        self._purpose = purpose
        self._record = record
        self._limits = limits

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request and follow where that leads, as far as it is allowed."""
        came_from = ""
        for _ in range(MOST_REDIRECTS + 1):
            response = await self._exchange(request, came_from)
            if response.status_code not in _REDIRECTS or "location" not in response.headers:
                return response
            await response.aclose()
            came_from = _without_values(request.url)
            request = await self._redirected(request, response)
        raise EgressRefused(f"{came_from}: it redirects more than {MOST_REDIRECTS} times")

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()

    # -- one hop -----------------------------------------------------------------------------

    async def _exchange(self, request: httpx2.Request, came_from: str) -> httpx2.Response:
        hop = _Hop(self._record, self._purpose, request, came_from)
        try:
            headers = self._headers(request)
        except EgressRefused as error:
            await hop.say("refused", why=str(error))
            raise
        await hop.say("sent", hop.declared)
        body = Counted(request.stream)
        core = httpcore2.Request(
            method=request.method,
            url=httpcore2.URL(
                scheme=request.url.raw_scheme,
                host=request.url.raw_host,
                port=request.url.port,
                target=request.url.raw_path,
            ),
            headers=headers,
            content=body,
            extensions={"timeout": dict(request.extensions.get("timeout", {}))},
        )
        try:
            with passing_on():
                answer = await self._pool.handle_async_request(core)
        except Exception as error:
            phase = "refused" if isinstance(error, EgressRefused) else "failed"
            sent = 0 if phase == "refused" else body.more_than(hop.declared)
            await hop.say(phase, sent, why=str(error) or type(error).__name__)
            raise
        try:
            await hop.say("answered", body.more_than(hop.declared), status=answer.status)
            return bounded(answer, self._limits.body, event_stream=self._limits.event_stream)
        except BaseException:
            await answer.aclose()
            raise

    def _headers(self, request: httpx2.Request) -> list[tuple[bytes, bytes]]:
        """Return the headers to send, with this origin's own credentials; raises EgressRefused."""
        if request.method not in _METHODS:
            raise EgressRefused(f"{request.method[:20]}: not a method that warroom uses")
        origin = origin_of(str(request.url))
        if not _same(origin, request.url):
            raise EgressRefused(f"{origin}: not sent: its address can be read in two ways")
        self._allowed.require(origin)
        netloc = request.url.netloc.decode("ascii")
        if any(value != netloc for value in request.headers.get_list("host")):
            raise EgressRefused(f"{origin}: not sent: its Host header names another host")
        headers = [(name, value) for name, value in request.headers.multi_items() if name.lower() != "accept-encoding"]
        # A compressed answer could unpack to any size: none is asked for, and none is taken.
        headers.append(("accept-encoding", "identity"))
        named = {name.lower() for name, _ in headers}
        own = self._allowed.credentials(origin)
        headers += [(name, value) for name, value in own.items() if name not in named]
        self._allowed.check_secrets(origin, headers, request.url.raw_path, _content(request) or b"")
        return [(name.encode("ascii"), value.encode("utf-8")) for name, value in headers]

    # -- where it leads ----------------------------------------------------------------------

    async def _redirected(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Request:
        """Return the request that a redirect asks for; raises EgressRefused, on record, where it is not followed."""
        try:
            return self._next(request, response)
        except EgressRefused as error:
            await _Hop(self._record, self._purpose, request, _without_values(request.url)).say(
                "refused", why=f"a redirect is not followed: {error}"
            )
            raise

    def _next(self, request: httpx2.Request, response: httpx2.Response) -> httpx2.Request:
        here = origin_of(str(request.url))
        try:
            url = request.url.join(response.headers["location"]).copy_with(fragment=None)
        except (httpx2.InvalidURL, ValueError):
            raise EgressRefused(f"{here}: it redirects to what is not an address") from None
        there = origin_of(str(url))
        if here.scheme == "https" and there.scheme != "https":
            raise EgressRefused(f"{here}: it redirects to {there}, which is not encrypted")
        self._allowed.require(there)
        keeps = request.method in ("GET", "HEAD") or response.status_code in (307, 308)
        content = _content(request) if keeps else b""
        if content is None:
            raise EgressRefused(f"{here}: it redirects a request whose body cannot be sent twice")
        if there != here and content:
            raise EgressRefused(f"{here}: it redirects to {there}, and what was meant for one goes to no other")
        headers = httpx2.Headers(request.headers)
        dropped = {"host"} if keeps else {"host", "content-length", "content-type", "transfer-encoding"}
        for name in list(headers):
            if name in dropped or (there != here and name not in _CARRIED):
                del headers[name]
        method = request.method if keeps else "GET"
        return httpx2.Request(method, url, headers=headers, content=content or None, extensions=request.extensions)


class _Hop:
    """One request to one place, on record."""

    def __init__(self, record: Record, purpose: str, request: httpx2.Request, came_from: str) -> None:
        self._record = record
        self._purpose = purpose
        self._host = request.url.host[:253]
        content = _content(request)
        stated = request.headers.get("content-length", "0")
        self.declared = len(content) if content is not None else int(stated) if stated.isdecimal() else 0
        """Bytes of the body as far as they are known before it is sent."""
        self._about: dict[str, JsonValue] = {
            "request": secrets.token_hex(8),
            "method": request.method[:20],
            "url": _without_values(request.url),
        }
        if came_from:
            self._about["redirected_from"] = came_from

    async def say(self, phase: str, sent: int = 0, **more: JsonValue) -> None:
        """Record a phase; `sent` is the bytes of the body that no earlier event of this request counted."""
        detail: dict[str, JsonValue] = {**self._about, "phase": phase, **more}
        if isinstance(why := detail.get("why"), str):
            detail["why"] = why[:_WHY_LIMIT]  # it may quote what the other side sent
        await self._record(Egress(host=self._host, purpose=self._purpose, bytes_out=sent, detail=detail))


def _same(origin: Origin, url: httpx2.URL) -> bool:
    """Say whether the library that connects reads an address as the check does."""
    host = literal(url.host)
    port = url.port or DEFAULT_PORTS.get(url.scheme)
    return (origin.scheme, origin.host, origin.port) == (url.scheme, str(host) if host else url.host, port)


def _content(request: httpx2.Request) -> bytes | None:
    """Return a request's body where it is in memory."""
    try:
        return request.content
    except httpx2.RequestNotRead:
        return None


def _without_values(url: httpx2.URL) -> str:
    """Return an address for the record: names of a query but none of its values, no user name, no fragment."""
    parts = urlsplit(str(url))
    names = "&".join(f"{name}=" for name, _ in parse_qsl(parts.query, keep_blank_values=True, max_num_fields=1000))
    shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    return f"{shown}?{names}"[:_PATH_LIMIT] if names else shown[:_PATH_LIMIT]


def _proxy(url: str) -> tuple[httpcore2.Proxy | None, dict[tuple[str, int], frozenset[Reach]] | None]:
    """Return a proxy and what its own address may be: anything but link-local and metadata."""
    if not url:
        return None, None
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
    origin = origin_of(f"{parts.scheme}://{host}" + (f":{parts.port}" if parts.port else ""))
    auth = (unquote(parts.username or ""), unquote(parts.password or "")) if "@" in parts.netloc else None
    reach: frozenset[Reach] = frozenset({"public", "private", "loopback"})
    return httpcore2.Proxy(str(origin), auth=auth), {(origin.host, origin.port): reach}
