"""The grammar of citations: one stable string for each exact thing that a person can open.

    log:<source>@<byte>+<lines>
    metric:<source>/<service>/<name>@<t0>..<t1>          times are ISO 8601, UTC, seconds or finer
    commit:<source>/<sha>[#<path>[:<line>]]
    deploy:<source>#<id>   flag:<source>#<id>   trace:<source>#<id>
    runbook:<slug>#<step>

Names inside a citation are percent-quoted where they hold a character that the grammar uses.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Literal
from urllib.parse import quote, unquote

from pydantic import Field, TypeAdapter

from subagents.contract import Frozen, ToolError

_SAFE = "._-()"


def _q(name: str) -> str:
    return quote(name, safe=_SAFE)


def _qpath(path: str) -> str:
    return quote(path, safe=_SAFE + "/")


def _stamp(moment: datetime) -> str:
    text = moment.astimezone(UTC).isoformat(timespec="auto")
    return text.replace("+00:00", "Z")


class LogRef(Frozen):
    """`lines` whole lines of a log, the first of which starts at `byte` of the decompressed file."""

    kind: Literal["log"] = "log"
    source: str
    byte: int = Field(ge=0)
    lines: int = Field(ge=1)

    def __str__(self) -> str:
        """Return the citation."""
        return f"log:{_qpath(self.source)}@{self.byte}+{self.lines}"


class MetricRef(Frozen):
    """A metric series over a closed span of time."""

    kind: Literal["metric"] = "metric"
    source: str
    service: str
    name: str
    start: datetime
    end: datetime

    def __str__(self) -> str:
        """Return the citation."""
        return f"metric:{_q(self.source)}/{_q(self.service)}/{_q(self.name)}@{_stamp(self.start)}..{_stamp(self.end)}"


class CommitRef(Frozen):
    """A commit of a source (repository, commits file or diff), or a place in its diff."""

    kind: Literal["commit"] = "commit"
    source: str
    sha: str
    path: str | None = None
    line: int | None = None
    """Line number in the new version of `path`."""

    def __str__(self) -> str:
        """Return the citation."""
        place = f"#{_qpath(self.path)}" if self.path else ""
        line = f":{self.line}" if self.path and self.line is not None else ""
        return f"commit:{_q(self.source)}/{self.sha}{place}{line}"


class RecordRef(Frozen):
    """One record of a source of records: a deploy, a flag change, a trace."""

    kind: Literal["deploy", "flag", "trace"]
    source: str
    id: str

    def __str__(self) -> str:
        """Return the citation."""
        return f"{self.kind}:{_qpath(self.source)}#{_q(self.id)}"


class RunbookRef(Frozen):
    """A step of a runbook."""

    kind: Literal["runbook"] = "runbook"
    slug: str
    step: str

    def __str__(self) -> str:
        """Return the citation."""
        return f"runbook:{_q(self.slug)}#{_q(self.step)}"


Ref = Annotated[LogRef | MetricRef | CommitRef | RecordRef | RunbookRef, Field(discriminator="kind")]

_LOG = re.compile(r"log:(?P<source>[^@]+)@(?P<byte>[0-9]{1,18})\+(?P<lines>[0-9]{1,9})\Z")
_METRIC = re.compile(
    r"metric:(?P<source>[^/@]+)/(?P<service>[^/@]*)/(?P<name>[^/@]+)"
    r"@(?P<start>[^.]+(?:\.\d+)?Z)\.\.(?P<end>.+)\Z"
)
_COMMIT = re.compile(
    r"commit:(?P<source>[^/#]+)/(?P<sha>[0-9a-zA-Z._-]{1,64})(?:#(?P<path>[^:]+)(?::(?P<line>[0-9]{1,9}))?)?\Z"
)
_RECORD = re.compile(r"(?P<kind>deploy|flag|trace):(?P<source>[^#]+)#(?P<id>.+)\Z")
_RUNBOOK = re.compile(r"runbook:(?P<slug>[^#]+)#(?P<step>.+)\Z")
_ADAPTER: TypeAdapter[LogRef | MetricRef | CommitRef | RecordRef | RunbookRef] = TypeAdapter(Ref)
_NUMBERS = ("byte", "lines", "line")
_VERBATIM = ("start", "end", "kind", "sha")


def parse(text: str) -> LogRef | MetricRef | CommitRef | RecordRef | RunbookRef:
    """Read a citation; raise ToolError where it is not one."""
    for pattern in (_LOG, _METRIC, _COMMIT, _RECORD, _RUNBOOK):
        match = pattern.match(text)
        if match is None:
            continue
        fields: dict[str, object] = {
            key: int(value) if key in _NUMBERS else value if key in _VERBATIM else unquote(value)
            for key, value in match.groupdict().items()
            if value is not None
        }
        fields.setdefault("kind", text.partition(":")[0])
        try:
            return _ADAPTER.validate_python(fields)
        except ValueError as error:
            raise ToolError(f"not a citation: {text[:200]!r} ({error})") from error
    raise ToolError(f"not a citation: {text[:200]!r}")
