"""`code_check` as an agent holds it: over the session's drafts, keyed, private, and never beside its own folder."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from orchestrator.compose import service_infos
from orchestrator.config import load_settings
from orchestrator.config.model import ServiceSettings, Settings, TestSettings
from subagents.codefix import check_tool
from subagents.codefix.agent import build
from subagents.codefix.checks import Checker
from subagents.codefix.draft_model import DraftRevertParams
from subagents.codefix.fixes import CheckMade, CheckParams, Draft, DraftMade
from subagents.codefix.repos import Repositories
from subagents.codefix.sandbox import Sandbox
from subagents.codefix.sandbox_probe import Machine
from subagents.contract import ServiceInfo, ServiceTests, SourceSpec, ToolContext, ToolError
from subagents.gitstore.log import LogQuery
from tests.fakes import FakeClock
from tests.gitstore.repos import commit, fingerprint, init

APP = "def add(a, b):\n    return a + b\n"
TEST = """
import unittest
import app

class TestApp(unittest.TestCase):
    def test_adds(self):
        self.assertEqual(app.add(1, 2), 3)
"""


@pytest.fixture
def spec(tmp_path: Path) -> SourceSpec:
    """A repository in which one commit is guilty."""
    repo = init(tmp_path / "repo")
    commit(repo, {"app.py": APP, "test_app.py": TEST, "setup.py": "", "NOTES": ""}, "root", 1_700_000_000)
    commit(repo, {"app.py": APP.replace("a + b", "a + b + 1")}, "guilty", 1_700_000_100)
    commit(repo, {"NOTES": "later"}, "later", 1_700_000_200)
    return SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(tmp_path / "s" / "fix.git")})


def _context(key: str = "call-1") -> ToolContext:
    return ToolContext(key, FakeClock())


def _draft(spec: SourceSpec) -> Draft:
    agent = build([spec])
    tool = next(tool for tool in agent.tools if tool.name == "code_draft_revert")
    reader = Repositories([spec]).reader("repo")
    guilty = next(one.sha for one in reader.log(LogQuery((reader.store.state.head,))) if one.subject == "guilty")
    made = tool.run(DraftRevertParams(commit=guilty, source="repo", incident="INC-1"), _context("draft")).need()
    assert isinstance(made, DraftMade)
    assert made.draft is not None
    return made.draft


def _asked(draft: Draft) -> CheckParams:
    return CheckParams(draft=draft.id, commit=draft.commit, base=draft.base, source="repo", limit_s=60)


def test_the_agent_holds_it(spec: SourceSpec) -> None:
    tool = next(tool for tool in build([spec]).tools if tool.name == "code_check")
    assert (tool.effect, tool.private, tool.outward, tool.worker) == ("keyed", True, False, False)
    assert (tool.params, tool.result) == (CheckParams, CheckMade)
    assert tool.timeout_s >= 3 * 3600


@pytest.mark.needs("bwrap")
def test_a_revert_is_tested(spec: SourceSpec, tmp_path: Path) -> None:
    draft = _draft(spec)
    before = fingerprint(Path(spec.path))
    tool = next(tool for tool in build([spec]).tools if tool.name == "code_check")
    result = tool.run(_asked(draft), _context())
    check = result.need().check
    told = "\n".join(f"{run.name}: {run.outcome} {run.reason}\n{run.output}" for run in check.runs)
    assert check.claim == "red to green", f"{check.reason}\n{told}"
    assert (check.draft, check.commit) == (draft.id, draft.commit)
    assert result.text.startswith("red to green: 1 test fails on the base and passes on the fix; 1 passed\n")
    assert "fixed: test_app.TestApp.test_adds" in result.text
    assert fingerprint(Path(spec.path)) == before
    assert sorted(path.name for path in (tmp_path / "s").iterdir()) == ["fix.git", "runs"]
    assert list((tmp_path / "s" / "runs").iterdir()) == []
    assert len(json.dumps(result.need().model_dump(mode="json"))) < 1 << 20


@pytest.mark.needs("bwrap")
def test_the_same_key_starts_again_where_it_was_cut_off(spec: SourceSpec, tmp_path: Path) -> None:
    draft = _draft(spec)
    (tool,) = check_tool.tools(Repositories([spec]))
    first = tool.run(_asked(draft), _context()).need().check
    (litter := tmp_path / "s" / "runs" / "check-0").mkdir()
    again = tool.run(_asked(draft), _context()).need().check
    assert (again.claim, again.fixed) == (first.claim, first.fixed)
    assert list((tmp_path / "s" / "runs").iterdir()) == [litter]


def test_a_commit_that_is_no_draft_is_refused(spec: SourceSpec) -> None:
    (tool,) = check_tool.tools(Repositories([spec]))
    params = CheckParams(draft="d-00000", commit="1" * 40, base="2" * 40)
    with pytest.raises(ToolError, match="no draft of this session is 111111111111"):
        tool.run(params, _context())
    with pytest.raises(ToolError, match="not a full object id"):
        tool.run(CheckParams(draft="d-00000", commit="--output=/tmp/x".ljust(40, "x"), base="2" * 40), _context())


def test_the_service_whose_folder_is_touched_says_how(spec: SourceSpec, tmp_path: Path) -> None:
    draft = _draft(spec)
    box = Sandbox(Machine(path=str(tmp_path / "none"), system="Linux"))
    here = ServiceTests(command=("make", "here"))
    services = [
        ServiceInfo(name="other", repo="another", tests=ServiceTests(command=("make", "wrong"))),
        ServiceInfo(name="below", repo="repo", paths=("below",), tests=ServiceTests(command=("make", "below"))),
        ServiceInfo(name="whole", repo="repo", tests=here),
    ]
    (tool,) = check_tool.tools(Repositories([spec]), services, Checker(box))
    check = tool.run(_asked(draft), _context()).need().check
    assert (check.claim, check.command_is) == ("untested", "configured for whole")
    assert check.copy_command.endswith("&& make here")


def test_paths_of_the_settings_are_made_absolute(tmp_path: Path) -> None:
    own = tmp_path / "warroom.toml"
    own.write_text('[services.shop.tests]\ncommand = ["make"]\nro_paths = ["deps", "/opt/x"]\n')
    loaded = load_settings(cwd=tmp_path, folders=[], env={"HOME": str(tmp_path)}, own=own)
    tests = loaded.settings.services["shop"].tests
    assert tests is not None
    assert tests.ro_paths == (str(tmp_path / "deps"), "/opt/x")


def test_settings_reach_the_tool(spec: SourceSpec) -> None:
    tests = TestSettings(command=("make", "unit"), ro_paths=("/opt/x",), env={"A": "b"})
    settings = Settings(services={"shop": ServiceSettings(repo=spec.path, tests=tests), "plain": ServiceSettings()})
    shop, plain = service_infos(settings, [spec])
    assert shop.tests == ServiceTests(command=("make", "unit"), ro_paths=("/opt/x",), env={"A": "b"})
    assert (shop.repo, plain.tests) == ("repo", None)
    assert ServiceInfo.model_validate(shop.model_dump(mode="json")) == shop
