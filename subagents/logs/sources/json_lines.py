"""JSON log lines by the block: typed decoding of only the fields that carry a role."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subagents.logs.levels import ERROR, INFO, UNKNOWN, from_name
from subagents.logs.sources.json_fields import ROLES, TOP_LEVEL, flatten, pick

if TYPE_CHECKING:
    from collections.abc import Callable

_SAMPLE = 48


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
    collector: bool = False
    """Each line is one line that a program wrote (Docker): traces are spread over several."""


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
        stacks = [_stack(value) for value in values["stack"]]
        texts = [_text(message, error) for message, error in zip(values["message"], values["error"], strict=True)]
        for place, text in enumerate(texts):
            if not text:
                texts[place] = _rendered(lines[rows[place]])
        levels = [self._level(value) for value in values["level"]]
        suffix = [""] * len(records)
        for place, status in enumerate(values["status"]):
            code = _status(status)
            if code:
                suffix[place] = f" status={code}"
                if code >= 500 and levels[place] in (UNKNOWN, INFO):
                    levels[place] = ERROR
        return JsonColumns(
            rows=rows,
            time=values["time"],
            level=levels,
            text=texts,
            service=[_name(value) for value in values["service"]],
            host=[_name(value) for value in values["host"]],
            stack=stacks,
            suffix=suffix,
            collector="log" in self.names and "stream" in self.names,
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
        getters = self._getters(role)
        if not getters:
            return [None] * len(records)
        if len(getters) == 1:
            return [getters[0](record) for record in records]
        return [next((v for get in getters if (v := get(record)) is not None), None) for record in records]

    def _getters(self, role: str) -> list[Callable[[Any], Any]]:
        found: list[Callable[[Any], Any]] = []
        for name in ROLES[role]:
            if name in self._fields:
                found.append(_flat(self._fields[name]))
            head, _, rest = name.partition(".")
            if rest and head in self._fields:
                found.append(_nested(self._fields[head], rest))
        return found

    def _level(self, value: Any) -> int:
        if value is None:
            return UNKNOWN
        if not isinstance(value, str | int | float):
            return UNKNOWN
        level = self._levels.get(value)
        if level is None:
            level = self._levels[value] = from_name(str(int(value)) if isinstance(value, float) else str(value))
        return level


def _text(message: Any, error: Any) -> str:
    text = message if isinstance(message, str) else _as_text(message)
    if isinstance(error, str) and error and error not in text:
        text = f"{text}: {error}" if text else error
    return text.rstrip("\n")


def _rendered(line: str) -> str:
    """Return a record without a message as `key=value` pairs."""
    flat = flatten(_loads(line) or {})
    return " ".join(f"{key}={value}" for key, value in flat.items() if key not in ROLES["time"])


def _flat(attribute: str) -> Callable[[Any], Any]:
    def get(record: Any) -> Any:
        value = getattr(record, attribute)
        return None if type(value) is dict else value

    return get


def _nested(attribute: str, path: str) -> Callable[[Any], Any]:
    def get(record: Any) -> Any:
        value = getattr(record, attribute)
        return pick(value, (path,)) if type(value) is dict else None

    return get


def _loads(line: str) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, list) and value and all(isinstance(item, int) and 0 <= item < 256 for item in value):
        return bytes(value).decode("utf-8", "replace")
    return json.dumps(value, ensure_ascii=False, default=str)


def _name(value: Any) -> str | None:
    return value if isinstance(value, str) and value else str(value) if isinstance(value, int) else None


def _stack(value: Any) -> str | None:
    if isinstance(value, list):
        return "\n".join(str(item) for item in value)
    return value if isinstance(value, str) and value.strip() else None


def _status(value: Any) -> int:
    if isinstance(value, str):
        value = int(value) if value.isdigit() and len(value) == 3 else 0
    return value if isinstance(value, int) and 100 <= value < 600 else 0
