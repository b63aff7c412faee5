"""HTTP/1.1 on loopback, no more of it than an SDK needs, and every way to break a connection."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.standin.errors import ApiError

BODY_LIMIT = 32 * 1024 * 1024
REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 429: "Too Many Requests"}


class Gone(Exception):
    """The peer has left, or we broke the connection on purpose."""


@dataclass(frozen=True)
class Request:
    """One request as it came."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    raw: bytes = b""

    def json(self) -> Any:
        """Return the body; an empty one is an empty object; 400 where it is not JSON."""
        if not self.raw:
            return {}
        try:
            return json.loads(self.raw)
        except ValueError as fault:
            raise ApiError(400, f"The request body is not valid JSON: {fault}") from fault


@dataclass
class Answer:
    """A whole response."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        """Return the bytes on the wire."""
        raw = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        head = {"content-type": "application/json", **self.headers, "content-length": str(len(raw))}
        lines = [f"HTTP/1.1 {self.status} {REASONS.get(self.status, 'Status')}"]
        lines += [f"{name}: {value}" for name, value in head.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


class Link:
    """One client connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> Request | None:
        """Return the next request; None when the peer closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            return None
        first, *rest = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {}
        for line in rest:
            name, colon, value = line.partition(":")
            if colon:
                headers[name.strip().lower()] = value.strip()
        url = urlsplit(target)
        query = tuple(parse_qsl(url.query, keep_blank_values=True))
        return Request(method, url.path, query, headers, await self._body(headers))

    async def _body(self, headers: Mapping[str, str]) -> bytes:
        if headers.get("transfer-encoding") == "chunked":
            parts = []
            while size := int((await self.reader.readline()).strip() or b"0", 16):
                parts.append(await self.reader.readexactly(size))
                await self.reader.readline()
            await self.reader.readline()
            return b"".join(parts)
        length = int(headers.get("content-length", "0"))
        if length > BODY_LIMIT:
            raise ApiError(413, "Request exceeds the maximum size")
        return await self.reader.readexactly(length)

    async def write(self, data: bytes) -> None:
        """Send bytes; Gone where the peer has left."""
        if self.writer.transport.is_closing():
            raise Gone
        try:
            self.writer.write(data)
            await self.writer.drain()
        except ConnectionError as fault:
            raise Gone from fault

    async def open_stream(self, headers: Mapping[str, str]) -> None:
        """Send the head of an event stream."""
        lines = ["HTTP/1.1 200 OK", "content-type: text/event-stream; charset=utf-8", "cache-control: no-cache"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        await self.write("\r\n".join([*lines, "transfer-encoding: chunked", "", ""]).encode())

    async def chunk(self, data: bytes) -> None:
        """Send one chunk of an event stream."""
        await self.write(b"%x\r\n%s\r\n" % (len(data), data))

    async def end_stream(self) -> None:
        """End the body cleanly."""
        await self.write(b"0\r\n\r\n")

    def reset(self) -> None:
        """Break the connection with a RST."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    def close(self) -> None:
        """Close with a FIN, whatever was promised."""
        self.writer.close()


def frame(event: Mapping[str, Any], named: bool = True) -> bytes:
    """Return an event as a server-sent event."""
    name = f"event: {event['type']}\n" if named else ""
    return f"{name}data: {json.dumps(event)}\n\n".encode()


PING = b'event: ping\ndata: {"type": "ping"}\n\n'
KEEP_ALIVE = b": keep-alive\n\n"
