"""Why a claim, or a part of one, does not hold: what the claims checker says of it."""

from __future__ import annotations

from typing import Literal

from subagents.contract import Frozen

DoubtKind = Literal["citation", "number", "unit", "time", "quote", "commit", "service", "metric", "record", "malformed"]
"""What was looked up: a citation, a fact's number or unit, a moment, quoted words, or a name of that kind."""


class Doubt(Frozen):
    """Why a claim does not count."""

    place: str
    """Where in the finding or the verdict, such as `facts[1]` or `chain[0].citations`."""
    claim: str
    """The part that does not hold, as it was claimed."""
    reason: str
    kind: DoubtKind

    def line(self) -> str:
        """Return the doubt as one line."""
        return f"{self.place}: {self.claim}: {self.reason}"
