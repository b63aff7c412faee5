"""The way to what a key can see, outside of any session: for lists, attaching, archiving and deletion.

reach = reach_of(settings.engine, os.environ, home, clock)      # asks nobody; raises NoWay
async with reach.client: ...                                    # explained(error, reach.to) says what failed
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from orchestrator.config.model import EngineSettings
from orchestrator.engines.credentials import CredentialError, Endpoint, endpoint
from orchestrator.engines.managed.register import Register
from orchestrator.journal.home import StateHome
from subagents.contract import Clock

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

ASKING_S: Final = 20.0
"""Seconds that a question outside of sessions may take, each time."""
ASKED_AGAIN: Final = 1


class NoWay(Exception):
    """There is no key, or nothing may be sent there; the message is one line for people."""


@dataclass(frozen=True)
class Reach:
    """An endpoint, this installation, and a client. Close the client."""

    to: Endpoint
    register: Register
    client: AsyncAnthropic

    @property
    def install(self) -> str:
        """This installation's id."""
        return self.register.install

    @property
    def asking(self) -> AsyncAnthropic:
        """The client for reads: a person waits, so it gives up soon."""
        return self.client.with_options(timeout=ASKING_S, max_retries=ASKED_AGAIN)


def reach_of(engine: EngineSettings, env: Mapping[str, str], home: StateHome, clock: Clock) -> Reach:
    """Return the way there; every request is on record in `egress.log`. Raises NoWay, StateError, DiskFull."""
    from orchestrator.engines.client import make_client
    from orchestrator.hands.egress import EgressRefused
    from orchestrator.hands.egress_record import egress_log

    try:
        to = endpoint(engine, env)
        return Reach(to, Register(home.ensure()), make_client(to, egress_log(home.path, clock.now)))
    except (CredentialError, EgressRefused) as error:
        raise NoWay(str(error)) from error


def explained(error: Exception, to: Endpoint) -> str:
    """Return one line for people about a request that failed; empty where the error is none of a request."""
    import anthropic
    import httpx2

    from orchestrator.engines.faults import Garbled, explain
    from orchestrator.hands.egress import refusal_in

    known = isinstance(error, anthropic.APIError | httpx2.HTTPError | Garbled) or refusal_in(error) is not None
    return explain(error, to) if known else ""
