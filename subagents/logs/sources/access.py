"""Access logs of web servers and proxies: the request is the message, the status decides the severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 64
_REQUEST = r'"([A-Z]{3,8} [^ "?]*)'
_FORMS: tuple[tuple[str, str], ...] = (
    # common and combined log format, Envoy, Uvicorn, S3
    (_REQUEST, quick(r'"[A-Z]{3,8} [^"]*" ([1-5]\d\d)(?: (?:\d|-|[A-Z][A-Za-z])|$)')),
    # load balancers of AWS
    (_REQUEST, quick(r' ([1-5]\d\d) (?:[1-5]\d\d|-|0) \d+ \d+ "[A-Z]{3,8} ')),
    # HAProxy
    (_REQUEST, quick(r' ([1-5]\d\d) \d+ \S+ \S+ [\w-]{4} [\d/+]+ [\d/+]+ (?:\{.*?\} ){0,2}"[A-Z<]{3,8}')),
    # Gin
    (r'\| +([A-Z]{3,8} +"/[^"?]*)', quick(r"\| ([1-5]\d\d) \| +[\d.]+\S{1,3} \|")),
    # Morgan
    (r"^([A-Z]{3,8} /[^ ?]*)", quick(r"^[A-Z]{3,8} /\S* ([1-5]\d\d) [\d.]+ ms")),
    # Rails
    (r"(Completed) [1-5]", quick(r"\bCompleted ([1-5]\d\d) [A-Z].* in \d+ms")),
    (
        r"method=([A-Z]+ path=[^ ?]+)[^ ]* format=",
        quick(r" format=\S+ controller=\S+ action=\S+ status=([1-5]\d\d)"),
    ),
    # uWSGI
    (
        r" ([A-Z]{3,8} /[^ ?]*)[^ ]* => generated ",
        quick(r" => generated \d+ bytes in \d+ \w+ \(HTTP/[\d.]+ ([1-5]\d\d)\)"),
    ),
)
"""What holds the request, and what the status, of each form."""
_HEADER = "#Fields: "
"""The W3C's extended format says in its header which column is which."""
_MOST_COLUMNS = 60


@dataclass
class AccessReader:
    """Which forms of request lines a file has; what was seen once stays."""

    forms: tuple[tuple[str, str], ...] = ()
    columns: tuple[str, ...] = ()
    """The columns that the file's own header names."""
    settled: bool = False
    """It learns no more."""

    def read(self, columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
        """Make method and path the text of each request, and its status the severity."""
        if not self.settled:
            self._learn(lines)
        for request in dict.fromkeys(request for request, _ in self.forms):
            columns = _requests(columns, lines, request, [status for each, status in self.forms if each == request])
        extended = _by_header(self.columns) if self.columns else None
        return _columned(columns, lines, extended) if extended is not None else columns

    def statuses(self) -> list[str]:
        """Return the expressions by which requests are told from what only looks like one."""
        return [status for _, status in self.forms]

    def _learn(self, lines: pl.Series) -> None:
        sample = lines.head(SAMPLE)
        if len(self.forms) < len(_FORMS):
            new = [form for form in _FORMS if form not in self.forms and sample.str.contains(form[1]).any()]
            self.forms += tuple(new)
        header = sample.filter(sample.str.starts_with(_HEADER))
        if header.len():
            self.columns = tuple(header[0][len(_HEADER) :].split()[:_MOST_COLUMNS])


def _requests(columns: pl.DataFrame, lines: pl.Series, request: str, forms: list[str]) -> pl.DataFrame:
    """Read the requests that one expression finds; the later of two forms with a status says which it is."""
    import polars as pl

    rows = pl.arg_where(lines.str.contains(request), eager=True)
    raw, found = lines.gather(rows), list[pl.DataFrame]()
    for form in reversed(forms):
        status = raw.str.extract(form, 1)
        has = status.is_not_null()
        if has.any():
            found.append(pl.DataFrame({"row": rows, "status": status, "raw": raw}).filter(has))
            rows, raw = rows.filter(~has), raw.filter(~has)
    if not found:
        return columns
    return _put(columns, pl.concat(found).select("row", "status", request=pl.col("raw").str.extract(request, 1)))


def _by_header(names: tuple[str, ...]) -> tuple[int, int, int] | None:
    """Return where method, path and status stand; None where the header does not name them all."""
    places = [names.index(name) if name in names else -1 for name in ("cs-method", "cs-uri-stem", "sc-status")]
    return None if min(places) < 0 else (places[0], places[1], places[2])


def _columned(columns: pl.DataFrame, lines: pl.Series, places: tuple[int, int, int]) -> pl.DataFrame:
    import polars as pl

    rows = pl.arg_where(~lines.str.starts_with("#"), eager=True)
    parts = pl.DataFrame({"row": rows, "parts": lines.gather(rows).str.replace_all("\t", " ").str.split(" ")})
    method, path, status = (pl.col("parts").list.get(place, null_on_oob=True) for place in places)
    return _put(columns, parts.select("row", status=status, request=method + " " + path))


def _put(columns: pl.DataFrame, found: pl.DataFrame) -> pl.DataFrame:
    """Put requests in their rows: where there is a status, and a request beside it."""
    import polars as pl

    code = pl.col("status").cast(pl.Int16, strict=False)
    found = found.filter(code.is_between(100, 599) & pl.col("request").is_not_null())
    if not found.height:
        return columns
    found = found.select(
        "row",
        body=pl.col("request").str.replace(r' +(?:"|path=)', " ").str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*"),
        level=pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8),
        suffix=pl.lit(" status=") + code.cast(pl.String),
    )
    return columns.with_columns(
        columns[name].scatter(found["row"], found[name]) for name in ("body", "level", "suffix")
    )
