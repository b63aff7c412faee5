"""What a scripted agent can read in tool answers: their layout is known to it, their content is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

CITATION = re.compile(r"(?:log|metric|commit|deploy|flag|trace|runbook):\S+")
FINDING_ID = re.compile(r"\bf-[0-9a-f]{10}\b")
_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d\d:\d\d:\d\d)")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_MOVED = re.compile(
    r"(?P<at>(?:\d{4}-\d\d-\d\d[ T])?\d\d:\d\d:\d\d)Z (?P<service>\S+) (?P<metric>\S+) (?P<move>rises|falls) "
    r"(?P<base>[\d.]+)(?: (?P<unit>\S+))? -> (?P<peak>[\d.]+)(?: [^\s(,]+)?(?: \((?P<factor>[\d.]+)x\))?, "
    r"(?P<state>\w+)"
)
_RANKED = re.compile(r"^\s*\d+\. (?P<service>\S+) (?P<score>[01](?:\.\d+)?): (?P<why>.*)$", re.MULTILINE)
_SUSPECT = re.compile(r"^\s*(?P<rank>\d+)\. (?P<score>[\d.]+) (?P<key>\S+) (?P<label>.*)$")
_PART = re.compile(r"^\s+(?P<points>[+-][\d.]+) (?P<name>[\w-]+): (?P<reason>.*?)(?:  (?P<ref>\S+:\S+))?$")


def lines(text: str) -> Iterator[str]:
    """Yield an answer's lines without the bars of a fence and its marks."""
    for line in text.splitlines():
        if line.startswith("| "):
            yield line[2:]
        elif line != "|" and not line.startswith(("<untrusted ", "</untrusted")):
            yield line


def citations(text: str) -> list[str]:
    """Return every citation, once, in order."""
    found = (match.group().rstrip(".,;)") for line in lines(text) for match in CITATION.finditer(line))
    return list(dict.fromkeys(found))


def rows(text: str) -> dict[str, str]:
    """Return the `name: value` lines, the first of each name."""
    found: dict[str, str] = {}
    for line in lines(text):
        name, colon, value = line.partition(": ")
        if colon and name not in found:
            found[name] = value.strip()
    return found


def stamp(clock: str, days: str) -> str | None:
    """Return a time of day as an ISO moment; its date, where it names none, is the first in `days`."""
    match = _CLOCK.search(clock)
    day = _DAY.search(days)
    if match is None or (match[1] is None and day is None):
        return None
    return f"{match[1] or (day.group() if day else '')}T{match[2]}Z"


@dataclass(frozen=True)
class Moved:
    """A series that left its baseline, with the citation that shows it."""

    at: str | None
    service: str
    metric: str
    move: str
    facts: tuple[dict[str, Any], ...]
    citation: str
    state: str


def moved(text: str) -> list[Moved]:
    """Return the series that an answer says moved and has a citation for, in its order."""
    refs = [ref for ref in citations(text) if ref.startswith("metric:")]
    found = []
    for line in lines(text):
        match = _MOVED.search(line)
        if match is None:
            continue
        ref = next((ref for ref in refs if f"/{match['service']}/{match['metric']}@" in ref), None)
        if ref is None:
            continue
        at, unit = stamp(match["at"], ref), match["unit"] or ""
        facts = [("baseline", match["base"], unit), ("peak", match["peak"], unit), ("factor", match["factor"], "")]
        stated: list[dict[str, Any]] = [
            {"quantity": name, "value": _number(value), "unit": of, "citation": ref}
            for name, value, of in facts
            if value
        ]
        if at:
            stated.append({"quantity": "onset", "value": at, "unit": "", "citation": ref})
        found.append(Moved(at, match["service"], match["metric"], match["move"], tuple(stated), ref, match["state"]))
    return found


def ranked(text: str) -> list[dict[str, Any]]:
    """Return the services that an answer ranks, with their scores."""
    found = _RANKED.finditer("\n".join(lines(text)))
    return [{"service": match["service"], "score": float(match["score"])} for match in found]


@dataclass
class Candidate:
    """A change with its score, and what speaks for and against it."""

    score: float
    key: str
    label: str
    author: str = ""
    parts: list[Mapping[str, str]] = field(default_factory=list)

    @property
    def refs(self) -> list[str]:
        """Citations of its parts, once, in order."""
        return list(dict.fromkeys(part["ref"] for part in self.parts if part.get("ref")))

    def first(self, kind: str) -> str | None:
        """Return its first citation of a kind."""
        return next((ref for ref in self.refs if ref.startswith(kind + ":")), None)

    @property
    def kind(self) -> str:
        """`commit`, `flag` or `deploy`."""
        return next((kind for kind in ("commit", "flag", "deploy") if self.first(kind)), "commit")

    @property
    def full(self) -> str:
        """Full commit id, or the name."""
        ref = self.first("commit") or ""
        match = re.match(r"commit:.+/([0-9a-f]{40,64})", ref)
        return match[1] if match else self.key

    @property
    def source(self) -> str | None:
        """Source id of its repository."""
        match = re.match(r"commit:(.+)/[0-9a-f]{40,64}", self.first("commit") or "")
        return match[1] if match else None

    @property
    def paths(self) -> list[str]:
        """Files that its citations name."""
        found = (ref.partition("#")[2].rpartition(":")[0] for ref in self.refs if ref.startswith("commit:"))
        return list(dict.fromkeys(path for path in found if path))

    def part(self, name: str) -> str:
        """Return the reason of a part; empty where there is none."""
        return next((part["reason"] for part in self.parts if part["name"] == name), "")


def candidates(text: str) -> list[Candidate]:
    """Return the changes that an answer scores, best first."""
    found: list[Candidate] = []
    for line in lines(text):
        if (match := _SUSPECT.match(line)) is not None:
            key, label, author = match["key"], match["label"], ""
            if key in ("flag", "deploy"):
                key, _, label = label.partition(" ")
            elif label.endswith(")"):
                label, _, author = label[:-1].rpartition(" (")
            found.append(Candidate(float(match["score"]), key, label, author))
        elif found and (part := _PART.match(line)) is not None:
            found[-1].parts.append({"name": part["name"], "reason": part["reason"], "ref": part["ref"] or ""})
    return found


def _number(text: str) -> float | int:
    return float(text) if "." in text else int(text)
