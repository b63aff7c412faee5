"""The stand-in as a program of its own."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path

from anthropic import AsyncAnthropic

from tests.standin import Options

ROOT = Path(__file__).resolve().parents[2]


async def test_it_prints_where_it_is_and_stops_when_told() -> None:
    program = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.standin", "--script", "echo"), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert program.stdout is not None
    said = [(await program.stdout.readline()).decode().strip().partition("=") for _ in range(2)]
    assert [name for name, _, _ in said] == ["ANTHROPIC_BASE_URL", "ANTHROPIC_API_KEY"]
    assert said[1][2] == Options.key
    async with AsyncAnthropic(base_url=said[0][2], api_key=said[1][2], max_retries=0) as client:
        assert (await client.beta.agents.list()).data == []
    program.send_signal(signal.SIGINT)
    assert await program.wait() == 0
