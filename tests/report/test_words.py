"""Words of a report that a person takes at their face: numbers, names, what was measured, how sure of what."""

from __future__ import annotations

import re
from datetime import UTC, timedelta

import pytest

from orchestrator.journal.verdict import ServiceScore, Symptom
from orchestrator.verdict.fact_words import fact_words
from orchestrator.verdict.report import build_report
from orchestrator.verdict.report_markdown import render_markdown
from orchestrator.verdict.status_update import status_update
from orchestrator.verdict.timeline import was_measured
from subagents.contract import Fact, Incident, Suspect, Window
from tests.report.story import LOG, ONSET, told, verdict


@pytest.mark.parametrize(
    ("quantity", "value", "unit", "words"),
    [
        ("baseline_count", 15.62, "events", "baseline count 15.62 events"),
        ("lead_time", 2143830.0, "s", "lead time 2143830 s (24.8 d)"),
        ("lead_time", -10800, "s", "lead time -10800 s (-3.0 h)"),
        ("lead_time", 60, "s", "lead time 60 s"),
        ("first_seen", "2026-03-29T00:40:00.166000+00:00", "", "first seen 2026-03-29 00:40:00 UTC"),
        ("first_seen", "at noon", "", "first seen at noon"),
        ("first_seen", "2026-03-29T00:40:00", "", "first seen 2026-03-29T00:40:00"),
        ("deployed_commit", "2026", "", "deployed commit 2026"),
    ],
)
def test_a_fact_reads_as_people_write(quantity: str, value: float | str, unit: str, words: str) -> None:
    assert fact_words(Fact(quantity=quantity, value=value, unit=unit, citation=LOG), UTC) == words


def test_counts_from_both_sides_of_a_moment_say_from_which() -> None:
    since = Window(start=ONSET, end=ONSET + timedelta(minutes=2))
    before = Window(start=ONSET - timedelta(days=1), end=ONSET)
    stated = {"unit": "times", "citation": LOG}
    for quantity, window, words in (
        ("followed", since, f"followed 0 times, {ONSET:%H:%M:%S} to {since.end:%H:%M:%S} UTC"),
        ("passed", before, f"passed 0 times, {before.start:%Y-%m-%d %H:%M:%S} to {ONSET:%Y-%m-%d %H:%M:%S} UTC"),
        ("count", since, "count 0 times"),
    ):
        assert fact_words(Fact(quantity=quantity, value=0, window=window, **stated), UTC) == words


def markdown(**changes: object) -> str:
    return render_markdown(build_report(told(verdict(**changes))), UTC)


def test_a_start_that_the_operator_gave_is_not_called_measured() -> None:
    incident = Incident(id="i", title="t", started_at=ONSET)
    given, later = Symptom(text="s", onset=ONSET), Symptom(text="s", onset=ONSET + timedelta(minutes=1))
    first = Fact(quantity="first_seen", value=ONSET.isoformat(), citation=LOG)
    assert not was_measured(given, incident)
    assert not was_measured(Symptom(text="s"), incident)
    assert was_measured(later, incident)
    assert was_measured(given.model_copy(update={"facts": (first,)}), incident)


def test_the_onset_is_not_told_in_the_words_of_lines_that_begin_later() -> None:
    def onset(minutes: int) -> str:
        at = (ONSET + timedelta(minutes=minutes)).isoformat()
        first = Fact(quantity="first_seen", value=at, citation=LOG)
        made = markdown(symptom=Symptom(text="errors, 24 times", onset=ONSET, facts=(first,), citations=(LOG,)))
        return next(line for line in made.splitlines() if "[verdict] onset" in line)

    assert "onset: errors, 24 times" in onset(0)
    assert "errors, 24 times" not in onset(1)


