"""Who calls whom: a victim waits for its callee, and an entry point is called by nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from subagents.metrics.series import Edge


@dataclass
class CallGraph:
    """Callees and callers by service, with counts where they are known."""

    callees: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))
    callers: dict[str, dict[str, float]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, edges: Iterable[Edge]) -> CallGraph:
        """Return the graph of some edges; calls of a service to itself are left out."""
        graph = cls()
        for edge in edges:
            if edge.caller != edge.callee:
                graph.callees[edge.caller][edge.callee] = edge.calls
                graph.callers[edge.callee][edge.caller] = edge.calls
        return graph

    def __contains__(self, service: str) -> bool:
        return service in self.callees or service in self.callers

    def below(self, service: str, hops: int = 32) -> dict[str, int]:
        """Return every service reached by calls from `service`, with its distance; the service itself at 0."""
        return self._reach(self.callees, service, hops)

    def above(self, service: str, hops: int = 32) -> dict[str, int]:
        """Return every service whose calls reach `service`, with its distance; the service itself at 0."""
        return self._reach(self.callers, service, hops)

    @staticmethod
    def _reach(arrows: dict[str, dict[str, float]], service: str, hops: int) -> dict[str, int]:
        seen, front = {service: 0}, [service]
        for distance in range(1, hops + 1):
            front = [n for at in front for n in arrows.get(at, {}) if n not in seen]
            for name in front:
                seen.setdefault(name, distance)
            if not front:
                break
        return seen

    def entries(self) -> list[str]:
        """Return the services that call and are not called, most calls first."""
        starts = [name for name in self.callees if self.callees[name] and not self.callers.get(name)]
        return sorted(starts, key=lambda name: (-sum(self.callees[name].values()), name))
