"""What an answer is worth by a label. Which measures apply follows from what the label says, not from its family."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import JsonValue

from orchestrator.evaluate.labels import Label
from orchestrator.evaluate.lines import Answer, BaselineAnswer, EvalLine
from orchestrator.intake.moments import moment
from orchestrator.journal.verdict import Verdict

Scores = Mapping[str, float]

RIGHT, WRONG, ABSTAINED, WRONG_NONE = "culprit or none right", "wrong conviction", "abstained", "wrongly none"
NO_VERDICT, NONE_FOUND, DECOY = "no verdict", "none found", "decoy blamed"
DETECTED, QUIET, HEALTH = "onset in a window", "quiet when clean", "health told right"
AC1: Final = "AC@1"
LOWER_IS_BETTER: Final = frozenset({WRONG, ABSTAINED, WRONG_NONE, NO_VERDICT, DECOY, "forbidden term named"})
LEADING: Final = (RIGHT, AC1, DETECTED, QUIET, HEALTH)
"""What `right` means in a calibration table: the first of these that applies to a case."""

_ONSET_TOLERANCE = timedelta(minutes=2)
_TICKED = re.compile(r"`([^`]+)`|\"([^\"]+)\"|'([^']+)'")
_TERM = re.compile(r"[A-Za-z0-9][\w.:/-]*\w")
_FILLER = frozenset(
    {
        *("about", "above", "actual", "also", "and", "any", "are", "because", "been", "but", "can", "cannot", "does"),
        *("error", "exist", "failed", "fails", "failing", "for", "from", "has", "have", "into", "issue", "issues"),
        *("less", "mention", "must", "not", "number", "requires", "should", "some", "that", "the", "their", "there"),
        *("this", "used", "using", "was", "when", "which", "with", "without"),
    }
)


@dataclass(frozen=True)
class _Given:
    label: Label
    answer: Answer
    onset: datetime | None
    verdict: Verdict | None
    is_baseline: bool


def score_line(label: Label, line: EvalLine) -> Scores:
    """Return a line's scores, each 0 to 1 by the name of its measure."""
    scores = _score(_Given(label, line, line.onset, line.verdict, False))
    return {**scores, NO_VERDICT: float(line.kind is None)} if scores else {}


def score_baseline(label: Label, answer: BaselineAnswer) -> Scores:
    """Return a simple rule's scores, by the measures that such a rule can answer."""
    return _score(_Given(label, answer, answer.onset, None, True))


def _score(given: _Given) -> dict[str, float]:
    label, made = given.label, {}
    if "culprit_commit" in label and (given.answer.suspects or given.answer.culprit or not given.is_baseline):
        made.update(_culprit(label, given.answer))
    if label.get("root_cause_service") and (given.answer.services or not given.is_baseline):
        made.update(_service(_any_of(label["root_cause_service"]), [one.service for one in given.answer.services]))
    windows = label.get("anomaly_windows")
    if isinstance(windows, list) and (given.onset or not given.is_baseline):
        made.update(_detection(windows, given))
    ranks = given.answer.services or given.answer.suspects or given.onset
    if "root_cause_category" in label and not (given.is_baseline and ranks):
        healthy = str(label["root_cause_category"]).lower() == "healthy"
        made[HEALTH] = float(given.answer.kind is not None and healthy == (given.answer.kind == "no_incident"))
    if not given.is_baseline:
        made.update(_onset(label, given.onset))
        made.update(_words(label, given.verdict))
    return made


def _culprit(label: Label, answer: Answer) -> dict[str, float]:
    truth = _any_of(label["culprit_commit"]) or ("none",)
    said = (answer.culprit or "").lower()
    blames = bool(said) or answer.kind == "culprit"
    none = truth == ("none",)
    right = (answer.kind == "no_code_cause" and not blames) if none else said in truth
    made = {
        RIGHT: float(right),
        WRONG: float(blames and not right),
        ABSTAINED: float(answer.kind == "inconclusive" and not blames),
        WRONG_NONE: float(answer.kind in ("no_code_cause", "no_incident") and not blames and not right),
    }
    decoys = label.get("decoys")
    if isinstance(decoys, list) and decoys:
        made[DECOY] = float(said in {str(one).lower() for one in decoys})
    if none:
        return {**made, NONE_FOUND: float(right)}
    place = _place(truth, [one.commit for one in answer.suspects])
    return {**made, "Top-1": float(place < 1), "Top-3": float(place < 3)}


