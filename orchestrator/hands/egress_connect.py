"""Connections to checked addresses only: a name is resolved once, and what was checked is what is connected to."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import httpcore2

from orchestrator.hands.egress_addresses import Reach, address_fault, literal
from orchestrator.hands.egress_endpoints import EgressRefused
from orchestrator.hands.threads import in_thread

Resolve = Callable[[str, int], Sequence[str]]
"""Host and port to addresses, best first. Blocks; raises OSError."""


def resolve(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))


@dataclass(frozen=True)
class Network:
    """What a client stands on; tests give their own."""

    resolve: Resolve = resolve
    backend: httpcore2.AsyncNetworkBackend = field(default_factory=httpcore2.AnyIOBackend)
    tls: ssl.SSLContext | None = None
    """None: the system's trust store, or `SSL_CERT_FILE`."""


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Resolves, checks every address, and connects to one of those."""

    def __init__(self, reaches: Mapping[tuple[str, int], frozenset[Reach]], network: Network, connect_s: float) -> None:
        self._reaches = reaches
        self._network = network
        self._connect_s = connect_s

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect; raises EgressRefused for an address that is not reached, httpcore2.ConnectError, ConnectTimeout."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(self._connect_s, timeout or self._connect_s)
        addresses = await self._checked(host, port, deadline - loop.time())
        fault: Exception = httpcore2.ConnectError(f"{host}: it has no address")
        for index, address in enumerate(addresses):
            # Shared out, so that one address that swallows packets does not use up the time of the next.
            share = max(0.0, deadline - loop.time()) / (len(addresses) - index)
            try:
                return await self._network.backend.connect_tcp(address, port, share, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                fault = type(error)(f"{host} ({address}), port {port}: {error or 'no answer'}")
        raise fault

    async def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no setting names a socket file."""
        raise EgressRefused(f"{path}: warroom connects to no socket file")

    async def sleep(self, seconds: float) -> None:
        """Wait, between tries."""
        await self._network.backend.sleep(seconds)

    async def _checked(self, host: str, port: int, within_s: float) -> Sequence[str]:
        own = literal(host)
        allowed = self._reaches.get((str(own) if own else host.lower(), port))
        if allowed is None:
            raise EgressRefused(f"{host}, port {port}: nothing is sent there; it is not configured")
        if own is not None:
            found: Sequence[str] = [str(own)]
        else:
            try:
                found = await asyncio.wait_for(
                    in_thread(lambda: self._network.resolve(host, port), f"resolve-{host[:40]}"), within_s
                )
            except TimeoutError:
                raise httpcore2.ConnectTimeout(f"{host}: its name was not resolved in time") from None
            except OSError as error:
                raise httpcore2.ConnectError(f"{host}: its name cannot be resolved ({error.strerror})") from None
        for address in found:
            if fault := address_fault(host, address, allowed):
                raise EgressRefused(fault)
        return found
