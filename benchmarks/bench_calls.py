"""What a tool call of a hosted session costs here: one after the other, from asked at the server to answered there.

`python -m benchmarks calls`. Beside our dispatcher (policy, durable journal, redaction, fence, one
request) stands the runner that the SDK brings, on the same stand-in in the same run; the tool itself does nothing.
"""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from anthropic import AsyncAnthropic, beta_async_tool

from orchestrator.config.model import Budgets
from tests.managed.driving import ask_scout, driver, lead_that, script
from tests.standin import Actor, Standin
from tests.standin.cast import begin

CALLS, ROUNDS = 100, 3


class Timed:
    """A brain that makes one call after the other and keeps how long each took."""

    def __init__(self, tool: str, reports: bool) -> None:
        self.seconds: list[float] = []
        self._tool, self._reports = tool, reports

    async def __call__(self, actor: Actor) -> None:
        await actor.hear()
        for number in range(CALLS):
            begun = time.perf_counter()
            await actor.call(self._tool, {"q": str(number)})
            self.seconds.append(time.perf_counter() - begun)
        if self._reports:
            await actor.report("done")
        else:
            await actor.say("done")


async def ours(folder: Path) -> list[float]:
    """Return the seconds of each call through warroom."""
    brain = Timed("scout_look", reports=True)
    with Standin(script(lead_that(ask_scout), brain)) as server:
        async with driver(server, folder) as drive:
            session = await drive.session(budgets=Budgets(usd=500, turns=10_000))
            assert await session.run() == "end_turn", session.standing
    return brain.seconds


async def the_sdk_s() -> list[float]:
    """Return the seconds of each call through the SDK's own runner."""
    brain = Timed("decide", reports=False)

    @beta_async_tool
    async def decide(q: str = "") -> str:
        """Decide."""
        return f"saw {q}"

    with Standin({"lead": brain}) as server:
        async with AsyncAnthropic(base_url=server.base_url, api_key=server.key, max_retries=0) as client:
            remote = await begin(client, text="go")
            runner: Any = client.beta.sessions.events.tool_runner(remote, tools=[decide], max_idle=1)
            async for _ in runner:  # it ends by itself once the session rests
                pass
    return brain.seconds


async def measure() -> None:
    mine: list[float] = []
    theirs: list[float] = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            mine += await ours(Path(folder))
        theirs += await the_sdk_s()
    for name, each in (("warroom", mine), ("the SDK's runner", theirs)):
        ordered = sorted(each)
        p99 = ordered[int(len(ordered) * 0.99)]
        print(
            f"{name:18} median {statistics.median(each) * 1000:6.2f} ms   p99 {p99 * 1000:6.2f} ms   {len(each)} calls"
        )
    print(f"warroom takes {statistics.median(mine) / statistics.median(theirs):.1f}x the runner's time a call")


def main() -> None:
    """Measure and print."""
    asyncio.run(measure())


if __name__ == "__main__":
    main()
