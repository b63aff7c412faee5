"""The drafting tools, the answer to a rejection, and the procedure that uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.codefix.agent import build
from subagents.codefix.draft_model import (
    DraftEditParams,
    DraftNextParams,
    DraftRevertParams,
)
from subagents.codefix.fixes import Check, CheckClaim, CheckMade, CheckParams, Draft, DraftMade
from subagents.codefix.kept import find_kept
from subagents.codefix.procedure import CHECK, Investigation, check_text
from subagents.codefix.store import drafts_dir
from subagents.contract import (
    Brief,
    Fact,
    Finding,
    Incident,
    Params,
    SourceSpec,
    Suspect,
    Tool,
    ToolContext,
    ToolResult,
)
from subagents.specialist import Agent
from tests.codefix.drafting import Bench, content, untouched
from tests.fakes import FakeClock, FakeWorkbench, run_procedure
from tests.gitstore.repos import commit


def spec_of(bench: Bench) -> SourceSpec:
    return SourceSpec(id="repo", kind="repo", path=str(bench.repo), options={"store": str(bench.place)})


def accusation(sha: str, *, deployed: str = "", place: str = "") -> Finding:
    refs = (f"commit:repo/{sha}" + (f"#{place}" if place else ""),)
    facts = (Fact(quantity="deployed_commit", value=deployed, citation="deploy:deploys#42"),) if deployed else ()
    return Finding(
        agent="deploys", claim="the TTL was cut and every request misses", topic="change", stance="for", weight=0.9,
        about=Suspect(kind="commit", key=sha), citations=refs, facts=facts,
    )  # fmt: skip


async def ask(bench: FakeWorkbench, tool: str, params: Params) -> DraftMade:
    result = await bench.call(tool, params, DraftMade)
    assert result.data is not None, result.text
    return result.data


async def draft(bench: FakeWorkbench, tool: str, params: Params) -> Draft:
    made = await ask(bench, tool, params)
    assert made.draft is not None, made.refused
    return made.draft


async def test_a_revert_rests_on_findings_and_is_made_on_what_is_deployed(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    finding = accusation(guilty, deployed=guilty)
    worker = FakeWorkbench(build([spec_of(bench)]), (finding,))
    params = DraftRevertParams(
        commit=guilty[:9], incident="INC-9", finding_ids=(finding.id,), runbook="runbook:cache#2"
    )  # fmt: skip
    with untouched(bench.repo):
        made = await draft(worker, "code_draft_revert", params)
    assert (made.base, made.base_is) == (guilty, "the commit deployed now (deploy:deploys#42)")
    assert made.evidence == (f"commit:repo/{guilty}", "deploy:deploys#42")
    assert made.finding_ids == (finding.id,)
    assert "Why: the TTL was cut" in made.message
    assert made.runbook == "runbook:cache#2"
    (call,) = worker.calls
    assert [item.ref for item in call[2].citations] == [f"commit:repo/{guilty}"]
    assert made.diff in call[2].text
    tip = await draft(worker, "code_draft_revert", params.model_copy(update={"base": "tip"}))
    assert (tip.base, tip.base_is) == (bench.head(), "tip of main")


async def test_refusals_are_results_that_say_why(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    commit(bench.repo, {"a.py": "over\n"}, "over it")
    worker = FakeWorkbench(build([spec_of(bench)]))
    made = await ask(worker, "code_draft_revert", DraftRevertParams(commit=guilty))
    assert made.draft is None
    assert made.conflicts == ("a.py",)
    for params, said in (
        (DraftEditParams(title="edit", paths=("a.py",), olds=("over", "x"), news=("y",)), "give as many of each"),
        (DraftEditParams(title="edit", paths=("../x",), olds=("",), news=("y",)), "cannot be edited"),
        (DraftEditParams(title="edit", paths=("a.py",), olds=("over",), news=("<redacted:key:1>",)), "placeholder"),
    ):
        refused = await ask(worker, "code_draft_edit", params)
        assert refused.draft is None
        assert said in refused.refused
    refused = await ask(worker, "code_draft_revert", DraftRevertParams(commit=guilty, runbook="not a citation"))
    assert "no citation of a runbook step" in refused.refused
    refused = await ask(worker, "code_draft_next", DraftNextParams(draft="d-0000000000"))
    assert "no draft 'd-0000000000'" in refused.refused
    assert bench.branches() == {}


async def test_a_lost_repository_is_a_fault_and_none_is_said(bench: Bench) -> None:
    worker = FakeWorkbench(build([]))
    result = await worker.call("code_draft_revert", DraftRevertParams(commit="a" * 40), DraftMade)
    assert (result.outcome, result.data) == ("error", None)
    assert "--repo" in result.text


# -- after a no ------------------------------------------------------------------------------------


async def test_a_no_brings_the_hunks_then_the_tip_then_none(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    finding = accusation(guilty, deployed=guilty, place="a.py:30")
    worker = FakeWorkbench(build([spec_of(bench)]), (finding,))
    first = await draft(
        worker, "code_draft_revert", DraftRevertParams(commit=guilty, incident="i", finding_ids=(finding.id,))
    )
    second = await draft(worker, "code_draft_next", DraftNextParams(draft=first.id, reason="undoes too\x1b much"))
    assert (second.kind, second.base) == ("hunks", guilty)
    assert content(second, "a.py").count(b"line 30\n") == 1
    assert "rejected: undoes too\\u{1b} much" in " ".join(second.message.split())
    again = await draft(worker, "code_draft_next", DraftNextParams(draft=first.id, reason="undoes too\x1b much"))
    assert again == second, "asked again, the same alternative"
    third = await draft(worker, "code_draft_next", DraftNextParams(draft=second.id, reason="on the tip, please"))
    assert (third.kind, third.base, third.base_is) == ("revert", bench.head(), "tip of main")
    fourth = await draft(worker, "code_draft_next", DraftNextParams(draft=third.id, reason="no"))
    assert (fourth.kind, fourth.base) == ("hunks", bench.head())
    last = await ask(worker, "code_draft_next", DraftNextParams(draft=fourth.id, reason="no"))
    assert last.draft is None
    assert "there is no alternative" in last.refused
    assert "the same change that was rejected" in last.refused
    kept = find_kept(bench.store(), third.id)
    assert kept is not None
    assert kept.rejected == "no"


async def test_an_edit_that_is_rejected_has_no_alternative(bench: Bench) -> None:
    worker = FakeWorkbench(build([spec_of(bench)]))
    params = DraftEditParams(title="edit it", paths=("a.py",), olds=("line 7",), news=("seven",))
    made = await draft(worker, "code_draft_edit", params)
    refused = await ask(worker, "code_draft_next", DraftNextParams(draft=made.id, reason="no"))
    assert "there is no alternative" in refused.refused


async def test_a_hunk_that_is_the_whole_commit_is_no_alternative_to_it(bench: Bench) -> None:
    guilty = bench.head()
    finding = accusation(guilty, place="other.py:1")
    worker = FakeWorkbench(build([spec_of(bench)]), (finding,))
    first = await draft(worker, "code_draft_revert", DraftRevertParams(commit=guilty, finding_ids=(finding.id,)))
    refused = await ask(worker, "code_draft_next", DraftNextParams(draft=first.id, reason="no"))
    assert "the same change that was rejected" in refused.refused
    assert bench.branches() == {first.branch: first.commit}


# -- the procedure ---------------------------------------------------------------------------------


def _with_check(agent: Agent, claim: CheckClaim, asked: list[CheckParams]) -> Agent:
    def check(params: CheckParams, context: ToolContext) -> ToolResult[CheckMade]:
        asked.append(params)
        found = Check(draft=params.draft, commit=params.commit, claim=claim, reason="pytest", fixed=("test_ttl",))
        return ToolResult(data=CheckMade(check=found))

    tool = Tool(CHECK, "Test a draft.", CheckParams, CheckMade, check, effect="keyed", private=True)
    tools = (*(held for held in agent.tools if held.name != CHECK), tool)
    return Agent(
        name=agent.name, description="", mission="", prompt="", tools=tools,
        procedure=Investigation(frozenset(item.name for item in tools)),
    )  # fmt: skip


async def _investigate(bench: Bench, agent: Agent, *findings: Finding) -> FakeWorkbench:
    brief = Brief(incident=Incident(id="INC-7", title="t"), sources=(spec_of(bench),))
    worker, _ = await run_procedure(agent, brief, findings)
    return worker


async def test_the_procedure_drafts_on_the_deployed_base_tests_and_reports(bench: Bench) -> None:
    guilty, asked = bench.head("HEAD~1"), list[CheckParams]()
    agent = _with_check(build([spec_of(bench)]), "red to green", asked)
    with untouched(bench.repo):
        worker = await _investigate(bench, agent, accusation(guilty, deployed=guilty))
    (finding,) = worker.reported
    assert finding.topic == "fix"
    assert "on what" not in finding.claim
    assert "the commit deployed now (deploy:deploys#42)" in finding.claim
    assert "drafted as triage/inc-7-revert-cache-cut-the-ttl" in finding.claim
    assert "from red to green (test_ttl): pytest" in finding.claim
    assert finding.citations == (f"commit:repo/{guilty}", "deploy:deploys#42")
    ((name, commit_id),) = bench.branches().items()
    assert asked == [CheckParams(draft=f"d-{commit_id[:10]}", commit=commit_id, base=guilty, source="repo")]
    assert name == "triage/inc-7-revert-cache-cut-the-ttl"


async def test_where_the_whole_conflicts_the_guilty_hunk_alone_is_tried(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    text = (bench.repo / "a.py").read_text()
    commit(bench.repo, {"a.py": text.replace("fifth\n", "5th\n")}, "over the other hunk")
    worker = await _investigate(bench, build([spec_of(bench)]), accusation(guilty, place="a.py:30"))
    assert "conflicts in a.py" in worker.reported[0].claim
    assert "with the guilty hunks alone" in worker.reported[0].claim
    assert any("trying its hunk at a.py:30" in line for line in worker.said)
    assert len(bench.branches()) == 1


@pytest.mark.parametrize(
    ("place", "said"),
    [("", "which of its hunks is guilty is not known"), ("a.py:5", "No draft: the hunk at a.py:2-8 has changed since")],
)
async def test_where_nothing_applies_it_says_so_and_leaves_no_branch(bench: Bench, place: str, said: str) -> None:
    guilty = bench.head("HEAD~1")
    commit(bench.repo, {"a.py": "all new\n"}, "over it")
    worker = await _investigate(bench, build([spec_of(bench)]), accusation(guilty, place=place))
    assert "conflicts in a.py" in worker.reported[0].claim
    assert said in worker.reported[0].claim
    assert bench.branches() == {}


def test_every_claim_of_a_check_has_words() -> None:
    for claim in ("red to green", "green, no distinguishing test", "still red", "breaks tests", "untested"):
        check = Check.model_validate({"draft": "d-1", "commit": "a" * 40, "claim": claim, "reason": "why."})
        assert check_text(check).endswith(": why")
    assert check_text(None).startswith("untested")


def test_a_roster_that_is_built_touches_no_disk(bench: Bench) -> None:
    build([spec_of(bench)])
    assert not Path(bench.place).exists()
    assert not drafts_dir(bench.place).exists()
    assert FakeClock().now() is not None
