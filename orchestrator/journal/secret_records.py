"""Secrets that several lines hold together: private keys, wrapped tokens, Secret manifests.

Each line may be a record of its own, with whatever loggers and diffs put before it; that stays. Bounded windows.
"""

from __future__ import annotations

import hashlib
import re
import threading
from bisect import bisect_left
from collections.abc import Iterator

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.secret_bounds import Span, end_of
from orchestrator.journal.secret_values import is_secret, kind_of

_RANK_KEY, _RANK_JOINED, _RANK_MANIFEST = 1, 1, 2
_BLOCK_HEAD = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_TAIL = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_BODY = re.compile(
    rb"(?:[\s\"',|>#*+]|\\+[nrt]|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{0,200})*+"
    rb"(?:[A-Za-z0-9+/=]{16,}+(?:[\s\"',|>#*+]|\\+[nrt])*+)*+"
    rb"(?:(?:(?:[A-Za-z0-9+/]{4}){1,3}|(?:[A-Za-z0-9+/]{4}){0,3}[A-Za-z0-9+/]{2,3}={1,2})(?=[\s\\\"']|\Z))?"
)
_BLOCK_LIMIT = 16384
_BODY_BEFORE_TAIL = re.compile(rb"(?:[A-Za-z0-9+/=]{16,76}(?:\s|\\+[nr])+)+\Z")
_KEY_LINES = 120
_LAST_RUN = re.compile(rb"([A-Za-z0-9+/]{4,}={0,2})(?:[\"'`},)\]\s]|\\+[nrt\"'])*\Z")
_KEY_RUN = re.compile(rb"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40,80}={0,2}(?![A-Za-z0-9+/=])")
_KNOWN_LIMIT = 4096
_LINE = re.compile(rb"[^\n]{0,2000}")

_WRAPPED = re.compile(
    rb"\beyJ[\w-]{8,4000}+(?:(?:\.(?:\\?\r?\n[>+|# \t]{0,16})|(?:\\?\r?\n[>+|# \t]{0,16})\.|\.)[\w-]{8,4000}+){1,4}"
)
_INSERT = re.compile(rb"(?i)\binto[ \t]+[\w.\"`\[\]]{1,128}[ \t]*\(([^()]{1,1000})\)\s{0,20}values\s{0,20}")
_COLUMN = re.compile(rb"(" + forms.NAME_WORDS + rb")[\s\"'`\]]*\Z", re.IGNORECASE)
_ROW = re.compile(rb"\s{0,20},?\s{0,20}\(((?:'(?:[^'\\\n]|''|\\.){0,2000}+'|[^'()\n]|\([^()'\n]{0,60}+\)){0,1000}+)\)")
_CELL = re.compile(rb"\s*(?:[NE]?'((?:[^'\\\n]|''|\\.)*+)'|[^',]*+)\s*(?:,|\Z)")
_MANIFEST = re.compile(rb"[\"']?kind[\"']?[ \t]{0,3}:[ \t]{0,3}[\"']?Secret\b[\"']?")
_MANIFEST_DATA = re.compile(rb"[\"']?(?:data|stringData)[\"']?[ \t]{0,3}:[ \t]{0,3}(?:(\{)|\r?\n)")
_MANIFEST_WINDOW = 8192
_OBJECT_ENTRY = re.compile(rb"\s{0,40},?\s{0,40}[\"'][\w.-]{1,253}[\"']\s{0,9}:\s{0,9}[\"']([^\"'\n]{1,4096})[\"']")
_LINE_ENTRY = re.compile(
    rb"[^\n]{0,200}?[\w.-]{1,253}[ \t]{0,3}:[ \t]{1,3}[\"']?([^\s\"'|>{][^\s\"']{3,4095})[\"']?[ \t]*(?:\r?\n|\Z)"
)


