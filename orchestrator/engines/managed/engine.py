"""The managed engine: one Managed Agents session, driven from its desk."""

from __future__ import annotations

from orchestrator.engines.base import Desk, EngineError, StopReason
from orchestrator.engines.managed.access import Access


class ManagedEngine:
    """Lets Claude Managed Agents decide, and carries out here what they ask for."""

    name = "managed"

    def __init__(self, access: Access) -> None:
        self._access = access
        self.shown_as = access.shown_as

    async def run(self, desk: Desk) -> StopReason:
        """Work until there is a verdict, or until stopped."""
        raise EngineError("the managed engine's session comes with a later version; --engine offline works now")
