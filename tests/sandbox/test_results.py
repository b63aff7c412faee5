"""Results are read from bytes that nobody vouches for: each runner's own words, and hostile ones."""

from __future__ import annotations

import json

import pytest

from subagents.codefix.fixes import TestCaseResult
from subagents.codefix.results_text import parse_cargo, parse_go, parse_tap, parse_unittest
from subagents.codefix.results_xml import Cases, parse_jest, parse_junit
from tests.sandbox.reports import PYTEST


def _outcomes(cases: list[TestCaseResult]) -> dict[str, str]:
    return {case.name: case.outcome for case in cases}


def _junit(text: str, *, errors_fail: bool = False) -> Cases:
    found = Cases()
    parse_junit(text.encode(), found, errors_fail=errors_fail)
    return found


def test_pytest() -> None:
    found = _junit(PYTEST)
    assert {name: case.outcome for name, case in found.by_name.items()} == {
        "tests/test_a.py::TestA::test_good": "passed",
        "tests/test_a.py::test_bad[1-x]": "failed",
        "tests/test_a.py::test_setup": "error",
        "tests/test_a.py::test_skip": "skipped",
        "tests/test_b.py": "error",
        "tests.test_c.TestBase::test_x": "passed",  # inherited: its file is not where it is run
    }
    assert found.by_name["tests/test_a.py::test_bad[1-x]"].message == "assert 1 == 2"
    assert found.by_name["tests/test_b.py"].message == "ModuleNotFoundError: No module named 'absent'"


def test_surefire_errors_are_red() -> None:
    text = """<testsuite name="com.x.ATest"><testcase name="adds" classname="com.x.ATest"/>
    <testcase name="divides" classname="com.x.ATest">
    <error message="/ by zero" type="E">at x</error></testcase></testsuite>"""
    found = _junit(text, errors_fail=True)
    assert found.by_name["com.x.ATest::divides"].outcome == "failed"
    assert _junit(text).by_name["com.x.ATest::divides"].outcome == "error"


BOMB = (
    '<?xml version="1.0"?><!DOCTYPE z [<!ENTITY a "aaaaaaaaaa">'
    + "".join(
        f'<!ENTITY {chr(98 + n)} "{"&" + chr(97 + n) + ";" * 1}{("&" + chr(97 + n) + ";") * 9}">' for n in range(9)
    )
    + "]><testsuite><testcase name='x'>&j;</testcase></testsuite>"
)


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "<!DOCTYPE x SYSTEM 'file:///etc/passwd'><testsuite/>",
        "<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><t><testcase name='x'>&e;</testcase></t>",
        "<a>" * 1000,
        "<testsuite><testcase name='x'>&nothing;</testcase></testsuite>",
        "not xml",
        "",
        "\0\0\0",
        '<?xml version="1.0" encoding="nonsense"?><testsuite/>',
    ],
)
def test_hostile_xml_gives_a_note_and_no_cases(text: str) -> None:
    found = _junit(text)
    assert found.by_name == {}
    assert len(found.notes) == 1


def test_what_comes_before_a_torn_end_is_kept() -> None:
    found = _junit("<testsuite><testcase name='a'/><testcase name='b'><fail")
    assert set(found.by_name) == {"a"}
    assert "what comes before was read" in found.notes[0]


def test_names_and_messages_are_bounded() -> None:
    text = f"<testsuite><testcase name='{'n' * 5000}'><failure message='{'m ' * 5000}'/></testcase></testsuite>"
    (case,) = _junit(text).by_name.values()
    assert (len(case.name), len(case.message)) == (500, 500)


def test_of_two_results_of_one_name_the_worse_counts() -> None:
    text = "<t><testcase name='a'/><testcase name='a'><failure message='x'/></testcase><testcase name='a'/></t>"
    assert _junit(text).by_name["a"].outcome == "failed"


UNITTEST = """test_good (tests.test_a.TestA.test_good) ... ok
test_bad (tests.test_a.TestA.test_bad)
What it is about. ... FAIL
test_raises (tests.test_a.TestA.test_raises) ... ERROR
test_skip (tests.test_a.TestA.test_skip) ... skipped 'not here'
test_prints (tests.test_a.TestA.test_prints) ... something printed
ok
test_prints_more (tests.test_a.TestA.test_prints_more) ... half a line ok
test_known (tests.test_a.TestA.test_known) ... expected failure
test_fixed (tests.test_a.TestA.test_fixed) ... unexpected success
test_old (tests.test_old.TestB) ... ok
tests.test_b (unittest.loader._FailedTest.tests.test_b) ... ERROR
setUpClass (tests.test_c.TestC) ... ERROR

======================================================================
ERROR: test_raises (tests.test_a.TestA.test_raises)
----------------------------------------------------------------------
Traceback (most recent call last):
  File "x", line 1, in test_raises
    raise TypeError("no")
TypeError: no

======================================================================
ERROR: test_b (unittest.loader._FailedTest.test_b)
----------------------------------------------------------------------
ImportError: Failed to import test module: test_b

======================================================================
FAIL: test_bad (tests.test_a.TestA.test_bad)
What it is about.
----------------------------------------------------------------------
Traceback (most recent call last):
AssertionError: 1 != 2

----------------------------------------------------------------------
Ran 9 tests in 0.001s

FAILED (failures=1, errors=2)
"""


