"""Reads files of records as others write them: a JSON array, an object that holds one, or JSON lines.

A row that cannot be used is counted with its place and left out; the rest is kept.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from subagents.contract import Coverage, Problem, SourceSpec, Window
from subagents.files import read_all
from subagents.quantities import counted

_KEY = re.compile(r"[^a-z0-9]")
_EARLIEST, _LATEST = datetime(1990, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
_TEXT_LIMIT = 64 << 10
_DEPTH_LIMIT = 4
"""How many objects inside one another are asked for a name."""
ROW_LIMIT = 200_000

TIME_FIELDS = ("ts", "timestamp", "time", "at", "deployed_at", "landed_at", "committed_at", "created_at", "date",
               "merged_at", "started_at", "finished_at", "completed_at", "changed_at", "updated_at", "author_date",
               "commit_date", "committer_date", "when", "start", "start_time", "deploy_time", "@timestamp")  # fmt: skip


def _plain(key: str) -> str:
    return _KEY.sub("", key.lower())


class Row:
    """One record, asked by field name in any spelling; objects inside are asked by their own names."""

    def __init__(self, number: int, fields: Mapping[str, Any], depth: int = 0) -> None:
        self.number = number
        self._depth = depth
        self.fields = fields
        self._by_name = {_plain(str(key)): value for key, value in fields.items()}

    def value(self, *names: str) -> Any:
        """Return the first of these fields that is there and not null."""
        for name in names:
            found = self._by_name.get(_plain(name))
            if found is not None:
                return found
        return None

    def text(self, *names: str) -> str:
        """Return the first of these fields as text; an object gives its `sha`, `id`, `name` or `login`."""
        for name in names:
            found = self._by_name.get(_plain(name))
            if isinstance(found, Mapping) and self._depth < _DEPTH_LIMIT:
                found = Row(self.number, found, self._depth + 1).text("sha", "id", "name", "login", "email", "value")
            if isinstance(found, bool):
                found = "on" if found else "off"
            if isinstance(found, str | int | float) and str(found).strip():
                return printable(str(found).strip()[:_TEXT_LIMIT])
        return ""

    def moment(self, *names: str) -> tuple[datetime | None, bool]:
        """Return the first of these fields that is a time, in UTC, and whether its zone had to be assumed."""
        for name in names:
            moment, assumed = parse_moment(self._by_name.get(_plain(name)))
            if moment is not None:
                return moment, assumed
        return None, False


def printable(text: str) -> str:
    """Return text that UTF-8 can carry: lone surrogates become the replacement character."""
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def parse_moment(value: Any) -> tuple[datetime | None, bool]:
    """Read ISO 8601, RFC 2822, git's own form or an epoch in s, ms, us or ns; (None, False) where it is none."""
    moment: datetime | None = None
    if isinstance(value, bool) or value is None:
        return None, False
    if isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"\d{9,19}(\.\d+)?", value.strip())):
        moment = _from_epoch(float(value))
    elif isinstance(value, str):
        moment = _from_text(value.strip()[:64])
    if moment is None:
        return None, False
    assumed = moment.tzinfo is None
    try:
        moment = moment.replace(tzinfo=UTC) if assumed else moment.astimezone(UTC)
    except (OverflowError, ValueError):
        return None, False
    return (moment, assumed) if _EARLIEST <= moment <= _LATEST else (None, False)


def _from_epoch(number: float) -> datetime | None:
    if not math.isfinite(number):
        return None
    for scale in (1, 1e3, 1e6, 1e9):
        seconds = number / scale
        if 5e8 <= seconds < 5e9:
            return datetime.fromtimestamp(seconds, UTC)
    return None


