"""Where stack traces begin and end, whether only their first line has a stamp or a collector gave every line one.

Frames are found by one expression over a whole block; only around them are lines looked at one by one.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

LEAD_LINES = 6
"""Lines before the first frame that may belong to its trace: what was thrown, and the line of source it shows."""
_FETCHED = 128
_TELLING = 2000
"""Characters of a line that tell what it is."""
STRANGE_LINES = 2
"""Lines among those that may be anything."""
LONGEST = 5_000
"""Most lines of one trace; what follows is an event of its own."""

_FRAME = (
    r"^\s+at \S"  # Java, Node, .NET, Rust places
    r"|^\s*(?:\| +)*File \".+\", line \d+"  # Python
    r"|^\s*\S+\.go:\d+(?: \+0x|$)"  # Go places
    r"|^\s+\d+: +(?:0x[0-9a-f]+ - )?(?:<|[\w.$]+(?:::|<|$))"  # Rust frames
    r"|^\s*(?:from )?\S+\.rb:\d+:in "  # Ruby
    r"|^#\d+ \S+\.php\(\d+\): "  # PHP
    r"|^goroutine \d+ \["
)
_GO_CALL = r"^[\w./\-]+(?:\.[\w.*()\[\]\-]+)+\(.*\)$"
FRAME = quick(_FRAME)
"""Rust regex, for the text of a line without its stamp and without the space after it."""
GO_CALL = quick(_GO_CALL)
"""A function of Go; outside of a trace it may be any message."""
_ANY_FRAME = FRAME.replace("^", "^ ?")
_CORE = re.compile(
    _FRAME + "|" + _GO_CALL + r"|^(?:[\w.\-]+/)*[\w\-]+\.(?:\(\*?\w+\)\.)?[\w.]+$"  # the same, as zap writes it
    r"|^\s*(?:Caused by: |Suppressed: |\.\.\. \d+ (?:more|common|frames)| ?---> |--- End of |created by \S)"
    r"|^\[signal |^stack backtrace:|^Stack trace:$|^panic\(.*\)$|^note: |^\s*(?:\| *)*[+|]-?[+-]-|^#\d+ \{main\}"
)
_OPEN = re.compile(
    r"^(?:  \+ Exception Group )?Traceback \(most recent call last\)|^panic: |^fatal error: |^Exception in thread"
    r"|^thread '.*' panicked|^Unhandled exception|^Uncaught |^PHP (?:Fatal|Parse) error: "
    r"|^(?:file://)?/\S+\.(?:[cm]?js|ts):\d+$"
    r"|^(?:[A-Za-z_][\w$]*(?:\.|::))*(?:[A-Za-z_][\w$]*)?(?:Exception|Error|Throwable|Warning|Interrupt|Timeout|Failure|Fault)"
    r"(?: \(|:|$)"
)
_TRACEBACK = re.compile(r"^(?:  \+ Exception Group )?Traceback \(most")
_LINK = re.compile(r"^(?:During handling of the above|The above exception was the direct cause)")
ANY_PART = quick("|".join((_CORE.pattern, _OPEN.pattern, _LINK.pattern, r"^\t")))
"""Rust regex for the same text: a line that may be part of a trace, whatever stands around it."""
_SOFT = re.compile(r"^\s{2,}\S|^\t|^[)\]}]+[;,]?\s*$|^exit status \d|^Node\.js v\d|^[\[(]|^\s+\^+\s*$")
_OWN_HEAD = re.compile(
    r"^\s*\[?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b)"
)
_TROUBLE = re.compile(r"error|exception|fatal|panic|traceback|fail|crit|unhandled|warn", re.IGNORECASE)


def trace_lines(columns: pl.DataFrame, apart: Any) -> tuple[Any, Any]:
    """Return (lines that are part of a trace, those of them that continue the line before), as numpy masks.

    Lines of different hosts are never one trace, nor are lines `apart` (numpy bool) of one with the line before.
    """
    import numpy as np

    bodies = columns["body"]
    inside = np.zeros(bodies.len(), dtype=bool)
    joined = inside.copy()
    framed = bodies.str.contains(_ANY_FRAME)
    frames = np.flatnonzero(framed.to_numpy())
    if not len(frames):
        return inside, joined
    reader = _Reader.of(columns, framed, apart)
    end = 0
    for frame in frames.tolist():
        if frame < end or not _CORE.match(reader.text(frame)):
            continue
        first = reader.first_of(frame, end)
        if first is None:
            continue
        end, heads = reader.follow(first, frame)
        inside[first:end] = True
        joined[first:end] = True
        joined[heads] = False
    joined[:1] = False
    return inside, joined


@dataclass
class _Reader:
    """The lines of a block, one by one. Those near frames are fetched at once, others when they are asked for."""

    bodies: pl.Series
    stamped: list[bool]
    spaced: list[bool]
    apart: list[bool]
    """Lines of another host than the one before, or not the next after it."""
    framed: list[bool]
    """Lines that are likely frames: in a trace they are."""
    near: dict[int, str]
    _from: int = 0
    _texts: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, columns: pl.DataFrame, framed: pl.Series, apart: Any) -> _Reader:
        """Return the reader of a block of which some lines are likely frames."""
        import numpy as np

        bodies, hosts = columns["body"], columns["host"]
        if hosts.null_count() < hosts.len():
            apart = apart | (hosts.is_not_null() & hosts.ne_missing(hosts.shift(1))).to_numpy()
        marks = np.flatnonzero(framed.to_numpy())
        close = np.zeros(bodies.len(), dtype=bool)
        for step in range(-LEAD_LINES, 3):
            close[np.clip(marks + step, 0, len(close) - 1)] = True
        rows = np.flatnonzero(close)
        near = dict(zip(rows.tolist(), _told(bodies.gather(rows)), strict=True))
        return cls(
            bodies, columns["stamped"].to_list(), columns["spaced"].to_list(), apart.tolist(), framed.to_list(), near
        )

    def text(self, row: int) -> str:
        """Return a line without the space after its stamp, cut to what tells its kind."""
        text = self.near.get(row)
        if text is None:
            if not self._from <= row < self._from + len(self._texts):
                self._from = max(0, row - LEAD_LINES)
                self._texts = _told(self.bodies.slice(self._from, _FETCHED))
            text = self._texts[row - self._from]
        return text[1:] if text[:1] == " " and self.spaced[row] else text

    def together(self, row: int) -> bool:
        """Say whether a line may be of one trace with the line before it."""
        return not (self.apart[row] or (self.stamped[row] and not self.stamped[row - 1]))

    def first_of(self, frame: int, floor: int) -> int | None:
        """Return the line that the trace with this first frame begins with; None where it has none."""
        first, opened, strange = frame, _OPEN.match(self.text(frame)) is not None, 0
        for row in range(frame - 1, max(floor, frame - LEAD_LINES) - 1, -1):
            text = self.text(row)
            if not self.together(row + 1) or _OWN_HEAD.match(text):
                break
            if _OPEN.match(text):
                first, opened = row, True
            elif _CORE.match(text) and not strange:
                first = row
            elif text.strip() and not _SOFT.match(text):
                strange += 1  # a message of several lines
                if opened or strange > STRANGE_LINES:
                    break
        return first if opened or first < frame else self._unopened(frame, floor)

    def _unopened(self, frame: int, floor: int) -> int | None:
        """Frames without what was thrown: they belong to the line before them."""
        return frame if frame > floor and self.together(frame) else None

    def follow(self, first: int, frame: int) -> tuple[int, list[int]]:
        """Return (the line after the trace, the lines that begin an event) of the traces that follow each other."""
        trace = _Trace()
        heads = [] if self._told_before(first) else [first]
        row, start = first, first
        while row < min(len(self.stamped), start + LONGEST):
            if row > first and not self.together(row):
                break
            if trace.frames and self.framed[row]:
                trace.frames += 1
                row += 1
                continue
            text = self.text(row)
            step = trace.step(text)
            if step == "end" and row < frame:
                step = "join"
            if step == "end" and not self._bridges(row, text, trace):
                break
            if step == "new":
                heads.append(row)
                start = row
                trace = _Trace()
                trace.step(text)
            row += 1
        while row > frame + 1 and not self.text(row - 1).strip():
            row -= 1
        return row, heads

    def _told_before(self, first: int) -> bool:
        """Say whether the line before the trace speaks of the trouble."""
        if first == 0 or (self.stamped[first] and not self.stamped[first - 1]):
            return False
        return self.together(first) and (
            _TROUBLE.search(self.text(first - 1)) is not None or not _OPEN.match(self.text(first))
        )

    def _bridges(self, row: int, text: str, trace: _Trace) -> bool:
        """One odd line amid frames."""
        if trace.finished or _OWN_HEAD.match(text) or row + 1 >= len(self.stamped) or not self.together(row + 1):
            return False
        after = self.text(row + 1)
        return bool(_CORE.match(after) or (_SOFT.match(after) and not _OWN_HEAD.match(after)))


def _told(bodies: pl.Series) -> list[str]:
    return bodies.str.slice(0, _TELLING).fill_null("").to_list()


@dataclass
class _Trace:
    """What was read of the trace so far."""

    frames: int = 0
    in_python: bool = False
    linked: bool = False
    finished: bool = False
    """What was thrown has been said after the frames, as Python does."""
    brackets: int = 0

    def step(self, text: str) -> str:
        """Take a line: it joins the trace, begins a new one, or is none of it (`join`, `new`, `end`)."""
        if not text.strip():
            return "join"
        if self.brackets > 0:
            self._count(text)
            return "join"
        if _OWN_HEAD.match(text) and self.frames:
            return "end"
        if _LINK.match(text):
            self.linked = True
            return "join"
        if _OPEN.match(text):
            return self._opened(text)
        if _CORE.match(text):
            self.frames += 1
            return "join"
        if _SOFT.match(text):
            if text[0] in "[(":
                self._count(text)
            return "join"
        if self.in_python and self.frames:  # what was thrown, by a name that says nothing
            self.in_python, self.finished = False, True
            return "join"
        return "end" if self.frames else "join"

    def _opened(self, text: str) -> str:
        if _TRACEBACK.match(text):
            if self.frames and not self.linked:
                return "new"
            self.in_python, self.linked, self.finished = text[0] == "T", False, False
            return "join"
        if self.in_python:
            self.in_python, self.finished = False, True
            return "join"
        return "new" if self.frames else "join"

    def _count(self, text: str) -> None:
        self.brackets += sum(map(text.count, "[(")) - sum(map(text.count, "])"))
