"""The board: hypotheses are the fold of all findings about one suspect. No tool writes them.

A score reads back to its reasons. Findings *for* add up as independent grounds (one minus the product
of what each leaves in doubt), findings *against* take their weight away from that, and one that *rules
out* closes the hypothesis whatever speaks for it. A person's edit comes last and wins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from orchestrator.journal.doubts import Doubt
from orchestrator.journal.events import BoardEdited, ClaimsChecked, Event, FindingReported, ThreadStatusRunning
from subagents.contract import Finding, Suspect

HypothesisState = Literal["open", "supported", "ruled out", "not testable"]
SUPPORTED_FROM = 0.5
"""Score from which a hypothesis counts as supported rather than open."""


@dataclass(frozen=True)
class Held:
    """A finding as the board holds it."""

    id: str
    finding: Finding
    doubts: tuple[Doubt, ...] = ()
    """What in it does not hold; with any, it counts nowhere."""
    unchecked: tuple[str, ...] = ()
    """Numbers in it that no data settles."""


@dataclass(frozen=True)
class Hypothesis:
    """A candidate cause with all that was found about it."""

    suspect: Suspect
    supporting: tuple[Finding, ...] = ()
    opposing: tuple[Finding, ...] = ()
    excluding: tuple[Finding, ...] = ()
    doubted: tuple[Held, ...] = ()
    """What was claimed about it and does not hold: shown, and in no score."""
    pinned: bool = False
    edits: tuple[str, ...] = ()
    """What a person did to it, in words."""

    @property
    def score(self) -> float:
        """How well it holds, 0 to 1."""
        if self.excluding:
            return 0.0
        doubt = 1.0
        for finding in self.supporting:
            doubt *= 1.0 - finding.weight
        trust = 1.0
        for finding in self.opposing:
            trust *= 1.0 - finding.weight
        return round((1.0 - doubt) * trust, 4)

    @property
    def state(self) -> HypothesisState:
        """Where it stands."""
        if self.excluding:
            return "ruled out"
        if self.score >= SUPPORTED_FROM:
            return "supported"
        return "open" if self.supporting or self.opposing or self.doubted or self.edits else "not testable"

    @property
    def reasons(self) -> tuple[str, ...]:
        """The grounds of the score, strongest first, each with its sign and weight."""
        signed = [("-", f) for f in (*self.excluding, *self.opposing)] + [("+", f) for f in self.supporting]
        signed.sort(key=lambda item: -item[1].weight)
        return tuple(f"{sign}{finding.weight:.2f} {finding.claim}" for sign, finding in signed)


@dataclass
class Board:
    """All findings of the current round and the hypotheses they make, kept up by `apply`."""

    _by_agent: dict[str, dict[str, Finding]] = field(default_factory=dict)
    _checks: dict[str, ClaimsChecked] = field(default_factory=dict)
    _edits: list[BoardEdited] = field(default_factory=list)

    def apply(self, event: Event) -> None:
        """Take one event into account; events that do not concern the board change nothing."""
        body = event.body
        if isinstance(body, FindingReported):
            self._by_agent.setdefault(body.finding.agent, {})[body.id] = body.finding
        elif isinstance(body, ThreadStatusRunning) and event.stream == "local":
            # The agent starts over (with more sources): what it still holds, it reports again. One that a server
            # runs goes on with another task instead, and what it found stays.
            self._by_agent.pop(body.agent_name, None)
        elif isinstance(body, BoardEdited):
            self._edits.append(body)
        elif isinstance(body, ClaimsChecked) and body.subject == "finding":
            self._checks[body.id] = body

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding that counts, by agent in order of appearance."""
        return tuple(held.finding for held in self.held if not held.doubts)

    @property
    def held(self) -> tuple[Held, ...]:
        """Every finding that was not withdrawn, with what the checker says of it."""
        return tuple(
            self._held(identity, finding) for found in self._by_agent.values() for identity, finding in found.items()
        )

    def _held(self, identity: str, finding: Finding) -> Held:
        check = self._checks.get(identity)
        return Held(identity, finding, check.doubts, check.unchecked) if check else Held(identity, finding)

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Return the candidates: pinned first, then by score, ruled out last."""
        return fold(self.findings, self._edits, [held for held in self.held if held.doubts])


def fold(
    findings: Iterable[Finding], edits: Iterable[BoardEdited] = (), doubted: Iterable[Held] = ()
) -> tuple[Hypothesis, ...]:
    """Fold findings (and a person's edits) into hypotheses, best first; what is doubted is named in them, no more."""
    suspects: dict[str, Suspect] = {}
    grounds: dict[str, dict[str, list[Finding]]] = {}
    for finding in findings:
        if finding.about is None or finding.stance == "observes":
            continue
        key = finding.about.id
        if not suspects.get(key, finding.about).label or key not in suspects:
            suspects[key] = finding.about
        grounds.setdefault(key, {}).setdefault(finding.stance, []).append(finding)
    wrong: dict[str, list[Held]] = {}
    for held in doubted:
        if (about := held.finding.about) is not None:
            suspects.setdefault(about.id, about)
            wrong.setdefault(about.id, []).append(held)
    made = {
        key: Hypothesis(
            suspect=suspect,
            supporting=tuple(grounds.get(key, {}).get("for", ())),
            opposing=tuple(grounds.get(key, {}).get("against", ())),
            excluding=tuple(grounds.get(key, {}).get("rules_out", ())),
            doubted=tuple(wrong.get(key, ())),
        )
        for key, suspect in suspects.items()
    }
    for edit in edits:
        made[edit.suspect] = _edited(made.get(edit.suspect), edit)
    return tuple(sorted(made.values(), key=lambda h: (not h.pinned, h.state == "ruled out", -h.score)))


def _edited(hypothesis: Hypothesis | None, edit: BoardEdited) -> Hypothesis:
    kind, _, key = edit.suspect.partition(":")
    if hypothesis is None:
        known = kind if kind in Suspect.model_fields["kind"].annotation.__args__ else "none"  # type: ignore[union-attr]
        hypothesis = Hypothesis(suspect=Suspect.model_validate({"kind": known, "key": key or edit.suspect}))
    word = {"add": "added", "pin": "pinned", "unpin": "unpinned", "rule_out": "ruled out", "reopen": "reopened"}
    note = f"{word[edit.action]} by a person" + (f": {edit.note}" if edit.note else "")
    excluding = hypothesis.excluding
    if edit.action == "rule_out":
        excluding = (
            *excluding,
            Finding(
                agent="person",
                claim=edit.note or "ruled out by a person",
                topic="exclusion",
                about=hypothesis.suspect,
                stance="rules_out",
                weight=1.0,
            ),
        )
    elif edit.action == "reopen":
        excluding = ()
    pinned = {"pin": True, "unpin": False}.get(edit.action, hypothesis.pinned)
    return Hypothesis(
        suspect=hypothesis.suspect,
        supporting=hypothesis.supporting,
        opposing=hypothesis.opposing,
        excluding=excluding,
        doubted=hypothesis.doubted,
        pinned=pinned,
        edits=(*hypothesis.edits, note),
    )
