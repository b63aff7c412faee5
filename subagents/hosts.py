"""Which words are public host names: things outside that somebody else runs."""

from __future__ import annotations

import re

_TLDS = (
    "com|net|org|io|dev|cloud|app|co|ai|eu|info|biz|gov|edu|uk|us|de|fr|nl|ch|jp|in|au|ca|br|cn|kr|se|no|es|it|pl"
    "|example"
)
_HOST = re.compile(rf"(?<![\w.@/-])(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)+(?:{_TLDS})(?![\w.-])")
_REVERSED = frozenset(_TLDS.split("|"))
"""A name that begins with one of these is a package of a program, such as `com.example.app`."""


def outside_host(text: str) -> str | None:
    """Return the first public host name in a text; addresses and names inside a cluster are none."""
    for match in _HOST.finditer(text.replace("://", " ")):
        name = match.group()
        if name.partition(".")[0] not in _REVERSED:
            return name
    return None
