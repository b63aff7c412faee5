"""What a search of the logs found, as rows: how many first, when they were, then the events. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.views.log_query import LogQuery
from tui.views.paint import Line, Ref, Row, Tone, flat, line
from tui.views.spark import BARS

if TYPE_CHECKING:
    from subagents.logs.model import LogLine, LogsContext, LogsSearch, Timeline

MORE = "more"
"""Key of the row that loads what comes next."""
_LEVEL_TONES: Mapping[str, Tone] = {"fatal": "bad", "error": "bad", "warn": "warn"}
_FIELD = re.compile(r"(\w+)=(\S+)")
_FILTER = re.compile(r"(?<!\S)(service|level|source)=(\S+)", re.IGNORECASE)
_SERVICES = 6
_SERVICE_CELLS = 20
_MESSAGE = 2000


def counted(data: LogsSearch) -> Line:
    """Return how many match of how many, when, and of which services."""
    if not data.scanned:
        return line(("there are no log events to search", "warn"), (": + in the war room attaches logs", "dim"))
    if not data.matches:
        return line(
            ("nothing matches", "warn"), (f" among {_events(data.scanned)}", "plain"), ("; l changes it", "dim")
        )
    by_service = ", ".join(_service(one.service, one.count, one.errors) for one in data.services[:_SERVICES])
    more = f", {len(data.services) - _SERVICES} more" if len(data.services) > _SERVICES else ""
    return line(
        (f"{data.matches:,}", "strong"),
        f" of {_events(data.scanned)} match{'es' if data.matches == 1 else ''}",
        (f"  {_span(data.first, data.last)}", "plain"),
        (f"  {by_service}{more}" if by_service else "", "dim"),
    )


def _events(count: int) -> str:
    return f"{count:,} event{'' if count == 1 else 's'}"


def _service(name: str, count: int, errors: int) -> str:
    return f"{flat(name)} {count:,}" + (
        f" ({errors:,} error{'' if errors == 1 else 's'})" if 0 < errors < count else ""
    )


def _span(first: datetime | None, last: datetime | None) -> str:
    if first is None or last is None:
        return "none with a time"
    if first == last:
        return f"at {first:%Y-%m-%d %H:%M:%S} UTC"
    day = "" if first.date() == last.date() else "%Y-%m-%d "
    return f"{first:%Y-%m-%d %H:%M:%S} to {last.strftime(day + '%H:%M:%S')} UTC"


def why_nothing(query: LogQuery, data: LogsSearch) -> Line:
    """Return why nothing may have been found: which services there are, how a field is written, where the events are.

    Templates tell the status of a record as `status=503`, and a person may ask for what they read.
    """
    if data.matches:
        return ()
    if data.there:
        return line(("there are: ", "dim"), (flat(", ".join(data.there)), "plain"))
    if meant := _FILTER.search(query.text):
        asked = flat(f"{meant[1].lower()}:{meant[2]}")
        return line(("that was looked for as a text; ", "dim"), (asked, "plain"), (" asks for it", "dim"))
    field = _FIELD.fullmatch(query.text)
    if field and query.start is None and query.end is None:
        written = f'"{field[1]}":{field[2]}'
        return line(("a field of a JSON record is written ", "dim"), (written, "plain"), (" in its line", "dim"))
    span = data.span
    return line((f"the events are of {_span(span.start, span.end)}", "dim")) if span is not None else ()


def bars(timeline: Timeline | None, width: int) -> Line:
    """Return the counts over time as one row of bars, with what one bar is and where the highest is."""
    if timeline is None or len(timeline.counts) < 2:
        return ()
    said = 46
    room = max(10, min(len(timeline.counts), width - said))
    together = -(-len(timeline.counts) // room)
    sums = [sum(timeline.counts[at : at + together]) for at in range(0, len(timeline.counts), together)]
    most, seconds = max(sums), timeline.bucket_seconds * together
    drawn = "".join(" " if not count else BARS[(count * (len(BARS) - 1)) // most] for count in sums)
    from datetime import timedelta

    top = timeline.start + timedelta(seconds=sums.index(most) * seconds)
    day = "%m-%d %H:%M" if len(sums) * seconds > 86_400 else "%H:%M"
    return line(
        (f"{timeline.start.strftime(day)} ", "dim"),
        ("│", "dim"),
        (drawn, "accent"),
        ("│", "dim"),
        (f" per {_length(seconds)}, most {most:,} at {top.strftime(day)}", "dim"),
    )


def _length(seconds: int) -> str:
    for unit, size in (("day", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= size and not seconds % size:
            return unit if seconds == size else f"{seconds // size} {unit}"
    return f"{seconds} s"


def event_row(event: LogLine, stamp: str, around: LogsContext | None = None) -> Row:
    """Return an event as a row; below it, unfolded, its text as it stands, or the lines around it."""
    level = "" if event.level == "unknown" else event.level
    service = f"{flat(event.service)[:_SERVICE_CELLS]} " if event.service else ""
    status = f"status {event.by_status} " if event.by_status else ""
    words = line(
        (f"{event.at.strftime(stamp)[:-3]} " if event.at is not None else "no time ", "dim"),
        (f"{level:<5} ", _LEVEL_TONES.get(level, "dim")),
        (service, "accent"),
        (status, "bad"),
        (flat(event.message or event.text)[:_MESSAGE], "plain"),
    )
    below = _around(around) if around is not None else tuple(line(one) for one in event.text.split("\n"))
    why = f"an error by its status {event.by_status}, whatever level its text names" if event.by_status else ""
    told = (line((why, "warn")),) * bool(why)
    return Row(event.citation, words, (*told, *below, line((event.citation, "dim"))), Ref("citation", event.citation))


def early_row(citation: str, text: str) -> Row:
    """Return a match as a row while the search goes on: as it stands in its file, and it opens."""
    first, *rest = text.split("\n")
    below = (*(line(one) for one in (first, *rest)), line((citation, "dim")))
    return Row(citation, line((flat(first)[:_MESSAGE], "plain")), below, Ref("citation", citation))


def _around(found: LogsContext) -> tuple[Line, ...]:
    cited = range(found.cited_from, found.cited_from + found.cited_lines)
    return tuple(
        line(("> " if at in cited else "  ", "accent"), (text, "strong" if at in cited else "plain"))
        for at, text in enumerate(found.lines)
    )


def stamp_of(events: Sequence[LogLine]) -> str:
    """Return how times are written: with the day where the events are of several."""
    days = {event.at.date() for event in events if event.at is not None}
    return "%m-%d %H:%M:%S.%f" if len(days) > 1 else "%H:%M:%S.%f"


def more_row(more: int, page: int) -> Row:
    """Return the row that stands for what was not loaded."""
    return Row(MORE, line((f"… {more:,} more: ", "dim"), ("enter", "accent"), (f" loads {min(page, more):,}", "dim")))
