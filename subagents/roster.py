"""The roster: the four specialists, built from what the session's sources are.

Every floor above builds it through `build`, in the main process and in each worker alike. An agent whose
sources are missing still exists: its procedure says what could not be looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from subagents.contract import SPECIALISTS, AgentName, ServiceInfo, SourceSpec
from subagents.specialist import Agent, Roster


def build(
    specs: Sequence[SourceSpec],
    services: Sequence[ServiceInfo] = (),
    only: Collection[AgentName] = SPECIALISTS,
) -> Roster:
    """Return the specialists over `specs`; reads the sources' beginnings, so call it off the event loop.

    With `only`, those alone are imported and built: a worker starts in half the time.
    """
    agents = (_built(name, specs, services) for name in SPECIALISTS if name in only)
    return Roster({agent.name: agent for agent in agents})


def _built(name: AgentName, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo]) -> Agent:
    if name == "logs":
        from subagents.logs.agent import build as build_logs

        return build_logs(specs)
    if name == "metrics":
        from subagents.metrics.agent import build as build_metrics

        return build_metrics(specs)
    if name == "deploys":
        from subagents.deploys.agent import build as build_deploys

        return build_deploys(specs, services)
    from subagents.codefix.agent import build as build_codefix

    return build_codefix(specs, services)
