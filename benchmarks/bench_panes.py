"""Panes under load: CPU to take in and paint what comes, in the war room and in four RichLogs of the framework."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from textual.app import App, ComposeResult
from textual.widgets import RichLog

from orchestrator.journal.events import AgentMessage, Event, ThreadCreated, text_content
from subagents.clock import SystemClock
from tui.screens.warroom import WarRoomScreen
from tui.session_view import SessionView

AGENTS = ("logs", "metrics", "deploys", "codefix")
HELD = 5_000
"""Rows in each pane before it is measured; RichLog is asked to hold as many."""
BATCHES, BATCH = 60, 50
"""Twenty batches a second of fifty events are a thousand events a second."""
TEXT = "upstream 503 from cache-7 after 1200 ms, retry 2 of 5, request 4711 of tenant blue, pool exhausted"


def event(seq: int) -> Event:
    """One message, in the pane whose turn it is."""
    body = AgentMessage(content=text_content(f"{seq} {TEXT}"))
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return Event(seq=seq, ts=at, mono=0.0, thread=AGENTS[seq % 4], body=body, hash="0" * 64)


class Room(App[None]):
    """The war room."""

    def __init__(self) -> None:
        super().__init__()
        self.view = SessionView(SystemClock())
        self.room = WarRoomScreen()

    def on_mount(self) -> None:
        self.push_screen(self.room)

    def take(self, seqs: range) -> None:
        for seq in seqs:
            self.view.learn(event(seq))
        with self.batch_update():
            self.room.tick()


class Logs(App[None]):
    """Four RichLogs."""

    CSS = "Screen { layout: grid; grid-size: 2 2; }"

    def compose(self) -> ComposeResult:
        for agent in AGENTS:
            yield RichLog(id=agent, max_lines=HELD)

    def take(self, seqs: range) -> None:
        with self.batch_update():
            for seq in seqs:
                self.query_one(f"#{AGENTS[seq % 4]}", RichLog).write(f"{seq} {TEXT}")


async def cpu_ms(make: Callable[[], Any], ready: Callable[[Any], None]) -> float:
    """Return the CPU milliseconds of one batch, taken in and painted, with full panes."""
    app = make()
    async with app.run_test(size=(200, 50)) as pilot:
        await pilot.pause()
        ready(app)
        for begin in range(10, 4 * HELD, 2_000):
            app.take(range(begin, begin + 2_000))
            await pilot.pause()
        begun = time.process_time()
        for number in range(BATCHES):
            first = 4 * HELD + 5_000 + number * BATCH
            app.take(range(first, first + BATCH))
            await pilot.pause()
        return (time.process_time() - begun) * 1000 / BATCHES


def main() -> None:
    """Print the CPU per batch of fifty events, and what share of a core a thousand events a second take."""

    def attach(app: Room) -> None:
        for seq, agent in enumerate(AGENTS, 1):
            created = ThreadCreated(session_thread_id=agent, agent_name=agent)
            app.view.learn(event(seq).model_copy(update={"body": created, "thread": agent}))
        app.room.attach(app.view)

    ours = asyncio.run(cpu_ms(Room, attach))
    theirs = asyncio.run(cpu_ms(Logs, lambda app: None))
    for name, taken in (("war room, folds included", ours), ("four RichLogs", theirs)):
        print(f"{name:<26} {taken:6.1f} ms per {BATCH} events  ({taken * 2:.0f} % of a core at 1000/s)")
    print(
        f"ratio                      {ours / theirs:6.2f}  (limit 0.60: {'met' if ours / theirs <= 0.6 else 'MISSED'})"
    )


if __name__ == "__main__":
    main()
