"""Which service a log file is named after, and which day."""

from __future__ import annotations

import re
from datetime import date

from subagents.pods import POD_SUFFIX

_GENERIC_TEXT = (
    "access access_log after all app application audit baseline before combined console container current data debug "
    "dmesg docker dump err error error_log errors event events incident info input journal kern kubectl latest log "
    "logs main messages out output pod sample server service stderr stdin stdout syslog system trace warn -"
)
_GENERIC = frozenset(_GENERIC_TEXT.split())
"""Names that any program's log may have."""
_LOGS = r"log|logs|jsonl|ndjson|json|txt|text|csv|tsv|xml|dat|bak|gz|gzip|zst|zstd"
_SUFFIX = re.compile(rf"\.(?:{_LOGS}|access|errors?|out|err|stdout|stderr)$", re.IGNORECASE)
_REPLICA = re.compile(rf"{POD_SUFFIX}(?:[-_].*)?$")
"""What Kubernetes appends to the name of a deployment for each of its pods, with a container behind it"""
_ROTATED = re.compile(r"[-_.]?\d{4}[-_]?\d\d[-_]?\d\d.*$|[-_.](?:\d+|old|prev(?:ious)?)$", re.IGNORECASE)
_STREAM = re.compile(r"[-_.](?:access|errors?|stdout|stderr)(?:[-_.]log)?$", re.IGNORECASE)
"""Logs that one program writes apart; `check-out` is a name."""

_DAY = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<apart>[-_.]?)(?P<month>\d\d)(?P=apart)(?P<day>\d\d)(?!\d)")


def service_of_file(name: str) -> str | None:
    """Return the service that a file is named after, as its pods' and rotated files are; None for a name of any's."""
    stem, previous = name, ""
    while stem != previous:
        previous = stem
        for ending in (_SUFFIX, _REPLICA, _ROTATED, _STREAM):
            stem = ending.sub("", stem)
    return stem if stem and stem.lower() not in _GENERIC and not stem.isdigit() else None


def day_of_file(name: str) -> date | None:
    """Return the day that a file's name says, as those of files that are begun anew each day do; None where none."""
    found = _DAY.search(name)
    if found is None:
        return None
    try:
        return date(int(found["year"]), int(found["month"]), int(found["day"]))
    except ValueError:
        return None
