"""A run from agents to end_turn through the real SDK."""

from __future__ import annotations

from typing import Any

from anthropic import AsyncAnthropic

from tests.standin import Actor, Standin


async def lead(actor: Actor) -> None:
    await actor.hear()
    await actor.act("I ask the scout.", sends=[("scout", "look around")], think=True)
    report = await actor.hear()
    told = await actor.call("conclude", {"text": report.text})
    await actor.say(f"Done: {told.text}")


async def scout(actor: Actor) -> None:
    await actor.hear()
    told = await actor.call("look", {"where": "here"})
    await actor.report(f"I saw {told.text}")


def tool(name: str) -> Any:
    return {"type": "custom", "name": name, "description": "d", "input_schema": {"type": "object"}}


async def provision(client: AsyncAnthropic) -> tuple[str, str]:
    """Store a lead with one scout and an environment; returns the ids of lead and environment."""
    made = await client.beta.agents.create(model="claude-haiku-5-5", name="scout", tools=[tool("look")])
    top = await client.beta.agents.create(
        model={"id": "claude-opus-5-5", "effort": "high"},
        name="lead",
        tools=[tool("conclude")],
        multiagent={
            "type": "multiagent_20261001",
            "subagents": {
                "type": "enabled",
                "inline_agents": {"type": "disabled"},
                "predefined_agents": [{"type": "agent", "id": made.id, "version": 1}],
            },
            "workflows": {"type": "disabled"},
        },
    )
    env = await client.beta.environments.create(
        name="e", config={"type": "cloud", "networking": {"type": "limited", "allowed_hosts": []}}
    )
    return top.id, env.id


async def test_a_coordinator_delegates_and_both_call_tools() -> None:
    with Standin({"lead": lead, "scout": scout}) as server:
        async with AsyncAnthropic(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
            top, env = await provision(client)
            session = await client.beta.sessions.create(agent=top, environment_id=env, title="t")
            assert session.status == "idle"
            seen: list[Any] = []
            stream = await client.beta.sessions.events.stream(
                session.id, event_deltas=["agent.message", "agent.thinking"]
            )
            async with stream:
                await client.beta.sessions.events.send(
                    session.id, events=[{"type": "user.message", "content": [{"type": "text", "text": "go"}]}]
                )
                async for event in stream:
                    seen.append(event)
                    if event.type == "agent.custom_tool_use":
                        await client.beta.sessions.events.send(
                            session.id,
                            events=[
                                {
                                    "type": "user.custom_tool_result",
                                    "custom_tool_use_id": event.id,
                                    "content": [{"type": "text", "text": f"result of {event.name}"}],
                                }
                            ],
                        )
                    if event.type == "session.status_idle" and event.stop_reason.type == "end_turn":
                        break
            texts = [event.content[0].text for event in seen if event.type == "agent.message"]
            assert texts == ["I ask the scout.", "Done: result of conclude"]
            reports = [e.content[0].text for e in seen if e.type == "agent.thread_message_received"]
            assert reports == ["I saw result of look"]
            assert (await client.beta.sessions.retrieve(session.id)).status == "running"
            assert (await client.beta.sessions.retrieve(session.id)).status == "idle"
