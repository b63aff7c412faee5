"""The three runs, on real repositories in the real sandbox; and that nothing runs without one."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.codefix.checks import Checker, CheckJob
from subagents.codefix.detect import TestConfig
from subagents.codefix.sandbox import Sandbox, SandboxJob, SandboxRun, Told
from subagents.codefix.sandbox_probe import Machine, SandboxState
from subagents.contract import Progress, ToolError
from tests.fakes import FakeClock
from tests.gitstore.repos import fingerprint
from tests.sandbox.checked import APP_BAD, APP_GOOD, OTHER, TEST, Bench, shown


@pytest.mark.needs("bwrap")
class TestThreeRuns:
    def test_the_fix_s_own_test_tells(self, bench: Bench) -> None:
        job = bench.job({"app.py": APP_BAD, "test_other.py": OTHER}, {"app.py": APP_GOOD, "test_app.py": TEST})
        check = Checker().check(job)
        adds = "test_app.TestApp.test_adds"
        assert shown(check) == ("red to green", ["passed", "failed", "passed"], (adds,), ())
        assert [run.name for run in check.runs] == ["base", "base with the fix's tests", "fix"]
        assert (check.draft, check.commit) == ("d-1", job.commit)
        assert "3 != 4" in check.runs[1].output or "4 != 3" in check.runs[1].output
        assert check.command_is.startswith("unittest (test_app.py), ")
        assert check.sandbox.startswith("bubblewrap ")
        assert list(bench.runs.iterdir()) == []

    def test_without_a_test_of_its_own_the_base_is_run_once(self, bench: Bench) -> None:
        job = bench.job({"app.py": APP_BAD, "test_other.py": OTHER}, {"app.py": APP_GOOD})
        check = Checker().check(job)
        assert shown(check) == ("green, no distinguishing test", ["passed", "passed", "passed"], (), ())
        assert "so this is the base: not run again" in check.runs[1].reason

    def test_an_existing_test_turns_green(self, bench: Bench) -> None:
        check = Checker().check(bench.job({"app.py": APP_BAD, "test_app.py": TEST}, {"app.py": APP_GOOD}))
        assert check.claim == "red to green"

    def test_still_red(self, bench: Bench) -> None:
        check = Checker().check(bench.job({"app.py": APP_BAD, "test_app.py": TEST}, {"app.py": APP_BAD + "#\n"}))
        assert shown(check) == ("still red", ["failed"] * 3, (), ())

    def test_breaks_tests(self, bench: Bench) -> None:
        check = Checker().check(bench.job({"app.py": APP_GOOD, "test_app.py": TEST}, {"app.py": APP_BAD}))
        assert shown(check) == ("breaks tests", ["passed", "passed", "failed"], (), ("test_app.TestApp.test_adds",))

    def test_a_test_of_what_the_base_lacks_cannot_start_there_and_is_not_red(self, bench: Bench) -> None:
        test = TEST.replace("import app", "from new import add").replace("app.add", "add")
        job = bench.job({"app.py": APP_BAD, "test_other.py": OTHER}, {"new.py": APP_GOOD, "test_app.py": test})
        check = Checker().check(job)
        assert shown(check) == ("green, no distinguishing test", ["passed", "failed", "passed"], (), ())
        assert "could not be loaded, which is not red" in check.reason

    def test_a_suite_that_cannot_be_loaded_at_all_could_not_start(self, bench: Bench) -> None:
        test = TEST.replace("import app", "import absent_module")
        check = Checker().check(bench.job({"app.py": APP_BAD, "test_app.py": test}, {"app.py": APP_GOOD}))
        assert shown(check) == ("untested", ["could not start"] * 3, (), ())
        assert "No module named 'absent_module'" in check.runs[0].output

    def test_a_base_that_hangs_is_stopped_and_not_red(self, bench: Bench) -> None:
        hang = "def add(a, b):\n    while True:\n        pass\n"
        job = bench.job({"app.py": hang, "test_app.py": TEST}, {"app.py": APP_GOOD}, limit_s=2.0)
        check = Checker().check(job)
        assert shown(check) == ("green, no distinguishing test", ["timed out", "timed out", "passed"], (), ())
        assert check.runs[0].reason == "not done after 2 s"

    def test_pytest_in_warroom_s_own_python(self, bench: Bench) -> None:
        test = "import app\n\ndef test_adds():\n    assert app.add(1, 2) == 3\n"
        job = bench.job(
            {"app.py": APP_BAD, "pytest.ini": "[pytest]\naddopts = --cov\n"}, {"app.py": APP_GOOD, "test_app.py": test}
        )
        check = Checker().check(job)
        adds = "test_app.py::test_adds"
        assert shown(check) == ("red to green", ["could not start", "failed", "passed"], (adds,), ())
        assert check.runs[0].reason == "no tests were found"

    @pytest.mark.needs("make")
    @pytest.mark.needs("gcc")
    def test_a_project_that_is_not_python(self, bench: Bench) -> None:
        main = '#include <stdio.h>\nint add(int, int);\nint main(void) {\n  int good = add(1, 2) == 3;\n' \
               '  printf("1..1\\n%sok 1 - adds\\n", good ? "" : "not ");\n  return !good;\n}\n'  # fmt: skip
        makefile = "test: t\n\t./t\nt: add.c t.c\n\tgcc -o t add.c t.c\n"
        base = "int add(int a, int b) { return a + b + 1; }\n"
        files: dict[str, str | bytes | None] = {"Makefile": makefile, "add.c": base, "t.c": main}
        job = bench.job(files, {"add.c": base.replace(" + 1", "")})
        check = Checker().check(job)
        assert shown(check) == ("red to green", ["failed", "failed", "passed"], ("adds",), ())
        assert check.command_is == "make test (Makefile)"

    def test_the_configured_command_is_run(self, bench: Bench) -> None:
        config = TestConfig(
            "shop", ("python3", "-c", "import os; print(os.environ['MODE']); raise SystemExit(0)"), (), {"MODE": "m1"}
        )
        check = Checker().check(bench.job({"app.py": APP_BAD}, {"app.py": APP_GOOD}, config=config))
        assert check.command_is == "configured for shop"
        assert check.runs[0].output == "m1\n"

    def test_a_suite_that_wants_the_network_is_told_so(self, bench: Bench) -> None:
        test = TEST.replace("import app", "import app, socket\nsocket.getaddrinfo('example.org', 80)")
        check = Checker().check(bench.job({"app.py": APP_BAD, "test_app.py": test}, {"app.py": APP_GOOD}))
        assert check.claim == "untested"
        assert any("seems to want the network" in warning for warning in check.warnings)

    def test_cancelled_before_and_between(self, bench: Bench) -> None:
        job = bench.job({"app.py": APP_BAD, "test_other.py": OTHER}, {"app.py": APP_GOOD})
        check = Checker().check(job, lambda: True)
        assert shown(check) == ("untested", ["not run"] * 3, (), ())
        assert list(bench.runs.iterdir()) == []

    def test_what_an_earlier_process_left_is_replaced(self, bench: Bench) -> None:
        left = bench.runs / "check-1" / "base" / "tree"
        left.mkdir(parents=True)
        (left / "test_left.py").write_text(OTHER.replace("pass", "self.fail()"))
        job = bench.job({"app.py": APP_BAD, "test_other.py": OTHER}, {"app.py": APP_GOOD})
        assert Checker().check(job).claim == "green, no distinguishing test"
        assert list(bench.runs.iterdir()) == []

    def test_the_repository_is_as_before(self, bench: Bench) -> None:
        job = bench.job({"app.py": APP_BAD, "test_app.py": TEST}, {"app.py": APP_GOOD}, worktree=bench.repo)
        before = fingerprint(bench.repo)
        Checker().check(job)
        assert fingerprint(bench.repo) == before


class Scripted(Sandbox):
    """A sandbox that runs nothing and answers as it is told, one answer for each run."""

    def __init__(self, *answers: SandboxRun, prints: tuple[str, ...] = (), clock: FakeClock | None = None) -> None:
        super().__init__()
        self.answers, self.prints, self.clock = list(answers), prints, clock or FakeClock()

    def probe(self) -> SandboxState:
        return SandboxState(True, program="/usr/bin/bwrap", version="0")

    def run(
        self, job: SandboxJob, cancelled: Callable[[], bool] = lambda: False, told: Told = lambda last: None
    ) -> SandboxRun:
        for last in self.prints:
            self.clock.advance(2)
            told(last)
        return self.answers.pop(0)


def _ended(word: str) -> SandboxRun:
    said = f"test_adds (test_app.TestApp.test_adds) ... {word}\n\nRan 1 test in 0.000s\n".encode()
    return SandboxRun("exited", 0 if word == "ok" else 1, head=said, printed=len(said))


RED, GREEN = _ended("FAIL"), _ended("ok")
CUT = SandboxRun("setup", reason="the supervisor of the sandbox ended without an answer")


@pytest.mark.parametrize(
    ("answers", "claim", "why"),
    [
        ((RED, GREEN, RED), "red to green", "1 test fails on the base and passes on the fix"),
        ((RED, GREEN, GREEN), "green, no distinguishing test", "no test fails without the fix"),
        ((CUT, GREEN, RED), "red to green", "1 test fails on the base"),
        ((CUT, GREEN, CUT), "green, no distinguishing test", "nothing could start"),
        ((SandboxRun("memory", reason="it held more"), GREEN, RED), "red to green", "1 test fails on the base"),
        ((SandboxRun("memory"), GREEN, SandboxRun("memory", reason="too big")), "green, no distinguishing test", "cut"),
        ((RED, RED), "still red", "fails on the fix as well"),
        ((GREEN, GREEN), "green, no distinguishing test", "no test fails without the fix"),
    ],
)
def test_what_turns_green_failed_twice_and_a_run_that_was_cut_off_is_no_proof(
    bench: Bench, answers: tuple[SandboxRun, ...], claim: str, why: str
) -> None:
    """base, fix, and the base again: one failure by chance is not red, and one lost run does not hide what is."""
    job = bench.job({"app.py": APP_BAD, "test_app.py": TEST}, {"app.py": APP_GOOD})
    sandbox = Scripted(*answers)
    check = Checker(sandbox).check(job)
    assert check.claim == claim, check.reason
    assert why in check.reason
    assert sandbox.answers == []
    if answers == (RED, GREEN, GREEN):
        assert "came out otherwise in a second run of the same code" in " ".join(check.warnings)


@pytest.mark.parametrize(("fixed_test", "runs"), [(False, 2), (True, 3)])
def test_a_check_tells_which_run_it_is_how_long_that_goes_and_what_it_printed_last(
    bench: Bench, fixed_test: bool, runs: int
) -> None:
    fix: dict[str, str | bytes | None] = {"app.py": APP_GOOD, **({"test_b.py": OTHER} if fixed_test else {})}
    job = bench.job({"app.py": APP_BAD, "test_app.py": TEST}, fix)
    clock, told = FakeClock(), list[Progress]()
    sandbox = Scripted(*[GREEN] * runs, prints=("", "test_adds ... ok"), clock=clock)
    Checker(sandbox).check(job, progress=lambda made: told.append(made()), clock=clock)
    names = ["base", "base with the fix's tests", "fix"] if fixed_test else ["base", "fix"]
    said = ["0 s: its files are written", "2 s", "4 s: test_adds ... ok"]
    assert [each.text for each in told] == [f"{name}, {each}" for name in names for each in said]
    assert {(each.total, each.unit) for each in told} == {(runs, "runs")}
    assert [each.done for each in told[::3]] == list(range(runs))


def test_without_a_sandbox_nothing_runs_and_the_command_is_given(bench: Bench, tmp_path: Path) -> None:
    machine = Machine(path=str(tmp_path / "nothing"), system="Linux", os_release=tmp_path / "none")
    job = bench.job(
        {"app.py": APP_BAD, "test_app.py": f"open({str(tmp_path / 'ran')!r}, 'w')\n" + TEST}, {"app.py": APP_GOOD}
    )
    check = Checker(Sandbox(machine)).check(job)
    assert (check.claim, check.runs) == ("untested", ())
    assert "bubblewrap is not installed" in check.reason
    assert not [text for text in check.warnings if " ran " in text], "nothing ran"
    assert check.copy_command in check.reason
    assert not (tmp_path / "ran").exists()
    assert not bench.runs.exists() or list(bench.runs.iterdir()) == []


def test_the_command_to_copy_tests_the_fix(bench: Bench, tmp_path: Path) -> None:
    machine = Machine(path=str(tmp_path / "nothing"), system="Linux", os_release=tmp_path / "none")
    job = bench.job({"app.py": APP_BAD, "test_app.py": TEST}, {"app.py": APP_GOOD})
    check = Checker(Sandbox(machine)).check(job)
    done = subprocess.run(["sh", "-c", check.copy_command], capture_output=True, timeout=60, check=False)
    assert (done.returncode, b"OK" in done.stderr) == (0, True), done


def test_a_draft_on_another_base_is_refused(bench: Bench) -> None:
    job = bench.job({"app.py": APP_BAD}, {"app.py": APP_GOOD})
    wrong = CheckJob("d-1", job.commit, job.commit, job.trees, job.runs, job.name)
    with pytest.raises(ToolError, match="is not the parent of"):
        Checker().check(wrong)


def test_no_known_tests_are_said(bench: Bench) -> None:
    check = Checker().check(bench.job({"README": "x"}, {"README": "y"}))
    assert check.claim == "untested"
    assert "name the command in warroom.toml" in check.reason
