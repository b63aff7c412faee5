"""What a widget is given to paint: cleaned text in tones, on rows that can be opened. Plain data, quick to import."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from orchestrator.journal.text import CleanText, clean

Tone = Literal["plain", "dim", "strong", "accent", "good", "bad", "warn", "match"]

RefKind = Literal["finding", "hypothesis", "citation", "call", "verdict", "approval"]


@dataclass(frozen=True)
class Ref:
    """What a row stands for, so that it can be opened."""

    kind: RefKind
    id: str
    """Finding id, suspect id, citation, call id, or approval id."""


@dataclass(frozen=True)
class Span:
    """A stretch of one line in one tone. Its text cannot be anything but clean."""

    text: CleanText
    tone: Tone = "plain"


Line = tuple[Span, ...]


def span(text: str, tone: Tone = "plain", limit: int | None = None) -> Span:
    """Clean a text for one line: line breaks show as `␊`."""
    return Span(clean(text, newlines=False, limit=limit), tone)


def line(*parts: str | Span | tuple[str, Tone]) -> Line:
    """Make a line of texts (plain), (text, tone) pairs and spans; empty ones are left out."""
    made: list[Span] = []
    for part in parts:
        if isinstance(part, Span):
            made.append(part)
        elif isinstance(part, str):
            made.append(span(part))
        else:
            made.append(span(*part))
    return tuple(one for one in made if one.text)


def flat(text: str) -> str:
    """Return a text with every run of white space as one blank, so that a line break costs no meaning."""
    return " ".join(text.split())


def text_of(line_: Sequence[Span]) -> str:
    """Return what a line says, without its tones."""
    return "".join(one.text for one in line_)


@dataclass(frozen=True)
class Row:
    """One row of a list: a line, and what unfolds below it."""

    key: str
    """Names the row for good: a later row of the same key takes its place."""
    line: Line
    detail: tuple[Line, ...] = ()
    """Shown below the row when it is unfolded; wrapped to the width there is."""
    ref: Ref | None = None
    stamp: str = ""
    """When it happened, `09:12:40`; shown where there is room."""
    weight: Literal["chatter", "event", "decision"] = "event"
    wraps: bool = False
    """Whether it may take several lines: what agents and people say, not what tools print."""


def cells(line_: Sequence[Span]) -> int:
    """Return how many cells of a terminal a line takes: some characters take two."""
    return _cells(text_of(line_))


def _cells(text: str) -> int:
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def fitted(text: str, width: int) -> str:
    """Cut a text to `width` cells, with a mark where something is gone."""
    if _cells(text) <= width:
        return text
    from rich.cells import set_cell_size

    return set_cell_size(text, max(0, width - 1)) + "…"
