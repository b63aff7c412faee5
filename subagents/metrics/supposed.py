"""Who may have handed trouble on, where nobody says who calls whom.

Series far beyond what is usual are all that hand failures on. How many there are tells more: most fails where it began,
and a callee that hardly fails does not make most of its caller's failures.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from subagents.metrics.heat import EXPLAINED, traffic_of
from subagents.metrics.signals import Signal, scale_of
from subagents.metrics.unseen import supposed_callees

SUPPOSED = 0.5
"""Share of a caller's departure that an equal departure of a supposed callee explains."""
BY_SHARE = 0.5
"""Most that failures lose at a service of whose requests a smaller share fails than elsewhere."""
_STORE = re.compile(
    r"[-_.](db|database|sql|pg|postgres(ql)?|mysql|mariadb|mongo(db)?|redis|cache|memcached|cassandra|dynamo(db)?)(-\w+)?$"
)
"""What follows a service's name in that of its own store."""
Heat = dict[str, tuple[float, Signal]]


def supposed(
    kind: str, heat: Heat, by_service: Mapping[str, list[Signal]]
) -> tuple[Heat, dict[str, str], dict[str, float]]:
    """Return the heat, each service's supposed callee, and which part of its departure that may explain."""
    extents = _failing(heat, by_service) if kind == "errors" else {}
    most = max(extents.values(), default=0.0)
    if most > 0:
        lost = {name: BY_SHARE * (1.0 - extents.get(name, most) / most) for name in heat}
        heat = {name: (value * (1.0 - lost[name]), signal) for name, (value, signal) in heat.items()}
    callees = supposed_callees(heat, by_service)
    parts = {}
    for name, callee in callees.items():
        mine, theirs = extents.get(name, 0.0), extents.get(callee)
        parts[name] = SUPPOSED * (min(1.0, theirs / mine) if theirs is not None and mine > 0 else 1.0)
    stores = _stores(heat)
    callees = {name: callee for name, callee in callees.items() if name not in stores.values()} | stores
    return heat, callees, parts | dict.fromkeys(stores, EXPLAINED)


def _stores(names: Heat) -> dict[str, str]:
    """Return services of which there is a store by name, `orders` and `orders-db`, with it: a store calls nobody."""
    return {owner: name for name in sorted(names) if (owner := _STORE.sub("", name)) != name and owner in names}


def _failing(heat: Heat, by_service: Mapping[str, list[Signal]]) -> dict[str, float]:
    """Return the largest share of its requests that fails more at each service, where it is known."""
    shares: dict[str, float] = {}
    for name, (_, signal) in heat.items():
        traffic = traffic_of(by_service.get(signal.key.service, []))
        more = abs(signal.peak - signal.base)
        if signal.traits.role in ("availability", "error_ratio"):
            shares[name] = min(1.0, more / scale_of(signal.values))
        elif traffic is not None and traffic.base > 0 and traffic.traits.counter == signal.traits.counter:
            shares[name] = min(1.0, more / max(traffic.base, traffic.volume + more))
    return shares
