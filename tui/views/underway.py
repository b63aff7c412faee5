"""How far a running call is, in words: the same in a pane and on the line of a headless run. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orchestrator.hands.watching import CallPreview

_UNITS = (("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000))


def size_in_words(count: int) -> str:
    """Return a number of bytes as people say it: `812 B`, `412 MB`, `1.1 GB`."""
    for unit, size in _UNITS:
        if count >= size:
            return f"{count / size:.0f} {unit}" if count >= size * 10 else f"{count / size:.1f} {unit}"
    return f"{count} B"


def how_far(preview: CallPreview) -> str:
    """Return `38 % · 412 MB of 1.1 GB`, `30 of 120 diffs`; empty where nobody knows."""
    if preview.unit != "bytes":
        of = f" of {preview.total:,}" if preview.total else ""
        return f"{preview.done:,}{of} {preview.unit}" if preview.done or preview.total else ""
    if preview.share is None:
        return size_in_words(preview.done) if preview.done else ""
    share = int(preview.share * 100)  # not 100 before it is done
    return f"{share} % · {size_in_words(preview.done)} of {size_in_words(preview.total)}"


def underway(preview: CallPreview) -> str:
    """Return how far it is and what it found until now, in one line."""
    return " · ".join(part for part in (how_far(preview), preview.text) if part)
