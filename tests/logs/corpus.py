"""Log lines as real systems print them, one file per layout in `layouts/`, with what a person reads in each.

A file holds the lines, `====`, and for each event `time | severity | service | host | lines`, some with what the
message begins with behind another bar; `-` says that it does not tell. Files are read as if last written on 26 November
2026 at 13:00 UTC, or when `file date` says.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from subagents.contract import SourceSpec
from subagents.logs.heads import head_of
from subagents.logs.levels import LEVELS, UNKNOWN
from subagents.logs.search import resolved
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.timestamps import moment
from tests.logs.builders import write

FOLDER = Path(__file__).with_name("layouts")


@dataclass(frozen=True)
class Layout:
    """One file of lines and what its events are."""

    name: str
    text: str
    events: tuple[str, ...]
    messages: tuple[str, ...]
    """What the message of each begins with; empty where that is not said."""
    file_date: str

    def kind(self) -> tuple[bool, ...]:
        """Say whether its lines begin with words, what its events tell, and whether some have several lines."""
        told = [event.split(" | ") for event in self.events]
        said = (any(parts[place] != "-" for parts in told) for place in (0, 2, 3))
        return self.text.lstrip()[:1] in '{[<"', *said, any(parts[4] != "1" for parts in told)

    def write(self, folder: Path, name: str = "app.log") -> SourceSpec:
        """Write the lines into a folder and return the spec of the source."""
        spec = write(folder, name, self.text)
        seconds = datetime.fromisoformat(self.file_date).timestamp()
        os.utime(spec.path, (seconds, seconds))
        return spec


def layouts() -> list[Layout]:
    """Return all layouts, by name."""
    return [_layout(path) for path in sorted(FOLDER.glob("*.txt"))]


def _layout(path: Path) -> Layout:
    text, _, expected = path.read_text(encoding="utf-8").partition("====\n")
    lines = expected.splitlines()
    date = "2026-11-26T13:00:00Z"
    if lines[0].startswith("file date "):
        date = lines.pop(0).removeprefix("file date ")
    parts = [[part.strip() for part in line.split(" | ", 5)] for line in lines]
    messages = tuple("".join(part[5:]) for part in parts)
    return Layout(path.stem, text, tuple(" | ".join(part[:5]) for part in parts), messages, date)


def seen(spec: SourceSpec) -> tuple[LogSource, list[Frame], list[str], list[str]]:
    """Read a source; return what was read, its events written down as a layout's file does, and their messages."""
    source = LogSource(spec)
    events, messages, frames = [], [], list(source.frames())
    for frame in frames:
        for row in resolved(frame.events).iter_rows(named=True):
            at = "-"
            if row["own"]:
                at = moment(row["t"]).isoformat().removesuffix("+00:00")
                at = at.rstrip("0") if "." in at else at
            level, service, host = LEVELS[row["severity"]], row["service"] or "-", row["host"] or "-"
            events.append(f"{at} | {level} | {service} | {host} | {row['lines']}")
            messages.append(" ".join(head_of(row["text"], row["level"] or UNKNOWN)[1].split()))
    return source, frames, events, messages
