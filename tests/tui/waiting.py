"""The command line with an engine that works until it is stopped; run as a process of its own."""

from __future__ import annotations

import sys

from orchestrator import compose
from orchestrator.engines.base import Desk, StopReason
from tui.cli import main


class FakeEngine:
    """Never ends by itself."""

    name = "offline"
    shown_as = "a stand-in"

    async def run(self, desk: Desk) -> StopReason:
        await desk.cancel.wait()
        return "interrupted"


if __name__ == "__main__":
    compose.choose_engine = lambda *_, **__: FakeEngine()
    main(sys.argv[1:])
