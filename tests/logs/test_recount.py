"""What is said of the course of requests is counted anew from what is cited, and what is false of it is refused."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from orchestrator.verdict.claim_figures import unsettled
from orchestrator.verdict.claim_lookups import Sources, ToolRecord
from orchestrator.verdict.claims import ClaimsChecker
from subagents import quantities as q
from subagents.contract import Brief, Evidence, Fact, Finding, Incident, SourceSpec, ToolError, Window
from subagents.logs import recount
from subagents.logs import requests as reading
from subagents.logs.agent import build
from subagents.logs.counted import PARTS, TIMES, parts_of, unit_of_times
from subagents.logs.log_set import LogSet
from subagents.logs.resolver import LogResolver
from subagents.specialist import Roster
from subagents.verifying import Recomputed
from tests.fakes import FakeClock, run_procedure
from tests.logs.builders import at, brief, iso, write
from tests.logs.test_flows import COURSE, START, log
from tests.logs.test_passages import log as slow_log
from tests.logs.test_passages import since


async def told(folder: Path, lines: list[str], word: str) -> tuple[SourceSpec, Finding, dict[str, Evidence]]:
    """Return the finding that our own procedure reports of these lines, and the evidence that was cited."""
    spec = write(folder, "all.jsonl", lines)
    bench, _ = await run_procedure(build([spec]), brief([spec], started=at(START), end=at(1300)))
    (found,) = [finding for finding in bench.reported if word in finding.claim]
    return spec, found, {proof.ref: proof for _, _, result in bench.calls for proof in result.citations}


def mostly_lost() -> list[str]:
    """Since the start one request in ten still takes its usual course."""
    return log(lambda n: COURSE if n % 10 == 5 else COURSE[:3] + COURSE[4:])


def values(found: Finding) -> list[tuple[str, float]]:
    return [(fact.quantity, float(fact.value)) for fact in found.facts if fact.quantity in q.COURSES]


async def test_every_number_of_a_change_of_course_is_a_fact_that_holds(tmp_path: Path) -> None:
    spec, found, _ = await told(tmp_path, mostly_lost(), "usual course")
    assert values(found) == [(q.FOLLOWED, 5), (q.PASSED, 53), (q.FOLLOWED, 61), (q.PASSED, 66)]
    assert unsettled(found.claim, found.facts) == ()
    assert unsettled("it was 5 % of them", found.facts) == ("5 %",), "a count is no share"
    fresh = LogResolver(LogSet([spec]), FakeClock())
    assert [fresh.recompute(fact) for fact in found.facts] == [
        Recomputed(value=fact.value, unit=fact.unit) for fact in found.facts
    ]
    narrow = found.facts[1].model_copy(update={"window": Window(start=at(START), end=at(START + 100))})  # one, at 650
    assert fresh.recompute(narrow) == Recomputed(value=1, unit=TIMES)
    whole = found.facts[2].model_copy(update={"window": None})
    assert fresh.recompute(whole) == Recomputed(value=120, unit=TIMES), (
        "the last, which may not be over, is one of them"
    )


async def test_both_medians_of_a_slow_passage_are_facts_that_hold(tmp_path: Path) -> None:
    lines = slow_log(lambda n, a, b: 0.8 if since(n) and "cart" in (a, b) else 0.0)
    spec, found, _ = await told(tmp_path, lines, "pass slowly")
    assert [name for name, _ in values(found)] == [q.PASSAGE, q.PASSAGE]
    assert [value for _, value in values(found)] == pytest.approx([805, 5], abs=1)
    assert unsettled(found.claim, found.facts) == ("6",), "of how many kinds it is an end is said, not stated"
    fresh = LogResolver(LogSet([spec]), FakeClock())
    for fact in found.facts:
        assert fresh.recompute(fact) == Recomputed(value=fact.value, unit=fact.unit)
    none = found.facts[1].model_copy(update={"window": Window(start=at(5_000), end=at(5_001))})
    with pytest.raises(ToolError, match="no such passage in the fact's window"):
        fresh.recompute(none)


@pytest.mark.parametrize(
    ("sizes", "unit"), [({"MOST_EVENTS": 400}, "times in 620/1024 of the requests"), ({"MOST_READ": 300}, TIMES)]
)
async def test_where_only_a_part_was_followed_the_same_part_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sizes: Mapping[str, int], unit: str
) -> None:
    monkeypatch.setattr(recount, "AROUND", timedelta(seconds=30))
    for name, size in sizes.items():
        monkeypatch.setattr(reading, name, size)
        monkeypatch.setattr(recount, name, size)
    spec, found, _ = await told(tmp_path, log(lambda n: COURSE[:3] + COURSE[4:]), "usual course")
    facts = [fact for fact in found.facts if fact.quantity in q.COURSES]
    assert {fact.unit for fact in facts} == {unit}
    assert all(0 < float(fact.value) < 60 for fact in facts[1:])
    fresh = LogResolver(LogSet([spec]), FakeClock())
    assert [fresh.recompute(fact) for fact in facts] == [Recomputed(value=f.value, unit=f.unit) for f in facts]
    for name in sizes:
        monkeypatch.setattr(recount, name, 10)
    assert LogResolver(LogSet([spec]), FakeClock()).recompute(facts[0]) is None, "too much to read: it stays open"


@pytest.mark.parametrize("parts", [1, 622, PARTS])
def test_the_unit_says_which_part(parts: int) -> None:
    assert parts_of(unit_of_times(parts)) == parts


@pytest.mark.parametrize("unit", ["", "times", "events", "times in 9999/1024 of the requests", "requests"])
def test_any_other_unit_is_of_all(unit: str) -> None:
    assert parts_of(unit) == PARTS


def claimed(found: Finding, claim: str, *facts: Fact) -> Finding:
    """A finding as a model makes it: its own sentence, its own facts."""
    return Finding(
        agent="logs", claim=claim, topic="mechanism", facts=facts, citations=tuple(f.citation for f in facts[:1])
    )


@pytest.fixture
async def made(tmp_path: Path) -> tuple[ClaimsChecker, Finding]:
    spec, found, evidence = await told(tmp_path, mostly_lost(), "usual course")
    roster = Roster({"logs": build([spec])})
    asked = Brief(incident=Incident(id="INC-1", title="slow"))
    return ClaimsChecker(ToolRecord(evidence), Sources(roster), asked), found


def test_a_models_true_counts_hold_and_false_ones_are_refused(made: tuple[ClaimsChecker, Finding]) -> None:
    checker, found = made
    followed, passed = found.facts[1:3]
    said = "{} of {} times the reservation was confirmed"
    right = checker.finding(claimed(found, said.format(5, 53), followed, passed))
    assert (right.doubts, right.unchecked) == ([], [])
    for value in (0, 4, 6, 37):
        wrong = followed.model_copy(update={"value": value})
        checked = checker.finding(claimed(found, said.format(value, 53), wrong, passed))
        assert [(doubt.kind, doubt.reason) for doubt in checked.doubts] == [
            ("number", f"the data says 5 {TIMES}, not {value}")
        ]
    wrong = passed.model_copy(update={"value": 41})
    assert checker.finding(claimed(found, said.format(5, 41), followed, wrong)).doubts
    swapped = followed.model_copy(update={"window": found.facts[3].window})
    assert checker.finding(claimed(found, said.format(5, 53), swapped, passed)).doubts, "it is of another time"


def test_what_it_cites_must_follow_something_in_a_request(tmp_path: Path) -> None:
    lines = [*log(lambda n: COURSE)[:12], f'{{"ts": "{iso(700)}", "service": "web", "message": "no request at all"}}']
    spec = write(tmp_path, "all.jsonl", lines)
    resolver = LogResolver(LogSet([spec]), FakeClock())
    first = Fact(quantity=q.FOLLOWED, value=1, citation="log:all.jsonl@0+1")
    with pytest.raises(ToolError, match="is the first of its request"):
        resolver.recompute(first)
    last = sum(len(line.encode()) + 1 for line in lines[:-1])
    with pytest.raises(ToolError, match="bears no request id"):
        resolver.recompute(first.model_copy(update={"citation": f"log:all.jsonl@{last}+1"}))
    second = first.model_copy(update={"citation": f"log:all.jsonl@{len(lines[0].encode()) + 1}+1", "value": 2})
    assert resolver.recompute(second) == Recomputed(value=2, unit=TIMES)


def test_logs_without_times_have_no_course(tmp_path: Path) -> None:
    spec = write(tmp_path, "plain.log", ["one request_id=abcdef12", "two request_id=abcdef12"])
    with pytest.raises(ToolError, match="no event of these logs has a time stamp"):
        LogResolver(LogSet([spec]), FakeClock()).recompute(
            Fact(quantity=q.PASSED, value=1, citation="log:plain.log@0+1")
        )
