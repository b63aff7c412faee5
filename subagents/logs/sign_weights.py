"""How far a known kind of failure in the logs speaks for what it names: its wording, how often, and who tells of it."""

from __future__ import annotations

from subagents.hosts import outside_host
from subagents.logs.model import Signature
from subagents.logs.signatures import TABLE

UNNAMED_PART = 0.7
"""Of a signature's weight, where the peer is not named, or is one of the services whose own logs are here."""
OUTSIDE_PART = 1.35
"""Of a signature's weight, where the peer is a host by full name: not one of the services that were given."""
WIDE_PART = 1.2
"""Of a signature's weight, where several services say it of peers of their own: no one service can bring that about."""
CONSEQUENCE_PART = 0.5
"""Of a signature's weight, where another one brings it about."""
ONE_RECORD = 0.7
"""Weight of input that cannot be used where it is one record, again and again: a broken reader fails on all of them."""
_PEERED = frozenset(known.name for known in TABLE if known.named)
_WEIGHTS = {known.name: known.weight for known in TABLE}
_ONCE = frozenset(known.name for known in TABLE if known.once)


def weight_of(each: Signature) -> float:
    """Return the weight of a finding that says so, 0 to 0.9."""
    share = 1.0 if not each.baseline_count else min(1.0, 1 - each.baseline_count / max(each.count, 1))
    weight = (
        (ONE_RECORD if each.record else _WEIGHTS.get(each.name, 0.3))
        * max(share, 0.1)
        * (1.0 if each.count >= 3 or each.name in _ONCE else 0.7)
    )
    if each.follows is not None:
        weight *= CONSEQUENCE_PART
    elif each.wide:
        weight *= WIDE_PART
    elif each.kind == "service" or each.ours or (each.name in _PEERED and not each.named):
        weight *= UNNAMED_PART
    elif each.kind == "dependency" and each.named and outside_host(each.key):
        weight *= OUTSIDE_PART
    return round(min(weight, 0.9), 3)
