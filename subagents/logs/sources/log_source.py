"""One file is one source of log events: blocks of lines become frames of events, every line accounted for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from subagents.contract import Coverage, Problem, SourceSpec, Window
from subagents.logs.sources.continuations import FRAME, continues
from subagents.logs.sources.json_lines import JsonColumns, JsonReader
from subagents.logs.sources.lines import Lines, split_lines
from subagents.logs.sources.reader import HOLD_BYTES, LONGEST_EVENT, Block, BlockReader
from subagents.logs.sources.stamp_reader import StampReader
from subagents.logs.sources.timestamps import moment

if TYPE_CHECKING:
    import polars as pl

_GENERIC_NAMES = frozenset(
    [
        "app",
        "application",
        "log",
        "logs",
        "output",
        "stdout",
        "stderr",
        "out",
        "messages",
        "syslog",
        "error",
        "errors",
        "access",
        "access_log",
        "incident",
        "console",
        "server",
        "system",
        "all",
        "main",
        "debug",
        "trace",
        "combined",
        "service",
        "current",
        "input",
        "stdin",
        "docker",
        "journal",
        "kubectl",
        "-",
    ]
)
_ACCESS = r'"(?:[A-Z]{3,8} )?([^ "?]*)[^"]*" ([1-5]\d\d) (?:\d+|-)'


@dataclass(frozen=True)
class Frame:
    """The events of one block, in file order.

    `events` has `start`, `size`, `lines` (where the raw bytes are), `t` (µs since 1970 UTC, null where unknown),
    `own` (it has its own stamp), `raw` (first line), `text` (without the stamp), `suffix` (what masking must
    not touch), `level`, `service`, `host`. `traces` has `event` (row), `frames`, `full`.
    """

    events: pl.DataFrame
    traces: pl.DataFrame
    extra: pl.DataFrame
    """Lines that continue an event: `event` (row), `raw`."""


@dataclass
class Tally:
    """What one pass over a source found, for its coverage."""

    lines: int = 0
    blank: int = 0
    events: int = 0
    stamped: int = 0
    json: int = 0
    text: int = 0
    first: int | None = None
    last: int | None = None
    problems: dict[str, Problem] = field(default_factory=dict)

    def trouble(self, key: str, problem: Problem) -> None:
        """Add a problem; the first place stays, the counts add up."""
        old = self.problems.get(key)
        self.problems[key] = old.model_copy(update={"count": old.count + problem.count}) if old else problem


@dataclass
class LogSource:
    """Reads one log file, lazily and as often as asked; keeps what it learnt about its layout."""

    spec: SourceSpec
    tally: Tally = field(default_factory=Tally)
    _stamps: StampReader = field(init=False)
    _json: JsonReader = field(default_factory=JsonReader)
    _json_stamps: StampReader = field(init=False)

    def __post_init__(self) -> None:
        hint = self._hint()
        self._stamps, self._json_stamps = StampReader(hint), StampReader(hint)

    @property
    def id(self) -> str:
        """The source's id, as citations write it."""
        return self.spec.id

    @property
    def path(self) -> Path:
        """Where the file is."""
        return Path(self.spec.path)

    @property
    def name(self) -> str:
        """What the person calls it."""
        return self.spec.origin or self.path.name

    @property
    def service(self) -> str | None:
        """Whose log it is, where the spec or the file's own name says so."""
        given = self.spec.options.get("service")
        if given:
            return given
        stem = self.path.name.split(".")[0].lower()
        return None if stem in _GENERIC_NAMES or not stem or stem.isdigit() else self.path.name.split(".")[0]

    @property
    def is_syslog(self) -> bool:
        """Say whether lines carry a syslog header after their time."""
        shapes = self._stamps.shapes
        return bool(shapes) and (shapes[0].kind.name.startswith("syslog") or self._stamps.has_priority)

    def frames(self) -> Iterator[Frame]:
        """Yield the events of the file block by block; an unreadable file is a problem, not an error."""
        self.tally = Tally()
        reader = BlockReader(self.path, self.name)
        last_time: int | None = None
        try:
            for block in reader.blocks():
                frame, held = self._frame(block, last_time)
                if held:
                    reader.hold(held)
                if frame is None:
                    continue
                times = frame.events["t"]
                last_time = times[-1] if times[-1] is not None else last_time
                yield frame
        except OSError as error:
            self.tally.trouble("open", _unreadable(self.name, error))
        if reader.problem is not None:
            self.tally.trouble("archive", reader.problem)

    def _frame(self, block: Block, last_time: int | None) -> tuple[Frame | None, bytes]:
        import numpy as np
        import polars as pl

        lines = split_lines(block, self.tally.lines, self.name, self.tally)
        columns = self._columns(lines)
        joined = continues(columns["body"], columns["stamped"])
        heads = np.flatnonzero(~joined.to_numpy())
        held = b""
        if not block.last and block.size == len(block.data) and len(heads) > 1:
            tail_at = int(lines.starts[heads[-1]]) - block.offset
            if len(block.data) - tail_at <= HOLD_BYTES and lines.count - heads[-1] < LONGEST_EVENT:
                held = block.data[tail_at:]
                keep = int(heads[-1])
                heads, lines = heads[:-1], lines.head(keep)
                columns, joined = columns.head(keep), joined.head(keep)
        if not len(heads):
            return None, held
        events = columns.filter(~joined).with_columns(
            start=pl.Series(lines.starts[heads], dtype=pl.Int64),
            size=pl.Series(np.diff(np.append(lines.starts[heads], lines.end)), dtype=pl.Int64),
            lines=pl.Series(np.diff(np.append(heads, lines.count)), dtype=pl.Int64),
            own=pl.col("t").is_not_null(),
        )
        filled = events["t"].forward_fill()
        if last_time is not None:
            filled = filled.fill_null(last_time)
        events = events.with_columns(t=filled).rename({"body": "text"})
        self._count(events, lines)
        return Frame(events, _traces(columns, joined), _extra(columns, joined)), held

    def _columns(self, lines: Lines) -> pl.DataFrame:
        """Return one row per line: raw, body (text), t, stamped, level, service, host, suffix, stack."""

        raw = lines.text
        looks_json = raw.str.contains(r"^\s*\{")
        share = int(looks_json.sum() or 0)
        if share == 0:
            times, bodies = self._stamps.read(raw)
            found = self._inner_json(bodies, times) if self._holds_json(bodies) else None
            columns = found if found is not None else self._plain(raw, bodies, times)
        else:
            columns = self._mixed(raw, looks_json, lines)
        return columns.with_columns(raw=raw)

    def _plain(self, raw: pl.Series, bodies: pl.Series, times: pl.Series) -> pl.DataFrame:
        import polars as pl

        columns = pl.DataFrame({"body": bodies, "t": times}).with_columns(
            stamped=pl.col("t").is_not_null(),
            level=pl.lit(None, pl.Int8),
            service=pl.lit(self.service, pl.String),
            host=pl.lit(None, pl.String),
            suffix=pl.lit(None, pl.String),
            stack=pl.lit(None, pl.String),
        )
        if any(shape.kind.name == "common log format" for shape in self._stamps.shapes):
            columns = _access_columns(columns, raw)
        return columns

    @staticmethod
    def _holds_json(bodies: pl.Series) -> bool:
        return bool(bodies.head(50).str.contains(r"^ ?\{.*\}$").any())

    def _inner_json(self, bodies: pl.Series, times: pl.Series) -> pl.DataFrame:
        """Lines whose text after the stamp is JSON: the collector's stamp, the program's fields."""
        import polars as pl

        columns = self._plain(bodies, bodies, times)
        rows = pl.arg_where(bodies.str.contains(r"^ ?\{"), eager=True)
        decoded = self._json.read(bodies.gather(rows).str.strip_chars().to_list())
        return self._overlay(columns, rows.gather(decoded.rows), decoded, keep_time=True)

    def _mixed(self, raw: pl.Series, looks_json: pl.Series, lines: Lines) -> pl.DataFrame:
        import polars as pl

        rows = pl.arg_where(looks_json, eager=True)
        decoded = self._json.read(raw.gather(rows).to_list() if rows.len() < raw.len() else raw.to_list())
        good = rows.gather(decoded.rows) if len(decoded.rows) < rows.len() else rows
        broken = rows.len() - good.len()
        if broken and decoded.rows:
            bad = rows.filter(~rows.is_in(good.implode()))
            self.tally.trouble(
                "json",
                Problem(
                    what="not valid JSON; kept as plain text",
                    where=f"{self.name}:{lines.first_line + int(bad[0])}",
                    count=broken,
                ),
            )
        if good.len() == raw.len():
            times, bodies = pl.Series([None], dtype=pl.Int64).new_from_index(0, raw.len()), raw
        else:
            is_text = pl.Series([True]).new_from_index(0, raw.len()).scatter(good, False)
            text_rows = pl.arg_where(is_text, eager=True)
            text_times, text_bodies = self._stamps.read(raw.gather(text_rows))
            empty = pl.Series([None], dtype=pl.Int64).new_from_index(0, raw.len())
            times, bodies = empty.scatter(text_rows, text_times), raw.scatter(text_rows, text_bodies)
        self.tally.json += good.len()
        return self._overlay(self._plain(raw, bodies, times), good, decoded, keep_time=False)

    def _overlay(
        self, columns: pl.DataFrame, rows: pl.Series, decoded: JsonColumns, *, keep_time: bool
    ) -> pl.DataFrame:
        import polars as pl

        service = pl.Series([value or self.service for value in decoded.service], dtype=pl.String)
        new: dict[str, pl.Series] = {
            "body": pl.Series(decoded.text, dtype=pl.String),
            "level": pl.Series(decoded.level, dtype=pl.Int8),
            "service": service,
            "host": pl.Series(decoded.host, dtype=pl.String),
            "suffix": pl.Series(decoded.suffix, dtype=pl.String),
            "stack": pl.Series(decoded.stack, dtype=pl.String),
        }
        if not keep_time:
            new["t"] = self._json_times(decoded)
            dated = pl.Series([True]).new_from_index(0, rows.len())
            new["stamped"] = dated
        if rows.len() == columns.height:
            return columns.with_columns(**new)
        return columns.with_columns(**{name: columns[name].scatter(rows, values) for name, values in new.items()})

    def _json_times(self, decoded: JsonColumns) -> pl.Series:
        import polars as pl

        values = decoded.time
        if all(isinstance(value, str) for value in values):
            return self._json_stamps.read(pl.Series(values, dtype=pl.String))[0]
        texts = [value if isinstance(value, str) else _epoch_text(value) for value in values]
        return self._json_stamps.read(pl.Series(texts, dtype=pl.String))[0]

    def _count(self, events: pl.DataFrame, lines: Lines) -> None:
        tally = self.tally
        tally.lines += lines.count
        tally.events += events.height
        tally.stamped += int(events["own"].sum())
        times = events["t"].filter(events["own"])
        if times.len():
            first, last = int(times.min()), int(times.max())  # type: ignore[arg-type]
            tally.first = first if tally.first is None else min(first, tally.first)
            tally.last = last if tally.last is None else max(last, tally.last)

    def coverage(self) -> Coverage:
        """Return what the last whole pass understood."""
        tally = self.tally
        span = None
        if tally.first is not None and tally.last is not None:
            span = Window(start=moment(tally.first), end=moment(tally.last + 1))
        return Coverage(
            source=self.id,
            kind="logs",
            items=tally.events,
            understood=tally.stamped,
            span=span,
            layout=self.layout(),
            problems=tuple(self._problems()),
        )

    def layout(self) -> str:
        """Return the file's layout in a few words."""
        parts = []
        if self.tally.json:
            parts.append("Docker JSON" if {"log", "stream"} <= self._json.names else "JSON lines")
        shapes: Counter[str] = Counter()
        for reader in (self._json_stamps, self._stamps):
            for shape, hits in reader.hits.items():
                shapes[shape.describe()] += hits
        parts.extend(name for name, _ in shapes.most_common(3))
        more = len(shapes) - 3
        return "; ".join(parts) + (f"; {more} more time layouts" if more > 0 else "") or "plain text, no time stamps"

    def _problems(self) -> Iterator[Problem]:
        yield from self.tally.problems.values()
        tally = self.tally
        hits = self._stamps.hits + self._json_stamps.hits
        if tally.events and not tally.stamped:
            yield Problem(
                what="no time stamps that warroom knows",
                where=self.name,
                lost="it cannot be placed on the incident's clock; it is still searched",
            )
        elif tally.stamped < tally.events:
            yield Problem(
                what="events without a time stamp of their own; taken at the time of the event before them",
                where=self.name,
                count=tally.events - tally.stamped,
            )
        yield from _zone_problems(self.name, hits)

    def _hint(self) -> datetime:
        try:
            return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)
        except OSError:
            return datetime(2000, 1, 1, tzinfo=UTC)


