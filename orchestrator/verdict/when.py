"""How moments and spans of time are written for people: UTC first, then the reader's own zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


def moment(at: datetime, zone: tzinfo | None = None) -> str:
    """Return a moment as `2026-03-01 12:00:05 UTC (13:00:05 CET)`; `zone` None is this machine's."""
    utc = at.astimezone(UTC)
    text = utc.strftime("%Y-%m-%d %H:%M:%S UTC")
    local = at.astimezone(zone)
    if not local.utcoffset():
        return text
    day = local.strftime("%Y-%m-%d ") if local.date() != utc.date() else ""
    return f"{text} ({day}{local.strftime('%H:%M:%S')} {zone_name(local)})"


def zone_name(local: datetime) -> str:
    """Return the name of a moment's zone, or its offset where the name is only that."""
    name = local.tzname() or ""
    return name if name.isalpha() else local.strftime("UTC%z")


def span(seconds: float) -> str:
    """Return a length of time as `850 ms`, `42 s`, `3 min 5 s` or `2 h 10 min`."""
    if seconds < 1:
        return f"{round(seconds * 1000)} ms"
    whole = timedelta(seconds=round(seconds))
    minutes, rest = divmod(int(whole.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"
