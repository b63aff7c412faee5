"""Archiving what was made: irreversible, and there is no delete. Only this installation's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orchestrator.engines.client import patient
from orchestrator.engines.credentials import Endpoint
from orchestrator.engines.faults import in_doubt
from orchestrator.engines.managed.environment import RemoteEnvironment, remote_environment_of
from orchestrator.engines.managed.register import Register
from orchestrator.engines.managed.remote import Remote, remote_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic


async def archive_agent(client: AsyncAnthropic, register: Register, to: Endpoint, agent: Remote) -> None:
    """Archive an agent for good and forget it; raises what the SDK raises where it is not archived afterwards."""
    try:
        await client.beta.agents.archive(agent.id)
    except Exception as error:
        if not in_doubt(error) or not remote_of(await patient(client).beta.agents.retrieve(agent.id)).archived:
            raise
    register.change(to, lambda place: place.without_agent(agent.id))


async def archive_environment(
    client: AsyncAnthropic, register: Register, to: Endpoint, environment: RemoteEnvironment
) -> None:
    """Archive an environment for good and forget it; raises what the SDK raises where it is not archived afterwards."""
    try:
        await client.beta.environments.archive(environment.id)
    except Exception as error:
        if not in_doubt(error):
            raise
        now = remote_environment_of(await patient(client).beta.environments.retrieve(environment.id))
        if not now.archived:
            raise
    register.change(
        to,
        lambda place: place.model_copy(
            update={"environment": None if place.environment == environment.id else place.environment}
        ),
    )
