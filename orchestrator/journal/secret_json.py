"""Secrets in JSON: found by the names of fields, by the neighbours in a list, and across the strings of one body."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.own_secrets import names_secret
from orchestrator.journal.secret_bounds import Span
from orchestrator.journal.secret_context import named_value
from orchestrator.journal.secret_records import private_keys

if TYPE_CHECKING:
    from orchestrator.journal.redaction import Redactor

DEPTH_LIMIT = 200
_HOLDERS = frozenset(forms.HOLDERS)
_FLAG = re.compile(rb"--?[\w-]*?" + forms.NAME_WORDS + rb"\Z", re.IGNORECASE)
_WHATEVER = "\0"
"""The name of what is a secret whatever it looks like."""
_ENVIRONMENTS = ("env", "environment", "environ")
_RANK_WHATEVER = 2


class JsonWalk:
    """Redacts one JSON value. Scanners and rules over several lines see all its strings at once."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._counts: Counter[str] = Counter()
        self._texts: list[bytes] = []
        self._shared: Mapping[int, list[Span]] = {}
        self._turn = 0

    def redact(self, value: Any) -> tuple[Any, dict[str, int]]:
        """Return the value without secrets, and the counts by kind."""
        found = list(_strings(value, 0))
        self._texts = [text.encode("utf-8", "surrogatepass") for text, _ in found]
        # Values first, so that no name of a field stands between the lines of one text.
        self._shared = self._across(sorted(range(len(found)), key=lambda number: found[number][1]))
        return self._walk(value, "", 0), dict(self._counts)

    def _across(self, order: list[int]) -> Mapping[int, list[Span]]:
        """Return what is found in the strings joined by line ends, by the number of the string, cut at its ends."""
        texts = [self._texts[number] for number in order]
        joined = b"\n".join(texts)
        spans = self._redactor.scanned_spans(joined)
        if b"PRIVATE KEY" in joined:
            spans += self._redactor.learned(joined, private_keys(joined))
        shared: defaultdict[int, list[Span]] = defaultdict(list)
        if not spans:
            return shared
        starts = [0, *accumulate(len(text) + 1 for text in texts)]
        for span in spans:
            place = bisect_right(starts, span.start) - 1
            while place < len(texts) and starts[place] < span.end:
                start = max(span.start - starts[place], 0)
                end = min(span.end - starts[place], len(texts[place]))
                if end > start:
                    shared[order[place]].append(Span(start, end, span.kind, span.rank))
                place += 1
        return shared

    def _walk(self, value: Any, name: str, depth: int) -> Any:
        if isinstance(value, str):
            return self._string(name, value)
        if depth > DEPTH_LIMIT:
            return "<nested too deeply>"
        if isinstance(value, Mapping):
            return self._mapping(value, name, depth)
        if isinstance(value, list | tuple):
            return list(self._items(value, name, depth))
        return value

    def _mapping(self, value: Mapping[Any, Any], name: str, depth: int) -> dict[str, Any]:
        called = value.get("name", value.get("key"))  # {"name": "DB_PASSWORD", "value": "…"}: headers, environments
        names = {"value": called} if isinstance(called, str) else {}
        if value.get("kind") == "Secret":
            names |= {"data": _WHATEVER, "stringData": _WHATEVER}
        if name in _ENVIRONMENTS:
            names |= {str(key): _WHATEVER for key in value if names_secret(str(key))}
        walked: dict[str, Any] = {}
        for key, child in value.items():
            text = str(key)
            shown = self._string("", text)
            if "cookie" in name.lower():
                names.setdefault(text, "cookie")
            inherits = name == _WHATEVER or (name and text.lower() in _HOLDERS)
            walked[shown] = self._walk(child, names.get(text, name if inherits else text), depth + 1)
        return walked

    def _items(self, value: list[Any] | tuple[Any, ...], name: str, depth: int) -> Iterator[Any]:
        before: Any = None
        for item in value:
            flagged = isinstance(before, str) and len(before) < 64 and _FLAG.match(before.encode("utf-8", "replace"))
            yield self._walk(item, before if flagged and not _is_flag(item) else name, depth + 1)
            before = item

    def _string(self, name: str, value: str) -> str:
        number, self._turn = self._turn, self._turn + 1
        if not value:
            return value
        data = self._texts[number]
        spans = self._redactor.rule_spans(data)
        spans += self._shared.get(number, ())
        if name == _WHATEVER:
            if b"<redacted:" not in data:
                spans.append(Span(0, len(data), "secret", _RANK_WHATEVER))
        elif name:
            spans += named_value(name.encode("utf-8", "surrogatepass"), data)
        if not spans:
            return value
        redaction = self._redactor.replace(data, spans)
        self._counts.update(redaction.counts)
        return redaction.text


def _is_flag(item: Any) -> bool:
    """Say whether the next word of a command line is a flag again, so that the one before took none."""
    return isinstance(item, str) and item.startswith("-")


def _strings(value: Any, depth: int) -> Iterator[tuple[str, bool]]:
    """Yield strings in the order in which the walk meets them, and whether each is the name of a field."""
    if isinstance(value, str):
        yield value, False
    elif depth > DEPTH_LIMIT:
        return
    elif isinstance(value, Mapping):
        for key, child in value.items():
            yield str(key), True
            yield from _strings(child, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _strings(item, depth + 1)
