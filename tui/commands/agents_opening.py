"""What the commands about remote agents begin with: settings, key, register, client; faults in one line each."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tui.commands.faults import ENGINE_FAILED, Fault, narrate

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

    from orchestrator.engines.credentials import Endpoint
    from orchestrator.engines.managed.plan import Wanted
    from orchestrator.engines.managed.register import Register
    from orchestrator.engines.managed.sync import Sync

DIFFERS = 4
"""Exit status: what is there is not what it should be, or nobody said yes."""


@dataclass(frozen=True)
class Opened:
    """What is needed to talk about the agents that one key can see."""

    to: Endpoint
    register: Register
    wanted: Wanted
    client: AsyncAnthropic
    sync: Sync


@asynccontextmanager
async def opened(config: Path | None) -> AsyncIterator[Opened]:
    """Open the way to the agents of the settings' endpoint; every fault is raised as a Fault of one line."""
    from orchestrator.journal.faults import DiskFull, StateError

    remote = _prepared(config)
    for remark in remote.to.remarks:
        narrate(f"warroom: {remark}")
    async with remote.client:
        try:
            yield remote
        except (StateError, DiskFull) as error:
            raise Fault(str(error)) from error
        except Exception as error:
            raise _told(error, remote.to) from error


def _prepared(config: Path | None) -> Opened:
    from orchestrator.config import ConfigError, load_settings
    from orchestrator.engines.client import make_client
    from orchestrator.engines.credentials import CredentialError, endpoint
    from orchestrator.engines.managed.definitions import DefinitionError, definitions, shipped_agents
    from orchestrator.engines.managed.plan import Wanted
    from orchestrator.engines.managed.register import Register
    from orchestrator.engines.managed.sync import Sync
    from orchestrator.hands.egress import EgressRefused
    from orchestrator.hands.egress_record import egress_log
    from orchestrator.journal.faults import DiskFull, StateError
    from orchestrator.journal.home import StateHome
    from subagents.clock import SystemClock

    if config is not None and not config.is_file():
        raise Fault(f"{config}: no such file; check --config")
    try:
        engine = load_settings(cwd=Path.cwd(), env=os.environ, own=config).settings.engine
        to = endpoint(engine, os.environ)
        register, clock = Register(StateHome.locate().ensure()), SystemClock()
        cast = definitions(shipped_agents(), engine, register.install)
        wanted = Wanted(cast, register.install, engine.environment)
        client = make_client(to, egress_log(register.home.path, clock.now))
    except (ConfigError, CredentialError, DefinitionError, EgressRefused, StateError, DiskFull) as error:
        raise Fault(str(error)) from error
    return Opened(to, register, wanted, client, Sync(client, register, to, clock, narrate))


def _told(error: Exception, to: Endpoint) -> Exception:
    """Return the fault that a failed request is, or the error itself where it is none of a request."""
    import anthropic
    import httpx2

    from orchestrator.engines.faults import Garbled, explain
    from orchestrator.hands.egress import refusal_in

    if isinstance(error, anthropic.APIError | httpx2.HTTPError | Garbled) or refusal_in(error) is not None:
        return Fault(explain(error, to), ENGINE_FAILED)
    return error
