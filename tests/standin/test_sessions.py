"""Sessions: created running or idle, budgets, the lag of the stored status, archive, deletion, pages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.standin import Actor, Options, Standin
from tests.standin.cast import begin, caller, connected, lead, play, provision, said, scout, send

CENT: Any = {"type": "limit", "max_list_cost": {"amount": "1", "currency": "USD"}}


def cents(amount: str) -> Any:
    return {"type": "limit", "max_list_cost": {"amount": amount, "currency": "USD"}}


@pytest.fixture
def server() -> Iterator[Standin]:
    with Standin({"lead": caller}) as found:
        yield found


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"agent": {"type": "agent", "id": "LEAD", "version": 0}}, "version"),
        ({"initial_events": [said("x")] * 51}, "initial_events"),
        ({"initial_events": [{"type": "user.interrupt"}]}, "initial_events.0.type"),
        ({"initial_events": [{"type": "system.message", "content": []}]}, "initial_events.0.type"),
        ({"budget": cents("2.50")}, "amount"),
        ({"budget": cents("0")}, "amount"),
        ({"budget": {"type": "limit", "max_list_cost": {"amount": "5", "currency": "EUR"}}}, "currency"),
        ({"budget": None}, "budget"),
        ({"metadata": {"k": 1}}, "metadata.k"),
        ({"mode": "fast"}, "mode: Extra inputs"),
    ],
)
async def test_what_a_session_may_not_be(client: AsyncAnthropic, fields: dict[str, Any], words: str) -> None:
    top, env = await provision(client)
    body: dict[str, Any] = {"agent": top, "environment_id": env, **fields}
    if isinstance(body["agent"], dict):
        body["agent"]["id"] = top
    with pytest.raises(anthropic.BadRequestError) as refused:
        await client.post("/v1/sessions", body=body, cast_to=object, options={"headers": _BETA})
    assert words in str(refused.value.api_message)


_BETA = {"anthropic-beta": "managed-agents-2026-04-01"}


async def test_initial_events_start_it_and_the_agent_is_a_snapshot(client: AsyncAnthropic) -> None:
    top, env = await provision(client, "scout")
    first: Any = await client.beta.sessions.create(agent=top, environment_id=env, initial_events=[said("go")])  # type: ignore[list-item]
    assert first.status == "running"
    assert first.agent.multiagent.subagents.predefined_agents[0].name == "scout"
    await client.beta.agents.update(top, system="changed")
    again = await client.beta.sessions.retrieve(first.id)
    assert (again.agent.version, again.agent.system) == (1, None)
    with pytest.raises(anthropic.NotFoundError):
        await client.beta.sessions.create(agent="agent_none", environment_id=env)
    with pytest.raises(anthropic.NotFoundError):
        await client.beta.sessions.create(agent=top, environment_id="env_none")


async def test_a_running_or_lagging_session_is_neither_archived_nor_deleted(server: Standin) -> None:
    async with connected(server) as client:
        session = await begin(client, text="go")
        server.until(lambda state: len(state.only().primary.pending) == 2)
        await client.beta.sessions.retrieve(session)
        await play(client, session, lambda name, given: "ok")
        for refused in (client.beta.sessions.archive, client.beta.sessions.delete):
            with pytest.raises(anthropic.BadRequestError, match="running"):
                await refused(session)
        assert (await client.beta.sessions.retrieve(session)).status == "running"
        assert (await client.beta.sessions.retrieve(session)).status == "idle"
        archived = await client.beta.sessions.archive(session)
        assert (archived.status, archived.archived_at is not None) == ("terminated", True)
        with pytest.raises(anthropic.BadRequestError, match="terminated"):
            await send(client, session, said("more"))
        assert session not in [one.id async for one in client.beta.sessions.list()]
        assert await client.beta.sessions.delete(session)
        with pytest.raises(anthropic.NotFoundError):
            await client.beta.sessions.retrieve(session)


async def test_deletion_reaches_live_streams_as_their_last_event(client: AsyncAnthropic) -> None:
    session = await begin(client)
    async with await client.beta.sessions.events.stream(session) as stream:
        await client.beta.sessions.delete(session)
        assert [event.type async for event in stream] == ["session.deleted"]


async def test_update_says_what_changed_and_refuses_the_rest(server: Standin) -> None:
    async def busy(actor: Actor) -> None:
        await actor.hear()
        await actor.gate("never")

    server.script({"lead": busy})
    async with connected(server) as client:
        session = await begin(client, text="go", metadata={"a": "1"})
        with pytest.raises(anthropic.BadRequestError, match="while the session runs"):
            await client.beta.sessions.update(session, agent={"tools": []})
        with pytest.raises(anthropic.BadRequestError, match="vault_ids"):
            await client.beta.sessions.update(session, vault_ids=["v"])
        with pytest.raises(anthropic.BadRequestError) as refused:
            await client.beta.sessions.update(session, budget=CENT)
        assert refused.value.error_code == "budget_create_only"
        changed = await client.beta.sessions.update(session, title="t", metadata={"b": "2"})
        assert (changed.title, changed.metadata) == ("t", {"a": "1", "b": "2"})
        await client.beta.sessions.update(session, title="t")
        updates = [event for event in server.state.events() if event["type"] == "session.updated"]
        assert [(one.get("title"), one.get("metadata"), "budget" in one) for one in updates] == [
            ("t", {"a": "1", "b": "2"}, False)
        ]


async def test_the_budget_pauses_the_run_until_it_is_raised() -> None:
    async def two_steps(actor: Actor) -> None:
        await actor.hear()
        await actor.call("decide", {})
        await actor.say("done")

    with Standin({"lead": two_steps}, options=Options(request_cost=20_000)) as server:
        async with connected(server) as client:
            session = await begin(client, text="go", budget=CENT)
            seen = await play(client, session, lambda name, given: "ok")
            last = seen[-2:]
            assert [event.type for event in last] == ["session.usage", "session.status_idle"]
            assert (last[1].stop_reason.type, last[0].usage.list_cost.amount) == ("budget_reached", "2")
            with pytest.raises(anthropic.BadRequestError, match="budget"):
                await send(client, session, said("more"))
            await send(client, session, {"type": "user.interrupt"})
            with pytest.raises(anthropic.BadRequestError) as low:
                await client.beta.sessions.update(session, budget=cents("2"))
            assert low.value.error_code == "budget_not_raised"
            await client.beta.sessions.update(session, budget=cents("9"))
            server.until(
                lambda state: state.events()[-1]["type"] == "session.status_idle" and state.only().cost > 20_000
            )
            assert server.state.events()[-1]["stop_reason"] == {"type": "end_turn"}
            await client.beta.sessions.update(session, budget=None)
            with pytest.raises(anthropic.BadRequestError) as gone:
                await client.beta.sessions.update(session, budget=cents("9"))
            assert gone.value.error_code == "budget_create_only"


async def test_usage_adds_up_over_threads() -> None:
    with Standin({"lead": lead, "scout": scout}) as server:
        async with connected(server) as client:
            session = await begin(client, "scout", text="go")
            await play(client, session, lambda name, given: "ok")
            whole = (await client.beta.sessions.retrieve(session)).usage
            threads = [one async for one in client.beta.sessions.threads.list(session)]
            assert whole.output_tokens == sum(one.usage.output_tokens or 0 for one in threads if one.usage)
            ends = [
                e for t in threads for e in server.state.events(thread=t.id) if e["type"] == "span.model_request_end"
            ]
            assert whole.input_tokens == sum(end["model_usage"]["input_tokens"] for end in ends)


async def test_lists_filter_page_both_ways_and_bind_cursors_to_their_order(client: AsyncAnthropic) -> None:
    top, env = await provision(client)
    made = [(await client.beta.sessions.create(agent=top, environment_id=env)).id for _ in range(5)]
    first = await client.beta.sessions.list(agent_id=top, limit=2, order="asc")
    assert [one.id for one in first.data] == made[:2]
    second = await first.get_next_page()
    back = await client.beta.sessions.list(agent_id=top, limit=2, order="asc", page=str(second.prev_page))
    assert [one.id for one in back.data] == made[:2]
    with pytest.raises(anthropic.BadRequestError, match="cursor"):
        await client.beta.sessions.list(agent_id=top, order="desc", page=str(first.next_page))
    assert [one.id async for one in client.beta.sessions.list(agent_id=top, limit=3)] == list(reversed(made))
    newer = client.beta.sessions.list(agent_id=top, created_at_gt=first.data[1].created_at, order="asc")
    assert [one.id async for one in newer] == made[2:]
    assert [one async for one in client.beta.sessions.list(agent_id=top, statuses=["running"])] == []
    with pytest.raises(anthropic.BadRequestError, match="statuses"):
        await client.beta.sessions.list(statuses=["busy"])  # type: ignore[list-item]
