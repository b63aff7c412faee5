"""Where a file whose stamps say no day passes midnight: the last day is the file's, the others count back.

Its name may say the day; else it is that of the file's date, which a copy has of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.names import NONE

if TYPE_CHECKING:
    from subagents.logs.sources.parts import Part
    from subagents.logs.sources.timestamps import Shape

DAY_US = 86_400_000_000
TURNED_US = DAY_US // 2
"""From a time so far before the last one it is nearer to have gone on over midnight than to have gone back."""
LATE_US = 600_000_000
"""A line of before midnight may stand so late after the first one behind it: threads and buffers mix lines."""


@dataclass(frozen=True)
class Midnights:
    """From which bytes on events are of another day than those before them."""

    bytes: tuple[int, ...] = ()
    """Ascending; where events start."""
    days: tuple[int, ...] = (0,)
    """From the file's date: before the first of these bytes, from it on, from the second on ..."""

    @property
    def passed(self) -> int:
        """How many midnights lie between the first day and the last."""
        return max(self.days) - min(self.days)

    def placed(self, part: Part) -> Part:
        """Return the events of a block with each on its day."""
        import numpy as np
        import polars as pl

        if not any(self.days):
            return part
        times = np.where(part.times == NONE, NONE, part.times + self._shifts(part.starts))
        events = part.frame.events
        shifts = pl.Series(self._shifts(events["start"].to_numpy()), dtype=pl.Int64)
        frame = replace(part.frame, events=events.with_columns(t=pl.col("t") + shifts))
        return replace(part, times=times, frame=frame)

    def _shifts(self, starts: Any) -> Any:
        import numpy as np

        days = np.array(self.days, np.int64)
        return days[np.searchsorted(np.array(self.bytes, np.int64), starts, "right")] * DAY_US


@dataclass
class _Days:
    """The days of a file as far as it was read, counted from its first."""

    last: int | None = None
    """The time of the last event, on the one day that all are read as"""
    day: int = 0
    latest: tuple[int, int] = (0, 0)
    """Day and time of the latest event"""
    bytes: list[int] = field(default_factory=list)
    days: list[int] = field(default_factory=lambda: [0])

    def add(self, starts: Any, times: Any) -> None:
        """Go on with the places and times (numpy) of events that have a stamp, in file order."""
        import numpy as np

        if not len(times):
            return
        gone = np.diff(times, prepend=times[:1] if self.last is None else self.last)
        turns = (gone < -TURNED_US).astype(np.int64) - (gone > DAY_US - LATE_US)
        days = self.day + np.cumsum(turns)
        rows = np.flatnonzero(turns)
        self.bytes += starts[rows].tolist()
        self.days += days[rows].tolist()
        self.last, self.day = int(times[-1]), int(days[-1])
        most = int(days.max())
        self.latest = max(self.latest, (most, int(times[days == most].max())))


def midnights_of(parts: Iterable[Part], hint: datetime, named: date | None) -> Midnights:
    """Return where the events of a file, all read as of the file's date, pass midnight; `hint` is that moment.

    Where the last event lies almost a day after the file was written, it was written just before that midnight.
    A day that the file's name says (`named`) counts where the file's date is a later one: a copy's date is later.
    """
    found = _Days()
    for part in parts:
        found.add(part.starts[part.own], part.times[part.own])
    day, at = found.latest
    if (later := days_later(hint, named)) > 0:
        day += later
    else:
        day += at - int(hint.timestamp() * 1e6) > DAY_US - LATE_US
    return Midnights(tuple(found.bytes), tuple(each - day for each in found.days))


def days_later(hint: datetime, named: date | None) -> int:
    """Return how many days after the one that its name says a file is dated; 0 where the name says none, or a later."""
    return max(0, (hint.date() - named).days) if named is not None else 0


def say_no_day(hits: dict[Shape, int]) -> bool:
    """Say whether a file has stamps, and none of them says its day."""
    met = [shape for shape, count in hits.items() if count > 0]
    return bool(met) and not any(shape.kind.date for shape in met)
