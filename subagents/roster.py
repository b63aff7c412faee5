"""The roster: the four specialists, built from what the session's sources are.

Every floor above builds it through `build`, in the main process and in each worker alike. An agent whose
sources are missing still exists: its procedure says what could not be looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from subagents.contract import ServiceInfo, SourceSpec
from subagents.specialist import Roster


def build(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
    """Return the specialists over `specs`; reads the sources' beginnings, so call it off the event loop."""
    from subagents.codefix.agent import build as build_codefix
    from subagents.deploys.agent import build as build_deploys
    from subagents.logs.agent import build as build_logs
    from subagents.metrics.agent import build as build_metrics

    agents = (
        build_logs(specs),
        build_metrics(specs),
        build_deploys(specs, services),
        build_codefix(specs, services),
    )
    return Roster({agent.name: agent for agent in agents})
