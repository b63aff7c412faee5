"""Reading one warroom.toml: every fault by file and line, with what to do."""

from __future__ import annotations

import difflib
import hashlib
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from orchestrator.config.locate import KeyPath, line_of, locate
from orchestrator.config.model import ConfigFile, settings_schema
from subagents.contract import Problem

SIZE_LIMIT = 1 << 20
_PLACE = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)\Z")
_STRICT = ("policies", "budgets", "engine")
"""Sections in which even an unknown key stops the run: a rule that is not read is a rule that does not hold."""
_SECRET = re.compile(r"(api_?)?(key|token|secret|password)\Z", re.IGNORECASE)


class ConfigError(Exception):
    """The settings cannot be used; `problems` has every fault, the message is one line for people."""

    def __init__(self, problems: list[Problem]) -> None:
        more = f" (and {len(problems) - 1} more: warroom config check)" if len(problems) > 1 else ""
        super().__init__((problems[0].line() if problems else "the settings cannot be used") + more)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class ReadFile:
    """One file as read."""

    path: Path
    digest: str
    content: ConfigFile | None
    """None where faults stop it from being used."""
    lines: dict[KeyPath, int]
    faults: tuple[Problem, ...] = ()
    """What stops it."""
    notes: tuple[Problem, ...] = ()
    """What is left out of it, such as unknown keys."""

    def at(self, path: KeyPath) -> str:
        """Return `file:line` of a key."""
        return f"{self.path}:{line_of(self.lines, path)}"


def read_file(path: Path) -> ReadFile:
    """Read and check one file. Never raises for its content."""
    try:
        text, digest = _text(path)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or str(error)
        return ReadFile(path, "", None, {}, (Problem(what=why, where=str(path)),))
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return ReadFile(path, digest, None, {}, (_syntax(path, text, str(error)),))
    except RecursionError:
        return ReadFile(path, digest, None, {}, (Problem(what="nested too deep", where=str(path)),))
    lines = locate(text)
    content, faults, notes = _validate(path, data, lines)
    return ReadFile(path, digest, content, lines, tuple(faults), tuple(notes))


def _text(path: Path) -> tuple[str, str]:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("not a regular file")
    if status.st_size > SIZE_LIMIT:
        raise ValueError(f"larger than {SIZE_LIMIT >> 20} MiB")
    with path.open("rb") as stream:
        raw = stream.read(SIZE_LIMIT)
    try:
        return raw.decode("utf-8"), "sha256:" + hashlib.sha256(raw).hexdigest()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ValueError(f"line {line} is not UTF-8; save the file as UTF-8") from error


def _syntax(path: Path, text: str, message: str) -> Problem:
    place = _PLACE.search(message)
    line = int(place.group(1)) if place and place.group(1) else text.count("\n") + 1
    what = _PLACE.sub("", message)
    return Problem(what=f"not TOML: {what[:1].lower()}{what[1:]}", where=f"{path}:{line}", todo="mend this line")


def _validate(
    path: Path, data: dict[str, Any], lines: dict[KeyPath, int]
) -> tuple[ConfigFile | None, list[Problem], list[Problem]]:
    notes: list[Problem] = []
    while True:
        try:
            return _with_origins(ConfigFile.model_validate(data), path, lines), [], notes
        except ValidationError as error:
            faults = []
            dropped = False
            for fault in error.errors(include_url=False, include_context=True, include_input=False):
                place: KeyPath = tuple(part for part in fault["loc"] if part != "[key]")
                problem = _explain(path, place, fault, lines)
                if fault["type"] == "extra_forbidden" and place[0] not in _STRICT:
                    notes.append(problem)
                    dropped = _drop(data, place) or dropped
                else:
                    faults.append(problem)
            if faults or not dropped:
                return None, faults or notes, notes if faults else []


def _with_origins(content: ConfigFile, path: Path, lines: dict[KeyPath, int]) -> ConfigFile:
    rules = tuple(
        rule.model_copy(update={"origin": f"{path}:{line_of(lines, ('policies', index))}"})
        for index, rule in enumerate(content.policies)
    )
    return content.model_copy(update={"policies": rules})


def _drop(data: Any, place: KeyPath) -> bool:
    for part in place[:-1]:
        data = data[part]
    return data.pop(place[-1], None) is not None


def _explain(path: Path, place: KeyPath, fault: Mapping[str, Any], lines: dict[KeyPath, int]) -> Problem:
    name = ".".join(str(part + 1) if isinstance(part, int) else part for part in place) or "the file"
    where = f"{path}:{line_of(lines, place)}"
    kind = fault["type"]
    if kind == "extra_forbidden":
        return Problem(what=f"unknown key `{name}`", where=where, lost="this key", todo=_did_you_mean(place))
    if kind == "missing":
        return Problem(what=f"`{name}` is missing", where=where, todo="add it")
    if kind in _WANTED:
        return Problem(what=f"`{name}`: must be {_WANTED[kind]}", where=where)
    message = str(fault["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:] if kind != "value_error" else message
    return Problem(what=f"`{name}`: {message.replace('input should be', 'must be')}", where=where)


_WANTED = {
    "string_type": "text in quotes",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "tuple_type": "a list in brackets",
    "list_type": "a list in brackets",
    "dict_type": "a table",
    "mapping_type": "a table",
    "model_type": "a table",
}
"""What a value of the wrong kind must be, in the words of TOML."""


def _did_you_mean(place: KeyPath) -> str:
    key = str(place[-1])
    known = sorted(_known_keys(place[:-1]))
    close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    if _SECRET.search(key):
        return "secrets come from the environment: name the variable with `engine.key_env`"
    return f"known here: {', '.join(known)}" if known else ""


def _known_keys(place: KeyPath) -> Iterator[str]:
    """The keys that may stand at a place, by the published schema."""
    schema = settings_schema()
    node: Any = schema
    for part in place:
        node = _deref(schema, node)
        if isinstance(part, int):
            node = node.get("items", {})
        else:
            node = node.get("properties", {}).get(part) or node.get("additionalProperties") or {}
    yield from _deref(schema, node).get("properties", {})


def _deref(schema: Mapping[str, Any], node: Any) -> Any:
    if not isinstance(node, dict):
        return {}
    options = [option for option in node.get("anyOf", []) if option.get("type") != "null"]
    node = options[0] if options else node
    reference = node.get("$ref", "")
    return schema["$defs"].get(reference.rpartition("/")[2], {}) if reference else node
