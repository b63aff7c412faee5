"""A trace taken apart: what was thrown and what caused it, each with its own frames, without what was suppressed."""

from __future__ import annotations

import re
from collections.abc import Callable

from subagents.logs.stack_frames import StackFrame

LINKS = r"Caused by: |Suppressed: |\[cause\]: "
"""Regex, also for Rust: how the line begins that names a cause, or what was thrown besides."""
ELISION = r"\.\.\. \d+ (?:more|common frames)"
"""Regex, also for Rust: how many of its outer frames a cause shares with what it caused."""
_LINK = re.compile(rf"^(?P<indent>\s*)(?P<link>{LINKS})")
_ELIDED = re.compile(r"^\s*" + ELISION.replace(r"\d+", r"(\d+)"))
_INNER = re.compile(r"\s*---> ")


def parts_of(lines: list[str], language: str) -> list[list[str]]:
    """Return the lines of what was thrown and of each cause, the deepest last.

    What was suppressed is left out, with its own causes: they stand as deep in the text as it does.
    """
    if language == ".NET":
        return _dotnet_parts(lines)
    parts, suppressed = [list[str]()], -1
    for text in lines:
        if (match := _LINK.match(text)) is not None:
            indent = len(match["indent"])
            if match["link"].startswith("Suppressed"):
                suppressed = indent if suppressed < 0 else min(indent, suppressed)
            elif suppressed < 0 or indent < suppressed or not indent:
                suppressed = -1
                parts.append([])
        if suppressed < 0:
            parts[-1].append(text)
    return parts


def _dotnet_parts(lines: list[str]) -> list[list[str]]:
    """All are named before the frames, which begin with the deepest; what follows is another of an aggregate's."""
    first = next((number for number, text in enumerate(lines) if text.lstrip().startswith("at ")), len(lines))
    behind = (number for number in range(first, len(lines)) if _INNER.match(lines[number]))
    parts = [head.split("\n") for head in _INNER.split("\n".join(lines[:first]))]
    parts[-1] += lines[first : next(behind, len(lines))]
    return parts


def outward(parts: list[list[str]], read: Callable[[list[str]], list[StackFrame]]) -> list[StackFrame]:
    """Return the frames of the deepest cause, innermost first, and behind them those that only what it caused has.

    Frames that a cause shares with what it caused are listed there alone.
    """
    whole, others = list[StackFrame](), list[StackFrame]()
    for part in parts:
        shared = sum(int(match[1]) for text in part if (match := _ELIDED.match(text)) is not None)
        own = max(0, len(whole) - shared)
        whole, others = read(part) + whole[own:], whole[:own] + others
    return whole + others
