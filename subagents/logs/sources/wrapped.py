"""Exports that keep an event as it was within a record of their own: what is within is what is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any

WRAPS = {"_source": "_index", "result": "preview"}
"""The field that holds the event, and one beside it in such exports: Elasticsearch's hits, Splunk's results."""
_SAMPLE = 48


def wrap_of(names: Set[str]) -> str | None:
    """Return the field that holds the events of records with such fields; None where they are events themselves."""
    return next((field for field, beside in WRAPS.items() if field in names and beside in names), None)


def may_be_wrapped(lines: Sequence[str]) -> bool:
    """Say whether lines might be such records, which costs little to find out."""
    return any(f'"{field}"' in line for line in lines[:_SAMPLE] for field in WRAPS)


def unwrapped(lines: Sequence[str], wrap: str) -> list[str]:
    """Return the events, as the lines that they would be by themselves; a line that holds none stays as it is."""
    import msgspec

    row = msgspec.defstruct("Row", [("held", msgspec.Raw, msgspec.Raw())], rename={"held": wrap}, gc=False)
    decode = msgspec.json.Decoder(row).decode
    return [_within(line, decode) for line in lines]


def _within(line: str, decode: Callable[[str], Any]) -> str:
    import msgspec

    try:
        held = bytes(decode(line).held)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return line
    return held.decode() if held.startswith(b"{") else line
