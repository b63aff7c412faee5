"""The worker: a process of its own for CPU-heavy tools, so that a key press never waits for them.

Started as `python -P -m orchestrator.hands.worker` in `/` with a closed environment. It speaks frames (8 bytes of
length, then JSON) over its standard input and what was its standard output; anything that a tool or library prints
goes to standard error. It ends with its parent: by the kernel's signal on Linux, and by the end of its input.
"""

from __future__ import annotations

import importlib
import json
import os
import queue
import signal
import struct
import sys
import threading
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, BinaryIO, cast

from orchestrator.hands.pacing import FOUND_TAKEN, TEXT_TAKEN, Paced
from orchestrator.hands.rosters import RosterRecipe
from subagents.clock import SystemClock
from subagents.collector import collector_waiting
from subagents.contract import (
    Fact,
    Finding,
    Progress,
    Resolver,
    ServiceInfo,
    SourceSpec,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
)
from subagents.specialist import Roster
from subagents.verifying import Verifier

FRAME_HEADER = struct.Struct(">Q")
VERIFY = "verify"
"""Names, in a message, what is asked of an agent's resolver instead of a tool."""
WARM = "warm"
"""Names the one message that has no reply: import what scans need, before anything is asked for."""
WATCHED = "watched"
"""Says, in the message of a call, that somebody watches it."""
PROGRESS = "progress"
"""Names, in a frame before the reply, how far the call is."""
FRAME_LIMIT = 64 * 1024 * 1024
"""Most bytes of one frame; a result that is larger is an error of its tool."""


def write_frame(stream: BinaryIO, message: Mapping[str, Any] | bytes) -> None:
    """Write one message; raises OSError when the other side is gone."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    stream.write(FRAME_HEADER.pack(len(body)) + body)
    stream.flush()


def read_frame(stream: BinaryIO) -> Any:
    """Read one message; None at the end of the stream, ValueError for what is no frame."""
    header = stream.read(FRAME_HEADER.size)
    if len(header) < FRAME_HEADER.size:
        return None
    (length,) = FRAME_HEADER.unpack(header)
    if length > FRAME_LIMIT:
        raise ValueError(f"a frame of {length} bytes")
    body = stream.read(length)
    return None if len(body) < length else json.loads(body)


def encode_result(result: ToolResult[Any]) -> bytes:
    """Return a tool's result as JSON bytes; raises ToolError for what is too large or cannot be JSON."""
    try:
        body = json.dumps(
            {
                "data": None if result.data is None else result.data.model_dump(mode="json"),
                "text": _scrub(result.text),
                "citations": [item.model_dump(mode="json") for item in result.citations],
                "more": result.more,
                "outcome": result.outcome,
            },
            ensure_ascii=False,
            allow_nan=False,
        ).encode()
    except (ValueError, TypeError, RecursionError) as error:
        raise ToolError(f"the result cannot be stored: {_one_line(error)}") from error
    if len(body) > FRAME_LIMIT - 1024:
        raise ToolError(f"the result has {len(body):,} bytes, more than {FRAME_LIMIT:,}; ask for less")
    return body


