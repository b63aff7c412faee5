"""What fits: which arrangement a size gets, as one pure function."""

from __future__ import annotations

from typing import Literal

Layout = Literal["full", "two", "one", "notice"]


def layout_for(width: int, height: int) -> Layout:
    """Return the arrangement for a terminal of that size, in cells."""
    if width < 60 or height < 16:
        return "notice"
    if width < 100 or height < 30:
        return "one"
    return "full" if width >= 160 else "two"
