"""Access logs of web servers and proxies: the request is the message, the status decides the severity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

SAMPLE = 64
_REQUEST = r'"([A-Z]{3,8} [^ "?]*)'
_FORMS = (
    r'"[A-Z]{3,8} [^"]*" ([1-5]\d\d) (?:\d|-|[A-Z]{2})',  # common and combined log format, Envoy
    r' ([1-5]\d\d) (?:[1-5]\d\d|-) \d+ \d+ "[A-Z]{3,8} ',  # load balancers of AWS
    r' ([1-5]\d\d) \d+ \S+ \S+ [\w-]{4} [\d/+]+ [\d/+]+ (?:\{.*?\} ){0,2}"[A-Z<]{3,8}',  # HAProxy
)


@dataclass
class AccessReader:
    """Which forms of request lines a file has; what was seen once stays."""

    forms: tuple[str, ...] = ()
    settled: bool = False
    """It learns no more."""

    def read(self, columns: pl.DataFrame, lines: pl.Series) -> pl.DataFrame:
        """Make method and path the text of each request, and its status the severity."""
        if not self.settled and len(self.forms) < len(_FORMS):
            sample = lines.head(SAMPLE)
            new = [form for form in _FORMS if form not in self.forms and sample.str.contains(form).any()]
            self.forms += tuple(new)
        for form in self.forms:
            columns = _requests(columns, lines, form)
        return columns


def _requests(columns: pl.DataFrame, lines: pl.Series, form: str) -> pl.DataFrame:
    import polars as pl

    rows = pl.arg_where(lines.str.contains(_REQUEST), eager=True)
    found = pl.DataFrame({"row": rows, "raw": lines.gather(rows)})
    status = pl.col("raw").str.extract(form, 1).cast(pl.Int16, strict=False)
    found = found.with_columns(status=status).filter(pl.col("status").is_not_null())
    if not found.height:
        return columns
    code = pl.col("status")
    found = found.select(
        "row",
        body=pl.col("raw").str.extract(_REQUEST, 1).str.replace_all(r"[^\s\d=/]*\d[^\s/]*", "*"),
        level=pl.when(code >= 500).then(5).when(code.is_in([408, 429, 499])).then(4).otherwise(3).cast(pl.Int8),
        suffix=pl.lit(" status=") + code.cast(pl.String),
    )
    return columns.with_columns(
        columns[name].scatter(found["row"], found[name]) for name in ("body", "level", "suffix")
    )
