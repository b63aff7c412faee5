"""Reports of test runners."""

from __future__ import annotations

PYTEST = """<?xml version="1.0"?><testsuites><testsuite name="pytest" tests="5">
<testcase classname="tests.test_a.TestA" name="test_good" file="tests/test_a.py" line="3" />
<testcase classname="tests.test_a" name="test_bad[1-x]" file="tests/test_a.py">
<failure message="assert 1 == 2">x</failure></testcase>
<testcase classname="tests.test_a" name="test_setup" file="tests/test_a.py">
<error message="failed on setup">x</error></testcase>
<testcase classname="tests.test_a" name="test_skip" file="tests/test_a.py"><skipped message="not here" /></testcase>
<testcase classname="" name="tests.test_b" file="tests/test_b.py"><error message="collection failure">import
E   ModuleNotFoundError: No module named 'absent'</error></testcase>
<testcase classname="tests.test_c.TestBase" name="test_x" file="tests/test_a.py" />
</testsuite></testsuites>"""
