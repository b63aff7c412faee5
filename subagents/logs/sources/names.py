"""Services and hosts by number: what counts events looks at numbers, not at names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

HOSTS_KNOWN = 20_000
"""Hosts and pods whose names are kept for look-up; with more, an unknown name may be one of the rest."""
NONE = -1


@dataclass
class Names:
    """Services and hosts by number, in the order in which they were met."""

    services: dict[str, int] = field(default_factory=dict)
    hosts: dict[str, int] = field(default_factory=dict)

    def numbered(self, events: pl.DataFrame) -> tuple[Any, Any]:
        """Return the services and hosts of events by number (numpy), NONE where there is none."""
        return _numbers(events["service"], self.service), _numbers(events["host"], self.host)

    def hosts_of(self, numbers: Any) -> list[str | None]:
        """Return the names of hosts by number (numpy); None where there is none."""
        listed = list(self.hosts)
        return [listed[number] if number != NONE else None for number in numbers.tolist()]

    def service(self, name: str) -> int:
        """Return the number of a service, a new one where it is new."""
        return self.services.setdefault(name, len(self.services))

    def host(self, name: str) -> int:
        """Return the number of a host, a new one where it is new and there is room; NONE where there is none."""
        if len(self.hosts) < HOSTS_KNOWN:
            return self.hosts.setdefault(name, len(self.hosts))
        return self.hosts.get(name, NONE)


def _numbers(column: pl.Series, number: Callable[[str], int]) -> Any:
    import numpy as np
    import polars as pl

    if column.null_count() == column.len():
        return np.full(column.len(), NONE, np.int32)
    names = [name for name in column.unique(maintain_order=True).to_list() if name is not None]
    return column.replace_strict(names, list(map(number, names)), default=NONE, return_dtype=pl.Int32).to_numpy()
