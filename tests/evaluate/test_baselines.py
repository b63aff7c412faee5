"""The simple rules, each on inputs on which the answer is plain."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from orchestrator.evaluate.baselines.answers import baseline_answers
from orchestrator.evaluate.baselines.changes import cosines
from orchestrator.evaluate.cases import Case, Shape
from orchestrator.evaluate.lines import BaselineAnswer
from orchestrator.evaluate.views import make_view
from tests.evaluate.trees import SHAS, at, write_complaint, write_outage, write_reading


def answers(tmp_path: Path, path: Path, shape: Shape) -> dict[str, BaselineAnswer]:
    view = make_view(Case("c", "f", path, shape), tmp_path / "view")
    return {one.name: one for one in baseline_answers(view)}


def test_on_a_folder(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "one")
    logs = [
        {"ts": at(26), "service": "porch", "level": "error", "message": "ledger said 503"},
        {"ts": at(27), "service": "porch", "level": "ERROR", "message": "ledger said 503"},
        {"ts": at(26), "service": "ledger", "level": "INFO", "message": "no ERROR here"},
        {"ts": at(25), "service": "ledger", "level": "FATAL", "message": "pool"},
        *({"ts": at(3), "service": "ledger", "level": "ERROR", "message": "before"} for _ in range(5)),
    ]
    (folder / "logs.jsonl").write_text("".join(json.dumps(one) + "\n" for one in logs) + "torn {ERROR\n")
    case = json.loads((folder / "case.json").read_text())
    case["files"]["logs"] = "logs.jsonl"
    (folder / "case.json").write_text(json.dumps(case))
    late = {"timestamp": at(30), "service": "porch", "commit_sha": SHAS[5], "version": "v9"}
    deploys = json.loads((folder / "deploys.json").read_text())
    (folder / "deploys.json").write_text(json.dumps([*deploys, late]))
    made = answers(tmp_path, folder, "folder")
    assert list(made) == [
        *("latest deploy", "newest commit", "largest diff first", "text similarity, recency"),
        *("alerting service", "largest relative change", "largest z-score", "most error lines"),
    ]
    # The deploy after the page is not the latest one before it.
    assert made["latest deploy"].culprit == SHAS[1]
    assert [one.commit for one in made["latest deploy"].suspects] == [SHAS[1], SHAS[0]]
    assert made["largest diff first"].culprit == SHAS[1]
    assert made["text similarity, recency"].culprit == SHAS[1]
    assert made["alerting service"].service == "ledger"
    assert [one.service for one in made["largest relative change"].services] == ["ledger", "porch"]
    assert [one.service for one in made["most error lines"].services] == ["porch", "ledger"]
    # Series without any spread before have no z-score.
    assert {one.score for one in made["largest z-score"].services} == {0.0}


def test_on_a_symptom_with_commits(tmp_path: Path) -> None:
    made = answers(tmp_path, write_complaint(tmp_path / "one.json.gz"), "symptom")
    assert {name: one.culprit for name, one in made.items()} == {
        "newest commit": SHAS[2],
        "largest diff first": SHAS[4],
        "text similarity, recency": SHAS[3],
    }
    assert all(len(one.suspects) == 3 for one in made.values())


def test_on_a_series(tmp_path: Path) -> None:
    made = answers(tmp_path, write_reading(tmp_path / "one.csv"), "series")
    assert list(made) == ["farthest from median"]
    onset = made["farthest from median"].onset
    assert onset is not None
    assert onset.isoformat() >= "2026-03-01T14:00"


def test_on_recorded_evidence(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "one", files={"evidence": "evidence.json.gz"})
    (folder / "evidence.json.gz").write_bytes(gzip.compress(b'{"pods": "all well"}'))
    assert list(answers(tmp_path, folder, "folder")) == ["alerting service", "always an incident"]


@pytest.mark.parametrize("rows", [b"", b"ts,value\n", b"ts,value\nx,y\n", b"\xff\xfe\0", b"ts,value\n2026-01-01,nan\n"])
def test_unreadable_inputs_give_no_answer_and_no_fault(tmp_path: Path, rows: bytes) -> None:
    path = tmp_path / "one.csv"
    path.write_bytes(rows)
    assert answers(tmp_path, path, "series") == {}


def test_broken_parts_of_a_folder(tmp_path: Path) -> None:
    folder = write_outage(tmp_path / "one")
    (folder / "commits.json.gz").write_bytes(b"\x1f\x8b\x08")
    (folder / "deploys.json").write_text('[1, {"timestamp": "soon", "commit_sha": 3}]')
    assert list(answers(tmp_path, folder, "folder")) == [
        *("alerting service", "largest relative change", "largest z-score"),
    ]


def test_cosines_prefer_rare_shared_words_and_take_identifiers_apart() -> None:
    texts = ["fix the poolSize of the ledger", "fix the docs", "pool", ""]
    alike = cosines("the pool size is wrong", texts)
    assert alike[0] > alike[1] > 0
    assert alike[2] > alike[1]
    assert alike[3] == 0
    assert cosines("same words here", ["same words here"]) == pytest.approx([1.0])
