"""Secrets that only their surroundings give away: headers, key=value, JSON fields, flags, private key blocks.

A name that says "secret" makes a candidate; the value is then judged, so that prose, code, placeholders, paths
and numbers stay as they are. All look-ups are in bounded windows.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Any

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.secret_bounds import (
    BRANCHES,
    UNQUOTED_WINDOW,
    VALUE_WINDOW,
    Span,
    Value,
    end_of,
    nested,
    value_at,
)
from orchestrator.journal.secret_commands import COMMAND, commanded, flag_value, flagged, given, piped
from orchestrator.journal.secret_values import NUMERIC, STOP, URL, drawn, is_secret, kind_of, likely, wordy

_JUDGED = 512
"""Bytes of a value that are judged; what is longer is secret or not by its beginning."""


_NAME_END = re.compile(forms.SECRET_NAME.replace(rb"(?i)", b""), re.IGNORECASE)
_NAME = re.compile(forms.NAME)
_SHORT = re.compile(rb"(?:" + forms.SHORT_NAMES + rb")\Z", re.IGNORECASE)

_NOT_BEFORE = re.compile(
    rb"(?i)(?:page|next|prev|previous|continuation|pagination|cursor|sync|resume|cancel|cancellation"
    rb"|unexpected|invalid|public|max|"
    rb"min|num|stop|start|end|eos|bos|pad|unk|first|last|illegal|lexer|current)[ _.\-]?\Z"
)
_SCHEME = re.compile(
    rb"(?i)(digest|negotiate|ntlm|token|apikey|api-key|key|ssws|splunk|flyv1|hawk|oauth|signature|googlelogin|"
    rb"aws4-hmac-sha256|sharedaccesssignature)[ \t]+"
)
_OTHER_SCHEME = re.compile(rb"[A-Za-z][A-Za-z-]{2,24}[ \t]+(?=[A-Za-z0-9+/_=.~-]{20})")
_LOOSE = frozenset((b"|", b",", b"->", b"??", b"?:", b"or", b"to", b"/d", b"\x82"))
_ALGORITHM = re.compile(rb"(?i)sha\d|md5|hmac|pbkdf|aes|crypt|argon")
_PUBLIC = re.compile(rb"(?i)pub(?:lic)?[ _.-]?\Z")
_CAPTION = re.compile(
    rb"(?i)(?:^|[^a-z])(?:labels?|captions?|titles?|messages?|msg|placeholders?|hints?|tooltips?|errors?|i18n|help)[._]"
    rb"(?:\w{1,12}[._])?\Z"
)
"""Before the name of a text that a program shows: `label.password=Passwort`."""
_TYPED = re.compile(
    rb"\s{0,40}string\(\d{1,9}\)[ \t]*(?=\")"
    rb"|[ \t]*[&']{0,2}[A-Za-z][\w<>\[\]:.?']{0,40}[ \t]+=[ \t]+(?=[\"'`])"
    rb"|[ \t]*(?:Some|Ok|Just|Right|Option(?:al)?|Secret\w{0,12}(?:::\w{1,8})?|Password|Sensitive|"
    rb"Str(?:ing)?(?:::from)?|str|bytes|Value|NullString|Buffer\.from|base64\.\w{1,20}|b64decode|types\.\w{1,20}|cty\.\w{1,20})\((?=[\"'])"
)
"""What stands before a value in PHP's var_dump, in a declaration with a type, in a constructor."""
_ARROW = re.compile(rb"\\{0,15}[\"'`]?[ \t]*->[ \t]*")
_COOKIE_PAIR = re.compile(rb"([^=;,\s\"']{1,100})=([^;,\s\"']+)")
_COOKIE_FIELD = re.compile(rb"[\"'][\w.:-]{1,64}\\{0,3}[\"'][ \t]*(?::|=>)[ \t]*\\{0,3}[\"']([^\s\"'\\]{12,})")
_COOKIE_ATTRIBUTE = re.compile(rb"(?i)(?:path|domain|expires|max-age|samesite|priority|version)\Z")
_SAYING = re.compile(rb"(?P<name>" + forms.NAME_WORDS + rb")[ \t]+" + forms.SAYING + rb"\Z")
_FINGERPRINT = re.compile(rb"(?:[0-9A-F]{40}|[0-9A-F]{64}|[0-9a-f:]{47,95})\Z")
"""An OpenPGP key's or a certificate's, which is public."""
_SAID = re.compile(rb"(?:is|was|to|as)[ \t]*:?[ \t]+", re.IGNORECASE)
_DRAWN = re.compile(rb"(?=[^0-9]*[0-9])(?=[^A-Za-z]*[A-Za-z])[A-Za-z0-9+/_=.-]+\Z")
_COOKIE_WORD = re.compile(rb"cookie", re.IGNORECASE)
_CREDENTIAL = re.compile(rb"[A-Za-z0-9._~+/=%:|-]+")
_LINE_REST = re.compile(rb"[^\r\n\"'`]*")


