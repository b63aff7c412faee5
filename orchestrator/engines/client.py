"""The API client: built from an `Endpoint`, over the one egress factory, never retrying what changes something.

    async with make_client(endpoint) as client:
        created = await client.beta.agents.create(...)            # sent once
        found = await patient(client).beta.agents.retrieve(...)   # a read may be repeated

A create or a send whose answer was lost may have happened: list and match before it is sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.credentials import Endpoint

if TYPE_CHECKING:
    import httpx2
    from anthropic import AsyncAnthropic

READ_RETRIES: Final = 3
CONNECT_S, READ_S = 5.0, 60.0
"""Seconds; streams set their own."""


def make_client(endpoint: Endpoint, http: httpx2.AsyncClient | None = None) -> AsyncAnthropic:
    """Return a client that sends only to this endpoint, with its key alone, and repeats nothing by itself.

    `http` replaces the egress factory's transport (tests). Close it: `async with`.
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
        http_client=http if http is not None else make_http(endpoint),
    )


def patient(client: AsyncAnthropic) -> AsyncAnthropic:
    """Return the same client for reads: it repeats what failed on the way, with backoff."""
    return client.with_options(max_retries=READ_RETRIES)


def make_http(endpoint: Endpoint) -> httpx2.AsyncClient:
    """Return the transport: no redirects, no stray environment."""
    import httpx2

    return httpx2.AsyncClient(follow_redirects=False, trust_env=False)
