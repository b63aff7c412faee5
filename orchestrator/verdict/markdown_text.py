"""Foreign text as Markdown that stays inert: no HTML, link, mention, image or heading comes out of it.

Plain words stay as they are, so that the source reads well in a terminal. A word that holds a character
with a meaning in Markdown is put in a code span, and a block in a fence that is longer than any run of
backticks within.
"""

from __future__ import annotations

import re

from orchestrator.journal.text import clean

_ACTIVE = re.compile(
    r"[`\[\]<|\\#@^~]|\*\S|\S\*|__|^_|_$|\{\{|\$\S|&[\w#]|://|:[a-z]\w*:|\bwww\.|^!|\bmailto:|\bxmpp:", re.IGNORECASE
)
"""Words that can mean something to a Markdown renderer, GitHub's included."""
_LEADING = re.compile(r"(?:[-+=*]+|>|\d{1,9}[.)])(?=\s|$)|>")
_QUOTED = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
_RUNS = re.compile(r"`+")
_ENDS = ".:;,!?"
"""What ends a clause, and is no part of the name before it"""


def line(text: str) -> str:
    """Return foreign text as one line, hidden and control characters made visible."""
    return " ".join(clean(text).split())


def inline(text: str, limit: int = 2000) -> str:
    """Return foreign text as one line of Markdown that shows its characters and does nothing else."""
    flat = line(text)
    if len(flat) > limit:
        flat = flat[:limit] + " …"
    parts: list[str] = []
    done = 0
    for quoted in _QUOTED.finditer(flat):  # what its writer quoted stays quoted, as one span
        parts += [_words(flat[done : quoted.start()]), code(quoted.group(2))]
        done = quoted.end()
    joined = _apart([*parts, _words(flat[done:])])
    leading = _LEADING.match(joined)
    if leading is None:
        return joined
    return "\\" + joined if not joined[0].isdigit() else re.sub(r"^(\d+)([.)])", r"\1\\\2", joined)


def _apart(parts: list[str]) -> str:
    """Join, keeping code spans apart from backticks, which would be one run, and from stars: emphasis."""
    out = ""
    for part in parts:
        touch = (out[-1:] + part[:1]) in ("``", "*`", "`*")
        out += " " + part if touch else part
    return out


def _words(text: str) -> str:
    """Put runs of active words in code spans; spaces at the ends are kept."""
    out: list[str] = []
    active: list[str] = []
    for word in text.split(" "):
        if _ACTIVE.search(word):
            active.append(word)
            continue
        if active:
            out.append(_span(active))
            active = []
        out.append(word)
    if active:
        out.append(_span(active))
    return " ".join(out)


def _span(words: list[str]) -> str:
    """Return words as one code span; what begins or ends the clause stays outside of it."""
    text = " ".join(words)
    begun = text.lstrip("“(")
    bare = begun.rstrip(_ENDS)
    while bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = bare[:-1].rstrip(_ENDS)
    if not bare or bare.endswith(("`", "\\")):
        return code(text)
    return text[: len(text) - len(begun)] + code(bare) + begun[len(bare) :]


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
