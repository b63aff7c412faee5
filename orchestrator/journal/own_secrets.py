"""The secrets that we hold ourselves: which environment values they are, and the forms they turn up in.

Forms are matched as RE2 patterns: as it is, JSON-escaped, percent-encoded, hex, and inside base64.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import unquote, unquote_to_bytes, urlsplit

LEAST_LENGTH = 8
"""Shorter values are left alone: they would be found all over ordinary text."""
_LEAST_ENCODED = 9

_NAME = re.compile(
    r"(?:^|_)(?:\w*TOKEN|\w*SECRET|\w*PASSWORD|PASSWD|PASS|PASSPHRASE|PWD|PASSCODE|\w*APIKEY|KEY|CREDENTIALS?|DSN|AUTH|COOKIE"
    r"|CONNECTION_?STRING|CONNSTR)(?:_?(?:\d+|ID|BASE64|B64|VALUE|OLD|NEW|PRIMARY|SECONDARY))?$",
    re.IGNORECASE,
)
_NOT_SECRET_NAMES = frozenset({"PWD", "OLDPWD", "SSH_AUTH_SOCK", "GPG_KEY", "XAUTHORITY"})
_PATH = re.compile(r"(?:~|\.{0,2})/[\w.@+/-]*\Z")
_PLAIN = re.compile(r"(?:true|false|yes|no|none|null|enabled|disabled|required|\d{1,9})\Z", re.IGNORECASE)


def own_secrets_from(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the values of variables with secret-like names (8 characters or more), and passwords within URLs."""
    found: dict[str, None] = {}
    for name, value in environ.items():
        for secret in _secrets_in(name, value):
            if len(secret.strip()) >= LEAST_LENGTH:
                found[secret.strip()] = None
    return tuple(found)


def names_secret(name: str) -> bool:
    """Say whether a variable of that name holds a secret."""
    return name.upper() not in _NOT_SECRET_NAMES and _NAME.search(name) is not None


def _secrets_in(name: str, value: str) -> Iterator[str]:
    if "://" in value and "@" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            password = None
        if password:
            yield unquote(password)
            yield password
    if not names_secret(name):
        return
    if _PLAIN.match(value) or (_PATH.match(value) and not _looks_random(value)):
        return
    yield value
    if "\n" in value:
        yield from (line for line in value.splitlines() if len(line) >= 24 and not line.startswith("-----"))


def _looks_random(value: str) -> bool:
    return len(value) >= 32 and "." not in value and all(re.search(p, value) for p in ("[a-z]", "[A-Z]", "[0-9]"))


class OwnForms:
    """Every form that our own secrets turn up in, as one pattern, and which secret a match of it gives away."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._by_form: dict[bytes, bytes] = {}
        quotable: dict[bytes, None] = {}
        for secret in secrets:
            if len(secret) < LEAST_LENGTH:
                continue
            raw = secret.encode("utf-8", "surrogatepass")
            quotable[raw] = None
            for form in (raw, *_forms(secret, raw)):
                self._by_form.setdefault(form, raw)
        sized = [(len(form), _literal(form)) for form in self._by_form if form not in quotable]
        sized += [(len(raw), _quotable(raw)) for raw in quotable]
        # Longest first, so that no form hides a longer one.
        self.pattern = b"|".join(pattern for _, pattern in sorted(sized, key=lambda pair: (-pair[0], pair[1])))
        """For RE2; empty where there is nothing to look for."""

    def secret_of(self, match: bytes) -> bytes:
        """Return the secret that `match` is a form of, so that all its forms compare as equal."""
        for form in (match, unquote_to_bytes(match), unquote_to_bytes(match.replace(b"+", b" "))):
            if form in self._by_form:
                return self._by_form[form]
        return match


def _forms(secret: str, raw: bytes) -> Iterator[bytes]:
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):
        # Inside base64 of something longer, three alignments are possible; only whole sextets of the secret count.
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        if len(whole) >= _LEAST_ENCODED:
            yield whole
            yield whole.replace(b"+", b"-").replace(b"/", b"_")


def _literal(form: bytes) -> bytes:
    return b"".join(map(_byte, form))


def _quotable(raw: bytes) -> bytes:
    """Match `raw` with any of its bytes percent-encoded, in either case, and spaces as `+`."""
    return b"".join(_byte(b) if chr(b).isalnum() and b < 128 else _quoted(b) for b in raw)


def _quoted(byte: int) -> bytes:
    plus = rb"|\+" if byte == 0x20 else b""
    return b"(?:%s|%%(?i:%02x)%s)" % (_byte(byte), byte, plus)


def _byte(byte: int) -> bytes:
    return bytes((byte,)) if byte < 128 and chr(byte).isalnum() else b"\\x%02x" % byte
