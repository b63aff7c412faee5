"""From three runs to one claim: red to green only between the last two, and never from what could not start."""

from __future__ import annotations

from typing import Literal

import pytest

from subagents.codefix.checks import is_test_path
from subagents.codefix.claims import Compared, compare
from subagents.codefix.fixes import RunOutcome, SuiteRun, TestCaseResult
from subagents.codefix.results import Judged

Outcome = Literal["passed", "failed", "error", "skipped"]
LETTERS: dict[str, Outcome] = {"p": "passed", "f": "failed", "e": "error", "s": "skipped"}


def _run(cases: str = "", outcome: RunOutcome | None = None, reason: str = "", *, stopped: bool = False) -> Judged:
    """`a:p b:f` is a run with two cases."""
    found = {name: TestCaseResult(name=name, outcome=LETTERS[letter]) for name, letter in
             (word.rsplit(":", 1) for word in cases.split())}  # fmt: skip
    letters = {word[-1] for word in cases.split()}
    judged: RunOutcome = outcome or ("failed" if letters & {"f", "e"} else "passed")
    passed = sum(case.outcome == "passed" for case in found.values())
    return Judged(SuiteRun(name="fix", outcome=judged, reason=reason, passed=passed), found, stopped)


def _compare(base: Judged, tried: Judged | None, fix: Judged, *tests: str) -> Compared:
    return compare([base, tried or base, fix], tests)


def test_a_test_that_fails_without_the_fix_and_passes_with_it() -> None:
    found = _compare(_run("a:p"), _run("a:p new:f"), _run("a:p new:p"), "test_new.py")
    assert (found.claim, found.fixed, found.broken) == ("red to green", ("new",), ())
    assert found.reason == "1 test fails on the base and passes on the fix; 2 passed"


def test_an_existing_red_test_that_turns_green() -> None:
    found = _compare(_run("a:p b:f"), None, _run("a:p b:p"))
    assert (found.claim, found.fixed) == ("red to green", ("b",))


def test_a_suite_that_ends_badly_although_a_test_turned_green_is_said_to() -> None:
    why = "exit status 1, although no single test failed: coverage is 40 %"
    found = _compare(_run("a:f"), None, _run("a:p", outcome="failed", reason=why))
    assert found.claim == "red to green"
    assert found.reason.endswith(f"; the suite as a whole still fails: {why}")


def test_red_on_the_base_alone_is_not_enough() -> None:
    """It failed on the base, but with the fix's tests it passes there as well: the tests changed, not the code."""
    found = _compare(_run("a:f"), _run("a:p"), _run("a:p"), "test_a.py")
    assert (found.claim, found.fixed) == ("green, no distinguishing test", ())


def test_no_distinguishing_test() -> None:
    found = _compare(_run("a:p"), None, _run("a:p"))
    assert found == Compared(
        "green, no distinguishing test", "1 passed; no test fails without the fix and passes with it"
    )


def test_still_red() -> None:
    found = _compare(_run("a:p b:f"), None, _run("a:p b:f"))
    assert found.claim == "still red"
    assert found.reason == "1 test fails on the fix as well, first b; 1 passed"


def test_breaks_tests() -> None:
    found = _compare(_run("a:p b:f"), None, _run("a:f b:p"))
    assert (found.claim, found.broken, found.fixed) == ("breaks tests", ("a",), ("b",))
    assert "1 went from red to green" in found.reason


def test_a_test_of_the_fix_that_passes_without_it_and_fails_with_it_is_broken() -> None:
    found = _compare(_run("a:p"), _run("a:p new:p"), _run("a:p new:f"), "test_new.py")
    assert (found.claim, found.broken) == ("breaks tests", ("new",))


def test_a_test_that_can_no_longer_be_loaded_is_broken() -> None:
    assert _compare(_run("a:p b:p"), None, _run("a:p b:e")).broken == ("b",)


@pytest.mark.parametrize("tried", [_run(outcome="could not start"), _run("a:p new:e"), _run(outcome="timed out")])
def test_what_could_not_start_is_never_red(tried: Judged) -> None:
    found = _compare(_run("a:p"), tried, _run("a:p new:p"), "test_new.py")
    assert (found.claim, found.fixed) == ("green, no distinguishing test", ())
    assert found.reason.endswith("which is not red")


