"""What is put before a person to decide on: what it is, what saying yes does, and where the decision stands. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from orchestrator.hands.fix_fold import Asked, Fix, FixFold
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested
from tui.views.diff import DiffFile, exact_line
from tui.views.page import PageLine, field
from tui.views.paint import Tone, flat, line

if TYPE_CHECKING:
    from orchestrator.hands.repo_policy import RepoPolicy
    from tui.commands.fix_reading import Now

Standing = Literal["waits", "void", "approved", "rejected", "delivered", "decided", "stands"]
"""`stands`: a yes that goes on for the session, and can be taken back."""


@dataclass(frozen=True)
class Sheet:
    """One decision, as it is shown. Only this is approved."""

    approval: str
    subject: str
    digest: str
    """Of what is shown; what an approval binds. Empty: it cannot be approved."""
    title: str
    files: tuple[DiffFile, ...]
    facts: tuple[PageLine, ...]
    does: str
    """What saying yes does, in a sentence."""
    draft: str = ""
    base: str = ""
    """What it is drafted on, and why that, in words."""
    commit: str = ""
    url: str = ""
    """Where a push goes."""
    claim: str = ""
    """What the tests show, in a few words."""
    trouble: str = ""
    """Why it cannot be approved as it is."""

    @property
    def hidden(self) -> int:
        """Hidden characters in what is shown."""
        return sum(file.hidden for file in self.files)


def holder_of(fixes: FixFold, approval: str) -> tuple[Fix, Asked] | None:
    """Return the draft that an approval is about, and the approval."""
    for fix in fixes.fixes.values():
        for asked in (*fix.asked, *fix.pushes):
            if asked.request.id == approval:
                return fix, asked
    return None


_BECAME: Mapping[str, Standing] = {"approve": "approved", "reject": "rejected", "void": "void"}


def standing_of(
    sheet: Sheet,
    fixes: FixFold,
    pending: Mapping[str, ApprovalRequested],
    decided: Mapping[str, ApprovalDecided] | None = None,
) -> tuple[Standing, str]:
    """Return where the decision stands now, and why; anything but `waits` takes no yes."""
    found = holder_of(fixes, sheet.approval)
    if found is None:
        asked = pending.get(sheet.approval)
        if asked is None:
            made = (decided or {}).get(sheet.approval)
            if made is None or (made.decision == "approve" and made.digest != sheet.digest):
                return "decided", "it was decided or withdrawn"
            return _BECAME[made.decision], made.reason
        return ("waits", "") if asked.digest == sheet.digest or sheet.trouble else ("void", "what is asked for changed")
    fix, about = found
    if about.decided is not None and about.decided.decision == "void":
        return "void", about.decided.reason
    if about.decided is not None:
        done = fix.delivered is not None and sheet.subject == "fix"
        word: Standing = "delivered" if done else "approved" if about.approved else "rejected"
        return word, fix.outward if sheet.subject == "push" and about.approved else about.decided.reason
    if fix.draft.commit != sheet.commit:
        return "void", "the draft was made anew"
    if sheet.subject == "fix" and fix.last is not about:
        return "void", "another request took its place"
    return ("waits", "") if about.request.digest == sheet.digest or sheet.trouble else ("void", "its terms changed")


# -- fixes ---------------------------------------------------------------------------------------


def does_of(seen: Now, subject: str, detail: Mapping[str, Any]) -> str:
    """Return what saying yes to a fix or a push does."""
    if subject == "push":
        return f"sends {str(detail.get('commit', ''))[:12]} to {detail.get('url', '')} as a new branch; never by force"
    if seen.terms is None:
        return "nothing: it was not put up for approval"
    return f"makes exactly one new ref, {seen.terms.ref}, in {seen.terms.repo}; nothing else changes, nothing is pushed"


def fix_facts(fix: Fix, asked: Asked, seen: Now, policy: RepoPolicy | None) -> tuple[PageLine, ...]:
    """Return all that is known of a draft beside its diff."""
    return tuple(
        [
            *_deed(fix, asked, seen),
            *_tests(fix),
            *(field("look twice", flat(text), "warn") for text in _warnings(fix)),
            *_policy(policy),
            *_binding(fix, asked, seen),
            PageLine(line(" ")),
            *_origin(fix),
        ]
    )


def _deed(fix: Fix, asked: Asked, seen: Now) -> Iterator[PageLine]:
    draft, detail = fix.draft, asked.request.detail
    ref = seen.terms.ref if seen.terms else str(detail.get("ref", draft.branch))
    yield field("approving", flat(does_of(seen, asked.request.subject, detail)), "strong")
    if asked.request.subject == "push":
        yield field("to", flat(str(detail.get("url", ""))), "warn")
    yield field("branch", ref.removeprefix("refs/heads/"), "accent")
    switch = "; b: another" if draft.undoes and asked.open and asked.request.subject == "fix" else ""
    yield field("base", f"{draft.base[:12]}: {flat(draft.base_is)}{switch}")


def _binding(fix: Fix, asked: Asked, seen: Now) -> Iterator[PageLine]:
    draft = fix.draft
    yield field("commit", f"{draft.commit} (not signed)")
    if draft.undoes:
        yield field("undoes", draft.undoes)
    if seen.terms is not None:
        yield field("repository", seen.terms.repo)
    yield field("digest", asked.request.digest)
    yield field("of diff", seen.diff_digest or "the diff cannot be made")


def _tests(fix: Fix) -> Iterator[PageLine]:
    check = fix.check
    if check is None:
        yield field("tests", "not tested", "warn")
        return
    good = check.claim == "red to green"
    yield field("tests", check.claim.upper() if good else check.claim, "good" if good else "warn")
    if check.reason:
        yield field("", flat(check.reason))
    for run in check.runs:
        counted = f" {run.passed} passed, {run.failed} failed" if run.passed or run.failed else ""
        why = f" ({flat(run.reason)})" if run.reason else ""
        tone: Tone = "good" if run.outcome == "passed" else "bad" if run.outcome == "failed" else "warn"
        yield field("", f"{run.name}: {run.outcome}{counted}{why}", tone)
    yield from (field("fixed", flat(name), "good") for name in check.fixed[:20])
    yield from (field("broken", flat(name), "bad") for name in check.broken[:20])
    if check.command:
        yield field("command", flat(f"{' '.join(check.command)} ({check.command_is})"))
    if check.sandbox:
        yield field("sandbox", flat(check.sandbox))
    if check.copy_command:
        yield field("to test", flat(check.copy_command))


def _warnings(fix: Fix) -> Iterator[str]:
    yield from dict.fromkeys((*fix.draft.warnings, *(fix.check.warnings if fix.check else ())))


def _policy(policy: RepoPolicy | None) -> Iterator[PageLine]:
    if policy is not None and policy.by_hand:
        yield field("policy", flat(f"this repository has {', '.join(policy.reasons)}: pushing is left to you"), "warn")
    if policy is not None and policy.signs:
        yield field("signing", "not signed; to sign it once it is delivered: git commit --amend -S there", "warn")


def _origin(fix: Fix) -> Iterator[PageLine]:
    draft = fix.draft
    yield from (
        PageLine(exact_line(text), line((f"{'message' if not at else '':<11}", "dim")))
        for at, text in enumerate(draft.message.rstrip("\n").split("\n"))
    )
    yield from (field("evidence" if not at else "", ref) for at, ref in enumerate(draft.evidence[:40]))
    if draft.runbook:
        yield field("runbook", draft.runbook)
    if fix.outward:
        yield field("pushed", flat(fix.outward))
