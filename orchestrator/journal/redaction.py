"""Secrets leave text before it reaches the journal, a model or another machine.

Each secret becomes `<redacted:kind:hmac6>`: with one key per installation, equal secrets stay comparable
and unequal ones stay apart, without either being told. Everything is found on the original text first and
replaced once, so that one rule never hides a secret from another. Linear in the text (RE2, bounded windows).
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.own_secrets import OwnForms, own_secrets_from
from orchestrator.journal.secret_bounds import Span
from orchestrator.journal.secret_context import context_spans
from orchestrator.journal.secret_json import JsonWalk
from orchestrator.journal.secret_records import KeyLines, record_spans
from orchestrator.journal.secret_values import drawn

__all__ = ["Redaction", "Redactor", "Scanner", "Span", "install_key", "own_secrets_from"]

Scanner = Callable[[bytes], Iterable[Span]]
"""More rules from elsewhere: given UTF-8, it yields the byte offsets of what it takes for a secret."""

_TOKEN_WINDOW = 8192
_URL_WINDOW = 520
_DRAWN_USER = re.compile(rb"[0-9a-f]{32,64}")
"""A user name that is half of a pair of keys, as in a DSN of old."""
_RANK_OWN, _RANK_TOKEN, _RANK_URL = 0, 1, 3
_REGEX_MEMORY = 64 << 20


@dataclass(frozen=True)
class Redaction:
    """A text without its secrets, and how many were replaced, by kind."""

    text: str
    counts: Mapping[str, int] = field(default_factory=dict)


@cache
def _compiled(pattern: bytes) -> Any:
    import re2

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.max_mem = _REGEX_MEMORY
    options.log_errors = False
    return re2.compile(pattern, options)


def _searches(pattern: Any, data: bytes) -> Iterator[Any]:
    """Yield matches; the receiver may send the offset to go on from."""
    at = 0
    while (match := pattern.search(data, at)) is not None:
        onward = yield match
        at = max(onward if onward is not None else match.end(), match.start() + 1)


class Redactor:
    """Replaces secrets in text and JSON. Safe to share between threads."""

    def __init__(self, own_secrets: Iterable[str], key: bytes, scanners: Sequence[Scanner] = ()) -> None:
        self._key = key
        self._scanners = tuple(scanners)
        self._own = OwnForms(own_secrets)
        self._key_lines = KeyLines()
        self._own_pattern = _compiled(self._own.pattern) if self._own.pattern else None

    @property
    def ready(self) -> bool:
        """Say whether redaction begins at once; the first one may wait for a scanner to be built otherwise."""
        return all(getattr(scanner, "ready", True) for scanner in self._scanners)

    def redact(self, text: str) -> Redaction:
        """Return `text` with every secret replaced. Placeholders are never replaced again."""
        data = text.encode("utf-8", "surrogatepass")
        spans = [*self.rule_spans(data), *self.scanned_spans(data)]
        if not spans:
            return Redaction(text)
        return self.replace(data, spans)

    def redact_json(self, value: Any) -> tuple[Any, dict[str, int]]:
        """Return the JSON value with its strings and keys redacted, structure kept, and the counts by kind.

        What is nested deeper than 200 levels is replaced as a whole: the journal's door refuses such bodies before.
        """
        return JsonWalk(self).redact(value)

    def placeholder(self, kind: str, secret: bytes) -> str:
        """Return what stands for `secret`."""
        return f"<redacted:{kind}:{hmac.new(self._key, secret, hashlib.sha256).hexdigest()[:6]}>"

    def rule_spans(self, data: bytes) -> list[Span]:
        """Return what our own rules and our own secrets find in this text."""
        spans = list(_token_spans(data))
        spans += context_spans(data, _compiled(forms.CONTEXT))
        if b"://" in data and b"@" in data:
            spans += _url_spans(data)
        spans += self.learned(data, record_spans(data))
        spans += self._key_lines.spans(data)
        if self._own_pattern is not None:
            for match in _searches(self._own_pattern, data):
                secret = self._own.secret_of(match.group())
                spans.append(Span(match.start(), match.end(), "own", _RANK_OWN, secret))
        return spans

    def learned(self, data: bytes, spans: Iterable[Span]) -> list[Span]:
        """Remember the lines of private keys among these spans, and return them."""
        found = list(spans)
        for span in found:
            if span.kind == "private_key":
                self._key_lines.learn(data[span.start : span.end])
        return found

    def scanned_spans(self, data: bytes) -> list[Span]:
        """Return what the scanners find; a call has a price of its own, so many texts are joined for it."""
        return [span for scanner in self._scanners for span in scanner(data)] if self._scanners and data else []

    def replace(self, data: bytes, spans: list[Span]) -> Redaction:
        """Return the text with these spans replaced."""
        counts: Counter[str] = Counter()
        out: list[bytes] = []
        at = 0
        for start, end, best in _merged(data, spans):
            secret = best.secret if best.secret is not None else data[best.start : best.end]
            out += (data[at:start], self.placeholder(best.kind, secret).encode())
            counts[best.kind] += 1
            at = end
        out.append(data[at:])
        return Redaction(b"".join(out).decode("utf-8", "surrogatepass"), dict(counts))


def _token_spans(data: bytes) -> Iterator[Span]:
    gate, tokens = _compiled(forms.TOKEN_GATE), _compiled(forms.TOKENS)
    at = 0
    while (candidate := gate.search(data, at)) is not None:
        start = candidate.start()
        match = tokens.match(data, start, start + _TOKEN_WINDOW)
        if match is None:
            at = start + 2
            continue
        group = next(i for i, found in enumerate(match.groups(), 1) if found is not None)
        kind = forms.TOKEN_KINDS[group - 1]
        end = match.end(group)
        while (
            end < len(data) and end - start >= _TOKEN_WINDOW and (data[end : end + 1].isalnum() or data[end] in b"_-.")
        ):
            end += 1
        at = max(end, start + 2)
        if _believed(kind, data, match.start(group), end):
            yield Span(match.start(group), end, kind, _RANK_TOKEN)


def _believed(kind: str, data: bytes, start: int, end: int) -> bool:
    if kind == "mailgun":
        around = data[max(0, start - 100) : start].lower()
        return b"mailgun" in around or around.endswith(b"api:")
    if kind in ("openai", "dropbox", "huggingface", "flyio"):
        return any(48 <= byte <= 57 for byte in data[start:end])
    if kind == "token":
        return drawn(data[start:end].rpartition(b"_")[2])
    return True


def _url_spans(data: bytes) -> Iterator[Span]:
    pattern = _compiled(forms.URL_USERINFO)
    at = data.find(b"://")
    while at >= 0:
        window = data[at : at + _URL_WINDOW]
        match = pattern.match(window) if b"@" in window else None
        if match is not None:
            group = 1 if match.group(1) is not None else 2
            start, end = at + match.start(group), at + match.end(group)
            if not data.startswith((b"<redacted:", b"***", b"$", b"{"), start):
                yield Span(start, end, "url", _RANK_URL)
            if group == 1 and _DRAWN_USER.fullmatch(data, at + 3, start - 1):
                yield Span(at + 3, start - 1, "url", _RANK_URL)
        at = data.find(b"://", at + 3)


def _merged(data: bytes, spans: list[Span]) -> Iterator[tuple[int, int, Span]]:
    """Yield unions of overlapping spans with the best-ranked span of each; never inside a placeholder."""
    spans = _outside_placeholders(data, spans)
    spans.sort(key=lambda s: (s.start, -s.end))
    current: tuple[int, int, Span] | None = None
    for span in spans:
        if current is not None and span.start < current[1]:
            best = min(current[2], span, key=lambda s: s.rank)
            current = (current[0], max(current[1], span.end), best)
            continue
        if current is not None:
            yield current
        current = (span.start, span.end, span)
    if current is not None:
        yield current


def _outside_placeholders(data: bytes, spans: list[Span]) -> list[Span]:
    if b"<redacted:" not in data:
        return [span for span in spans if span.end > span.start]
    kept = [match.span() for match in _searches(_compiled(forms.PLACEHOLDER), data)]
    starts = [start for start, _ in kept]

    def touches(span: Span) -> bool:
        before = bisect_left(starts, span.end) - 1
        return before >= 0 and kept[before][1] > span.start

    return [span for span in spans if span.end > span.start and not touches(span)]


def install_key(path: Path) -> bytes:
    """Return this installation's key, made once with mode 0600; a damaged one is replaced by a new one."""
    try:
        if len(found := path.read_bytes()) == 32:
            return found
    except FileNotFoundError:
        found = b""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(secrets.token_bytes(32))
            file.flush()
            os.fsync(file.fileno())
        if found or path.exists():
            os.replace(fresh, path)
        else:
            os.link(fresh, path)
    except FileExistsError:
        pass
    finally:
        fresh.unlink(missing_ok=True)
    return path.read_bytes()
