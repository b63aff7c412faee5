"""All log files of an incident: opened lazily, indexed once per state of the files, cited exactly."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from subagents import citations
from subagents.contract import Evidence, Problem, SourceSpec, ToolError
from subagents.logs.index import LogIndex, OnBlock
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.reader import is_packed, lines_around, read_spans

MAX_CONTEXT = 500
_HALF_HOUR = 1800.0
_NEAR = 300.0


@dataclass(frozen=True)
class Place:
    """An event: which source, which byte, how many lines."""

    source: int
    byte: int
    lines: int


@dataclass
class LogSet:
    """The log sources of a session, in this process."""

    specs: Sequence[SourceSpec]
    _index: LogIndex | None = None
    _state: tuple[tuple[int, int], ...] = ()
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @cached_property
    def sources(self) -> list[LogSource]:
        """The sources, in the order given."""
        return [LogSource(spec) for spec in self.specs if spec.kind == "logs"]

    def index(self, cancelled: Callable[[], bool] = lambda: False, on_block: OnBlock | None = None) -> LogIndex:
        """Return the index of the files as they are now; built once, again when a file has changed."""
        if not self.sources:
            raise ToolError("the incident has no log files; attach some to search them")
        with self._lock:
            state = self.state()
            if self._index is None or state != self._state:
                self._index, self._state = LogIndex.build(self.sources, cancelled, on_block), state
            return self._index

    def state(self) -> tuple[tuple[int, int], ...]:
        """Return (time of change in ns, bytes) of each file: as long as it is the same, so is what was read."""
        return tuple(self._stat(source) for source in self.sources)

    @staticmethod
    def _stat(source: LogSource) -> tuple[int, int]:
        try:
            stat = source.path.stat()
        except OSError:
            return (0, 0)
        return (stat.st_mtime_ns, stat.st_size)

    def ref(self, place: Place) -> str:
        """Return the citation of an event."""
        return str(citations.LogRef(source=self.sources[place.source].id, byte=place.byte, lines=place.lines))

    def cite(self, places: Sequence[tuple[Place, str]]) -> tuple[Evidence, ...]:
        """Freeze events as evidence, in the order given, without repeats; one pass per file."""
        by_source: dict[int, dict[Place, str]] = {}
        for place, label in places:
            by_source.setdefault(place.source, {}).setdefault(place, label)
        found: dict[Place, Evidence] = {}
        for number, wanted in by_source.items():
            try:
                spans = read_spans(self.sources[number].path, [(place.byte, place.lines) for place in wanted])
            except OSError as error:
                raise ToolError(f"{self.sources[number].name} cannot be read any more ({error.strerror})") from error
            for (place, label), span in zip(wanted.items(), spans, strict=True):
                found[place] = span.evidence(self.ref(place), label)
        return tuple(found[place] for place in dict.fromkeys(place for place, _ in places))

    def texts(self, source: int, places: Sequence[tuple[int, int]]) -> list[str]:
        """Return what stands at some (byte, lines) of one file, long texts cut; one pass."""
        try:
            spans = read_spans(self.sources[source].path, places)
        except OSError as error:
            raise ToolError(f"{self.sources[source].name} cannot be read any more ({error.strerror})") from error
        return [span.head.decode(errors="replace") for span in spans]

    def by_id(self, source: str) -> LogSource:
        """Return a source by its id; raise ToolError with the ids there are."""
        for each in self.sources:
            if each.id == source:
                return each
        known = ", ".join(each.id for each in self.sources[:20]) or "none"
        raise ToolError(f"no log source {source!r}; there are: {known}")

    def open(self, ref: str) -> tuple[LogSource, citations.LogRef]:
        """Return what a log citation points to."""
        try:
            parsed = citations.parse(ref)
        except ToolError:
            parsed = None
        if not isinstance(parsed, citations.LogRef):
            raise ToolError(f"not a log citation: {ref[:200]!r}; one looks like log:app.log@1024+1")
        return self.by_id(parsed.source), parsed

    def around(self, ref: str, before: int, after: int) -> tuple[citations.LogRef, int, bytes]:
        """Return (the parsed citation, lines before it, bytes) with whole lines of context."""
        source, parsed = self.open(ref)
        try:
            if not _starts_a_line(source.path, parsed.byte):
                raise ToolError(
                    f"no line of {source.name} starts at byte {parsed.byte}: take the position as it was given"
                )
            start, _, data = lines_around(
                source.path, parsed.byte, parsed.lines, min(before, MAX_CONTEXT), min(after, MAX_CONTEXT)
            )
        except OSError as error:
            raise ToolError(f"{source.name} cannot be read ({error.strerror})") from error
        return parsed, data[: parsed.byte - start].count(b"\n"), data

    def skew(self) -> tuple[Problem, ...]:
        """Report sources whose clock seems to be whole half hours off the others; nothing is reordered."""
        spans = [(s.tally.first, s.tally.last, s) for s in self.sources if s.tally.first is not None]
        found = []
        for first, last, source in spans:
            others = [each for each in spans if not _one_log(each[2], source)]
            if not others or first is None or last is None:
                continue
            low = min(each[0] for each in others if each[0] is not None)
            high = max(each[1] for each in others if each[1] is not None)
            shift = _half_hours((low - first) / 1e6, (high - last) / 1e6, apart=first > high or last < low)
            if shift is not None:
                found.append(_skewed(source.name, -shift / 3600, apart=first > high or last < low))
        return tuple(found)


def _starts_a_line(path: Path, byte: int) -> bool:
    """Say whether a line starts there; where a file is compressed or ends before it, that is found out by reading."""
    if not byte or is_packed(path):
        return True
    with path.open("rb") as raw:
        raw.seek(byte - 1)
        return raw.read(1) in (b"\n", b"")


def _one_log(one: LogSource, other: LogSource) -> bool:
    """Say whether two files are parts of one log that was rotated."""
    if one is other:
        return True
    stems = [_ROTATION.sub("", source.path.name) for source in (one, other)]
    return stems[0] == stems[1] and one.path.name != other.path.name


_ROTATION = re.compile(r"(?:[-_.]\d[\d_.-]*(?=\.|$)|\.(?:gz|zst|old|log|jsonl|json|txt))+")


def _skewed(name: str, hours: float, *, apart: bool) -> Problem:
    way = "after" if hours > 0 else "before"
    where = f"{way} all other sources" if apart else f"{way} the others, from its first to its last"
    return Problem(
        what=f"its times lie {abs(hours):g} h {where}: perhaps another time zone",
        where=name,
        lost="nothing; it was not shifted",
        todo="check the host's zone",
    )


def _half_hours(start: float, end: float, *, apart: bool) -> float | None:
    """Return the shift in seconds, if one of whole half hours up to 14 h brings the ends within five minutes.

    One end is enough for spans that lie apart; where they overlap, both ends must tell the same.
    """
    shift = round(start / _HALF_HOUR) * _HALF_HOUR
    near = [abs(end - shift) < _NEAR, abs(start - shift) < _NEAR]
    return shift if shift and abs(shift) <= 14 * 3600 and (any(near) if apart else all(near)) else None
