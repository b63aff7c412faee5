"""Tests a draft: the base, the base with the fix's tests, the fix, each on a fresh export in the sandbox.

Red to green is claimed only for a test that fails in the second run and passes in the third. Where the fix changes no
test the second is the base as well: it is run again only to see that what failed fails twice. Without a sandbox nothing
runs: the check then says untested, why, and the command to copy.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from subagents.clock import SystemClock
from subagents.codefix.claims import Compared, compare
from subagents.codefix.detect import NoTests, Project, TestCommand, TestConfig, find_command
from subagents.codefix.export import Trees, export, overlay
from subagents.codefix.fixes import Check, RunName, SuiteRun
from subagents.codefix.limits import SandboxLimits
from subagents.codefix.results import Judged, Raw, judge
from subagents.codefix.results_files import read_reports
from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_dirs import fresh_run_dir, remove_run_dir
from subagents.codefix.sandbox_mounts import View
from subagents.codefix.sandbox_toolchains import Toolchains
from subagents.contract import Clock, Progress, Telling, ToolError
from subagents.gitstore.reader import TreeEntry

_TEST_PATH = re.compile(
    r"(?:^|/)(?:tests?|__tests__|specs?|testdata|__mocks__|__snapshots__|e2e)/|"
    r"(?:^|/)(?:test_[^/]*|[^/]*_test|tests|conftest)\.py\Z|_test\.go\Z|(?:\.|_|-)(?:test|spec)\.[cm]?[jt]sx?\Z|"
    r"(?:Tests?|TestCase|Spec|IT)\.(?:java|kt|groovy|scala|cs)\Z|_(?:test|spec)\.(?:rb|rs|c|cc|cpp|exs?)\Z",
)


def is_test_path(path: str) -> bool:
    """Say whether a path is one of tests, by the names that the known runners use."""
    return _TEST_PATH.search(path) is not None


@dataclass(frozen=True)
class CheckJob:
    """Which draft is tested, and with what."""

    draft: str
    commit: str
    base: str
    trees: Trees
    runs: Path
    """Where run directories are made."""
    name: str
    """Of this run's directory: the same for the same call."""
    limit_s: float = 600.0
    config: TestConfig | None = None
    worktree: Path | None = None
    """The user's work tree, for the environment beside it."""


@dataclass(frozen=True)
class _Ground:
    """What the three runs share."""

    job: CheckJob
    command: TestCommand
    base: Mapping[str, TreeEntry]
    fix: Mapping[str, TreeEntry]
    tests: tuple[str, ...]
    """Paths of tests that the fix changes."""
    directory: Path
    meanwhile: Meanwhile


class Meanwhile:
    """What whoever asked for a check is asked and told while its runs go on."""

    def __init__(self, cancelled: Callable[[], bool], progress: Telling, clock: Clock) -> None:
        self.cancelled = cancelled
        self._progress, self._clock = progress, clock
        self._began = 0.0
        self._name: RunName = "base"
        self._done, self._of = 0, 3

    def begin(self, name: RunName, of: int) -> None:
        """A run begins, one of so many."""
        self._name, self._began = name, self._clock.monotonic()
        self._of = max(of, self._done + 1)
        self.told("its files are written")

    def told(self, last: str) -> None:
        """Tell which run it is, for how long, and the last line that it printed."""
        seconds = self._clock.monotonic() - self._began
        said = f"{self._name}, {seconds:.0f} s" + (f": {last}" if last else "")
        self._progress(lambda: Progress(done=self._done, total=self._of, unit="runs", text=said))

    def end(self) -> None:
        """The run is over."""
        self._done += 1


