"""The report's Markdown as plain styled lines: headings, points and fences in tones, every character shown. Pure."""

from __future__ import annotations

from tui.views.diff import exact_line
from tui.views.page import PageLine
from tui.views.paint import Tone


def report_lines(markdown: str) -> tuple[PageLine, ...]:
    """Return the report as lines to read."""
    made = []
    fence = ""
    for text in markdown.removesuffix("\n").split("\n"):
        bare = text.lstrip()
        ticks = bare[: len(bare) - len(bare.lstrip("`"))]
        opens = not fence and len(ticks) >= 3
        closes = bool(fence) and len(ticks) >= len(fence) and bare.strip("`") == ""
        if opens or closes:
            fence = ticks if opens else ""
            made.append(PageLine(exact_line(text, "dim")))
        elif fence:
            made.append(PageLine(exact_line(text, "accent")))
        else:
            made.append(PageLine(exact_line(text, _tone(text)), words=True))
    return tuple(made)


def _tone(text: str) -> Tone:
    if text.startswith("# "):
        return "accent"
    if text.startswith(("## ", "### ")) or (text.startswith("**") and text.endswith("**")):
        return "strong"
    return "plain"


def sections_of(lines: tuple[PageLine, ...]) -> tuple[int, ...]:
    """Return the lines at which sections begin."""
    return tuple(at for at, one in enumerate(lines) if one.words and one.text.startswith(("# ", "## ")))
