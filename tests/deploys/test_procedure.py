"""What the specialist reports, on files and on a repository, with its citations opened again."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

import pytest

from subagents import quantities
from subagents.contract import Finding, SourceSpec, ToolError
from subagents.deploys.agent import build
from subagents.deploys.model import (
    BlameParams,
    BlameResult,
    CommitParams,
    CoverageParams,
    CoverageResult,
    DeploysSummary,
    DiffResult,
    TimelineParams,
    TimelineResult,
    TouchesResult,
)
from tests.deploys.builders import NOON, brief, commit, deploy, sha, source, stamp
from tests.deploys.test_suspects import COMMENTS, LOOP, POOL, POOL_SYMPTOM
from tests.fakes import FakeWorkbench, run_procedure
from tests.gitstore.repos import commit as git_commit
from tests.gitstore.repos import fingerprint, git, init


def case(tmp_path: Path) -> list[SourceSpec]:
    commits = [
        commit(1, -60, "chore: tidy engine defaults", ["orders/db.py"], POOL),
        commit(2, -30, "comments", ["orders/db.py"], COMMENTS),
        commit(3, -10, "late", ["orders/view.py"], LOOP),
    ]
    deploys = [deploy(1, -50, "orders"), deploy(2, -25, "orders"), deploy(3, 15, "orders")]
    flags = [{"ts": stamp(12), "flag": "late_flag", "service": "orders", "change": "off->on"}]
    return [
        source(tmp_path / "commits.json", "commits", commits),
        source(tmp_path / "deploys.json", "deploys", deploys),
        source(tmp_path / "flags.json", "flags", flags),
    ]


def about(findings: list[Finding], key: str) -> Finding:
    return next(f for f in findings if f.about is not None and f.about.key == key)


async def test_for_against_ruled_out_each_with_facts_and_citations(tmp_path: Path) -> None:
    specs = case(tmp_path)
    agent = build(specs)
    bench, summary = await run_procedure(agent, brief(specs), POOL_SYMPTOM)
    guilty = about(bench.reported, sha(1))
    assert (guilty.topic, guilty.stance) == ("change", "for")
    assert guilty.weight > 0.8
    facts = {fact.quantity: fact for fact in guilty.facts}
    assert facts[quantities.LEAD_TIME].value == 3000
    assert facts[quantities.DEPLOYED_AT].value == stamp(-50)
    assert facts[quantities.COMMITTED_AT].value == stamp(-60)
    assert facts[quantities.RANK].value == 1
    assert facts["deployed_commit"].value == sha(3)
    assert guilty.citations[:2] == (f"commit:commits/{sha(1)}#orders/db.py:3", "deploy:deploys#1")
    assert about(bench.reported, sha(2)).stance == "rules_out"
    assert "only comments change" in about(bench.reported, sha(2)).claim
    assert "after the onset" in about(bench.reported, sha(3)).claim
    assert about(bench.reported, "late_flag").stance == "rules_out"
    assert len(bench.reported) <= 12
    for finding in bench.reported:
        for ref in (*finding.citations, *(fact.citation for fact in finding.facts)):
            assert agent.resolver is not None
            assert agent.resolver.resolve(ref).digest.startswith("sha256:")
    assert isinstance(summary, DeploysSummary)
    assert summary.suspects
    assert [line.version for line in summary.deploys] == ["v1", "v2", "v3"]
    assert summary.deploys[1].previous_version == "v1"
    assert summary.onset == NOON
    hunk = agent.resolver.resolve(guilty.citations[0]) if agent.resolver else None
    assert hunk is not None
    assert "pool_size = 4," in hunk.excerpt


async def test_scores_are_reported_once_however_findings_arrive(tmp_path: Path) -> None:
    specs = case(tmp_path)
    agent = build(specs)

    class Slow(FakeWorkbench):
        arriving: ClassVar[list[Finding]] = list(POOL_SYMPTOM)

        async def more(self, seen: int) -> bool:
            assert self.reported == [], "nothing is reported while others work"
            if self.arriving:
                self._findings.append(self.arriving.pop(0))
                return True
            return len(self._findings) > seen

    bench = Slow(agent)
    assert agent.procedure is not None
    await agent.procedure(brief(specs), bench)
    keys = [f.about.id for f in bench.reported if f.about is not None]
    assert len(keys) == len(set(keys))
    assert about(bench.reported, sha(1)).stance == "for"
    assert sum(1 for name, _, _ in bench.calls if name == "deploys_suspects") == 3
    assert any("most suspicious so far" in line for line in bench.said)


async def test_the_latest_deploy_gets_its_answer_even_when_it_is_harmless(tmp_path: Path) -> None:
    harmless = "--- a/orders/label.py\n+++ b/orders/label.py\n@@ -1 +1,2 @@\n a\n+b = 1\n"
    commits = [commit(1, -60, "tidy", ["orders/db.py"], POOL), commit(2, -20, "label", ["orders/label.py"], harmless)]
    specs = [
        source(tmp_path / "commits.json", "commits", commits),
        source(tmp_path / "deploys.json", "deploys", [deploy(1, -50, "orders"), deploy(2, -10, "orders")]),
    ]
    bench, _ = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    latest = about(bench.reported, sha(2))
    assert latest.stance == "against"
    assert "hardly explains it" in latest.claim
    assert about(bench.reported, sha(1)).stance == "for"


async def test_no_source_is_a_gap_and_no_explanation_is_an_exclusion(tmp_path: Path) -> None:
    bench, summary = await run_procedure(build([]), brief([]))
    assert [f.topic for f in bench.reported] == ["gap"]
    assert summary == DeploysSummary()
    specs = [source(tmp_path / "commits.json", "commits", [commit(1, -60, "docs", ["docs/a.md"])])]
    bench, _ = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    assert "each of the 1 looked at is ruled out" in next(f.claim for f in bench.reported if f.topic == "exclusion")


async def test_broken_sources_give_gaps_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    specs = [
        source(tmp_path / "deploys.json", "deploys", "{broken"),
        source(tmp_path / "commits.json", "commits", b"\xff\x00"),
        SourceSpec(
            id="r", kind="repo", path=str(tmp_path / "empty"), origin="empty", options={"store": str(tmp_path / "s")}
        ),
    ]
    bench, _ = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    said = " ".join(f.claim for f in bench.reported if f.topic == "gap")
    assert "is not a git repository" in said
    assert "not valid JSON" in said


@pytest.fixture
def shop(tmp_path: Path) -> tuple[Path, list[str]]:
    repo = init(tmp_path / "shop")
    base = int(NOON.timestamp())
    ids = [
        git_commit(
            repo,
            {"orders/db.py": "def engine():\n    return make(\n        pool_size=40,\n    )\n"},
            "start",
            base - 90000,
        ),
        git_commit(repo, {"mail/m.py": "x = 1\n"}, "mail", base - 7200),
        git_commit(
            repo,
            {"orders/db.py": "def engine():\n    return make(\n        pool_size=4,\n    )\n"},
            "tidy",
            base - 7000,
        ),
        git_commit(repo, {"orders/view.py": "# notes\n"}, "notes on pool_size", base - 6800),
    ]
    git(repo, "tag", "v9", ids[3])
    return repo, ids


async def test_a_repository_with_deploys_by_commit_and_by_tag(tmp_path: Path, shop: tuple[Path, list[str]]) -> None:
    repo, ids = shop
    deploys = [
        {"ts": stamp(-1400), "service": "orders", "commit": ids[0][:10], "version": "v8"},
        {"ts": stamp(-40), "service": "orders", "version": "v9"},
        {"ts": stamp(-30), "service": "orders", "commit": "f" * 40, "version": "v10"},
    ]
    specs = [
        SourceSpec(id="repo", kind="repo", path=str(repo), origin="shop", options={"store": str(tmp_path / "store")}),
        source(tmp_path / "deploys.json", "deploys", deploys),
    ]
    before = fingerprint(repo)
    agent = build(specs)
    bench, summary = await run_procedure(agent, brief(specs), POOL_SYMPTOM)
    assert fingerprint(repo) == before
    best = summary.suspects[0]
    assert (best.key, best.version, best.previous_commit) == (ids[2], "v9", ids[0])
    assert best.score > 0.7
    lines = {line.version: line for line in summary.deploys}
    assert lines["v9"].brought == (ids[3], ids[2], ids[1])
    assert lines["v9"].certain
    assert any("1 of 3 deploys name no commit that a source knows" in f.claim for f in bench.reported)
    for finding in bench.reported:
        for ref in finding.citations:
            assert agent.resolver is not None
            agent.resolver.resolve(ref)


async def test_every_other_tool(tmp_path: Path, shop: tuple[Path, list[str]]) -> None:
    repo, ids = shop
    specs = [
        SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(tmp_path / "store")}),
        *case(tmp_path),
    ]
    agent = build(specs)
    bench = FakeWorkbench(agent)
    diff = (await bench.call("deploys_diff", CommitParams(commit=ids[2][:9]), DiffResult)).need()
    assert diff.available
    assert "+        pool_size=4," in diff.diff
    missing = await bench.call("deploys_diff", CommitParams(commit="0123456789"), DiffResult)
    assert missing.outcome == "error"
    touched = (await bench.call("deploys_touches", CommitParams(commit=ids[2]), TouchesResult)).need()
    assert touched.places[0].signs
    assert touched.services == ("orders",)
    blame = (await bench.call("deploys_blame", BlameParams(path="orders/db.py", first=3, last=3), BlameResult)).need()
    assert [line.commit for line in blame.lines] == [ids[2]]
    listed = (
        await bench.call("deploys_timeline", TimelineParams(start=stamp(-60), end=stamp(60)), TimelineResult)
    ).need()
    assert [line.kind for line in listed.changes] == [
        "commit",
        "deploy",
        "commit",
        "deploy",
        "commit",
        "flag",
        "deploy",
    ]
    only = (await bench.call("deploys_timeline", TimelineParams(service="orders", limit=2), TimelineResult)).need()
    assert len(only.changes) == 2
    coverage = (await bench.call("deploys_coverage", CoverageParams(), CoverageResult)).need()
    assert {item.kind for item in coverage.coverage} == {"repo", "commits", "deploys", "flags"}
    bad = await bench.call("deploys_timeline", TimelineParams(start="yesterday"), TimelineResult)
    assert "is not a time" in bad.text
    for path in ("--output=x", "../x", "absent.py"):
        assert (
            await bench.call("deploys_blame", BlameParams(path=path, first=1, last=1), BlameResult)
        ).outcome == "error"


def test_citations_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    resolver = build(case(tmp_path)).resolver
    assert resolver is not None
    for ref in (
        "deploy:deploys#99",
        "flag:flags#x",
        "commit:commits/ffffffff",
        "log:x@0+1",
        "nonsense",
        f"commit:commits/{sha(1)}#no.py",
    ):
        with pytest.raises(ToolError):
            resolver.resolve(ref)


async def test_every_reported_change_brings_its_evidence_however_low_it_ranks(tmp_path: Path) -> None:
    commits = [commit(1, -60, "chore: tidy engine defaults", ["orders/db.py"], POOL)]
    commits += [
        commit(number, -50 + number, f"work {number}", [f"orders/f{number}.py"], LOOP) for number in range(2, 30)
    ]
    commits.append(commit(40, 5, "after", ["orders/db.py"], COMMENTS))
    specs = [
        source(tmp_path / "commits.json", "commits", commits),
        source(tmp_path / "deploys.json", "deploys", [deploy(29, -18, "orders")]),
    ]
    bench, _ = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    handed = {item.ref for _, _, result in bench.calls for item in result.citations}
    assert any(finding.stance == "rules_out" for finding in bench.reported)
    for finding in bench.reported:
        assert set(finding.citations) <= handed, finding.claim


async def test_the_first_deploy_on_record_did_not_bring_all_of_history(tmp_path: Path) -> None:
    repo = init(tmp_path / "shop")
    base = int(NOON.timestamp())
    whole: dict[str, str | bytes | None] = {
        "orders/db.py": "def engine():\n    return make(\n        pool_size=4,\n    )\n",
        "pay/card.py": "x = 1\n",
    }
    first = git_commit(repo, whole, "Import the shop", base - 6 * 86_400)
    old = git_commit(repo, {"orders/db.py": "pool_size = 3\n"}, "old pool_size", base - 5 * 86_400)
    head = git_commit(repo, {"pay/card.py": "x = 2\n"}, "card wording", base - 3600)
    specs = [
        SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(tmp_path / "store")}),
        source(tmp_path / "deploys.json", "deploys", [{**deploy(1, -30, "orders"), "commit_sha": head}]),
    ]
    bench, summary = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    ranked = {item.key: item for item in summary.suspects}
    assert "the history begins with it" in ranked[first].ruled_out
    assert ranked[old].deploy is None, "a deploy of now did not bring what landed five days ago"
    assert not [f for f in bench.reported if f.about and f.about.key == first and f.stance == "for"]


async def test_a_first_commit_that_was_deployed_itself_is_judged(tmp_path: Path) -> None:
    repo = init(tmp_path / "shop")
    whole: dict[str, str | bytes | None] = {
        "orders/db.py": "def engine():\n    return make(\n        pool_size=4,\n    )\n"
    }
    first = git_commit(repo, whole, "New service", int(NOON.timestamp()) - 3600)
    specs = [
        SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(tmp_path / "store")}),
        source(tmp_path / "deploys.json", "deploys", [{**deploy(1, -30, "orders"), "commit_sha": first}]),
    ]
    _, summary = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    assert [item.ruled_out for item in summary.suspects if item.key == first] == [""]
