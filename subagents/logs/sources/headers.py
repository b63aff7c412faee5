"""What stands between the time and the message: syslog's host and program, logfmt's service, a level in brackets.

Each costs an expression on every line, so each is read only in files whose sample shows it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import compress
from typing import TYPE_CHECKING

from subagents.logs.levels import INFO, SYSLOG, UNKNOWN, may_say, split_head, split_heads
from subagents.logs.patterns import MASK
from subagents.logs.sources.expressions import matching, quick
from subagents.logs.sources.samples import AT_HEAD, MANY, some_of, usual_of

if TYPE_CHECKING:
    import polars as pl

HEAD_CHARS = 100
_BSD = r"^ *\S+ [A-Za-z][^\s:]*:(?: |$)"
_BSD_WITH_PID = quick(r"^ *[A-Za-z][\w.-]* [A-Za-z][\w./-]*\[\d+\]:(?: |$)")
_LEVEL_FIRST = r"(?i)^ *(?:trace|debug|info|notice|warn|warning|error|severe|critical|fatal) "
_BSD_STAMP = quick(r"^[A-Z][a-z]{2} [ \d]\d \d\d:")
_PROGRAM = quick(r"^([A-Za-z][\w./-]*)")
_WIDE_TAG = quick(r"^ *\S+ ([A-Za-z][\w./-]*(?: [A-Z][\w.-]*){0,3})(?:\[\d+\](?: \(\S*\))?| \d[\w.]*):(?: |$)")
"""A program's name of several words, or with its version or what it speaks for: `Two Words[7]:`, `syslogd 1.5:`."""
_STRUCTURED = r'^(?:- ?|(?:\[(?:[^\]"\\]|"(?:[^"\\]|\\.)*"|\\.)*\])+ ?)(?:\x{feff})?'
_LOGFMT = r"(?:^|\s)(?:level|lvl|severity|msg)="
_SERVICE_KEYS = ("service", "service_name", "svc", "app", "application", "component", "container")
_MNEMONIC = r"%[A-Z][A-Z0-9_]*-[0-7]-[A-Z0-9_]+:"
_SPRING = quick(r"^ *[A-Z]+ +(?:\d+ --- \[ *([\w.-]+)\] \[|\[([\w.-]+),[0-9a-f]*,[0-9a-f]*[\],])")
"""Spring Boot's name of the application: beside the thread, or before the ids of trace and span."""
_LABELS = quick(r'^ *\{(?:\w+="[^"]*",? ?)+\} ?')
"""What Loki knows of a line, as its command line prints it."""
_LABELLED = ("service_name", "app", "service", "job", "container")
_SAID = ("body", "spaced", "host", "service")
"""Columns of which headers say something."""


_LEVELS: dict[str, int] = {}
"""By what lines begin with"""
_MOST_KEPT = 1 << 15
_MASKED = re.compile(MASK)
_NUMBERS = re.compile(r"\d{2,}")


