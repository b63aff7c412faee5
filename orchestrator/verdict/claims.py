"""The claims checker: a claim whose citation does not resolve is marked and does not count."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from pydantic import BaseModel

from subagents import citations, quantities
from subagents.contract import Evidence, Fact, Finding, Frozen, ToolError


class Doubt(Frozen):
    """Why a claim does not count."""

    claim: str
    reason: str


class ClaimsChecker:
    """Checks claims against the evidence that tool calls of this session returned."""

    def __init__(self, known: Mapping[str, Evidence]) -> None:
        self._known = known

    def citation(self, ref: str) -> str | None:
        """Return why `ref` is not evidence of this session, or None where it is."""
        try:
            citations.parse(ref)
        except ToolError as error:
            return str(error)
        if ref not in self._known:
            return f"no tool call of this session returned {ref}"
        return None

    def finding(self, finding: Finding) -> tuple[Doubt, ...]:
        """Return what does not hold in a finding; empty when it counts."""
        doubts = [Doubt(claim=finding.claim, reason=bad) for ref in finding.citations if (bad := self.citation(ref))]
        doubts += [Doubt(claim=finding.claim, reason=bad) for fact in finding.facts if (bad := self.fact(fact))]
        return tuple(doubts)

    def fact(self, fact: Fact) -> str | None:
        """Return why a fact is malformed or rests on nothing, or None where it is sound."""
        if fact.quantity in quantities.MOMENTS:
            try:
                moment = datetime.fromisoformat(str(fact.value))
            except ValueError:
                return f"{fact.quantity} is not a time: {fact.value!r}"
            if moment.tzinfo is None:
                return f"{fact.quantity} has no time zone: {fact.value!r}"
        elif isinstance(fact.value, str) and fact.quantity in quantities.KNOWN:
            return f"{fact.quantity} is not a number: {fact.value!r}"
        return self.citation(fact.citation)

    def everything_in(self, model: BaseModel) -> tuple[Doubt, ...]:
        """Return every citation anywhere in `model` (a verdict) that is not evidence."""
        doubts: dict[str, Doubt] = {}
        for where, ref in cited(model.model_dump(mode="json")):
            if ref not in doubts and (bad := self.citation(ref)):
                doubts[ref] = Doubt(claim=where, reason=bad)
        return tuple(doubts.values())


_FIELDS = ("citations", "citation", "deploy", "runbook")


def cited(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Yield (place, citation) for each citation in the JSON form of a verdict or a finding."""
    if isinstance(value, dict):
        for key, child in value.items():
            place = f"{where}.{key}" if where else key
            if key in _FIELDS and isinstance(child, str):
                yield place, child
            elif key == "citations" and isinstance(child, list):
                yield from ((place, ref) for ref in child)
            else:
                yield from cited(child, place)
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from cited(child, f"{where}[{index}]")
