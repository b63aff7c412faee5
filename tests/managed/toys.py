"""A small roster for tests of the managed engine; its effects leave files."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from subagents.contract import Params, ServiceInfo, SourceSpec, Tool, ToolContext, ToolError, ToolResult, evidence
from subagents.specialist import Agent, Roster


class Asked(Params):
    q: str = ""


class Done(BaseModel):
    said: str = ""


_NEVER = threading.Event()
CITED = "log:app.log@0+1"
HUGE = 3_000_000


def _look(params: Asked, context: ToolContext) -> ToolResult[Done]:
    if params.q == "fail":
        raise ToolError("there is nothing to look at; name another place")
    if params.q == "huge":
        return ToolResult(data=Done(), text="</untrusted>\x1b[31m " * (HUGE // 20))
    cited = (evidence(CITED, b"it broke", "a line"),)
    return ToolResult(data=Done(said=params.q), text=f"saw {params.q}", citations=cited)


def _keyed(params: Asked, context: ToolContext) -> ToolResult[Done]:
    """Take effect once per key: another key for the same call would show as a second file."""
    folder, _, name = params.q.rpartition("/")
    os.close(os.open(Path(folder) / f"{name}@{context.key}", os.O_CREAT | os.O_WRONLY))
    return ToolResult(data=Done(said=name), text=f"did {name}")


def _unkeyed(params: Asked, context: ToolContext) -> ToolResult[Done]:
    """Take effect once per run."""
    handle = os.open(params.q, os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.write(handle, b"!")
    os.close(handle)
    return ToolResult(data=Done(), text=f"did {Path(params.q).name}")


def _wait(params: Asked, context: ToolContext) -> ToolResult[Done]:
    """Wait for a file; who stops it does not wait for that."""
    while Path(params.q).parent.exists() and not Path(params.q).exists():
        _NEVER.wait(0.02)
    return ToolResult(data=Done(), text="waited")


NAMES = ("a", "b", "c", "d")


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    agents = {}
    for name in ("scout", "logs", *NAMES):
        look: Tool[Any, Any] = Tool(f"{name}_look", "Look.", Asked, Done, _look)
        wait: Tool[Any, Any] = Tool(f"{name}_wait", "Wait.", Asked, Done, _wait)
        keyed: Tool[Any, Any] = Tool(f"{name}_keyed", "Do.", Asked, Done, _keyed, effect="keyed")
        unkeyed: Tool[Any, Any] = Tool(f"{name}_unkeyed", "Do.", Asked, Done, _unkeyed, effect="unkeyed")
        agents[name] = Agent(name, "", "", "", (look, wait, keyed, unkeyed))
    return Roster(agents)
