"""Severity: one scale for every logging library, and where it hides in a line."""

from __future__ import annotations

import re
from typing import Literal

Level = Literal["unknown", "trace", "debug", "info", "warn", "error", "fatal"]

LEVELS: tuple[Level, ...] = ("unknown", "trace", "debug", "info", "warn", "error", "fatal")
UNKNOWN, TRACE, DEBUG, INFO, WARN, ERROR, FATAL = range(7)

_WORDS = {
    "trace": TRACE, "trc": TRACE, "finest": TRACE, "finer": TRACE, "verbose": TRACE, "silly": TRACE,
    "debug": DEBUG, "dbg": DEBUG, "fine": DEBUG, "config": DEBUG, "d": DEBUG,
    "info": INFO, "inf": INFO, "information": INFO, "informational": INFO, "notice": INFO, "log": INFO, "i": INFO,
    "default": INFO, "normal": INFO, "statement": INFO,
    "warn": WARN, "warning": WARN, "wrn": WARN, "w": WARN,
    "error": ERROR, "err": ERROR, "eror": ERROR, "severe": ERROR, "failure": ERROR, "e": ERROR,
    "fatal": FATAL, "ftl": FATAL, "critical": FATAL, "crit": FATAL, "alert": FATAL, "emerg": FATAL, "emergency": FATAL,
    "panic": FATAL, "dpanic": FATAL, "f": FATAL,
}  # fmt: skip

_SYSLOG = (FATAL, FATAL, FATAL, ERROR, WARN, INFO, INFO, DEBUG)


def from_name(name: str) -> int:
    """Return the severity of a level field's value: a word, a syslog number (0 to 7) or a pino number (10 to 60)."""
    word = name.strip().strip("[]\"'<>:").lower()
    if word in _WORDS:
        return _WORDS[word]
    if word.isdigit():
        number = int(word)
        if number < len(_SYSLOG):
            return _SYSLOG[number]
        return {1: TRACE, 2: DEBUG, 3: INFO, 4: WARN, 5: ERROR, 6: FATAL}.get(number // 10, UNKNOWN)
    return UNKNOWN


_UPPER = (
    r"TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|ERR|SEVERE|CRIT(?:ICAL)?|ALERT|EMERG(?:ENCY)?|FATAL|PANIC|"
    r"CONFIG|FINEST|FINER|FINE"
)
_LOWER = r"trace|debug|info|notice|warn(?:ing)?|error|err|crit(?:ical)?|alert|emerg|fatal|panic|dpanic"
_MARKED = re.compile(
    rf"(?:^|[\s|\[(<])(?P<upper>{_UPPER})(?=[\s|\])>:,]|$)"
    rf"|[\[<](?:\w+:)?(?P<boxed>{_LOWER})[\]>]"
    rf"|\b(?:level|lvl|severity|levelname|loglevel)=\"?(?P<keyed>[A-Za-z]+)"
    rf"|^(?P<klog>[IWEF]) (?=\*|\d|\s)"
    rf"|(?:^|[\t ])(?P<tab>{_LOWER})\t"
    rf"|^\s*(?P<first>{_LOWER}):? "
    rf"|^\s*-?\s*\S+ - (?P<python>{_UPPER}) -",
)
_TROUBLE = re.compile(
    r"\b(?:error|errors|exception|fatal|panic|panicked|traceback|failed|failure|fails|cannot|refused|"
    r"timed out|timeout|denied|unavailable|unable|aborted|crash(?:ed)?|segfault|killed process|out of memory)\b"
    r"|\w(?:Exception|Error)\b",
    re.IGNORECASE,
)
_NO_TROUBLE = re.compile(
    r"\b(?:0|no|without|zero) (?:errors?|failures?|exceptions?)\b|\berrors?[=:] ?0\b", re.IGNORECASE
)
_HEAD = 160


def sounds_bad(text: str) -> bool:
    """Say whether a text that carries no severity speaks of a failure."""
    return bool(_TROUBLE.search(text)) and not _NO_TROUBLE.search(text)


def split_head(text: str) -> tuple[int, str]:
    """Return the severity written in the head, and the text without the word."""
    match = _MARKED.search(text[:_HEAD])
    if match is None:
        return UNKNOWN, text
    name = next(key for key, value in match.groupdict().items() if value)
    level = from_name(match[name])
    if level == UNKNOWN:
        return UNKNOWN, text
    if name in ("keyed", "boxed"):
        start, end = match.span()
    else:
        start, end = match.span(name)
    return level, (text[:start] + text[end:]).strip()
