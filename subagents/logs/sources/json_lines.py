"""JSON log lines by the block: typed decoding of only the fields that carry a role."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, INFO, UNKNOWN, from_name
from subagents.logs.sources.json_fields import ROLES, TOP_LEVEL, flatten, pick

if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLE = 48
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


@dataclass
class JsonColumns:
    """Fields of the lines that are JSON objects, in order; `rows` are their places among the lines given."""

    rows: list[int]
    time: list[Any]
    level: list[int]
    text: list[str]
    service: list[str | None]
    host: list[str | None]
    stack: list[str | None]
    suffix: list[str]


@dataclass
class JsonReader:
    """Knows which of the usual names this file uses; learns more as they appear."""

    names: set[str] = field(default_factory=set)
    _decoder: Any = None
    _fields: dict[str, str] = field(default_factory=dict)
    _levels: dict[Any, int] = field(default_factory=dict)

    def read(self, lines: list[str]) -> JsonColumns:
        """Decode lines that look like objects; those that are not are left out of `rows`."""
        self._learn(lines)
        records, rows = self._decode(lines)
        values = {role: self._column(records, role) for role in ROLES}
        texts = _texts(values["message"], values["error"])
        for place, text in enumerate(texts):
            if not text:
                texts[place] = _rendered(lines[rows[place]])
        levels = self._level_column(values["level"], len(records))
        suffix = [""] * len(records)
        for place, status in enumerate(values["status"]):
            code = _status(status)
            if code:
                suffix[place] = f" status={code}"
                if code >= 500 and levels[place] in (UNKNOWN, INFO):
                    levels[place] = ERROR
        nothing: list[Any] = [None] * len(records)
        return JsonColumns(
            rows=rows,
            time=values["time"] or nothing,
            level=levels,
            text=texts or [_rendered(lines[row]) for row in rows],
            service=_names(values["service"]) or nothing,
            host=_names(values["host"]) or nothing,
            stack=[_stack(value) for value in values["stack"]] or nothing,
            suffix=suffix,
        )

    def _learn(self, lines: list[str]) -> None:
        step = max(1, len(lines) // _SAMPLE)
        seen: set[str] = set()
        for line in lines[::step]:
            record = _loads(line)
            if record is not None:
                seen.update(record)
        found = seen & (TOP_LEVEL | {"stream"})
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
            record = _loads(line)
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

    def _getters(self, role: str) -> list[Callable[[list[Any]], list[Any]]]:
        found: list[Callable[[list[Any]], list[Any]]] = []
        for name in ROLES[role]:
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
    flat = flatten(_loads(line) or {})
    return " ".join(f"{key}={value}" for key, value in flat.items() if key not in ROLES["time"])


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


def _loads(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
        if _SURROGATE.search(line):
            record = _encodable(record)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _encodable(value: Any) -> Any:
    """Return the value with lone surrogates, which UTF-8 cannot carry, as question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


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


def _stack(value: Any) -> str | None:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return value if isinstance(value, str) and value.strip() else None


def _status(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if value.isdigit() and len(value) == 3 else 0
    return value if isinstance(value, int) and 100 <= value < 600 else 0