def _any_of(truth: JsonValue) -> tuple[str, ...]:
    """Return what counts as right, in lower case: one name, or any of several."""
    return tuple(str(one).lower() for one in (truth if isinstance(truth, list) else [truth]) if one)


def _service(truth: Collection[str], ranked: Sequence[str]) -> dict[str, float]:
    place = _place(truth, ranked)
    return {
        AC1: float(place < 1),
        "AC@3": float(place < 3),
        "Avg@5": sum(place < k for k in range(1, 6)) / 5,
    }


def _place(truth: Collection[str], ranked: Sequence[str]) -> int:
    """Return where the truth stands, from 0; beyond any rank where it does not."""
    return next((place for place, one in enumerate(ranked) if one.lower() in truth), 1 << 30)


def _detection(windows: Sequence[JsonValue], given: _Given) -> dict[str, float]:
    flagged = given.onset if given.answer.kind != "no_incident" else None
    if not windows:
        return {QUIET: float(flagged is None and given.answer.kind is not None)}
    spans = [(moment(one[0]), moment(one[1])) for one in windows if isinstance(one, list) and len(one) == 2]
    known = [(start, end) for start, end in spans if start and end]
    return {DETECTED: float(flagged is not None and any(a <= flagged <= b for a, b in known))} if known else {}


def _onset(label: Label, onset: datetime | None) -> dict[str, float]:
    injected = moment(label.get("inject_time"))
    if injected is None:
        return {}
    near = onset is not None and abs(onset.astimezone(UTC) - injected) <= _ONSET_TOLERANCE
    return {"onset within 2 min": float(near)}


def _words(label: Label, verdict: Verdict | None) -> dict[str, float]:
    """Score prose by the terms it names: indicative at best, and said to be so."""
    text, excluded = _texts(verdict)
    made = {}
    expected = label.get("expected_output")
    if isinstance(expected, list):
        terms = [term for one in expected if isinstance(one, str) for term in _key_terms(one)]
        if terms:
            made["expected terms named"] = _share(terms, text)
    for key, name, where in (
        ("required_keywords", "required terms named", text),
        ("ruling_out_keywords", "ruled out as expected", excluded + " " + text),
    ):
        wanted = [one for one in _listed(label.get(key)) if one]
        if wanted:
            made[name] = _share(wanted, where)
    forbidden = _listed(label.get("forbidden_keywords"))
    if forbidden:
        made["forbidden term named"] = float(any(_flat(one) in text for one in forbidden))
    return made


def _key_terms(sentence: str) -> list[str]:
    """Return what a sentence quotes; of one that quotes nothing, its words that carry meaning."""
    quoted = [next(filter(None, groups)) for groups in _TICKED.findall(sentence)]
    return quoted or [word for word in _TERM.findall(sentence) if len(word) > 3 and word.lower() not in _FILLER]


def _share(terms: Sequence[str], text: str) -> float:
    return sum(_flat(term) in text for term in terms) / len(terms)


def _listed(value: JsonValue) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def _texts(verdict: Verdict | None) -> tuple[str, str]:
    """Return what the verdict asserts and what it rules out, each as one flat text."""
    if verdict is None:
        return "", ""
    return _flat(" ".join(_asserted(verdict))), _flat(
        " ".join(f"{one.suspect.label} {one.suspect.id} {one.test} {one.reason}" for one in verdict.ruled_out)
    )


def _asserted(verdict: Verdict) -> Iterator[str]:
    yield verdict.headline
    yield verdict.service or ""
    if verdict.symptom is not None:
        yield verdict.symptom.text
    if verdict.cause is not None:
        yield verdict.cause.mechanism
        yield verdict.cause.suspect.label if verdict.cause.suspect is not None else ""
    for step in verdict.chain:
        yield step.text
    for action in verdict.actions:
        yield f"{action.text} {action.effect}"
    for said in (*verdict.blast_radius, *verdict.contradictions):
        yield said.text


def _flat(text: str) -> str:
    return " ".join(re.sub(r"[^\w.:/-]+", " ", text.casefold()).split())
