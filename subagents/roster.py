"""The roster: the four specialists, built from what the session's sources are.

Every floor above builds it through `build`, in the main process and in each worker alike. An agent whose
sources are missing still exists: its procedure says what could not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from subagents.contract import Roster, ServiceInfo, SourceSpec


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    """Return the specialists over `specs`; reads the sources' beginnings, so call it off the event loop."""
    from subagents.codefix import agent as codefix
    from subagents.deploys import agent as deploys
    from subagents.logs import agent as logs
    from subagents.metrics import agent as metrics

    agents = (
        logs.build(specs),
        metrics.build(specs),
        deploys.build(specs, services),
        codefix.build(specs, services),
    )
    return Roster({agent.name: agent for agent in agents})
