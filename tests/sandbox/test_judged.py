"""How a run went, judged from its ending, its status and its reports."""

from __future__ import annotations

import pytest

from subagents.codefix.detect_kinds import Form
from subagents.codefix.results import Raw, judge
from subagents.codefix.sandbox import Ending, SandboxRun
from tests.sandbox.reports import PYTEST


def _ran(output: str = "", status: int = 0, outcome: Ending = "exited", reason: str = "") -> SandboxRun:
    return SandboxRun(
        outcome, status if outcome == "exited" else None, reason, head=output.encode(), printed=len(output.encode())
    )


# -- how a run went ----------------------------------------------------------------------------------------------------


def _judged(form: Form, ran: SandboxRun, *reports: str) -> tuple[str, str]:
    suite = judge("fix", Raw(ran, form, [report.encode() for report in reports])).suite
    return suite.outcome, suite.reason


ALL_BROKEN = """<t><testcase name="tests.test_b" file="tests/test_b.py"><error message="collection failure">
E   ImportError: no x</error></testcase></t>"""


@pytest.mark.parametrize(
    ("form", "ran", "reason"),
    [
        ("junit", _ran("/usr/bin/python3: No module named pytest", 1), "/usr/bin/python3: No module named pytest"),
        ("junit", _ran("no tests ran", 5), "no tests were found"),
        (
            "junit",
            _ran("ERROR: usage: x\nerror: unrecognized arguments: --cov", 4),
            "error: unrecognized arguments: --cov",
        ),
        (
            "junit",
            _ran(outcome="setup", reason="bwrap: execvp pytest: No such file or directory"),
            "pytest: no such file",
        ),
        ("unittest", _ran("Ran 0 tests in 0.0s\n\nOK", 0), "no tests were found"),
        ("unittest", _ran("NO TESTS RAN", 5), "no tests were found"),
        ("cargo", _ran("error[E1]: x\nerror: could not compile `r`", 101), "error: could not compile `r`"),
        ("tap", _ran("make: gcc: No such file\nmake: *** [t] Error 127", 2), "make: *** [t] Error 127"),
        ("tap", _ran("make: *** No rule to make target 'test'.  Stop.", 2), "No rule to make target"),
        ("tap", _ran("x.c:1:2: error: expected ';'\nmake: *** [t] Error 1", 2), "x.c:1:2: error: expected ';'"),
        ("tap", _ran("sh: 1: jest: not found", 127), "sh: 1: jest: not found"),
        ("reports", _ran("[ERROR] COMPILATION ERROR :", 1), "COMPILATION ERROR"),
    ],
)
def test_could_not_start_is_not_red(form: Form, ran: SandboxRun, reason: str) -> None:
    outcome, said = _judged(form, ran)
    assert outcome == "could not start"
    assert reason in said


def test_a_suite_of_which_nothing_loads_could_not_start() -> None:
    assert _judged("junit", _ran("", 2), ALL_BROKEN) == (
        "could not start",
        "nothing could be loaded: tests/test_b.py: ImportError: no x",
    )


def test_some_that_do_not_load_are_told() -> None:
    outcome, reason = _judged(
        "junit", _ran("", 1), PYTEST.replace("<failure", "<skipped").replace("</failure", "</skipped")
    )
    assert outcome == "failed"
    assert reason.startswith("2 could not be set up or loaded, first tests/test_a.py::test_setup")


def test_a_bad_status_beside_good_tests_is_red_and_said() -> None:
    report = "<t><testcase name='a'/></t>"
    assert _judged("junit", _ran("coverage 40 % is below 90 %", 2), report) == (
        "failed",
        "exit status 2, although no single test failed: coverage 40 % is below 90 %",
    )
    assert _judged("junit", _ran("", 0), report) == ("passed", "")


def test_a_command_that_names_no_test_is_judged_by_its_status() -> None:
    assert _judged("status", _ran("fine", 0)) == ("passed", "by exit status only: it says nothing of single tests")
    assert _judged("tap", _ran("bad", 3))[0] == "failed"


@pytest.mark.parametrize(
    ("ending", "outcome"),
    [
        ("timeout", "timed out"),
        ("cancelled", "not run"),
        ("not run", "not run"),
        ("memory", "failed"),
        ("disk", "failed"),
        ("setup", "could not start"),
    ],
)
def test_endings(ending: Ending, outcome: str) -> None:
    judged = judge("fix", Raw(_ran(outcome=ending, reason="the reason"), "junit"))
    assert judged.suite.outcome == outcome
    assert "the reason" in judged.suite.reason
    assert judged.stopped == (ending in ("memory", "disk"))


def test_what_is_recorded_is_bounded_and_the_counts_are_whole() -> None:
    cases = "".join(f"<testcase name='t{n}'/>" for n in range(5000)) + "<testcase name='bad'><failure/></testcase>"
    long = SandboxRun("exited", 1, head=b"h" * (1 << 20), tail=b"t" * (1 << 20), printed=5 << 20)
    suite = judge("fix", Raw(long, "junit", [f"<t>{cases}</t>".encode()])).suite
    assert (suite.passed, suite.failed, len(suite.cases)) == (5000, 1, 2000)
    assert suite.cases[0].name == "bad"
    assert len(suite.output) < 70_000
    assert f"{(5 << 20) - (64 << 10)} bytes left out" in suite.output
