"""What a check of a claim found."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.journal.doubts import Doubt, DoubtKind
from subagents.contract import Evidence

MOST_UNCHECKED = 1000
"""Most parts of one claim that are listed as unchecked."""


@dataclass
class Checked:
    """What a check says; filled as it goes on, so that what it found is kept where it is not finished in time."""

    claimant: str = ""
    """Whose sources are asked first: they are open already, and most likely know."""
    doubts: list[Doubt] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    """Numbers, names and quotes that no data settles, as written."""
    evidence: dict[str, Evidence] = field(default_factory=dict)
    """What is cited, resolves, and no tool call returned."""
    count: int = 0
    """How many things were looked up."""

    def doubt(self, place: str, claim: str, reason: str, kind: DoubtKind) -> None:
        """Add a doubt, once."""
        found = Doubt(place=place, claim=claim[:500], reason=reason[:1000], kind=kind)
        if found not in self.doubts:
            self.doubts.append(found)

    def unsettled(self, text: str) -> None:
        """Add what no data settles, once."""
        if text not in self.unchecked and len(self.unchecked) < MOST_UNCHECKED:
            self.unchecked.append(text[:500])
