"""What an answer is worth, measure by measure."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from orchestrator.evaluate.labels import Label
from orchestrator.evaluate.lines import BaselineAnswer, EvalLine
from orchestrator.evaluate.scoring import score_baseline, score_line
from orchestrator.evaluate.summary import calibrate, score_lines, summarise
from orchestrator.evaluate.table import render
from orchestrator.journal.verdict import (
    Confidence,
    RuledOut,
    ServiceScore,
    SuspectScore,
    Symptom,
    Verdict,
    VerdictKind,
)
from subagents.contract import Suspect

A, B, C = "a" * 40, "b" * 40, "c" * 40


def line(kind: VerdictKind | None, culprit: str | None = None, **more: Any) -> EvalLine:
    base = EvalLine(id="x", family="f", engine="offline", warroom="1", build="b", kind=kind, culprit=culprit)
    return base.model_copy(update=more)


def verdict(onset: datetime | None = None, **more: Any) -> Verdict:
    symptom = Symptom(text="the pool is exhausted", onset=onset)
    made = Verdict(kind="inconclusive", headline="OOMKilled pod", symptom=symptom, confidence=Confidence(value=0.5))
    return made.model_copy(update=more)


@pytest.mark.parametrize(
    ("truth", "kind", "culprit", "counts"),
    [
        (A, "culprit", A, "culprit or none right"),
        (A, "culprit", A.upper(), "culprit or none right"),
        (A, "culprit", B, "wrong conviction"),
        (A, "culprit", None, "wrong conviction"),  # a flag, or a deploy of no known commit: someone is blamed
        (A, "inconclusive", None, "abstained"),
        (A, "no_code_cause", None, "wrongly none"),
        (A, "no_incident", None, "wrongly none"),
        (A, None, None, "no verdict"),
        ("none", "no_code_cause", None, "culprit or none right"),
        ("none", "culprit", B, "wrong conviction"),
        ("none", "inconclusive", None, "abstained"),
        ("none", "no_incident", None, "wrongly none"),
        ("none", None, None, "no verdict"),
    ],
)
def test_every_answer_counts_exactly_once(
    truth: str, kind: VerdictKind | None, culprit: str | None, counts: str
) -> None:
    scores = score_line({"id": "x", "culprit_commit": truth}, line(kind, culprit))
    apart = ("culprit or none right", "wrong conviction", "abstained", "wrongly none", "no verdict")
    assert {name: scores[name] for name in apart} == {name: float(name == counts) for name in apart}
    assert ("none found" in scores) is (truth == "none")
    assert ("Top-1" in scores) is (truth != "none")


def test_decoys_and_ranks() -> None:
    label: Label = {"id": "x", "culprit_commit": A, "decoys": [B]}
    suspects = tuple(SuspectScore(commit=one, score=0.5) for one in (B, C, A))
    scores = score_line(label, line("culprit", B, suspects=suspects))
    assert (scores["decoy blamed"], scores["Top-1"], scores["Top-3"]) == (1.0, 0.0, 1.0)
    assert score_line(label, line("culprit", C))["decoy blamed"] == 0.0
    assert "decoy blamed" not in score_line({"id": "x", "culprit_commit": A, "decoys": []}, line("culprit", C))


@pytest.mark.parametrize(
    ("ranked", "first", "third", "average"),
    [("till,a,b", 1, 1, 1.0), ("a,till,b", 0, 1, 0.8), ("a,b,c,d,till", 0, 0, 0.2), ("a", 0, 0, 0.0), ("", 0, 0, 0.0)],
)
def test_services(ranked: str, first: int, third: int, average: float) -> None:
    services = tuple(ServiceScore(service=one, score=0.5) for one in ranked.split(",") if one)
    scores = score_line({"id": "x", "root_cause_service": "till"}, line("inconclusive", services=services))
    assert (scores["AC@1"], scores["AC@3"]) == (first, third)
    assert scores["Avg@5"] == pytest.approx(average)


def test_detection() -> None:
    windows: Label = {"id": "x", "anomaly_windows": [["2026-03-01 12:00:00.000000", "2026-03-01 13:00:00"]]}
    clean: Label = {"id": "x", "anomaly_windows": []}
    inside, outside = datetime(2026, 3, 1, 12, 30, tzinfo=UTC), datetime(2026, 3, 1, 14, tzinfo=UTC)
    assert score_line(windows, line("inconclusive", verdict=verdict(inside)))["onset in a window"] == 1.0
    assert score_line(windows, line("inconclusive", verdict=verdict(outside)))["onset in a window"] == 0.0
    assert score_line(windows, line("no_incident", verdict=verdict(inside)))["onset in a window"] == 0.0
    assert score_line(clean, line("inconclusive", verdict=verdict(inside)))["quiet when clean"] == 0.0
    assert score_line(clean, line("no_incident", verdict=verdict()))["quiet when clean"] == 1.0
    assert score_line(clean, line(None))["quiet when clean"] == 0.0  # a crash is not silence


def test_onset_health_and_terms() -> None:
    label: Label = {
        "id": "x",
        "inject_time": "2026-03-01T12:00:00Z",
        "root_cause_category": "healthy",
        "expected_output": ["The pod is `OOMKilled`", "The pool was exhausted"],
        "required_keywords": ["pool", "dns"],
        "ruling_out_keywords": ["disk full"],
        "forbidden_keywords": ["certificate"],
    }
    ruled = RuledOut(
        suspect=Suspect(kind="resource", key="disk"), test="is the disk full?", result="ruled out", reason="no"
    )
    found = verdict(datetime(2026, 3, 1, 12, 1, 30, tzinfo=UTC), ruled_out=(ruled,))
    scores = score_line(label, line("no_incident", verdict=found))
    assert scores == {
        "health told right": 1.0,
        "onset within 2 min": 1.0,
        "expected terms named": 1.0,
        "required terms named": 0.5,
        "ruled out as expected": 1.0,
        "forbidden term named": 0.0,
        "no verdict": 0.0,
    }
    failed = score_line(label, line(None))
    assert (failed["health told right"], failed["expected terms named"], failed["no verdict"]) == (0.0, 0.0, 1.0)


def test_a_rule_is_scored_by_what_it_can_answer() -> None:
    label: Label = {"id": "x", "culprit_commit": A, "root_cause_service": "till", "inject_time": "2026-03-01T12:00:00Z"}
    suspects = (SuspectScore(commit=A, score=1.0),)
    blaming = BaselineAnswer(name="n", kind="culprit", culprit=A, suspects=suspects)
    ranking = BaselineAnswer(name="n", services=(ServiceScore(service="till", score=1.0),))
    assert set(score_baseline(label, blaming)) == {
        *("culprit or none right", "wrong conviction", "abstained", "wrongly none", "Top-1", "Top-3"),
    }
    assert set(score_baseline(label, ranking)) == {"AC@1", "AC@3", "Avg@5"}


def test_a_label_that_says_nothing_scores_nothing() -> None:
    assert score_line({"id": "x", "explain": "words"}, line("culprit", A)) == {}


def test_any_of_several_names_is_right() -> None:
    label: Label = {"id": "x", "culprit_commit": [A, B], "root_cause_service": ["Till", "ledger"]}
    services = tuple(ServiceScore(service=one, score=0.5) for one in ("porch", "ledger", "till"))
    found = score_line(label, line("culprit", B, services=services, suspects=(SuspectScore(commit=A, score=0.5),)))
    assert (found["culprit or none right"], found["Top-1"], found["AC@1"], found["AC@3"]) == (1.0, 1.0, 0.0, 1.0)


def test_windows_that_name_no_time_are_not_taken_for_a_clean_series() -> None:
    assert score_line({"id": "x", "anomaly_windows": [{"from": "noon"}]}, line("no_incident")) == {}


def test_labels_that_say_nothing_that_is_measured_are_said_to() -> None:
    labels = {("f", "x"): {"id": "x", "template": "<*>"}}
    (summary,) = summarise([line("inconclusive")], labels)
    assert (summary.labelled, summary.scored) == (1, 0)
    assert "not scored: labels say nothing that is measured" in render([summary], (), ())
    assert score_lines([line("inconclusive")], labels) == []


def test_calibration_bins() -> None:
    bins = calibrate([(0.05, 0.0), (0.95, 1.0), (1.0, 1.0), (0.91, 0.0), (0.9, 1.0)])
    assert [(one.low, one.cases, one.right) for one in bins] == [(0.0, 1, 0.0), (0.9, 4, 0.75)]
    assert bins[1].confidence == pytest.approx(0.94)
    assert bins[1].right_low < 0.75 < bins[1].right_high


def test_a_summary_counts_failures_as_wrong_and_leaves_abstentions_out_of_the_calibration() -> None:
    lines = [
        line("culprit", A, id="one", confidence=0.9),
        line("inconclusive", id="two", confidence=0.3),
        line(None, id="three", failure="crashed"),
        line("culprit", B, id="unlabelled"),
    ]
    labels = {("f", one): {"id": one, "culprit_commit": A} for one in ("one", "two", "three")}
    (summary,) = summarise(lines, labels)
    assert (summary.cases, summary.scored) == (4, 3)
    assert summary.kinds == {"culprit": 2, "inconclusive": 1, "crashed": 1}
    right = summary.contenders["warroom"][0]
    assert (right.measure, right.cases) == ("culprit or none right", 3)
    assert right.mean == pytest.approx(1 / 3)
    assert [(one.low, one.cases) for one in summary.calibration] == [(0.9, 1)]
    assert summary.calibrated_by == "culprit or none right"


def test_a_ranking_commits_itself_on_the_service_even_where_the_verdict_is_inconclusive() -> None:
    ranked = (ServiceScore(service="till", score=0.5),)
    lines = [
        line("inconclusive", id="one", confidence=0.4, services=ranked),
        line("inconclusive", id="two", confidence=0.4),
        line(None, id="three", services=ranked),
    ]
    labels = {("f", one): {"id": one, "root_cause_service": "till"} for one in ("one", "two", "three")}
    (summary,) = summarise(lines, labels)
    assert summary.calibrated_by == "AC@1"
    assert [(one.low, one.cases, one.right) for one in summary.calibration] == [(0.5, 1, 1.0)]
