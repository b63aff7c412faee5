"""Secrets that commands take: behind a flag, as an argument, from the command that is piped into them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orchestrator.journal import secret_forms as forms
from orchestrator.journal.secret_bounds import Span, Value, value_at
from orchestrator.journal.secret_values import NUMERIC, STOP, is_secret, kind_of, likely, wordy

COMMAND = re.compile(
    rb"(?P<command>AUTH)[\\\"']{0,3}[ \t]+|(?P<login>LOGIN)[\\\"']{0,3}[ \t]+(?=[\"'])|(?P<line>PASS)[ \t]+"
    rb"|(?P<user>(?i:add_user|change_password|auth-pass)[ \t]+\S+[ \t]+|[ \t]/user:\S+[ \t]+)"
    rb"|(?P<password_flag>(?i:pass(?:in|out)?)[ \t]+pass:)"
    rb"|(?i:ENV|ARG|setx|setenv|set)[ \t]+\w*?(?P<environment>(?i:" + forms.NAME_WORDS + rb"))[ \t]+"
)
_SPACED_FLAGS: dict[bytes, tuple[bytes, ...]] = {
    b"-p": (b"sshpass", b"docker login", b"podman login", b"mongo", b"helm registry login", b"az login", b"htpasswd"),
    b"-P": (b"sqlcmd", b"zip", b"bcp", b"isql"),
    b"-a": (b"redis-cli",),
    b"-A": (b"snmp",),
    b"-w": (b"ldap",),
}
_JOINED_FLAGS: dict[bytes, tuple[bytes, ...]] = {
    b"-p": (b"mysql", b"mariadb", b"sshpass", b"7z "),
    b"-P": (b"sqlcmd",),
    b"-w": (b"ldap",),
}
"""Flags whose argument is a password, and the commands of which that is true."""
_SMB = re.compile(rb"(?i)smb|rpcclient|winexe|wmic|psexec|cifs|\bnet\b")
_WITH_USER = re.compile(rb"[ \t](?:-u|--user(?:name)?)[ =]?\S")
_OTHER_P = re.compile(rb"mysql|mariadb|psql|pg_|docker|podman|nerdctl|ssh|scp|rsync|\bcp\b|mkdir|\bps\b")
"""Commands whose -p is no password, or whose password has no space before it."""
_SECOND_WORD = re.compile(rb"[\"']?[ \t]+(?=[\"']?[\w!-~]{8})")
_ECHOED = re.compile(
    rb"\b(?:echo|printf)[ \t]+(?:-[neE]{1,3}[ \t]+)?(?=[^|\n]{4,300}\|)(?:[\"']?%s(?:\\n)?[\"']?[ \t]+)?"
)

_USER = re.compile(rb"[\s=\"']([0-9a-f]{32,64}|(?=\w*\d)(?=\w*[A-Z])(?=\w*[a-z])\w{24,200}):\Z")
_PIPED_USER = re.compile(rb"[\"']?[\w.-]{1,64}:")


def commanded(data: bytes, end: int, told: re.Match[bytes]) -> Iterator[Span]:
    """Judge the argument of a command that takes a secret: `AUTH x`, `AUTH user x`, `-passin pass:x`, `ENV NAME x`."""
    value = value_at(data, end)
    if told.lastgroup in ("password_flag", "user"):
        if told.group().lstrip().lower().startswith(b"/user:"):
            yield from _with_user(data, told.start(), value)
            return
        yield from given(data, end, "password")
    elif told.lastgroup == "environment":
        yield from flagged(data, end, told.group("environment").lower())
    else:
        second = _SECOND_WORD.match(data, value.end, value.end + 40)
        if second is not None and wordy(data[value.start : value.end]):
            value = value_at(data, second.end())
        text = data[value.start : value.end]
        if told.lastgroup == "line" and data[value.end : value.end + 1] not in (b"", b"\r", b"\n"):
            return
        if len(text) >= 8 and any(48 <= byte <= 57 for byte in text) and not wordy(text) and not NUMERIC.match(text):
            yield Span(value.start, value.end, "password")


def _with_user(data: bytes, start: int, value: Value) -> Iterator[Span]:
    """Judge what follows `/user:NAME`: a password for `net use`, mostly a program for others."""
    text = data[value.start : value.end]
    mounts = re.search(rb"(?i)\bnet[ \t]+use\b", data[max(0, start - 200) : start]) is not None
    if not text.startswith((b"/", b"-")) and (likely(b"password", text) or (mounts and len(text) >= 4)):
        yield Span(value.start, value.end, "password")


def given(data: bytes, end: int, kind: str) -> Iterator[Span]:
    """Take what stands there for a secret, unless it surely is none."""
    value = value_at(data, end)
    if value.end - value.start >= 4 and not STOP.match(data[value.start : value.end]):
        yield Span(value.start, value.end, kind)


def flagged(data: bytes, end: int, word: bytes) -> Iterator[Span]:
    """Judge the argument of a flag that is named `word`."""
    value = value_at(data, end)
    text = data[value.start : value.end]
    if not text.startswith(b"-") and is_secret(word, text, quoted=value.quoted, structural=True):
        yield Span(value.start, value.end, kind_of(word))


def flag_value(data: bytes, start: int, end: int, head: bytes) -> Iterator[Span]:
    """Judge the argument of a flag of one letter, or the password of `-u user:password`."""
    if head.endswith(b"%") and not _SMB.search(data, max(0, start - 160), start):
        return
    if head.endswith((b":", b"%")):
        value = value_at(data, end)
        text = data[value.start : value.end]
        user = _USER.search(data, start, end)
        if not text and user is not None:  # curl -u token:
            yield Span(*user.span(1), "token")
        if len(text) >= 4 and not (text.startswith((b"/", b"<redacted:")) or text.isdigit() or STOP.match(text)):
            yield Span(value.start, value.end, "password")
        return
    before = data[max(0, start - 160) : start].lower()
    before = before[max(before.rfind(b"\n"), before.rfind(b"|"), before.rfind(b";")) + 1 :]
    spaced = head[-1:] in b" \t"
    taking = (_SPACED_FLAGS if spaced else _JOINED_FLAGS).get(data[start:end].strip(), ())
    if any(command in before for command in taking):
        yield from given(data, end, "password")
    elif head.strip() == b"-p" and spaced and _WITH_USER.search(before) and not _OTHER_P.search(before):
        value = value_at(data, end)
        if likely(b"password", data[value.start : value.end]):
            yield Span(value.start, value.end, "password")


def piped(data: bytes, start: int) -> Iterator[Span]:
    """Judge what a shell pipes into a command that reads its password there: `echo x | login --password-stdin`."""
    line = data.rfind(b"\n", max(0, start - 400), start) + 1 or max(0, start - 400)
    told = _ECHOED.search(data, line, start)
    if told is not None:
        user = _PIPED_USER.match(data, told.end(), start) if data.startswith(b"chpasswd", start) else None
        yield from given(data, told.end() if user is None else user.end(), "password")
