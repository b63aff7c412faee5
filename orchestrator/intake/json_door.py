"""The one door for JSON from outside: bounded size and depth, one typed error, never a recursion error."""

from __future__ import annotations

import codecs
import re

from pydantic import JsonValue

DEPTH_LIMIT = 64


_MARKS = re.compile(r"[\[\]{}]|\"(?:[^\"\\]|\\.)*+(?:\"|\\?\Z)", re.DOTALL)
_CLOSED = {"[": "]", "{": "}"}


class JsonFault(ValueError):
    """The bytes are not JSON that can be used; the message says why and where, for people."""


def read_json(data: bytes, depth: int = DEPTH_LIMIT) -> JsonValue:
    """Parse one JSON document of any Unicode encoding; raise JsonFault where it cannot be used."""
    import orjson

    try:
        document: JsonValue = orjson.loads(decoded(data))
    except orjson.JSONDecodeError as error:
        raise JsonFault(f"not valid JSON: {error.msg}, line {error.lineno} column {error.colno}") from error
    if too_deep(document, depth):
        raise JsonFault(f"JSON nested deeper than {depth} levels")
    return document


def begun_json(data: bytes) -> JsonValue:
    """Return what the beginning of a document holds whole, as if it ended there; None where that is nothing."""
    import orjson

    text, closing, whole, end = decoded(data).decode("utf-8", "replace"), "", "", 0
    for found in _MARKS.finditer(text):
        mark = found.group()
        if mark in _CLOSED:
            closing = _CLOSED[mark] + closing
        elif closing[:1] == mark:
            closing, end = closing[1:], found.end()
            whole = closing
    try:
        document: JsonValue = orjson.loads(text[:end] + whole)
    except orjson.JSONDecodeError:
        return None
    return None if too_deep(document, DEPTH_LIMIT) else document


def decoded(data: bytes) -> bytes:
    """Return text bytes as UTF-8 without a byte order mark; what cannot be decoded becomes U+FFFD."""
    encoding = unicode_encoding(data[:4096])
    if encoding is not None:
        return data.decode(encoding, "replace").encode("utf-8", "replace")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def unicode_encoding(head: bytes) -> str | None:
    """Return the codec of text that is not plain UTF-8 (by its byte order mark, or by where its zeros are)."""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return name
    return _encoding_by_zeros(head)


def _encoding_by_zeros(head: bytes) -> str | None:
    even, odd = head[0::2], head[1::2]
    if len(odd) < 4:
        return None
    even_zeros, odd_zeros = even.count(0) / len(even), odd.count(0) / len(odd)
    if odd_zeros > 0.7 and even_zeros < 0.05:
        return "utf-16-le"
    if even_zeros > 0.7 and odd_zeros < 0.05:
        return "utf-16-be"
    return None


def too_deep(document: JsonValue, depth: int) -> bool:
    """Say whether containers nest deeper than `depth`, without recursion."""
    level: list[JsonValue] = [document]
    for _ in range(depth + 1):
        following: list[JsonValue] = []
        for item in level:
            if isinstance(item, dict):
                following.extend(value for value in item.values() if isinstance(value, dict | list))
            elif isinstance(item, list):
                following.extend(value for value in item if isinstance(value, dict | list))
        if not following:
            return False
        level = following
    return True