def test_an_open_verdict_says_what_its_number_is_about() -> None:
    made = markdown(kind="inconclusive", culprit=None, cause=None)
    assert "- Verdict: inconclusive, 87% of the way to a conclusion" in made
    assert "## How near a conclusion: 87%" in made
    report = build_report(told(verdict(kind="inconclusive", culprit=None, cause=None)))
    assert "Cause: not established, 87% of the way to a conclusion" in status_update(report, UTC)
    assert "- Verdict: a change did it, 87% sure" in markdown()


def test_a_service_that_nothing_points_at_is_not_called_the_place() -> None:
    assert "reported of `billing`" in markdown(kind="inconclusive", culprit=None, cause=None, services=())
    nobody = (ServiceScore(service="billing", score=0.0),)
    assert "reported of `billing`" in markdown(kind="inconclusive", culprit=None, cause=None, services=nobody)
    assert "began in `billing`" in markdown()


@pytest.mark.parametrize(
    ("suspect", "words"),
    [
        (Suspect(kind="traffic", key="shop", label="traffic surge"), "traffic surge at `shop`."),
        (Suspect(kind="host", key="shop/node_cpu", label="shop node_cpu"), "host `shop/node_cpu`."),
        (Suspect(kind="flag", key="new_ui", label="new_ui off->on"), "flag `new_ui` off->on."),
        (Suspect(kind="resource", key="pool", label="pool"), "resource `pool`."),
        (
            Suspect(kind="certificate", key="pay.svc", label="certificate expired: pay.svc"),
            "certificate expired: pay.svc.",
        ),
        (Suspect(kind="service", key="shop", label="burst of errors"), "service `shop` burst of errors."),
    ],
)
def test_a_suspect_is_named_once(suspect: Suspect, words: str) -> None:
    item = verdict().ruled_out[0].model_copy(update={"suspect": suspect})
    assert f": {words} " in markdown(ruled_out=(item,)).replace("**", "")


@pytest.mark.parametrize(
    ("suspect", "reason", "words"),
    [
        (
            Suspect(kind="commit", key="a" * 40, label="Tidy up"),
            f"{'a' * 12} “Tidy up” is ruled out: only words change",
            f"commit `{'a' * 40}` “Tidy up” is ruled out: only words change",
        ),
        (
            Suspect(kind="flag", key="new", label="new off->on"),
            "flag new hardly explains it",
            "flag `new` hardly explains it",
        ),
        (Suspect(kind="flag", key="new"), "flag newest is another", "flag `new`. flag newest is another"),
    ],
)
def test_a_reason_that_begins_with_the_name_says_it_once(suspect: Suspect, reason: str, words: str) -> None:
    item = verdict().ruled_out[0].model_copy(update={"suspect": suspect, "reason": reason})
    assert f"- **ruled out**: {words} (E" in markdown(ruled_out=(item,))


def test_the_symptoms_numbers_stand_on_one_line_each_with_its_evidence() -> None:
    facts = (Fact(quantity="baseline", value=1.0, citation=LOG), Fact(quantity="peak", value=9.0, citation=LOG))
    made = markdown(symptom=Symptom(text="errors rise", facts=facts, citations=(LOG,)))
    assert re.search(r"^- baseline 1 \(E\d+\); peak 9 \(E\d+\)$", made, re.MULTILINE)


def test_each_test_is_named_once_above_what_was_put_to_it() -> None:
    first = verdict().ruled_out[0]
    others = [first.model_copy(update={"test": test}) for test in ("second", first.test, "second")]
    section = markdown(ruled_out=(first, *others)).partition("## What else")[2].partition("\n## ")[0]
    tests = [one.removeprefix("Tested: ") for one in section.splitlines() if one.startswith("Tested: ")]
    assert tests == [first.test, "second"]
    assert [part.count("- **ruled out**") for part in section.split("Tested: ")[1:]] == [2, 2]


def test_what_was_only_not_checked_is_not_called_wrong() -> None:
    report = build_report(told()).model_copy(update={"unchecked": ("5.38x",)})
    made = render_markdown(report, UTC)
    assert "## What could not be checked" in made
    assert "What does not hold" not in made
