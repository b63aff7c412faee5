"""Judges a value that stands where a secret would: is it one, or prose, code, a placeholder, a path, a number?"""

from __future__ import annotations

import re

STOP = re.compile(
    rb"(?i)(?:null|none|nil|true|false|yes|no|on|off|undefined|empty|required|optional|invalid|valid|expired|missing|unset|"
    rb"not|set|is|was|has|for|the|a|an|redacted|removed|hidden|filtered|masked|n/?a|string|str|text|bytes?|int|integer|bool|"
    rb"boolean|any|object|failed|failure|ok|success|denied|error|unauthori[sz]ed|forbidden|unknown|default|disabled|enabled|"
    rb"password|passwd|pass|pwd|username|secret|token|authentication|bearer|basic|digest|negotiate|prompt|rejected|accepted|mismatch|incorrect|wrong|"
    rb"changed|rotated|options?|flags?|arguments?|parameters?|fields?|values?|and|or|must|should|cannot|will|with|from|in|to|"
    rb"(?:error|realm|scope|error_description)=.*|[*x.\-_#\xe2\x80\xa2]+|"
    rb"\[[\w *.-]*\]?|<[\w .:-]*>?|\{\{.*|\{[\w.]*\}?|"
    rb"\$(?:[{(].*|(?-i:[A-Z_][A-Z0-9_]*|[a-z_]+(?:[A-Z][a-z]+)*))|%(?:[sdvqr]|\(\w+\)s|\{.*|[A-Z_]+%)|@[A-Za-z_.]+|"
    rb"\(.*|\\+[nrt\"']?|={1,2})\Z",
    re.DOTALL,
)
_PATH = re.compile(rb"(?:~|\.{1,2}|[A-Za-z]:|file:)?[/\\][\w.@+/\\ :-]*\Z")
NUMERIC = re.compile(rb"[\d.,:TZ+\-/]+(?:ms|s|m|h|[kKMG]i?B?)?\Z")
URL = re.compile(rb"[a-z][a-z0-9+.-]*://")
_CODE = re.compile(
    rb"[\w.]+[(\[].*|(?:self|this|process|os|settings|config|env|request|req|ctx|cfg|conf|props)\.[\w.]+\Z", re.DOTALL
)
_SEGMENTS = re.compile(rb"[-_./:@+ ]")
_WORD = re.compile(rb"(?:(?:[A-Z]{0,8}+[a-z]{2,14}+){1,5}+\d{0,5}|[a-z]|[A-Z]{1,14}\d{0,3}|v?\d{1,6})?\Z")
_VOWEL = re.compile(rb"[aeiouyAEIOUY]|\d{1,6}\Z|.{1,4}\Z")


CODES = (b"pin", b"otp", b"cvv", b"cvc")
"""Names of short numbers that open something."""
_CODE_NUMBER = re.compile(rb"\d{4,8}\Z")
_DRAWN_CHARS = re.compile(rb"[A-Za-z0-9+_=-]{20,}|[A-Za-z0-9+/]{40,}={0,2}\Z")
_PAIR = re.compile(rb"[a-z][a-z_-]{1,20}=[^=]")
_HEX = re.compile(rb"(?:0x)?[0-9a-fA-F-]+\Z")
_REFERENCE = re.compile(
    rb"(?:[a-z][a-z.-]{0,62}/)?(?:[a-z]{2,20}-){1,6}(?:tokens?|secrets?|creds?|credentials?|tls|keys?|auth|passwords?|config)"
    rb"(?:-[a-z0-9]{5})?\Z"
)
"""The name of an object that holds a secret, with its namespace and the suffix that Kubernetes draws."""
_WORD_AND_NUMBER = re.compile(rb"[A-Za-z]{4,20}[-_@#.]?\d{4,8}\Z")
"""How people make up passwords."""
_PASSWORD_NAMES = (b"passw", b"passph", b"passc", b"pw", b"requirepass", b"masterauth", b"bindpw", b"rootpw")


def kind_of(word: bytes) -> str:
    """Return the kind of secret that a name announces."""
    if word == b"pass" or word.startswith(_PASSWORD_NAMES):
        return "password"
    if word in CODES:
        return "code"
    for kind in (b"secret", b"token", b"cookie", b"auth", b"key"):
        if kind in word:
            return {b"auth": "authorization"}.get(kind, kind.decode())
    return "session" if b"sess" in word or b"sid" in word else "secret"


