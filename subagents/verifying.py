"""What a specialist's resolver can say about claims: the value of a fact, computed anew, and whether a name exists.

A resolver that implements `Verifier` lets the claims checker recompute facts and look names up without knowing any
format. The answers come from the sources alone: never from what an agent said before.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol, runtime_checkable

from subagents.contract import Fact, Finding, Frozen, Window

NameKind = Literal["service", "metric", "commit", "deploy", "flag", "host", "path"]


class Recomputed(Frozen):
    """What the data says now of one fact."""

    value: float | int | str
    """In `unit`; an ISO 8601 UTC time for moments."""
    unit: str = ""


@runtime_checkable
class Verifier(Protocol):
    """Checks what others claim about the sources of one specialist."""

    def recompute(self, fact: Fact, board: Sequence[Finding] = ()) -> Recomputed | None:
        """Return a fact's value from what it cites; None for quantities of others or that no data settles.

        `board` holds the findings that count so far, for quantities that relate two of them. Raises ToolError
        where what it cites cannot be opened or does not hold such a quantity.
        """

    def has(self, kind: NameKind, name: str) -> bool | None:
        """Say whether the sources know a name; None where they hold no names of that kind."""

    def span(self) -> Window | None:
        """Return the time that the sources cover; None where they have no times."""
