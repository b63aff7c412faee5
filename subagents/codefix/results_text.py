"""Test results in what runners print: unittest, go test -json, cargo test, and the Test Anything Protocol."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import orjson

from subagents.codefix.fixes import TestCaseResult
from subagents.codefix.results_xml import case

# -- unittest --------------------------------------------------------------------------------------------------------

_STARTED = re.compile(r"(?P<name>\w+) \((?P<place>[\w.<>]+)\)(?P<rest>.*)\Z")
_SECTION = re.compile(r"(?P<word>ERROR|FAIL|UNEXPECTED SUCCESS): (?P<name>\w+) \((?P<place>[\w.<>]+)\)")
_UNITTEST = {
    "ok": "passed",
    "FAIL": "failed",
    "ERROR": "failed",  # whatever the code under test raises
    "expected failure": "passed",
    "unexpected success": "failed",
}


def parse_unittest(text: str) -> Iterator[TestCaseResult]:
    """Yield the results of `unittest -v`, then those of its sections on failures, with their last lines."""
    pending = ""
    lines = text.splitlines()
    for line in lines:
        started = _STARTED.match(line)
        if started:
            pending = _unittest_name(started["name"], started["place"])
        rest = started["rest"] if started else line
        ended = re.search(r"\.\.\. (.*)\Z", rest)
        word = (ended[1] if ended else rest).strip()
        if pending and (outcome := _unittest_outcome(word, plain=ended is None)):
            if not (_unloaded(pending) and outcome == "failed"):
                yield case(pending, outcome)
            pending = ""
    yield from _unittest_sections(lines)


def _unittest_outcome(word: str, *, plain: bool) -> str:
    if word.startswith("skipped"):
        return "skipped" if not plain or word.startswith(("skipped '", 'skipped "')) else ""
    if word in _UNITTEST:
        return _UNITTEST[word]
    # A test that prints leaves its outcome at the end of what it printed.
    return next((outcome for known, outcome in _UNITTEST.items() if not plain and word.endswith(known)), "")


def _unittest_name(name: str, place: str) -> str:
    return place if place.endswith("." + name) else f"{place}.{name}"


def _unloaded(name: str) -> bool:
    return "_FailedTest" in name or name.endswith((".setUpClass", ".tearDownClass", ".setUpModule"))


def _unittest_sections(lines: list[str]) -> Iterator[TestCaseResult]:
    name, last = "", ""
    for line in [*lines, "=" * 70]:
        section = _SECTION.match(line)
        if section or line.startswith("=" * 70) or re.match(r"Ran \d+ tests? in ", line):
            if name:
                unloaded = _unloaded(name)
                yield case(name.replace("unittest.loader._FailedTest.", ""), "error" if unloaded else "failed", last)
            name = _unittest_name(section["name"], section["place"]) if section else ""
            last = ""
        elif name and line.strip() and not line.startswith("-" * 70):
            last = line if not line.startswith(" ") else last


# -- go --------------------------------------------------------------------------------------------------------------


def parse_go(text: str) -> Iterator[TestCaseResult]:
    """Yield the results of `go test -json`; a package that does not build is an error, not a red test."""
    said: dict[str, list[str]] = {}
    single: set[str] = set()
    for line in text.splitlines():
        if not line.startswith("{"):
            continue
        try:
            event: Any = orjson.loads(line)
        except ValueError:
            continue
        if not isinstance(event, dict):
            continue
        package, test = str(event.get("Package") or event.get("ImportPath") or ""), str(event.get("Test") or "")
        name = f"{package}.{test}" if test else package
        action = event.get("Action")
        if action in ("output", "build-output"):
            lines = said.setdefault(name, [])
            if len(lines) < 50:
                lines.append(str(event.get("Output") or "")[:500])
        elif action in ("pass", "fail", "skip") and test:
            single.add(package)
            outcome = {"pass": "passed", "fail": "failed", "skip": "skipped"}[action]
            yield case(name, outcome, _go_message(said.get(name, [])) if outcome != "passed" else "")
        elif action in ("fail", "build-fail") and not test and package.split(" ")[0] not in single:
            yield case(package.split(" ")[0], "error", _go_message(said.get(name, [])))


def _go_message(lines: list[str]) -> str:
    kept = [line.strip() for line in lines if line.strip() and not line.lstrip().startswith(("===", "---", "#"))]
    return "; ".join(kept[:3])


# -- cargo -----------------------------------------------------------------------------------------------------------

_CARGO_TARGET = re.compile(r"\s+(?:Running (?:unittests )?(?P<file>\S+)|Doc-tests (?P<doc>\S+))")
_CARGO_TEST = re.compile(r"test (?P<name>.+?)(?: - should panic)? \.\.\. (?P<word>ok|FAILED|ignored)")
_CARGO_SECTION = re.compile(r"---- (?P<name>.+) stdout ----\Z")


def parse_cargo(text: str) -> Iterator[TestCaseResult]:
    """Yield the results of `cargo test`, with the first line that a failing test printed."""
    target, lines = "", text.splitlines()
    messages = _cargo_messages(lines)
    for line in lines:
        if found := _CARGO_TARGET.match(line):
            target = found["file"] or f"doc {found['doc']}"
        elif found := _CARGO_TEST.match(line):
            outcome = {"ok": "passed", "FAILED": "failed", "ignored": "skipped"}[found["word"]]
            message = messages.get(found["name"], "") if outcome == "failed" else ""
            yield case(f"{target}::{found['name']}".removeprefix("::"), outcome, message)


def _cargo_messages(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for number, line in enumerate(lines):
        if section := _CARGO_SECTION.match(line):
            said = [text.strip() for text in lines[number + 1 : number + 5] if text.strip()]
            found[section["name"]] = "; ".join(said[:3])
    return found


# -- TAP -------------------------------------------------------------------------------------------------------------

_TAP = re.compile(r"(?P<indent> *)(?P<not>not )?ok\b(?: +(?P<number>\d+))?(?: +-)? *(?P<rest>.*)\Z")
_TAP_SUBTEST = re.compile(r"(?P<indent> *)# Subtest: (?P<name>.*)\Z")
_TAP_ERROR = re.compile(r"\s+(?:error|message): (?P<text>.*)\Z")
_NODE_FILE = re.compile(r"\.[cm]?[jt]sx?\Z")


def parse_tap(text: str) -> Iterator[TestCaseResult]:
    """Yield the leaves of a TAP stream, subtests by the path to them; nothing where the text is no TAP."""
    lines = text.splitlines()
    if not any(line.startswith("TAP version ") or re.match(r"1\.\.\d+", line) for line in lines):
        return
    path: list[str] = []
    below: dict[int, list[str]] = {}  # outcomes under the subtest that is open at each depth
    number = 0
    while number < len(lines):
        line = lines[number]
        number += 1
        if subtest := _TAP_SUBTEST.match(line):
            depth = len(subtest["indent"]) // 4
            path[depth:] = [subtest["name"]]
            below.pop(depth, None)
        elif (result := _TAP.match(line)) and not line.lstrip().startswith("ok)"):
            depth = len(result["indent"]) // 4
            name, outcome = _tap_result(result)
            inner = below.pop(depth, [])
            below.setdefault(depth - 1, []).append(outcome)
            if inner and (outcome != "failed" or "failed" in inner or "error" in inner):
                continue  # it only sums up what is below it
            message = _tap_message(lines, number) if outcome == "failed" else ""
            if outcome == "failed" and _NODE_FILE.search(name) and not inner and depth == 0:
                outcome = "error"  # a file that could not be loaded
            yield case(" > ".join([*path[:depth], name or f"test {result['number'] or '?'}"]), outcome, message)


def _tap_result(result: re.Match[str]) -> tuple[str, str]:
    name, _, directive = result["rest"].partition(" # ")
    word = directive.strip().upper()
    if result["rest"].startswith("# "):
        name, word = "", result["rest"][2:].upper()
    if word.startswith("SKIP") or (word.startswith("TODO") and result["not"]):
        return name.strip(), "skipped"
    return name.strip(), "failed" if result["not"] else "passed"


def _tap_message(lines: list[str], number: int) -> str:
    """Return the error of the YAML block that follows a result."""
    if number >= len(lines) or lines[number].strip() != "---":
        return ""
    for line in lines[number + 1 : number + 40]:
        if line.strip() == "...":
            break
        if error := _TAP_ERROR.match(line):
            return error["text"].strip("'\"")
    return ""
