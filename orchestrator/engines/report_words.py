"""What a model is told about each field of a report, and an example of each: the words of `reporting`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from subagents import quantities

_QUANTITIES: Final = ", ".join(sorted(quantities.KNOWN))
_CITATIONS: Final = (
    "Citations exactly as tools returned them: log:…, metric:…, commit:…, deploy:…, flag:…, trace:…, runbook:…. "
    "Never made up, never shortened."
)
_KEY: Final = (
    "What identifies it: the full commit id for a commit (also where a deploy carried it), the flag's name, the "
    "service's name, `none` for the kind none."
)
_FACT_WORDS: Final[Mapping[str, str]] = {
    "quantity": f"One of: {_QUANTITIES}. Other names are shown as unchecked.",
    "value": "The number as the tool gave it, or an ISO 8601 time in UTC for quantities that are moments.",
    "unit": "The series' own unit, or empty; for spans and failed_spans whose they are, as metrics_edges says it; for "
    "passed and followed as the facts of `flows` have it.",
    "citation": "The one citation that the value can be recomputed from.",
    "window": "The time that it is over: for counts of log events, of spans and of what follows what in requests, and, "
    "from the onset on, for level_before (what was before that time), level_after and level_ratio of a series.",
}

FINDING_WORDS: Final[Mapping[str, str]] = {
    "claim": "One plain sentence. Numbers in it that are not also in `facts` are shown as unchecked.",
    "topic": "What kind of claim it is.",
    "about": "The suspect; leave it out where the claim describes the symptom (then the stance is `observes`).",
    "about.key": _KEY,
    "about.label": "A few words for people.",
    "stance": "for: it speaks for this cause; against; rules_out: it cannot be the cause; observes: no suspect.",
    "weight": "How much it moves the hypothesis, 0 to 1, in your judgement.",
    "facts": "Every number and moment that the claim rests on. Each is recomputed from what it cites.",
    **{f"facts.{name}": text for name, text in _FACT_WORDS.items()},
    "citations": _CITATIONS,
    "services": "Services that it is about.",
    "at": "When what it describes began, ISO 8601, UTC.",
    "terms": "Identifiers to match elsewhere: file paths, symbols, tables, endpoints, keys, error codes.",
}

CONCLUDE_WORDS: Final[Mapping[str, str]] = {
    "kind": "culprit: a change did it; no_code_cause: with positive evidence of another cause; inconclusive; "
    "no_incident: nothing is wrong.",
    "headline": "One line: what is broken, since when, why, how sure.",
    "state": "Whether it still burns.",
    "state.as_of": "The moment that the state is known for, ISO 8601, UTC.",
    "service": "Where it began.",
    "symptom": "What is measurably wrong.",
    "symptom.onset": "When it began, ISO 8601, UTC.",
    "symptom.facts": "Baseline, peak, factor, onset: each is recomputed from what it cites.",
    **{f"symptom.facts.{name}": text for name, text in _FACT_WORDS.items()},
    "symptom.citations": _CITATIONS,
    "cause": "How it came about: what set it off, and how that leads to the symptom.",
    "cause.suspect.key": _KEY,
    "chain": "From the cause to the symptom, in time order; each step cited.",
    "chain.at": "When it happened, ISO 8601, UTC.",
    "culprit": "The change that did it; only with the kind `culprit`.",
    "culprit.commit": "The full commit id; left out where only a deploy or a flag is known.",
    "culprit.source": "Source id of its repository, as in its citation.",
    "culprit.deploy": "Citation of the deploy that carried it.",
    "confidence": "How sure, with reasons, and what would lower it.",
    "ruled_out": "Each suspect that did not do it, with the test that shows it; or that this data cannot test.",
    "ruled_out.suspect.key": _KEY,
    "ruled_out.facts": "The numbers of the reason. With one that does not hold, the exclusion does not count.",
    "ruled_out.command": "What would test it, where this data cannot: shown to the person, never run.",
    "blast_radius": "Who and what it reached, cited.",
    "affected": "Services that it reached.",
    "actions": "What a person should do, first the one that contains the harm. Nothing is carried out.",
    "actions.runbook": "Citation of the runbook step that it follows.",
    "gaps": "What was not looked at, why, and the command that would.",
    "contradictions": "Where the alert and the data, or two sources, disagree; cited.",
    "contradictions.facts": "Its numbers. With one that does not hold, it does not count.",
    "services": "Services and how well each explains the incident, 0 to 1, best first.",
    "suspects": "Commits (full ids) and how suspicious each is, 0 to 1, best first.",
}

EXAMPLES: Final[Mapping[str, str]] = {
    "claim": '"Errors rise in checkout right after the deploy."',
    "topic": '"onset"',
    "about": '{"kind": "service", "key": "checkout"}',
    "stance": '"for"',
    "weight": "0.6",
    "facts": '[{"quantity": "count", "value": 812, "citation": "log:app.log@20480+1"}]',
    "quantity": '"count"',
    "value": "812",
    "citation": '"log:app.log@20480+1"',
    "citations": '["log:app.log@20480+1"]',
    "services": '["checkout"]',
    "conclude:services": '[{"service": "checkout", "score": 0.9}]',
    "suspects": '[{"commit": "<full id>", "score": 0.8}]',
    "score": "0.8",
    "at": '"2026-03-01T12:00:00Z"',
    "as_of": '"2026-03-01T12:00:00Z"',
    "onset": '"2026-03-01T12:00:00Z"',
    "terms": '["checkout/cart.py"]',
    "kind": '"commit"',
    "conclude:kind": '"inconclusive"',
    "key": '"checkout"',
    "headline": '"Checkout fails since 12:00 UTC; the cause is not clear from this data."',
    "state": '{"state": "ongoing", "as_of": "2026-03-01T12:30:00Z"}',
    "symptom": '{"text": "Errors rise in checkout."}',
    "cause": '{"mechanism": "…", "trigger": "unknown", "citations": ["…"]}',
    "mechanism": '"The cache is emptied at each write."',
    "chain": '[{"text": "…", "role": "cause", "at": "2026-03-01T12:00:00Z", "citations": ["…"]}]',
    "role": '"cause"',
    "culprit": '{"commit": "<full id>", "source": "repo"}',
    "confidence": '{"value": 0.7, "reasons": ["…"], "against": []}',
    "conclude:confidence.value": "0.7",
    "ruled_out": '[{"suspect": {"kind": "commit", "key": "<full id>"}, "test": "…", "result": "ruled out", '
    '"reason": "…", "citations": ["…"]}]',
    "result": '"ruled out"',
    "blast_radius": '[{"text": "…", "citations": ["…"]}]',
    "contradictions": '[{"text": "…", "citations": ["…"]}]',
    "actions": '[{"kind": "contain", "text": "Roll back …"}]',
    "conclude:actions.kind": '"contain"',
    "gaps": '[{"text": "…", "why": "no metrics of the database"}]',
    "affected": '["checkout"]',
    "reasons": '["…"]',
    "against": '["…"]',
}
"""Field (or `tool:path`) to a value that would be taken; of no incident in particular."""
