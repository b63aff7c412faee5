"""How a roster is built, so that this process and every worker build the same one."""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from subagents.contract import AgentName, ServiceInfo, SourceSpec
from subagents.specialist import Agent, Roster

DEFAULT_FACTORY = "subagents.roster:build"

ExtraAgents = Callable[[Sequence[SourceSpec], Sequence[ServiceInfo]], Sequence[Agent]]


@dataclass(frozen=True)
class RosterRecipe:
    """The named factory that workers call too, and agents that exist in this process only.

    `extra_agents` may hold no worker tools: a worker never builds them.
    """

    factory: str = DEFAULT_FACTORY
    """`module:function`, called with (specs, services); `only`, where it takes it, names the agents that are wanted."""
    extra_agents: ExtraAgents | None = None
    import_path: str | None = None
    """A directory to import the factory's module from. Only tests set it; no setting reaches it."""

    def build(self, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
        """Build the whole roster, extra agents included; may read files, so call it off the event loop."""
        agents = dict(self.shared(specs, services).agents)
        for agent in self.extra_agents(specs, services) if self.extra_agents else ():
            if agent.name in agents:
                raise ValueError(f"agent {agent.name!r} is built twice")
            if any(tool.worker for tool in agent.tools):
                raise ValueError(f"agent {agent.name!r} is in no worker, so it cannot hold worker tools")
            agents[agent.name] = agent
        return Roster(agents)

    def shared(self, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
        """Build what the factory alone gives: what workers may see."""
        return load_factory(self.factory, self.import_path)(specs, services)

    def alone(self, agent: AgentName, specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Roster:
        """Build what the worker of an agent needs: that agent, where the factory takes `only`, else all of them."""
        factory: Callable[..., Roster] = load_factory(self.factory, self.import_path)
        can = "only" in inspect.signature(factory).parameters
        return factory(specs, services, only=(agent,)) if can else factory(specs, services)


def load_factory(name: str, import_path: str | None) -> Callable[[Sequence[SourceSpec], Sequence[ServiceInfo]], Roster]:
    """Import `module:function`; raises ValueError when it is not there."""
    if import_path is not None and import_path not in sys.path:
        sys.path.insert(0, import_path)
    module, _, function = name.partition(":")
    found = getattr(importlib.import_module(module), function, None)
    if not callable(found):
        raise ValueError(f"there is no roster factory {name!r}")
    factory: Callable[[Sequence[SourceSpec], Sequence[ServiceInfo]], Roster] = found
    return factory
