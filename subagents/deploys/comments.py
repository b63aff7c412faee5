"""What of a hunk is code: comments, docstrings and outer blanks taken away, by the file's language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from subagents.deploys.sources.patch import DiffLine

PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
"""The words that an identifier is made of."""
TEXT = re.compile(r"\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|`[^`]*`")
"""A text in quotes, within one line of code."""


def word_set(text: str) -> frozenset[str]:
    """Return the blank-separated words of a text."""
    return frozenset(text.split())


_SLASH = word_set("""
    go java js jsx ts tsx c cc cpp h hpp cs kt kts scala rs swift php proto groovy gradle dart mjs cjs vue
""")
_HASH = word_set("""
    py pyi rb sh bash yaml yml toml tf hcl pl r ex exs conf ini cfg properties env mk star bzl txt dockerfile
""")
_DASH = frozenset({"sql", "lua", "hs", "elm"})
_MARKUP = frozenset({"html", "xml", "vue", "md"})
_MARKS = {
    **dict.fromkeys(_SLASH, "//"),
    **dict.fromkeys(_HASH, "#"),
    **dict.fromkeys(_DASH, "--"),
}
_INLINE = {
    **dict.fromkeys(_SLASH | _DASH, re.compile(r"/\*.*?\*/")),
    **dict.fromkeys(_MARKUP, re.compile(r"<!--.*?-->")),
}


def extension_of(path: str) -> str:
    """Return what a path's name says of its language: the extension, lower case, without the dot."""
    name = path.rsplit("/", 1)[-1].lower()
    if name.startswith(("dockerfile", "makefile", "procfile", "jenkinsfile.txt", ".env")):
        return "dockerfile"
    return name.rsplit(".", 1)[-1] if "." in name else ""


def strip_comment(line: str, extension: str) -> str:
    """Return a line without its comment; a mark within a text is none."""
    text = line.strip()
    mark = _MARKS.get(extension, "" if extension else "#")
    if mark and text.startswith(mark):
        return ""
    if extension in ("ini", "conf", "cfg", "properties") and text.startswith((";", "!")):
        return ""
    if extension in _SLASH and (text.startswith(("/*", "*/")) or text == "*" or text.startswith("* ")):
        return "" if "*/" not in text else text.rpartition("*/")[2].strip()
    if mark and mark in text:
        text = _cut(text, mark)
    inline = _INLINE.get(extension)
    return inline.sub("", text).strip() if inline is not None and ("/*" in text or "<!--" in text) else text


def _cut(text: str, mark: str) -> str:
    """Return a line up to a comment that blanks set apart, outside quotes."""
    apart = _set_apart(mark)
    if apart.search(text) is None:
        return text
    found = apart.search(TEXT.sub(lambda quoted: "_" * len(quoted[0]), text))
    return text if found is None else text[: found.start()].rstrip()


@cache
def _set_apart(mark: str) -> re.Pattern[str]:
    return re.compile(rf"\s{re.escape(mark)}(?=\s|$)")


@dataclass(frozen=True)
class _Block:
    """How a language marks several lines as no code."""

    opens: re.Pattern[str]
    closes: re.Pattern[str]


_SLASH_BLOCK = _Block(re.compile(r"\s*/\*(?!.*\*/)"), re.compile(r".*\*/"))
_MARKUP_BLOCK = _Block(re.compile(r"\s*<!--(?!.*-->)"), re.compile(r".*-->"))
_DOCSTRING = re.compile(r"\s*[rRuU]?(\"\"\"|''')(?P<rest>.*)")
_TRIPLE = re.compile(r"\"\"\"|'''")
_CODE = re.compile(r"[={}\[\];]|\w\(")


def code_of(lines: Sequence[DiffLine], extension: str) -> list[str]:
    """Return, for each line of a hunk, what of it is code; empty where none is."""
    texts = [strip_comment(line.text, extension) for line in lines]
    if extension in ("py", "pyi"):
        _blank_docstrings(texts)
    elif extension in _SLASH or extension in _DASH:
        _blank_blocks(texts, [line.text for line in lines], _SLASH_BLOCK)
    elif extension in _MARKUP:
        _blank_blocks(texts, [line.text for line in lines], _MARKUP_BLOCK)
    return texts


def _blank_blocks(texts: list[str], raw: Sequence[str], block: _Block) -> None:
    inside = False
    for place, line in enumerate(raw):
        if inside:
            closed = block.closes.match(line)
            texts[place] = line[closed.end() :].strip() if closed else ""
            inside = closed is None
        elif block.opens.match(line):
            inside, texts[place] = True, ""


def _blank_docstrings(texts: list[str]) -> None:
    """Blank docstrings; a triple-quoted text that is assigned or passed on is code."""
    state = ""
    before = ":"
    for place, text in enumerate(texts):
        marks = len(_TRIPLE.findall(text))
        if state == "doc":
            texts[place] = ""
        opened = _DOCSTRING.match(text)
        if state:
            state = "" if marks % 2 else state
        elif opened and marks % 2 and not opened["rest"].strip() and not before.endswith(":"):
            _blank_prose(texts, place)  # it closes what opened above the hunk
        elif opened and (marks % 2 or text.endswith(opened[1])):
            texts[place], state = "", "doc" if marks % 2 else ""
        elif marks % 2:
            state = "text"
        before = text or before


def _blank_prose(texts: list[str], end: int) -> None:
    """Blank what stands above a closing mark, as far as it reads like no code."""
    texts[end] = ""
    for place in range(end - 1, -1, -1):
        if _CODE.search(texts[place]):
            return
        texts[place] = ""
