"""What goes out and comes in, counted: a body that says how much was sent, an answer that ends at a limit."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import httpcore2
import httpx2

from orchestrator.hands.egress_endpoints import EgressRefused


class ResponseRefused(EgressRefused):
    """An answer came and was not taken: too large, or packed."""


class Counted:
    """A request's body that counts what was sent of it."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._sent = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._stream:
            self._sent += len(part)
            yield part

    def more_than(self, declared: int) -> int:
        """Return how many bytes were sent beyond those that were known before."""
        return max(0, self._sent - declared)


class Bounded(httpx2.AsyncByteStream):
    """An answer's body that ends with ResponseRefused at a limit of bytes: in all, or per line."""

    def __init__(self, stream: Any, limit: int, *, per_line: bool) -> None:
        self._stream = stream
        self._limit = limit
        self._per_line = per_line

    async def __aiter__(self) -> AsyncIterator[bytes]:
        held = 0
        with passing_on():
            async for part in self._stream:
                line = part.rfind(b"\n") if self._per_line else -1
                held = len(part) - line - 1 if line >= 0 else held + len(part)
                if held > self._limit:
                    what = "a line of the answer" if self._per_line else "the answer"
                    raise ResponseRefused(f"{what} is larger than {self._limit >> 20} MiB; the rest was not read")
                yield part

    async def aclose(self) -> None:
        """Close the connection, or give it back."""
        await self._stream.aclose()


def bounded(answer: httpcore2.Response, limit: int, *, event_stream: bool) -> httpx2.Response:
    """Return an answer whose body is bounded; raises ResponseRefused. Cookies are left out: none is ever sent back."""
    headers = httpx2.Headers([(name, value) for name, value in answer.headers if name.lower() != b"set-cookie"])
    packed = headers.get("content-encoding", "identity").strip().lower()
    if packed not in ("", "identity"):
        raise ResponseRefused(f"the answer is packed ({packed[:20]}), although it was asked for unpacked")
    per_line = event_stream and headers.get("content-type", "").partition(";")[0].strip() == "text/event-stream"
    stated = headers.get("content-length", "")
    if not per_line and stated.isdecimal() and int(stated) > limit:
        raise ResponseRefused(f"the answer is larger than {limit >> 20} MiB; it was not read")
    kept = {name: answer.extensions[name] for name in ("http_version", "reason_phrase") if name in answer.extensions}
    stream = Bounded(answer.stream, limit, per_line=per_line)
    return httpx2.Response(answer.status, headers=headers, stream=stream, extensions=kept)


@contextmanager
def passing_on() -> Iterator[None]:
    """Raise what the connection layer raises as the client library's error of the same name."""
    try:
        yield
    except Exception as error:
        for kind in type(error).__mro__:
            if getattr(httpcore2, kind.__name__, None) is kind and hasattr(httpx2, kind.__name__):
                raise getattr(httpx2, kind.__name__)(str(error)) from error
        raise
