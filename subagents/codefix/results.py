"""What a run of a suite showed, read from untrusted bytes: bounded, and never raising for what they hold.

`could not start` is never red: a missing program, a build that fails, a suite of which nothing can be loaded.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from subagents.codefix.detect_kinds import Form
from subagents.codefix.fixes import RunName, RunOutcome, SuiteRun, TestCaseResult
from subagents.codefix.results_text import parse_cargo, parse_go, parse_tap, parse_unittest
from subagents.codefix.results_xml import Cases, parse_jest, parse_junit
from subagents.codefix.sandbox import SandboxRun

CASES_KEPT = 2_000
"""Cases of a run that are recorded, what did not pass first; the counts are of all."""
OUTPUT_HEAD, OUTPUT_TAIL = 16 * 1024, 48 * 1024


@dataclass(frozen=True)
class Raw:
    """A run and what it left to read."""

    ran: SandboxRun
    form: Form
    reports: Sequence[bytes] = ()
    note: str = ""
    """What could not be read back."""


@dataclass(frozen=True)
class Judged:
    """A run, judged; `cases` is whole, `suite` is what is recorded."""

    suite: SuiteRun
    cases: Mapping[str, TestCaseResult] = field(default_factory=dict)
    stopped: bool = False
    """It was ended at a bound other than its time."""

    def named(self, *outcomes: str) -> set[str]:
        """Return the names of the cases with one of the outcomes."""
        return {name for name, case in self.cases.items() if case.outcome in outcomes}


def judge(name: RunName, raw: Raw) -> Judged:
    """Say how a run went."""
    ran = raw.ran
    cases, note = _parse(raw)
    if ran.outcome == "exited":
        outcome, reason = _of_exit(raw, cases)
    else:
        outcome, reason = _of_ending(ran)
    reasons = [reason, note, raw.note]
    if ran.survivors:
        reasons.append(f"processes of the run that could not be ended: {ran.survivors}")
    shown = sorted(cases.values(), key=lambda case: _ORDER[case.outcome])
    suite = SuiteRun(
        name=name,
        outcome=outcome,
        reason="; ".join(part for part in reasons if part),
        passed=sum(case.outcome == "passed" for case in cases.values()),
        failed=sum(case.outcome in ("failed", "error") for case in cases.values()),
        skipped=sum(case.outcome == "skipped" for case in cases.values()),
        seconds=ran.seconds,
        cases=tuple(shown[:CASES_KEPT]),
        output=shown_output(ran),
    )
    return Judged(suite, cases, stopped=ran.outcome in _BOUNDS)


_ORDER = {"failed": 0, "error": 1, "passed": 2, "skipped": 3}
_BOUNDS = ("memory", "processes", "disk", "files", "output")


def shown_output(ran: SandboxRun) -> str:
    """Return the head and the tail of what was printed, as text."""
    whole = ran.output()
    if len(whole) > OUTPUT_HEAD + OUTPUT_TAIL:
        cut = ran.printed - OUTPUT_HEAD - OUTPUT_TAIL
        whole = whole[:OUTPUT_HEAD] + f"\n… {cut} bytes left out …\n".encode() + whole[-OUTPUT_TAIL:]
    return whole.decode("utf-8", "replace")


def _parse(raw: Raw) -> tuple[dict[str, TestCaseResult], str]:
    """Return the cases by name; of two of one name, the worse."""
    text = raw.ran.output().decode("utf-8", "replace")
    found = Cases()
    readers: Mapping[str, Callable[[], Iterable[TestCaseResult]]] = {
        "unittest": lambda: parse_unittest(text),
        "go": lambda: parse_go(text),
        "cargo": lambda: parse_cargo(text),
        "tap": lambda: parse_tap(text),
    }
    if raw.form in readers:
        found.take(readers[raw.form]())
    elif raw.form in ("junit", "reports"):
        for report in raw.reports:
            parse_junit(report, found, errors_fail=raw.form == "reports")
    elif raw.form == "jest":
        for report in raw.reports:
            parse_jest(report, found)
    return found.by_name, "; ".join(found.notes)


def _of_ending(ran: SandboxRun) -> tuple[RunOutcome, str]:
    """Judge a run that did not end by itself."""
    if ran.outcome == "timeout":
        return "timed out", ran.reason
    if ran.outcome in ("not run", "cancelled"):
        return "not run", ran.reason or "cancelled"
    if ran.outcome == "setup":
        missing = re.search(r"execvp (.+): (No such file or directory|Permission denied)", ran.reason)
        return "could not start", f"{missing[1]}: {missing[2].lower()} in the sandbox" if missing else ran.reason
    return "failed", f"stopped: {ran.reason}"


_NOTHING = "no tests were found"
_NOT_THERE = re.compile(
    r"command not found|No module named (?:'?pytest\b|'?unittest\b|tox\b|nox\b)|No rule to make target|"
    r"Error 127\b|: not found\s*$|Cannot find module|Could not resolve|offline mode|ENOTCACHED",
    re.MULTILINE,
)
_BUILD = re.compile(
    r": (?:fatal )?error: |undefined reference to|ld returned \d+ exit status|could not compile|\[build failed\]|"
    r"COMPILATION ERROR|SyntaxError: ",
)


def _of_exit(raw: Raw, cases: Mapping[str, TestCaseResult]) -> tuple[RunOutcome, str]:
    """Judge a run that ended by itself."""
    status = raw.ran.exit if raw.ran.exit is not None else 1
    text = raw.ran.output().decode("utf-8", "replace")
    if not cases:
        return _without_cases(raw.form, status, text, raw.ran.reason)
    outcomes = {case.outcome for case in cases.values()}
    errors = [case for case in cases.values() if case.outcome == "error"]
    if outcomes == {"error"}:
        return "could not start", f"nothing could be loaded: {errors[0].name}: {errors[0].message}".rstrip(": ")
    if "failed" in outcomes:
        return "failed", f"{len(errors)} could not be set up or loaded" if errors else ""
    if errors:
        return "failed", f"{len(errors)} could not be set up or loaded, first {errors[0].name}: {errors[0].message}"
    if status != 0:
        return "failed", f"exit status {status}, although no single test failed: {_last_line(text)}"
    return "passed", ""


def _without_cases(form: Form, status: int, text: str, said: str) -> tuple[RunOutcome, str]:
    if form in ("status", "tap"):
        if status == 0:
            return "passed", "by exit status only: it says nothing of single tests"
        if status in (126, 127) or (found := _NOT_THERE.search(text)) or (found := _BUILD.search(text)):
            line = _line_of(text, found.start()) if status not in (126, 127) and found else _last_line(text)
            return "could not start", line or f"exit status {status}"
        return "failed", f"by exit status only ({status}): it says nothing of single tests"
    if status == 0 or (form == "junit" and status == 5) or re.search(r"^Ran 0 tests|NO TESTS RAN", text, re.MULTILINE):
        return "could not start", _NOTHING
    for pattern in (_NOT_THERE, _BUILD):
        if found := pattern.search(text):
            return "could not start", _line_of(text, found.start())
    return "could not start", said or _last_line(text) or f"exit status {status}"


def _line_of(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    return text[start : (text.find("\n", at) + 1 or len(text) + 1) - 1].strip()[:300]


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip(" \t=-_")]
    return lines[-1][:300] if lines else ""
