"""Reading code at exact commits, and whether an accused commit can be undone. Nothing is ever changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from subagents.codefix.agent import build
from subagents.codefix.model import (
    CodeFixSummary,
    FileText,
    History,
    HistoryParams,
    Hits,
    ReadParams,
    RevertAnswer,
    RevertParams,
    SearchParams,
)
from subagents.contract import Brief, Fact, Finding, Incident, SourceSpec, Suspect, ToolError, ToolResult
from subagents.specialist import Agent
from tests.fakes import FakeWorkbench, run_procedure
from tests.gitstore.repos import commit, fingerprint, git, init


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    place = init(tmp_path / "repo")
    commit(place, {"a.py": "one\ntwo\nthree\nfour\nfive\n", "bin": b"\0\1"}, "root", 1_700_000_000)
    commit(place, {"a.py": "one\nTWO\nthree\nfour\nfive\n"}, "guilty", 1_700_000_100)
    commit(place, {"a.py": "one\nTWO\nthree\nfour\nFIVE\n"}, "later", 1_700_000_200)
    return place


Ran = tuple[FakeWorkbench, CodeFixSummary]


def spec(repo: Path) -> SourceSpec:
    return SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(repo.parent / "store")})


def accuse(sha: str, weight: float = 0.9, running: str = "") -> Finding:
    facts = (Fact(quantity="deployed_commit", value=running, citation="deploy:deploys#1"),) if running else ()
    suspect = Suspect(kind="commit", key=sha)
    return Finding(
        agent="deploys", claim="it did it", topic="change", about=suspect, stance="for", weight=weight, facts=facts
    )


async def run(agent: Agent, sources: tuple[SourceSpec, ...], *findings: Finding) -> Ran:
    brief = Brief(incident=Incident(id="i", title="t"), sources=sources)
    bench, summary = await run_procedure(agent, brief, findings)
    assert isinstance(summary, CodeFixSummary)
    return bench, summary


async def test_read_search_and_history(repo: Path) -> None:
    agent = build([spec(repo)])
    bench = FakeWorkbench(agent)
    before = fingerprint(repo)
    text = (await bench.call("code_read", ReadParams(path="a.py", first=2, last=3, commit="HEAD"[:0]), FileText)).need()
    assert (text.text, text.total) == ("TWO\nthree", 6)
    old = (
        await bench.call("code_read", ReadParams(path="a.py", commit=git(repo, "rev-parse", "HEAD~2")[:8]), FileText)
    ).need()
    assert old.text.startswith("one\ntwo")
    assert (await bench.call("code_read", ReadParams(path="bin"), FileText)).need().binary
    hits = (await bench.call("code_search", SearchParams(text="FIVE"), Hits)).need()
    assert [(hit.path, hit.line) for hit in hits.hits] == [("a.py", 5)]
    history = (await bench.call("code_history", HistoryParams(path="a.py"), History)).need()
    assert [line.subject for line in history.commits] == ["later", "guilty", "root"]
    citation = bench.calls[0][2].citations[0].ref
    assert agent.resolver is not None
    assert "TWO" in agent.resolver.resolve(citation).excerpt
    with pytest.raises(ToolError):
        agent.resolver.resolve("commit:repo/" + "0" * 40 + "#a.py")
    assert fingerprint(repo) == before


@pytest.mark.parametrize("text", ["--output=x", "HEAD", "main", "HEAD~1", "../..", "--n1", "a" * 40, "\u202emain"])
async def test_no_text_but_an_id_reaches_git(repo: Path, text: str) -> None:
    bench = FakeWorkbench(build([spec(repo)]))
    before = fingerprint(repo)
    calls: list[ToolResult[Any]] = [
        await bench.call("code_read", ReadParams(path="a.py", commit=text), FileText),
        await bench.call("code_search", SearchParams(text="FIVE", commit=text), Hits),
        await bench.call("code_history", HistoryParams(path="a.py", commit=text), History),
        await bench.call("code_revert_check", RevertParams(commit=text), RevertAnswer),
        await bench.call(
            "code_revert_check", RevertParams(commit=git(repo, "rev-parse", "HEAD"), base=text), RevertAnswer
        ),
    ]
    assert {call.outcome for call in calls} == {"error"}
    for path in ("../a.py", "/etc/passwd", ".git/config", "a\nb"):
        assert (await bench.call("code_read", ReadParams(path=path), FileText)).outcome == "error"
        assert (await bench.call("code_history", HistoryParams(path=path), History)).outcome == "error"
    assert fingerprint(repo) == before


async def test_a_clean_undo_is_reported_with_what_came_later(repo: Path) -> None:
    guilty, head = git(repo, "rev-parse", "HEAD~1"), git(repo, "rev-parse", "HEAD")
    before = fingerprint(repo)
    bench, summary = await run(build([spec(repo)]), (spec(repo),), accuse(guilty, running=head))
    (finding,) = bench.reported
    assert (finding.topic, finding.stance) == ("fix", "observes")
    assert f"undoing {guilty[:12]} applies cleanly on {head[:12]}; it changes a.py" in finding.claim
    assert "1 later commit touches the same files" in finding.claim
    assert "the commit deployed now" in finding.claim
    assert finding.citations == (f"commit:repo/{guilty}", "deploy:deploys#1")
    assert "It is drafted as triage/i-revert-guilty, and untested" in finding.claim
    assert summary.reverts[0].clean
    assert len(summary.drafts) == 1
    assert fingerprint(repo) == before


async def test_conflicts_merges_and_an_unknown_base_are_said(repo: Path) -> None:
    commit(repo, {"a.py": "one\n222\nthree\nfour\nFIVE\n"}, "over it")
    guilty = git(repo, "rev-parse", "HEAD~2")
    bench, summary = await run(build([spec(repo)]), (spec(repo),), accuse(guilty, running="f" * 40))
    assert "conflicts in a.py" in bench.reported[0].claim
    assert not summary.reverts[0].clean
    assert any("trying the tip" in line for line in bench.said)
    git(repo, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(repo, {"s.txt": "s\n"}, "side")
    git(repo, "checkout", "-q", "main")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge", "side")
    merge = git(repo, "rev-parse", "HEAD")
    bench, _ = await run(build([spec(repo)]), (spec(repo),), accuse(merge))
    assert "it is a merge: parent 1" in bench.reported[0].claim
    assert "needs this revert reverted first" in bench.reported[0].claim


async def test_nothing_accused_no_repository_and_weak_or_cleared_suspects(repo: Path) -> None:
    guilty = git(repo, "rev-parse", "HEAD~1")
    bench, summary = await run(build([]), (), accuse(guilty))
    assert [f.topic for f in bench.reported] == ["gap"]
    assert "Attach its repository" in bench.reported[0].claim
    bench, summary = await run(build([spec(repo)]), (spec(repo),), accuse(guilty, weight=0.2))
    assert bench.reported == []
    cleared = Finding(
        agent="logs", claim="no", topic="exclusion", about=Suspect(kind="commit", key=guilty), stance="rules_out"
    )
    bench, summary = await run(build([spec(repo)]), (spec(repo),), accuse(guilty), cleared)
    assert (bench.reported, summary.reverts) == ([], ())


async def test_an_unusable_repository_is_a_gap(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    agent = build([spec(tmp_path / "plain")])
    bench, _ = await run(agent, (spec(tmp_path / "plain"),), accuse("a" * 40))
    assert bench.reported[0].topic == "gap"
    assert "is not a git repository" in bench.reported[0].claim


def test_what_writes_is_keyed_and_private() -> None:
    tools = {tool.name: tool for tool in build([]).tools}
    writing = {name for name, tool in tools.items() if tool.effect != "read"}
    drafting = {"code_draft_revert", "code_draft_hunks", "code_draft_edit", "code_draft_next"}
    assert writing - {"code_check"} == drafting
    assert all(tools[name].effect == "keyed" and tools[name].private for name in writing)
    assert not any(tool.outward for tool in tools.values())
