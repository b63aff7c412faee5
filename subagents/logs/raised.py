"""Whether an event is an error by the status of its request alone: its own text says another level, or none."""

from __future__ import annotations

import re

from subagents.logs.levels import ERROR, INFO, UNKNOWN, from_name, split_head

_NAMED = re.compile(
    r'"(?:@l|@?log[._]?level|level(?:_?name)?|lvl|severity(?:_?text)?)"\s*:\s*"?([A-Za-z]+|[1-6]0)\b', re.IGNORECASE
)
_STATUS = re.compile(r'status(?:_?code)?"?\s*[=:]\s*"?(5\d\d)\b', re.IGNORECASE)
_BARE = re.compile(r"(?<![\w.:/-])(5\d\d)(?![\w.:/-])")


def raised_by(raw: str, severity: int) -> str:
    """Return the status that made an event of that severity an error, such as `503`; empty where it was something else.

    Of JSON whose level is not under a name that says so, nothing is claimed.
    """
    if severity != ERROR:
        return ""
    if raw.lstrip().startswith("{"):
        named = _NAMED.search(raw)
        own = from_name(named[1]) if named is not None else ERROR
    else:
        own = split_head(raw)[0]
    if own not in (UNKNOWN, INFO):
        return ""
    found = _STATUS.search(raw) or _BARE.search(raw)
    return found[1] if found is not None else ""
