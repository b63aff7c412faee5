"""Reports of models: taken where they are whole, answered with what to mend where they are not, never a traceback."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.engines.reporting import (
    FINDING_LIMIT,
    ReportError,
    conclude_tool,
    finding_tool,
    parse_finding,
    parse_verdict,
)
from orchestrator.engines.schemas import tool_faults
from orchestrator.journal.verdict import Verdict
from subagents.contract import Finding

FINDING: dict[str, Any] = {
    "claim": "Errors rise in checkout.",
    "topic": "errors",
    "about": {"kind": "service", "key": "checkout"},
    "stance": "for",
    "weight": 0.6,
    "facts": [{"quantity": "count", "value": 812, "citation": "log:app.log@20480+1"}],
    "citations": ["log:app.log@20480+1"],
    "at": "2026-03-01T12:00:00Z",
}
VERDICT: dict[str, Any] = {
    "kind": "inconclusive",
    "headline": "Checkout fails since 12:00 UTC.",
    "confidence": {"value": 0.3, "reasons": ["thin data"]},
    "chain": [{"text": "Errors rise.", "role": "symptom", "citations": ["log:app.log@20480+1"]}],
    "services": [{"service": "checkout", "score": 0.8}],
}


def test_a_whole_finding_is_taken_and_its_agent_is_never_the_models_to_say() -> None:
    finding = parse_finding("logs", {**FINDING, "agent": "codefix"})
    assert finding == Finding.model_validate({**FINDING, "agent": "logs"})


def test_a_whole_verdict_is_taken_and_the_checkers_field_is_not_the_models_to_fill() -> None:
    verdict = parse_verdict({**VERDICT, "unchecked": ["all of it"]})
    assert verdict == Verdict.model_validate(VERDICT)
    assert verdict.unchecked == ()


def test_null_means_left_out_and_objects_may_come_as_json_text() -> None:
    sent = {**FINDING, "weight": None, "about": json.dumps(FINDING["about"]), "facts": json.dumps(FINDING["facts"])}
    assert parse_finding("logs", sent) == parse_finding("logs", {**FINDING, "weight": 0.5})
    nested = {**FINDING, "about": {"kind": "service", "key": "checkout", "label": None}}
    assert parse_finding("logs", nested).about == parse_finding("logs", FINDING).about


def test_what_is_put_under_one_name_is_unwrapped_and_nothing_else_is() -> None:
    assert parse_finding("logs", {"finding": FINDING}) == parse_finding("logs", FINDING)
    assert parse_verdict({"verdict": VERDICT}) == parse_verdict(VERDICT)
    for sent in ({"finding": FINDING, "topic": "errors"}, {"verdict": VERDICT}, {"finding": "Errors rise."}):
        with pytest.raises(ReportError, match="is not a field here"):
            parse_finding("logs", sent)


def test_half_a_surrogate_pair_does_not_reach_the_journal() -> None:
    finding = parse_finding("logs", {**FINDING, "claim": "cut \ud83d off"})
    finding.model_dump_json().encode()
    assert finding.claim == "cut \ufffd off"


def refused_finding(**changes: Any) -> str:
    with pytest.raises(ReportError) as refusal:
        parse_finding("logs", {**FINDING, **changes})
    return str(refusal.value)


def refused_verdict(**changes: Any) -> str:
    with pytest.raises(ReportError) as refusal:
        parse_verdict({**VERDICT, **changes})
    return str(refusal.value)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"topic": "gossip"}, "`topic` must be one of 'symptom', 'onset'"),
        ({"claim": " "}, "`claim` is empty; for example"),
        ({"claim": None}, "`claim` is missing; for example"),
        ({"weight": 2}, "`weight` must be less than or equal to 1, not 2; for example 0.6"),
        ({"about": {"kind": "service"}}, '`about.key` is missing; for example "checkout"'),
        ({"about": None}, "`stance` is 'for' but `about` is missing"),
        ({"about": "checkout"}, '`about` must be an object with named fields, not "checkout"; for example {"kind"'),
        ({"citations": "log:app.log@1+1"}, '`citations` must be a list, not "log:app.log@1+1"; for example ["log:'),
        ({"facts": [{"quantity": "count", "value": 1}]}, "`facts[0].citation` is missing; for example"),
        ({"facts": [{"quantity": "count", "value": [1], "citation": "x"}]}, "`facts[0].value` must be"),
        ({"at": "2026-03-01T12:00:00"}, "`at` has no time zone: write it in UTC with a Z"),
        ({"at": "yesterday"}, "`at` must be an ISO 8601 time in UTC"),
        ({"severity": "high"}, "`severity` is not a field here: leave it out"),
        ({"weight": float("nan")}, "a number: must be finite"),
        ({"claim": "x" * FINDING_LIMIT}, f"and {FINDING_LIMIT} are the most"),
    ],
)
def test_a_finding_that_is_not_whole_is_answered_with_field_reason_and_example(
    changes: dict[str, Any], says: str
) -> None:
    answer = refused_finding(**changes)
    assert answer.startswith("report_finding was not taken; mend 1 thing and call it again:\n- ")
    assert says in answer


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"kind": "guilty"}, "`kind` must be one of 'culprit', 'no_code_cause'"),
        ({"kind": "culprit"}, "`culprit` is missing, and `kind` is 'culprit'; for example {\"commit\""),
        ({"culprit": {"commit": "abc"}}, "`kind` is 'inconclusive', and a `culprit` is named"),
        ({"kind": "no_code_cause"}, "`cause` must say what the cause is instead, with citations"),
        ({"kind": "no_code_cause", "cause": {"mechanism": "disk full"}}, "`cause` must say what the cause is"),
        ({"headline": ""}, "`headline` is empty"),
        ({"confidence": 0.8}, '`confidence` must be an object with named fields, not 0.8; for example {"value"'),
        ({"services": ["checkout"]}, '`services[0]` must be an object with named fields, not "checkout"'),
        ({"actions": [{"kind": "panic", "text": "x"}]}, "`actions[0].kind` must be one of 'contain', 'fix'"),
        ({"ruled_out": [{"suspect": {"kind": "commit", "key": "a"}, "test": "t", "result": "no", "reason": "r"}]}, "`"),
    ],
)
def test_a_verdict_that_is_not_whole_is_answered_the_same_way(changes: dict[str, Any], says: str) -> None:
    answer = refused_verdict(**changes)
    assert answer.startswith("conclude was not taken; mend ")
    assert says in answer


def test_every_fault_is_named_at_once_but_no_more_than_a_model_can_read() -> None:
    many = [{"quantity": "count"} for _ in range(40)]
    answer = refused_finding(facts=many, topic="gossip")
    assert answer.count("\n- `") == 12
    assert "- and 69 more" in answer


def test_the_answers_examples_would_be_taken() -> None:
    from orchestrator.engines.report_words import EXAMPLES

    for name in ("claim", "topic", "about", "weight", "facts", "citations", "services", "at", "terms"):
        parse_finding("logs", {**FINDING, name: json.loads(EXAMPLES[name])})
    for name in ("headline", "state", "symptom", "confidence", "suspects", "blast_radius", "affected", "gaps"):
        parse_verdict({**VERDICT, name: json.loads(EXAMPLES[name])})
    parse_verdict({**VERDICT, "services": json.loads(EXAMPLES["conclude:services"])})
    parse_verdict({**VERDICT, "ruled_out": json.loads(EXAMPLES["ruled_out"]), "chain": json.loads(EXAMPLES["chain"])})


@given(
    st.dictionaries(
        st.sampled_from([*Finding.model_fields, *Verdict.model_fields, "other"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
            max_leaves=6,
        ),
        max_size=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_model_sends_is_taken_or_answered(sent: dict[str, Any]) -> None:
    for parse in (lambda: parse_finding("logs", sent), lambda: parse_verdict(sent)):
        with suppress(ReportError):
            parse().model_dump_json().encode()


def test_the_tools_are_what_the_api_takes_and_hold_no_field_of_ours() -> None:
    finding, conclude = finding_tool(), conclude_tool()
    assert tool_faults(finding) == tool_faults(conclude) == []
    assert set(finding["input_schema"]["properties"]) == set(Finding.model_fields) - {"agent"}
    assert set(finding["input_schema"]["required"]) == {"claim", "topic"}
    assert set(conclude["input_schema"]["properties"]) == set(Verdict.model_fields) - {"gist", "unchecked"}
    assert (
        "description"
        in conclude["input_schema"]["properties"]["ruled_out"]["items"]["properties"]["suspect"]["properties"]["key"]
    )
    finding["input_schema"]["properties"].clear()
    assert finding_tool()["input_schema"]["properties"]
