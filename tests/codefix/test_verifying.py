"""What the codefix resolver says of claims: counts of tests, from the checks that its tool recorded."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.codefix import check_tool
from subagents.codefix.agent import build
from subagents.codefix.checks import Checker
from subagents.codefix.claims import NAMES_KEPT
from subagents.codefix.draft_model import DraftRevertParams
from subagents.codefix.fixes import Check, CheckMade, CheckParams, Draft, DraftMade, SuiteRun
from subagents.codefix.kept import keep_check, kept_checks
from subagents.codefix.repos import Repositories
from subagents.codefix.sandbox import Sandbox
from subagents.codefix.sandbox_probe import Machine
from subagents.codefix.store import RECORDS, drafts_dir
from subagents.contract import Brief, Fact, Incident, Params, Tool, ToolContext, ToolError, ToolResult
from subagents.verifying import NameKind, Recomputed, Verifier
from tests.codefix.drafting import Bench
from tests.codefix.test_draft_tools import accusation, spec_of
from tests.fakes import FakeClock, FakeWorkbench, run_procedure

RUNS = (SuiteRun(name="fix", outcome="passed", passed=9),)


def verifier(bench: Bench) -> Verifier:
    resolver: object = build([spec_of(bench)]).resolver
    assert isinstance(resolver, Verifier)
    return resolver


async def drafted(bench: Bench, commit: str, base: str = "") -> Draft:
    worker = FakeWorkbench(build([spec_of(bench)]))
    made = await worker.call("code_draft_revert", DraftRevertParams(commit=commit, base=base, incident="i"), DraftMade)
    assert made.data is not None
    assert made.data.draft is not None
    return made.data.draft


def record(
    bench: Bench, draft: Draft, fixed: int, broken: int = 0, at: int = 0, runs: tuple[SuiteRun, ...] = RUNS
) -> None:
    """Record a check as the tool does, at a moment."""
    names = [tuple(f"test_{row}" for row in range(count)) for count in (fixed, broken)]
    check = Check(
        draft=draft.id, commit=draft.commit, claim="red to green", reason="", runs=runs, fixed=names[0], broken=names[1]
    )
    keep_check(drafts_dir(bench.place), check)
    file = drafts_dir(bench.place) / RECORDS / f"check-{draft.commit}.json"
    os.utime(file, (at, at))


def fact(quantity: str, citation: str, value: int = 0) -> Fact:
    return Fact(quantity=quantity, value=value, unit="tests", citation=citation)


async def test_counts_are_those_of_the_recorded_check_of_the_cited_commit(bench: Bench) -> None:
    guilty, known = bench.head("HEAD~1"), verifier(bench)
    ref = f"commit:repo/{guilty}"
    assert known.recompute(fact(q.TESTS_FIXED, ref)) is None, "nothing was drafted"
    draft = await drafted(bench, guilty)
    assert known.recompute(fact(q.TESTS_FIXED, ref)) is None, "nothing was tested"
    record(bench, draft, 3, 1)
    for cited in (ref, f"commit:repo/{guilty[:9]}", f"commit:repo/{draft.commit}"):
        assert known.recompute(fact(q.TESTS_FIXED, cited, 4)) == Recomputed(value=3, unit="tests")
        assert known.recompute(fact(q.TESTS_BROKEN, cited)) == Recomputed(value=1, unit="tests")
    for other in (f"commit:repo/{bench.head()}", f"commit:other/{guilty}", f"commit:repo/{guilty[:5]}"):
        assert known.recompute(fact(q.TESTS_FIXED, other)) is None, other


async def test_of_two_drafts_the_fact_may_mean_either_and_else_the_last_one_tested(bench: Bench) -> None:
    guilty, known = bench.head("HEAD~1"), verifier(bench)
    for base, fixed, at in ((guilty, 3, 20), ("", 5, 10)):
        record(bench, await drafted(bench, guilty, base), fixed, at=at)
    answers = [known.recompute(fact(q.TESTS_FIXED, f"commit:repo/{guilty}", stated)) for stated in (3, 5, 4)]
    assert [answer.value for answer in answers if answer is not None] == [3, 5, 3]


async def test_where_nothing_ran_or_names_were_cut_there_is_no_count(bench: Bench) -> None:
    guilty, known = bench.head("HEAD~1"), verifier(bench)
    draft = await drafted(bench, guilty)
    record(bench, draft, 0, runs=())
    assert known.recompute(fact(q.TESTS_FIXED, f"commit:repo/{guilty}")) is None
    record(bench, draft, NAMES_KEPT)
    assert known.recompute(fact(q.TESTS_FIXED, f"commit:repo/{guilty}")) is None
    assert known.recompute(fact(q.TESTS_BROKEN, f"commit:repo/{guilty}")) == Recomputed(value=0, unit="tests")


async def test_a_record_that_is_damaged_is_no_record(bench: Bench) -> None:
    draft = await drafted(bench, bench.head("HEAD~1"))
    record(bench, draft, 3)
    (drafts_dir(bench.place) / RECORDS / f"check-{draft.commit}.json").write_text("{")
    assert kept_checks(drafts_dir(bench.place)) == []


def test_tests_cite_a_commit_and_other_quantities_are_for_others(bench: Bench) -> None:
    known = verifier(bench)
    with pytest.raises(ToolError, match="cites the commit that the tested draft undoes"):
        known.recompute(fact(q.TESTS_FIXED, "deploy:deploys#1"))
    for quantity in (q.COMMITTED_AT, q.SCORE, "mood"):
        assert known.recompute(fact(quantity, f"commit:repo/{bench.head()}")) is None


async def test_names_and_time(bench: Bench) -> None:
    draft, known = await drafted(bench, bench.head("HEAD~1")), verifier(bench)
    record(bench, draft, 1)
    asked: list[tuple[NameKind, str]] = [
        ("commit", draft.commit), ("commit", draft.commit[:8]), ("commit", draft.commit[:4]), ("commit", bench.head()),
        ("path", "a.py"), ("service", "a"),
    ]  # fmt: skip
    assert [known.has(kind, name) for kind, name in asked] == [True, True, None, None, None, None]
    span = known.span()
    assert span is not None
    assert (int(span.start.timestamp()), int(span.end.timestamp())) == (1_700_000_000, 1_700_000_200)
    empty: object = build([]).resolver
    assert isinstance(empty, Verifier)
    assert empty.span() is None
    assert build([]).cites == ()


class Recording:
    """Stands for `code_check`: records what a check showed, without a sandbox."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def run(self, params: Params, context: ToolContext) -> ToolResult[CheckMade]:
        assert isinstance(params, CheckParams)
        check = Check(
            draft=params.draft, commit=params.commit, claim="red to green", reason="", runs=RUNS, fixed=("test_ttl",)
        )
        keep_check(drafts_dir(self._bench.place), check)
        return ToolResult(data=CheckMade(check=check))


