"""What a person asks of the logs, as typed: `timeout service:checkout level:error 09:10..09:25`. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

FORM = "text or /regex/, service:NAME level:error source:ID 09:10..09:25 >"
SHORT_FORM = "logs: text or /regex/ service: level: >"
"""For the prompt: what can be typed."""
LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
_LEVEL_WORDS = {"warning": "warn", "err": "error", "critical": "fatal", "crit": "fatal"}
_WORD = re.compile(r'(?P<name>service|level|source):(?:"(?P<quoted>[^"]*)"|(?P<value>\S*))', re.IGNORECASE)
_WHEN = r"\d{1,2}:\d\S*?|\d{4}-\d\S*?"
_SPAN = re.compile(rf"(?P<start>{_WHEN})?\.\.(?P<end>{_WHEN})?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,6})?)?Z?")


class QueryFault(Exception):
    """It cannot be asked like this; the message is one line for people."""


@dataclass(frozen=True)
class LogQuery:
    """A question for the logs, read."""

    typed: str
    text: str = ""
    regex: str = ""
    service: str = ""
    level: str = ""
    source: str = ""
    start: datetime | None = None
    end: datetime | None = None

    def arguments(self) -> dict[str, object]:
        """Return it as the search tool takes it."""
        times = {
            "start": self.start.isoformat() if self.start is not None else "",
            "end": self.end.isoformat() if self.end is not None else "",
        }
        named = {"text": self.text, "regex": self.regex, "service": self.service, "level": self.level}
        return {name: value for name, value in {**named, "source": self.source, **times}.items() if value}

    def words(self) -> str:
        """Return it in words: what is looked for, and where."""
        return " · ".join(self._parts())

    def _parts(self) -> Iterator[str]:
        yield f"“{self.text}”" if self.text else f"/{self.regex}/" if self.regex else "all events"
        if self.service:
            yield f"service {self.service}"
        if self.level:
            yield f"{self.level} or worse" if self.level != LEVELS[-1] else self.level
        if self.source:
            yield f"in {self.source}"
        if self.start is not None:
            yield f"from {self.start:%Y-%m-%d %H:%M:%S} UTC"
        if self.end is not None:
            same = self.start is not None and self.start.date() == self.end.date()
            yield f"to {self.end:%H:%M:%S}" if same else f"to {self.end:%Y-%m-%d %H:%M:%S} UTC"


def read(typed: str, around: datetime) -> LogQuery:
    """Read what was typed; a time of day is the one nearest to `around`. Raises QueryFault."""
    rest, found = _filters(typed.strip())
    start, end, rest = _times(rest, around)
    rest = rest.strip()
    if len(rest) > 1 and rest[0] == "/" and rest[-1] == "/":
        pattern = rest[1:-1]
        _check(pattern)
        return LogQuery(typed.strip(), regex=pattern, start=start, end=end, **found)
    if not rest and not found and start is None and end is None:
        raise QueryFault("nothing is asked for: type a text, a /regex/, a service:, a level: or a time")
    return LogQuery(typed.strip(), text=rest, start=start, end=end, **found)


def _filters(typed: str) -> tuple[str, dict[str, str]]:
    """Take the `name:value` words out of what was typed, wherever they stand outside of a regular expression."""
    found: dict[str, str] = {}
    kept: list[str] = []
    for part in re.split(r"(/.*/(?=\s|$))", typed, maxsplit=1):
        if len(part) > 1 and part[0] == "/" and part[-1] == "/":
            kept.append(part)
            continue
        for match in _WORD.finditer(part):
            name = match["name"].lower()
            found[name] = match["quoted"] if match["quoted"] is not None else match["value"]
            if not found[name]:
                raise QueryFault(f"{name}: stands without a value")
        kept.append(re.sub(r"\s+", " ", _WORD.sub(" ", part)) if _WORD.search(part) else part)
    if "level" in found:
        level = found["level"].lower()
        found["level"] = _LEVEL_WORDS.get(level, level)
        if found["level"] not in LEVELS:
            raise QueryFault(f"no level {level[:20]!r}: one of {', '.join(LEVELS)}")
    return "".join(kept), found


def _times(text: str, around: datetime) -> tuple[datetime | None, datetime | None, str]:
    """Take `from..to` out of what was typed, where a word is nothing but that."""
    for word in text.split():
        match = _SPAN.fullmatch(word)
        if match is None or word == "..":
            continue
        if text.strip()[:1] == "/" and text.strip()[-1:] == "/":
            break  # it is part of the regular expression
        start = _moment(match["start"], around) if match["start"] else None
        end = _moment(match["end"], start or around, after=start) if match["end"] else None
        if start is not None and end is not None and start >= end:
            raise QueryFault(f"{word}: the end is not after the start")
        return start, end, " ".join(one for one in text.split() if one != word)
    return None, None, text


def _moment(text: str, around: datetime, after: datetime | None = None) -> datetime:
    of_day = _TIME.fullmatch(text)
    try:
        if of_day is None:
            at = datetime.fromisoformat(text.replace("Z", "+00:00"))
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        hour, minute, second = int(of_day[1]), int(of_day[2]), int(of_day[3] or 0)
        part = round(float(of_day[4] or 0) * 1_000_000)
        at = around.astimezone(UTC).replace(hour=hour, minute=minute, second=second, microsecond=part)
    except ValueError as error:
        raise QueryFault(f"{text!r} is no time: 09:10, 09:10:30 or 2026-03-29T09:10") from error
    if after is not None:
        return at if at >= after else at + timedelta(days=1)
    nearest = (at + timedelta(days=days) for days in (-1, 0, 1))
    return min(nearest, key=lambda one: abs(one - around))


def _check(pattern: str) -> None:
    import re2

    options = re2.Options()
    options.log_errors = False
    options.max_mem = 8 << 20
    try:
        re2.compile(pattern, options)
    except (re2.error, UnicodeError) as error:
        why = error.args[0] if error.args else "not understood"
        why = why.decode("utf-8", "replace") if isinstance(why, bytes) else why
        raise QueryFault(f"not a regular expression that RE2 takes: {why}") from error
