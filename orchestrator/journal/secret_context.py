"""Secrets that only their surroundings give away: headers, key=value, JSON fields, flags, private key blocks.

A name that says "secret" makes a candidate; the value is then judged, so that prose, code, placeholders, paths
and numbers stay as they are. All look-ups are in bounded windows.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.secret_values import NUMERIC, STOP, URL, is_secret, kind_of, wordy

_VALUE_WINDOW = 4096
_UNQUOTED_WINDOW = 1024
_JUDGED = 512
"""Bytes of a value that are judged; what is longer is secret or not by its beginning."""
_RANK_KEY, _RANK_NAMED = 1, 2


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
class _Value:
    start: int
    end: int
    quoted: bool


_OPEN = re.compile(rb"(\\{0,3})([\"'`])")
# A backslash and n, r or t is a line end or a tab inside a JSON string, not a part of the value.
_UNQUOTED = re.compile(rb"(?:[^\s\"'`<>&;,|)\]}\\\x1b]++|\\\\|\\(?![nrt]))*+")
_MORE_AFTER_COMMA = re.compile(rb",[^\s\"'`<>&;|)\]}=:]+(?=[\s\"'`;&)\]}]|$)")
_NAME_END = re.compile(forms.SECRET_NAME.replace(rb"(?i)", b""), re.IGNORECASE)
_NAME = re.compile(forms.NAME)
_SHORT = re.compile(rb"(?:" + forms.SHORT_NAMES + rb")\Z", re.IGNORECASE)

_NOT_BEFORE = re.compile(
    rb"(?i)(?:page|next|prev|previous|continuation|pagination|cursor|sync|resume|cancel|cancellation|unexpected|invalid|public|max|"
    rb"min|num|stop|start|end|eos|bos|pad|unk|first|last|illegal|lexer|current)[ _.\-]?\Z"
)
_SCHEME = re.compile(
    rb"(?i)(digest|negotiate|ntlm|token|apikey|api-key|key|ssws|splunk|flyv1|hawk|oauth|signature|googlelogin|"
    rb"aws4-hmac-sha256|sharedaccesssignature)[ \t]+"
)
_COOKIE_PAIR = re.compile(rb"([^=;,\s\"']{1,100})=([^;,\s\"']+)")
_COOKIE_ATTRIBUTE = re.compile(rb"(?i)(?:path|domain|expires|max-age|samesite|priority|version)\Z")
_SAID = re.compile(rb"(?:is|was|to|as)[ \t]*:?[ \t]+", re.IGNORECASE)
_DRAWN = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/_=.-]+\Z")
_COOKIE_WORD = re.compile(rb"cookie", re.IGNORECASE)
_CREDENTIAL = re.compile(rb"[A-Za-z0-9._~+/=%:|-]+")
_LINE_REST = re.compile(rb"[^\r\n\"'`]*")
_BLOCK_HEAD = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_TAIL = re.compile(rb"-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----")
_BLOCK_BODY = re.compile(
    rb"(?:[\s\"',|>#*+]|\\+[nrt]|(?:Proc-Type|DEK-Info|Version|Comment): [^\n\\]{0,200})*+"
    rb"(?:[A-Za-z0-9+/=]{16,}+(?:[\s\"',|>#*+]|\\+[nrt])*+)*+(?:[A-Za-z0-9+/]{1,15}={0,2}(?=[\s\\\"']|\Z))?"
)
_BLOCK_LIMIT = 16384
_BODY_BEFORE_TAIL = re.compile(rb"(?:[A-Za-z0-9+/=]{16,76}(?:\s|\\+[nr])+)+\Z")


def context_spans(data: bytes, pattern: Any) -> Iterator[Span]:
    """Yield the secrets that a name, a header, a flag or a scheme announces. `pattern` is the compiled CONTEXT."""
    at = 0
    while (match := pattern.search(data, at)) is not None:
        at = max(match.end(), match.start() + 1)
        for span in _announced(data, match.start(), match.end()):
            at = max(at, span.end)
            yield span


def named_value(name: bytes, value: bytes) -> list[Span]:
    """Judge a whole value by the name of its field, as in a parsed JSON object."""
    found = _NAME_END.search(name)
    if found is None or not _name_counts(name, found.start(1), found.group(1)):
        return []
    word = found.group(1).lower()
    if b"cookie" in word:
        return list(_cookies(value, 0, len(value)))
    if b"auth" in word and (scheme := _SCHEME.match(value)):
        return [Span(scheme.end(), len(value), "authorization")]
    if value.lower().startswith((b"bearer ", b"basic ")) and len(value) > 12:
        return [Span(value.index(b" ") + 1, len(value), "authorization")]
    judged = is_secret(word, value, quoted=True, structural=True)
    return [Span(0, len(value), kind_of(word))] if judged else []


def _announced(data: bytes, start: int, end: int) -> Iterator[Span]:
    head = data[start:end].lower()
    if head.startswith((b"bearer", b"basic")):
        yield from _scheme_value(data, start, end, head)
    elif head[:1] in b" \t":
        yield from _flag_value(data, start, end, head)
    elif head.startswith(b"identified"):
        if re.search(rb"\b(?:user|role|create|alter|grant|set)\b", data[max(0, start - 160) : start].lower()):
            yield from _given(data, end, "password")
    elif head.startswith(b"requirepass") and head[-1:] in b" \t":
        yield from _given(data, end, "password")
    elif head[:1] == b"-":
        before = data[max(0, start - 48) : start + 1]
        if re.search(rb"(?:^|[\s\"'=,\[])--?[A-Za-z0-9-]*\Z", before):
            yield from _flagged(data, end, head[1:].strip())
    elif head[-1:] in b" \t" and head.strip() == b"password":
        yield from _spoken(data, start, end)
    elif _NAME.fullmatch(head.rstrip()):
        yield from _bare(data, end)
    else:
        yield from _pair(data, start, end, head)


def _bare(data: bytes, end: int) -> Iterator[Span]:
    """Judge what follows a name with nothing but space between: only what is surely drawn at random counts."""
    value = _value_at(data, end)
    text = data[value.start : min(value.end, value.start + 200)]
    if len(text) >= 20 and _DRAWN.match(text) and is_secret(b"token", text, quoted=value.quoted, structural=False):
        yield Span(value.start, value.end, "token")


def _spoken(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Judge what follows the word password in a statement, a netrc line or prose."""
    before = data[max(0, start - 80) : start]
    if data[end : end + 1] in (b'"', b"'") or re.search(rb"\blogin\s+\S+\s+\Z", before):
        yield from _given(data, end, "password")
        return
    said = _SAID.match(data, end)
    if said is None and not re.search(rb"(?i)\b(?:with|using|new|old|the|user)\s+\Z", before):
        return
    value = _value_at(data, said.end() if said is not None else end)
    text = data[value.start : value.end]
    if any(48 <= byte <= 57 for byte in text) and is_secret(b"password", text, quoted=value.quoted, structural=False):
        yield Span(value.start, value.end, "password")