async def test_what_the_procedure_states_holds(bench: Bench) -> None:
    agent = build([spec_of(bench)])
    tool = Tool(
        "code_check", "Test a draft.", CheckParams, CheckMade, Recording(bench).run, effect="keyed", private=True
    )
    agent = replace(agent, tools=(*(held for held in agent.tools if held.name != "code_check"), tool))
    brief = Brief(incident=Incident(id="INC-7", title="t"), sources=(spec_of(bench),))
    worker, _ = await run_procedure(agent, brief, (accusation(bench.head("HEAD~1")),))
    (finding,) = worker.reported
    assert [(each.quantity, each.value) for each in finding.facts] == [(q.TESTS_FIXED, 1), (q.TESTS_BROKEN, 0)]
    known = verifier(bench)
    for each in finding.facts:
        assert each.citation in finding.citations
        assert known.recompute(each) == Recomputed(value=each.value, unit=each.unit)


async def test_the_tool_records_what_it_showed_or_says_that_it_could_not(bench: Bench, tmp_path: Path) -> None:
    draft = await drafted(bench, bench.head("HEAD~1"))
    nowhere = Checker(Sandbox(Machine(path=str(tmp_path / "none"), system="Linux")))
    (tool,) = check_tool.tools(Repositories([spec_of(bench)]), (), nowhere)
    asked = CheckParams(draft=draft.id, commit=draft.commit, base=draft.base, source="repo")
    check = tool.run(asked, ToolContext("k", FakeClock())).need().check
    assert kept_checks(drafts_dir(bench.place)) == [(draft.model_copy(update={"diff": ""}), check)]
    (drafts_dir(bench.place) / RECORDS).rename(tmp_path / "elsewhere")
    told = tool.run(asked, ToolContext("k", FakeClock())).need().check.warnings
    assert "could not be kept (No such file or directory)" in told[-1]


def test_looking_makes_nothing(bench: Bench) -> None:
    assert verifier(bench).recompute(fact(q.TESTS_FIXED, f"commit:repo/{'a' * 40}")) is None
    assert not Path(bench.place).exists()
