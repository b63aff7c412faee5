"""Where a value begins and ends: quoted, bare, inside braces or brackets, or an indented block below its name.

All look-ups are in bounded windows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from orchestrator.journal import secret_forms as forms

VALUE_WINDOW = 4096
UNQUOTED_WINDOW = 1024
BRANCHES = (b"{", b"[", b"|", b">")
"""What stands where a value would when that is below: see `nested`."""
_NESTED_WINDOW = 1024
_BLOCK_LINES = 60


@dataclass(frozen=True)
class Span:
    """Bytes `start` to `end` are a secret of this kind; of overlapping spans the lowest rank names the whole."""

    start: int
    end: int
    kind: str
    rank: int = 2
    secret: bytes | None = None
    """What equal secrets are compared by, where it is not the bytes themselves."""


@dataclass(frozen=True)
class Value:
    """Bytes `start` to `end`, without the quotes around them."""

    start: int
    end: int
    quoted: bool


_OPEN = re.compile(rb"(\\{0,15})([\"'`])")
# A backslash and n, r or t is a line end or a tab inside a JSON string, not a part of the value.
_UNQUOTED = re.compile(rb"(?:[^\s\"'`<>&;,|)\]}\\\x1b]++|\\\\|\\(?![nrt])|[)\]}](?=[A-Za-z0-9#!@$%^*]))*+")
_MORE_AFTER_COMMA = re.compile(rb",[^\s\"'`<>&;|)\]}=:]+(?=[\s\"'`;&)\]}]|$)")
_HOLDER = re.compile(
    rb"(\\{0,15}[\"'])(?:" + "|".join(forms.HOLDERS).encode() + rb")\1\s{0,20}:\s{0,20}(?=\\{0,15}[\"'])", re.IGNORECASE
)
_BELOW = re.compile(
    rb"\r?\n[^\n]{0,160}?[ \t](?:" + "|".join(forms.HOLDERS).encode() + rb")[ \t]*:[ \t]*(?=[^\s{\[|>])"
)
_ALONE = re.compile(rb"\[((?![aA]-[zZ]|0-9)[^\s,\"'`\[\]{}<>*]{8,})\]")
"""The only value of a Go map's or a Java list's entry: `X-Api-Key:[x]`."""
_QUOTE = re.compile(rb"\\{0,15}[\"']")
_BLOCK_OPENS = re.compile(rb"[|>][+-]?\d?[+-]?[ \t]*(?:#[^\n]{0,80})?\r?\n")
_IDENTIFIER = b"\"'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"


def value_at(data: bytes, at: int) -> Value:
    """Return the value that begins at `at`, quoted or bare; it may be empty."""
    opened = _OPEN.match(data, at)
    if opened is not None:
        closing, start = opened.group(), opened.end()
        end = _closing(data, start, closing)
        if end >= 0:
            return Value(start, end, True)
        at = start
    end = end_of(_UNQUOTED, data, at, at + UNQUOTED_WINDOW)
    comma = _MORE_AFTER_COMMA.match(data, end, end + VALUE_WINDOW)
    end = comma.end() if comma is not None else end
    end = at + len(data[at:end].rstrip(b"\\"))
    if data[at:end].endswith((b".", b":", b"!")) and data[end : end + 1] in (b"", b" ", b"\n"):
        end -= 1
    return Value(at, end, False)


def end_of(pattern: re.Pattern[bytes], data: bytes, at: int, stop: int) -> int:
    """Return where a match of the pattern at `at` ends, or `at`."""
    match = pattern.match(data, at, stop)
    return at if match is None else match.end()


def _closing(data: bytes, start: int, quote: bytes) -> int:
    limit = start + VALUE_WINDOW
    newline = data.find(b"\n", start, limit)
    limit = newline if newline >= 0 else limit
    end = data.find(quote, start, limit)
    while end > 0 and len(quote) == 1 and _escaped(data, start, end):
        end = data.find(quote, end + 1, limit)
    return end


def _escaped(data: bytes, start: int, at: int) -> bool:
    back = at
    while back > start and data[back - 1 : back] == b"\\":
        back -= 1
    return (at - back) % 2 == 1


def nested(data: bytes, name: int, at: int) -> Iterator[Value]:
    """Yield the values below a name that begins at `name`: what stands at `at` opens an object, a list or a block."""
    opening = data[at : at + 1]
    if opening in (b"|", b">"):
        yield from _block(data, name, at)
        return
    if opening not in (b"{", b"["):
        below = _BELOW.match(data, at, at + _NESTED_WINDOW)
        if below is not None:
            yield value_at(data, below.end())
        return
    stop = data.find(b"}" if opening == b"{" else b"]", at, at + _NESTED_WINDOW)
    stop = stop if stop >= 0 else min(len(data), at + _NESTED_WINDOW)
    if opening == b"[" and (alone := _ALONE.match(data, at, stop + 1)) is not None:
        yield Value(alone.start(1), alone.end(1), False)
        return
    holder = _HOLDER if opening == b"{" else _QUOTE
    while (match := holder.search(data, at + 1, stop)) is not None:
        value = value_at(data, match.end() if opening == b"{" else match.start())
        at = max(value.end, match.end())
        if value.quoted:
            yield value


def _block(data: bytes, name: int, at: int) -> Iterator[Value]:
    """Yield the lines of a YAML block scalar: those that are indented further than its name, behind the same prefix."""
    opened = _BLOCK_OPENS.match(data, at)
    if opened is None:
        return
    line = data.rfind(b"\n", max(0, name - 400), name) + 1
    before = data[line:name].rstrip(_IDENTIFIER)
    column, prefix = len(before), len(before.rstrip(b" \t"))
    at = opened.end()
    for _ in range(_BLOCK_LINES):
        end = data.find(b"\n", at, at + VALUE_WINDOW)
        end = end if end >= 0 else min(len(data), at + VALUE_WINDOW)
        inner = data[min(at + prefix, end) : end].lstrip(b" \t")
        start = end - len(inner)
        if inner.strip():
            if start - at <= column:
                return
            yield Value(start, start + len(inner.rstrip()), True)
        at = end + 1
        if at >= len(data):
            return
