"""The API client: built from an `Endpoint`, over the one egress factory, never retrying what changes something.

    async with make_client(endpoint, record) as client:
        created = await client.beta.agents.create(...)            # sent once
        found = await patient(client).beta.agents.retrieve(...)   # a read may be repeated

A create or a send whose answer was lost may have happened: list and match before it is sent again (`in_doubt`).
`record` makes each request durable before it leaves: an event of the session, or `egress_log` outside of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.credentials import DEFAULT_BASE_URL, Endpoint, origin_of

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

    from orchestrator.hands.egress_record import Record

READ_RETRIES: Final = 3
CONNECT_S, READ_S = 5.0, 60.0
"""Seconds; a stream's `timeout=` is its own."""
PURPOSE: Final = "model"


def make_client(endpoint: Endpoint, record: Record, http: httpx2.AsyncClient | None = None) -> AsyncAnthropic:
    """Return a client that sends only to this endpoint, with its key alone, and repeats nothing by itself.

    `http` replaces the transport (tests). Close it: `async with`. Raises EgressRefused for an address that nothing
    may be sent to.
    """
    import httpx2
    from anthropic import AsyncAnthropic, Omit

    credential: dict[str, Any] = {endpoint.kind: endpoint.key}
    headers: dict[str, Any] = {name: Omit() for name in endpoint.foreign_headers} | dict(endpoint.headers)
    if endpoint.workspace:
        headers["anthropic-workspace-id"] = endpoint.workspace
    return AsyncAnthropic(
        **credential,
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=httpx2.Timeout(READ_S, connect=CONNECT_S),
        default_headers=headers,
        open_telemetry=False,
        http_client=http if http is not None else make_http(endpoint, record),
    )


def patient(client: AsyncAnthropic) -> AsyncAnthropic:
    """Return the same client for reads: it repeats what failed on the way, with backoff."""
    return client.with_options(max_retries=READ_RETRIES)


def make_http(endpoint: Endpoint, record: Record) -> httpx2.AsyncClient:
    """Return the transport to this endpoint and nowhere else, its key bound to it."""
    from orchestrator.hands import egress

    private = origin_of(endpoint.base_url) != origin_of(DEFAULT_BASE_URL)  # the person's own settings name it
    place = egress.Endpoint(endpoint.base_url, endpoint.key, dict(endpoint.headers), private=private)
    limits = egress.Limits(connect_s=CONNECT_S, event_stream=True, proxy=endpoint.proxy)
    return egress.client([place], PURPOSE, record, limits)
