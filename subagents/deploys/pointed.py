"""Whether errors point into a change: the trace's frame is in its lines, or the name they miss is taken away."""

from __future__ import annotations

import re
from collections.abc import Iterable

from subagents.contract import Finding
from subagents.deploys.scores import Part, Question
from subagents.deploys.sources.patch import FileDiff, diffs_of
from subagents.deploys.sources.records import Commit

FRAME_POINTS, MISSING_POINTS = 1.6, 1.5
NEAR_LINES = 3
"""Lines from a changed one within which a frame counts as in it: a statement, and what it is part of."""
RECENT_S = 10_800.0
"""Seconds before the onset from which on a change must have run: what ran for longer without failing so needed more."""
LEAST_NAME = 4
"""Letters of a name from which it is no name that anything may have."""
FRAME = re.compile(r"(?P<path>[^\s:]*[^\s:/]\.\w{1,8}):(?P<line>\d+)$")
_NAME = r"[`'\"]?(?:\w+\.)?(?P<name>[A-Za-z_]\w+)[`'\"]?"
_MISSING = re.compile(
    rf"KeyError: [\[(]?{_NAME}|has no attribute {_NAME.replace('name', 'attribute')}"
    rf"|(?:undefined|unknown|missing|no such)(?: required)? (?:field|key|property|column|method|attribute|parameter)"
    rf":? {_NAME.replace('name', 'member')}"
    rf"|(?:column|field|property|key) {_NAME.replace('name', 'gone')} (?:does not exist|is missing|not found)"
)


def frames_of(findings: Iterable[Finding]) -> tuple[tuple[str, int], ...]:
    """Return the frames of own code that traces end in, as path and line, by the terms of the findings on them."""
    found = (FRAME.match(term) for finding in findings if finding.topic == "mechanism" for term in finding.terms)
    return tuple(dict.fromkeys((match["path"].replace("\\", "/"), int(match["line"])) for match in found if match))


def missing_of(findings: Iterable[Finding]) -> frozenset[str]:
    """Return the names that errors say are not there."""
    names = (
        name
        for finding in findings
        for match in _MISSING.finditer(finding.claim)
        for name in match.groupdict().values()
        if name
    )
    return frozenset(name for name in names if len(name) >= LEAST_NAME)


def pointed(commit: Commit, question: Question, lead: float | None) -> list[Part]:
    """Return what it says for a change, in effect `lead` seconds before the onset, that the errors point into it."""
    if not commit.patch or lead is None or lead > RECENT_S or not (question.frames or question.missing):
        return []
    diffs = diffs_of(commit)
    return [*_framed(diffs, question.frames), *_taken(diffs, question.missing)]


def _framed(diffs: Iterable[FileDiff], frames: Iterable[tuple[str, int]]) -> list[Part]:
    for diff in diffs:
        for path, line in frames:
            if _same_file(diff.path, path) and any(abs(line - near) <= NEAR_LINES for near in _changed(diff)):
                what = f"the trace that is thrown ends in lines that it changed, at line {line} of {diff.path}"
                return [Part("pointed", FRAME_POINTS, what, diff.path, line)]
    return []


def _same_file(changed: str, framed: str) -> bool:
    """Say whether a path of a repository and one of a running program are one file: two names at their ends tell."""
    mine, theirs = changed.strip("/").split("/"), framed.strip("/").split("/")
    least = min(len(mine), len(theirs))
    return mine[-least:] == theirs[-least:] and (least >= 2 or len(mine) == 1)


def _changed(diff: FileDiff) -> set[int]:
    """Return the numbers, in the new version, of lines that were added, or that stand after removed ones."""
    numbers: set[int] = set()
    for hunk in diff.hunks:
        last: int | None = None
        for line in hunk.lines:
            if line.tag == "-" and last is not None:
                numbers.add(last + 1)
            elif line.number is not None:
                last = line.number
                numbers |= {line.number} if line.tag == "+" else set()
    return numbers


def _taken(diffs: Iterable[FileDiff], missing: frozenset[str]) -> list[Part]:
    removed: dict[str, str] = {}
    added: set[str] = set()
    for diff in diffs:
        for hunk in diff.hunks:
            added.update(word for text in hunk.added() for word in re.findall(r"\w+", text))
            removed |= {word: diff.path for text in hunk.removed() for word in re.findall(r"\w+", text)}
    gone = sorted(name for name in missing if name in removed and name not in added)
    if not gone:
        return []
    return [Part("pointed", MISSING_POINTS, f"the errors miss {gone[0]}, which it takes away", removed[gone[0]])]