def _zone_problems(name: str, hits: Counter) -> Iterator[Problem]:  # type: ignore[type-arg]
    naive = sum(count for shape, count in hits.items() if shape.naive)
    zones = sorted(
        {shape.zone.strip() for shape in hits if shape.zone.strip()} - {"Z", "UTC", "GMT", "+00:00", "+0000"}
    )
    if naive:
        yield Problem(
            what="time stamps without a zone were taken as UTC",
            where=name,
            todo="if the host logs local time, compare with another source before trusting the order",
            count=naive,
        )
    if naive and zones:
        yield Problem(what=f"stamps with zone {', '.join(zones)} and stamps without a zone in one file", where=name)
    if any(not shape.kind.year and shape.kind.date for shape in hits):
        yield Problem(what="time stamps without a year; the year is taken from the file's date", where=name)
    if any(not shape.kind.date for shape in hits):
        yield Problem(what="time stamps without a date; the day is taken from the file's date", where=name)
    if any(shape.kind.name == "US or European date" for shape in hits):
        yield Problem(what="day and month are ambiguous; month first unless the first number is above 12", where=name)


def _epoch_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _unreadable(name: str, error: OSError) -> Problem:
    return Problem(
        what=f"cannot be read ({error.strerror or error})",
        where=name,
        lost="the whole file",
        todo="check its permissions",
    )


