"""What each thread runs on and has used so far: model, tokens, dollars; live while it works, exact once it rests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.hands.usage import COST, Usage
from orchestrator.journal.events import (
    MAIN_THREAD,
    Event,
    ModelRequestEnd,
    ModelRequestStart,
    RemoteSession,
    SessionUsage,
    ThreadCreated,
)

CENT = 10_000
"""Micro-dollars."""


@dataclass
class _Meter:
    model: str = ""
    tokens: int = 0
    microusd: int = 0
    priced: bool = False
    open: int = 0
    """Model requests that have begun and not ended: what they use is not counted yet."""


class ThreadMeters:
    """Fed every event once, in order."""

    def __init__(self) -> None:
        self._meters: dict[str, _Meter] = {}
        self._agents: dict[str, str] = {}
        self._models: Mapping[str, str] = {}
        self._ended: set[str] = set()

    def learn(self, event: Event) -> None:
        """Take one event into account."""
        match event.body:
            case ThreadCreated(session_thread_id=thread, agent_name=agent):
                self._agents[thread] = agent
            case RemoteSession(models=models) if models:
                self._models = models
            case ModelRequestStart():
                self._of(event.thread).open += 1
            case ModelRequestEnd():
                self._ends(event.thread, event.body)
            case SessionUsage(usage=usage) if event.thread != MAIN_THREAD:
                self._of(event.thread).tokens = Usage.of(usage).tokens  # the server's own total of the thread
            case _:
                pass

    def _of(self, thread: str) -> _Meter:
        return self._meters.setdefault(thread, _Meter())

    def _ends(self, thread: str, body: ModelRequestEnd) -> None:
        meter = self._of(thread)
        meter.open = max(0, meter.open - 1)
        if body.model_request_start_id and body.model_request_start_id in self._ended:
            return
        self._ended.add(body.model_request_start_id)
        usage = Usage.of(body.model_usage)
        meter.model = usage.model or meter.model
        meter.tokens += usage.tokens
        cost = body.model_usage.get(COST)
        if isinstance(cost, int) and not isinstance(cost, bool) and cost >= 0:
            meter.microusd, meter.priced = meter.microusd + cost, True

    def model(self, thread: str) -> str:
        """Return the model of a thread, with its agent's version where that is known; empty where nothing is."""
        agent = self._agents.get(thread, thread)
        meter = self._meters.get(thread)
        return self._models.get(agent) or (meter.model if meter is not None else "")

    def words(self, thread: str) -> str:
        """Return a thread's model and what it used: `haiku-5-5 v3 · 12k · $0.03`; `+` while a request is open."""
        meter = self._meters.get(thread)
        parts = [self.model(thread).removeprefix("claude-")]
        if meter is not None and (meter.tokens or meter.open):
            parts.append(f"{short(meter.tokens)} tok{'+' if meter.open else ''}")
            parts.append(f"${meter.microusd / (100 * CENT):.2f}" if meter.priced else "")
        return " · ".join(part for part in parts if part)


def short(count: int) -> str:
    """Return a number of tokens as people say it: `950`, `12k`, `1.2M`."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"
