"""The published development cases: every one is read by its adapter, and says nothing that it must not."""

from __future__ import annotations

from pathlib import Path

import pytest

from orchestrator.evaluate.baselines.answers import baseline_answers
from orchestrator.evaluate.cases import Case, find_cases
from orchestrator.evaluate.labels import read_labels
from orchestrator.evaluate.scoring import score_baseline
from orchestrator.evaluate.views import make_view
from orchestrator.intake.intake import take_in
from tests.fakes import FakeClock

TREE = Path(__file__).resolve().parents[2] / ".." / "shared" / "cases"
pytestmark = pytest.mark.skipif(not TREE.is_dir(), reason="the development cases are not beside this repository")

FAMILIES = ("holmes", "nab", "nezha-ob", "nezha-tt", "opensre", "petshop", "reverts", "rootcausebench")


def first_of(family: str) -> Case:
    return next(case for case in find_cases(TREE).cases if case.family == family)


def test_every_family_has_an_adapter_and_labels() -> None:
    found = find_cases(TREE)
    assert tuple(dict.fromkeys(case.family for case in found.cases)) == FAMILIES
    assert not found.skipped
    labels, faults = read_labels(found.labels, FAMILIES)
    assert faults == []
    assert {(case.family, case.id) for case in found.cases} == set(labels)


@pytest.mark.parametrize("family", FAMILIES)
async def test_a_view_is_taken_in_whole(family: str, tmp_path: Path) -> None:
    case = first_of(family)
    view = make_view(case, tmp_path / "view")
    taken = await take_in([str(view.path)], spool=tmp_path / "spool", clock=FakeClock())
    assert taken.specs
    # Of recorded outputs, one that holds nothing is no source; every file of a case is.
    assert not [one for one in taken.unused if ": " not in one]
    said = " ".join([taken.incident.model_dump_json(), *(spec.model_dump_json() for spec in taken.specs)])
    assert case.id not in said
    assert "answer_may" not in said


@pytest.mark.parametrize("family", [family for family in FAMILIES if family != "holmes"])
def test_simple_rules_answer_and_can_be_scored(family: str, tmp_path: Path) -> None:
    case = first_of(family)
    answers = baseline_answers(make_view(case, tmp_path / "view"))
    labels, _ = read_labels(find_cases(TREE).labels, [family])
    assert any(score_baseline(labels[family, case.id], answer) for answer in answers)
