"""How the connection to a server's session is, in words: what is lost, for how long, and what that means."""

from __future__ import annotations

from typing import Protocol

QUIET_FROM_S = 5.0
"""Seconds without an event from which its age is shown."""


class Health(Protocol):
    """What an engine says of its connection; ages in seconds, None where there was nothing yet."""

    @property
    def state(self) -> str:
        """`connecting`, `listing`, `live`, `waiting`, `ended`."""

    @property
    def why(self) -> str:
        """What it waits for."""

    @property
    def event_age(self) -> float | None:
        """Since the last event."""

    @property
    def byte_age(self) -> float | None:
        """Since the last byte, keep-alives counted."""

    @property
    def attempts(self) -> int:
        """Failed attempts in a row."""


def lost_words(health: Health | None) -> str:
    """Return what a person must know where there is no connection; empty while there is one."""
    if health is None or health.state in ("live", "listing", "ended"):
        return ""
    if health.state == "connecting" and not health.attempts:
        return "connecting …" if health.byte_age is None else ""
    seconds = f" for {int(health.byte_age)} s" if health.byte_age is not None else ""
    return f"no connection{seconds}, trying again; the investigation goes on at the server"


def age_words(health: Health | None) -> str:
    """Return how long ago the last event came, where that is long; empty where it is not, or nothing is connected."""
    if health is None or health.state != "live" or health.event_age is None or health.event_age < QUIET_FROM_S:
        return ""
    return f"last event {int(health.event_age)} s ago"
