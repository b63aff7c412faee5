"""How names of cases are said."""

from __future__ import annotations

from collections.abc import Sequence

NAMED = 3
"""Most names that a sentence gives."""


def some(names: Sequence[str]) -> str:
    """Return the first names, and a mark where there are more."""
    return ", ".join(names[:NAMED]) + (", …" if len(names) > NAMED else "")
