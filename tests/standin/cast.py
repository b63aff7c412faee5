"""What a test needs around the stand-in: a client, a small cast, and somebody who answers calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from anthropic import AsyncAnthropic, BadRequestError

from tests.standin import Actor, Call, Standin

Answer = Callable[[str, Mapping[str, Any]], str]
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"q": {"type": "string"}}}


@asynccontextmanager
async def connected(server: Standin, key: str | None = None) -> AsyncIterator[AsyncAnthropic]:
    """Yield an SDK client of the stand-in that never retries."""
    async with AsyncAnthropic(base_url=server.base_url, api_key=key or server.key, max_retries=0) as client:
        yield client


def tool(name: str, **more: Any) -> dict[str, Any]:
    """Return a custom tool."""
    return {"type": "custom", "name": name, "description": "A tool.", "input_schema": SCHEMA, **more}


def said(text: str) -> dict[str, Any]:
    """Return a user.message."""
    return {"type": "user.message", "content": [{"type": "text", "text": text}]}


def result(call: str, text: str = "ok", is_error: bool = False) -> dict[str, Any]:
    """Return a user.custom_tool_result."""
    content = [{"type": "text", "text": text}]
    return {"type": "user.custom_tool_result", "custom_tool_use_id": call, "content": content, "is_error": is_error}


def roster(*refs: Any) -> dict[str, Any]:
    """Return the multiagent configuration of a fixed cast."""
    subagents = {"type": "enabled", "inline_agents": {"type": "disabled"}, "predefined_agents": list(refs)}
    return {"type": "multiagent_20261001", "subagents": subagents, "workflows": {"type": "disabled"}}


async def provision(client: AsyncAnthropic, *scouts: str) -> tuple[str, str]:
    """Store a lead over these scouts (none: a lead alone) and an environment; returns the ids of both."""
    refs = []
    for name in scouts:
        made: Any = await client.beta.agents.create(model="claude-haiku-5-5", name=name, tools=[tool("look")])  # type: ignore[list-item]
        refs.append({"type": "agent", "id": made.id, "version": made.version})
    more: dict[str, Any] = {"multiagent": roster(*refs)} if refs else {}
    lead = await client.beta.agents.create(model="claude-opus-5-5", name="lead", tools=[tool("decide")], **more)  # type: ignore[list-item]
    env = await client.beta.environments.create(
        name="e", config={"type": "cloud", "networking": {"type": "limited", "allowed_hosts": []}}
    )
    return lead.id, env.id


async def begin(client: AsyncAnthropic, *scouts: str, text: str | None = None, **more: Any) -> str:
    """Provision and make a session; with a text, it starts on that. Returns its id."""
    lead, env = await provision(client, *scouts)
    if text is not None:
        more["initial_events"] = [said(text)]
    return (await client.beta.sessions.create(agent=lead, environment_id=env, **more)).id


async def send(client: AsyncAnthropic, session: str, *events: dict[str, Any]) -> list[Any]:
    """Send events; returns them as stored."""
    answer = await client.beta.sessions.events.send(session, events=events)  # type: ignore[arg-type]
    return list(answer.data or [])


async def play(client: AsyncAnthropic, session: str, answer: Answer, deltas: bool = False) -> list[Any]:
    """Answer every call until the session is idle for another reason; returns what the primary stream showed."""
    wanted: Any = ["agent.message", "agent.thinking"] if deltas else []
    seen: list[Any] = []
    done: set[str] = set()
    sending: list[asyncio.Task[None]] = []

    def take(event: Any) -> None:
        if event.type == "agent.custom_tool_use" and event.id not in done:
            done.add(event.id)
            told = result(event.id, answer(event.name, event.input))
            sending.append(asyncio.create_task(answered(told)))

    async def answered(told: dict[str, Any]) -> None:
        with suppress(BadRequestError):  # an old call that an interrupt closed
            await send(client, session, told)

    async with await client.beta.sessions.events.stream(session, event_deltas=wanted) as stream:
        past: list[Any] = [event async for event in client.beta.sessions.events.list(session)]
        for event in past:
            take(event)
        if past and past[-1].type == "session.status_idle" and past[-1].stop_reason.type != "requires_action":
            return past
        async for event in stream:
            seen.append(event)
            take(event)
            if event.type == "session.status_idle" and event.stop_reason.type != "requires_action":
                break
    await asyncio.gather(*sending)
    return seen


# -- brains


async def lead(actor: Actor) -> None:
    """Ask every scout at once, wait for all reports, decide."""
    while True:
        task = await actor.hear()
        await actor.act(f"On it: {task.text}", sends=[(name, task.text) for name in actor.callable], think=True)
        reports = [(await actor.hear()).text for _ in actor.callable]
        told = await actor.call("decide", {"q": " / ".join(sorted(reports))})
        await actor.say(f"Decided: {told.text}")


async def scout(actor: Actor) -> None:
    """Look twice at once and report."""
    while True:
        await actor.hear()
        told = await actor.call("look", {"q": actor.name})
        await actor.say("I looked around here and there, and further away.")
        await actor.report(f"{actor.name}: {told.text}")


async def talker(actor: Actor) -> None:
    """Say back what was heard, then end the turn."""
    heard = await actor.hear()
    await actor.say(f"You said {heard.text}")


async def caller(actor: Actor) -> None:
    """Call the same tool twice in one request, say what came."""
    await actor.hear()
    told = await actor.act(calls=[Call("decide", {"q": "a"}), Call("decide", {"q": "b"})])
    await actor.say("; ".join(one.text for one in told))
