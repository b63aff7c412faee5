"""What a collector writes before the program's own line: whose it is, and how urgent it was given as.

A form counts once a sample shows it (most of the sample, where a message could look like it by chance); from then on
every line that has it is read by it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from subagents.logs.sources.expressions import matching, quick
from subagents.logs.sources.samples import usual_of

if TYPE_CHECKING:
    import polars as pl

_FORMS = {
    "kubectl --prefix": r"^\[pod/(?P<host>[^/\]\s]+)/(?P<service>[^\]\s]+)\] ?",
    "syslog priority": quick(r"^<(?P<priority>\d{1,3})>(?P<version>\d{1,2} )?"),
    "docker compose": quick(r"^(?:\d+\|)?(?P<host>[A-Za-z][\w.-]*?) *\| "),
    "stern": r"^(?P<host>[a-z][a-z0-9.-]*-[0-9a-f]{6,10}-[a-z0-9]{5}) (?P<service>[a-z][a-z0-9-]*) (?:. )?",
}
_PARTS = {"kubectl --prefix": "[pod/", "syslog priority": "<", "docker compose": "| ", "stern": "-"}
"""What all lines of a form have."""
_PLAIN = ("kubectl --prefix", "syslog priority")
"""Forms that no message has by chance."""
_LEVEL_COLUMN = quick(
    r"(?i)^(?:\d+\|)?(?:trace|debug|info|information|notice|success|warn|warning|error|err|severe|critical|fatal) *\| "
)


@dataclass(frozen=True)
class Origin:
    """The lines without what the collector put before them, and what that said (columns of one row a line)."""

    text: pl.Series
    host: pl.Series | None = None
    service: pl.Series | None = None
    priority: pl.Series | None = None
    """0 to 191, as RFC 3164 and 5424 number it."""
    structured: pl.Series | None = None
    """The number said that RFC 5424 follows."""


@dataclass
class OriginReader:
    """Which forms this file's lines have."""

    forms: set[str] = field(default_factory=set)
    begun: bool = False
    """Some lines were read."""
    settled: bool = False
    """It learns no more."""

    def as_learnt(self) -> OriginReader:
        """Return a reader with what was learnt so far."""
        return OriginReader(set(self.forms), settled=True)

    def read(self, lines: pl.Series) -> Origin | None:
        """Return the lines without their origins; None where the file has none."""
        if not (self.settled or lines.is_empty()):
            for sample in usual_of(lines, lines.is_not_null(), spread=not self.begun):
                self._learn(sample)
            self.begun = True
        origin = None
        for form in _FORMS:
            if form in self.forms:
                found = _read(origin.text if origin else lines, form)
                origin = found if origin is None else _both(origin, found)
        return origin

    def _learn(self, sample: list[str]) -> None:
        whole = "\n".join(sample)
        for form, pattern in _FORMS.items():
            if form in self.forms or _PARTS[form] not in whole:
                continue
            found = matching(pattern, sample)
            if form == "docker compose":
                by_level = set(matching(_LEVEL_COLUMN, found))
                found = [line for line in found if line not in by_level]
            if len(found) * 2 > len(sample) or (form in _PLAIN and found):
                self.forms.add(form)


def _read(lines: pl.Series, form: str) -> Origin:
    import polars as pl

    pattern, line = _FORMS[form], pl.col("line")
    read = lines.to_frame("line").select_seq(
        groups=line.str.extract_groups(pattern), rest=line.str.replace(pattern, "")
    )
    rest, groups = read["rest"], read["groups"].struct.unnest()
    if form == "syslog priority":
        priority = groups["priority"].cast(pl.Int16, strict=False)
        return Origin(rest, priority=priority, structured=groups["version"].is_not_null())
    host = groups["host"]
    service = host.str.replace(r"[-_]\d+$", "") if form == "docker compose" else groups["service"]
    return Origin(rest, host, service)


def _both(first: Origin, second: Origin) -> Origin:
    return Origin(
        second.text,
        _either(second.host, first.host),
        _either(second.service, first.service),
        _either(second.priority, first.priority),
        _either(second.structured, first.structured),
    )


def _either(one: pl.Series | None, other: pl.Series | None) -> pl.Series | None:
    if one is None or other is None:
        return one if other is None else other
    return one.zip_with(one.is_not_null(), other)