def _scrub(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


def _one_line(error: BaseException) -> str:
    return " ".join(_scrub(str(error)).split())[:500]


def run_tool(tool: Tool[Any, Any], arguments: Mapping[str, Any], context: ToolContext) -> dict[str, Any]:
    """Run a tool and return what happened as a message: `result`, or `error` with its kind and trace."""
    try:
        return {"result": encode_result(tool.run(tool.params.model_validate(arguments), context))}
    except ToolError as error:
        return {"error": _scrub(str(error)) or "the tool gave no reason", "kind": "tool"}
    except BaseException as error:  # a tool that calls sys.exit() is a failed call as well
        return {
            "error": f"{type(error).__name__}: {_one_line(error)}".rstrip(": "),
            "kind": "fault",
            "trace": _scrub(traceback.format_exc(limit=40)),
        }


def ask_resolver(resolver: object, message: Mapping[str, Any]) -> Any:
    """Return a resolver's answer as JSON; None for what it does not know to answer. Raises ToolError."""
    if message[VERIFY] == "resolve":
        if resolver is None:
            raise ToolError(f"nobody here opens {message['ref']}")
        return cast(Resolver, resolver).resolve(message["ref"], message["context_lines"]).model_dump(mode="json")
    if not isinstance(resolver, Verifier):
        return None
    if message[VERIFY] == "has":
        return resolver.has(message["kind"], message["name"])
    board = [Finding.model_validate(finding) for finding in message.get("board", ())]
    found = (
        resolver.span()
        if message[VERIFY] == "span"
        else resolver.recompute(Fact.model_validate(message["fact"]), board)
    )
    return None if found is None else found.model_dump(mode="json")


class _Worker:
    """Answers the parent's messages, one at a time."""

    def __init__(self, send: Callable[[Mapping[str, Any]], None]) -> None:
        self._send = send
        self._roster: Roster | None = None

    def answer(self, message: Mapping[str, Any]) -> bytes:
        try:
            reply = self._reply(message)
        except BaseException as error:
            reply = {"error": f"{type(error).__name__}: {_one_line(error)}", "kind": "fault"}
            reply["trace"] = _scrub(traceback.format_exc(limit=40))
        result = reply.pop("result", None)
        return b'{"result":' + result + b"}" if isinstance(result, bytes) else json.dumps(reply).encode()

    def _reply(self, message: Mapping[str, Any]) -> dict[str, Any]:
        if "factory" in message:
            return self._fit(message)
        return self._verify(message) if VERIFY in message else self._call(message)

    def _verify(self, message: Mapping[str, Any]) -> dict[str, Any]:
        agent = self._roster.agents.get(message["agent"]) if self._roster else None
        try:
            return {"answer": ask_resolver(agent.resolver if agent is not None else None, message)}
        except ToolError as error:
            return {"error": _scrub(str(error)), "kind": "tool"}

    def _fit(self, message: Mapping[str, Any]) -> dict[str, Any]:
        recipe = RosterRecipe(factory=message["factory"], import_path=message["import_path"])
        specs = [SourceSpec.model_validate(spec) for spec in message["specs"]]
        services = [ServiceInfo.model_validate(service) for service in message["services"]]
        self._roster = recipe.alone(message["agent"], specs, services)
        return {"tools": {agent.name: [t.name for t in agent.tools] for agent in self._roster.agents.values()}}

    def _call(self, message: Mapping[str, Any]) -> dict[str, Any]:
        tool = self._roster.tool(message["agent"], message["tool"]) if self._roster else None
        if tool is None:
            return {"error": f"the worker of {message['agent']} has no tool {message['tool']!r}", "kind": "tool"}
        clock = SystemClock()
        context = ToolContext(
            key=message["key"],
            clock=clock,
            findings=tuple(Finding.model_validate(finding) for finding in message["findings"]),
        )
        if message.get(WATCHED):
            context = replace(context, progress=Paced(self._tell, clock))
        return run_tool(tool, message["input"], context)

    def _tell(self, progress: Progress) -> None:
        text = _scrub(progress.text[:TEXT_TAKEN])
        found = [(ref, _scrub(said[:TEXT_TAKEN])) for ref, said in progress.found[:FOUND_TAKEN]]
        self._send({PROGRESS: {**progress.model_dump(), "text": text, "found": found}})


def _take_streams() -> tuple[BinaryIO, BinaryIO]:
    """Keep the two pipes for frames; what tools read is empty, what they print goes to standard error."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, replies


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    import ctypes

    parent = os.getppid()
    ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(1)


def _read_requests(requests: BinaryIO, inbox: queue.SimpleQueue[Any]) -> None:
    """Feed the main thread; at the end of input the whole process group goes, whatever it is doing."""
    try:
        while (message := read_frame(requests)) is not None:
            inbox.put(message)
    except (ValueError, OSError):
        pass
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpgrp(), signal.SIGKILL)
    os._exit(0)


NEEDED = ("subagents.logs.agent", "polars", "numpy.ctypeslib", "numpy.ma", "msgspec.json", "subagents.logs.merge")
"""What scans import where they need it; first the specialist, who says how many threads the libraries may start."""


def warm() -> None:
    """Import what scans need."""
    for name in NEEDED:
        with suppress(ImportError), collector_waiting():  # whatever needs it will say so
            importlib.import_module(name)


def main() -> None:
    """Serve until the parent closes the pipe or kills us."""
    _die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    requests, replies = _take_streams()
    inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
    threading.Thread(target=_read_requests, args=(requests, inbox), daemon=True).start()
    worker = _Worker(lambda message: write_frame(replies, message))
    while True:
        message = inbox.get()
        if WARM in message:
            warm()
        else:
            write_frame(replies, worker.answer(message))


if __name__ == "__main__":
    main()
