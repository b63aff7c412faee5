"""Times as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from tui.commands.faults import Fault

_AGE = re.compile(r"([0-9]{1,6})([smhdw])\Z")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def age(text: str) -> timedelta:
    """Read an age such as `30d`, `12h`, `90m`; raises Fault for anything else."""
    match = _AGE.match(text.strip())
    if match is None:
        raise Fault(f"{text!r} is not an age: write a number with s, m, h, d or w, such as 30d")
    return timedelta(**{_UNITS[match.group(2)]: int(match.group(1))})


def moment(text: str, now: datetime) -> datetime:
    """Read an ISO 8601 time with a zone, or an age before `now`; UTC. Raises Fault for anything else."""
    if _AGE.match(text.strip()):
        try:
            return now - age(text)
        except OverflowError as error:
            raise Fault(f"{text!r} is longer ago than time goes back") from error
    try:
        found = datetime.fromisoformat(text.strip())
        if found.tzinfo is None:
            raise Fault(f"{text!r} names no zone: add Z for UTC, or an offset such as +02:00")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Fault(f"{text!r} is not a time: write 2026-03-01T12:00Z, or an age such as 90m") from error
