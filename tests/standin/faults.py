"""What goes wrong on purpose: per request, and per frame of a stream."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.standin.errors import ApiError
from tests.standin.wire import Answer, Request

Break = Literal["reset", "close"]
"""RST, or FIN where more was promised."""
Deed = Literal[
    "cut_before",
    "cut_after",
    "half",
    "end",
    "duplicate",
    "swap",
    "drop",
    "garbage",
    "nameless",
    "silence",
    "pings",
    "hold",
]


@dataclass
class Fault:
    """Something that happens to matching requests: after `skip` of them, `times` times."""

    method: str = "*"
    path: str = "*"
    """Pattern of the path, as in fnmatch."""
    skip: int = 0
    times: int = 1
    error: ApiError | None = None
    """Answer with this instead."""
    applied: bool = False
    """The request takes effect before the fault shows."""
    broken: Break | None = None
    """Break the connection instead of answering."""
    body: bytes | None = None
    """Answer 200 with these bytes instead."""
    slow: bool = False
    """Send the answer byte by byte."""
    gate: str = ""
    """Wait for this gate before anything else."""
    late: str = ""
    """Wait for this gate between effect and answer."""
    hits: int = 0

    def matches(self, request: Request) -> bool:
        """Say whether it is this request's turn."""
        if self.method not in ("*", request.method) or not fnmatch.fnmatchcase(request.path, self.path):
            return False
        self.hits += 1
        return self.skip < self.hits <= self.skip + self.times


@dataclass(frozen=True)
class Step:
    """What happens at the n-th frame of a connection (1 is the first)."""

    at: int
    do: Deed
    how: Break = "reset"
    data: bytes = b'event: agent.message\ndata: {"id": "sevt_\n\n'
    gate: str = ""


@dataclass
class StreamFault:
    """Steps for matching stream connections: after `skip` of them, `times` times."""

    steps: tuple[Step, ...]
    path: str = "*/stream"
    skip: int = 0
    times: int = 1
    hits: int = 0

    def matches(self, request: Request) -> bool:
        """Say whether it is this connection's turn."""
        if not fnmatch.fnmatchcase(request.path, self.path):
            return False
        self.hits += 1
        return self.skip < self.hits <= self.skip + self.times


@dataclass
class Faults:
    """The plan; safe to change from any thread."""

    _requests: list[Fault] = field(default_factory=list)
    _streams: list[StreamFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, method: str = "*", path: str = "*", **what: Any) -> Fault:
        """Plan a fault of requests."""
        fault = Fault(method, path, **what)
        with self._lock:
            self._requests.append(fault)
        return fault

    def refuse(
        self, status: int, method: str = "*", path: str = "*", headers: Mapping[str, str] | None = None, **what: Any
    ) -> Fault:
        """Plan an error answer; `code` names its error code."""
        error = ApiError(status, what.pop("message", "planned fault"), what.pop("code", None), headers)
        return self.add(method, path, error=error, **what)

    def rate_limit(self, retry_after: str | None = None, path: str = "*", **what: Any) -> Fault:
        """Plan a 429, with or without `retry-after`."""
        return self.refuse(429, path=path, headers={"retry-after": retry_after} if retry_after else None, **what)

    def spend_limit(self, path: str = "*", **what: Any) -> Fault:
        """Plan the 429 that no waiting clears."""
        return self.refuse(429, path=path, code="enforced_spend_limit_reached", **what)

    def lose_answer(self, path: str = "*", method: str = "POST", how: Break = "reset", **what: Any) -> Fault:
        """Plan a request that takes effect and whose answer is lost."""
        return self.add(method, path, applied=True, broken=how, **what)

    def stream(self, *steps: Step, path: str = "*/stream", skip: int = 0, times: int = 1) -> StreamFault:
        """Plan what happens to a stream's frames."""
        fault = StreamFault(steps, path, skip, times)
        with self._lock:
            self._streams.append(fault)
        return fault

    def clear(self) -> None:
        """Forget the plan."""
        with self._lock:
            self._requests.clear()
            self._streams.clear()

    def of(self, request: Request) -> Fault | None:
        """Return the fault of a request."""
        with self._lock:
            found = [fault for fault in self._requests if fault.matches(request)]
        return found[0] if found else None

    def steps(self, request: Request) -> dict[int, list[Step]]:
        """Return the steps of a stream connection by frame."""
        with self._lock:
            found = [fault for fault in self._streams if fault.matches(request)]
        plan: dict[int, list[Step]] = {}
        for fault in found:
            for step in fault.steps:
                plan.setdefault(step.at, []).append(step)
        return plan


def planned(fault: Fault, answer: Answer, request_id: str) -> Answer:
    """Return the answer that the fault gives instead."""
    if fault.error is not None:
        return Answer(fault.error.status, fault.error.body(request_id), fault.error.headers)
    if fault.body is not None:
        return Answer(200, fault.body)
    return answer
