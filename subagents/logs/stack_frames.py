"""A frame of a stack trace: apart from the other answers, which a pass over logs does not need."""

from __future__ import annotations

from subagents.contract import Frozen


class StackFrame(Frozen):
    """One frame of a stack trace."""

    function: str
    path: str
    line: int | None
    own: bool
    """Not of a runtime, a standard library or an installed package."""

    @property
    def place(self) -> str:
        """`path:line`, or the path alone."""
        return f"{self.path}:{self.line}" if self.line is not None else self.path