def _from_text(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(
            re.sub(r"\s*(?:UTC|GMT)$", "+00:00", re.sub(r"\s+([+-]\d\d:?\d\d)$", r"\1", text))
        )
    except ValueError:
        pass
    for shape in ("%a %b %d %H:%M:%S %Y %z", "%Y-%m-%d %H:%M:%S %z", "%Y/%m/%d %H:%M:%S", "%d/%b/%Y:%H:%M:%S %z"):
        try:
            return datetime.strptime(text, shape)
        except ValueError:
            continue
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None


@dataclass
class Reading:
    """What came of reading one source, for its coverage line."""

    spec: SourceSpec
    items: int = 0
    dropped: Counter[str] = field(default_factory=Counter)
    """Reason to count of rows left out."""
    first_place: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    moments: list[datetime] = field(default_factory=list)
    layout: str = ""

    @property
    def name(self) -> str:
        """What the person calls the source."""
        return self.spec.origin or Path(self.spec.path).name

    def once(self, problem: Problem) -> None:
        """Note a problem of the whole file; the same one again is counted, not repeated."""
        for place, known in enumerate(self.problems):
            if known.what == problem.what:
                self.problems[place] = known.model_copy(update={"count": known.count + 1})
                return
        self.problems.append(problem)

    def drop(self, row: int, reason: str) -> None:
        """Count a row that cannot be used."""
        self.dropped[reason] += 1
        self.first_place.setdefault(reason, f"{self.name}: record {row}")

    def coverage(self, understood: int) -> Coverage:
        """Return the coverage line of the source."""
        problems = list(self.problems)
        for reason, count in self.dropped.items():
            problems.append(
                Problem(what=reason, where=self.first_place[reason], lost=counted(count, "record"), count=count)
            )
        span = Window(start=min(self.moments), end=max(self.moments)) if self.moments else None
        return Coverage(
            source=self.spec.id,
            kind=self.spec.kind,
            items=self.items,
            understood=understood,
            dropped=sum(self.dropped.values()),
            span=span,
            layout=self.layout,
            problems=tuple(problems),
        )


def read_rows(reading: Reading, holders: tuple[str, ...]) -> Iterator[Row]:
    """Yield the records of a file; `holders` are names under which an object may hold the array."""
    try:
        data, problem = read_all(Path(reading.spec.path), reading.name)
    except OSError as error:
        reading.problems.append(
            Problem(what=f"cannot be read ({error.strerror})", where=reading.name, lost="this source")
        )
        return
    if problem is not None:
        reading.problems.append(problem)
    for number, record in enumerate(_records(reading, data, holders), 1):
        if number > ROW_LIMIT:
            reading.problems.append(Problem(what=f"more than {ROW_LIMIT} records", where=reading.name, lost="the rest"))
            return
        reading.items += 1
        if isinstance(record, dict):
            yield Row(number, record)
        else:
            reading.drop(number, "not a record (an object with fields)")


def _records(reading: Reading, data: bytes, holders: tuple[str, ...]) -> Iterator[Any]:
    import orjson

    data = data.removeprefix(b"\xef\xbb\xbf")
    if not data.strip():
        reading.problems.append(Problem(what="empty file", where=reading.name, lost="nothing"))
        return
    try:
        whole = orjson.loads(data)
    except orjson.JSONDecodeError:
        reading.layout = "JSON lines"
        yield from _lines(reading, data)
        return
    reading.layout = "JSON"
    if isinstance(whole, dict):
        held = next((whole[key] for key in whole if _plain(key) in holders and isinstance(whole[key], list)), None)
        whole = held if held is not None else [whole]
    if not isinstance(whole, list):
        reading.problems.append(Problem(what="holds no list of records", where=reading.name, lost="this source"))
        return
    yield from whole


def _lines(reading: Reading, data: bytes) -> Iterator[Any]:
    import orjson

    bad = 0
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        try:
            yield orjson.loads(line)
        except orjson.JSONDecodeError:
            bad += 1
            if bad == 1:
                reading.first_place["not valid JSON"] = f"{reading.name}:{number}"
    if bad:
        reading.dropped["not valid JSON"] += bad
        reading.items += bad
