"""Lines of a block as columns: time, text, severity, service, host; from text layouts and JSON alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from subagents.contract import Problem
from subagents.logs.native import NOT_LOOKED
from subagents.logs.sources import pieces
from subagents.logs.sources.access import AccessReader
from subagents.logs.sources.headers import HeaderReader, with_priorities
from subagents.logs.sources.json_lines import OBJECT, JsonColumns, JsonReader
from subagents.logs.sources.lines import Lines, Troubles
from subagents.logs.sources.origins import Origin, OriginReader
from subagents.logs.sources.repeats import RepeatReader
from subagents.logs.sources.samples import SPREAD, some_of
from subagents.logs.sources.spread import SpreadReader
from subagents.logs.sources.stamp_reader import Seen, StampReader
from subagents.logs.sources.stanzas import StanzaReader
from subagents.logs.sources.statuses import StatusReader
from subagents.logs.sources.tables import TableReader
from subagents.logs.sources.timestamps import Shape
from subagents.logs.sources.xml_events import XmlEventReader

if TYPE_CHECKING:
    import polars as pl


Counts = tuple[Counter[Shape], Counter[Shape], int]


@dataclass
class ColumnReader:
    """Reads the columns of one file's lines; learns its layouts as it goes."""

    name: str
    service: str | None
    stamps: StampReader
    json_stamps: StampReader
    json: JsonReader = field(default_factory=JsonReader)
    origins: OriginReader = field(default_factory=OriginReader)
    headers: HeaderReader = field(default_factory=HeaderReader)
    access: AccessReader = field(default_factory=AccessReader)
    statuses: StatusReader = field(default_factory=StatusReader)
    repeats: RepeatReader = field(default_factory=RepeatReader)
    spread: SpreadReader = field(default_factory=SpreadReader)
    stanzas: StanzaReader = field(default_factory=StanzaReader)
    tables: TableReader = field(default_factory=TableReader)
    xml_events: XmlEventReader = field(default_factory=XmlEventReader)
    json_events: int = 0

    def as_learnt(self, *, doubts: bool = False) -> ColumnReader:
        """Return a reader with the layouts learnt so far; what it learns itself changes nothing here.

        One that `doubts` takes for more than a line what with other numbers might be another (`JsonReader.doubts`).
        """
        return replace(
            self,
            stamps=self.stamps.as_learnt(),
            json_stamps=self.json_stamps.as_learnt(),
            json=self.json.as_learnt(doubts=doubts),
            origins=self.origins.as_learnt(),
            headers=replace(self.headers, settled=True),
            access=replace(self.access, settled=True),
            statuses=replace(self.statuses, settled=True),
            repeats=replace(self.repeats),
            spread=replace(self.spread, settled=True),
            stanzas=replace(self.stanzas, settled=True),
            tables=replace(self.tables, settled=True),
            xml_events=replace(self.xml_events, settled=True),
        )

    @property
    def is_plain(self) -> bool:
        """Say whether stamp and first words decide what a line says beside its text, if it is no request or object."""
        headers = self.headers
        told = headers.service_key or headers.spring or headers.labels or headers.hidden_levels or self.access.columns
        return self.is_by_line and not told and not self.repeats.stands

    @property
    def is_by_line(self) -> bool:
        """Say whether a line says what it says whatever stands beside it, unless it is part of a trace."""
        apart = self.spread.indent >= 0 or self.stanzas.stands or self.tables.places or self.xml_events.stands
        return not apart

    def layouts(self) -> object:
        """Return what the reading of a line depends on, but for the shapes of stamps."""
        headers = self.headers
        return (
            frozenset(self.origins.forms),
            (headers.iso_syslog, headers.service_key, headers.spring, headers.labels, headers.digits),
            (headers.hidden_levels, headers.wrapped_hidden),
            self._request_forms(),
            tuple(_names_of(self.json)),
        )

    def learn_requests(self, lines: Sequence[str] | pl.Series) -> None:
        """Look at lines for forms of requests, and for statuses."""
        self.access.learn(lines)
        self.statuses.learn(lines)

    def has_status(self, lines: pl.Series) -> Any:
        """Say which lines have the status of a request (numpy bool)."""
        return self.access.has_status(lines) | self.statuses.has_one(lines)

    def counts(self) -> Counts:
        """Return how many lines had which stamp until now, and how many were JSON."""
        return Counter(self.stamps.hits), Counter(self.json_stamps.hits), self.json_events

    def count_from(self, counts: Counts) -> None:
        """Go back to such counts: what was read since is read again."""
        self.stamps.hits, self.json_stamps.hits, self.json_events = counts

    def uncount(self, lines: Lines, troubles: Troubles) -> None:
        """Take lines that were just read out of the counts: they are to be read again."""
        probe = self.as_learnt()
        probe.read(lines, troubles)
        self.stamps.hits.subtract(probe.stamps.hits - self.stamps.hits)
        self.json_stamps.hits.subtract(probe.json_stamps.hits - self.json_stamps.hits)
        self.json_events -= probe.json_events - self.json_events

    def read(self, lines: Lines, troubles: Troubles) -> pl.DataFrame:
        """Return one row per line: raw, body (text), t, stamped, level, service, host, suffix, stack, glued, spaced.

        `glued` says that a line is the rest of the one before it, which has the text of both; `spaced`, that `body`
        still has the space that stood between stamp and text.
        """
        spread = self.spread.read(lines.text)
        raw = lines.text if spread is None else spread[0]
        origin = self.origins.read(raw)
        text = origin.text if origin is not None else raw
        looks_json = text.str.contains(OBJECT)
        share = int(looks_json.sum() or 0)
        structured = origin.structured if origin is not None else None
        seen = _seen(lines, text)
        if self.tables.stands_in(text):
            columns = self._with_inner_json(self.tables.read(self._undated(text), text, self.json_stamps))
        elif share == 0:
            columns = self._text(text, structured, seen, whole=lines.whole)
        else:
            columns = self._mixed(looks_json, replace(lines, seen=seen), troubles, text, structured)
        if origin is not None:
            columns = _with_origin(columns, origin)
        if spread is not None:
            columns = columns.with_columns_seq(glued=columns["glued"] | spread[1])
            raw = lines.text.zip_with(spread[1], raw)
        return columns.with_columns_seq(raw=_with_second_lines(columns, raw))

    def _text(self, text: pl.Series, structured: pl.Series | None, seen: Seen | None, *, whole: bool) -> pl.DataFrame:
        times, bodies = self.stamps.read(text, seen)
        bodies, glued = pieces.without_stream(bodies)
        stamped = times.is_not_null()
        if pieces.may_have_second_line(bodies):
            bodies, glued = pieces.with_second_line(bodies, stamped, glued)
        bodies, glued, statements = self.stanzas.read(bodies, stamped, glued)
        self.headers.learn(bodies, stamped)
        columns = self.repeats.read(self.headers.read(self._plain(bodies, times, glued), text, structured))
        columns = self._with_inner_json(self.xml_events.read(columns, text, self.json_stamps))
        known, read = self._request_forms(), self.access.read(columns, text)
        rest = text.filter(read["suffix"].is_null())  # where a request is understood no other form is looked for
        self.learn_requests(rest if whole else some_of(rest, SPREAD).to_list())
        if self._request_forms() != known:
            read = self.access.read(columns, text)
        return self.stanzas.as_said(self.statuses.read(read), statements)

    def _request_forms(self) -> object:
        return self.access.forms, self.access.columns, self.statuses.forms

    def _plain(self, bodies: pl.Series, times: pl.Series, glued: pl.Series) -> pl.DataFrame:
        import polars as pl

        stamped, none = times.is_not_null(), _repeated(None, pl.String, times.len())
        return pl.DataFrame(
            {
                "body": bodies,
                "t": times,
                "glued": glued,
                "stamped": stamped,
                "spaced": stamped,
                "level": _repeated(None, pl.Int8, times.len()),
                "service": _repeated(self.service, pl.String, times.len()),
                "host": none,
                "suffix": none,
                "stack": none,
            }
        )

    def _undated(self, text: pl.Series) -> pl.DataFrame:
        import polars as pl

        undated = _repeated(None, pl.Int64, text.len())
        return self._plain(text, undated, pieces.none_glued(text.len()))

    def _with_inner_json(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Lines whose text after the stamp is JSON: the collector's stamp, the program's fields."""
        bodies = columns["body"]
        likely = bodies.str.contains(OBJECT)
        if not likely.any():
            return columns
        rows, texts = likely.arg_true(), bodies.filter(likely).str.strip_prefix(" ")
        objects = texts.str.starts_with("{")
        rows, texts = rows.filter(objects), texts.filter(objects).str.strip_chars()
        if not texts.str.ends_with("}").any():
            return columns
        decoded = self.json.read(texts.to_list())
        return self._overlay(columns, rows[decoded.rows], decoded, keep_time=True)

    def _mixed(
        self, looks_json: pl.Series, lines: Lines, troubles: Troubles, raw: pl.Series, structured: pl.Series | None
    ) -> pl.DataFrame:
        import polars as pl

        rows = looks_json.arg_true()
        decoded = self.json.read(raw[rows].to_list() if rows.len() < raw.len() else raw.to_list())
        good = rows[decoded.rows] if len(decoded.rows) < rows.len() else rows
        broken = rows.len() - good.len()
        if broken and (decoded.rows or self.json_events):
            bad = rows.filter(~rows.is_in(good.implode()))
            troubles.trouble(
                "json",
                Problem(
                    what="not valid JSON; kept as plain text",
                    where=f"{self.name}:{lines.numbers[int(bad[0])]}",
                    count=broken,
                ),
            )
        self.json_events += good.len()
        plain = self._undated(raw[good])
        columns = self._overlay(plain, pl.int_range(good.len(), eager=True), decoded, keep_time=False)
        columns = self.headers.read_wrapped(columns)
        if good.len() == raw.len():
            return columns
        is_text = _repeated(True, pl.Boolean, raw.len()).scatter(good, False)
        text_rows = is_text.arg_true()
        seen = lines.seen[text_rows.to_numpy()] if lines.seen is not None else None
        given = structured[text_rows] if structured is not None else None
        text = self._text(raw[text_rows], given, seen, whole=lines.whole)
        order = pl.concat([good, text_rows]).arg_sort()
        return columns.vstack(text.select_seq(columns.columns)).rechunk().select_seq(pl.all().gather(order))

    def _overlay(
        self, columns: pl.DataFrame, rows: pl.Series, decoded: JsonColumns, *, keep_time: bool
    ) -> pl.DataFrame:
        import polars as pl

        new: dict[str, pl.Series] = {
            "body": pl.Series(decoded.text, dtype=pl.String),
            "level": _or(pl.Series(decoded.level, dtype=pl.Int8), columns["level"][rows]),
            "service": _or(pl.Series(decoded.service, dtype=pl.String), columns["service"][rows]),
            "host": _or(pl.Series(decoded.host, dtype=pl.String), columns["host"][rows]),
            "suffix": pl.Series(decoded.suffix, dtype=pl.String),
            "stack": pl.Series(decoded.stack, dtype=pl.String),
        }
        if any(decoded.glued):
            new["glued"] = pl.Series(decoded.glued, dtype=pl.Boolean)
        if not keep_time:
            new["t"] = self._json_times(decoded)
            new["stamped"] = _repeated(True, pl.Boolean, rows.len())
            new["spaced"] = _repeated(False, pl.Boolean, rows.len())
        if rows.len() == columns.height:
            return columns.with_columns_seq(**new)
        return columns.with_columns_seq(**{name: columns[name].scatter(rows, values) for name, values in new.items()})

    def _json_times(self, decoded: JsonColumns) -> pl.Series:
        import polars as pl

        values = decoded.time
        if set(map(type, values)) <= {str}:
            return self.json_stamps.read(pl.Series(values, dtype=pl.String))[0]
        texts = [value if isinstance(value, str) else _epoch_text(value) for value in values]
        return self.json_stamps.read(pl.Series(texts, dtype=pl.String))[0]


def _names_of(json: JsonReader | None) -> Iterator[object]:
    while json is not None:
        yield frozenset(json.names), json.cut_lines, json.wrap
        json = json.inner


def _with_second_lines(columns: pl.DataFrame, raw: pl.Series) -> pl.Series:
    """Return the lines as they stand; those that say nothing without what stands below them, with that."""
    if not columns["glued"].any():
        return raw
    heads = (columns["glued"].shift(-1, fill_value=False) & ~columns["glued"] & (raw != "")).arg_true()
    if not heads.len():
        return raw
    pairs = zip(raw[heads].to_list(), columns["body"][heads].to_list(), strict=True)
    return raw.scatter(heads, [_with_rest(line, body.strip()) for line, body in pairs])


def _with_rest(line: str, said: str) -> str:
    at = line.rfind(said[:_TELLING])
    whole = line[:at] + said if at >= 0 else f"{line.rstrip()} {said}"
    return whole if len(whole) > len(line) and not line.startswith("{") else line


_TELLING = 16
"""Characters by which a text is found in its line."""


def _seen(lines: Lines, text: pl.Series) -> Seen | None:
    """Return what was found of stamps before, told from where texts begin behind what collectors wrote."""
    import numpy as np
    import polars as pl

    seen = lines.seen
    if seen is None:
        return None
    if text is lines.text:
        before = np.zeros(text.len(), np.uint32)
    else:
        both = pl.DataFrame({"line": lines.text, "text": text})
        before = both.select_seq(pl.col("line").str.len_bytes() - pl.col("text").str.len_bytes()).to_series().to_numpy()
    shapes = np.where(before == seen.texts, seen.shapes, NOT_LOOKED)
    return replace(seen, shapes=shapes, texts=before * 0, begins=seen.begins - before, behinds=seen.behinds - before)


def _repeated(value: object, dtype: type[pl.DataType], count: int) -> pl.Series:
    import polars as pl

    return pl.Series([value], dtype=dtype).new_from_index(0, count)


def _or(one: pl.Series, other: pl.Series) -> pl.Series:
    return one.zip_with(one.is_not_null(), other) if one.null_count() else one


def _with_origin(columns: pl.DataFrame, origin: Origin) -> pl.DataFrame:
    import polars as pl

    if origin.priority is not None:
        columns = with_priorities(columns, origin.priority)
    if origin.service is not None:
        columns = columns.with_columns_seq(service=pl.coalesce(origin.service, "service"))
    if origin.host is not None:
        columns = columns.with_columns_seq(host=pl.coalesce("host", origin.host))
    return columns


def _epoch_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) else f"{value:.6f}"
