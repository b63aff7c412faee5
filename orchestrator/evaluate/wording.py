"""How counts and names of cases are said."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 3
"""Most names that a sentence gives."""


def counted(count: int, what: str) -> str:
    """Return a count with its noun, such as `1 case` or `2 cases`."""
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def some(names: Sequence[str]) -> str:
    """Return the first names, and a mark where there are more."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
