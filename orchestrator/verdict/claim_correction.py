"""A verdict without what in it does not hold: parts are dropped, and a conclusion that lost its support is none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.verdict import (
    Action,
    Cause,
    ChainStep,
    Cited,
    Confidence,
    Culprit,
    RuledOut,
    Symptom,
    Verdict,
)

UNSUPPORTED = 0.3
"""Most confidence of a verdict whose conclusion did not hold."""

Part = TypeVar("Part", Cited, ChainStep, Cause, Symptom, RuledOut)


def corrected(verdict: Verdict, doubts: Sequence[Doubt]) -> Verdict:
    """Return the verdict without what is doubted, saying so in `unchecked`; the same verdict where nothing is."""
    return _Correction(verdict, doubts).made() if doubts else verdict


_DECISIVE = ("culprit.commit", "cause.suspect.key", "cause.citations", "cause.mechanism", "culprit.deploy", "cause")


def _weight(doubt: Doubt) -> int:
    """Order doubts by how much the conclusion rests on what they are about."""
    return _DECISIVE.index(doubt.place) if doubt.place in _DECISIVE else len(_DECISIVE)


class _Correction:
    def __init__(self, verdict: Verdict, doubts: Sequence[Doubt]) -> None:
        self.verdict, self.doubts = verdict, doubts
        self.places = {doubt.place for doubt in doubts}
        self.refs = {doubt.claim for doubt in doubts if doubt.kind == "citation"}

    def made(self) -> Verdict:
        verdict = self.verdict
        culprit, cause = self._culprit(), self._cause()
        changes: dict[str, object] = {
            "culprit": culprit,
            "cause": cause,
            "symptom": self._symptom(),
            "chain": self._parts("chain", verdict.chain, "text"),
            "blast_radius": self._parts("blast_radius", verdict.blast_radius, "text"),
            "contradictions": self._parts("contradictions", verdict.contradictions, "text"),
            "ruled_out": self._parts("ruled_out", verdict.ruled_out, "reason"),
            "service": None if "service" in self.places else verdict.service,
            "affected": self._kept("affected", verdict.affected),
            "services": self._kept("services", verdict.services, ".service"),
            "suspects": self._kept("suspects", verdict.suspects, ".commit"),
            "state": self._state(),
            "gaps": self._kept("gaps", verdict.gaps, ".text"),
            "confidence": self._confidence(),
            "unchecked": tuple(dict.fromkeys((*verdict.unchecked, *(doubt.line() for doubt in self.doubts)))),
        }
        if self._lost(culprit, cause):
            changes |= self._inconclusive()
        else:
            changes |= {"actions": self._actions(verdict.actions), **self._headline()}
        return verdict.model_copy(update=changes)

    def _lost(self, culprit: Culprit | None, cause: Cause | None) -> bool:
        """Say whether what the verdict concludes has nothing left to stand on."""
        if self.verdict.kind == "culprit" and culprit is None:
            return True
        gone = self.verdict.cause is not None and cause is None
        return self.verdict.kind in ("culprit", "no_code_cause") and (gone or "cause" in self.places)

    def _inconclusive(self) -> dict[str, object]:
        verdict, first = self.verdict, min(self.doubts, key=_weight)
        what = first.claim[:12] if first.kind == "commit" else first.claim[:80]
        because = f"what was concluded does not hold ({what}: {first.reason[:160]})"
        where = f"{verdict.service}: " if verdict.service and "service" not in self.places else ""
        confidence = self._confidence()
        return {
            "kind": "inconclusive",
            "headline": f"{where}cause not established: {because}",
            "gist": "",
            "culprit": None,
            "cause": None,
            "actions": tuple(action for action in self._actions(verdict.actions) if not self._on_cause(action)),
            "confidence": confidence.model_copy(
                update={
                    "value": min(confidence.value, UNSUPPORTED),
                    "reasons": (),
                    "against": (because, *confidence.against),
                }
            ),
        }

    def _confidence(self) -> Confidence:
        sure = self.verdict.confidence
        kept = {name: self._kept(f"confidence.{name}", getattr(sure, name)) for name in ("reasons", "against")}
        return sure.model_copy(update=kept)

    def _headline(self) -> dict[str, str]:
        if "headline" not in self.places:
            return {}
        where = f"{self.verdict.service}: " if self.verdict.service and "service" not in self.places else ""
        kind = self.verdict.kind.replace("_", " ")
        return {"headline": f"{where}{kind}; the headline as it was concluded does not hold", "gist": ""}

    def _on_cause(self, action: Action) -> bool:
        """Say whether an action undoes what is no longer blamed."""
        culprit, cause = self.verdict.culprit, self.verdict.cause
        names = [culprit.commit[:7]] if culprit and culprit.commit else []
        names += [cause.suspect.key[:40]] if cause and cause.suspect else []
        told = f"{action.text} {action.command or ''} {action.effect}"
        return action.kind == "fix" or action.command is not None or any(name in told for name in names)

    # -- parts -----------------------------------------------------------------------------------

    def _refs(self, refs: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(ref for ref in refs if ref not in self.refs)

    def _part(self, place: str, part: Part, words: str) -> Part | None:
        """Return a part with the citations that hold; None where none does or its own words do not."""
        refs = self._refs(part.citations)
        said = {f"{place}.{name}" for name in (words, "test", "suspect.key")}
        wrong = any(one.startswith(f"{place}.facts[") for one in self.places) and place != "symptom"
        if wrong or said & self.places or (part.citations and not refs):
            return None
        changes: dict[str, object] = {"citations": refs}
        if f"{place}.at" in self.places:
            changes["at"] = None
        suspect = getattr(part, "suspect", None)
        if suspect is not None and f"{place}.suspect.label" in self.places:
            changes["suspect"] = suspect.model_copy(update={"label": ""})
        return part.model_copy(update=changes)

    def _parts(self, place: str, parts: Sequence[Part], words: str) -> tuple[Part, ...]:
        held = (self._part(f"{place}[{at}]", part, words) for at, part in enumerate(parts))
        return tuple(part for part in held if part is not None)

    def _kept(self, place: str, items: Sequence[object], field: str = "") -> tuple[object, ...]:
        return tuple(item for at, item in enumerate(items) if f"{place}[{at}]{field}" not in self.places)

    def _cause(self) -> Cause | None:
        return None if self.verdict.cause is None else self._part("cause", self.verdict.cause, "mechanism")

    def _culprit(self) -> Culprit | None:
        culprit = self.verdict.culprit
        if culprit is None or "culprit.commit" in self.places:
            return None
        changes: dict[str, object] = {}
        if culprit.deploy in self.refs:
            changes["deploy"] = None
        if "culprit.service" in self.places:
            changes["service"] = None
        changes |= {name: "" for name in ("author", "subject") if f"culprit.{name}" in self.places}
        held = culprit.model_copy(update=changes)
        return held if held.commit or held.deploy or held == culprit else None

    def _symptom(self) -> Symptom | None:
        symptom = self.verdict.symptom
        held = None if symptom is None else self._part("symptom", symptom, "text")
        if held is None:
            return None
        changes: dict[str, object] = {"facts": self._kept("symptom.facts", held.facts)}
        for name in ("service", "metric", "onset"):
            if f"symptom.{name}" in self.places:
                changes[name] = None
        return held.model_copy(update=changes)

    def _state(self) -> object:
        state = self.verdict.state
        refs = self._refs(state.citations)
        if {"state.as_of", "state.reason"} & self.places or (state.citations and not refs):
            return type(state)(reason="what was said of it does not hold")
        return state.model_copy(update={"citations": refs})

    def _actions(self, actions: Sequence[Action]) -> tuple[Action, ...]:
        """Return the actions without runbook steps, or commands on commits, that do not exist."""
        kept = []
        for at, action in enumerate(actions):
            changes = {"runbook": None} if action.runbook in self.refs else {}
            changes |= {"command": None} if f"actions[{at}].command" in self.places else {}
            if f"actions[{at}].text" not in self.places:
                kept.append(action.model_copy(update=changes) if changes else action)
        return tuple(kept)
