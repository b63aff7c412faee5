"""The fixes of a session as its report tells of them: drafts, tests, the decision, what was delivered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.hands.fix_fold import Fix
from orchestrator.hands.pull_request import tests_of
from orchestrator.verdict.markdown_text import code, inline
from orchestrator.verdict.report_model import ReportedFix

_STANDINGS = {
    "drafted": "drafted, not put up for approval",
    "waits": "waits for approval",
    "approved": "approved, not delivered",
    "rejected": "rejected",
    "void": "the approval is void",
    "delivered": "delivered",
}


def reported(fixes: Iterable[Fix]) -> tuple[ReportedFix, ...]:
    """Return each draft, oldest first, as the report has it."""
    return tuple(_one(fix) for fix in fixes)


def _one(fix: Fix) -> ReportedFix:
    draft, last = fix.draft, fix.last
    decided = last.decided if last is not None else None
    delivered = fix.delivered.detail if fix.delivered is not None else {}
    return ReportedFix(
        id=draft.id,
        kind=draft.kind,
        title=draft.title,
        commit=draft.commit,
        base=draft.base,
        base_is=draft.base_is,
        undoes=draft.undoes,
        files=tuple(f"{file.change} {file.path} +{file.added} -{file.removed}" for file in draft.files),
        standing=fix.standing,
        reason=fix.reason,
        decided_by=decided.by if decided is not None else "",
        digest=last.request.digest if last is not None else "",
        tests=tuple(text.removeprefix("- ") for text in tests_of(fix)),
        warnings=tuple(dict.fromkeys([*draft.warnings, *(fix.check.warnings if fix.check else ())])),
        ref=str(delivered.get("ref") or (last.request.detail["ref"] if last is not None else draft.branch)),
        repo=str(delivered.get("repo", "")),
        pushed=fix.outward,
    )


def fix_lines(fixes: Iterable[ReportedFix]) -> Iterator[str]:
    """Yield the section on fixes, as Markdown."""
    yield "## Fix"
    for fix in fixes:
        yield ""
        yield f"### {code(fix.id)}: {inline(fix.title)}"
        yield ""
        decided = f" by {inline(fix.decided_by)}" if fix.decided_by else ""
        why = f": {inline(fix.reason)}" if fix.reason else ""
        yield f"- {_STANDINGS[fix.standing]}{decided}{why}"
        if fix.standing == "delivered":
            yield f"- new branch {code(fix.ref)} in {code(fix.repo)}; no other ref, file or setting changed"
        yield f"- commit {code(fix.commit)} on {code(fix.base)} ({inline(fix.base_is)})"
        if fix.undoes:
            yield f"- undoes {code(fix.undoes)}"
        yield from (f"- {inline(text)}" for text in fix.files)
        yield from (f"- tests: {inline(text)}" for text in fix.tests)
        yield from (f"- look at twice: {inline(text)}" for text in fix.warnings)
        if fix.digest:
            yield f"- approval binds {code(fix.digest)}"
        if fix.pushed:
            yield f"- push: {inline(fix.pushed)}"
