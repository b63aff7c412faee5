"""Small checks that together say what a request body may hold; each refuses with a 400 that names the field."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.standin.errors import invalid

Check = Callable[[Any, str], Any]
"""Takes a value and where it stands; returns the value as it is kept, or raises a 400."""


def text(least: int = 0, most: int = 10_000_000, pattern: str | None = None) -> Check:
    """Return the check of a string with so many characters."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, str):
            raise invalid(f"{where}: Input should be a valid string")
        if len(value) < least:
            raise invalid(f"{where}: String should have at least {least} character(s)")
        if len(value) > most:
            raise invalid(f"{where}: String should have at most {most} characters")
        if pattern is not None and not re.fullmatch(pattern, value):
            raise invalid(f"{where}: String should match pattern '{pattern}'")
        return value

    return check


def integer(least: int, most: int) -> Check:
    """Return the check of a whole number in a range."""

    def check(value: Any, where: str) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise invalid(f"{where}: Input should be an integer from {least} to {most}")
        return value

    return check


def boolean(value: Any, where: str) -> Any:
    """Check for true or false."""
    if not isinstance(value, bool):
        raise invalid(f"{where}: Input should be a valid boolean")
    return value


def anything(value: Any, where: str) -> Any:
    """Accept any JSON."""
    return value


def one_of(*values: str) -> Check:
    """Return the check of an enumeration."""

    def check(value: Any, where: str) -> Any:
        if value not in values:
            raise invalid(f"{where}: Input should be one of {', '.join(values)}")
        return value

    return check


def array(item: Check, least: int = 0, most: int = 100_000) -> Check:
    """Return the check of a list with so many items."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, list):
            raise invalid(f"{where}: Input should be a valid array")
        if not least <= len(value) <= most:
            raise invalid(f"{where}: Array should have {least} to {most} items, has {len(value)}")
        return [item(entry, f"{where}.{at}") for at, entry in enumerate(value)]

    return check


def nullable(inner: Check) -> Check:
    """Return the check that also lets null pass."""
    return lambda value, where: None if value is None else inner(value, where)


def fields(required: Mapping[str, Check], optional: Mapping[str, Check] | None = None) -> Check:
    """Return the check of an object: these fields and no others."""
    extra = dict(optional or {})

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise invalid(f"{where or 'body'}: Input should be an object")
        dot = f"{where}." if where else ""
        for name in value:
            if name not in required and name not in extra:
                raise invalid(f"{dot}{name}: Extra inputs are not permitted")
        for name in required:
            if name not in value:
                raise invalid(f"{dot}{name}: Field required")
        return {name: (required.get(name) or extra[name])(entry, dot + name) for name, entry in value.items()}

    return check


def by_type(kinds: Mapping[str, Check]) -> Check:
    """Return the check of a union told apart by its `type`."""

    def check(value: Any, where: str) -> Any:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            raise invalid(f"{where}.type: Input should be one of {', '.join(kinds)}, is {kind!r}")
        return kinds[kind](value, where)

    return check


def tagged(
    kind: str, required: Mapping[str, Check] | None = None, optional: Mapping[str, Check] | None = None
) -> Check:
    """Return the check of an object whose `type` is `kind`."""
    return fields({"type": one_of(kind), **(required or {})}, optional)


def metadata(patch: bool = False) -> Check:
    """Return the check of a metadata bag: 16 pairs, keys of 64, values of 512 characters; a patch may hold nulls."""

    def check(value: Any, where: str) -> Any:
        if not isinstance(value, dict):
            raise invalid(f"{where}: Input should be an object")
        if len(value) > 16 and not patch:
            raise invalid(f"{where}: at most 16 pairs")
        for key, entry in value.items():
            text(1, 64)(key, f"{where} key")
            (nullable(text(0, 512)) if patch else text(0, 512))(entry, f"{where}.{key}")
        return value

    return check


def patched(bag: Mapping[str, str], patch: Mapping[str, str | None]) -> dict[str, str]:
    """Return the bag with the patch applied: null deletes a key."""
    merged = {**bag, **patch}
    kept = {key: value for key, value in merged.items() if value is not None}
    if len(kept) > 16:
        raise invalid("metadata: at most 16 pairs")
    return kept