def _access_columns(columns: pl.DataFrame, raw: pl.Series) -> pl.DataFrame:
    """Access log lines: method and path are the text, the status decides the severity."""
    import polars as pl

    request = raw.str.extract(r'"([A-Z]{3,8} [^ "?]*)', 1)
    status = raw.str.extract(_ACCESS, 2).cast(pl.Int16, strict=False)
    path = pl.lit(request).str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*")
    code = pl.lit(status)
    level = pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8)
    found = code.is_not_null() & pl.lit(request).is_not_null()
    return columns.with_columns(
        body=pl.when(found).then(path).otherwise(pl.col("body")),
        level=pl.when(found).then(level).otherwise(pl.col("level")),
        suffix=pl.when(found).then(pl.lit(" status=") + code.cast(pl.String)).otherwise(pl.col("suffix")),
    )


def _extra(columns: pl.DataFrame, joined: pl.Series) -> pl.DataFrame:
    import polars as pl

    if not joined.any():
        return pl.DataFrame(schema={"event": pl.UInt32, "raw": pl.String})
    numbered = columns.select((~joined).cum_sum().alias("event").cast(pl.UInt32) - 1, "raw")
    return numbered.filter(joined)


def _traces(columns: pl.DataFrame, joined: pl.Series) -> pl.DataFrame:
    """Return the stack traces: which event row has one, its frame lines, its text."""
    import polars as pl

    empty = pl.DataFrame(schema={"event": pl.UInt32, "frames": pl.String, "full": pl.String})
    parts = []
    if joined.any():
        rows = columns.select("body").with_columns(joined=joined, event=(~joined).cum_sum() - 1)
        lines = rows.filter(pl.col("joined")).with_columns(frame=pl.col("body").str.contains(FRAME))
        framed = lines.filter("frame").group_by("event", maintain_order=True).agg(frames=pl.col("body").str.join("\n"))
        if framed.height:
            bodies = rows.filter(pl.col("event").is_in(framed["event"].implode()))
            full = bodies.group_by("event", maintain_order=True).agg(full=pl.col("body").str.join("\n"))
            parts.append(framed.join(full, on="event").select(pl.col("event").cast(pl.UInt32), "frames", "full"))
    heads = columns.filter(~joined)
    told = heads.select(
        event=pl.int_range(pl.len(), dtype=pl.UInt32),
        body="body",
        stack=pl.coalesce(
            "stack",
            pl.when(pl.col("level").is_not_null() & pl.col("body").str.contains("\n", literal=True)).then("body"),
        ),
    ).filter(pl.col("stack").is_not_null())
    if told.height:
        full = (
            pl.when(pl.col("body").str.contains(pl.col("stack"), literal=True))
            .then(pl.col("body"))
            .otherwise(pl.col("body") + "\n" + pl.col("stack"))
        )
        parts.append(told.select("event", frames="stack", full=full))
    return pl.concat(parts) if parts else empty
