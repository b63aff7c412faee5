"""A fix in words: what a draft is, what its tests showed. Journal, screen and approval share these objects."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from subagents.contract import Frozen, Params

BRANCH_PREFIX = "triage/"

DraftKind = Literal["revert", "hunks", "edit"]
"""Undo a commit; undo some of its hunks; exact replacements on stored blobs."""


class DraftFile(Frozen):
    """One path that a draft changes."""

    path: str
    change: Literal["added", "modified", "deleted", "mode", "type"]
    added: int = 0
    removed: int = 0
    binary: bool = False
    old_mode: str = ""
    new_mode: str = ""
    note: str = ""
    """What a reviewer must know: line endings, filters, LFS pointer, generated, hidden characters (counted)."""


class Draft(Frozen):
    """A commit in warroom's own store that nobody else has yet. What is approved is exactly this."""

    id: str
    """`d-` + 10 hex of the commit: the same draft has the same id."""
    kind: DraftKind
    source: str
    """Source id of the repository."""
    store: str
    """Absolute path of the private git dir that holds it."""
    commit: str
    tree: str
    base: str
    """The one parent."""
    base_is: str
    """How the base was chosen, in words: `the commit deployed now (v42)`, `tip of main`."""
    branch: str
    """`triage/<incident>-<slug>`; the ref that delivery would create."""
    title: str
    message: str
    undoes: str | None = None
    """Full id of the commit that is undone."""
    mainline: int | None = None
    """For a merge: the parent that is kept."""
    files: tuple[DraftFile, ...] = ()
    diff: str = ""
    """The whole diff, base to commit, as shown and approved."""
    diff_digest: str = ""
    """`sha256:` of the diff text's UTF-8 bytes; in the text, bytes that are not UTF-8 stand as `\\xNN`."""
    warnings: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    """Citations that the message names."""
    finding_ids: tuple[str, ...] = ()
    runbook: str | None = None


RunName = Literal["base", "base with the fix's tests", "fix"]
RunOutcome = Literal["passed", "failed", "could not start", "timed out", "not run"]


class TestCaseResult(Frozen):
    """One test of one run."""

    __test__ = False  # not a test class, whatever its name looks like to a runner

    name: str
    outcome: Literal["passed", "failed", "error", "skipped"]
    message: str = ""


class SuiteRun(Frozen):
    """One run of the suite on one tree."""

    name: RunName
    outcome: RunOutcome
    reason: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    seconds: float = 0.0
    cases: tuple[TestCaseResult, ...] = ()
    output: str = ""
    """Head and tail of what it printed."""


CheckClaim = Literal["red to green", "green, no distinguishing test", "still red", "breaks tests", "untested"]


class Check(Frozen):
    """What the tests show about a draft. Red to green is claimed only between the last two runs."""

    draft: str
    commit: str
    claim: CheckClaim
    reason: str
    command: tuple[str, ...] = ()
    command_is: str = ""
    """How the command was found: `pytest (pyproject.toml)`, `configured for shop`."""
    sandbox: str = ""
    """What contained it, or why nothing ran."""
    copy_command: str = ""
    """What a person can run where no sandbox is to be had."""
    runs: tuple[SuiteRun, ...] = ()
    fixed: tuple[str, ...] = ()
    """Tests that fail on the base with the fix's tests and pass on the fix."""
    broken: tuple[str, ...] = ()
    """Tests that pass on the base and fail on the fix."""
    warnings: tuple[str, ...] = ()


class CheckParams(Params):
    """Which draft to test."""

    draft: str = Field(min_length=4, max_length=64, description="id of a draft of this session")
    commit: str = Field(min_length=40, max_length=64)
    base: str = Field(min_length=40, max_length=64)
    source: str = ""
    limit_s: int = Field(600, ge=1, le=3600, description="most seconds of one run")


class DraftMade(Frozen):
    """What a draft tool returns: the draft, or why there is none."""

    draft: Draft | None = None
    refused: str = ""
    conflicts: tuple[str, ...] = ()


class CheckMade(Frozen):
    """What `code_check` returns."""

    check: Check
