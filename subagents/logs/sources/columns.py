"""Lines of a block as columns: time, text, severity, service, host; from text layouts and JSON alike."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from subagents.contract import Problem
from subagents.logs.sources.json_lines import JsonColumns, JsonReader
from subagents.logs.sources.lines import Lines, Troubles
from subagents.logs.sources.stamp_reader import StampReader

if TYPE_CHECKING:
    import polars as pl

_REQUEST = r'"([A-Z]{3,8} [^ "?]*)'
_ACCESS = r'"(?:[A-Z]{3,8} )?([^ "?]*)[^"]*" ([1-5]\d\d) (?:\d+|-)'


@dataclass
class ColumnReader:
    """Reads the columns of one file's lines; learns its layouts as it goes."""

    name: str
    service: str | None
    stamps: StampReader
    json_stamps: StampReader
    json: JsonReader = field(default_factory=JsonReader)
    json_events: int = 0

    def as_learnt(self) -> ColumnReader:
        """Return a reader with the layouts learnt so far; what it learns itself changes nothing here."""
        json = copy.copy(self.json)
        json.names = set(json.names)
        return replace(self, stamps=self.stamps.as_learnt(), json_stamps=self.json_stamps.as_learnt(), json=json)

    def read(self, lines: Lines, troubles: Troubles) -> pl.DataFrame:
        """Return one row per line: raw, body (text), t, stamped, level, service, host, suffix, stack."""

        raw = lines.text
        looks_json = raw.str.contains(r"^\s*\{")
        share = int(looks_json.sum() or 0)
        if share == 0:
            times, bodies = self.stamps.read(raw)
            bodies = _without_stream(bodies)
            found = self._inner_json(bodies, times) if self._holds_json(bodies) else None
            columns = found if found is not None else self._plain(raw, bodies, times)
        else:
            columns = self._mixed(looks_json, lines, troubles)
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
        if any(shape.kind.name == "common log format" for shape in self.stamps.shapes):
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
        decoded = self.json.read(bodies.gather(rows).str.strip_chars().to_list())
        return self._overlay(columns, rows.gather(decoded.rows), decoded, keep_time=True)

    def _mixed(self, looks_json: pl.Series, lines: Lines, troubles: Troubles) -> pl.DataFrame:
        import polars as pl

        raw = lines.text
        rows = pl.arg_where(looks_json, eager=True)
        decoded = self.json.read(raw.gather(rows).to_list() if rows.len() < raw.len() else raw.to_list())
        good = rows.gather(decoded.rows) if len(decoded.rows) < rows.len() else rows
        broken = rows.len() - good.len()
        if broken and decoded.rows:
            bad = rows.filter(~rows.is_in(good.implode()))
            troubles.trouble(
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
            text_times, text_bodies = self.stamps.read(raw.gather(text_rows))
            text_bodies = _without_stream(text_bodies)
            empty = pl.Series([None], dtype=pl.Int64).new_from_index(0, raw.len())
            times, bodies = empty.scatter(text_rows, text_times), raw.clone().scatter(text_rows, text_bodies)
        self.json_events += good.len()
        return self._overlay(self._plain(raw, bodies, times), good, decoded, keep_time=False)

    def _overlay(
        self, columns: pl.DataFrame, rows: pl.Series, decoded: JsonColumns, *, keep_time: bool
    ) -> pl.DataFrame:
        import polars as pl

        service = pl.Series(decoded.service, dtype=pl.String)
        if self.service is not None:
            service = service.fill_null(self.service)
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
        if set(map(type, values)) <= {str}:
            return self.json_stamps.read(pl.Series(values, dtype=pl.String))[0]
        texts = [value if isinstance(value, str) else _epoch_text(value) for value in values]
        return self.json_stamps.read(pl.Series(texts, dtype=pl.String))[0]


_CRI = r"^ (?:stdout|stderr) [FP] "


def _without_stream(bodies: pl.Series) -> pl.Series:
    """Drop the stream mark that containerd and CRI-O write after the time."""
    if bodies.head(50).str.contains(_CRI).any():
        return bodies.str.replace(_CRI, " ")
    return bodies


def _epoch_text(value: object) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) else f"{value:.6f}"


def _access_columns(columns: pl.DataFrame, raw: pl.Series) -> pl.DataFrame:
    """Access log lines: method and path are the text, the status decides the severity."""
    import polars as pl

    rows = pl.arg_where(raw.str.contains(_REQUEST), eager=True)
    lines = pl.DataFrame({"row": rows, "raw": raw.gather(rows)})
    status = pl.col("raw").str.extract(_ACCESS, 2).cast(pl.Int16, strict=False)
    lines = lines.with_columns(status=status).filter(pl.col("status").is_not_null())
    if not lines.height:
        return columns
    code = pl.col("status")
    found = lines.select(
        "row",
        body=pl.col("raw").str.extract(_REQUEST, 1).str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*"),
        level=pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8),
        suffix=pl.lit(" status=") + code.cast(pl.String),
    )
    return columns.with_columns(
        columns[name].scatter(found["row"], found[name]) for name in ("body", "level", "suffix")
    )