def test_unittest() -> None:
    found = Cases()
    found.take(parse_unittest(UNITTEST))
    assert {name: case.outcome for name, case in found.by_name.items()} == {
        "tests.test_a.TestA.test_good": "passed",
        "tests.test_a.TestA.test_bad": "failed",
        "tests.test_a.TestA.test_raises": "failed",
        "tests.test_a.TestA.test_skip": "skipped",
        "tests.test_a.TestA.test_prints": "passed",
        "tests.test_a.TestA.test_prints_more": "passed",
        "tests.test_a.TestA.test_known": "passed",
        "tests.test_a.TestA.test_fixed": "failed",
        "tests.test_old.TestB.test_old": "passed",
        "test_b": "error",
    }
    assert [case.message for case in parse_unittest(UNITTEST) if case.message] == [
        "TypeError: no",
        "ImportError: Failed to import test module: test_b",
        "AssertionError: 1 != 2",
    ]


def test_go() -> None:
    events = [
        {"Action": "run", "Package": "x/a", "Test": "TestBad"},
        {"Action": "output", "Package": "x/a", "Test": "TestBad", "Output": "=== RUN   TestBad\n"},
        {"Action": "output", "Package": "x/a", "Test": "TestBad", "Output": "    a_test.go:5: got 3, want 2\n"},
        {"Action": "fail", "Package": "x/a", "Test": "TestBad"},
        {"Action": "pass", "Package": "x/a", "Test": "TestGood/case"},
        {"Action": "skip", "Package": "x/a", "Test": "TestSkip"},
        {"Action": "fail", "Package": "x/a"},
        {"Action": "output", "Package": "x/b", "Output": "b.go:1:1: undefined: y\n"},
        {"Action": "fail", "Package": "x/b"},
        ["not an event"],
    ]
    text = "# x/b\n" + "\n".join(map(json.dumps, events)) + "\n{torn"
    cases = list(parse_go(text))
    assert _outcomes(cases) == {
        "x/a.TestBad": "failed",
        "x/a.TestGood/case": "passed",
        "x/a.TestSkip": "skipped",
        "x/b": "error",
    }
    assert cases[0].message == "a_test.go:5: got 3, want 2"


CARGO = """   Compiling r v0.1.0
     Running unittests src/lib.rs (target/debug/deps/r-1)

running 3 tests
test tests::adds ... FAILED
test tests::slow ... ignored
test tests::panics - should panic ... ok

failures:

---- tests::adds stdout ----
thread 'tests::adds' panicked at src/lib.rs:4:1:
assertion failed

     Running tests/whole.rs (target/debug/deps/whole-1)
test adds ... ok
   Doc-tests r
test src/lib.rs - add (line 3) ... ok
"""


def test_cargo() -> None:
    cases = list(parse_cargo(CARGO))
    assert _outcomes(cases) == {
        "src/lib.rs::tests::adds": "failed",
        "src/lib.rs::tests::slow": "skipped",
        "src/lib.rs::tests::panics": "passed",
        "tests/whole.rs::adds": "passed",
        "doc r::src/lib.rs - add (line 3)": "passed",
    }
    assert cases[0].message.startswith("thread 'tests::adds' panicked at src/lib.rs:4:1:; assertion failed")


TAP = """TAP version 13
# Subtest: adds
not ok 1 - adds
  ---
  location: 'x'
  error: '2 == 3'
  ...
# Subtest: group
    # Subtest: inner
    ok 1 - inner
    # Subtest: broken
    not ok 2 - broken
    1..2
not ok 2 - group
# Subtest: fine
    # Subtest: one
    ok 1 - one
    1..1
ok 3 - fine
ok 4 - later # SKIP not now
not ok 5 - some day # TODO
ok 6
# Subtest: /work/test/x.test.js
not ok 7 - /work/test/x.test.js
1..7
"""


def test_tap() -> None:
    cases = list(parse_tap(TAP))
    assert _outcomes(cases) == {
        "adds": "failed",
        "group > inner": "passed",
        "group > broken": "failed",
        "fine > one": "passed",
        "later": "skipped",
        "some day": "skipped",
        "test 6": "passed",
        "/work/test/x.test.js": "error",
    }
    assert cases[0].message == "2 == 3"
    assert list(parse_tap("ok then\nnot ok, is it\n")) == []


def test_jest() -> None:
    document = {
        "testResults": [
            {
                "name": "/work/a.test.js",
                "status": "failed",
                "assertionResults": [
                    {"fullName": "a adds", "status": "passed"},
                    {"fullName": "a divides", "status": "failed", "failureMessages": ["Error: no\n at x"]},
                    {"fullName": "a waits", "status": "pending"},
                ],
            },
            {"name": "/work/b.test.js", "status": "failed", "message": "Cannot find module", "assertionResults": []},
            "nonsense",
            {"name": None, "assertionResults": {"no": "list"}},
        ]
    }
    found = Cases()
    parse_jest(json.dumps(document).encode(), found)
    assert {name: case.outcome for name, case in found.by_name.items()} == {
        "a.test.js: a adds": "passed",
        "a.test.js: a divides": "failed",
        "a.test.js: a waits": "skipped",
        "b.test.js": "error",
    }


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b'{"testResults": 3}', b"[" * 100_000])
def test_hostile_json_gives_no_cases(data: bytes) -> None:
    found = Cases()
    parse_jest(data, found)
    assert found.by_name == {}
