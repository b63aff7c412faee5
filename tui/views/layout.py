"""What fits: which arrangement a size gets, as one pure function."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Layout = Literal["full", "two", "one", "notice"]


def layout_for(width: int, height: int) -> Layout:
    """Return the arrangement for a terminal of that size, in cells."""
    if width < 60 or height < 16:
        return "notice"
    if width < 100 or height < 30:
        return "one"
    return "full" if width >= 160 else "two"


def pair_with(panes: Sequence[str], place: str, shown: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Return the two panes that are shown where there is room for two: the place is one of them, where it is a pane."""
    shown = shown or tuple(panes[:2])
    return shown if place in shown or place not in panes else (panes[0], place)
