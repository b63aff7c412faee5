"""When a text itself says that the trouble was there: changes that landed after that did not bring it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_ISO = re.compile(
    r"\b(?P<day>20\d\d-\d\d-\d\d)"
    r"(?:[T ](?P<time>\d\d:\d\d(?::\d\d)?)(?:[.,]\d+)?(?:\s?(?P<zone>Z\b|UTC\b|[+-]\d\d:?\d\d\b))?)?"
)
_NAMED = re.compile(
    r"\b(?P<month>jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.? (?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
    r"(?:,? (?P<year>20\d\d)\b)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"(?<![\w.])(1[4-9]\d{8})(?![\w.])")
_ANOTHER = re.compile(r"(?i)\b(?:expir\w*|until|due|valid|before|by|deadline|scheduled|planned)\W+(?:\w+\W+)?$")
"""What stands before a date that says when something ends, or is to be."""
_NO_ZONE = timedelta(hours=36)
"""A day that is told without a zone is over everywhere on earth so long after its midnight UTC."""
BACK = timedelta(days=45)
"""Dates longer before the report than this are about something else."""


def told_onset(text: str, reported: datetime | None) -> datetime | None:
    """Return the latest moment at which the trouble was there by the earliest date in its text, before `reported`."""
    if reported is None:
        return None
    told = [moment for moment in _moments(text[:20_000], reported) if reported - BACK <= moment <= reported]
    return min(told, default=None)


def _of_another(text: str, date: re.Match[str]) -> bool:
    return _ANOTHER.search(text[max(0, date.start() - 40) : date.start()]) is not None


def _moments(text: str, reported: datetime) -> Iterator[datetime]:
    for match in _ISO.finditer(text):
        if _of_another(text, match):
            continue
        try:
            if match["time"] and match["zone"]:
                zone = match["zone"].replace("UTC", "+00:00")
                yield datetime.fromisoformat(f"{match['day']}T{match['time']}{zone}").astimezone(UTC)
            else:
                yield datetime.fromisoformat(match["day"]).replace(tzinfo=UTC) + _NO_ZONE
        except ValueError:
            continue
    for match in _NAMED.finditer(text):
        if _of_another(text, match):
            continue
        month, day = _MONTHS.index(match["month"].lower()) + 1, int(match["day"])
        for year in (int(match["year"]),) if match["year"] else (reported.year, reported.year - 1):
            try:
                moment = datetime(year, month, day, tzinfo=UTC)
            except ValueError:
                continue
            if moment <= reported:
                yield moment + _NO_ZONE
                break
    for match in _EPOCH.finditer(text):
        yield datetime.fromtimestamp(int(match[1]), UTC)
