"""What is told while a history is read and diffs are."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from subagents.contract import Progress
from subagents.deploys import so_far
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import SuspectsParams, TimelineParams
from subagents.deploys.tools import ChangeTools
from tests.deploys.builders import context, symptom
from tests.deploys.histories import line, make, spec


def test_commits_and_then_diffs_are_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(so_far, "EVERY", 2)
    names = [f"c{number}" for number in range(35)]
    make(tmp_path / "repo", line(*names), {"refs/heads/main": names[-1]})
    told: list[Progress] = []
    tools = ChangeTools(ChangeCatalogue([spec(tmp_path / "repo")]))
    watched = replace(context(symptom("orders", "slow")), progress=lambda made: told.append(made()))
    tools.suspects(SuspectsParams(), watched)
    commits = [each for each in told if each.unit == "commits"]
    assert [each.done for each in commits] == list(range(1, 36, 2))
    assert all(each.text.startswith("back to 20") and each.text.endswith(" UTC") for each in commits)
    assert told[: len(commits)] == commits
    diffs = told[len(commits) :]
    assert [(each.done, each.total, each.unit) for each in diffs] == [(0, 35, "diffs"), (30, 35, "diffs")]
    assert diffs[0].text == "of the most suspicious changes; 35 commits read"
    told.clear()
    tools.timeline(TimelineParams(), watched)
    assert told == [], "what was read is not read again"