class KeyLines:
    """The lines of private keys that were met: each is known again where it stands alone, as in a quoted excerpt.

    Held as digests, the newest 4,096; safe to share between threads.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, None] = {}
        self._learning = threading.Lock()

    def learn(self, block: bytes) -> None:
        """Remember the lines of a key, or of a part of one."""
        with self._learning:
            for run in _KEY_RUN.finditer(block):
                self._known[_digest(run.group())] = None
            while len(self._known) > _KNOWN_LIMIT:
                del self._known[next(iter(self._known))]

    def spans(self, data: bytes) -> Iterator[Span]:
        """Yield the lines that are known."""
        for run in _KEY_RUN.finditer(data) if self._known else ():
            if _digest(run.group()) in self._known:
                yield Span(run.start(), run.end(), "private_key", _RANK_KEY)


def _digest(line: bytes) -> bytes:
    return hashlib.blake2b(line, digest_size=16).digest()


def record_spans(data: bytes) -> Iterator[Span]:
    """Yield what is only a secret together with the lines around it."""
    if b"PRIVATE KEY" in data:
        yield from private_keys(data)
    if b"VALUES" in data or b"values" in data:
        yield from _inserted(data)
    if b"eyJ" in data and b"\n" in data:
        yield from (
            Span(match.start(), match.end(), "jwt", _RANK_JOINED)
            for match in _WRAPPED.finditer(data)
            if b"\n" in match.group()
        )
    if b"stringData" in data or (b"Secret" in data and b"kind" in data):
        yield from _manifests(data)


def private_keys(data: bytes) -> Iterator[Span]:
    """Yield private keys: whole, line by line behind prefixes, cut off at either end, with escaped line ends."""
    tails = list(_BLOCK_TAIL.finditer(data))
    tail_starts = [tail.start() for tail in tails]
    done = 0
    for head in _BLOCK_HEAD.finditer(data):
        if head.start() < done:
            continue
        nearest = bisect_left(tail_starts, head.end())
        body_end = end_of(_BLOCK_BODY, data, head.end(), len(data))
        if nearest < len(tails) and tail_starts[nearest] - head.end() <= _BLOCK_LIMIT:
            tail = tails[nearest]
            if body_end >= tail.start() or b"\n" not in data[head.end() : tail.start()]:
                done = tail.end()
                if len(data[head.end() : tail.start()].strip()) >= 16:
                    yield Span(head.start(), done, "private_key", _RANK_KEY)
                continue
            done = tail.end()
            yield from _key_lines(data, head.end(), tail.start())
        elif body_end - head.end() >= 24:
            done = head.end() + len(data[head.end() : body_end].rstrip())
            yield Span(head.start(), done, "private_key", _RANK_KEY)
        else:
            yield from _key_lines(data, head.end(), None)
    yield from _ends(data, tails)


def _ends(data: bytes, tails: list[re.Match[bytes]]) -> Iterator[Span]:
    """Yield the bodies of keys of which the beginning was cut off."""
    previous = 0
    for tail in tails:
        start = max(previous, tail.start() - _BLOCK_LIMIT)
        before = _BODY_BEFORE_TAIL.search(data[start : tail.start()])
        if before is not None:
            yield Span(start + before.start(), tail.end(), "private_key", _RANK_KEY)
        previous = tail.end()


def _key_lines(data: bytes, at: int, tail: int | None) -> Iterator[Span]:
    """Yield the last run of base64 of each line from `at` on: up to the tail, or while lines hold a long one."""
    newline = data.find(b"\n", at, at + 400)
    if newline < 0:
        return
    at = newline + 1
    full = 0
    for _ in range(_KEY_LINES):
        stop = end_of(_LINE, data, at, len(data))
        if at >= len(data) or (tail is not None and stop >= tail):
            return
        run = _LAST_RUN.search(data[at:stop])
        length = 0 if run is None else len(run.group(1))
        if tail is None and length < (16 if full else 40):
            return
        is_last = tail is not None and data.find(b"\n", stop + 1, tail) < 0
        if run is not None and length >= (4 if is_last else 16):
            yield Span(at + run.start(1), at + run.end(1), "private_key", _RANK_KEY)
        full = max(full, length)
        at = stop + 1


def _inserted(data: bytes) -> Iterator[Span]:
    """Yield what an INSERT writes into a column that is named for a secret."""
    for statement in _INSERT.finditer(data):
        columns = statement.group(1).split(b",")
        words = [found.group(1).lower() if (found := _COLUMN.search(column)) else b"" for column in columns]
        at = statement.end()
        while any(words) and (row := _ROW.match(data, at)) is not None:
            at = row.end()
            for word, cell in zip(words, _CELL.finditer(data, row.start(1), row.end(1)), strict=False):
                start, end = cell.span(1)
                if word and start >= 0 and is_secret(word, data[start:end], quoted=True, structural=True):
                    yield Span(start, end, kind_of(word))


def _manifests(data: bytes) -> Iterator[Span]:
    """Yield the values of Kubernetes Secrets, whatever their keys are called."""
    kinds = [kind.start() for kind in _MANIFEST.finditer(data)]
    at = 0
    while (opened := _MANIFEST_DATA.search(data, at)) is not None:
        at = opened.end()
        if b"stringData" not in opened.group() and not _of_secret(data, kinds, opened.start()):
            continue
        entries = _object_entries if opened.group(1) else _line_entries
        for value in entries(data, opened):
            at = value.end()
            yield Span(*value.span(1), "kubernetes_secret", _RANK_MANIFEST)


def _of_secret(data: bytes, kinds: list[int], at: int) -> bool:
    """Say whether the nearest `kind: Secret` before or after is in the same document."""
    after = bisect_left(kinds, at)
    for kind in (*kinds[max(after - 1, 0) : after], *kinds[after : after + 1]):
        first, last = min(kind, at), max(kind, at)
        if last - first <= _MANIFEST_WINDOW and data.find(b"\n---", first, last) < 0:
            return True
    return False


def _object_entries(data: bytes, opened: re.Match[bytes]) -> Iterator[re.Match[bytes]]:
    at = opened.end()
    while (entry := _OBJECT_ENTRY.match(data, at, at + _MANIFEST_WINDOW)) is not None:
        yield entry
        at = entry.end()


def _line_entries(data: bytes, opened: re.Match[bytes]) -> Iterator[re.Match[bytes]]:
    line = data.rfind(b"\n", max(0, opened.start() - 400), opened.start()) + 1
    before = data[line : opened.start()]
    column, prefix = len(before), len(before.rstrip(b" \t"))
    at = opened.end()
    while (entry := _LINE_ENTRY.match(data, at)) is not None:
        text = entry.group()
        if len(text) - len(text[prefix:].lstrip(b" \t")) <= column:
            return
        yield entry
        at = entry.end()
