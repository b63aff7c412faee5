"""A person's word beside a verdict: what they ruled out, added or pinned, as theirs; the evidence stays as it is."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.journal.verdict import Cited, Exclusion, RuledOut, Verdict
from orchestrator.verdict.board_edits import shown
from orchestrator.verdict.hypothesis import TO_TEST, Hypothesis

BY_PERSON = "a person's word; no test of the data"
ASKED_FOR = "looked into because a person put it on the board"
UNLIKELY_BELOW = 0.2
"""Score below which what speaks against a suspect counts."""


def with_persons_word(verdict: Verdict, board: Iterable[Hypothesis]) -> Verdict:
    """Return the verdict with what the person said of hypotheses; what it concludes from evidence is not touched.

    Where it names what a person has ruled out, that stands among the contradictions.
    """
    touched = [one for one in board if one.touched]
    if not touched:
        return verdict
    named = _named(verdict)
    closed = {one.suspect.id for one in touched if one.closed is not None}
    listed = {item.suspect.id for item in verdict.ruled_out}
    mine = [_ruled_out(one) for one in touched if one.closed is not None]
    mine += [_looked_into(one) for one in touched if one.closed is None and one.suspect.id not in listed | named]
    rest = [item for item in verdict.ruled_out if item.suspect.id not in closed]
    clashes = [
        Cited(text=f"{shown(one.suspect)} is what the verdict names, and {one.closed.words('ruled out')}")
        for one in touched
        if one.closed is not None and one.suspect.id in named
    ]
    contradictions = (*clashes, *verdict.contradictions)
    return verdict.model_copy(update={"ruled_out": (*mine, *rest), "contradictions": contradictions})


def _named(verdict: Verdict) -> set[str]:
    """Return the ids of what the verdict says did it."""
    named = {verdict.cause.suspect.id} if verdict.cause is not None and verdict.cause.suspect is not None else set()
    if verdict.culprit is not None and verdict.culprit.commit:
        named.add(f"commit:{verdict.culprit.commit}")
    return named


def _ruled_out(one: Hypothesis) -> RuledOut:
    assert one.closed is not None  # noqa: S101 - only such are given
    word = one.closed
    reason = f"by {word.by}: {word.note}" if word.note else f"by {word.by}"
    return RuledOut(suspect=one.suspect, test=BY_PERSON, result="ruled out", reason=reason)


def _looked_into(one: Hypothesis) -> RuledOut:
    grounds = (*one.excluding, *one.opposing, *one.supporting)
    if not grounds:
        why, _, command = one.untested[0].claim.partition(TO_TEST) if one.untested else ("", "", "")
        why = why or "it was put on the board after this verdict, and is looked into when the session goes on"
        reason = f"{why}; {command}" if command else why
        return RuledOut(suspect=one.suspect, test=ASKED_FOR, result="not testable with this data", reason=reason)
    result: Exclusion = "not cleared"
    if one.excluding:
        result = "ruled out"
    elif one.score < UNLIKELY_BELOW:
        result = "unlikely"
    reason = f"{grounds[0].claim} (holds at {one.score:.2f})"
    return RuledOut(suspect=one.suspect, test=ASKED_FOR, result=result, reason=reason, citations=grounds[0].citations)
