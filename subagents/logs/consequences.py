"""Failures that another one brings about: a pool runs out where what is borrowed from it is held up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from subagents.logs.model import Signature

_HOLDS_UP = frozenset({"locks", "full collections", "datastore restarting", "datastore read-only"})
_ONCE = frozenset({"datastore restarting", "datastore read-only"})
_LEAST = 3
"""Times that it shows, unless once is enough: one long wait or stop is usual, and need not be of who is waited for."""
_RUNS_OUT = frozenset({"pool exhausted", "thread limit"})
_SOON, _LATE = timedelta(minutes=30), timedelta(minutes=1)
"""What brings it about begins at most so long before something runs out, and after: a pool runs out at a time-out."""


def with_consequences(signatures: Sequence[Signature]) -> list[Signature]:
    """Return signatures that say which one brings each about, of several the first, and who suffers by it."""
    holding = [each for each in signatures if _holds_up(each)]
    holding.sort(key=lambda each: (each.first_seen is None, each.first_seen))
    follows = {
        each.label: cause
        for each in signatures
        if each.name in _RUNS_OUT and (cause := next((one for one in holding if _may_follow(each, one)), None))
    }
    found = list[Signature]()
    for each in signatures:
        sufferers = [name for one in signatures if follows.get(one.label) is each for name in one.services]
        change = {"follows": follows[each.label].label} if each.label in follows else {}
        found.append(each.model_copy(update={**change, "followed_by": tuple(dict.fromkeys(sufferers))}))
    return found


def _holds_up(each: Signature) -> bool:
    return each.name in _HOLDS_UP and each.grew and (each.count >= _LEAST or each.name in _ONCE)


def _may_follow(one: Signature, other: Signature) -> bool:
    if one.first_seen is None or other.first_seen is None:
        return False
    return one.first_seen - _SOON <= other.first_seen <= one.first_seen + _LATE
