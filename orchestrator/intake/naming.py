"""Names from outside, made safe to show and to use as ids."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Container

_NOT_ID = re.compile(r"[^A-Za-z0-9._/-]+")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")
ID_LIMIT = 160
_HIDDEN = ("Cc", "Cf", "Cs", "Zl", "Zp", "Co", "Cn")


def shown(name: str, limit: int = 300) -> str:
    """Return a foreign name on one line: controls, hidden characters and undecodable bytes as escapes."""
    safe = "".join(
        char if (char.isascii() and char.isprintable()) or unicodedata.category(char) not in _HIDDEN else _escape(char)
        for char in name
    )
    return safe if len(safe) <= limit else safe[: limit - 1] + "…"


def _escape(char: str) -> str:
    code = ord(char)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return char.encode("unicode_escape").decode("ascii")


def short_hash(*parts: str, length: int = 6) -> str:
    """Return the first hex digits of a digest over the parts."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:length]


def slug(text: str, limit: int = 40) -> str:
    """Return lower-case ASCII words joined by dashes; empty where the text has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode("ascii").lower()
    return _NOT_SLUG.sub("-", plain).strip("-")[:limit].rstrip("-")


def source_id(relative: str, taken: Container[str]) -> str:
    """Return the id of a source from its relative path: letters, digits, `._-/`, not in `taken`."""
    parts = (_NOT_ID.sub("-", part).strip("-").lstrip(".-") for part in relative.split("/"))
    base = "/".join(part for part in parts if part) or "source"
    if len(base) > ID_LIMIT:
        base = base[: ID_LIMIT - 9].rstrip("/.-") + "-" + short_hash(relative, length=8)
    found, number = base, 2
    while found in taken:
        found, number = f"{base}-{number}", number + 1
    return found


def incident_id(given: str | None, title: str, *identity: str) -> str:
    """Return the incident's id: the one that was given where it can serve, else slug and short hash."""
    if given:
        kept = _NOT_ID.sub("-", given.replace("/", "-")).strip("-.")[:64]
        if kept:
            return kept
    return f"{slug(title) or 'incident'}-{short_hash(*identity)}"
