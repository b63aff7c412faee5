"""The one way of text to the screen: cleaned text in, Content out, and a filter at the exit behind it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.segment import Segment
from textual.color import Color
from textual.content import Content
from textual.filter import LineFilter

from orchestrator.journal.text import CleanText
from tui.views.paint import Span, Tone

__all__ = ["ExitFilter", "content", "content_of"]

# Cc, Cf, Cs, Zl, Zp and what draws nothing but changes its neighbours; a presentation selector (U+FE0F) stays.
_FORBIDDEN = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2\\u180b-\\u180f"
    "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ud800-\\udfff\\ufe00-\\ufe0d\\ufeff\\ufff0-\\ufffb"
    "\\U000110bd\\U000110cd\\U00013430-\\U0001343f\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a"
    "\\U000e0000-\\U000e0fff]"
)


def content(text: CleanText) -> Content:
    """Return cleaned text as Content: never markup, whatever brackets it holds."""
    return Content(text)


def content_of(spans: Sequence[Span]) -> Content:
    """Return a line as Content, each tone in its style."""
    return Content.assemble(*(Content(one.text).stylize(STYLES[one.tone]) for one in spans))


STYLES: dict[Tone, str] = {
    "plain": "",
    "dim": "$foreground-muted",
    "strong": "bold",
    "accent": "bold $text-accent",
    "good": "$text-success",
    "bad": "bold $text-error",
    "warn": "$text-warning",
    "match": "reverse",
}
"""Theme variables only, so that every theme and sixteen colours serve."""


class ExitFilter(LineFilter):
    """Takes from every painted segment what a terminal would obey: the net behind `clean()`, not instead of it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments without control and format characters; untouched where there are none."""
        if all(segment.text.isprintable() and segment.control is None for segment in segments):
            return segments
        return [
            Segment(_FORBIDDEN.sub("", segment.text), segment.style) for segment in segments if segment.control is None
        ]
