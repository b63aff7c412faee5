"""From a draft to a branch through a real session: asked for by itself, decided by a person, said by looking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from orchestrator.hands.approvals import ApprovalError
from orchestrator.hands.delivery import deliver
from orchestrator.hands.fix_desk import shown_diff
from orchestrator.hands.fix_fold import Fix, fixes
from orchestrator.hands.fix_terms import FixChanged, FixRefused
from orchestrator.hands.steps import Steps
from orchestrator.journal.events import AgentMessage, FixChecked, FixDrafted
from orchestrator.journal.index import summarise
from orchestrator.session import Session
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from tests.fix.bench import added, changed, git, snapshot
from tests.fix.rooms import Place, make_place


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return make_place(tmp_path)


@pytest.fixture
async def session(place: Place) -> AsyncIterator[Session]:
    made = await place.drafted()
    yield made
    await made.close()


def only(session: Session) -> Fix:
    (fix,) = session.fixes.fold.fixes.values()
    return fix


def digest(fix: Fix) -> str:
    assert fix.last is not None
    return fix.last.request.digest


def types(session: Session, *kinds: str) -> list[Any]:
    return [event.body for event in session.journal.events(types=kinds)]


async def test_a_checked_draft_is_put_up_for_approval_while_the_run_goes_on(place: Place) -> None:
    before = snapshot(place.repo)
    async with await place.create(place.drafts(check=True)) as session:
        assert await session.run() == "end_turn"
        fix = only(session)
        assert fix.standing == "waits"
        assert fix.check is not None
        assert [one.id for one in session.pending()] == [f"fix:{fix.id}:1"]
        assert summarise(session.directory).approvals == (f"fix:{fix.id}:1",)
    assert not changed(before, snapshot(place.repo))


async def test_a_draft_that_nothing_tested_waits_once_the_run_has_ended(session: Session, place: Place) -> None:
    fix = only(session)
    assert fix.check is None
    assert fix.standing == "waits"
    assert fix.last is not None
    detail = fix.last.request.detail
    bound = (detail["commit"], detail["tree"], detail["parent"], detail["expected"], detail["diff_digest"])
    assert bound == (fix.draft.commit, fix.draft.tree, fix.draft.base, "0" * 40, fix.draft.diff_digest)
    assert detail["ref"] == f"refs/heads/{fix.draft.branch}"
    assert fixes(session.journal.events()) == session.fixes.fold.fixes


async def test_yes_makes_one_branch_and_the_report_says_so(session: Session, place: Place) -> None:
    before, fix = snapshot(place.repo), only(session)
    await session.fixes.approve(fix.id, digest(fix))
    assert only(session).standing == "approved"
    done = await session.fixes.deliver(fix.id)
    assert git(place.repo, "rev-parse", done.ref) == fix.draft.commit
    assert any(path.endswith(done.ref) for path in added(before, snapshot(place.repo)))
    assert (await session.fixes.deliver(fix.id)).found
    (event,) = types(session, "warroom.fix_delivered")
    assert event.detail["ref"] == done.ref
    page = render_markdown(build_report(session.journal.events()))
    assert f"new branch `{done.ref}`" in page
    assert "delivered by person" in page
    assert not session.pending()


async def test_yes_to_another_digest_is_void_and_asked_again(session: Session, place: Place) -> None:
    fix = only(session)
    with pytest.raises(FixChanged, match="not what was asked for"):
        await session.fixes.approve(fix.id, "sha256:" + "0" * 64)
    with pytest.raises(FixRefused, match="waits for approval"):
        await session.fixes.deliver(fix.id)
    again = only(session)
    assert [one.void for one in again.asked] == [True, False]
    assert again.standing == "waits"
    await session.fixes.approve(fix.id, digest(again))


@pytest.mark.parametrize("moment", ["before yes", "after yes"])
async def test_a_branch_that_appears_voids_and_another_name_is_asked_for(
    session: Session, place: Place, moment: str
) -> None:
    fix = only(session)
    assert fix.last is not None
    ref = str(fix.last.request.detail["ref"])
    if moment == "after yes":
        await session.fixes.approve(fix.id, digest(fix))
    git(place.repo, "update-ref", ref, fix.draft.base)
    act = session.fixes.deliver(fix.id) if moment == "after yes" else session.fixes.approve(fix.id, digest(fix))
    with pytest.raises(FixChanged, match="appeared meanwhile"):
        await act
    assert git(place.repo, "rev-parse", ref) == fix.draft.base
    again = only(session)
    assert again.standing == "waits"
    assert again.last is not None
    assert again.last.request.detail["ref"] == ref + "-2"
    await session.fixes.approve(fix.id, digest(again))
    assert (await session.fixes.deliver(fix.id)).ref == ref + "-2"


async def test_a_draft_that_is_made_anew_is_asked_for_anew(session: Session, place: Place) -> None:
    fix = only(session)
    await session.fixes.approve(fix.id, digest(fix))
    other = fix.draft.model_copy(update={"diff_digest": "sha256:" + "1" * 64})
    steps = session.fixes.steps
    await steps.write(FixDrafted(id=fix.id, detail=other.model_dump(mode="json")), "codefix", "again")
    await session.fixes.ask()
    assert only(session).standing == "void"
    assert "made anew" in only(session).reason
    with pytest.raises(FixRefused):
        await session.fixes.deliver(fix.id)
    with pytest.raises(ApprovalError, match="void"):
        await session.fixes.approve(fix.id, digest(fix))
    notes = types(session, "warroom.note")
    assert any("not the one that was shown" in note.text for note in notes)


async def test_no_with_a_reason_reaches_the_subagent_which_drafts_again_or_says_it_cannot(
    session: Session, place: Place
) -> None:
    before, fix = snapshot(place.repo), only(session)
    again = await session.fixes.reject(fix.id, "restores a bug from last year")
    assert session.fixes.fix(fix.id).standing == "rejected"
    assert session.fixes.fix(fix.id).reason == "restores a bug from last year"
    calls = [body for body in types(session, "agent.custom_tool_use") if body.name == "code_draft_next"]
    assert [call.input["reason"] for call in calls] == ["restores a bug from last year"]
    if again.draft is None:
        said = types(session, "agent.message")
        assert isinstance(said[-1], AgentMessage)
        assert "no alternative" in said[-1].content[0].text
    else:
        assert session.fixes.fix(again.draft).standing == "waits"
    with pytest.raises(ApprovalError):
        await session.fixes.approve(fix.id, digest(fix))
    assert not changed(before, snapshot(place.repo))


async def test_every_no_ends_in_another_draft_or_in_a_word(session: Session, place: Place) -> None:
    draft: str | None = only(session).id
    for _ in range(8):
        if draft is None:
            break
        draft = (await session.fixes.reject(draft, "no")).draft
    assert draft is None
    assert not session.pending()


async def test_a_person_has_it_drafted_on_another_base_and_back(session: Session, place: Place) -> None:
    later = git(place.repo, "commit-tree", "v1^{tree}", "-p", "v1", "-m", "later")
    git(place.repo, "branch", "later", later)
    before, first = snapshot(place.repo), only(session)
    made = await session.fixes.rebase(first.id, later)
    assert made.draft is not None, made.said
    second = session.fixes.fix(made.draft)
    assert (second.draft.base, second.draft.undoes) == (later, first.draft.undoes)
    assert [one.id for one in session.pending()] == [f"fix:{second.id}:1"], "one waits: the new one"
    assert session.fixes.fix(first.id).reason == f"drafted on another base instead: {second.draft.base_is}"
    with pytest.raises(FixRefused, match="cannot be changed any more"):
        await session.fixes.rebase(first.id, "tip")
    back = await session.fixes.rebase(second.id, "tip")
    assert back.draft == first.id, back.said
    assert [one.id for one in session.pending()] == [f"fix:{first.id}:2"], "the same draft, asked for anew"
    await session.fixes.approve(first.id, digest(session.fixes.fix(first.id)))
    assert not changed(before, snapshot(place.repo))


@pytest.mark.parametrize(
    ("base", "why"),
    [("tip", "already"), ("deployed", "no finding"), ("no-such-commit", "no single commit"), ("v1^", "")],
)
async def test_a_base_that_is_none_or_the_same_leaves_the_draft_waiting(
    session: Session, place: Place, base: str, why: str
) -> None:
    fix = only(session)
    made = await session.fixes.rebase(fix.id, git(place.repo, "rev-parse", base) if base == "v1^" else base)
    assert made.draft is None
    assert why in made.said
    assert [one.id for one in session.pending()] == [f"fix:{fix.id}:1"]


async def test_after_a_crash_between_branch_and_record_looking_says_that_it_was_delivered(place: Place) -> None:
    async with await place.drafted() as session:
        fix = only(session)
        await session.fixes.approve(fix.id, digest(fix))
        assert fix.last is not None
        deliver(Steps(session._log), fix.last.request.id, shown_diff())  # and then the process dies
        name = session.id
    async with await place.open(name) as session:
        await session.fixes.settle()
        again = only(session)
        assert again.standing == "delivered"
        assert again.delivered is not None
        assert again.delivered.detail["found"] is True


async def test_after_a_crash_before_the_branch_it_is_still_only_approved(place: Place) -> None:
    async with await place.drafted() as session:
        fix = only(session)
        await session.fixes.approve(fix.id, digest(fix))
        name = session.id
    async with await place.open(name) as session:
        await session.fixes.settle()
        assert only(session).standing == "approved"
        assert not session.pending()
        await session.fixes.deliver(fix.id)
        assert only(session).standing == "delivered"


async def test_what_an_earlier_process_left_unasked_is_asked_for(place: Place) -> None:
    async with await place.create() as session:
        name = session.id
        made = await place.drafts()(session.desk)
        assert made == "end_turn"
        assert only(session).standing == "drafted"
    async with await place.open(name) as session:
        await session.fixes.settle(unchecked=True)
        assert only(session).standing == "waits"


async def test_what_was_delivered_is_undone_by_a_new_draft(session: Session, place: Place) -> None:
    fix = only(session)
    with pytest.raises(FixRefused, match="not delivered"):
        await session.fixes.undo(fix.id)
    await session.fixes.approve(fix.id, digest(fix))
    done = await session.fixes.deliver(fix.id)
    before = snapshot(place.repo)
    again = await session.fixes.undo(fix.id, "INC-7")
    assert again.draft is not None, again.said
    undoing = session.fixes.fix(again.draft)
    assert undoing.draft.undoes == fix.draft.commit
    assert undoing.draft.base == fix.draft.commit
    assert undoing.standing == "waits"
    assert not changed(before, snapshot(place.repo))
    await session.fixes.approve(undoing.id, digest(undoing))
    await session.fixes.deliver(undoing.id)
    assert git(place.repo, "rev-parse", done.ref) == fix.draft.commit  # never moved, never deleted


async def test_what_was_merged_is_undone_where_it_was_merged_to(session: Session, place: Place) -> None:
    fix = only(session)
    await session.fixes.approve(fix.id, digest(fix))
    done = await session.fixes.deliver(fix.id)
    git(place.repo, "stash", "-q")
    git(place.repo, "merge", "-q", "--ff-only", done.ref)
    (place.repo / "later.txt").write_text("later\n")
    git(place.repo, "add", "later.txt")
    git(place.repo, "commit", "-q", "-m", "later")
    again = await session.fixes.undo(fix.id)
    assert again.draft is not None, again.said
    assert session.fixes.fix(again.draft).draft.base == git(place.repo, "rev-parse", "main")


async def test_a_push_is_its_own_approval_and_is_on_record(session: Session, place: Place) -> None:
    remote = place.top / "remote.git"
    git(place.top, "clone", "-q", "--bare", "--no-hardlinks", str(place.repo), str(remote))
    fix = only(session)
    with pytest.raises(FixRefused, match="approved first"):
        await session.fixes.ask_push(fix.id, str(remote))
    await session.fixes.approve(fix.id, digest(fix))
    with pytest.raises(FixRefused, match="no push waits"):
        await session.fixes.push(fix.id, digest(fix))
    with pytest.raises(FixRefused, match="investigated"):
        await session.fixes.ask_push(fix.id, str(place.repo))
    terms = await session.fixes.ask_push(fix.id, str(remote))
    with pytest.raises(FixChanged, match="not what was asked for"):
        await session.fixes.push(fix.id, digest(fix))
    assert git(remote, "for-each-ref", terms.ref) == ""
    assert types(session, "warroom.egress") == []
    await session.fixes.ask_push(fix.id, str(remote))
    (asked,) = session.pending()
    pushed = await session.fixes.push(fix.id, asked.digest)
    assert pushed.done
    assert git(remote, "for-each-ref", "--format=%(objectname)", terms.ref) == fix.draft.commit
    begun, ended = types(session, "warroom.egress")
    assert begun.detail["ref"] == ended.detail["ref"] == terms.ref
    assert (begun.detail.get("outcome"), ended.detail["done"]) == (None, True)
    assert (begun.detail["phase"], ended.detail["phase"]) == ("sent", "answered")
    assert 0 < int(str(begun.detail["about_bytes"])) < 100_000, "what the fix adds to its base"
    assert "pushed" in only(session).outward


async def test_a_remote_that_refuses_is_on_record_too(session: Session, place: Place) -> None:
    fix = only(session)
    await session.fixes.approve(fix.id, digest(fix))
    await session.fixes.ask_push(fix.id, str(place.top / "nowhere.git"))
    (asked,) = session.pending()
    assert (await session.fixes.push(fix.id, asked.digest)).done is False
    assert "cannot be read" in only(session).outward


async def test_no_engine_records_a_draft_a_check_or_a_delivery(session: Session) -> None:
    fix = only(session)
    detail = fix.draft.model_dump(mode="json")
    for body in (FixDrafted(id=fix.id, detail=detail), FixChecked(id=fix.id, detail={})):
        with pytest.raises(ValueError, match="does not record"):
            await session.desk.record(body, thread="codefix")


async def test_a_draft_of_another_store_is_not_put_up_for_approval(session: Session, place: Place) -> None:
    fix = only(session)
    other = fix.draft.model_copy(update={"id": "d-0123456789", "store": str(place.top / "elsewhere")})
    await session.fixes.steps.write(FixDrafted(id=other.id, detail=other.model_dump(mode="json")), "codefix", "x")
    await session.fixes.ask(unchecked=True)
    assert session.fixes.fix(other.id).standing == "drafted"
    assert any("not the one of this session" in note.text for note in types(session, "warroom.note"))


SECRET = "sk_live_" + "4eC39HqLyjWDarjtT1zdp7dc"


async def test_a_secret_in_the_diff_is_kept_out_of_the_journal_and_approved_as_it_is(place: Place) -> None:
    (place.repo / "app" / "limits.py").write_text(f"API_KEY = '{SECRET}'\n")
    git(place.repo, "commit", "-q", "-m", "key", "app/limits.py")
    git(place.repo, "tag", "-f", "v1")
    async with await place.drafted() as session:
        fix = only(session)
        assert SECRET not in fix.draft.diff
        shown = shown_diff()(Path(fix.draft.store), fix.draft.base, fix.draft.commit)
        assert f"-API_KEY = '{SECRET}'" in shown
        await session.fixes.approve(fix.id, digest(fix))
        await session.fixes.deliver(fix.id)
        for path in session.directory.glob("journal.db*"):
            assert SECRET.encode() not in path.read_bytes()


async def test_a_long_diff_is_approved_like_any_other(place: Place) -> None:
    (place.repo / "app" / "limits.py").write_text("".join(f"LIMIT_{n} = {n}\n" for n in range(12_000)))
    git(place.repo, "commit", "-q", "-m", "many", "app/limits.py")
    git(place.repo, "tag", "-f", "v1")
    async with await place.drafted() as session:
        fix = only(session)
        (finished,) = [body for body in types(session, "warroom.tool_finished") if body.tool == "code_draft_revert"]
        assert finished.data is None  # what a tool gave is in a blob; the draft is in its own event all the same
        assert len(fix.draft.diff) > 128 * 1024
        await session.fixes.approve(fix.id, digest(fix))
        assert (await session.fixes.deliver(fix.id)).commit == fix.draft.commit