@dataclass
class HeaderReader:
    """Which headers this file's lines have; what was seen once stays."""

    iso_syslog: bool = False
    """Syslog's host and program stand after a stamp that is not syslog's own."""
    service_key: str = ""
    spring: bool = False
    labels: bool = False
    digits: str = r"\d+"
    """What is alike in heads that say the same severity: not the digit of a mnemonic such as %LINK-3-UPDOWN."""
    hidden_levels: bool = False
    """A severity stands in a word with digits, which the templates' mask would take away."""
    begun: bool = False
    """Some lines were read."""
    wrapped_hidden: bool = False
    """A severity is hidden so in texts that objects wrap."""
    wrapped_begun: bool = False
    """Some of those were read."""
    settled: bool = False
    """It learns no more."""

    def learn(self, bodies: pl.Series, stamped: pl.Series) -> None:
        """Look at the texts after the stamps of a block for what most lines have."""
        if not (self.settled or bodies.is_empty()):
            for sample in usual_of(bodies, stamped, spread=not self.begun):
                self._learn(sample)

    def _learn(self, sample: list[str]) -> None:
        whole = "\n".join(sample)  # most expressions need not be asked for where it lacks what they need
        if not self.iso_syslog and "]:" in whole:
            with_level = set(matching(_LEVEL_FIRST, sample))
            alike = [line for line in matching(_BSD, sample) if line not in with_level]
            self.iso_syslog = len(alike) * 5 >= len(sample) * 4 and bool(matching(_BSD_WITH_PID, alike))
        if not self.service_key and "=" in whole and _in_most(sample, _LOGFMT):
            keys = (key for key in _SERVICE_KEYS if _in_most(sample, rf"(?:^|\s){key}=[^\s]"))
            self.service_key = next(keys, "")
        self.spring = self.spring or ("[" in whole and _in_most(sample, _SPRING))
        self.labels = self.labels or ('="' in whole and _in_most(sample, _LABELS))
        if "%" in whole and matching(_MNEMONIC, sample):
            self.digits = r"\d{2,}"

    def read(self, columns: pl.DataFrame, lines: pl.Series, structured: pl.Series | None) -> pl.DataFrame:
        """Return the columns with `body` freed of its headers, and what they say.

        `lines` are the texts with their stamps, `structured` says which are those of RFC 5424.
        """
        if structured is not None and structured.any():
            columns = _of(columns, structured, _structured)
        if self.iso_syslog:
            columns = _of(columns, columns["stamped"] & ~columns["body"].str.contains(_LEVEL_FIRST), _program)
        elif (bsd := lines.str.contains(_BSD_STAMP)).any():
            columns = _of(columns, bsd, _program)
        if self.spring:
            columns = _application(columns)
        if self.labels:
            columns = _labelled(columns)
        if self.service_key:
            columns = _keyed_service(columns, self.service_key)
        if not (self.hidden_levels or self.settled):
            some = some_of(columns["body"], AT_HEAD if self.begun else MANY)
            self.hidden_levels, self.begun = _hides_one(some.to_list()), True
        if self.hidden_levels:
            columns = _levels(columns, self.digits)
        return columns

    def read_wrapped(self, columns: pl.DataFrame) -> pl.DataFrame:
        """Return the columns of objects whose texts are another program's lines, with the severities hidden in those.

        The first of them show whether there are any.
        """
        if not (self.wrapped_begun or self.settled):
            some = some_of(columns["body"].filter(columns["level"].is_null()), MANY)
            self.wrapped_hidden, self.wrapped_begun = _hides_one(some.to_list()), True
        return _levels(columns, self.digits) if self.wrapped_hidden else columns


def _in_most(sample: list[str], pattern: str) -> bool:
    return len(matching(pattern, sample)) * 2 > len(sample)


def _hides_one(texts: list[str]) -> bool:
    heads = list({_NUMBERS.sub("00", text[:HEAD_CHARS]) for text in texts})
    return any(map(_is_hidden, compress(heads, may_say(heads))))


def _is_hidden(head: str) -> bool:
    masked = _MASKED.sub("*", head)
    return masked != head and _level_in(masked) == UNKNOWN and _level_in(head) != UNKNOWN


@lru_cache(maxsize=4_096)
def _level_in(head: str) -> int:
    """Return the severity in what many lines begin with."""
    return split_head(head)[0]


def _of(columns: pl.DataFrame, rows: pl.Series, read: Callable[[pl.DataFrame], pl.DataFrame]) -> pl.DataFrame:
    """Read the headers of some rows."""
    import polars as pl

    if not rows.any():
        return columns
    if rows.all():
        return columns.with_columns_seq(read(columns.select_seq(_SAID)).get_columns())
    places = rows.arg_true()
    found = read(pl.DataFrame([columns[name].filter(rows) for name in _SAID]))
    return columns.with_columns_seq(columns[name].scatter(places, found[name]) for name in _SAID)


def behind_program(bodies: pl.Expr) -> pl.Expr:
    """Return host, program and the message behind them, the fields 0 to 2 of a struct."""
    return bodies.str.strip_chars_start(" ").str.splitn(" ", 3)


def _program(said: pl.DataFrame) -> pl.DataFrame:
    """`host program[pid]: message`."""
    import polars as pl

    parts = said.select_seq(parts=behind_program(pl.col("body")))["parts"].struct.unnest()
    tag, program = pl.col("field_1"), pl.col("program")
    parts = said.hstack(parts).with_columns_seq(program=pl.when(tag.str.ends_with(":")).then(tag.str.extract(_PROGRAM)))
    found = program.is_not_null()
    read = parts.select_seq(
        body=pl.when(found).then(pl.col("field_2").fill_null("")).otherwise("body"),
        spaced=pl.col("spaced") & ~found,
        host=pl.coalesce("host", pl.when(found).then("field_0")),
        service=pl.coalesce("program", "service"),
    )
    if not parts["program"].null_count():
        return read
    return _of(read, parts["program"].is_null() & said["body"].str.contains(_WIDE_TAG), _wide_program)


