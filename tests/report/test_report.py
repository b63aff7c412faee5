"""The report is folded from the journal alone, and every citation in it resolves or is marked."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from orchestrator.journal.events import (
    FindingReported,
    IncidentOpened,
    Note,
    StatusIdle,
    StatusRunning,
    StopReason,
    ToolFinished,
    VerdictReached,
)
from orchestrator.journal.faults import BlobMissing
from orchestrator.verdict.claims import cited
from orchestrator.verdict.document import VerdictDocument, document, to_json
from orchestrator.verdict.report import ReportError, build_report
from orchestrator.verdict.report_markdown import render_markdown
from orchestrator.verdict.report_model import Report
from orchestrator.verdict.rollback import Filled, filled_in
from subagents.contract import Coverage, Problem
from tests.report.story import COMMIT, DECOY, LOG, METRIC, SHA, Story, finding, frozen, opening, suspect, told, verdict


def test_every_citation_of_verdict_and_findings_resolves_with_excerpt_and_digest() -> None:
    report = build_report(told())
    assert report.verdict is not None
    mentioned = {ref for _, ref in cited(report.verdict.model_dump(mode="json"))} | {METRIC}
    assert {entry.ref for entry in report.evidence} == mentioned
    for entry in report.evidence:
        assert entry.resolved, entry
        assert entry.excerpt
        assert entry.digest.startswith("sha256:")
        assert entry.cited_by
    assert [entry.number for entry in report.evidence] == list(range(1, len(report.evidence) + 1))


def test_a_citation_that_no_call_returned_is_marked_and_its_finding_does_not_count() -> None:
    invented = "log:app@999999+1"
    report = build_report(told(found=(finding(citations=(invented,)), finding("sound", agent="logs"))))
    entry = report.entry(invented)
    assert entry is not None
    assert not entry.resolved
    assert invented in entry.reason
    marks = {item.finding.claim: item.doubts for item in report.findings}
    assert marks["sound"] == ()
    assert marks["p95 latency of billing rose 8 times"]


def test_what_does_not_count_is_not_in_the_timeline() -> None:
    report = build_report(
        told(found=(finding("made up", citations=("log:nowhere@1+1",)), finding("real", agent="logs")))
    )
    texts = [moment.text for moment in report.timeline]
    assert "real" in texts
    assert "made up" not in texts


def test_evidence_that_changed_between_two_calls_is_marked_and_the_first_is_kept() -> None:
    events = told()
    story = Story()
    story.events = events
    story.add(
        ToolFinished(
            tool_use_id="t2", tool="logs_new", outcome="ok", seconds=0.1, citations=(frozen(LOG, "rotated away"),)
        )
    )
    report = build_report(story.events)
    entry = report.entry(LOG)
    assert entry is not None
    assert entry.changed
    assert "acquire timed out" in entry.excerpt
    other = report.entry(METRIC)
    assert other is not None
    assert not other.changed


def test_the_timeline_is_in_time_order_and_names_who_says_so() -> None:
    report = build_report(told())
    moments = [line.at for line in report.timeline]
    assert moments == sorted(moments)
    assert {"operator", "alert", "verdict", "session"} <= {line.origin for line in report.timeline}


def test_a_later_verdict_replaces_the_earlier() -> None:
    story = Story()
    story.events = told()
    story.add(StatusRunning(reason="source_added"))
    story.add(VerdictReached(verdict=verdict(kind="inconclusive", culprit=None, headline="not sure any more")))
    report = build_report(story.events)
    assert report.verdict is not None
    assert report.verdict.kind == "inconclusive"
    assert report.earlier_verdicts == 1


def test_seconds_count_work_and_not_waiting_or_the_time_after_a_crash() -> None:
    story = Story().add(opening()).add(StatusRunning(reason="start"))
    story.add(Note(text="working"), after=3.0)
    story.add(StatusRunning(reason="resume"), after=900.0)
    story.add(StatusIdle(stop_reason=StopReason(type="end_turn")), after=2.0)
    story.add(Note(text="later"), after=50.0)
    assert build_report(story.events).seconds == pytest.approx(5.0)


def test_a_session_without_a_verdict_says_so() -> None:
    story = Story().add(opening()).add(StatusRunning()).add(StatusIdle(stop_reason=StopReason(type="interrupted")))
    report = build_report(story.events)
    assert report.verdict is None
    assert (report.status, report.status_reason) == ("idle", "interrupted")
    assert document(report, "9").kind is None


def test_no_incident_is_refused_in_words() -> None:
    with pytest.raises(ReportError, match="no incident"):
        build_report([])
    with pytest.raises(ReportError, match="no incident"):
        build_report(Story().add(StatusRunning()).events)


def test_problems_come_from_coverage_and_warnings_once_each() -> None:
    story = Story()
    story.events = told()
    story.add(Note(level="warning", text="clock of host b is off")).add(
        Note(level="warning", text="clock of host b is off")
    )
    lines = [problem.line() for problem in build_report(story.events).problems]
    assert lines == ["clock of host b is off", "app.log:3: not JSON; lost: the line; look at it"]


def test_what_a_person_noted_stands_in_the_timeline() -> None:
    story = Story()
    story.events = told()
    story.add(Note(text="the customer called at nine", by="person"))
    report = build_report(story.events)
    assert "person noted: the customer called at nine" in [item.text for item in report.timeline]
    assert "the customer called at nine" in render_markdown(report)


def test_the_configured_rollback_comes_first_filled_in_and_quoted() -> None:
    report = build_report(told())
    first = report.first_action()
    assert first is not None
    assert (first.kind, first.command) == ("contain", f"deployctl rollback billing --to {SHA}")


def test_a_rollback_value_stays_one_word_whatever_it_holds() -> None:
    filled = filled_in("roll {service} to {version}", {"service": "a; rm -rf ~", "version": "$(id)`id`'"})
    assert filled == Filled("""roll 'a; rm -rf ~' to '$(id)`id`'"'"''""")
    for template in ('ssh prod "roll {service} to {version}"', "sh -c 'roll {service} to {version}'"):
        inside = filled_in(template, {"service": "shop", "version": "$(id)"})
        assert inside.command == template.replace("{service}", "shop"), "our quotes would be none inside of others"
        assert inside.missing == ("version",)
    assert filled_in('ssh prod "roll {service}"', {"service": "shop-1.2"}) == Filled('ssh prod "roll shop-1.2"')
    assert filled_in("echo {{x}} {service}", {"service": "a"}) == Filled("echo {x} a")


def test_what_is_not_known_stays_in_braces_and_is_asked_for() -> None:
    filled = filled_in("roll {service} to {previous}", {"service": "a", "previous": None})
    assert filled == Filled("roll a to {previous}", ("previous",))
    assert filled.lacks == "fill in {previous} first: this session does not know it"
    assert filled_in("echo {service", {"service": "a"}).lacks
    for hidden in ("a\nrm -rf ~", "a\x1b[2K", "a\u202eb", "--force", ""):
        assert filled_in("roll {service}", {"service": hidden}) == Filled("roll {service}", ("service",))


def test_a_rollback_with_an_unknown_part_is_shown_as_a_template_that_says_so() -> None:
    events = told()
    settings = {"services": [{"name": "billing", "rollback": "deployctl rollback {service} --to {previous}"}]}
    body = events[0].body
    assert isinstance(body, IncidentOpened)
    events[0] = events[0].model_copy(update={"body": body.model_copy(update={"settings": settings})})
    first = build_report(events).first_action()
    assert first is not None
    assert first.command == "deployctl rollback billing --to {previous}"
    assert "{previous}" in first.risk


@pytest.mark.parametrize("kind", ["no_code_cause", "inconclusive", "no_incident"])
def test_nothing_is_rolled_back_without_a_culprit(kind: str) -> None:
    report = build_report(told(verdict(kind=kind, culprit=None, actions=())))
    assert report.first_action() is None


def test_hypotheses_are_the_boards() -> None:
    held = finding("explains it", agent="deploys", topic="change", about=suspect(), stance="for", weight=0.8)
    out = finding(
        "touches other files",
        agent="deploys",
        topic="exclusion",
        about=suspect(DECOY),
        stance="rules_out",
        citations=(COMMIT,),
    )
    report = build_report(told(found=(held, out)))
    assert [(line.suspect, line.state) for line in report.hypotheses] == [
        (f"commit:{SHA}", "supported"),
        (f"commit:{DECOY}", "ruled out"),
    ]


def test_report_and_document_survive_json() -> None:
    report = build_report(told())
    assert Report.model_validate_json(to_json(report)) == report
    made = document(report, "0.1.0")
    again = VerdictDocument.model_validate(json.loads(to_json(made)))
    assert again == made
    assert (made.id, made.kind, made.culprit, made.service) == ("INC-7", "culprit", SHA, "billing")
    assert made.problems == ("app.log:3: not JSON; lost: the line; look at it",)


def test_json_is_ascii_so_that_no_terminal_obeys_it() -> None:
    hostile = finding("say \x9b31m \u202e hi \x1b]0;x\x07")
    text = to_json(build_report(told(found=(hostile,))))
    assert text.isascii()
    assert not [char for char in text if ord(char) < 32 and char != "\n"]
    assert any(item["finding"]["claim"] == hostile.claim for item in json.loads(text)["findings"])


def test_findings_from_a_round_that_was_started_again_are_reported_once() -> None:
    story = Story()
    story.events = told()
    story.add(FindingReported(id=finding().id, finding=finding()), thread="metrics")
    assert len(build_report(story.events).findings) == 1


def test_times_of_findings_are_kept() -> None:
    late = finding("later", at=verdict().symptom.onset + timedelta(hours=1), agent="logs")  # type: ignore[union-attr, operator]
    line = next(line for line in build_report(told(found=(late,))).timeline if line.text == "later")
    assert line.citations == (METRIC,)


def test_evidence_that_was_moved_to_a_blob_resolves_from_it_and_a_lost_blob_is_marked() -> None:
    far = "log:app@5000+1"
    events = told(found=(finding(citations=(far,)),))
    handle = "blob:sha256:" + "0" * 64
    story = Story()
    story.events = events
    story.add(ToolFinished(tool_use_id="t9", tool="logs_new", outcome="ok", seconds=0.1, blob=handle))
    held = json.dumps({"citations": [frozen(far, "far away line").model_dump(mode="json")]}).encode()
    entry = build_report(story.events, {handle: held}.__getitem__).entry(far)
    assert entry is not None
    assert (entry.resolved, entry.excerpt) == (True, "far away line")

    def lost(handle: str) -> bytes:
        raise BlobMissing(f"{handle}: it is not there any more")

    for reader in (None, lost, {handle: b"torn"}.__getitem__):
        entry = build_report(story.events, reader).entry(far)
        assert entry is not None
        assert not entry.resolved


def test_what_the_coverage_tools_say_is_reported() -> None:
    said = Coverage(source="m", kind="metrics", items=4, understood=3, dropped=1, problems=(Problem(what="a gap"),))
    story = Story()
    story.events = told()
    data = {"sources": [said.model_dump(mode="json")]}
    story.add(ToolFinished(tool_use_id="c", tool="metrics_coverage", outcome="ok", seconds=0.1, data=data))
    story.add(ToolFinished(tool_use_id="d", tool="logs_coverage", outcome="ok", seconds=0.1, data={"sources": [1]}))
    report = build_report(story.events)
    assert said in report.coverage
    assert [problem.what for problem in report.problems] == ["not JSON", "a gap"]
