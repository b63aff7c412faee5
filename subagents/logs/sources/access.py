"""Access logs of web servers and proxies: the request is the message, the status decides the severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.expressions import all_with, any_with, first_starting, quick

if TYPE_CHECKING:
    import polars as pl

_REQUEST = r'"([A-Z]{3,8} [^ "?]*)'
_BEHIND_REQUEST = r" ([1-5]\d\d)(?: (?:\d|-|[A-Z][A-Za-z])|$)"
_COMMON = quick(rf'"[A-Z]{{3,8}} [^"]*"{_BEHIND_REQUEST}')
_FORMS: tuple[tuple[str, str, str], ...] = (
    # common and combined log format, Envoy, Uvicorn, S3
    (_REQUEST, _COMMON, '"'),
    # load balancers of AWS
    (_REQUEST, quick(r' ([1-5]\d\d) (?:[1-5]\d\d|-|0) \d+ \d+ "[A-Z]{3,8} '), ' "'),
    # HAProxy
    (_REQUEST, quick(r' ([1-5]\d\d) \d+ \S+ \S+ [\w-]{4} [\d/+]+ [\d/+]+ (?:\{.*?\} ){0,2}"[A-Z<]{3,8}'), ' "'),
    # Gin
    (r'\| +([A-Z]{3,8} +"/[^"?]*)', quick(r"\| ([1-5]\d\d) \| +[\d.]+\S{1,3} \|"), " | "),
    # Morgan
    (r"^([A-Z]{3,8} /[^ ?]*)", quick(r"^[A-Z]{3,8} /\S* ([1-5]\d\d) [\d.]+ ms"), " ms"),
    # Rails
    (r"(Completed) [1-5]", quick(r"\bCompleted ([1-5]\d\d) [A-Z].* in \d+ms"), "Completed "),
    (
        r"method=([A-Z]+ path=[^ ?]+)[^ ]* format=",
        quick(r" format=\S+ controller=\S+ action=\S+ status=([1-5]\d\d)"),
        " controller=",
    ),
    # uWSGI
    (
        r" ([A-Z]{3,8} /[^ ?]*)[^ ]* => generated ",
        quick(r" => generated \d+ bytes in \d+ \w+ \(HTTP/[\d.]+ ([1-5]\d\d)\)"),
        " => generated ",
    ),
)
"""What holds the request, and what the status, of each form, and what all lines of it have."""
_HEADER = "#Fields: "
"""The W3C's extended format says in its header which column is which."""
_MOST_COLUMNS = 60


@dataclass
class AccessReader:
    """Which forms of request lines a file has; what was seen once stays."""

    forms: tuple[tuple[str, str, str], ...] = ()
    columns: tuple[str, ...] = ()
    """The columns that the file's own header names."""
    settled: bool = False
    """It learns no more."""

    def learn(self, lines: Sequence[str] | pl.Series) -> None:
        """Look for forms that are not known yet."""
        if self.settled:
            return
        unknown = (form for form in _FORMS if form not in self.forms)
        self.forms += tuple(form for form in unknown if any_with(form[2], form[1], lines))
        if not self.columns and (header := first_starting(_HEADER, lines)) is not None:
            self.columns = tuple(header[len(_HEADER) :].split()[:_MOST_COLUMNS])

    def read(self, columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
        """Make method and path the text of each request, and its status the severity."""
        for request in dict.fromkeys(request for request, _, _ in self.forms):
            columns = _requests(columns, lines, request, [status for each, status, _ in self.forms if each == request])
        extended = _by_header(self.columns) if self.columns else None
        return _columned(columns, lines, extended) if extended is not None else columns

    def has_status(self, lines: pl.Series) -> Any:
        """Say which lines are requests, not what only looks like one (numpy bool)."""
        return all_with([(part, status) for _, status, part in self.forms], lines)


def _requests(columns: pl.DataFrame, lines: pl.Series, request: str, forms: list[str]) -> pl.DataFrame:
    """Read the requests that one expression finds; the later of two forms with a status says which it is."""
    import polars as pl

    rows = lines.str.contains(request).arg_true()
    raw, found = lines[rows], list[pl.DataFrame]()
    for form in reversed(forms):
        for read in (_quoted_first, _searched) if form == _COMMON else (_searched,):
            if rows.len():
                part = read(raw, form, request).with_columns_seq(row=rows)
                has = part["status"].is_not_null()
                found.append(part.filter(has).select_seq("row", "status", "request"))
                rows, raw = rows.filter(~has), raw.filter(~has)
    return _put(columns, pl.concat(found)) if found else columns


def _searched(lines: pl.Series, form: str, request: str) -> pl.DataFrame:
    """Return `status` and `request` of lines, `status` null where they are not of the form."""
    import polars as pl

    read = lines.to_frame("raw").with_columns_seq(status=pl.col("raw").str.extract(form, 1))
    return read.with_columns_seq(request=pl.when(pl.col("status").is_not_null()).then("raw")).with_columns_seq(
        pl.col("request").str.extract(request, 1)
    )


def _quoted_first(lines: pl.Series, _form: str, _request: str) -> pl.DataFrame:
    """Return it of the common form, quickly; `status` is null where what is quoted first is not the request."""
    import polars as pl

    parts = lines.str.splitn('"', 3).struct.unnest()
    read = parts.select_seq(request=pl.col("field_1").str.extract(_QUOTED_REQUEST, 1), behind="field_2")
    is_one = pl.col("request").is_not_null()
    return read.with_columns_seq(status=pl.when(is_one).then(pl.col("behind").str.extract(_STATUS_BEHIND, 1)))


_STATUS_BEHIND, _QUOTED_REQUEST = "^" + quick(_BEHIND_REQUEST), "^" + _REQUEST[1:]


def _by_header(names: tuple[str, ...]) -> tuple[int, int, int] | None:
    """Return where method, path and status stand; None where the header does not name them all."""
    places = [names.index(name) if name in names else -1 for name in ("cs-method", "cs-uri-stem", "sc-status")]
    return None if min(places) < 0 else (places[0], places[1], places[2])


def _columned(columns: pl.DataFrame, lines: pl.Series, places: tuple[int, int, int]) -> pl.DataFrame:
    import polars as pl

    rows = pl.arg_where(~lines.str.starts_with("#"), eager=True)
    parts = pl.DataFrame({"row": rows, "parts": lines[rows].str.replace_all("\t", " ").str.split(" ")})
    method, path, status = (pl.col("parts").list.get(place, null_on_oob=True) for place in places)
    return _put(columns, parts.select_seq("row", status=status, request=method + " " + path))


def _put(columns: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Put requests in their rows: where there is a status, and a request beside it."""
    import polars as pl

    code = pl.col("status").cast(pl.Int16, strict=False)
    is_one = found.select_seq(code.is_between(100, 599) & pl.col("request").is_not_null()).to_series()
    if is_one.null_count() or not is_one.all():
        found = found.filter(is_one)
    if not found.height:
        return columns
    found = found.select_seq(
        "row",
        body=pl.col("request").str.replace(r' +(?:"|path=)', " ").str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*"),
        level=pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8),
        suffix=pl.lit(" status=") + code.cast(pl.String),
    )
    return columns.with_columns_seq(
        columns[name].scatter(found["row"], found[name]) for name in ("body", "level", "suffix")
    )
