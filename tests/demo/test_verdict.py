"""The same engine as anything else finds the culprit of the bundled incident, and has a tested fix."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orchestrator.demo.recorder.history import commit_of, git
from tests.cli.command import warroom
from tests.demo.test_recorded import deploys, moment
from tests.demo.test_repository import DROPPED, culprit

pytestmark = pytest.mark.needs("git")


def test_the_folder_alone(tmp_path: Path) -> None:
    ran = warroom(tmp_path, "demo", "--path")
    assert (ran.status, ran.err) == (0, "")
    folder = Path(ran.out.strip())
    assert folder.is_relative_to(tmp_path / "state" / "demo")
    assert (folder / "alert.json").is_file()


@pytest.mark.needs("bwrap")
def test_the_verdict_names_the_culprit_and_a_fix_that_was_tested(tmp_path: Path) -> None:
    ran = warroom(tmp_path, "demo", "--headless")
    assert ran.status == 0, ran.err
    told = ran.json()
    repo = next((tmp_path / "state" / "demo").glob("*/incident/repo"))
    bad = culprit(repo)
    verdict: dict[str, Any] = told["verdict"]
    assert (told["kind"], told["culprit"], told["service"]) == ("culprit", bad, "storefront")
    assert verdict["culprit"]["author"].startswith("Oluwaseun Adeyemi")
    assert verdict["culprit"]["deploy"] == "deploy:deploys.json#storefront-v1.4.0"
    assert (verdict["unchecked"], told["doubted"]) == ([], []), "every claim of the offline engine's own holds"
    assert verdict["state"]["state"] == "ongoing"
    assert verdict["confidence"]["value"] >= 0.6
    decoys = {commit_of(repo, "paydesk-v0.8.1"), commit_of(repo, "storefront-v1.4.0")}
    cleared = {item["suspect"]["key"]: item["result"] for item in verdict["ruled_out"]}
    assert decoys | {"suggestions"} <= cleared.keys()
    assert "RelayRefused" in ran.err, "the burst of somebody else is seen, and not blamed"
    assert verdict["affected"] == ["storefront"]
    assert not any("postroom" in step["text"] for step in verdict["chain"])
    assert any("the alert observed" in item["text"] for item in verdict["contradictions"])
    assert verdict["chain"][0]["role"] == "cause"
    filled = next(step for step in verdict["chain"] if "db_pool_in_use" in step["text"])
    assert 0 < (moment(filled["at"]) - moment(deploys()["storefront-v1.4.0"])).total_seconds() < 120
    assert any(DROPPED in reason for reason in verdict["confidence"]["reasons"])
    fix = told["fixes"][0]
    assert "red to green" in str(fix)
    assert DROPPED in str(fix)
    assert git(repo, "for-each-ref", "refs/heads").count(b"\n") == 1, "nothing is delivered before an approval"
