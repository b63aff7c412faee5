"""What recorders of one host write, each in sections or columns of its own: nmon, dstat and collectl."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from subagents.metrics.sources.courses import Course
from subagents.metrics.sources.naming import Labels

_DSTAT = re.compile(r"\"(?:pcp-)?dstat [^\"]* CSV output\"", re.IGNORECASE)
_TOLD = {
    "nmon": re.compile(r"AAA,(progname|command|version|host),"),
    "dstat": _DSTAT,
    "collectl": re.compile(r"#\s*Collectl:\s+V?\d", re.IGNORECASE),
}
"""By what each names itself."""
RECORDERS = tuple(_TOLD)
_TICK = re.compile(r"T\d{4,}")
_DAY = re.compile(r"(\d\d)-(\d\d) (\d\d:\d\d:\d\d)")
_DATED = ("%d %b %Y", "%d-%b-%Y")
_WORDS = {
    "idl": "idle",
    "wai": "iowait",
    "Wait%": "IOwait%",
    "memfree": "free",
    "memtotal": "total",
    "swapfree": "swap free",
}
"""Short names as what they stand for."""
_LISTS = ("TOP", "UARG")
"""Sections of nmon that list processes."""
PROBED = 12
"""Lines at the top among which a recorder names itself."""


def recorder_of(text: str) -> str:
    """Return which recorder wrote a text by its first lines; empty where none of them did."""
    for line in text.splitlines()[:PROBED]:
        for name, told in _TOLD.items():
            if told.match(line):
                return name
    return ""


@dataclass
class Recording:
    """What the lines of such a text hold, line by line."""

    courses: dict[str, Course] = field(default_factory=dict)
    bad: list[int] = field(default_factory=list)
    """Lines that are none of its form, or that stand before any time."""
    zone_told: bool = False
    _host: str = ""
    _when: str = ""
    _day: str = ""
    _year: tuple[int, int] = (0, 0)
    """The year and the month in which it began."""
    _zone: str = ""
    _names: dict[str, Sequence[str]] = field(default_factory=dict)
    """By section what its columns are called."""
    _above: Sequence[str] = ()

    def read(self, lines: Iterator[tuple[int, str]], recorder: str) -> None:
        """Take in numbered lines."""
        takes: dict[str, Callable[[str], bool]] = {"nmon": self._nmon, "dstat": self._dstat, "collectl": self._collectl}
        take = takes[recorder]
        for number, line in lines:
            if line.strip() and not take(line.strip("\ufeff\r\n ")):
                self.bad.append(number)

    def _nmon(self, line: str) -> bool:
        section, *cells = _cells(line)
        if section == "AAA" or section.startswith("BBB"):
            self._host = cells[1] if cells[:1] == ["host"] and len(cells) > 1 else self._host
        elif section == "ZZZZ" and len(cells) > 1:
            self._day = cells[2] if len(cells) > 2 else self._day
            self._when = f"{self._day} {cells[1]}"
        elif cells and _TICK.fullmatch(cells[0]):
            names = self._names.get(section)
            if names is None or len(cells) > len(names) + 1 or not self._when:
                return section in _LISTS
            self._add([f"{section} {_WORDS.get(name, name)}" for name in names], cells[1:])
        elif section not in _LISTS:
            self._names[section] = cells[1:]
        return True

    def _dstat(self, line: str) -> bool:
        cells = _cells(line)
        if cells[0] in ("Host:", "Author:", "Cmdline:") or _DSTAT.match(line):
            self._host = cells[1] if cells[0] == "Host:" and len(cells) > 1 else self._host
            self._year = _begun(cells[cells.index("Date:") + 1 :]) if "Date:" in cells else self._year
        elif "time" in cells or "epoch" in cells:
            groups = self._above if len(self._above) == len(cells) else [""] * len(cells)
            self._names["dstat"] = [
                f"{group} {_WORDS.get(name, name)}".strip() for group, name in zip(groups, cells, strict=True)
            ]
        elif not any(map(str.isdigit, cells[0])):
            self._above = _carried(cells)
        else:
            return self._dstat_row(cells)
        return True

    def _dstat_row(self, cells: list[str]) -> bool:
        names = self._names.get("dstat", ())
        at = next((place for place, name in enumerate(names) if name.split()[-1:] in (["time"], ["epoch"])), None)
        if at is None or len(cells) != len(names):
            return False
        day = _DAY.fullmatch(cells[at])
        if day:
            year = self._year[0] + (int(day[2]) < self._year[1])
            self._when = f"{year}-{day[2]}-{day[1]} {day[3]}"
        else:
            self._when = cells[at]
        rest = [place for place in range(len(names)) if place != at]
        self._add([names[place] for place in rest], [cells[place] for place in rest])
        return True

    def _collectl(self, line: str) -> bool:
        if line.startswith("#Date"):
            self._names["collectl"] = [name.replace("]Wait%", "]IOwait%") for name in re.split(r"[ ,]+", line)[2:]]
            return True
        if line.startswith("#"):
            host, zone = re.search(r"Host:\s+(\S+)", line), re.search(r"TZ:\s+([+-]\d{4})", line)
            self._host, self._zone = host[1] if host else self._host, zone[1] if zone else self._zone
            self.zone_told = bool(self._zone)
            return True
        names, cells = self._names.get("collectl", ()), re.split(r"[ ,]+", line)
        if len(cells) != len(names) + 2 or len(cells[0]) != 8:
            return False
        day = cells[0]
        self._when = f"{day[:4]}-{day[4:6]}-{day[6:]}T{cells[1]}{self._zone}"
        self._add(names, cells[2:])
        return True

    def _add(self, names: Sequence[str], cells: Sequence[str]) -> None:
        """Add a row of numbers; what is empty is left out."""
        labels: Labels = {"host": self._host} if self._host else {}
        for name, cell in zip(names, cells, strict=False):
            if not cell or not name:
                continue
            course = self.courses.get(name)
            if course is None:
                self.courses[name] = Course(dict(labels), name, [self._when], [cell])
            else:
                course.add(self._when, cell)


def _cells(line: str) -> list[str]:
    try:
        return [cell.strip() for cell in next(csv.reader([line]), [])] or [""]
    except csv.Error:
        return [line]


def _carried(cells: Sequence[str]) -> list[str]:
    """Return the groups of columns, each over all of its columns."""
    carried: list[str] = []
    for cell in cells:
        carried.append(cell or (carried[-1] if carried else ""))
    return carried


def _begun(cells: Sequence[str]) -> tuple[int, int]:
    """Return the year and the month of `01 Mar 2026 12:00:00 UTC`; zeros where it is no date."""
    for form in _DATED:
        try:
            day = datetime.strptime(" ".join("".join(cells[:1]).split()[:3]), form)
        except ValueError:
            continue
        return day.year, day.month
    return 0, 0
