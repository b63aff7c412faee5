"""Foreign text as Markdown that stays inert: no HTML, link, mention, image or heading comes out of it.

Plain words stay as they are, so that the source reads well in a terminal. A word that holds a character
with a meaning in Markdown is put in a code span, and a block in a fence that is longer than any run of
backticks within.
"""

from __future__ import annotations

import re

from orchestrator.journal.text import clean

_ACTIVE = re.compile(r"[`*\[\]<>|\\&#@$^{}~]|__|^_|_$|://|:[a-z]\w*:|\bwww\.|^!|\bmailto:|\bxmpp:", re.IGNORECASE)
_LEADING = re.compile(r"(?:[-+=]+|\d{1,9}[.)])(?=\s|$)")
_RUNS = re.compile(r"`+")


def line(text: str) -> str:
    """Return foreign text as one line, hidden and control characters made visible."""
    return " ".join(clean(text).split())


def inline(text: str, limit: int = 2000) -> str:
    """Return foreign text as one line of Markdown that shows exactly its characters."""
    flat = line(text)
    if len(flat) > limit:
        flat = flat[:limit] + " …"
    words: list[str] = []
    active: list[str] = []
    for word in flat.split(" "):
        if _ACTIVE.search(word):
            active.append(word)
            continue
        if active:
            words.append(code(" ".join(active)))
            active = []
        words.append(word)
    if active:
        words.append(code(" ".join(active)))
    joined = " ".join(words)
    return "\\" + joined if _LEADING.match(joined) and not joined[0].isdigit() else _number_safe(joined)


def _number_safe(text: str) -> str:
    """Keep `12. foo` from starting a list."""
    if _LEADING.match(text):
        return re.sub(r"^(\d+)([.)])", r"\1\\\2", text)
    return text


def code(text: str) -> str:
    """Return foreign text as a code span."""
    flat = line(text)
    longest = max((len(run) for run in _RUNS.findall(flat)), default=0)
    ticks = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") or not flat else ""
    return f"{ticks}{pad}{flat}{pad}{ticks}"


def fence(text: str, language: str = "text", indent: str = "") -> str:
    """Return foreign text as a fenced block; `language` is ours, never theirs."""
    shown = "\n".join(str(clean(part)) for part in text.split("\n"))
    longest = max((len(run) for run in _RUNS.findall(shown)), default=0)
    ticks = "`" * max(3, longest + 1)
    body = "\n".join(indent + part for part in shown.rstrip("\n").split("\n"))
    return f"{indent}{ticks}{language}\n{body}\n{indent}{ticks}"
