"""What stands behind the review screen: reading what would be approved, and carrying a decision out.

Everything that blocks runs off the event loop; whatever cannot be done raises ActFault with what to do.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from orchestrator.hands.threads import in_thread
from tui.session_view import ActFault
from tui.views.call_review import call_sheet, rule_sheet
from tui.views.review import Sheet, does_of, fix_facts, holder_of

if TYPE_CHECKING:
    from orchestrator.hands.fix_desk import FixDesk
    from orchestrator.hands.fix_fold import Asked, Fix
    from orchestrator.hands.repo_policy import RepoPolicy
    from tui.commands.fix_reading import Now
    from tui.session_view import SessionActs, SessionView


async def read_sheet(view: SessionView, approval: str) -> Sheet:
    """Read what an approval is about, as it is at this moment: a fix's diff is made again from warroom's store."""
    found = holder_of(view.fixes, approval)
    if found is None:
        rule = next((rule for rule in view.rules.standing() if rule.name == approval), None)
        if rule is not None:
            return rule_sheet(rule, view.rules.request_of(rule))
        request = view.incident.pending.get(approval)
        if request is None:
            raise ActFault("nothing waits for a decision here")
        return call_sheet(request)
    fix, asked = found
    return await in_thread(lambda: _fix_sheet(fix, asked), "review")


def _fix_sheet(fix: Fix, asked: Asked) -> Sheet:
    from tui.commands.fix_reading import now
    from tui.commands.fix_views import policy

    seen = now(fix)
    return sheet_of(fix, asked, seen, policy(seen))


def sheet_of(fix: Fix, asked: Asked, seen: Now, policy: RepoPolicy | None = None) -> Sheet:
    """Put together what is shown of a fix or a push."""
    from tui.views.diff import files_of

    notes = [(file.path, file.note) for file in fix.draft.files]
    bound = asked.request.detail.get("diff_digest")
    trouble = seen.trouble or ("" if bound == seen.diff_digest else "the diff is not the one that was put up")
    return Sheet(
        approval=asked.request.id,
        subject=asked.request.subject,
        digest="" if trouble else asked.request.digest,
        title=fix.draft.title,
        files=files_of(seen.diff, notes),
        facts=fix_facts(fix, asked, seen, policy),
        does=does_of(seen, asked.request.subject, asked.request.detail),
        draft=fix.id,
        base=f"{fix.draft.base[:12]} ({fix.draft.base_is})",
        commit=fix.draft.commit,
        claim=fix.check.claim if fix.check else "not tested",
        url=str(asked.request.detail.get("url", "")),
        trouble=trouble,
    )


@asynccontextmanager
async def _refusals() -> AsyncIterator[None]:
    """Say what refuses as ActFault."""
    from orchestrator.hands.approvals import ApprovalError
    from orchestrator.hands.fix_terms import FixRefused
    from orchestrator.journal.faults import JournalError, StateError

    try:
        yield
    except (FixRefused, ApprovalError, JournalError, StateError) as error:
        raise ActFault(str(error)) from error


def _acts(view: SessionView) -> SessionActs:
    if view.acts is None:
        raise ActFault("this session can only be looked at")
    if view.acts.why_not:
        raise ActFault(view.acts.why_not)
    return view.acts


def _desk(view: SessionView) -> FixDesk:
    desk = _acts(view).fixes
    if desk is None:
        raise ActFault("no fix can be decided on here")
    return desk


async def record_unseen(view: SessionView, sheet: Sheet, unseen: list[str]) -> None:
    """Write into the session that files were let count which the person did not see to their end."""
    named = ", ".join(unseen[:20]) + (f" and {len(unseen) - 20} more" if len(unseen) > 20 else "")
    await _acts(view).note(f"review of {sheet.approval}: not seen to the end, and let count by the person: {named}")


async def approve(view: SessionView, sheet: Sheet, digest: str, *, for_session: bool = False) -> str:
    """Take a person's yes to exactly `digest`, deliver a fix, and return what became of it.

    `for_session`: the yes to a call goes on for exactly the same call.
    """
    if digest != sheet.digest or sheet.trouble:
        raise ActFault("what would be approved is not what is shown: nothing was approved")
    if sheet.subject == "push":
        raise ActFault("what leaves this machine asks for six characters of the commit: p")
    if for_session:
        if sheet.subject != "tool_call":
            raise ActFault("only a call can be approved for the session: nothing was approved")
        await _acts(view).decide_for_session(sheet.approval, digest)
        return "approved for this session: it runs now, and exactly this call is not asked about again"
    if sheet.subject != "fix":
        await _acts(view).decide(sheet.approval, "approve", digest)
        return "approved: it runs now" if sheet.subject == "tool_call" else "approved"
    desk = _desk(view)
    async with _refusals():
        _same_request(desk, sheet)
        await desk.approve(sheet.draft, digest)
    return await deliver(view, sheet)


def _same_request(desk: FixDesk, sheet: Sheet) -> None:
    """Refuse where the desk would decide on another request than the one that is shown."""
    last = desk.fix(sheet.draft).last
    if last is None or last.request.id != sheet.approval or last.request.digest != sheet.digest:
        raise ActFault(f"{sheet.draft}: another request took the place of the one shown; nothing was decided")


async def void_changed(view: SessionView, sheet: Sheet) -> None:
    """Void a request that the world does not fit any more, and ask anew on what is there now; else do nothing."""
    from orchestrator.hands.fix_desk import shown_diff
    from orchestrator.hands.fix_terms import FixChanged, FixTerms, verify

    if sheet.subject != "fix":
        return
    desk = _desk(view)
    async with _refusals():
        last = desk.fix(sheet.draft).last
        if last is None or not last.open or last.request.id != sheet.approval:
            return
        terms = FixTerms.model_validate(last.request.detail)
        try:
            await in_thread(lambda: verify(terms, desk.render or shown_diff()), "verify")
        except FixChanged as changed:
            await desk.approvals.void(last.request.id, last.request.digest, str(changed))
            await desk.ask()


async def deliver(view: SessionView, sheet: Sheet) -> str:
    """Make the approved ref appear; doing it twice is the same."""
    async with _refusals():
        done = await _desk(view).deliver(sheet.draft)
    how = "was there already" if done.found else "is a new branch"
    return f"delivered: {done.ref.removeprefix('refs/heads/')} {how} in your repository; nothing else changed"


async def reject(view: SessionView, sheet: Sheet, reason: str) -> str:
    """Take a person's no with its reason; a fix's reason goes to the subagent, which drafts again or cannot."""
    if sheet.subject == "rule":
        await _acts(view).revoke(sheet.approval, reason)
        return "taken back: the next such call is asked about"
    if sheet.subject != "fix":
        await _acts(view).decide(sheet.approval, "reject", sheet.digest, reason)
        return "rejected; the agent reads the reason"
    desk = _desk(view)
    async with _refusals():
        last = desk.fix(sheet.draft).last
        if last is None or last.request.id != sheet.approval:
            raise ActFault(f"{sheet.draft}: another request took its place; n shows it; nothing was decided")
        again = await desk.reject(sheet.draft, reason)
    return f"rejected; a new draft waits: n shows it ({again.draft})" if again.draft else f"rejected; {again.said}"


async def rebase(view: SessionView, sheet: Sheet, base: str) -> str:
    """Have the draft made on another base; the one shown is put away once that is there, and only then."""
    desk = _desk(view)
    async with _refusals():
        _same_request(desk, sheet)
        made = await desk.rebase(sheet.draft, base)
    return f"{made.said}; n shows it ({made.draft})" if made.draft else f"not drafted anew: {made.said}"


# -- pushing -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PushAsked:
    """A push that waits for the first characters of its commit."""

    draft: str
    digest: str
    commit: str
    url: str
    ref: str


async def address_for(view: SessionView, draft: str) -> tuple[str, str]:
    """Return (where the repository is pushed to, why warroom leaves pushing to the person); each may be empty."""
    fix = _desk(view).fix(draft)

    def look() -> tuple[str, str]:
        from tui.commands.fix_reading import now
        from tui.commands.fix_views import policy

        found = policy(now(fix))
        if found is None:
            return "", ""
        remotes = found.remotes
        only = next(iter(remotes.values())) if len(remotes) == 1 else ""
        return remotes.get("origin") or only, ", ".join(found.reasons)

    async with _refusals():
        return await in_thread(look, "address")


async def ask_push(view: SessionView, draft: str, url: str) -> PushAsked:
    """Put a push up for approval; nothing leaves the machine by this."""
    desk = _desk(view)
    async with _refusals():
        terms = await desk.ask_push(draft, url)
        asked = next((one for one in desk.fix(draft).pushes if one.open), None)
    if asked is None:
        raise ActFault(f"{draft}: the push could not be asked for; try again")
    return PushAsked(draft, asked.request.digest, terms.commit, terms.url, terms.ref)


async def push(view: SessionView, asked: PushAsked, typed: str) -> str:
    """Carry a push out, where what was typed begins its commit; return how it ended."""
    from orchestrator.hands.push import CONFIRMED_BY

    if typed.strip() != asked.commit[:CONFIRMED_BY]:
        raise ActFault("those are not the first six characters of the commit: nothing was pushed")
    async with _refusals():
        done = await _desk(view).push(asked.draft, asked.digest)
    return done.words


async def commands_for(view: SessionView, draft: str) -> str:
    """Return the commands that push a fix and open a pull request by hand, and the text of that request."""
    fix = _desk(view).fix(draft)
    session = _acts(view).session_id
    incident = view.incident.opened.incident.id if view.incident.opened else ""
    return await in_thread(lambda: _commands(fix, session, incident), "commands")


def _commands(fix: Fix, session: str, incident: str) -> str:
    from orchestrator.hands.fix_terms import HEADS, FixRefused, located, read_repo
    from orchestrator.hands.pull_request import Place, commands_of, text_of
    from orchestrator.journal.text import clean
    from tui.commands.fix_reading import now
    from tui.commands.fix_views import policy

    seen = now(fix)
    if seen.terms is None:
        raise ActFault(f"{fix.id}: it was not put up for approval, so there is nothing to push")
    base = "main"
    try:
        head = read_repo(located(seen.terms.repo), ["symbolic-ref", "-q", "HEAD"]).stdout.decode("utf-8", "replace")
        base = head.strip().removeprefix(HEADS) or base
    except FixRefused as error:
        raise ActFault(str(error)) from error
    remotes = dict(found.remotes) if (found := policy(seen)) is not None else {}
    remote = "origin" if "origin" in remotes or not remotes else next(iter(remotes))
    place = Place(seen.terms.repo, seen.terms.ref, remote, base, fix.draft.store)
    lines = [f"warroom fix commands {session} {fix.id} --text > {fix.id}.md"]
    lines += commands_of(fix, place, f"{fix.id}.md")
    return str(clean("\n".join([*lines, "", text_of(fix, session, incident)]), exact=True))
