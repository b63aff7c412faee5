"""A draft made through the real hands: nobody is asked, it is on record; what is redacted is exact in the store."""

from __future__ import annotations

from pathlib import Path

from orchestrator.engines.base import ToolUse
from orchestrator.journal.events import FixDrafted, PolicyDecided
from subagents.codefix.agent import build
from subagents.codefix.fixes import Draft, DraftMade
from subagents.codefix.review import diff_text, digest_of_diff
from subagents.specialist import Roster
from tests.codefix.drafting import Bench, untouched
from tests.codefix.test_draft_tools import accusation, spec_of
from tests.gitstore.repos import commit
from tests.hands.conftest import MakeRig, Rig, make_rig

__all__ = ["make_rig"]
SECRET = "AKIAIOSFODNN7EXAMPLE"  # noqa: S105  the documented example of a key


async def _rig(make_rig: MakeRig, bench: Bench) -> Rig:
    rig = await make_rig()
    agent = build([spec_of(bench)])
    rig.hands.roster = Roster({"codefix": agent})
    return rig


async def _draft(rig: Rig, call_id: str, guilty: str) -> Draft:
    rig.board[:] = [accusation(guilty)]
    given = {"commit": guilty, "incident": "INC-1", "finding_ids": [rig.board[0].id]}
    result = await rig.ask("codefix", ToolUse(id=call_id, name="code_draft_revert", input=given), "codefix")
    assert result.outcome == "ok", result.text
    assert isinstance(result.data, DraftMade)
    assert result.data.draft is not None
    return result.data.draft


async def test_nobody_is_asked_and_the_draft_is_recorded_with_the_result(make_rig: MakeRig, bench: Bench) -> None:
    rig = await _rig(make_rig, bench)
    with untouched(bench.repo):
        draft = await _draft(rig, "c1", bench.head("HEAD~1"))
    (decided,) = [event.body for event in rig.events("warroom.policy_decided")]
    assert isinstance(decided, PolicyDecided)
    assert (decided.decision, decided.rule) == ("allow", "private")
    (event,) = rig.events("warroom.fix_drafted")
    assert isinstance(event.body, FixDrafted)
    assert Draft.model_validate(event.body.detail) == draft
    assert draft.diff_digest == digest_of_diff(draft.diff), "nothing of an ordinary draft is taken for a secret"
    assert rig.types().index("warroom.fix_drafted") - rig.types().index("warroom.tool_finished") in (1, -1)
    assert await _draft(rig, "c1", bench.head("HEAD~1")) == draft
    assert len(rig.events("warroom.fix_drafted")) == 1


async def test_a_secret_in_a_diff_is_redacted_on_record_and_exact_in_the_store(make_rig: MakeRig, bench: Bench) -> None:
    guilty = commit(bench.repo, {"other.py": f"aws_access_key_id = '{SECRET}'\n"}, "add a key")
    rig = await _rig(make_rig, bench)
    draft = await _draft(rig, "c1", guilty)
    assert SECRET not in draft.diff
    assert "<redacted:" in draft.diff
    assert SECRET.encode() not in rig.stored()
    exact = diff_text(Path(draft.store), draft.base, draft.commit)
    assert SECRET in exact
    assert digest_of_diff(exact) == draft.diff_digest