class Checker:
    """Tests drafts with one sandbox and this machine's programs."""

    def __init__(self, sandbox: Sandbox | None = None, tools: Toolchains | None = None) -> None:
        self.sandbox = sandbox or Sandbox()
        self.tools = tools or Toolchains()

    def check(
        self,
        job: CheckJob,
        cancelled: Callable[[], bool] = lambda: False,
        progress: Telling = lambda made: None,
        clock: Clock | None = None,
    ) -> Check:
        """Run the tests and say what they show; raises ToolError where the draft cannot be read or exported."""
        if job.base not in job.trees.parents(job.commit):
            raise ToolError(
                f"{job.base[:12]} is not the parent of {job.commit[:12]}: draft it again on the base you mean"
            )
        base, fix = job.trees.entries(job.base), job.trees.entries(job.commit)
        changed = sorted(path for path in {*base, *fix} if base.get(path) != fix.get(path))
        blank = Check(draft=job.draft, commit=job.commit, claim="untested", reason="")
        try:
            command = find_command(_project(job, fix, changed), job.config, self.tools)
        except NoTests as error:
            return blank.model_copy(update={"reason": str(error), "sandbox": self.sandbox.probe().line()})
        state = self.sandbox.probe()
        check = blank.model_copy(
            update={
                "command": command.argv,
                "command_is": command.found,
                "sandbox": state.line(),
                "copy_command": copy_command(job, command),
                "warnings": (*state.warnings, *command.warnings),
            }
        )
        if not state.usable:
            # The command's own warnings tell of how it ran; nothing did.
            said = f"{state.line()}. By hand: {check.copy_command}"
            return check.model_copy(update={"reason": said, "warnings": state.warnings})
        tests = tuple(path for path in changed if is_test_path(path))
        try:
            directory = fresh_run_dir(job.runs, job.name)
            meanwhile = Meanwhile(cancelled, progress, clock or SystemClock())
            return self._run(check, _Ground(job, command, base, fix, tests, directory, meanwhile))
        finally:
            _clean(job)

    def _run(self, check: Check, ground: _Ground) -> Check:
        first = self._once(ground, "base", ground.base)
        second = self._tried(ground) if ground.tests else _same(first)
        third = self._once(ground, "fix", ground.fix)
        if not ground.tests and _needs_proof(first, third):
            again = self._tried(ground)
            second = again if again.judged.suite.outcome != "not run" else second
        runs = (first, second, third)
        found = compare([run.judged for run in runs], ground.tests)
        return _told(check, found, [run.judged.suite for run in runs], [note for run in runs for note in run.notes])

    def _tried(self, ground: _Ground) -> _Ran:
        """Run the base with the fix's tests: the base a second time, where the fix changes none."""
        files = overlay(ground.base, ground.fix, ground.tests)
        return self._once(ground, "base with the fix's tests", files)

    def _once(self, ground: _Ground, name: RunName, files: Mapping[str, TreeEntry]) -> _Ran:
        """Export a tree, run the command on it once, read what it left, and remove it."""
        meanwhile = ground.meanwhile
        if meanwhile.cancelled():
            suite = SuiteRun(name=name, outcome="not run", reason="cancelled before it started")
            return _Ran(Judged(suite))
        meanwhile.begin(name, 3 if ground.tests else 2)
        job, command = ground.job, ground.command
        place = fresh_run_dir(ground.directory, name.split()[-1])
        tree, out = place / "tree", place / "out"
        exported = export(job.trees, files.values(), tree)
        out.mkdir(mode=0o700)
        limits = SandboxLimits(wall_s=job.limit_s)
        view = View(tree, command.work_at, out, command.ro_paths, command.ro_binds, command.folder)
        before = os.stat(out).st_mtime_ns
        ran = self.sandbox.run(
            SandboxJob(
                command.argv, view, command.env, replace(limits, address_space=None) if command.wide else limits
            ),
            meanwhile.cancelled,
            meanwhile.told,
        )
        meanwhile.end()
        reports, note = read_reports(command, tree, out, before)
        judged = judge(name, Raw(ran, command.form, reports, note))
        return _Ran(judged, exported.notes, ran.counted)


@dataclass(frozen=True)
class _Ran:
    judged: Judged
    notes: tuple[str, ...] = ()
    counted: bool = True


def _same(first: _Ran) -> _Ran:
    """Return the base's run as that of the base with the fix's tests, of which there are none."""
    same = "the fix changes no test file, so this is the base: not run again"
    suite = first.judged.suite.model_copy(update={"name": "base with the fix's tests", "reason": same, "output": ""})
    return replace(first, judged=replace(first.judged, suite=suite))


def _needs_proof(first: _Ran, third: _Ran) -> bool:
    """Say whether one run of the base is too little: what turned green may fail by chance, or the run was cut off."""
    base, fix = first.judged, third.judged
    if base.named("failed") & fix.named("passed"):
        return True
    cut = base.suite.outcome == "could not start" or base.stopped
    return cut and fix.suite.outcome == "passed"


def _project(job: CheckJob, fix: Mapping[str, TreeEntry], changed: Sequence[str]) -> Project:
    def read(path: str) -> str:
        entry = fix.get(path)
        return job.trees.read(entry).decode("utf-8", "replace") if entry is not None and entry.kind == "blob" else ""

    return Project(fix.keys(), read, changed, job.worktree)


def copy_command(job: CheckJob, command: TestCommand) -> str:
    """Return what a person can paste into a shell to run the same tests on the fix, outside any sandbox."""
    typed = shlex.join(command.typed or command.argv)
    inner = f"cd {shlex.quote(command.folder)} && {typed}" if command.folder else typed
    archive = f"git --git-dir={shlex.quote(str(job.trees.git_dir))} archive {job.commit}"
    return f'cd "$(mktemp -d)" && {archive} | tar -x && {inner}'


_DOWNLOADS = re.compile(
    r"offline mode|in offline|could not be resolved|Temporary failure in name resolution|Name or service not known|"
    r"EAI_AGAIN|ENOTCACHED|ENOTFOUND|getaddrinfo|Network is unreachable|module lookup disabled|"
    r"no matching package named|NewConnectionError|Could not find a version that satisfies"
)


def _downloads(runs: Sequence[SuiteRun]) -> tuple[str, ...]:
    """Return a warning where a run that is not green seems to have wanted the network."""
    for run in runs:
        found = _DOWNLOADS.search(f"{run.reason}\n{run.output}")
        if found and run.outcome in ("failed", "could not start"):
            return (
                f"the {run.name} run seems to want the network ({found[0]}), and there is none in the sandbox: fetch "
                "what it needs by hand first, or name a prepared environment in warroom.toml, "
                "[services.NAME.tests] ro_paths",
            )
    return ()


def _told(check: Check, found: Compared, runs: Sequence[SuiteRun], notes: Sequence[str]) -> Check:
    """Return the check with what its runs showed."""
    return check.model_copy(
        update={
            "claim": found.claim,
            "reason": found.reason,
            "runs": tuple(runs),
            "fixed": found.fixed,
            "broken": found.broken,
            "warnings": tuple(dict.fromkeys((*check.warnings, *notes, *found.warnings, *_downloads(runs)))),
        }
    )


def _clean(job: CheckJob) -> None:
    try:
        remove_run_dir(job.runs, job.name)
    except OSError as error:
        raise ToolError(f"the run directory {job.runs / job.name} cannot be removed ({error.strerror})") from error
