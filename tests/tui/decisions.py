"""A drafted fix and a call that wait for a person, as hand-made events, and a strict stand-in for the desk."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

from textual import events
from textual.pilot import Pilot

from orchestrator.hands.approvals import digest_of
from orchestrator.hands.fix_fold import Fix
from orchestrator.hands.fix_terms import FixChanged, FixRefused, FixTerms, digest_of_diff, zeros
from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Event,
    FixChecked,
    FixDelivered,
    FixDrafted,
)
from subagents.codefix.fixes import Check, Draft, SuiteRun
from tests.fakes import FakeClock
from tests.tui.stage import Stage, settled, until
from tests.tui.story import FakeActs, Teller, opened
from tui.commands.fix_reading import Now
from tui.deciding import read_sheet, sheet_of
from tui.screens.review import ReviewScreen
from tui.session_view import SessionView
from tui.views.review import Sheet, holder_of

COMMIT = "4be1d0" + "0" * 34
CALL = "call:c1"


def file_diff(path: str, old: Sequence[str], new: Sequence[str]) -> str:
    body = [f"-{one}" for one in old] + [f"+{one}" for one in new]
    head = f"diff --git a/{path} b/{path}\n--- a/{path}\n+++ b/{path}\n@@ -1,{len(old)} +1,{len(new)} @@\n"
    return head + "\n".join(body) + "\n"


SMALL = file_diff("app/limits.py", ["LIMIT = 2"], ["LIMIT = 64"])
LONG = SMALL + file_diff("app/table.py", [], [f"ROW_{at} = {at}" for at in range(120)])


def draft(diff: str = SMALL, commit: str = COMMIT, **more: Any) -> Draft:
    fields: dict[str, Any] = {
        "id": f"d-{commit[:10]}", "kind": "edit", "source": "repo", "store": "/state/fix.git", "commit": commit,
        "tree": "7" * 40, "base": "b" * 40, "base_is": "the commit deployed now (v42)", "branch": "triage/inc-7-limit",
        "title": "Put the limit back", "message": "Put the limit back\n\nIt was cut.", "diff": diff,
        "diff_digest": digest_of_diff(diff), "warnings": ("a migration",), **more,
    }  # fmt: skip
    return Draft.model_validate(fields)


def terms(made: Draft) -> FixTerms:
    return FixTerms(
        draft=made.id, commit=made.commit, tree=made.tree, parent=made.base, ref=f"refs/heads/{made.branch}",
        expected=zeros(made.commit), diff_digest=made.diff_digest, repo="/src/shop", git_dir="/src/shop/.git",
        store=made.store,
    )  # fmt: skip


def check(made: Draft) -> Check:
    runs = (
        SuiteRun(name="base", outcome="passed", passed=38),
        SuiteRun(name="base with the fix's tests", outcome="failed", passed=38, failed=1),
        SuiteRun(name="fix", outcome="passed", passed=39),
    )
    return Check(draft=made.id, commit=made.commit, claim="red to green", reason="1 test", runs=runs)


class Case:
    """A session with a fix and a call that wait; it goes on as it is told to."""

    def __init__(self, diff: str = SMALL, call: Any = None, **more: Any) -> None:
        self.draft = draft(diff, **more)
        self.clock = FakeClock()
        self.tell = Teller()
        self.acts = FakeActs()
        self.desk = FakeDesk(self)
        self.acts.fixes = self.desk  # type: ignore[assignment]  # a stand-in
        self.view = SessionView(self.clock, self.acts)
        self.learn(opened(), FixDrafted(id=self.draft.id, detail=self.draft.model_dump(mode="json")))
        self.learn(FixChecked(id=self.draft.id, detail=check(self.draft).model_dump(mode="json")))
        self.asks = 0
        self.ask()
        detail = {"agent": "logs", "tool": "logs_fetch", "input": {"query": "5xx"} if call is None else call}
        self.learn(ApprovalRequested(id=CALL, subject="tool_call", digest=digest_of(detail), detail=detail))

    def learn(self, *bodies: Any) -> None:
        for body in bodies:
            event: Event = self.tell(body, "codefix")
            self.view.learn(event)

    def ask(self) -> str:
        self.asks += 1
        detail = terms(self.draft).model_dump(mode="json")
        name = f"fix:{self.draft.id}:{self.asks}"
        self.learn(ApprovalRequested(id=name, subject="fix", digest=digest_of(detail), detail=detail))
        return name

    @property
    def fix(self) -> Fix:
        return self.view.fixes.fixes[self.draft.id]

    @property
    def digest(self) -> str:
        assert self.fix.last is not None
        return self.fix.last.request.digest

    def decide(self, decision: Any, reason: str = "", approval: str = "") -> None:
        name = approval or (self.fix.last.request.id if self.fix.last else "")
        self.learn(ApprovalDecided(id=name, decision=decision, digest=self.digest, by="person", reason=reason))

    async def read(self, view: SessionView, approval: str) -> Sheet:
        """As `read_sheet`, with the diff as the store would give it."""
        found = holder_of(view.fixes, approval)
        if found is None:
            return await read_sheet(view, approval)
        fix, asked = found
        diff = self.desk.diff_now or fix.draft.diff
        assert fix.last is not None
        bound = FixTerms.model_validate(fix.last.request.detail)
        return sheet_of(fix, asked, Now(bound, diff, digest_of_diff(diff), self.desk.trouble))

    @property
    def approved(self) -> list[tuple[str, ...]]:
        """Everything that said yes to anything."""
        return [one for one in (*self.acts.done, *self.desk.done) if "approve" in one or "push" in one]


class FakeDesk:
    """Refuses what the real desk would refuse."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.done: list[tuple[str, ...]] = []
        self.trouble = ""
        self.diff_now = ""
        self.moved = ""
        """Why the next approval finds something changed."""

    def fix(self, draft_id: str) -> Fix:
        return self.case.view.fixes.fixes[draft_id]

    async def approve(self, draft_id: str, digest: str, by: str = "person") -> FixTerms:
        last = self.fix(draft_id).last
        assert last is not None
        assert last.open
        if self.moved:
            self.case.decide("void", self.moved)
            raise FixChanged(self.moved)
        assert digest == last.request.digest, "another digest than the one asked for"
        self.done.append(("approve", draft_id, digest))
        self.case.decide("approve")
        return FixTerms.model_validate(last.request.detail)

    async def deliver(self, draft_id: str) -> Any:
        fix = self.fix(draft_id)
        if fix.standing != "approved":
            raise FixRefused(f"{draft_id} is {fix.standing}")
        self.done.append(("deliver", draft_id))
        ref = f"refs/heads/{fix.draft.branch}"
        self.case.learn(FixDelivered(id=draft_id, detail={"ref": ref, "commit": fix.draft.commit, "repo": "/src/shop"}))
        return SimpleNamespace(ref=ref, commit=fix.draft.commit, found=False)

    async def reject(self, draft_id: str, reason: str, by: str = "person") -> Any:
        assert reason.strip()
        self.done.append(("reject", draft_id, reason))
        self.case.decide("reject", reason)
        return SimpleNamespace(draft=None, said="there is no alternative: one way only")

    async def ask_push(self, draft_id: str, url: str) -> Any:
        fix = self.fix(draft_id)
        detail = {
            "draft": draft_id, "commit": fix.draft.commit, "url": url, "ref": "refs/heads/triage/inc-7-limit",
            "diff_digest": fix.draft.diff_digest,
        }  # fmt: skip
        name = f"push:{draft_id}:1"
        self.case.learn(ApprovalRequested(id=name, subject="push", digest=digest_of(detail), detail=detail))
        return SimpleNamespace(**detail)

    async def push(self, draft_id: str, digest: str, by: str = "person") -> Any:
        self.done.append(("push", draft_id, digest))
        return SimpleNamespace(done=True, words="pushed: a new branch")


@asynccontextmanager
async def reviewing(
    case: Case, approval: str | None = None, size: tuple[int, int] = (120, 36), *, ready: bool = True
) -> AsyncIterator[tuple[ReviewScreen, Pilot[None]]]:
    """The review screen with its sheet read; `ready`: the half second after it appeared is over."""
    screen = ReviewScreen(view=case.view, approval=approval, read=case.read)
    async with Stage(screen).run_test(size=size) as pilot:
        await until(pilot, lambda: screen.sheet is not None)
        if ready:
            case.clock.advance(1.0)
        await settled(pilot)
        yield screen, pilot


async def feed(pilot: Pilot[None], *keys: str) -> None:
    """Press keys as fast as they can be taken, each when the one before has been."""
    for key in keys:
        name, char = ("space", " ") if key == " " else (key, key if len(key) == 1 else None)
        pilot.app.post_message(events.Key(name, char))
        for _ in range(40):
            await asyncio.sleep(0)


async def ticked(pilot: Pilot[None], *keys: str) -> None:
    """Press keys, let what they began come to its end, and paint it."""
    await feed(pilot, *keys)
    await pilot.app.workers.wait_for_complete()
    await settled(pilot)
