"""Access logs of web servers and proxies: the request is the message, the status decides the severity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.expressions import all_with, first_starting, quick, shown_in

if TYPE_CHECKING:
    import polars as pl

_REQUEST = r'"([A-Z]{3,8} [^ "?]*)'
_BEHIND_REQUEST = r" ([1-5]\d\d)(?: (?:\d|-|[A-Z][A-Za-z])|$)"
_COMMON = quick(rf'"[A-Z]{{3,8}} [^"]*"{_BEHIND_REQUEST}')
_GIN, _RAILS = r'\| +([A-Z]{3,8} +"/[^"?]*)', r"method=([A-Z]+ path=[^ ?]+)[^ ]* format="
_APART = {_GIN: r' +"', _RAILS: " path="}
"""What stands between method and path in requests of some forms."""
_FORMS: tuple[tuple[str, str, str], ...] = (
    # common and combined log format, Envoy, Uvicorn, S3
    (_REQUEST, _COMMON, '"'),
    # load balancers of AWS
    (_REQUEST, quick(r' ([1-5]\d\d) (?:[1-5]\d\d|-|0) \d+ \d+ "[A-Z]{3,8} '), ' "'),
    # HAProxy
    (_REQUEST, quick(r' ([1-5]\d\d) \d+ \S+ \S+ [\w-]{4} [\d/+]+ [\d/+]+ (?:\{.*?\} ){0,2}"[A-Z<]{3,8}'), ' "'),
    # Gin
    (_GIN, quick(r"\| ([1-5]\d\d) \| +[\d.]+\S{1,3} \|"), " | "),
    # Morgan
    (r"^([A-Z]{3,8} /[^ ?]*)", quick(r"^[A-Z]{3,8} /\S* ([1-5]\d\d) [\d.]+ ms"), " ms"),
    # Rails
    (r"(Completed) [1-5]", quick(r"\bCompleted ([1-5]\d\d) [A-Z].* in \d+ms"), "Completed "),
    (
        _RAILS,
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
MANY = 5_000
"""For fewer lines what is found quicker costs more to be made ready."""
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
        unknown = [form for form in _FORMS if form not in self.forms]
        shown = shown_in([(part, status) for _, status, part in unknown], lines)
        self.forms += tuple(unknown[each] for each in shown)
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

    likely = lines.str.contains(request)
    if not likely.any():
        return columns
    rows, raw = likely.arg_true(), lines.filter(likely)
    if raw.len() < MANY:
        return _put(columns, rows, _searched(raw, forms, request))
    found, places = list[pl.DataFrame](), list[pl.Series]()
    for form in reversed(forms):
        for read in (_quoted_first, _searched) if form == _COMMON else (_searched,):
            part = read(raw, [form], request)
            has = part["status"].is_not_null()
            found.append(part.filter(has))
            places.append(rows.filter(has))
            rows, raw = rows.filter(~has), raw.filter(~has)
    return _put(columns, pl.concat(places), pl.concat(found))


def _searched(lines: pl.Series, forms: list[str], request: str) -> pl.DataFrame:
    """Return `status` and `request` of lines, `status` null where they are of none of the forms."""
    import polars as pl

    line = pl.col("line")
    status, asked = pl.coalesce(line.str.extract(form, 1) for form in reversed(forms)), line.str.extract(request, 1)
    if request in _APART:
        asked = asked.str.replace(_APART[request], " ")
    return lines.to_frame("line").select_seq(status=status, request=asked)


def _quoted_first(lines: pl.Series, _forms: list[str], _request: str) -> pl.DataFrame:
    """Return it of the common form, quickly; `status` is null where what is quoted first is not the request."""
    import polars as pl

    parts = lines.str.splitn('"', 3).struct.unnest()
    read = parts.select_seq(request=pl.col("field_1").str.extract(_QUOTED_REQUEST, 1), behind="field_2")
    is_one, behind = pl.col("request").is_not_null(), pl.col("behind").str.extract(_STATUS_BEHIND, 1)
    return read.select_seq(status=pl.when(is_one).then(behind), request="request")


_STATUS_BEHIND, _QUOTED_REQUEST = "^" + quick(_BEHIND_REQUEST), "^" + _REQUEST[1:]


def _by_header(names: tuple[str, ...]) -> tuple[int, int, int] | None:
    """Return where method, path and status stand; None where the header does not name them all."""
    places = [names.index(name) if name in names else -1 for name in ("cs-method", "cs-uri-stem", "sc-status")]
    return None if min(places) < 0 else (places[0], places[1], places[2])


def _columned(columns: pl.DataFrame, lines: pl.Series, places: tuple[int, int, int]) -> pl.DataFrame:
    import polars as pl

    rows = pl.arg_where(~lines.str.starts_with("#"), eager=True)
    parts = pl.DataFrame({"parts": lines[rows].str.replace_all("\t", " ").str.split(" ")})
    method, path, status = (pl.col("parts").list.get(place, null_on_oob=True) for place in places)
    return _put(columns, rows, parts.select_seq(status=status, request=method + " " + path))


def _put(columns: pl.DataFrame, rows: pl.Series, found: pl.DataFrame) -> pl.DataFrame:
    """Put requests (`status`, `request`) in their rows: where there is a status, and a request beside it."""
    import polars as pl

    code, request = pl.col("status").cast(pl.Int16, strict=False), pl.col("request")
    read = found.select_seq(
        is_one=(code.is_between(100, 599) & request.is_not_null()).fill_null(False),
        body=request.str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*"),
        level=pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8),
        suffix=pl.lit(" status=") + code.cast(pl.String),
    )
    if not read["is_one"].all():
        read, rows = read.filter(read["is_one"]), rows.filter(read["is_one"])
    if not read.height:
        return columns
    return columns.with_columns_seq(columns[name].scatter(rows, read[name]) for name in ("body", "level", "suffix"))
