"""Whether an event is an error by the status of its request alone: its own text says another level, or none."""

from __future__ import annotations

import re

from subagents.logs.levels import ERROR, INFO, UNKNOWN, from_name, split_head

_NAMED = re.compile(
    r'"(?:@l|@?log[._]?level|level(?:_?name)?|lvl|severity(?:_?text)?)"\s*:\s*"?([A-Za-z]+|[1-6]0)\b', re.IGNORECASE
)
_STATUS = re.compile(r'status(?:_?code)?"?\s*[=:]\s*"?(5\d\d)\b', re.IGNORECASE)
_REQUEST = re.compile(
    r"\b(?:GET|POST|PUT|PATCH|DELETE|HEAD|OPTIONS)\b[^\n]{0,2000}?(?<![\w.:/-])(5\d\d)(?![\w.:/-])(?! ?m?s\b)"
)
LOOKED_AT = 8_000
"""Characters of an event that are looked at."""
_PRIORITY = re.compile(r"\s*<\d{1,3}>")
"""Syslog's own number for the severity."""


def raised_by(raw: str, severity: int) -> str:
    """Return the status that made an event of that severity an error, such as `503`; empty where it was something else.

    Of a level that is told otherwise than by a word, as in JSON under other names, nothing is claimed.
    """
    if severity != ERROR:
        return ""
    raw = raw[:LOOKED_AT]
    if raw.lstrip().startswith("{"):
        named = _NAMED.search(raw)
        own = from_name(named[1]) if named is not None else ERROR
    else:
        own = ERROR if _PRIORITY.match(raw) else split_head(raw)[0]
    if own not in (UNKNOWN, INFO):
        return ""
    found = _STATUS.search(raw) or _REQUEST.search(raw)
    return found[1] if found is not None else ""
