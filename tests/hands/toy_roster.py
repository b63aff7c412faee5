"""A small roster for the tests of hands and session; workers import it by name, through the test hook of the recipe."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field

from subagents.contract import (
    AgentName,
    Params,
    Progress,
    ServiceInfo,
    SourceSpec,
    Tool,
    ToolContext,
    ToolError,
    ToolResult,
    evidence,
)
from subagents.specialist import Agent, Roster

RELEASE = threading.Event()
"""Lets `toys_wait` end, in this process."""


class Nothing(Params):
    pass


class Number(Params):
    value: int = Field(ge=0)


class Words(Params):
    text: str = ""
    times: int = 1


class Place(Params):
    path: str


class Telling(Place):
    text: str = ""


class Findings(Params):
    finding_ids: tuple[str, ...] = ()


class Failure(Params):
    how: Literal["tool", "value", "exit", "type", "cites"]


class Said(BaseModel):
    value: Any = None


def _double(params: Number, context: ToolContext) -> ToolResult[Said]:
    return ToolResult(data=Said(value=params.value * 2), text=f"twice {params.value}")


def _repeat(params: Words, context: ToolContext) -> ToolResult[Said]:
    text = params.text * params.times
    cited = (evidence("log:toy@0+1", params.text.encode()),)
    return ToolResult(data=Said(value=[params.text] * params.times), text=text, citations=cited)


def _cite(params: Number, context: ToolContext) -> ToolResult[Said]:
    cited = tuple(evidence(f"log:toy@{n}+1", b"x" * 5000) for n in range(params.value))
    return ToolResult(data=Said(value=params.value), citations=cited)


def _wait(params: Nothing, context: ToolContext) -> ToolResult[Said]:
    while not RELEASE.wait(0.01):
        if context.cancelled():
            break
    return ToolResult(data=Said(value="released"))


def _keyed(params: Place, context: ToolContext) -> ToolResult[Said]:
    path = Path(params.path) / (context.key + ".keyed")
    if not path.exists():
        with path.open("a") as file:
            file.write("effect\n")
    return ToolResult(data=Said(value=context.key), text="kept")


def _unkeyed(params: Place, context: ToolContext) -> ToolResult[Said]:
    with (Path(params.path) / (context.key + ".unkeyed")).open("a") as file:
        file.write("effect\n")
    return ToolResult(text="done")


def _findings(params: Findings, context: ToolContext) -> ToolResult[Said]:
    return ToolResult(data=Said(value=[finding.claim for finding in context.findings]))


def _fail(params: Failure, context: ToolContext) -> ToolResult[Said]:
    if params.how == "tool":
        raise ToolError("no such series: cpu; there are: memory")
    if params.how == "exit":
        sys.exit(3)
    if params.how == "type":
        return ToolResult(data=Said.model_construct(value=object()))
    raise ValueError("boom\nsecond line")


def _spin(params: Place, context: ToolContext) -> ToolResult[Said]:
    with open(params.path, "w") as pipe:
        pipe.write(str(os.getpid()))
    while True:
        pass


def _tell(params: Telling, context: ToolContext) -> ToolResult[Said]:
    """Tell something, and go on once the pipe says so; return how often words were wanted."""
    wanted = []

    def words() -> Progress:
        wanted.append(1)
        return Progress(done=1_000, total=4_000, text=params.text)

    context.progress(words)
    with open(params.path) as pipe:
        pipe.read()
    return ToolResult(data=Said(value=len(wanted)), text="told")


def _die(params: Nothing, context: ToolContext) -> ToolResult[Said]:
    os.kill(os.getpid(), signal.SIGKILL)
    return ToolResult()


def _chatter(params: Nothing, context: ToolContext) -> ToolResult[Said]:
    print("garbage on standard output")
    sys.stdout.flush()
    os.write(1, b"\x00\x00more garbage")
    return ToolResult(data=Said(value="quiet"))


def _around(params: Nothing, context: ToolContext) -> ToolResult[Said]:
    around = {
        "env": dict(os.environ),
        "cwd": os.getcwd(),
        "path": sys.path,
        "pid": os.getpid(),
        "stdin": sys.stdin.read(),
    }
    return ToolResult(data=Said(value=around))


def _huge(params: Nothing, context: ToolContext) -> ToolResult[Said]:
    return ToolResult(text="x" * (65 * 1024 * 1024))


def _sources(specs: Sequence[SourceSpec]) -> Callable[[Nothing, ToolContext], ToolResult[Said]]:
    def run(params: Nothing, context: ToolContext) -> ToolResult[Said]:
        return ToolResult(data=Said(value=[spec.id for spec in specs]))

    return run


def _agents(only: Collection[AgentName]) -> Callable[[Nothing, ToolContext], ToolResult[Said]]:
    return lambda params, context: ToolResult(data=Said(value=list(only)))


def _tool(name: str, params: type[Any], run: Callable[..., Any], **options: Any) -> Tool[Any, Any]:
    return Tool(name=name, description=name, params=params, result=Said, run=run, **options)


def build(
    specs: Sequence[SourceSpec],
    services: Sequence[ServiceInfo] = (),
    only: Collection[AgentName] = ("toys", "others"),
) -> Roster:
    tools = (
        _tool("toys_double", Number, _double),
        _tool("toys_repeat", Words, _repeat, output_cap=1000),
        _tool("toys_cite", Number, _cite),
        _tool("toys_wait", Nothing, _wait, timeout_s=30),
        _tool("toys_wait_keyed", Nothing, _wait, timeout_s=30, effect="keyed"),
        _tool("toys_wait_unkeyed", Nothing, _wait, timeout_s=30, effect="unkeyed"),
        _tool("toys_keyed", Place, _keyed, effect="keyed"),
        _tool("toys_unkeyed", Place, _unkeyed, effect="unkeyed"),
        _tool("toys_findings", Findings, _findings),
        _tool("toys_fail", Failure, _fail),
        _tool("toys_send", Nothing, _wait, outward=True, effect="unkeyed"),
        _tool("toys_spin", Place, _spin, worker=True, timeout_s=5),
        _tool("toys_tell", Telling, _tell, worker=True),
        _tool("toys_tell_here", Telling, _tell),
        _tool("toys_tell_beside", Telling, _tell, worker=True, beside=True),
        _tool("toys_die", Nothing, _die, worker=True),
        _tool("toys_chatter", Nothing, _chatter, worker=True),
        _tool("toys_around", Nothing, _around, worker=True),
        _tool("toys_huge", Nothing, _huge, worker=True),
        _tool("toys_worker_fail", Failure, _fail, worker=True),
        _tool("toys_sources", Nothing, _sources(specs), worker=True),
        _tool("toys_agents", Nothing, _agents(only), worker=True),
    )
    other = (_tool("others_sources", Nothing, _sources(specs)),)
    agents = {
        "toys": Agent("toys", "toys", "plays", "", tools),
        "others": Agent("others", "others", "looks on", "", other),
    }
    return Roster({name: agent for name, agent in agents.items() if name in only})


def broken(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    if specs:
        raise ValueError(f"cannot read {specs[0].id}")
    return build(specs, services)
