"""JSON log lines by the block: typed decoding of only the fields that carry a role."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, INFO, UNKNOWN, WARN, from_name, split_head, split_heads
from subagents.logs.sources.json_fields import (
    COMPANIONS,
    READ_AS,
    ROLES,
    TOP_LEVEL,
    flatten,
    may_be_said,
    names_in,
    pick,
    record_of,
)
from subagents.logs.sources.wrapped import may_be_wrapped, unwrapped, wrap_of
from subagents.pods import deployment_of

if TYPE_CHECKING:
    from collections.abc import Callable

OBJECT = r"^\s*\{"
"""Rust regex: a line that looks like a record."""
_SAMPLE = 48
_KIND = re.compile(
    r"^(?:Pod|Deployment|ReplicaSet|StatefulSet|DaemonSet|CronJob|Job|Node|Service|Ingress|HorizontalPodAutoscaler"
    r"|PersistentVolumeClaim)/"
)
"""What Kubernetes' objects are, where that stands before their names."""


@dataclass
class JsonColumns:
    """Fields of the lines that are JSON objects, in order; `rows` are their places among the lines given."""

    rows: list[int]
    time: list[Any]
    level: list[int | None]
    """None where no field says it."""
    text: list[str]
    service: list[str | None]
    host: list[str | None]
    stack: list[str | None]
    suffix: list[str]
    glued: list[bool]
    """It is the rest of the record before it, which has the text of both."""


