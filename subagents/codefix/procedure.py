"""What the code-fix specialist does with no model: once a commit is accused, see whether undoing it applies."""

from __future__ import annotations

from collections.abc import Sequence

from subagents.citations import CommitRef
from subagents.codefix.model import CodeFixSummary, RevertAnswer, RevertParams
from subagents.codefix.tools import revert_text
from subagents.contract import Brief, Finding, Suspect, Workbench

AGENT = "codefix"
ACCUSED_FROM = 0.5
"""Least weight of a finding for a commit that makes its undoing worth a look."""
MOST = 2
DEPLOYED_NOW = "deployed_commit"
"""Quantity under which the deploys specialist says which commit runs now."""


def accused(board: Sequence[Finding]) -> list[Finding]:
    """Return the findings that accuse a commit, strongest first; what is ruled out elsewhere is left out."""
    cleared = {f.about.id for f in board if f.about is not None and f.stance == "rules_out"}
    found = [
        f
        for f in board
        if f.about is not None
        and f.about.kind == "commit"
        and f.stance == "for"
        and f.topic == "change"
        and f.weight >= ACCUSED_FROM
        and f.about.id not in cleared
    ]
    best: dict[str, Finding] = {}
    for finding in sorted(found, key=lambda f: -f.weight):
        if finding.about is not None:
            best.setdefault(finding.about.id, finding)
    return list(best.values())


async def investigate(brief: Brief, bench: Workbench) -> CodeFixSummary:
    """Wait until a commit is accused, then check its undoing; raises nothing for bad data."""
    repos = [spec for spec in brief.sources if spec.kind == "repo"]
    checked: dict[str, RevertAnswer | None] = {}
    while True:
        board = bench.board()
        for finding in accused(board)[:MOST]:
            if finding.about is not None and finding.about.key not in checked and len(checked) < MOST:
                if not repos:
                    await bench.report(_gap(finding.about, "no git repository is among the sources"))
                    return CodeFixSummary()
                checked[finding.about.key] = await _check(finding, finding.about, bench)
        if not await bench.more(len(board)):
            break
    if not checked:
        await bench.say("no commit is accused, so there is nothing to undo")
    return CodeFixSummary(reverts=tuple(answer for answer in checked.values() if answer is not None))


async def _check(finding: Finding, suspect: Suspect, bench: Workbench) -> RevertAnswer | None:
    running = next((str(f.value) for f in finding.facts if f.quantity == DEPLOYED_NOW), "")
    answer = await bench.call("code_revert_check", RevertParams(commit=suspect.key, base=running), RevertAnswer)
    if answer.data is None and running:
        await bench.say(f"on the deployed commit {running[:12]} it cannot be checked ({answer.text}); trying the tip")
        answer = await bench.call("code_revert_check", RevertParams(commit=suspect.key), RevertAnswer)
    if answer.data is None:
        await bench.report(_gap(suspect, answer.text))
        return None
    found = answer.data
    if running and found.base == running:
        found = found.model_copy(update={"base_is": "the commit deployed now"})
    await bench.report(_finding(found, suspect))
    return found


def _finding(answer: RevertAnswer, suspect: Suspect) -> Finding:
    ready = answer.clean and answer.in_base and answer.changes_anything
    return Finding(
        agent=AGENT,
        claim=f"The fix by revert: {revert_text(answer)} (base: {answer.base_is or 'given'}).",
        topic="fix",
        about=suspect,
        stance="observes",
        weight=0.8 if ready else 0.3,
        citations=(str(CommitRef(source=answer.source, sha=answer.commit)),),
        terms=(answer.files if answer.clean else answer.conflicts)[:30],
    )


def _gap(suspect: Suspect, why: str) -> Finding:
    return Finding(
        agent=AGENT,
        claim=f"Whether {suspect.key[:12]} can be undone was not checked: {why}. "
        "Attach its repository with --repo PATH.",
        topic="gap",
        about=suspect,
        stance="observes",
    )