def context_spans(data: bytes, pattern: Any) -> Iterator[Span]:
    """Yield the secrets that a name, a header, a flag or a scheme announces. `pattern` is the compiled CONTEXT."""
    at = 0
    while (match := pattern.search(data, at)) is not None:
        is_flag = data[match.start() : match.start() + 1] in b" \t"  # "-p" may begin "-password="
        at = match.start() + 1 if is_flag else max(match.end(), match.start() + 1)
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
    if head.startswith((b"bearer", b"basic", b"ssws")):
        yield from _scheme_value(data, start, end, head)
    elif (told := COMMAND.fullmatch(data, start, end)) is not None:
        yield from commanded(data, end, told)
    elif head.endswith((b"stdin", b"chpasswd", b" -s", b"\t-s", b" 0", b"\t0")):
        yield from piped(data, start)
    elif head[:1] in b" \t":
        yield from flag_value(data, start, end, head)
    else:
        yield from _said(data, start, end, head)


def _said(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    """Judge what follows a name, or a word of a statement or a sentence."""
    if head.startswith(b"identified"):
        statement = data[max(0, start - 160) : start].lower()
        quoted = data[end : end + 1] in (b"'", b'"')
        if re.search(rb"\b(?:user|role|create|alter|grant|set)\b", statement) or (quoted and data[start:end].isupper()):
            yield from given(data, end, "password")
    elif head.startswith((b"requirepass", b"masterauth", b"bindpw", b"rootpw")) and head[-1:] in b" \t":
        yield from given(data, end, "password")
    elif head[:1] == b"-":
        before = data[max(0, start - 48) : start + 1]
        if re.search(rb"(?:^|[\s\"'=,\[])--?[A-Za-z0-9-]*\Z", before):
            yield from flagged(data, end, b"password" if b"pass" in head else head[1:].strip())
        else:
            yield from _bare(data, end)
    elif head[-1:] in b" \t" and head.strip() == b"password":
        yield from _spoken(data, start, end)
    elif (loose := _ends_loosely(head)) or head.startswith(b"password"):
        yield from _loosely(data, start, end, head) if loose or b" for " in head else _pair(data, start, end, head)
    elif head.startswith((b"pw", b"passwd")) and head[-1:] in b" \t":
        yield from _alone(data, end)
    elif _NAME.fullmatch(head.rstrip()) or head.rstrip() == b"login":
        yield from _bare(data, end)
    elif head[-1:] in b" \t:" and (said := _SAYING.match(head)) is not None:
        yield from _told(data, end, said.group("name"))
    else:
        yield from _pair(data, start, end, head)


def _ends_loosely(head: bytes) -> bool:
    bare = head.rstrip(b" \t\\\"'`")
    return bare[-2:] in _LOOSE or bare[-1:] in _LOOSE


def _loosely(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    """Judge what stands in the next cell, bracket or branch, where a name is less surely that of the value."""
    found = _NAME.match(head)
    word = found.group() if found else b"password"
    if not _name_counts(data, start, data[start : start + len(word)]):
        return
    if word == b"auth" and (b"(" in head or b"[" in head):  # auth=("user", "password")
        yield from given(data, end - 1, "password")
        return
    quoted = data[end - 1 : end] in (b'"', b"'", b"`")
    value = value_at(data, end - len(data[:end]) + len(data[:end].rstrip(b"\"'`\\")) if quoted else end)
    text = data[value.start : min(value.end, value.start + _JUDGED)]
    if likely(word, text) and (quoted or b"(" not in text):
        yield _span(word, value)


def _bare(data: bytes, end: int) -> Iterator[Span]:
    """Judge what follows a name with nothing but space between: only what is surely drawn at random counts."""
    value = value_at(data, end + (7 if data.startswith(b"base64:", end) else 0))
    text = data[value.start : min(value.end, value.start + 200)]
    if (
        len(text) >= 20
        and _DRAWN.match(text)
        and not _FINGERPRINT.match(text)
        and is_secret(b"token", text, quoted=value.quoted, structural=False)
    ):
        yield Span(value.start, value.end, "token")


def _spoken(data: bytes, start: int, end: int) -> Iterator[Span]:
    """Judge what follows the word password in a statement, a netrc line or prose."""
    before = data[max(0, start - 80) : start]
    if data[end : end + 1] in (b'"', b"'") or re.search(rb"\blogin\s+\S+\s+\Z", before):
        yield from given(data, end, "password")
        return
    said = _SAID.match(data, end)
    if said is None and not re.search(rb"(?i)\b(?:with|using|new|old|the|user)\s+\Z", before):
        yield from _alone(data, end)
        return
    value = value_at(data, said.end() if said is not None else end)
    text = data[value.start : value.end]
    if any(48 <= byte <= 57 for byte in text) and is_secret(b"password", text, quoted=value.quoted, structural=False):
        yield Span(value.start, value.end, "password")


def _alone(data: bytes, end: int) -> Iterator[Span]:
    """Judge what follows the word password with nothing that says that it is one: `password x`, `pw x`."""
    value = value_at(data, end)
    text = data[value.start : value.end]
    if len(text) >= 10 and text.lower() != text and likely(b"password", text) and not _ALGORITHM.search(text):
        yield Span(value.start, value.end, "password")


def _told(data: bytes, end: int, word: bytes) -> Iterator[Span]:
    """Judge what a sentence says that a secret is: `token was set to x`."""
    value = value_at(data, end)
    text = data[value.start : value.end]
    if word.startswith(b"passw"):
        told = any(48 <= byte <= 57 for byte in text) and is_secret(
            word, text, quoted=value.quoted, structural=value.quoted
        )
    else:
        told = is_secret(word, text, quoted=value.quoted, structural=True) and (value.quoted or drawn(text))
    if told:
        yield Span(value.start, value.end, kind_of(word))


def _spoken_of(data: bytes, end: int, word: bytes) -> Iterator[Span]:
    """Judge the text of a tag that only an attribute names: `<property name="password">x</property>`, or a caption."""
    value = value_at(data, end)
    text = data[value.start : value.end]
    if any(48 <= byte <= 57 for byte in text) and is_secret(word, text, quoted=False, structural=True):
        yield _span(word, value)


def _scheme_value(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    match = _CREDENTIAL.match(data, end, end + VALUE_WINDOW)
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
    while end < len(data) and (match := _CREDENTIAL.match(data, end, end + VALUE_WINDOW)) is not None:
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
    if head.endswith(b">") and not head.endswith(b"=>"):
        if _in_tag(data, start):
            attribute = head[len(word) : len(word) + 1] in b"\"'"
            yield from _spoken_of(data, end, word) if attribute else _paired(data, start, end, word)
        return
    if (typed := _TYPED.match(data, end, end + 80)) is not None:
        end = typed.end()
    if head.endswith(b":") and data[start - 1 : start] == b":" and b"arn:" in data[max(0, start - 80) : start]:
        return  # arn:aws:secretsmanager:…:secret:name
    if b"cookie" in word:
        yield from _cookie_header(data, end)
        return
    if b"auth" in word and (schemed := _schemed(data, value_at(data, end).start)) is not None:
        yield from schemed
        return
    yield from _paired(data, start, end, word)


def _paired(data: bytes, start: int, end: int, word: bytes) -> Iterator[Span]:
    """Judge the value of a pair, what stands below it, or both sides of a change."""
    value = value_at(data, end)
    if data[start:end] == b"PASS: " and wordy(data[value.start : value.end]):
        return  # of a test
    if (data[value.start : value.start + 1] in BRANCHES or value.start == value.end) and not value.quoted:
        inner = list(nested(data, start, value.start))
        yield from (_span(word, one) for one in inner if _judged(data, word, one, structural=True))
        if inner:
            return
    if data[start - 1 : start] in (b".", b"_") and _captioned(data, start) and wordy(data[value.start : value.end]):
        return
    if _judged(data, word, value, structural=_structural(data, start, end, value)):
        whole = value.quoted or value.end - value.start < UNQUOTED_WINDOW
        yield Span(value.start, value.end if whole else _token_end(data, value.end), kind_of(word))
    if (arrow := _ARROW.match(data, value.end, value.end + 20)) is not None:
        changed = value_at(data, arrow.end())
        if _judged(data, word, changed, structural=True):
            yield _span(word, changed)


def _captioned(data: bytes, start: int) -> bool:
    return _CAPTION.search(data[max(0, start - 32) : start]) is not None


def _schemed(data: bytes, at: int) -> list[Span] | None:
    """Return the credential after an authorization scheme at `at`; None where there is no scheme."""
    scheme = _SCHEME.match(data, at)
    if scheme is not None:
        stop = end_of(_LINE_REST, data, scheme.end(), scheme.end() + VALUE_WINDOW)
        text = data[scheme.end() : stop].rstrip()
        good = len(text) >= 6 and not STOP.match(text) and not wordy(text)
        return [Span(scheme.end(), scheme.end() + len(text), "authorization")] if good else []
    scheme = _OTHER_SCHEME.match(data, at)
    if scheme is None:
        return None
    end = end_of(_CREDENTIAL, data, scheme.end(), scheme.end() + VALUE_WINDOW)
    text = data[scheme.end() : min(end, scheme.end() + _JUDGED)]
    if scheme.group().lower().startswith((b"bearer", b"basic")) or not _DRAWN.match(text) or wordy(text):
        return None
    return [Span(scheme.end(), _token_end(data, end), "authorization")]


def _judged(data: bytes, word: bytes, value: Value, *, structural: bool) -> bool:
    text = data[value.start : min(value.end, value.start + _JUDGED)]
    return is_secret(word, text, quoted=value.quoted, structural=structural)


def _span(word: bytes, value: Value) -> Span:
    return Span(value.start, value.end, kind_of(word))


def _in_tag(data: bytes, start: int) -> bool:
    """Say whether a name stands in a tag, as its name or in the attribute that names what it holds."""
    before = data[max(0, start - 96) : start]
    return re.search(rb"<(?:[\w:.-]*|[\w:.-]+[ \t]+(?:name|key|id)=[\"'][\w:.-]*)\Z", before) is not None


def _structural(data: bytes, start: int, end: int, value: Value) -> bool:
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
    if word.lower() == b"key" and _PUBLIC.search(before):
        return False
    if not _SHORT.match(word):
        return True
    last = before[-1:]
    return not last.isalnum() or (last.islower() and word[:1].isupper()) or last.isdigit()


def _cookie_header(data: bytes, end: int) -> Iterator[Span]:
    if data[end : end + 1] == b"{":
        yield from _cookie_fields(data, end)
        return
    value = value_at(data, end + 1 if data[end : end + 1] == b"[" else end)
    stop = value.end if value.quoted else end_of(_LINE_REST, data, value.start, value.start + VALUE_WINDOW)
    following = _COOKIE_WORD.search(data, value.start, stop)
    yield from _cookies(data, value.start, stop if following is None else following.start())


def _cookie_fields(data: bytes, at: int) -> Iterator[Span]:
    """Judge the fields of an object of cookies by their values alone."""
    stop = data.find(b"}", at, at + UNQUOTED_WINDOW)
    for field in _COOKIE_FIELD.finditer(data, at, stop if stop >= 0 else at + UNQUOTED_WINDOW):
        text = field.group(1)
        if not wordy(text) and not NUMERIC.match(text):
            yield Span(field.start(1), field.end(1), "cookie")


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
