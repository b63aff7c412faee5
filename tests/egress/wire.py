"""A network that is not there: names resolve to what a test says, connections answer what a test says."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpcore2

from orchestrator.hands.egress import Network
from orchestrator.journal.events import Egress


def answer(status: int = 200, body: bytes = b"{}", **headers: str) -> bytes:
    """Return an answer as it comes over the wire."""
    named = {"content_length": str(len(body)), **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in named.items() if value)
    return f"HTTP/1.1 {status} X\r\n{lines}\r\n".encode() + body


@dataclass
class FakeStream(httpcore2.AsyncNetworkStream):
    """One connection; the answer comes once, and then the end."""

    wire: FakeWire
    answers: deque[bytes]
    tls: str | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - the library's
        if not self.answers:
            return b""
        head = self.answers.popleft()
        if len(head) > max_bytes:
            self.answers.appendleft(head[max_bytes:])
        return head[:max_bytes]

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the library's
        self.wire.written.append(buffer)

    async def aclose(self) -> None:
        self.answers.clear()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
    ) -> httpcore2.AsyncNetworkStream:
        assert ssl_context.check_hostname
        assert ssl_context.verify_mode is ssl.CERT_REQUIRED
        self.wire.tls_names.append(server_hostname)
        return self

    def get_extra_info(self, info: str) -> Any:
        return None


@dataclass
class FakeWire(httpcore2.AsyncNetworkBackend):
    """Where connections go: each takes the next answer. An address in `dead` answers nothing."""

    names: Mapping[str, Sequence[str]]
    answers: deque[bytes] = field(default_factory=deque)
    dead: Sequence[str] = ()
    connected: list[tuple[str, int]] = field(default_factory=list)
    tls_names: list[str | None] = field(default_factory=list)
    written: list[bytes] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def resolve(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        if host not in self.names:
            raise OSError(-2, "Name or service not known")
        return self.names[host]

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the library's own signature
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        self.connected.append((host, port))
        if host in self.dead:
            raise httpcore2.ConnectTimeout
        return FakeStream(self, deque([self.answers.popleft()]))

    @property
    def network(self) -> Network:
        return Network(resolve=self.resolve, backend=self)

    @property
    def sent(self) -> bytes:
        """Every byte that left."""
        return b"".join(self.written)


@dataclass
class Ledger:
    """A record that keeps what it is given, and how many bytes had left when it was."""

    wire: FakeWire
    bodies: list[Egress] = field(default_factory=list)
    bytes_before: list[int] = field(default_factory=list)
    full: bool = False

    async def __call__(self, body: Egress) -> None:
        await asyncio.sleep(0)
        if self.full:
            raise OSError("no room")
        self.bodies.append(body)
        self.bytes_before.append(len(self.wire.sent))

    @property
    def phases(self) -> list[object]:
        return [body.detail["phase"] for body in self.bodies]
