"""From three judged runs to one claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from subagents.codefix.fixes import CheckClaim
from subagents.codefix.results import Judged
from subagents.quantities import counted, verb

NAMES_KEPT = 200
"""Names of tests that a check lists."""


@dataclass(frozen=True)
class Compared:
    """What three runs show together."""

    claim: CheckClaim
    reason: str
    fixed: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def compare(runs: Sequence[Judged], tests: Sequence[str]) -> Compared:
    """Compare the base, the base with the fix's `tests`, and the fix."""
    base, tried, fix = runs
    if (untested := _untested(base, fix)) is not None:
        return untested
    unsteady = _unsteady(base, tried, tests)
    red = tried.named("failed") - unsteady
    fixed = tuple(sorted(red & fix.named("passed")))
    fine = base.named("passed") | (tried.named("passed") - base.named("failed", "error"))
    broken = tuple(sorted((fine - unsteady) & fix.named("failed", "error")))
    claim, reason = _claim(base, tried, fix, fixed, broken)
    warnings = _warnings(base, fix, unsteady)
    return Compared(claim, reason, fixed[:NAMES_KEPT], broken[:NAMES_KEPT], warnings)


def _untested(base: Judged, fix: Judged) -> Compared | None:
    """Return the claim where the fix's own run shows nothing."""
    outcome = fix.suite.outcome
    if outcome == "timed out" and base.suite.outcome in ("passed", "failed") and not base.stopped:
        return Compared("breaks tests", f"the suite ends on the base and does not on the fix: {fix.suite.reason}")
    if outcome == "could not start" and base.suite.outcome in ("passed", "failed") and not base.stopped:
        return Compared("breaks tests", f"the suite starts on the base and does not on the fix: {fix.suite.reason}")
    if outcome in ("could not start", "timed out", "not run") or fix.stopped:
        words = {"not run": "the fix was not tested", "failed": "the run of the fix"}
        return Compared("untested", f"{words.get(outcome, f'the fix {outcome}')}: {fix.suite.reason}")
    return None


def _claim(
    base: Judged, tried: Judged, fix: Judged, fixed: Sequence[str], broken: Sequence[str]
) -> tuple[CheckClaim, str]:
    passed = f"{fix.suite.passed} passed"
    if broken:
        fails = f"{counted(len(broken), 'test')} that passed on the base {verb(len(broken), 'fail')}"
        first = f"{fails} on the fix, first {broken[0]}"
        return "breaks tests", first + (f"; {len(fixed)} went from red to green" if fixed else "")
    still = fix.named("failed", "error")
    if fixed:
        left = f"; {len(still)} fail on both" if still else ""
        if fix.suite.outcome == "failed" and not still:
            left = f"; the suite as a whole still fails: {fix.suite.reason}"
        red, green = (verb(len(fixed), word) for word in ("fail", "pass"))
        return "red to green", f"{counted(len(fixed), 'test')} {red} on the base and {green} on the fix; {passed}{left}"
    if fix.suite.outcome == "failed":
        if still and not fix.named("failed"):
            first = sorted(still)[0]
            message = fix.cases[first].message
            return "untested", (
                f"{len(still)} could not be set up or loaded, on the base neither, first {first}: {message}; "
                f"{passed}, and none of these fails without the fix"
            )
        if still:
            fails = f"{counted(len(still), 'test')} {verb(len(still), 'fail')}"
            return "still red", f"{fails} on the fix as well, first {sorted(still)[0]}; {passed}"
        if base.suite.outcome == "passed":
            return "breaks tests", f"the suite passes on the base and fails on the fix: {fix.suite.reason}"
        return "still red", f"the suite fails on the fix as well: {fix.suite.reason}"
    return "green, no distinguishing test", _undistinguished(tried, passed)


def _undistinguished(tried: Judged, passed: str) -> str:
    suite = tried.suite
    if suite.outcome == "could not start":
        return f"{passed} on the fix; on the base with the fix's tests nothing could start, which is not red"
    if suite.outcome == "timed out":
        return f"{passed} on the fix; the base did not end in time, which is not red"
    if tried.stopped:
        return f"{passed} on the fix; the base was cut off ({suite.reason}), which is not red"
    if suite.outcome == "failed" and not tried.cases:
        return (
            "the command fails on the base and succeeds on the fix, but names no test: a build may have failed as well"
        )
    if suite.outcome == "failed":
        return f"{passed} on the fix; on the base some could not be loaded, which is not red"
    return f"{passed}; no test fails without the fix and passes with it"


def _unsteady(base: Judged, tried: Judged, tests: Sequence[str]) -> set[str]:
    """Return tests whose file is known and the same in both runs of the base, and that pass in one and fail in one."""
    if base.cases is tried.cases or any(path.rpartition("/")[2] == "conftest.py" for path in tests):
        return set()
    differ = {name for name in base.cases.keys() & tried.cases.keys() if _sides(base, tried, name)}
    if not tests:
        return differ
    return {name for name in differ if ".py::" in name and name.partition("::")[0] not in tests}


def _sides(base: Judged, tried: Judged, name: str) -> bool:
    return {base.cases[name].outcome, tried.cases[name].outcome} == {"passed", "failed"}


def _warnings(base: Judged, fix: Judged, unsteady: set[str]) -> tuple[str, ...]:
    found = []
    if unsteady:
        names = ", ".join(sorted(unsteady)[:3])
        found.append(
            f"{counted(len(unsteady), 'test')} came out otherwise in a second run of the same code, "
            f"which counts for nothing: {names}"
        )
    gone = base.named("passed", "failed") - set(fix.cases)
    if gone and fix.cases:
        found.append(f"not in the run of the fix: {counted(len(gone), 'test')} of the base, first {sorted(gone)[0]}")
    return tuple(found)
