"""The board: hypotheses are the fold of all findings about one suspect. No tool writes them.

A score reads back to its reasons. Findings *for* add up as independent grounds (one minus the product
of what each leaves in doubt), findings *against* take their weight away from that, and one that *rules
out* closes the hypothesis whatever speaks for it. A person's word stands beside that: it is no evidence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from orchestrator.journal.events import BoardEdited, ClaimsChecked, Event, FindingReported, ThreadStatusRunning
from orchestrator.verdict.board_edits import Edit, edited
from orchestrator.verdict.hypothesis import TO_TEST
from orchestrator.verdict.hypothesis import Held as Held
from orchestrator.verdict.hypothesis import Hypothesis as Hypothesis
from subagents.contract import Finding, Suspect

BOARD_TYPES = frozenset(
    {"warroom.finding", "warroom.claims_checked", "session.thread_status_running", "warroom.board_edited"}
)
"""Types of the events that the board is made of."""


@dataclass
class Board:
    """All findings of the current round and the hypotheses they make, kept up by `apply`."""

    _by_agent: dict[str, dict[str, Finding]] = field(default_factory=dict)
    _checks: dict[str, ClaimsChecked] = field(default_factory=dict)
    _edits: dict[int, Edit] = field(default_factory=dict)
    """By seq: an event that is seen twice changes nothing."""

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
            self._edits[event.seq] = Edit(body, event.ts)
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

    @property
    def edits(self) -> tuple[Edit, ...]:
        """What a person did to the board, oldest first."""
        return tuple(self._edits.values())

    def hypotheses(self) -> tuple[Hypothesis, ...]:
        """Return the candidates: pinned first, then by score, ruled out last."""
        return fold(self.findings, self.edits, [held for held in self.held if held.doubts])


def fold(
    findings: Iterable[Finding], edits: Iterable[Edit] = (), doubted: Iterable[Held] = ()
) -> tuple[Hypothesis, ...]:
    """Fold findings and a person's edits into hypotheses: pinned first, then by score, ruled out last.

    What is doubted is named in them, no more.
    """
    suspects: dict[str, Suspect] = {}
    grounds: dict[str, dict[str, list[Finding]]] = {}
    untested: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.topic == "gap" and finding.terms and TO_TEST in finding.claim:
            untested.setdefault(finding.terms[0], []).append(finding)
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
    final = (replace(one, untested=tuple(untested.get(key, ()))) for key, one in edited(made, edits).items())
    return tuple(sorted(final, key=lambda h: (not h.pinned, h.state == "ruled out", -h.score)))
