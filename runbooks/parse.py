"""Reads a runbook file: YAML front matter and `## id: title` sections. What is wrong is said by line, not raised."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from runbooks.model import SIGNALS, STEP_KINDS, Runbook, RunbookProblem, Step, StepKind, Triggers

BYTES_LIMIT = 64 * 1024
STEPS_LIMIT = 40
ITEMS_LIMIT = 100
TEXT_LIMIT = 2000

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,79}\Z")
_STEP_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_HEADING = re.compile(r"(#{1,6})\s+(.+?)\s*#*\s*\Z")
_HEADED_ID = re.compile(r"([a-z0-9][a-z0-9-]{0,39}):\s+(.+)\Z")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})\s*([\w+-]*)")
_SHELLS = frozenset({"", "sh", "bash", "shell", "console", "zsh"})
_KEYS = frozenset({"title", "summary", "applies_to", "triggers", "steps", "thresholds", "risks"})


class Unreadable(Exception):
    """The file cannot be used as a runbook at all; the message says why."""


@dataclass
class _Section:
    heading: str
    line: int
    lines: list[str] = field(default_factory=list)


@dataclass
class _Reader:
    """Collects what one file's front matter says, and what is wrong with it."""

    name: str
    problems: list[RunbookProblem] = field(default_factory=list)

    def fault(self, line: int, what: str, lost: str = "", todo: str = "") -> None:
        self.problems.append(RunbookProblem(what, f"{self.name}:{line}", lost, todo))

    def mapping(self, node: Any, what: str) -> dict[str, Any]:
        if node is None:
            return {}
        if not hasattr(node, "value") or not isinstance(node.value, list) or _is_sequence(node):
            self.fault(_line(node), f"{what} must be a mapping", what)
            return {}
        found: dict[str, Any] = {}
        for key, value in node.value[:ITEMS_LIMIT]:
            if not isinstance(key.value, str):
                self.fault(_line(key), f"{what} has a key that is not plain text", "that entry")
            elif key.value in found:
                self.fault(_line(key), f"{what} names {key.value!r} twice", "the second")
            else:
                found[key.value] = value
        return found

    def text(self, node: Any, what: str) -> str:
        if node is None:
            return ""
        if not isinstance(node.value, str):
            self.fault(_line(node), f"{what} must be text", what)
            return ""
        return " ".join(node.value.split())[:TEXT_LIMIT]

    def texts(self, node: Any, what: str) -> tuple[str, ...]:
        """Read a list of texts; a single text counts as a list of one."""
        if node is None:
            return ()
        if isinstance(node.value, str):
            return (self.text(node, what),) if node.value.strip() else ()
        if not _is_sequence(node):
            self.fault(_line(node), f"{what} must be a list", what)
            return ()
        if len(node.value) > ITEMS_LIMIT:
            self.fault(_line(node), f"{what} has more than {ITEMS_LIMIT} entries", "the rest")
        read = [self.text(item, f"an entry of {what}") for item in node.value[:ITEMS_LIMIT]]
        return tuple(entry for entry in read if entry)


def parse(path: Path, raw: bytes, *, bundled: bool = False) -> tuple[Runbook, list[RunbookProblem]]:
    """Read a runbook from its bytes; raise Unreadable where nothing of it can be used."""
    slug = path.stem.lower()
    if not _SLUG.match(slug):
        raise Unreadable("its file name must be lower-case letters, digits, `-`, `_`, `.` to be cited")
    if len(raw) > BYTES_LIMIT:
        raise Unreadable(f"it is larger than {BYTES_LIMIT // 1024} KiB")
    reader = _Reader(path.name)
    text = raw.decode("utf-8", "replace").removeprefix("\ufeff").replace("\r\n", "\n")
    if "\ufffd" in text and b"\xef\xbf\xbd" not in raw:
        reader.fault(1, "it is not valid UTF-8", "the bytes shown as \ufffd", "save it as UTF-8")
    front, body, body_line = _split(text)
    meta = _front_matter(reader, front) if front is not None else {}
    head, sections = _sections(body, body_line)
    steps = _steps(reader, meta, sections)
    if not steps:
        raise Unreadable("it has no step: write each as a section `## id: title`")
    runbook = Runbook(
        slug=slug,
        title=reader.text(meta.get("title"), "title") or _title(head) or slug.replace("-", " "),
        summary=reader.text(meta.get("summary"), "summary") or _first_paragraph(head),
        triggers=_triggers(reader, meta.get("triggers")),
        steps=steps,
        thresholds=reader.texts(meta.get("thresholds"), "thresholds"),
        risks=reader.texts(meta.get("risks"), "risks"),
        applies_to=reader.texts(meta.get("applies_to"), "applies_to"),
        path=path,
        bundled=bundled,
    )
    return runbook, reader.problems


def _split(text: str) -> tuple[str | None, str, int]:
    lines = text.split("\n")
    if lines[0].rstrip() != "---":
        return None, text, 1
    for number, line in enumerate(lines[1:], 1):
        if line.rstrip() in ("---", "..."):
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 2
    raise Unreadable("line 1: the front matter that starts with `---` has no closing `---`")


