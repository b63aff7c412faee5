"""Times that go back within a file: a host whose clock differs, a clock set back, files put together. Only told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from subagents.contract import Problem

if TYPE_CHECKING:
    import polars as pl

LATE_US = 60_000_000
"""Buffers and threads mix lines by seconds, not by minutes."""
HOSTS_TOLD = 4


@dataclass
class Backwards:
    """Events that stand after others whose time is more than a minute later."""

    latest: int | None = None
    count: int = 0
    most: int = 0
    """The most that one is behind, in µs."""
    line: int = 0
    """Number of the first one's line."""
    hosts: Counter[str] = field(default_factory=Counter)
    others: Counter[str] = field(default_factory=Counter)

    def add(self, events: pl.DataFrame, first_line: int) -> None:
        """Look at the events of a block, in file order; `first_line` is the number of its first line."""
        import polars as pl

        dated = events.select("t", "own", "host", line=pl.col("lines").cum_sum() - pl.col("lines") + first_line)
        dated = dated.filter("own")
        if not dated.height:
            return
        before = dated["t"].cum_max()
        if self.latest is not None:
            before = before.clip(lower_bound=self.latest)
        self.latest = int(before[-1])
        behind = before - dated["t"]
        late = behind > LATE_US
        if not late.any():
            return
        found = dated.filter(late)
        self.line = self.line or int(found["line"][0])
        self.count += found.height
        self.most = max(self.most, int(behind.max()))  # type: ignore[arg-type]
        self.hosts.update(found["host"].drop_nulls().to_list())
        self.others.update(dated.filter(~late)["host"].drop_nulls().unique().to_list())

    def problems(self, name: str) -> Iterator[Problem]:
        """Yield what is to be told."""
        if not self.count:
            return
        only = [host for host, _ in self.hosts.most_common(HOSTS_TOLD + 1) if host not in self.others]
        whose = f", all of {', '.join(only)}" if only and len(only) == len(self.hosts) <= HOSTS_TOLD else ""
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