def is_secret(word: bytes, value: bytes, *, quoted: bool, structural: bool) -> bool:
    """Say whether `value`, named by the lower-case `word`, is a secret.

    `structural`: it stands in data (`a=b`, a quoted value), not in prose or code.
    """
    if word in CODES:
        return structural and _CODE_NUMBER.match(value) is not None
    if len(value) < 4 or STOP.match(value) or URL.match(value) or b"<redacted:" in value:
        return False
    if _PATH.match(value) and not _random(value):
        return False
    if not quoted and _CODE.match(value):
        return False
    if (word in value.lower() and wordy(value)) or _REFERENCE.match(value):
        return False  # password=db_password: it names where the secret is
    return _is_kind(word, value, quoted, structural)


def _is_kind(word: bytes, value: bytes, quoted: bool, structural: bool) -> bool:
    """Judge by what the name says, after what is surely none is out."""
    if word.startswith(_PASSWORD_NAMES):
        return _is_password(value, structural)
    if word.startswith((b"mnemonic", b"seed")):
        return len(value.split()) >= 12 or drawn(value)
    if b" " in value.strip() and len(value) < 200:
        return False
    if word in (b"key", b"code"):
        return drawn(value)
    if word == b"pass":
        return len(value) >= 6 and not NUMERIC.match(value) and _is_password(value, structural)
    if len(value) < 8 or NUMERIC.match(value) or wordy(value):
        return False
    if not quoted and _PAIR.match(value):
        return False  # jwt: kid=…: the name is a heading
    if word.startswith((b"sig", b"auth", b"cookie")) and len(value) < (16 if word != b"auth" else 10):
        return False
    return _mixed(value) or len(value) >= 24


def likely(word: bytes, value: bytes) -> bool:
    """Say whether it is a secret where the name stands less surely beside it: with digits and letters, no words."""
    mixed = any(48 <= byte <= 57 for byte in value) and any(chr(byte).isalpha() for byte in value)
    if len(value) < 8 or not mixed or not is_secret(word, value, quoted=True, structural=True):
        return False
    chosen = kind_of(word) == "password" and _WORD_AND_NUMBER.match(value) is not None
    return chosen or not wordy(value)


def drawn(value: bytes) -> bool:
    """Say whether it is surely drawn at random: what a name that mostly names harmless things must be followed by."""
    value = value.removeprefix(b"base64:")
    if not _DRAWN_CHARS.fullmatch(value) or _HEX.match(value) or wordy(value):
        return False
    digits = sum(48 <= b <= 57 for b in value)
    upper = sum(65 <= b <= 90 for b in value)
    lower = sum(97 <= b <= 122 for b in value)
    if not upper and len(value) >= 32 and value.isalnum():
        return digits >= 4 and lower >= 8
    return (
        digits >= 2 and upper >= 2 and lower >= 2 and not all(_WORD.match(part) for part in re.split(rb"[-_=+]", value))
    )


def _is_password(value: bytes, structural: bool) -> bool:
    if structural:
        return not (b"." in value and wordy(value) and not any(48 <= b <= 57 for b in value))
    marks = sum(not chr(b).isalpha() for b in value)
    return len(value) >= 6 and marks > 0 and not (_SEGMENTS.search(value) and wordy(value))


def _mixed(value: bytes) -> bool:
    digit = any(48 <= b <= 57 for b in value)
    letter = any(chr(b).isalpha() for b in value)
    return (digit and letter) or (len(value) >= 16 and value.lower() != value and value.upper() != value)


def _random(value: bytes) -> bool:
    kinds = sum(re.search(c, value) is not None for c in (rb"[a-z]", rb"[A-Z]", rb"[0-9]"))
    return len(value) >= 32 and kinds == 3 and b"." not in value and not wordy(value)


def wordy(value: bytes) -> bool:
    """Say whether it reads as words, identifiers or versions rather than as something drawn at random."""
    if len(value) > 200:
        return False
    segments = _SEGMENTS.split(value)
    return all(_WORD.match(segment) and (not segment or _VOWEL.search(segment)) for segment in segments)
