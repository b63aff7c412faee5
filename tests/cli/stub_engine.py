"""The command line with an engine that ends as the first argument says; run as a process of its own."""

from __future__ import annotations

import asyncio
import sys

from orchestrator import compose
from orchestrator.engines.base import Desk, EngineError, StopReason
from tui.cli import main


class FakeEngine:
    """Ends in the way it was made for, at once; `stuck` does not end, whatever it is told."""

    name = "offline"
    shown_as = "a stand-in"

    def __init__(self, ending: str) -> None:
        self._ending = ending

    async def run(self, desk: Desk) -> StopReason:
        if self._ending == "fails":
            raise EngineError("the engine's model is not there; try later")
        if self._ending == "breaks":
            raise LookupError("an inner surprise")
        while self._ending == "stuck":
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                continue
        return "end_turn"


if __name__ == "__main__":
    ending = sys.argv[1]
    compose.choose_engine = lambda *_, **__: FakeEngine(ending)
    main(sys.argv[2:])
