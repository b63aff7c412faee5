"""Statistics of one host as tables that blanks align: `vmstat -t`, and sar, mpstat and pidstat of sysstat."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.naming import Labels
from subagents.metrics.sources.stamps import DateOrder, parse_by_calendar, parse_unique

_VMSTAT = re.compile(r"procs -+")
_SYSSTAT = re.compile(r"(?:Linux|SunOS|AIX|FreeBSD) \S+ \(([^)]*)\)\s+(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4})\b")
_CLOCK = re.compile(r"(\d\d):(\d\d):(\d\d)(?: ([AP]M))?\s+(.*)")
_EPOCH = re.compile(r"(\d{10})()()()\s+(.*)")
"""The same of old versions of `pidstat -h`."""
_MOMENT = re.compile(r"(\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}[ T]\d\d:\d\d:\d\d(?:[+-]\d{4}| [AP]M)?)")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?%?")
OVER = {"CPU": "cpu ", "DEV": "disk ", "IFACE": "net "}
OVER |= dict.fromkeys(("INTR", "TTY", "BUS", "UID", "PID", "FILESYSTEM", "MOUNTPOINT", "FCHOST"), "")
"""Columns that say of what a row is, be it a number; and what the statistics of such a row begin with."""
_VMSTAT_NAMES = {
    **{"r": "processes_waiting_for_cpu", "b": "processes_blocked", "swpd": "swap_used_kib", "free": "memory_free_kib"},
    **{
        "buff": "memory_buffers_kib",
        "cache": "memory_cache_kib",
        "si": "swap_in_kib_per_s",
        "so": "swap_out_kib_per_s",
    },
    **{"bi": "blocks_in_per_s", "bo": "blocks_out_per_s", "in": "interrupts_per_s", "cs": "context_switches_per_s"},
    **{"us": "cpu_user_pct", "sy": "cpu_system_pct", "id": "cpu_idle_pct", "wa": "cpu_iowait_pct"},
    **{"st": "cpu_steal_pct", "gu": "cpu_guest_pct"},
}
"""What the letters of its columns stand for."""
LEAST_KIB = 1 << 20
"""Hosts with less memory, free and cached, are rarer than `vmstat -S M`, which shows mebibytes below the same names."""
HALF_A_DAY = 43_200


def statistics_of(text: str) -> str:
    """Return which program wrote a text by its first lines; empty where none of them did."""
    first = next((line for line in text.splitlines() if line.strip()), "")
    return "vmstat" if _VMSTAT.match(first) else "sysstat" if _SYSSTAT.match(first) else ""


@dataclass
class Statistics:
    """What the lines of such a text hold, line by line."""

    courses: dict[tuple[str, tuple[str, ...]], Course] = field(default_factory=dict)
    bad: list[int] = field(default_factory=list)
    """Lines that are none of a table."""
    order: DateOrder = field(default_factory=DateOrder)
    unit_left_open: bool = False
    """Whether the sizes of vmstat may be of another unit than KiB."""
    _host: str = ""
    _midnight: float | None = None
    _days: int = 0
    _last: int = 0
    _header: Sequence[str] = ()
    _at: str = ""
    """The moment of what follows, where it has a line of its own."""

    def read(self, lines: Iterator[tuple[int, str]], program: str) -> None:
        """Take in numbered lines."""
        take = self._vmstat if program == "vmstat" else self._sysstat
        for number, line in lines:
            if line.strip() and not take(line.strip()):
                self.bad.append(number)

    def _vmstat(self, line: str) -> bool:
        cells = line.split()
        if _VMSTAT.match(line) or cells[0] == "r":
            self._header = cells if cells[0] == "r" else self._header
            return True
        names = [name for name in self._header if not name.isupper()]
        if len(cells) != len(names) + 2 or not all(map(_NUMBER.fullmatch, cells[: len(names)])):
            return False
        if not self.courses:
            held = dict(zip(names, cells, strict=False))
            sizes = [held.get(name, "") for name in ("free", "buff", "cache")]
            self.unit_left_open = sum(int(size) for size in sizes if size.isdecimal()) < LEAST_KIB
        for name, cell in zip(names, cells, strict=False):
            full = _VMSTAT_NAMES.get(name, f"vmstat_{name}")
            full = full.replace("_kib", "") if self.unit_left_open else full
            self._add({}, full, " ".join(cells[-2:]), cell)
        return True

    def _sysstat(self, line: str) -> bool:
        begun = _SYSSTAT.match(line)
        if begun:
            self._host, self._days, self._last, self._header = begun[1], 0, 0, ()
            date = {f"{begun[2]} 00:00": None}
            self.order.add(date)
            parse_by_calendar(known := parse_unique(date), self.order)
            self._midnight = known[f"{begun[2]} 00:00"]
            return True
        moment = _MOMENT.fullmatch(line)
        if moment is not None:
            self._at = moment[1]
            return True
        if self._at:
            return self._iostat(line.split())
        if line.startswith("#"):  # pidstat -h
            self._header = line.lstrip("# ").split()[1:]
            return True
        found = _CLOCK.fullmatch(line) or _EPOCH.fullmatch(line)
        if found is None:
            return line.startswith("Average:")
        cells = found[5].split()
        if not any(map(_NUMBER.fullmatch, cells)):
            if cells != self._header:
                self._days = self._last = 0
            self._header = cells
            return True
        if len(cells) != len(self._header):
            return "RESTART" in line
        when = self._when(found)
        ran_on = "CPU" if "PID" in self._header else ""
        over = {
            name: cell
            for name, cell in zip(self._header, cells, strict=True)
            if name != ran_on and (name in OVER or not _NUMBER.fullmatch(cell))
        }
        group = "".join(OVER[name] for name in self._header if name in over and name in OVER)
        for name, cell in zip(self._header, cells, strict=True):
            if name not in (*over, ran_on):
                self._add(over, group + name, when, cell.rstrip("%").replace(",", "."))
        return True

    def _iostat(self, cells: list[str]) -> bool:
        """Take in a line below a moment of its own, as iostat writes it: names, or numbers of a CPU or of a device."""
        kind = cells[0].rstrip(":")
        if kind in ("avg-cpu", "Device"):
            self._header = [kind, *cells[1:]]
            return True
        if self._header[:1] == ["avg-cpu"]:
            cells = ["all", *cells]
        if len(cells) != len(self._header) or not all(map(_NUMBER.fullmatch, cells[1:])):
            return False
        over, group = ({}, "cpu ") if self._header[0] == "avg-cpu" else ({"DEV": cells[0]}, OVER["DEV"])
        for name, cell in zip(self._header[1:], cells[1:], strict=True):
            self._add(over, group + name, self._at, cell.replace(",", "."))
        return True

    def _when(self, found: re.Match[str]) -> float | None:
        """Return epoch seconds of a row; a clock that goes back has passed midnight, another table begins anew."""
        if found.re is _EPOCH:
            return float(found[1])
        hour = int(found[1]) % 12 + 12 * (found[4] == "PM") if found[4] else int(found[1])
        clock = hour * 3600 + int(found[2]) * 60 + int(found[3])
        if clock < self._last - HALF_A_DAY:
            self._days += 1
        self._last = clock
        return None if self._midnight is None else self._midnight + 2 * HALF_A_DAY * self._days + clock

    def _add(self, labels: Labels, name: str, when: object, value: str) -> None:
        key = (name, tuple(labels.values()))
        course = self.courses.get(key)
        if course is None:
            host = {"host": self._host} if self._host else {}
            self.courses[key] = Course({**host, **labels}, name, [when], [value])
        else:
            course.add(when, value)