def _given(data: bytes, end: int, kind: str) -> Iterator[Span]:
    value = _value_at(data, end)
    if value.end - value.start >= 4 and not STOP.match(data[value.start : value.end]):
        yield Span(value.start, value.end, kind)


def _flagged(data: bytes, end: int, word: bytes) -> Iterator[Span]:
    value = _value_at(data, end)
    text = data[value.start : value.end]
    if not text.startswith(b"-") and is_secret(word, text, quoted=value.quoted, structural=True):
        yield Span(value.start, value.end, kind_of(word))


def _flag_value(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    if head.endswith(b":"):
        value = _value_at(data, end)
        text = data[value.start : value.end]
        if len(text) >= 4 and not text.startswith((b"/", b"<redacted:")) and not text.isdigit():
            yield Span(value.start, value.end, "password")
        return
    before = data[max(0, start - 160) : start].lower()
    before = before[max(before.rfind(b"\n"), before.rfind(b"|"), before.rfind(b";")) + 1 :]
    flag, spaced = head.strip(), head[-1:] in b" \t"
    if data[start:end].strip() == b"-p":
        wanted = b"sshpass" in before or (b"docker login" in before if spaced else b"mysql" in before)
    else:
        wanted = flag == b"-a" and spaced and b"redis-cli" in before
    if wanted:
        yield from _given(data, end, "password")


def _scheme_value(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    match = _CREDENTIAL.match(data, end, end + _VALUE_WINDOW)
    if match is None:
        return
    text = match.group()
    announced = b"auth" in data[max(0, start - 40) : start].lower()
    if head.startswith(b"basic"):
        good = _is_basic(text) or (announced and len(text) >= 8 and not wordy(text))
    else:
        good = len(text) >= (6 if announced else 16) and not (wordy(text) or STOP.match(text) or URL.match(text))
    if good:
        yield Span(match.start(), _token_end(data, match.end()), "authorization")


def _token_end(data: bytes, end: int) -> int:
    """Go on to the end of a credential that is longer than the window."""
    while end < len(data) and (match := _CREDENTIAL.match(data, end, end + _VALUE_WINDOW)) is not None:
        end = match.end()
    return end


def _is_basic(text: bytes) -> bool:
    try:
        plain = base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)
        plain.decode("utf-8")
    except (binascii.Error, ValueError):
        return False
    return len(text) >= 8 and plain.find(b":") > 0 and all(byte >= 32 for byte in plain)


def _pair(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    found = _NAME.match(head)
    word = found.group() if found else head
    if not _name_counts(data, start, data[start : start + len(word)]):
        return
    if head.endswith(b">") and not head.endswith(b"=>") and not _in_tag(data, start):
        return
    if b"cookie" in word:
        yield from _cookie_header(data, end)
        return
    if b"auth" in word:
        value = _value_at(data, end)
        scheme = _SCHEME.match(data, value.start)
        if scheme is not None:
            stop = _end_of(_LINE_REST, data, scheme.end(), scheme.end() + _VALUE_WINDOW)
            text = data[scheme.end() : stop].rstrip()
            if len(text) >= 6 and not STOP.match(text) and not wordy(text):
                yield Span(scheme.end(), scheme.end() + len(text), "authorization")
            return
    value = _value_at(data, end)
    text = data[value.start : min(value.end, value.start + _JUDGED)]
    if is_secret(word, text, quoted=value.quoted, structural=_structural(data, start, end, value)):
        whole = value.quoted or value.end - value.start < _UNQUOTED_WINDOW
        yield Span(value.start, value.end if whole else _token_end(data, value.end), kind_of(word))


def _in_tag(data: bytes, start: int) -> bool:
    return re.search(rb"<[\w:.-]*\Z", data[max(0, start - 48) : start]) is not None


def _structural(data: bytes, start: int, end: int, value: _Value) -> bool:
    """Say whether this is data rather than prose or code: `a=b`, a quoted value, a tag, or a line `name: value`."""
    if value.quoted or data[end - 1 : end] not in (b" ", b"\t"):
        return True
    line = max(data.rfind(b"\n", max(0, start - 64), start), start - 65) + 1
    own_line = re.fullmatch(rb"\s*(?:- )?[\w.\"'-]*", data[max(line, 0) : start]) is not None
    ends_line = data[value.end : value.end + 1] in (b"", b"\n", b"\r")
    return own_line and ends_line


def _name_counts(data: bytes, start: int, word: bytes) -> bool:
    before = data[max(0, start - 24) : start]
    if _NOT_BEFORE.search(before) and word.lower() in (b"token", b"pass"):
        return False
    if not _SHORT.match(word):
        return True
    last = before[-1:]
    return not last.isalnum() or (last.islower() and word[:1].isupper()) or last.isdigit()


def _value_at(data: bytes, at: int) -> _Value:
    opened = _OPEN.match(data, at)
    if opened is not None:
        closing, start = opened.group(), opened.end()
        end = _closing(data, start, closing)
        if end >= 0:
            return _Value(start, end, True)
        at = start
    end = _end_of(_UNQUOTED, data, at, at + _UNQUOTED_WINDOW)
    comma = _MORE_AFTER_COMMA.match(data, end, end + _VALUE_WINDOW)
    end = comma.end() if comma is not None else end
    if data[at:end].endswith((b".", b":", b"!")) and data[end : end + 1] in (b"", b" ", b"\n"):
        end -= 1
    return _Value(at, end, False)


def _end_of(pattern: re.Pattern[bytes], data: bytes, at: int, stop: int) -> int:
    match = pattern.match(data, at, stop)
    return at if match is None else match.end()


def _closing(data: bytes, start: int, quote: bytes) -> int:
    limit = start + _VALUE_WINDOW
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


def _cookie_header(data: bytes, end: int) -> Iterator[Span]:
    value = _value_at(data, end)
    stop = value.end if value.quoted else _end_of(_LINE_REST, data, value.start, value.start + _VALUE_WINDOW)
    following = _COOKIE_WORD.search(data, value.start, stop)
    yield from _cookies(data, value.start, stop if following is None else following.start())


def _cookies(data: bytes, start: int, end: int) -> Iterator[Span]:
    pairs = 0
    for match in _COOKIE_PAIR.finditer(data, start, end):
        pairs += 1
        name, text = match.groups()
        if _COOKIE_ATTRIBUTE.match(name) or STOP.match(text):
            continue
        if (len(text) >= 8 and not wordy(text) and not NUMERIC.match(text)) or len(text) >= 24:
            yield Span(match.start(2), match.end(2), "cookie")
    if not pairs and is_secret(b"cookie", data[start:end], quoted=False, structural=True):
        yield Span(start, end, "cookie")


def private_keys(data: bytes) -> Iterator[Span]:
    """Yield private key blocks: whole, cut off at either end, and with their line ends escaped."""
    tails = list(_BLOCK_TAIL.finditer(data))
    tail_starts = [tail.start() for tail in tails]
    done = 0
    for head in _BLOCK_HEAD.finditer(data):
        if head.start() < done:
            continue
        nearest = bisect_left(tail_starts, head.end())
        if nearest < len(tails) and tail_starts[nearest] - head.end() <= _BLOCK_LIMIT:
            done, body_end = tails[nearest].end(), tail_starts[nearest]
        else:
            stop = _end_of(_BLOCK_BODY, data, head.end(), len(data))
            done = body_end = head.end() + len(data[head.end() : stop].rstrip())
        if len(data[head.end() : body_end].strip()) >= 16:
            yield Span(head.start(), done, "private_key", _RANK_KEY)
    previous = 0
    for tail in tails:
        start = max(previous, tail.start() - _BLOCK_LIMIT)
        before = _BODY_BEFORE_TAIL.search(data[start : tail.start()])
        if before is not None:
            yield Span(start + before.start(), tail.end(), "private_key", _RANK_KEY)
        previous = tail.end()