@dataclass
class JsonReader:
    """Knows which of the usual names this file uses; learns more as they appear."""

    names: set[str] = field(default_factory=set)
    cut_lines: bool = False
    """A container runtime's file: texts end in a line break, but for those that it cut in pieces."""
    _decoder: Any = None
    _fields: dict[str, str] = field(default_factory=dict)
    _levels: dict[Any, int] = field(default_factory=dict)
    inner: JsonReader | None = None
    wrap: str | None = None
    """The field that holds the events, in exports that have records of their own."""
    doubts: bool = False
    """A text has a line more where with other numbers it might be another: whether a message has an error's text."""

    def as_learnt(self, *, doubts: bool = False) -> JsonReader:
        """Return a reader with the names met so far; what it meets itself changes nothing here."""
        inner = self.inner.as_learnt(doubts=doubts) if self.inner is not None else None
        return replace(self, names=set(self.names), inner=inner, doubts=doubts)

    def read(self, lines: list[str]) -> JsonColumns:
        """Decode lines that look like objects; those that are not are left out of `rows`."""
        if any(line.endswith("},") for line in lines[:_SAMPLE]):  # a list with one record a line
            lines = [line.removesuffix(",") for line in lines]
        if self.wrap is None and may_be_wrapped(lines):
            self.wrap = wrap_of(names_in(lines[:_SAMPLE]))
        if self.wrap is not None:
            lines = unwrapped(lines, self.wrap)
        self._learn(lines)
        records, rows = self._decode(lines)
        columns = self._columns(lines, records, rows)
        if "log" in self.names and "stream" in self.names:
            self._contained(columns, self._column(records, "message"), self._flat_column(records, "stream"))
        return columns

    def _columns(self, lines: list[str], records: list[Any], rows: list[int]) -> JsonColumns:
        values = {role: self._column(records, role) for role in ROLES}
        texts = _texts(values["message"], values["error"])
        for place, text in enumerate(texts):
            if not text:
                texts[place] = _rendered(lines[rows[place]])
        levels = self._level_column(values["level"], len(records))
        texts = texts or [_rendered(lines[row]) for row in rows]
        statuses = [_status(value) for value in values["status"]] or [0] * len(records)
        _weigh_statuses(levels, statuses, texts)
        self._weigh(levels, texts)
        if self.doubts and values["message"] and values["error"]:
            pairs = zip(values["message"], values["error"], strict=True)
            texts = [f"{text}\n?" if may_be_said(*pair) else text for text, pair in zip(texts, pairs, strict=True)]
        return JsonColumns(
            rows=rows,
            time=values["time"] or [None] * len(records),
            level=[level or None for level in levels],
            text=texts,
            service=_services(values["service"]) or [None] * len(records),
            host=_names(values["host"]) or [None] * len(records),
            stack=[_stack(value) for value in values["stack"]] or [None] * len(records),
            suffix=[f" status={code}" if code else "" for code in statuses],
            glued=[False] * len(records),
        )

    def _weigh(self, levels: list[int], texts: list[str]) -> None:
        """Levels that a library leaves out because they are its usual ones, and those that a collector gives to all."""
        if "@t" in self.names and not self.names.isdisjoint({"@m", "@mt"}):
            levels[:] = [level or INFO for level in levels]
        elif "PRIORITY" in self.names:
            levels[:] = [
                UNKNOWN if level == INFO and split_head(text)[0] > INFO else level
                for level, text in zip(levels, texts, strict=True)
            ]

    def _contained(self, columns: JsonColumns, values: list[Any], streams: list[Any]) -> None:
        """What a container runtime wraps: pieces of long lines are put together, a program's own JSON is read."""
        ended = [isinstance(value, str) and value.endswith("\n") for value in values]
        self.cut_lines = self.cut_lines or sum(ended[:_SAMPLE]) * 2 > len(ended[:_SAMPLE])
        for place, value in enumerate(values):
            if isinstance(value, str) and not value.strip():
                columns.text[place] = ""
        if self.cut_lines and not all(ended):
            _glue(columns, ended, streams)
        inner = [place for place, text in enumerate(columns.text) if text[:1] == "{" and text[-1:] == "}"]
        if not inner:
            return
        self.inner = self.inner or JsonReader(doubts=self.doubts)
        found = self.inner.read([columns.text[place] for place in inner])
        for number, row in enumerate(found.rows):
            place = inner[row]
            columns.text[place], columns.level[place] = found.text[number], found.level[number] or columns.level[place]
            columns.suffix[place], columns.stack[place] = found.suffix[number], found.stack[number]
            columns.service[place] = found.service[number] or columns.service[place]
            columns.host[place] = found.host[number] or columns.host[place]

    def _learn(self, lines: list[str]) -> None:
        found = names_in(lines[:: max(1, len(lines) // _SAMPLE)]) & (TOP_LEVEL | {"stream"})
        if len(lines) > _SAMPLE:
            found |= self._seldom(lines, found)
        if self._decoder is None or not found <= self.names:
            import msgspec

            self.names |= found
            self._fields = {name: f"f{place}" for place, name in enumerate(sorted(self.names))}
            row = msgspec.defstruct(
                "Row",
                [(attribute, Any, None) for attribute in self._fields.values()],
                rename={attribute: name for name, attribute in self._fields.items()},
                gc=False,
            )
            self._decoder = msgspec.json.Decoder(row)

    def _seldom(self, lines: list[str], found: set[str]) -> set[str]:
        """Return the usual names that few records have: what went wrong is often said by those alone."""
        import polars as pl

        texts, seldom, within = pl.Series(lines, dtype=pl.String), set[str](), set[str]()
        while new := TOP_LEVEL - self.names - found - seldom - within:
            rows = texts.str.contains_any([f'"{name}":' for name in sorted(new)]).arg_true()
            if not rows.len():
                break
            some = [lines[row] for row in rows.gather_every(max(1, rows.len() // _SAMPLE)).to_list()]
            seldom |= names_in(some) & TOP_LEVEL
            within |= {name for name in new if any(f'"{name}":' in line for line in some)} - seldom
        return seldom

    def _decode(self, lines: list[str]) -> tuple[list[Any], list[int]]:
        import msgspec

        try:
            records = self._decoder.decode_lines("\n".join(lines))
            if len(records) == len(lines):
                return records, list(range(len(lines)))
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            pass
        records, rows = [], []
        for place, line in enumerate(lines):
            record = self._one(line)
            if record is not None:
                records.append(record)
                rows.append(place)
        return records, rows

    def _one(self, line: str) -> Any:
        import msgspec

        try:
            return self._decoder.decode(line)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            record = record_of(line)
            if record is None:
                return None
            row = self._decoder.type()
            for name, attribute in self._fields.items():
                setattr(row, attribute, record.get(name))
            return row

    def _column(self, records: list[Any], role: str) -> list[Any]:
        """Return the role's values; an empty list where no record has such a field."""
        column: list[Any] = []
        for get in self._getters(role):
            values = get(records)
            if not column:
                column = values
            else:
                column = [old if old is not None else new for old, new in zip(column, values, strict=True)]
            if None not in column:
                break
        return column

    def _flat_column(self, records: list[Any], name: str) -> list[Any]:
        return _flat(self._fields[name])(records)

    def _getters(self, role: str) -> list[Callable[[list[Any]], list[Any]]]:
        found: list[Callable[[list[Any]], list[Any]]] = []
        for name in ROLES[role]:
            if not COMPANIONS.get(name, frozenset()) <= self.names:
                continue
            if (role, name) in READ_AS and name in self._fields:
                found.append(_converted(self._fields[name], READ_AS[role, name]))
                continue
            if name in self._fields:
                found.append(_flat(self._fields[name]))
            head, _, rest = name.partition(".")
            if rest and head in self._fields:
                found.append(_nested(self._fields[head], rest))
        return found

    def _level_column(self, values: list[Any], count: int) -> list[int]:
        if not values:
            return [UNKNOWN] * count
        if set(map(type, values)) <= {str, int, type(None)}:
            for value in set(values):
                self._level(value)
            return [self._levels[value] for value in values]
        return [self._level(value) for value in values]

    def _level(self, value: Any) -> int:
        if value is not None and not isinstance(value, str | int | float):
            return UNKNOWN
        level = self._levels.get(value)
        if level is None:
            name = str(int(value)) if isinstance(value, float) and abs(value) < 1e6 else str(value)
            level = self._levels[value] = UNKNOWN if value is None else from_name(name)
        return level


def _texts(messages: list[Any], errors: list[Any]) -> list[str]:
    if not errors and set(map(type, messages)) <= {str}:
        return [message.rstrip("\n") for message in messages]
    pairs = zip(messages or [None] * len(errors), errors or [None] * len(messages), strict=True)
    return [_text(message, error) for message, error in pairs]


def _text(message: Any, error: Any) -> str:
    text = message if isinstance(message, str) else _as_text(message)
    if isinstance(error, str) and error and error not in text:
        text = f"{text}: {error}" if text else error
    return text.rstrip("\n")


def _rendered(line: str) -> str:
    """Return a record without a message as `key=value` pairs."""
    flat = flatten(record_of(line) or {})
    return " ".join(f"{key}={value}" for key, value in flat.items() if key not in ROLES["time"])


def _converted(attribute: str, convert: Callable[[Any], Any]) -> Callable[[list[Any]], list[Any]]:
    get = attrgetter(attribute)
    return lambda records: [convert(value) for value in map(get, records)]


def _glue(columns: JsonColumns, ended: list[bool], streams: list[Any]) -> None:
    """Append to each record the texts of those that continue it."""
    head = 0
    for place in range(1, len(ended)):
        follows = columns.rows[place] == columns.rows[place - 1] + 1 and streams[place] == streams[place - 1]
        if ended[place - 1] or not follows:
            head = place
            continue
        columns.text[head] += columns.text[place]
        columns.text[place], columns.glued[place] = "", True


def _flat(attribute: str) -> Callable[[list[Any]], list[Any]]:
    get = attrgetter(attribute)

    def column(records: list[Any]) -> list[Any]:
        values = list(map(get, records))
        if dict in set(map(type, values)):
            return [None if type(value) is dict else value for value in values]
        return values

    return column


def _nested(attribute: str, path: str) -> Callable[[list[Any]], list[Any]]:
    get = attrgetter(attribute)

    def column(records: list[Any]) -> list[Any]:
        return [pick(value, (path,)) if type(value) is dict else None for value in map(get, records)]

    return column


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str)


def _names(values: list[Any]) -> list[str | None]:
    if set(map(type, values)) <= {str, type(None)}:
        return [value or None for value in values]
    return [
        value or None if isinstance(value, str) else str(value) if isinstance(value, int) else None for value in values
    ]


def _services(values: list[Any]) -> list[str | None]:
    names = _names(values)
    services = {name: _service(name) if name is not None else None for name in set(names)}
    return [services[name] for name in names]


def _service(name: str) -> str:
    """Return the service that a name is of: a unit of systemd's, a pod of a deployment, `Pod/name`."""
    return deployment_of(_KIND.sub("", name).removesuffix(".service"))


def _stack(value: Any) -> str | None:
    if isinstance(value, list):
        return "\n".join(_python_trace(item) if isinstance(item, dict) else str(item) for item in value)
    return value if isinstance(value, str) and value.strip() else None


def _python_trace(record: dict[str, Any]) -> str:
    """A traceback that structlog writes as data, as Python prints it."""
    frames = record.get("frames")
    lines = ["Traceback (most recent call last):"]
    for frame in frames if isinstance(frames, list) else []:
        if isinstance(frame, dict):
            lines.append(f'  File "{frame.get("filename")}", line {frame.get("lineno")}, in {frame.get("name")}')
    return "\n".join([*lines, f"{record.get('exc_type')}: {record.get('exc_value')}"])


def _weigh_statuses(levels: list[int], statuses: list[int], texts: list[str]) -> None:
    """Give records with a status the severity that it shows, where neither a field nor the text names another."""
    unnamed = [place for place, code in enumerate(statuses) if code and levels[place] == UNKNOWN]
    said = dict(zip(unnamed, split_heads([texts[place] for place in unnamed]), strict=True))
    for place, code in enumerate(statuses):
        level = said[place][0] if place in said else levels[place]
        if code >= 500 and level in (UNKNOWN, INFO):
            levels[place] = ERROR
        elif code and level == UNKNOWN:
            levels[place] = WARN if code in (408, 429, 499) else INFO


def _status(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if value.isdigit() and len(value) == 3 else 0
    return value if isinstance(value, int) and 100 <= value < 600 else 0
