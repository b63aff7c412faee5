"""`code_check`: tests a draft in the sandbox. Of what it writes, in the session's own folder, only the result stays."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from subagents.codefix.checks import Checker, CheckJob
from subagents.codefix.detect import TestConfig
from subagents.codefix.export import Trees
from subagents.codefix.fixes import Check, CheckMade, CheckParams
from subagents.codefix.kept import keep_check
from subagents.codefix.repos import Repositories
from subagents.codefix.store import drafts_dir
from subagents.contract import ServiceInfo, SourceSpec, Tool, ToolContext, ToolError, ToolResult
from subagents.gitstore.environment import require_sha

LONGEST_S = 3 * 3600.0 + 900.0
"""Three runs of the longest allowed limit, and their exports."""
RUNS = "runs"


def runs_dir(spec: SourceSpec) -> Path:
    """Return where a session's test runs are made: beside the private store of its repository."""
    given = spec.options.get("runs")
    return Path(given) if given else Path(spec.options["store"]).parent / RUNS


def tools(
    repositories: Repositories, services: Sequence[ServiceInfo] = (), checker: Checker | None = None
) -> tuple[Tool[Any, Any], ...]:
    """Return the specialist's tool for testing drafts."""
    kit = CheckTool(repositories, services, checker or Checker())
    return (
        Tool(
            "code_check",
            "Test a draft in a sandbox without network: the base, the base with the fix's tests, the fix. Says which "
            "tests go from red to green, which break, or why nothing could be tested. Slow.",
            CheckParams,
            CheckMade,
            kit.check,
            effect="keyed",
            private=True,
            timeout_s=LONGEST_S,
        ),
    )


class CheckTool:
    """The tool over the session's repositories."""

    def __init__(self, repositories: Repositories, services: Sequence[ServiceInfo], checker: Checker) -> None:
        self._repositories = repositories
        self._services = tuple(services)
        self._checker = checker

    def check(self, params: CheckParams, context: ToolContext) -> ToolResult[CheckMade]:
        """Run the three runs; a run of the same key that was cut off is cleaned up and starts again."""
        try:
            commit, base = require_sha(params.commit), require_sha(params.base)
        except ValueError as error:
            raise ToolError(str(error)) from error
        spec, trees = self._store(params.source, commit)
        worktree = Path(spec.path)
        job = CheckJob(
            draft=params.draft,
            commit=commit,
            base=base,
            trees=trees,
            runs=runs_dir(spec),
            name="check-" + hashlib.sha256(context.key.encode("utf-8", "replace")).hexdigest()[:16],
            limit_s=float(params.limit_s),
            config=self._config(spec.id, trees, commit, base),
            worktree=worktree if (worktree / ".git").exists() else None,
        )
        check = self._checker.check(job, context.cancelled, context.progress, context.clock)
        try:
            keep_check(trees.git_dir, check)
        except OSError as error:
            lost = f"this result could not be kept ({error.strerror}), so its counts cannot be checked again"
            check = check.model_copy(update={"warnings": (*check.warnings, lost)})
        return ToolResult[CheckMade](data=CheckMade(check=check), text=check_text(check))

    def _store(self, source: str, commit: str) -> tuple[SourceSpec, Trees]:
        """Return the repository whose drafts hold the commit; raises ToolError where none does."""
        for spec in self._repositories.specs.values():
            store = spec.options.get("store")
            if store and source in ("", spec.id) and drafts_dir(store).is_dir():
                trees = Trees(drafts_dir(store))
                if trees.has(commit):
                    return spec, trees
        raise ToolError(f"no draft of this session is {commit[:12]}: draft it first")

    def _config(self, source: str, trees: Trees, commit: str, base: str) -> TestConfig | None:
        """Return the configured tests: of the service whose folders the draft touches, else of the repository's one."""
        mine = [service for service in self._services if service.tests is not None and service.repo == source]
        if not mine:
            return None
        before, after = trees.entries(base), trees.entries(commit)
        changed = [path for path in {*before, *after} if before.get(path) != after.get(path)]
        for service in mine:
            if any(path.startswith(top.rstrip("/") + "/") for top in service.paths for path in changed):
                return _config(service)
        whole = [service for service in mine if not service.paths]
        return _config(whole[0]) if whole else None


def _config(service: ServiceInfo) -> TestConfig | None:
    if service.tests is None:
        return None
    return TestConfig(service.name, service.tests.command, service.tests.ro_paths, service.tests.env)


def check_text(check: Check) -> str:
    """Return a check in words."""
    lines = [f"{check.claim}: {check.reason}"]
    if check.command_is:
        lines.append(f"command: {check.command_is}")
    for run in check.runs:
        counts = f"{run.passed} passed, {run.failed} failed, {run.skipped} skipped"
        lines.append(
            f"{run.name}: {run.outcome}, {counts}, {run.seconds:.1f} s" + (f" ({run.reason})" if run.reason else "")
        )
    lines += [f"fixed: {name}" for name in check.fixed[:20]]
    lines += [f"broken: {name}" for name in check.broken[:20]]
    if check.runs and (final := check.runs[-1]).outcome == "failed":
        lines += [
            f"{case.outcome}: {case.name}: {case.message}" for case in final.cases[:10] if case.outcome != "passed"
        ]
    lines += [f"note: {warning}" for warning in check.warnings]
    lines.append(f"sandbox: {check.sandbox}" if check.sandbox else "")
    return "\n".join(line for line in lines if line)
