"""What became of each draft, folded from hand-made events."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.hands.approvals import digest_of
from orchestrator.hands.fix_fold import PUSHED, FixFold, FixStanding, fixes
from orchestrator.journal.events import (
    ApprovalDecided,
    ApprovalRequested,
    Body,
    Egress,
    Event,
    FixChecked,
    FixDelivered,
    FixDrafted,
)
from subagents.codefix.fixes import Check, Draft

DRAFT = Draft(
    id="d-aaaaaaaaaa",
    kind="revert",
    source="repo",
    store="/state/drafts.git",
    commit="a" * 40,
    tree="b" * 40,
    base="c" * 40,
    base_is="tip of main",
    branch="triage/inc-1-x",
    title="x",
    message="x",
)
DETAIL = {"draft": DRAFT.id, "ref": "refs/heads/triage/inc-1-x"}
DRAFTED = FixDrafted(id=DRAFT.id, detail=DRAFT.model_dump(mode="json"))
ASKED = ApprovalRequested(id="fix:1", subject="fix", digest=digest_of(DETAIL), detail=DETAIL)
PUSH = ApprovalRequested(id="push:1", subject="push", digest="sha256:p", detail=DETAIL)
YES = ApprovalDecided(id="fix:1", decision="approve", digest=ASKED.digest, by="person")
NO = ApprovalDecided(id="fix:1", decision="reject", digest=ASKED.digest, by="person", reason="no")
OTHER_YES = ApprovalDecided(id="fix:1", decision="approve", digest="sha256:other", by="person")
VOID = ApprovalDecided(id="fix:1", decision="void", digest=ASKED.digest, by="warroom", reason="changed")
STRANGE = ApprovalDecided(id="call:1", decision="approve", digest=ASKED.digest, by="person")
DONE = FixDelivered(id=DRAFT.id, detail={"ref": DETAIL["ref"], "commit": DRAFT.commit})


def story(*bodies: Body) -> list[Event]:
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        Event(seq=seq, ts=at, mono=float(seq), thread="codefix", body=body, hash="0" * 64)
        for seq, body in enumerate(bodies, start=1)
    ]


@pytest.mark.parametrize(
    ("bodies", "standing"),
    [
        ((DRAFTED,), "drafted"),
        ((DRAFTED, ASKED), "waits"),
        ((DRAFTED, ASKED, STRANGE), "waits"),
        ((DRAFTED, ASKED, YES), "approved"),
        ((DRAFTED, ASKED, NO), "rejected"),
        ((DRAFTED, ASKED, NO, YES), "rejected"),
        ((DRAFTED, ASKED, OTHER_YES), "void"),
        ((DRAFTED, ASKED, YES, VOID), "void"),
        ((DRAFTED, ASKED, YES, VOID, ASKED.model_copy(update={"id": "fix:2"})), "waits"),
        ((DRAFTED, ASKED, YES, DONE), "delivered"),
        ((DRAFTED, PUSH), "drafted"),
    ],
)
def test_where_a_draft_stands(bodies: tuple[Body, ...], standing: FixStanding) -> None:
    found = fixes(story(*bodies))
    assert found[DRAFT.id].standing == standing
    fold = FixFold()
    for event in [*story(*bodies), *story(*bodies)]:
        fold.learn(event)
    assert fold.fixes == found


def test_a_draft_made_anew_has_no_tests_yet() -> None:
    check = Check(draft=DRAFT.id, commit=DRAFT.commit, claim="red to green", reason="")
    checked = FixChecked(id=DRAFT.id, detail=check.model_dump(mode="json"))
    assert fixes(story(DRAFTED, checked))[DRAFT.id].check == check
    assert fixes(story(DRAFTED, checked, DRAFTED))[DRAFT.id].check == check
    anew = FixDrafted(id=DRAFT.id, detail=DRAFT.model_copy(update={"tree": "f" * 40}).model_dump(mode="json"))
    found = fixes(story(DRAFTED, checked, anew))[DRAFT.id]
    assert found.check is None
    assert found.draft.tree == "f" * 40


def test_what_cannot_be_read_is_said_and_hides_nothing_else() -> None:
    fold = FixFold()
    strange = FixDrafted(id="d-bbbbbbbbbb", detail={"of": "another version"})
    for event in story(strange, DRAFTED, FixChecked(id=DRAFT.id, detail={"x": 1}), DONE):
        fold.learn(event)
    assert list(fold.fixes) == [DRAFT.id]
    assert list(fold.unread) == ["d-bbbbbbbbbb"]
    assert fold.fixes[DRAFT.id].check is None


def test_a_push_that_began_and_has_no_end_is_not_known() -> None:
    begun = Egress(host="example.org", purpose=PUSHED, detail={"draft": DRAFT.id})
    ended = Egress(host="example.org", purpose=PUSHED, detail={"draft": DRAFT.id, "outcome": "pushed", "done": True})
    other = Egress(host="example.org", purpose="model", detail={"draft": DRAFT.id})
    assert fixes(story(DRAFTED, other))[DRAFT.id].outward == ""
    assert "not known" in fixes(story(DRAFTED, begun))[DRAFT.id].outward
    assert fixes(story(DRAFTED, begun, ended))[DRAFT.id].outward == "pushed"
