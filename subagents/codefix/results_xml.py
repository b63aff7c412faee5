"""Test reports as files: JUnit XML in its dialects, and the JSON of jest and vitest. Both are untrusted and bounded."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from xml.parsers import expat

import orjson

from subagents.codefix.fixes import TestCaseResult

REPORT_LIMIT = 32 << 20
CASES_LIMIT = 100_000
_DEPTH_LIMIT = 64
_NAME_LIMIT, _MESSAGE_LIMIT = 500, 500
_TEXT_KEPT = 4096
_WORSE = {"failed": 3, "error": 2, "passed": 1, "skipped": 0}


def case(name: str, outcome: str, message: str = "") -> TestCaseResult:
    """Return one result with its texts cut to what is kept."""
    shown = " ".join(message.split())[:_MESSAGE_LIMIT]
    return TestCaseResult.model_validate(
        {"name": _plain(name[:_NAME_LIMIT]), "outcome": outcome, "message": _plain(shown)}
    )


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


class Cases:
    """Results by name, at most 100,000; of two of one name, the worse counts."""

    def __init__(self) -> None:
        self.by_name: dict[str, TestCaseResult] = {}
        self.notes: list[str] = []

    def take(self, results: Iterable[TestCaseResult]) -> None:
        """Take in results."""
        for result in results:
            held = self.by_name.get(result.name)
            if held is None and len(self.by_name) >= CASES_LIMIT:
                self.note(f"more than {CASES_LIMIT} tests: the rest was not read")
                return
            if held is None or _WORSE[result.outcome] > _WORSE[held.outcome]:
                self.by_name[result.name] = result

    def note(self, text: str) -> None:
        """Say once what could not be read."""
        if text not in self.notes:
            self.notes.append(text)


class _Refused(Exception):
    """The document has what no report needs."""


class _Reader:
    """Reads test cases from expat's calls."""

    def __init__(self, found: Cases, errors_fail: bool) -> None:
        self._found = found
        self._errors_fail = errors_fail
        self._open: dict[str, str] | None = None
        self._outcome, self._message = "passed", ""
        self._text = ""
        self._suites: list[str] = []
        self._depth = 0

    def parser(self) -> expat.XMLParserType:
        """Return a parser that refuses document types, and with them every entity."""
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse
        parser.EntityDeclHandler = _refuse
        parser.ExternalEntityRefHandler = _refuse
        return parser

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEPTH_LIMIT:
            raise _Refused("it is nested too deep")
        if tag == "testsuite":
            self._suites.append(attributes.get("name", ""))
        elif tag == "testcase":
            self._open, self._outcome, self._message, self._text = attributes, "passed", "", ""
        elif self._open is not None and tag in ("failure", "error", "skipped"):
            failed = tag == "failure" or (tag == "error" and self._errors_fail)
            outcome = "failed" if failed else tag
            if self._outcome in ("passed", "skipped") or outcome == "failed":
                self._outcome = outcome
                self._message = attributes.get("message", "") or attributes.get("type", "")
                self._text = ""

    def _characters(self, data: str) -> None:
        if self._open is not None and self._outcome != "passed":
            self._text = (self._text + data)[-_TEXT_KEPT:]

    def _end(self, tag: str) -> None:
        self._depth -= 1
        if tag == "testsuite" and self._suites:
            self._suites.pop()
        if tag == "testcase" and self._open is not None:
            message = self._message or self._text.strip()
            if message == "collection failure":  # pytest: the reason is in the text, after an E
                said = [line[2:].strip() for line in self._text.splitlines() if line.startswith("E ")]
                message = said[-1] if said else message
            self._found.take(
                [case(self._name(self._open), self._outcome, "" if self._outcome == "passed" else message)]
            )
            self._open = None

    @staticmethod
    def _name(attributes: dict[str, str]) -> str:
        name, group, file = (attributes.get(key, "") for key in ("name", "classname", "file"))
        if file.endswith(".py"):
            module = file[:-3].replace("/", ".")
            if name == module:
                return file  # the file as a whole could not be loaded
            if group == module or group.startswith(module + "."):
                inner = group[len(module) + 1 :].replace(".", "::")
                return "::".join(part for part in (file, inner, name) if part)
        return f"{group}::{name}" if group and name else name or group or "unnamed"


def _refuse(*_: object) -> int:
    raise _Refused("it declares a document type or an entity")


def parse_junit(data: bytes, found: Cases, *, errors_fail: bool) -> None:
    """Add the cases of a JUnit report; what comes before a fault is kept. `errors_fail`: an `<error>` is a red test."""
    if len(data) > REPORT_LIMIT:
        found.note(f"the report is larger than {REPORT_LIMIT >> 20} MiB: it was not read")
        return
    try:
        _Reader(found, errors_fail).parser().Parse(data, True)
    except expat.ExpatError as error:
        found.note(f"the report ends or breaks in line {error.lineno}: what comes before was read")
    except (_Refused, ValueError, LookupError) as error:
        found.note(f"the report was not read to its end: {str(error)[:200]}")


_JEST = {"passed": "passed", "failed": "failed"}


def parse_jest(data: bytes, found: Cases) -> None:
    """Add the cases of the JSON that jest and vitest write."""
    if len(data) > REPORT_LIMIT:
        found.note(f"the report is larger than {REPORT_LIMIT >> 20} MiB: it was not read")
        return
    try:
        document: Any = orjson.loads(data)
    except ValueError as error:
        found.note(f"the report is no JSON: {str(error)[:200]}")
        return
    suites = document.get("testResults") if isinstance(document, dict) else None
    for suite in suites if isinstance(suites, list) else ():
        if not isinstance(suite, dict):
            continue
        file = str(suite.get("name") or "").rpartition("/")[2]
        tests = suite.get("assertionResults")
        tests = [test for test in tests if isinstance(test, dict)] if isinstance(tests, list) else []
        if not tests and suite.get("status") == "failed":
            found.take([case(file, "error", str(suite.get("message") or ""))])
        for test in tests:
            messages = test.get("failureMessages")
            message = str(messages[0]) if isinstance(messages, list) and messages else ""
            name = str(test.get("fullName") or test.get("title") or "")
            found.take([case(f"{file}: {name}", _JEST.get(str(test.get("status")), "skipped"), message)])
