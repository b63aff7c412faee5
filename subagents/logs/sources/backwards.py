"""Times that go back within a file: a host whose clock differs, a clock set back, files put together. Only told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from subagents.contract import Problem

LATE_US = 60_000_000
"""Buffers and threads mix lines by seconds, not by minutes."""
HOSTS_TOLD = 4
FALLS = 9
"""So many steps back for one ahead make a file that has the newest first, as consoles export: nothing is late in it."""


@dataclass
class Backwards:
    """Events that stand after others whose time is more than a minute later."""

    latest: int | None = None
    count: int = 0
    most: int = 0
    """The most that one is behind, in µs."""
    line: int = 0
    """Number of the first one's line."""
    falls: int = 0
    rises: int = 0
    """How often the next event is of an earlier time, and of a later, in blocks where some are behind"""
    hosts: Counter[str] = field(default_factory=Counter)
    others: set[str] = field(default_factory=set)
    """Hosts that are on time, as far as events of another one before theirs show"""
    _first: int | None = None
    """Number of the host that the file begins with"""
    _alone: bool = True
    """No other one was met until now."""

    def add(self, times: Any, numbers: Any, hosts: Any, named: Callable[[Any], list[str | None]]) -> None:
        """Look at times, line numbers and hosts (numpy) of a block's events that have a stamp, in file order.

        `named` gives the names of hosts by number.
        """
        import numpy as np

        if not len(times):
            return
        before = np.maximum.accumulate(times)
        if self.latest is not None:
            before = np.maximum(before, self.latest)
        self.latest = int(before[-1])
        untold = self._led(hosts)
        behind = before - times
        late = behind > LATE_US
        if not late.any():
            return
        steps = np.diff(times)
        self.falls += int((steps < 0).sum())
        self.rises += int((steps > 0).sum())
        self.line = self.line or int(numbers[late][0])
        self.count += int(late.sum())
        self.most = max(self.most, int(behind.max()))
        self.hosts.update(host for host in named(hosts[late]) if host is not None)
        on_time = np.unique(hosts[untold:][~late[untold:]])
        self.others.update(host for host in named(on_time) if host is not None)

    def _led(self, hosts: Any) -> int:
        """Return how many of the events come before those of any second host: nothing shows whether they are late."""
        import numpy as np

        if not self._alone:
            return 0
        self._first = int(hosts[0]) if self._first is None else self._first
        others = np.flatnonzero(hosts != self._first)
        self._alone = not len(others)
        return int(others[0]) if len(others) else len(hosts)

    def problems(self, name: str) -> Iterator[Problem]:
        """Yield what is to be told."""
        if not self.count or self.falls > FALLS * max(self.rises, 1):
            return
        only = [host for host, _ in self.hosts.most_common(HOSTS_TOLD + 1) if host not in self.others]
        told_apart = not self._alone and bool(only) and len(only) == len(self.hosts) <= HOSTS_TOLD
        whose = f", all of {', '.join(only)}" if told_apart else ""
        yield Problem(
            what=f"events more than a minute behind those before them, by up to {_span(self.most)}{whose}",
            where=f"{name}:{self.line}",
            lost="nothing; none was moved",
            todo="check the clocks of the hosts, or whether files were put together",
            count=self.count,
        )


def _span(microseconds: int) -> str:
    seconds = microseconds // 1_000_000
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60} min" if seconds < 172_800 else f"{seconds // 86_400} days"
