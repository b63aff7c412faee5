"""The secrets that we hold ourselves: which environment values they are, and the forms they turn up in."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import quote, quote_plus, unquote, urlsplit

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


def _secrets_in(name: str, value: str) -> Iterator[str]:
    if "://" in value and "@" in value:
        try:
            password = urlsplit(value).password
        except ValueError:
            password = None
        if password:
            yield unquote(password)
            yield password
    if name.upper() in _NOT_SECRET_NAMES or not _NAME.search(name):
        return
    if _PLAIN.match(value) or (_PATH.match(value) and not _looks_random(value)):
        return
    yield value
    if "\n" in value:
        yield from (line for line in value.splitlines() if len(line) >= 24 and not line.startswith("-----"))


def _looks_random(value: str) -> bool:
    return len(value) >= 32 and "." not in value and all(re.search(p, value) for p in ("[a-z]", "[A-Z]", "[0-9]"))


def forms_of(secret: str) -> Iterator[bytes]:
    """Yield the byte strings that give `secret` away: as it is, escaped, quoted for URLs, hex, and inside base64."""
    if len(secret) < LEAST_LENGTH:
        return
    raw = secret.encode("utf-8", "surrogatepass")
    yield raw
    yield json.dumps(secret)[1:-1].encode()
    yield json.dumps(secret, ensure_ascii=False)[1:-1].encode("utf-8", "surrogatepass")
    for quoted in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield quoted.encode()
        yield re.sub(r"%[0-9A-F]{2}", lambda m: m.group().lower(), quoted).encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    for before in range(3):
        # Inside base64 of something longer, three alignments are possible; only whole sextets of the secret count.
        encoded = base64.b64encode(b"\0" * before + raw)
        whole = encoded[(0, 2, 3)[before] : (before + len(raw)) * 8 // 6]
        if len(whole) >= _LEAST_ENCODED:
            yield whole
            yield whole.replace(b"+", b"-").replace(b"/", b"_")