def _wide_program(said: pl.DataFrame) -> pl.DataFrame:
    """`host Two Words[pid]: message`, `host program 1.5: message`, `host program[pid] (part): message`."""
    import polars as pl

    body = pl.col("body")
    return said.select_seq(
        body=body.str.replace(_WIDE_TAG, ""),
        spaced=pl.col("spaced") & False,
        host=pl.coalesce("host", body.str.extract(r"^ *(\S+)")),
        service=body.str.extract(_WIDE_TAG),
    )


def _structured(said: pl.DataFrame) -> pl.DataFrame:
    """`host program pid id - message`, or structured data in brackets where the dash is."""
    import polars as pl

    split = pl.col("body").str.strip_chars_start(" ").str.splitn(" ", 5)
    parts = said.select_seq(parts=split)["parts"].struct.unnest()
    rest, found = pl.col("field_4"), pl.col("found")
    is_one = rest.str.starts_with("-") | rest.str.starts_with("[")
    parts = said.hstack(parts).with_columns_seq(found=is_one.fill_null(False))
    host, program = (pl.when(found & (pl.col(name) != "-")).then(name) for name in ("field_0", "field_1"))
    return parts.select_seq(
        body=pl.when(found).then(rest.str.replace(_STRUCTURED, "")).otherwise("body"),
        spaced=pl.col("spaced") & ~found,
        host=pl.coalesce("host", host),
        service=pl.coalesce(program.str.extract(_PROGRAM), "service"),
    )


def _keyed_service(columns: pl.DataFrame, key: str) -> pl.DataFrame:
    """The service that a pair names; a component only where nothing else says whose line it is."""
    import polars as pl

    value = columns["body"].str.extract(rf'(?:^|\s){key}=("[^"]*"|[^\s"]+)').str.strip_chars('"')
    order = ("service", value) if key in ("component", "container") else (value, "service")
    return columns.with_columns_seq(service=pl.coalesce(*order))


def _application(columns: pl.DataFrame) -> pl.DataFrame:
    """The service that Spring Boot names."""
    import polars as pl

    groups = columns["body"].str.extract_groups(_SPRING).struct
    return columns.with_columns_seq(service=pl.coalesce(groups.field("1"), groups.field("2"), "service"))


def _labelled(columns: pl.DataFrame) -> pl.DataFrame:
    """The service and the pod that Loki's labels name; the message stands behind them."""
    import polars as pl

    labels = columns["body"].str.extract(f"({_LABELS})")
    names = [labels.str.extract(rf'\b{name}="([^"]+)"') for name in _LABELLED]
    return columns.with_columns_seq(
        body=columns["body"].str.replace(_LABELS, "").str.replace(r"^", " "),
        service=pl.coalesce(*names, "service"),
        host=pl.coalesce("host", labels.str.extract(r'\b(?:pod|instance|host|hostname|node_name)="([^"]+)"')),
    )


def _levels(columns: pl.DataFrame, digits: str) -> pl.DataFrame:
    """Severities read before the mask: once from each head whose digits are made alike."""
    import polars as pl

    heads = columns.select_seq(head=pl.col("body").str.slice(0, HEAD_CHARS).str.replace_all(digits, "0"))
    unique = heads["head"].unique()
    found = [level or None for level in levels_in(unique.to_list())]
    lookup = pl.DataFrame({"head": unique, "found": pl.Series(found, dtype=pl.Int8)})
    return columns.with_columns_seq(
        level=pl.coalesce("level", heads.join(lookup, on="head", how="left", maintain_order="left")["found"])
    )


def levels_in(heads: list[str]) -> list[int]:
    """Return the severities in what lines begin with; most of them were met in the block before."""
    known = {head: level for head in heads if (level := _LEVELS.get(head)) is not None}
    new = [head for head in heads if head not in known]
    found = dict(zip(new, (level for level, _ in split_heads(new)), strict=True))
    if len(_LEVELS) > _MOST_KEPT:
        _LEVELS.clear()
    _LEVELS.update(found)
    known |= found
    return [known[head] for head in heads]


def with_priorities(columns: pl.DataFrame, priorities: pl.Series) -> pl.DataFrame:
    """Take the severity from syslog's number; `info` and `notice` say little: a collector gives them to all it reads.

    For those the text decides, where it names a severity.
    """
    import polars as pl

    by_number = pl.Series([level if level != INFO else None for level in SYSLOG], dtype=pl.Int8)
    given = pl.lit(by_number).gather((pl.lit(priorities) % 8).fill_null(6).cast(pl.UInt32))
    return columns.with_columns_seq(level=pl.coalesce("level", given))
