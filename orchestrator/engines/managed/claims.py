"""Whose hands act for a server's session, and taking them over: one host at a time, as the session's metadata says.

There is no lock on the server. A claim is written, then read back; whoever finds another host there afterwards has
lost, and the host that had the hands before learns it from `session.updated` (`lost_to`) and runs nothing more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from orchestrator.engines.client import patient
from orchestrator.engines.faults import in_doubt
from orchestrator.engines.managed.delivered import part_of
from orchestrator.engines.managed.remote_sessions import (
    CLAIMED_KEY,
    HOST_KEY,
    RemoteRow,
    last_hand,
    moment_of,
    retrieve,
)

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

FRESH_S: Final = 600.0
"""Seconds for which a claim, or an answer of the hands, counts as a sign of life."""


class ClaimRefused(Exception):
    """The hands cannot be taken over; the message is one line for people."""


@dataclass(frozen=True)
class Holder:
    """Who has the hands, and when there was a sign of life."""

    host: str
    """Empty: nobody that says so."""
    seen: datetime | None
    """The last answer of a call, the claim, or the beginning."""

    def age(self, now: datetime) -> float | None:
        """Return the seconds since the sign of life; None where there was none."""
        return None if self.seen is None else max(0.0, (now - self.seen).total_seconds())

    def fresh(self, now: datetime) -> bool:
        """Say whether it may well be at work."""
        age = self.age(now)
        return age is not None and age < FRESH_S


async def holder_of(client: AsyncAnthropic, row: RemoteRow) -> Holder:
    """Return who has the hands of a session; raises what the SDK raises."""
    answered = await last_hand(client, row.id)
    seen = [at for at in (answered, moment_of(row.metadata.get(CLAIMED_KEY)), row.created) if at is not None]
    return Holder(row.host, max(seen, default=None))


def refusal(row: RemoteRow, holder: Holder, install: str, now: datetime, *, force: bool) -> str:
    """Return why the hands cannot be taken over now; empty where they can."""
    if row.archived or row.status == "terminated":
        return f"{row.id} is over ({'archived' if row.archived else 'terminated'}): there is nothing left to carry out"
    if holder.host == install or force or not holder.fresh(now):
        return ""
    who = f"host {holder.host}" if holder.host else "somebody who does not say who"
    age = int(holder.age(now) or 0)
    return (
        f"{row.id} is in the hands of {who}, last seen {age} s ago: two that carry out the same calls would do "
        "everything twice; stop it there, wait until it was silent for ten minutes, or add --force"
    )


async def claim(client: AsyncAnthropic, session_id: str, install: str, now: datetime) -> RemoteRow:
    """Write this host into the session's metadata and read it back; raises ClaimRefused, or what the SDK raises."""
    patch: dict[str, str | None] = {HOST_KEY: install, CLAIMED_KEY: now.isoformat(timespec="seconds")}
    try:
        await client.with_options(max_retries=0).beta.sessions.update(session_id, metadata=patch)
    except Exception as error:
        if not in_doubt(error):
            raise
    row = await retrieve(patient(client), session_id)
    if row.host != install:
        raise ClaimRefused(f"{session_id}: host {row.host or 'unknown'} has the hands, not this one; nothing runs here")
    return row


def lost_to(raw: Mapping[str, Any], install: str) -> str:
    """Return which other host took the hands over, as a `session.updated` event says; empty where none did."""
    host = part_of(raw, "metadata").get(HOST_KEY)
    return host if isinstance(host, str) and host and host != install else ""
