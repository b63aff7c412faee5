"""The fixes of one session: what waits for a person, and what their decision sets in motion.

Approvals are asked for by themselves, once a draft is recorded and checked; nothing else happens without a person's
decision. Every step reads what it acts on back from the journal.
"""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.hands.approvals import ApprovalError, Approvals, digest_of
from orchestrator.hands.calls import Recorded
from orchestrator.hands.delivery import Delivered, approved_detail, approved_terms, deliver, settle
from orchestrator.hands.fix_events import CHECK, CODEFIX
from orchestrator.hands.fix_fold import PUSHED, Asked, Fix, FixFold
from orchestrator.hands.fix_terms import FixChanged, FixRefused, FixTerms, RenderDiff, is_merged, terms_of, verify
from orchestrator.hands.push import (
    LIMIT_S,
    Pushed,
    PushTerms,
    host_of,
    push,
    refuse_inside,
    require_url,
    verify_push,
    weight,
)
from orchestrator.hands.run import Hands
from orchestrator.hands.steps import Steps
from orchestrator.hands.threads import in_thread
from orchestrator.journal.events import AgentMessage, Egress, Event, FixDelivered, Note, text_content
from orchestrator.journal.faults import JournalError
from subagents.codefix.fixes import CheckMade, DraftMade
from subagents.contract import SourceSpec, ToolResult


def shown_diff() -> RenderDiff:
    """Return how a draft's diff is made: as the drafter made it."""
    from subagents.codefix.review import diff_text

    return lambda store, base, commit: diff_text(store, base, commit)


@dataclass(frozen=True)
class Redrafted:
    """What the subagent answered to a rejection or an undoing: a draft, or why there is none."""

    draft: str | None
    said: str