def _front_matter(reader: _Reader, front: str) -> dict[str, Any]:
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        # Composed, not constructed: nothing is built from tags, every value is text, and every node knows its line.
        node = yaml.compose(front, Loader=loader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 2 if mark is not None else 2
        what = getattr(error, "problem", None) or "it cannot be read"
        reader.fault(line, f"front matter is not YAML: {what}", "title, triggers, thresholds, risks", "quote the text")
        return {}
    meta = reader.mapping(node, "front matter")
    for key in [key for key in meta if key not in _KEYS]:
        reader.fault(_line(meta[key]), f"unknown key {key!r}", "that entry", f"known: {', '.join(sorted(_KEYS))}")
    return meta


def _is_sequence(node: Any) -> bool:
    return getattr(node, "id", "") == "sequence"


def _line(node: Any) -> int:
    return int(node.start_mark.line) + 2


def _triggers(reader: _Reader, node: Any) -> Triggers:
    if node is not None and (_is_sequence(node) or isinstance(node.value, str)):
        return Triggers(words=reader.texts(node, "triggers"))
    entries = reader.mapping(node, "triggers")
    for key in entries.keys() - {"signals", "with", "words"}:
        reader.fault(
            _line(entries[key]), f"unknown key {key!r} in triggers", "that entry", "known: signals, with, words"
        )
    read: dict[str, tuple[str, ...]] = {}
    for key in ("signals", "with"):
        given = reader.texts(entries.get(key), f"triggers.{key}")
        for signal in (name for name in given if name not in SIGNALS):
            known = ", ".join(sorted(SIGNALS))
            reader.fault(_line(entries[key]), f"unknown signal {signal!r}", "that trigger", f"known: {known}")
        read[key] = tuple(name for name in given if name in SIGNALS)
    return Triggers(read["signals"], read["with"], reader.texts(entries.get("words"), "triggers.words"))


def _sections(body: str, first_line: int) -> tuple[list[str], list[_Section]]:
    """Split the body at `##` headings outside code fences."""
    head: list[str] = []
    sections: list[_Section] = []
    fence = ""
    for number, line in enumerate(body.split("\n"), first_line):
        opened = _FENCE.match(line)
        if opened is not None:
            mark = opened.group(1)
            fence = "" if fence and mark.startswith(fence) else fence or mark
        heading = None if fence or opened else _HEADING.match(line)
        if heading is not None and len(heading.group(1)) == 2:
            sections.append(_Section(heading.group(2), number))
        else:
            (sections[-1].lines if sections else head).append(line)
    return head, sections


def _steps(reader: _Reader, meta: dict[str, Any], sections: list[_Section]) -> tuple[Step, ...]:
    listed = _listed_steps(reader, meta.get("steps"))
    found: dict[str, Step] = {}
    for section in sections:
        step_id, title = _identity(section.heading)
        if listed and step_id not in listed:
            continue
        if step_id in found:
            reader.fault(section.line, f"step {step_id!r} is there twice", "the second", "give it an id of its own")
            continue
        if len(found) == STEPS_LIMIT:
            reader.fault(section.line, f"more than {STEPS_LIMIT} steps", "the rest")
            break
        kind, risk = listed.get(step_id, ("look", ""))[:2]
        body = "\n".join(section.lines).strip()
        commands = tuple(_commands(section.lines))
        found[step_id] = Step(step_id, title, body, cast(StepKind, kind), risk, commands, section.line)
    for step_id, (_, _, line) in listed.items():
        if step_id not in found:
            reader.fault(line, f"step {step_id!r} has no section", "that step", f"write `## {step_id}: title` below")
    return tuple(found[i] for i in listed if i in found) if listed else tuple(found.values())


def _listed_steps(reader: _Reader, node: Any) -> dict[str, tuple[str, str, int]]:
    """Read `steps` of the front matter: id -> kind, risk, line."""
    if node is None:
        return {}
    if not _is_sequence(node):
        reader.fault(_line(node), "steps must be a list", "kinds and risks of the steps")
        return {}
    listed: dict[str, tuple[str, str, int]] = {}
    for item in node.value[:STEPS_LIMIT]:
        entry = {"id": item} if isinstance(item.value, str) else reader.mapping(item, "a step")
        step_id = reader.text(entry.get("id"), "a step's id")
        kind = reader.text(entry.get("kind"), "a step's kind") or "look"
        if not _STEP_ID.match(step_id) or step_id in listed:
            reader.fault(_line(item), f"step id {step_id[:40]!r} is malformed or taken", "that step")
            continue
        if kind not in STEP_KINDS:
            reader.fault(_line(item), f"unknown kind {kind[:40]!r}", "", f"known: {', '.join(sorted(STEP_KINDS))}")
            kind = "look"
        listed[step_id] = (kind, reader.text(entry.get("risk"), "a step's risk"), _line(item))
    return listed


def _identity(heading: str) -> tuple[str, str]:
    headed = _HEADED_ID.match(heading)
    if headed is not None:
        return headed.group(1), headed.group(2)
    slug = re.sub(r"[^a-z0-9]+", "-", heading.lower()).strip("-")[:40].strip("-")
    return slug or "step", heading


def _commands(lines: list[str]) -> Iterator[str]:
    fence, shell, pending = "", False, ""
    for line in lines:
        opened = _FENCE.match(line)
        if opened is not None:
            fence, shell = ("", False) if fence else (opened.group(1), opened.group(2).lower() in _SHELLS)
            continue
        text = line.strip().removeprefix("$ ")
        if not fence or not shell or not text or (text.startswith("#") and not pending):
            continue
        pending += text
        if pending.endswith("\\"):
            pending = pending[:-1].rstrip() + " "
            continue
        yield pending
        pending = ""
    if pending:
        yield pending.strip()


def _title(head: list[str]) -> str:
    return next((m.group(2) for line in head if (m := _HEADING.match(line))), "")


def _first_paragraph(head: list[str]) -> str:
    words: list[str] = []
    for line in head:
        if line.startswith("#"):
            continue
        if not line.strip() and words:
            break
        words += line.split()
    return " ".join(words)[:TEXT_LIMIT]
