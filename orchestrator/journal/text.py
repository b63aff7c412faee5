"""One door for text from outside: what `clean()` returns cannot act on a terminal, and hides nothing.

The journal keeps text as it came; views, and everything that a model reads, get `CleanText`. This module
knows no widget: `CleanText` is the type that widgets ask for.
"""

from __future__ import annotations

import re
from typing import Never, Self
from unicodedata import category

__all__ = ["CleanText", "clean", "hidden_count"]

COMBINING_LIMIT = 4
"""Combining marks shown on one character; what goes beyond is counted, not drawn."""
TAB_SIZE = 8
_PRECUT_FACTOR = 8
_PRECUT_FLOOR = 4096

# A string sequence (OSC, DCS, SOS, PM, APC) counts only when it is terminated on the same line and holds no other
# control: an unterminated one must not swallow what follows, and no stretch is scanned twice.
_STRING_BODY = r"[^\x00-\x08\x0a-\x1f\x7f-\x9f]*+(?:\x07|\x1b\\|\x9c)"
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]"
    rf"|(?:\x1b[]PX^_]|[\x9d\x90\x98\x9e\x9f]){_STRING_BODY}"
    r"|\x1b(?:[ -/]++[0-~]|[78=>])"
)
_INTRODUCERS = re.compile(r"[\x1b\x90\x98\x9b\x9d-\x9f]")

# Cc but newline, Cf, Cs, Zl, Zp, variation selectors, and letters that draw nothing.
_UNSEEN_CLASS = (
    "\\x00-\\x09\\x0b-\\x1f\\x7f-\\x9f\\xad\\u034f\\u0600-\\u0605\\u061c\\u06dd\\u070f\\u0890\\u0891\\u08e2"
    "\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ud800-\\udfff"
    "\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff0-\\ufffb\\U000110bd\\U000110cd\\U00013430-\\U0001343f"
    "\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U000e0fff"
)
_UNSEEN = re.compile(f"[{_UNSEEN_CLASS}]")
_UNSEEN_RUN = re.compile(f"[{_UNSEEN_CLASS}]+")
# Marks are never word characters: whatever may be a run of marks that is too long is in one of these.
_MARK_CANDIDATE = re.compile(rf"[^\w\s\x00-\x7f]{{{COMBINING_LIMIT + 1},}}")
_PLAIN_BYTES = bytes([10, *range(32, 127)])
_EMOJI_STYLE = "\ufe0e\ufe0f"


class CleanText(str):
    """Text that holds no control, format or markup effect: only `clean()` makes it, and widgets accept nothing else."""

    __slots__ = ()

    def __new__(cls, _sealed: Never, /) -> Self:
        """Refuse: a `CleanText` that nobody cleaned would be a lie."""
        raise TypeError("CleanText is made by clean() and nothing else")

    def __reduce__(self) -> tuple[object, ...]:
        """Copy and unpickle through the same door."""
        return clean, (str(self),)


def clean(text: str | bytes, *, newlines: bool = True, limit: int | None = None, exact: bool = False) -> CleanText:
    r"""Return `text` so that it is safe to show and nothing in it is invisible.

    Escape sequences go, remaining controls become symbols (`␛`), format characters become `\u{202e}`, lone
    surrogates U+FFFD, tabs spaces. With `newlines` false a line break becomes `␊`. `limit` is the most characters
    returned; a cut ends in `…`. With `exact`, for what a person approves, nothing is taken away: sequences and
    carriage returns are shown as well. Bytes are read as UTF-8. Idempotent; linear in the input.
    """
    if isinstance(text, CleanText) and limit is None and newlines:
        return text
    cut = False
    if limit is not None and len(text) > (most := max(limit * _PRECUT_FACTOR, _PRECUT_FLOOR)):
        text, cut = text[:most], True
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if not _is_plain(text):
        text = _show(_strip(text, exact))
    if not newlines:
        text = text.replace("\n", "␊")
    if limit is not None and (cut or len(text) > limit):
        text = text[: max(limit - 1, 0)] + "…"[:limit]
    return str.__new__(CleanText, text)


def hidden_count(text: str | bytes) -> int:
    """Return how many characters of `text` a terminal would obey or not draw (tabs and line ends do not count)."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    if _is_plain(text):
        return 0
    text = text.replace("\r\n", "\n").replace("\t", " ")
    hidden = sum(len(m.group()) for m in _SEQUENCE.finditer(text)) if _INTRODUCERS.search(text) else 0
    text = _SEQUENCE.sub("", text)
    unseen = sum(len(m.group()) for m in _UNSEEN_RUN.finditer(text) if _escape(m) != m.group())
    piled = sum(_excess(m.group()) for m in _MARK_CANDIDATE.finditer(text))
    return hidden + unseen + piled


def _is_plain(text: str) -> bool:
    if text.isascii():
        return not text.encode("ascii").translate(None, _PLAIN_BYTES)
    return _UNSEEN.search(text) is None and _MARK_CANDIDATE.search(text) is None


def _strip(text: str, exact: bool) -> str:
    if exact:
        return text
    if _INTRODUCERS.search(text):
        text = _SEQUENCE.sub("", text)
    return text.replace("\r\n", "\n") if "\r" in text else text


def _show(text: str) -> str:
    if "\t" in text:
        text = text.expandtabs(TAB_SIZE) if "\r" not in text else text.replace("\t", " " * TAB_SIZE)
    text = _UNSEEN_RUN.sub(_escape, text)
    return text if text.isascii() else _MARK_CANDIDATE.sub(_cap_marks, text)


def _escape(match: re.Match[str]) -> str:
    run = match.group()
    if run in _EMOJI_STYLE and len(run) == 1 and match.start() and match.string[match.start() - 1] >= "\u00a9":
        return run  # one presentation selector after a symbol, as in a heart
    return "".join(map(_SYMBOLS.__getitem__, run))


class _Symbols(dict[str, str]):
    """What stands for each unseen character, made when it is first met."""

    def __missing__(self, char: str) -> str:
        code = ord(char)
        if code < 0x20:
            symbol = chr(0x2400 + code)
        elif code == 0x7F:
            symbol = "␡"
        elif 0xD800 <= code <= 0xDFFF:
            symbol = "\ufffd"
        else:
            symbol = f"\\u{{{code:x}}}"
        self[char] = symbol
        return symbol


_SYMBOLS = _Symbols()


def _is_mark(char: str) -> bool:
    return category(char) in ("Mn", "Me")


def _excess(run: str) -> int:
    over = marks = 0
    for char in run:
        marks = marks + 1 if _is_mark(char) else 0
        over += marks > COMBINING_LIMIT
    return over


def _cap_marks(match: re.Match[str]) -> str:
    run = match.group()
    if not any(map(_is_mark, set(run))):
        return run
    out: list[str] = []
    marks = 0
    for char in [*run, ""]:
        if char and _is_mark(char):
            marks += 1
            if marks <= COMBINING_LIMIT:
                out.append(char)
            continue
        if marks > COMBINING_LIMIT:
            out.append(f"\\u{{+{marks - COMBINING_LIMIT}}}")
        marks = 0
        out.append(char)
    return "".join(out)
