"""How what we send is known again there: a session by its metadata, a message by its last line."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping
from typing import Any

from orchestrator.engines.managed.delivered import content_text

_SIGNED = re.compile(r"\(warroom message (m-[0-9a-f]{16})\)\s*\Z")


def session_nonce() -> str:
    """Return a new one."""
    return secrets.token_hex(8)


def message_nonce(session: str, key: str) -> str:
    """Return the one of the message that `key` names in a session: always the same."""
    return "m-" + hashlib.sha256(f"{session}\0{key}".encode()).hexdigest()[:16]


def signed(text: str, nonce: str) -> str:
    """Return a message with its nonce on its last line."""
    return f"{text}\n\n(warroom message {nonce})"


def is_signed(text: str) -> bool:
    """Say whether a message is signed with a nonce, whichever."""
    return _SIGNED.search(text) is not None


def nonce_of(raw: Mapping[str, Any]) -> str:
    """Return the nonce of a message there; empty for one that is not signed."""
    match = _SIGNED.search(content_text(raw.get("content"))[-200:])
    return match[1] if match else ""