def test_a_status_alone_is_never_red_to_green() -> None:
    found = _compare(_run(outcome="failed"), None, _run(outcome="passed"))
    assert found.claim == "green, no distinguishing test"
    assert "names no test: a build may have failed as well" in found.reason


@pytest.mark.parametrize(
    ("outcome", "stopped", "reason"),
    [
        ("could not start", False, "the fix could not start: why"),
        ("timed out", False, "the fix timed out: why"),
        ("not run", False, "the fix was not tested: why"),
        ("failed", True, "the run of the fix: why"),
    ],
)
def test_a_fix_that_was_not_run_to_its_end_is_untested(outcome: RunOutcome, stopped: bool, reason: str) -> None:
    found = _compare(_run(outcome="could not start"), None, _run("a:p", outcome, "why", stopped=stopped))
    assert (found.claim, found.reason) == ("untested", reason)


@pytest.mark.parametrize("outcome", ["could not start", "timed out"])
def test_a_fix_on_which_the_suite_no_longer_runs_breaks_it(outcome: RunOutcome) -> None:
    found = _compare(_run("a:p"), None, _run(outcome=outcome, reason="why"))
    assert found.claim == "breaks tests"
    assert found.reason.endswith("does not on the fix: why")


def test_what_cannot_be_loaded_on_either_side_leaves_it_untested() -> None:
    found = _compare(_run("a:p b:e"), None, _run("a:p b:e"))
    assert found.claim == "untested"
    assert "could not be set up or loaded, on the base neither, first b" in found.reason


def test_a_bad_status_on_both_is_still_red_and_on_the_fix_alone_breaks() -> None:
    bad = _run("a:p", "failed", "exit status 2")
    assert _compare(bad, None, bad).claim == "still red"
    assert _compare(_run("a:p"), None, bad).claim == "breaks tests"


def test_a_test_that_differs_between_two_runs_of_the_same_code_counts_for_nothing() -> None:
    base, tried, fix = _run("t/test_a.py::x:p n:p"), _run("t/test_a.py::x:f n:p"), _run("t/test_a.py::x:p n:p")
    found = _compare(base, tried, fix, "t/test_new.py")
    assert (found.claim, found.fixed) == ("green, no distinguishing test", ())
    assert found.warnings[0].startswith("1 test came out otherwise in a second run of the same code")
    assert _compare(base, tried, fix, "t/test_a.py").fixed == ("t/test_a.py::x",)
    assert _compare(base, tried, fix, "t/conftest.py").fixed == ("t/test_a.py::x",)


def test_tests_that_are_gone_are_said() -> None:
    found = _compare(_run("a:p b:p"), None, _run("a:p"))
    assert found.warnings == ("not in the run of the fix: 1 test of the base, first b",)


def test_names_are_bounded() -> None:
    many = [f"t{number:04}" for number in range(1000)]
    red, green = " ".join(f"{name}:f" for name in many), " ".join(f"{name}:p" for name in many)
    found = _compare(_run(red), None, _run(green))
    assert len(found.fixed) == 200
    assert found.reason.startswith("1000 tests fail on the base")


@pytest.mark.parametrize(
    "path",
    [
        "tests/unit/test_a.py", "test/a.rb", "src/pkg/tests/data.json", "a_test.py", "pkg/a_test.go", "src/a.test.ts",
        "src/__tests__/a.js", "src/a.spec.jsx", "src/test/java/x/ATest.java", "x/AIT.kt", "conftest.py",
        "spec/a_spec.rb", "tests.py", "testdata/x",
    ],
)  # fmt: skip
def test_paths_of_tests(path: str) -> None:
    assert is_test_path(path)


@pytest.mark.parametrize(
    "path",
    ["src/latest/a.py", "contest.py", "attestation/x.go", "src/testing.py", "protest.js", "greatest/a.rs", "a.py"],
)
def test_paths_that_are_not_of_tests(path: str) -> None:
    assert not is_test_path(path)
