"""How the logs specialist words times and quotes."""

from __future__ import annotations

from datetime import datetime

from subagents.contract import Fact, Window
from subagents.quantities import counted

CLAIM_CHARS = 220


def clock(at: datetime | None) -> str:
    """Return a time of day, in UTC."""
    return f"{at:%H:%M:%S} UTC" if at is not None else "an unknown time"


def moment_fact(quantity: str, at: datetime | None, citation: str, window: Window | None = None) -> tuple[Fact, ...]:
    """State a time: with a window, of the cited event's template in it; with none, of the cited event alone."""
    return (Fact(quantity=quantity, value=at.isoformat(), citation=citation, window=window),) if at is not None else ()


def unbracketed(text: str) -> str:
    """Return a message as it is shown: without the empty brackets of its stamp, by which severities are found."""
    return text.removeprefix("[ ] ")


def quote(text: str) -> str:
    """Return a message on one line, cut where it is long."""
    flat = unbracketed(" ".join(text.split()))
    return flat if len(flat) <= CLAIM_CHARS else flat[: CLAIM_CHARS - 1] + "…"


def times(count: int) -> str:
    """Return how often: `1 time`, `12 times`."""
    return counted(count, "time")
