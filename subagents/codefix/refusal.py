"""Why there is no draft, said to people."""

from __future__ import annotations


class DraftRefused(Exception):
    """No draft was made and nothing was left behind; the message says what, why, and what to do."""

    def __init__(self, reason: str, conflicts: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.conflicts = conflicts
        """Paths in which the undoing meets later changes."""
