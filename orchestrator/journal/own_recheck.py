"""`warroom.rechecked`: how the symptom stands by newer data, as a person had it measured."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from orchestrator.journal.verdict import IncidentState, State, Verdict
from subagents.contract import Frozen


class Rechecked(Frozen):
    """A person had the symptom of the verdict measured again, with newer data."""

    type: Literal["warroom.rechecked"] = "warroom.rechecked"
    state: State
    """`unknown`: it cannot be told, and `reason` says why."""
    as_of: AwareDatetime | None = None
    """The newest moment that was measured."""
    reason: str
    findings: tuple[str, ...] = ()
    """What it rests on: ids of findings that were checked like any other."""
    citations: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    """What data would tell, where this does not."""
    worse: tuple[str, ...] = ()
    """What else left its baseline since."""
    remarks: tuple[str, ...] = ()
    """What is odd about the newer data."""
    sources: tuple[str, ...] = ()
    """Sources that came with it."""
    by: str = "person"

    @property
    def word(self) -> str:
        """The answer in a word or two."""
        return {"ongoing": "not recovered", "unknown": "cannot tell"}.get(self.state, self.state)


def with_state(verdict: Verdict, again: Rechecked | None) -> Verdict:
    """Return the verdict with the state that a later re-check found; one that cannot tell changes nothing."""
    if again is None or again.state == "unknown":
        return verdict
    state = IncidentState(state=again.state, as_of=again.as_of, reason=again.reason, citations=again.citations[:4])
    return verdict.model_copy(update={"state": state})
