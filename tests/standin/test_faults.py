"""Faults of requests: refusals, lost answers, slow and senseless ones."""

from __future__ import annotations

import anthropic
import pytest
from anthropic import AsyncAnthropic

from tests.standin import Standin
from tests.standin.cast import begin, provision, said, send


async def test_rate_limits_with_and_without_retry_after_and_the_one_that_stays(
    quiet: Standin, client: AsyncAnthropic
) -> None:
    quiet.faults.rate_limit("7", path="/v1/agents")
    quiet.faults.rate_limit(path="/v1/agents", skip=0)
    with pytest.raises(anthropic.RateLimitError) as first:
        await client.beta.agents.list()
    assert first.value.response.headers["retry-after"] == "7"
    quiet.faults.clear()
    quiet.faults.spend_limit(path="/v1/agents", times=2)
    for _ in range(2):
        with pytest.raises(anthropic.RateLimitError) as capped:
            await client.beta.agents.list()
        assert capped.value.error_code == "enforced_spend_limit_reached"
        assert "retry-after" not in capped.value.response.headers
    assert (await client.beta.agents.list()).data is not None
    quiet.faults.clear()
    quiet.faults.refuse(529, path="/v1/agents")
    with pytest.raises(anthropic.OverloadedError):
        await client.beta.agents.list()
    quiet.faults.clear()


@pytest.mark.parametrize("applied", [True, False])
async def test_a_lost_answer_did_or_did_not_take_effect(quiet: Standin, client: AsyncAnthropic, applied: bool) -> None:
    session = await begin(client)
    if applied:
        quiet.faults.lose_answer(path="*/events")
    else:
        quiet.faults.add("POST", "*/events", broken="reset")
    with pytest.raises(anthropic.APIConnectionError):
        await send(client, session, said("once"))
    stored = [event for event in quiet.state.events(session) if event["type"] == "user.message"]
    assert len(stored) == (1 if applied else 0)
    quiet.faults.clear()


async def test_a_500_after_it_took_effect(quiet: Standin, client: AsyncAnthropic) -> None:
    top, env = await provision(client)
    before = len(quiet.state.sessions)
    quiet.faults.refuse(500, "POST", "/v1/sessions", applied=True)
    with pytest.raises(anthropic.InternalServerError):
        await client.beta.sessions.create(agent=top, environment_id=env)
    assert len(quiet.state.sessions) == before + 1
    quiet.faults.clear()


async def test_slow_senseless_and_huge_answers(quiet: Standin, client: AsyncAnthropic) -> None:
    quiet.faults.add("GET", "/v1/agents", slow=True)
    assert (await client.beta.agents.list()).data is not None
    quiet.faults.clear()
    quiet.faults.add("GET", "/v1/agents", body=b"<html>")
    with pytest.raises(Exception):  # noqa: B017, PT011  (what the SDK raises is its own business)
        await client.beta.agents.list()
    quiet.faults.clear()
    quiet.faults.add(
        "GET", "/v1/environments", body=b'{"data": [], "next_page": null, "x": "' + b"y" * (1 << 22) + b'"}'
    )
    assert (await client.beta.environments.list()).data == []
    quiet.faults.clear()
