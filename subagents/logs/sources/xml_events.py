"""Events of Windows as XML, one to a line: its fields stand in elements, its time too deep in the line for a stamp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from subagents.logs.levels import DEBUG, ERROR, FATAL, INFO, WARN
from subagents.logs.sources.expressions import shown_in
from subagents.logs.sources.stamp_reader import StampReader

if TYPE_CHECKING:
    import polars as pl

_EVENT = r"^<Event[ >].*<TimeCreated SystemTime="
_TIME = r"""<TimeCreated SystemTime=['"]([^'"]+)"""
_SOURCE = r"""<Provider Name=['"]([^'"]+)"""
_COMPUTER = r"<Computer>([^<]+)"
_LEVEL = r"<Level>(\d)</Level>"
_SEVERITIES = (INFO, FATAL, ERROR, WARN, INFO, DEBUG)
"""By Windows' number; 0 is always logged."""
_MESSAGE = r"<Message>([^<]+)"
_ID = r"<EventID[^>]*>(\d+)"
_DATA = r"<Data[^>]*>[^<]*"


@dataclass
class XmlEventReader:
    """Whether a file holds such events; what was seen once stays."""

    stands: bool = False
    settled: bool = False
    """It learns no more."""

    def read(self, columns: pl.DataFrame, lines: pl.Series, stamps: StampReader) -> pl.DataFrame:
        """Take time, severity, service, host and message of each such event from its elements."""
        import polars as pl

        if not self.settled:
            self.stands = self.stands or bool(shown_in([("<Event", _EVENT)], lines))
        if not self.stands:
            return columns
        rows = pl.arg_where(lines.str.contains(_EVENT), eager=True)
        found = lines.gather(rows)
        times = stamps.read(found.str.extract(_TIME))[0]
        numbers = found.str.extract(_LEVEL).cast(pl.UInt32, strict=False)
        data = found.str.extract_all(_DATA).list.eval(pl.element().str.replace(r"^.*>", "")).list.join(" ")
        said = found.str.extract(_MESSAGE)
        new = {
            "t": times,
            "stamped": times.is_not_null(),
            "spaced": times.is_null(),
            "level": pl.Series(_SEVERITIES, dtype=pl.Int8).gather(
                numbers.set(numbers >= len(_SEVERITIES), 0).fill_null(0)
            ),
            "service": found.str.extract(_SOURCE),
            "host": found.str.extract(_COMPUTER),
            "body": said.zip_with(said.is_not_null(), found.str.extract(_ID).fill_null("") + " " + data),
        }
        return columns.with_columns_seq(columns[name].scatter(rows, values) for name, values in new.items())