@dataclass
class FixDesk:
    """See the module. Belongs to one session; `learn` is fed every event."""

    steps: Steps
    approvals: Approvals
    hands: Hands
    sources: Callable[[], Mapping[str, SourceSpec]]
    render: RenderDiff | None = None
    """None: as the drafter shows it."""
    log: Callable[[str], None] = lambda text: None
    push_limit_s: float = LIMIT_S
    fold: FixFold = field(default_factory=FixFold)
    _live: bool = False
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    _refusals: dict[str, str] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def learn(self, event: Event) -> None:
        """Take an event into account; a check that was recorded asks for approval, behind the session's back."""
        self.fold.learn(event)
        if event.type == "warroom.fix_checked" and self._live:
            self._start(self.ask())

    def take_up(self) -> None:
        """Begin: say by looking what an earlier process delivered, and ask for what it left unasked."""
        self._live = True
        if self.fold.fixes:
            self._start(self._take_up())

    async def settle(self, *, unchecked: bool = False) -> None:
        """Wait for what is being asked; `unchecked`: ask for drafts too that nothing has tested."""
        await asyncio.gather(*self._tasks)
        await self.ask(unchecked=unchecked)

    async def close(self) -> None:
        """Stop what goes on behind the session's back."""
        self._live = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        async def guarded() -> None:
            try:
                await work
            except JournalError as error:  # the disk is full or the session closes: asked for when it is opened again
                self.log(f"fixes: {error}")
            except Exception:  # a fault with one repository must not take the session with it
                self.log(f"fixes: {traceback.format_exc()}")

        task = asyncio.get_running_loop().create_task(guarded(), name="fixes")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_up(self) -> None:
        for fix in tuple(self.fold.fixes.values()):
            if fix.standing == "approved" and fix.last is not None:
                await self._look(fix, fix.last)
        await self.ask()

    def fix(self, draft_id: str) -> Fix:
        """Return a draft and its story; raises FixRefused where there is none."""
        found = self.fold.fixes.get(draft_id)
        if found is None:
            raise FixRefused(f"{draft_id}: no such draft in this session")
        return found

    # -- asking --------------------------------------------------------------------------------

    async def ask(self, *, unchecked: bool = False) -> None:
        """Ask for approval of every draft that is ready and not decided; void what was asked for other bytes."""
        async with self._asking:
            for fix in tuple(self.fold.fixes.values()):
                last = fix.last
                if last is not None and not last.void and fix.standing in ("waits", "approved") and _remade(fix, last):
                    await self.approvals.void(last.request.id, last.request.digest, "the draft was made anew")
                    fix = self.fold.fixes[fix.id]
                if fix.standing in ("drafted", "void") and (fix.check is not None or unchecked or fix.asked):
                    await self._ask(fix)

    async def _ask(self, fix: Fix) -> None:
        try:
            terms = await in_thread(lambda: self._verified(fix), f"terms-{fix.id}")
        except Exception as error:  # whatever is wrong with the repository must not take the session with it
            if not isinstance(error, FixRefused):
                self.log(f"fixes: {traceback.format_exc()}")
            if self._refusals.get(fix.id) != str(error):
                self._refusals[fix.id] = str(error)
                text = f"draft {fix.id} cannot be put up for approval: {error}"
                key = f"unasked:{fix.id}:{len(fix.asked)}"
                await self.steps.write(Note(text=text, level="warning"), CODEFIX, key)
            return
        name = f"fix:{fix.id}:{len(fix.asked) + 1}"
        await self.approvals.request(CODEFIX, "fix", name, terms.model_dump(mode="json"))

    def _verified(self, fix: Fix) -> FixTerms:
        source = self.sources().get(fix.draft.source)
        if source is None:
            raise FixRefused(f"its repository {fix.draft.source!r} is not among the sources of this session")
        own = os.path.realpath(source.options.get("store", "/nonexistent"))
        if not Path(os.path.realpath(fix.draft.store)).is_relative_to(own):
            raise FixRefused(f"its store {fix.draft.store} is not the one of this session's {source.id}")
        terms = terms_of(fix.draft, source.path)
        verify(terms, self._render())
        return terms

    def _render(self) -> RenderDiff:
        return self.render or shown_diff()

    # -- the person's decision -----------------------------------------------------------------

    async def approve(self, draft_id: str, digest: str, by: str = "person") -> FixTerms:
        """Take a person's yes to exactly what `digest` names; raises FixChanged, FixRefused, ApprovalError."""
        fix = self.fix(draft_id)
        last = self._open(fix)
        terms = FixTerms.model_validate(last.request.detail)
        try:
            await in_thread(lambda: verify(terms, self._render()), f"verify-{fix.id}")
        except FixChanged as error:
            await self._void(last, str(error))
            raise
        decided = await self.approvals.decide(last.request.id, "approve", digest, by)
        if decided.decision != "approve":
            await self.ask()
            raise FixChanged(f"{draft_id}: {decided.reason}: look at it again")
        return terms

    async def deliver(self, draft_id: str) -> Delivered:
        """Make the approved ref appear; delivering twice is the same. Raises FixChanged, FixRefused."""
        fix = self.fix(draft_id)
        last = fix.last
        if last is None or not last.approved:
            raise FixRefused(f"{draft_id}: {fix.stands}: `warroom fix approve` comes first")
        name = last.request.id
        try:
            done = await in_thread(lambda: deliver(self.steps, name, self._render()), f"deliver-{fix.id}")
        except FixChanged as error:
            await self._void(last, str(error))
            raise
        await self._delivered(fix, last, done)
        return done

    async def reject(self, draft_id: str, reason: str, by: str = "person") -> Redrafted:
        """Take a person's no, with its reason, and let the subagent draft again or say that it cannot.

        Raises FixRefused, ApprovalError where it is decided already.
        """
        fix = self.fix(draft_id)
        if fix.standing == "approved" and fix.last is not None:  # and not delivered
            await self._void(fix.last, f"taken back: {reason}")
            fix = self.fix(draft_id)
        # What cannot be put up any more, for its base went away, is drafted again in the same way.
        name = f"unasked:{fix.id}:{digest_of({'reason': reason})[7:19]}"
        if fix.standing not in ("drafted", "void"):
            last = self._open(fix)
            name = last.request.id
            await self.approvals.decide(name, "reject", last.request.digest, by, reason)
        return await self.redraft("code_draft_next", {"draft": fix.id, "reason": reason}, f"next:{name}")

    # -- outward, each its own approval --------------------------------------------------------

    async def ask_push(self, draft_id: str, url: str) -> PushTerms:
        """Put the pushing of an approved fix to a remote up for approval; raises FixRefused."""
        fix = self.fix(draft_id)
        last = fix.last
        if last is None or not (last.approved or fix.delivered is not None):
            raise FixRefused(f"{draft_id}: {fix.stands}; what is pushed must be approved first")
        fixed = FixTerms.model_validate(last.request.detail)
        bound = fixed.model_dump(
            include={"draft", "commit", "tree", "parent", "ref", "expected", "diff_digest", "store"}
        )
        terms = PushTerms(url=require_url(url), **bound)
        refuse_inside(terms.url, fixed.repo, fixed.git_dir, terms.store)
        await in_thread(lambda: verify_push(terms, self._render()), f"verify-push-{fix.id}")
        asked = next((one for one in fix.pushes if one.open), None)
        if asked is not None and asked.request.detail != terms.model_dump(mode="json"):
            await self.approvals.void(asked.request.id, asked.request.digest, "another push was asked for")
            asked = None
        if asked is None:
            name = f"push:{fix.id}:{len(fix.pushes) + 1}"
            await self.approvals.request(CODEFIX, "push", name, terms.model_dump(mode="json"))
        return terms

    async def push(self, draft_id: str, digest: str, by: str = "person") -> Pushed:
        """Take a person's yes to a push and carry it out, once. Raises FixChanged, FixRefused, ApprovalError."""
        fix = self.fix(draft_id)
        asked = next((one for one in fix.pushes if one.open), None)
        if asked is None:
            raise FixRefused(f"{draft_id}: no push waits for a decision")
        name = asked.request.id
        decided = await self.approvals.decide(name, "approve", digest, by)
        if decided.decision != "approve":
            raise FixChanged(f"{draft_id}: {decided.reason}: look at it again")
        terms = PushTerms.model_validate(approved_detail(self.steps, name, "push"))
        try:
            await in_thread(lambda: verify_push(terms, self._render()), f"verify-push-{fix.id}")
        except FixChanged as error:
            await self.approvals.void(name, asked.request.digest, str(error))
            raise
        about = {"draft": fix.id, "approval": name, "url": terms.url, "ref": terms.ref, "commit": terms.commit}
        # Git does not say what it sent: what the fix adds to its base is recorded, beside a count of nothing.
        size = await in_thread(lambda: weight(terms), f"weigh-{fix.id}")
        begun = Egress(host=host_of(terms.url), purpose=PUSHED, detail={**about, "phase": "sent", "about_bytes": size})
        await self.steps.write(begun, CODEFIX, f"egress:{name}")
        pushed = await in_thread(lambda: push(terms, self.push_limit_s), f"push-{fix.id}")
        how = {"phase": "answered" if pushed.done else "failed", "outcome": pushed.words, "done": pushed.done}
        ended = Egress(host=begun.host, purpose=PUSHED, detail={**about, **how})
        await self.steps.write(ended, CODEFIX, f"egress-ended:{name}")
        return pushed

    # -- drafting again ------------------------------------------------------------------------

    async def undo(self, draft_id: str, incident: str = "") -> Redrafted:
        """Offer the undoing of what was delivered as a new draft; nothing is deleted or moved. Raises FixRefused."""
        fix = self.fix(draft_id)
        if fix.delivered is None or fix.last is None:
            raise FixRefused(f"{draft_id}: it was not delivered, so there is nothing to undo ({fix.stands})")
        terms = FixTerms.model_validate(fix.last.request.detail)
        merged = await in_thread(lambda: is_merged(terms), f"merged-{fix.id}")
        arguments = {
            "commit": terms.commit,
            # What was merged is undone where it was merged to; else on the branch that was delivered.
            "base": "" if merged else terms.commit,
            "source": fix.draft.source,
            "incident": incident,
            "why": f"It takes back {terms.commit[:12]}, which warroom delivered as {terms.ref}.",
        }
        return await self.redraft("code_draft_revert", arguments, f"undo:{terms.commit}:{merged}")

    async def rebase(self, draft_id: str, base: str, by: str = "person") -> Redrafted:
        """Have a draft made again on another base; the one before is put away once the new one is there.

        `base`: a commit's id, `tip` or `deployed`. Raises FixRefused, ApprovalError.
        """
        fix = self.fix(draft_id)
        if fix.standing not in ("drafted", "waits", "void"):
            raise FixRefused(f"{draft_id}: {fix.stands}; its base cannot be changed any more")
        about = {"draft": draft_id, "base": base, "finding_ids": list(fix.draft.finding_ids)}
        made = await self.redraft("code_draft_next", about, f"base:{draft_id}:{base}:{len(fix.asked)}")
        if made.draft is None:
            return Redrafted(None, made.said.removeprefix("there is no alternative: "))
        again, before = self.fix(made.draft), self.fix(draft_id).last
        if before is not None and before.open:
            why = f"drafted on another base instead: {again.draft.base_is}"
            await self.approvals.decide(before.request.id, "reject", before.request.digest, by, why)
        if again.standing == "rejected":  # put away earlier in the same way, and wanted again
            await self._ask(again)
        return Redrafted(made.draft, f"drafted on {again.draft.base[:12]}: {again.draft.base_is}")

    async def redraft(self, tool: str, arguments: Mapping[str, Any], key: str) -> Redrafted:
        """Have the code-fix subagent make a draft for a person, and test it; what it cannot do, it says."""
        result = await self._call(tool, arguments, key)
        made = result.data if isinstance(result.data, DraftMade) else None
        if made is None or made.draft is None:
            said = (made.refused if made else "") or result.text or result.outcome
            said = said if said.startswith("there is no") else f"there is no alternative: {said}"
            message = AgentMessage(content=text_content(said))
            await self.steps.write(message, CODEFIX, f"no-draft:{key}")
            return Redrafted(None, said)
        draft = made.draft
        if self.fix(draft.id).check is None:
            given = {"draft": draft.id, "commit": draft.commit, "base": draft.base, "source": draft.source}
            await self._call(CHECK, given, f"check:{draft.id}:{key}"[:200])
        await self.settle(unchecked=True)
        return Redrafted(draft.id, result.text)

    async def _call(self, tool: str, arguments: Mapping[str, Any], key: str) -> ToolResult[DraftMade | CheckMade]:
        if self.hands.roster.tool(CODEFIX, tool) is None:
            return ToolResult(text=f"the code-fix subagent has no {tool}", outcome="denied")
        return await self.hands.call(CODEFIX, CODEFIX, Recorded(key[:200], tool, arguments), by_person=True)

    def _open(self, fix: Fix) -> Asked:
        last = fix.last
        if last is None or not last.open:
            why = f": {fix.reason}" if fix.reason else ""
            raise ApprovalError(f"{fix.id}: nothing waits for a decision, {fix.stands}{why}")
        return last

    async def _void(self, asked: Asked, reason: str) -> None:
        await self.approvals.void(asked.request.id, asked.request.digest, reason)
        await self.ask()

    # -- after a crash -------------------------------------------------------------------------

    async def _look(self, fix: Fix, asked: Asked) -> None:
        name = asked.request.id
        try:
            found = await in_thread(lambda: settle(approved_terms(self.steps, name)), f"look-{fix.id}")
        except FixRefused:
            return  # the repository is not there now: whoever delivers is told
        if found is not None:
            await self._delivered(fix, asked, found)

    async def _delivered(self, fix: Fix, asked: Asked, done: Delivered) -> None:
        detail = {
            "ref": done.ref,
            "commit": done.commit,
            "repo": asked.request.detail["repo"],
            "approval": asked.request.id,
            "digest": asked.request.digest,
            "found": done.found,
        }
        await self.steps.write(FixDelivered(id=fix.id, detail=detail), CODEFIX, f"delivered:{asked.request.id}")


def _remade(fix: Fix, asked: Asked) -> bool:
    """Say whether the draft is other bytes than what was asked for."""
    draft, detail = fix.draft, asked.request.detail
    bound = {
        "commit": draft.commit,
        "tree": draft.tree,
        "parent": draft.base,
        "diff_digest": draft.diff_digest,
        "store": draft.store,
    }
    return any(detail.get(name) != value for name, value in bound.items())
