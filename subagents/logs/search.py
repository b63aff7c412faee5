"""Reading through the files: search by text, regex, service, severity and time, and the values of a field."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subagents.contract import ToolContext, ToolError, Window
from subagents.logs.heads import head_of
from subagents.logs.levels import ERROR, LEVELS, UNKNOWN, sounds_bad
from subagents.logs.log_set import LogSet, Place
from subagents.logs.needles import RECORD_WITHIN, check_regex, needles
from subagents.logs.patterns import mask
from subagents.logs.so_far import events_in_words, frames_of, last_lines
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.json_fields import field_of, flatten
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.timestamps import microseconds

if TYPE_CHECKING:
    import polars as pl

SHOWN_CHARS = 1000
MAX_VALUES = 50_000
MICROSECONDS = 1_000_000
MAX_MINUTES = 50_000
"""Counts of minutes that are held; where they are more, they become hours."""
EARLY = 30
EARLY_CHARS = 400
"""Matches, and characters of each, that are shown before all files are read."""
MERGED_LINES = 20_000
"""How deep the lines of several files can be paged through: as many are held, to be put in order."""


@dataclass(frozen=True)
class Filters:
    """What an event must have to match; every filter that is given."""

    text: str | None = None
    regex: str | None = None
    service: str | None = None
    level: str | None = None
    window: Window | None = None
    source: str | None = None

    @property
    def least(self) -> int:
        """The lowest severity wanted."""
        if self.level is None:
            return UNKNOWN
        if self.level not in LEVELS:
            raise ToolError(f"no level {self.level!r}; one of {', '.join(LEVELS[1:])}")
        return LEVELS.index(self.level)


@dataclass
class Matches:
    """What a search found."""

    total: int = 0
    scanned: int = 0
    undated: int = 0
    first: int | None = None
    last: int | None = None
    services: Counter[str] = field(default_factory=Counter)
    errors: Counter[str] = field(default_factory=Counter)
    rows: list[dict[str, Any]] = field(default_factory=list)
    counts: Counter[int] = field(default_factory=Counter)
    """Matches by the minute, or by the hour where they go over weeks."""
    grain: int = 60
    """Seconds of one count."""
    there: Counter[str] = field(default_factory=Counter)
    """Services of the events that were looked at, while none was of the one asked for."""
    span: tuple[int, int] | None = None
    """The times of the events that were looked at, in µs."""
    early: list[tuple[Place, str]] = field(default_factory=list)
    """The first that were met, whatever their order will be: what a person is shown while the rest is read."""

    def meet(self, place: int, events: pl.DataFrame) -> None:
        """Take note of the first matches of a block."""
        if len(self.early) < EARLY:
            known = {each for each, _ in self.early}
            for start, lines, raw in events.select("start", "lines", "raw").head(EARLY).iter_rows():
                if (met := Place(place, start, lines)) not in known and len(self.early) < EARLY:
                    self.early.append((met, raw[:EARLY_CHARS]))

    def look_at(self, events: pl.DataFrame, service: str | None) -> None:
        """Take note of what a block holds before it is searched: it is what an empty answer has to say."""
        self.scanned += events.height
        low, high = events["t"].min(), events["t"].max()
        if isinstance(low, int) and isinstance(high, int):
            first, last = self.span or (low, high)
            self.span = min(first, low), max(last, high)
        if service is not None and not self.total:
            for name, count in events["service"].drop_nulls().value_counts().iter_rows():
                self.there[name] += count


def chosen_sources(logs: LogSet, source: str | None) -> list[tuple[int, LogSource]]:
    """Return the sources to read, with their places in the set."""
    if source is not None:
        wanted = logs.by_id(source)
        return [(logs.sources.index(wanted), wanted)]
    return list(enumerate(logs.sources))


def matching(
    logs: LogSet, filters: Filters, context: ToolContext, found: Matches | None = None
) -> Iterator[tuple[int, pl.DataFrame]]:
    """Yield (source place, matching events with `severity` and `service`) by block; `found` notes what is read."""
    if filters.regex is not None:
        check_regex(filters.regex)
    least = filters.least
    matched = scanned = 0

    def so_far() -> str:
        return f"{matched:,} of {events_in_words(scanned)} match"

    def early() -> tuple[tuple[str, str], ...]:
        return () if found is None else tuple((logs.ref(place), raw) for place, raw in found.early)

    ends: set[int] = set()
    for place, source, frame in frames_of(chosen_sources(logs, filters.source), context, so_far, early):
        if found is not None:
            found.look_at(frame.events, filters.service)
        events = _of_frame(frame, filters, least)
        matched, scanned = matched + events.height, scanned + frame.events.height
        if found is not None:
            if place not in ends:  # its layout is known by now
                ends.add(place)
                found.meet(place, events.head(EARLY // 2))
                found.meet(place, _at_end(source, filters, least, like=events))
            found.meet(place, events)
        yield place, events


def _of_frame(frame: Frame, filters: Filters, least: int) -> pl.DataFrame:
    events = resolved(_filtered(frame, filters))
    if least == UNKNOWN:
        return events
    return events.filter((events["severity"] >= least) | (events["by_words"] & (least <= ERROR)))


def _at_end(source: LogSource, filters: Filters, least: int, like: pl.DataFrame) -> pl.DataFrame:
    """Return the last matches at the end of a large file, where an incident mostly is; none where it cannot be read."""
    try:
        byte, lines = last_lines(source)
        if not lines:
            return like.clear()
        frame = source.reread(byte, lines)
    except (OSError, ToolError):
        return like.clear()
    return _of_frame(frame, filters, least).tail(EARLY // 2)


def _filtered(frame: Frame, filters: Filters) -> pl.DataFrame:
    import polars as pl

    events = frame.events.with_row_index("row")
    if filters.window is not None:
        start, end = microseconds(filters.window.start), microseconds(filters.window.end)
        events = events.filter((pl.col("t") >= start) & (pl.col("t") < end))
    if filters.service is not None:
        events = events.filter(pl.col("service") == filters.service)
    for needle in needles(filters.text, filters.regex):
        hit = needle(events["raw"])
        if frame.extra.height:
            rows = frame.extra.filter(needle(frame.extra["raw"]))["event"].unique()
            hit = hit | events["row"].is_in(rows.implode())
        events = events.filter(hit)
    return events


def resolved(events: pl.DataFrame) -> pl.DataFrame:
    """Add `severity` and `by_words`: read once from each distinct masked head."""
    import polars as pl

    events = events.with_columns(head=mask(pl.col("text").str.slice(0, 200)))
    keys = events.select("head", "level").unique()
    heads = [head_of(key, level or UNKNOWN) for key, level in keys.iter_rows()]
    found = keys.with_columns(
        severity=pl.Series([level for level, _ in heads], dtype=pl.Int8),
        by_words=pl.Series([level == UNKNOWN and sounds_bad(text) for level, text in heads], dtype=pl.Boolean),
    )
    return events.join(found, on=["head", "level"], how="left", nulls_equal=True, maintain_order="left").drop("head")


def search(logs: LogSet, filters: Filters, skip: int, limit: int, context: ToolContext) -> Matches:
    """Count all matches and keep the lines from `skip` on: of one file as they stand, of several by their times."""
    found = Matches()
    several = len(chosen_sources(logs, filters.source)) > 1
    if several and skip + limit > MERGED_LINES:
        raise ToolError(f"more than {MERGED_LINES} lines of several files: give a time, a service or one source")
    earliest: list[pl.DataFrame] = []
    for place, events in matching(logs, filters, context, found):
        if not events.height:
            continue
        _count(found, events)
        if several:
            earliest = [_earliest([*earliest, _place_in(events, place)], skip + limit)]
            continue
        wanted_from = max(0, skip - (found.total - events.height))
        room = limit - len(found.rows)
        if room > 0 and wanted_from < events.height:
            _keep(found, _place_in(events.slice(wanted_from, room), place))
    for rows in earliest:
        _keep(found, rows.slice(skip))
    return found


def _place_in(events: pl.DataFrame, place: int) -> pl.DataFrame:
    import polars as pl

    said = pl.col("text").str.slice(0, SHOWN_CHARS)
    columns = events.select("t", "start", "lines", "severity", "level", "service", "raw", said)
    return columns.with_columns(source=pl.lit(place, pl.UInt16))


def _earliest(parts: list[pl.DataFrame], count: int) -> pl.DataFrame:
    """Return the first events by time; those without one come last, those of one moment as they stand."""
    import polars as pl

    return pl.concat(parts).sort("t", "source", "start", nulls_last=True).head(count)


def _keep(found: Matches, rows: pl.DataFrame) -> None:
    for row in rows.iter_rows(named=True):
        found.rows.append({**row, "place": Place(row["source"], row["start"], row["lines"])})


def _count(found: Matches, events: pl.DataFrame) -> None:
    import polars as pl

    found.total += events.height
    times = events["t"].drop_nulls()
    found.undated += events.height - times.len()
    if times.len():
        low, high = int(times.min()), int(times.max())  # type: ignore[arg-type]
        found.first = low if found.first is None else min(low, found.first)
        found.last = high if found.last is None else max(high, found.last)
        _count_times(found, times)
    groups = events.drop_nulls("service").group_by("service")
    severe = (pl.col("severity") >= ERROR) | pl.col("by_words")
    for service, count, errors in groups.agg(pl.len(), severe.sum().alias("errors")).iter_rows():
        found.services[service] += count
        found.errors[service] += errors


def _count_times(found: Matches, times: pl.Series) -> None:
    by_grain = (times // (found.grain * MICROSECONDS)).value_counts()
    for place, count in by_grain.iter_rows():
        found.counts[place] += count
    while len(found.counts) > MAX_MINUTES:
        coarser: Counter[int] = Counter()
        for place, count in found.counts.items():
            coarser[place // 60] += count
        found.counts, found.grain = coarser, found.grain * 60


@dataclass
class Values:
    """The values of a field."""

    events: int = 0
    with_field: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    places: dict[str, Place] = field(default_factory=dict)
    fields: Counter[str] = field(default_factory=Counter)


def distinct(logs: LogSet, filters: Filters, name: str, context: ToolContext) -> Values:
    """Count the values of `service`, `host`, `level`, `source`, a JSON field (dotted path) or a `key=` in text."""
    found = Values()
    for place, events in matching(logs, filters, context):
        found.events += events.height
        values = _values(events, name, logs.sources[place].id, found.fields)
        for row, value in enumerate(values):
            if value is None:
                continue
            found.with_field += 1
            if value in found.counts or len(found.counts) < MAX_VALUES:
                found.counts[value] += 1
                if value not in found.places:
                    found.places[value] = Place(place, int(events["start"][row]), int(events["lines"][row]))
    return found


def _values(events: pl.DataFrame, name: str, source: str, fields: Counter[str]) -> list[str | None]:
    if name in ("service", "host"):
        known: list[str | None] = events[name].to_list()
        if any(value is not None for value in known):
            return known
    if name == "level":
        return [LEVELS[level] for level in events["severity"].to_list()]
    if name == "source":
        return [source] * events.height
    return [_field(line, name, fields) for line in events["raw"].to_list()]


def _field(line: str, name: str, fields: Counter[str]) -> str | None:
    start = line.find("{")
    if 0 <= start < RECORD_WITHIN:
        record = _record(line[start:])
        if record is not None:
            if len(fields) < 200:
                fields.update(flatten(record).keys())
            value = field_of(record, name)
            return None if value is None else value if isinstance(value, str) else json.dumps(value)
    return _key_value(line, name)


def _record(text: str) -> dict[str, Any] | None:
    """Read a JSON object; a program's own, where a container runtime wrapped it, with what the runtime added."""
    try:
        record = json.loads(text)
        if isinstance(record, dict) and isinstance(inner := record.get("log"), str) and inner[:1] == "{":
            own = json.loads(inner)
            record = {**record, **own} if isinstance(own, dict) else record
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def _key_value(line: str, name: str) -> str | None:
    place = line.find(name + "=")
    while place > 0 and (line[place - 1].isalnum() or line[place - 1] in "_.-"):
        place = line.find(name + "=", place + 1)
    if place < 0:
        return None
    rest = line[place + len(name) + 1 :]
    if rest.startswith('"'):
        return rest[1:].partition('"')[0]
    return rest.split(None, 1)[0].rstrip(",;)]") if rest.strip() else ""
