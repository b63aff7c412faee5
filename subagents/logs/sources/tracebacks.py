"""Where stack traces begin and end, whether only their first line has a stamp or a collector gave every line one.

Frames are found by one expression over a whole block. What kinds of lines stand around them is asked of all those at
once as well, so that traces are followed by numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

LEAD_LINES = 6
"""Lines before the first frame that may belong to its trace: what was thrown, and the line of source it shows."""
_FOLLOWING = 2
_FETCHED = 128
_TELLING = 2000
"""Characters of a line that tell what it is."""
STRANGE_LINES = 2
"""Lines among those that may be anything."""
LONGEST = 5_000
"""Most lines of one trace; what follows is an event of its own."""
LONGEST_KNOWN, MOST_RUNS = 400, 4_096
"""Lines of a run that is kept in mind, and how many are."""
_RUNS: dict[bytes, tuple[bytes, bytes]] = {}
"""What was made of runs of lines, by the kinds of their lines."""

GOROUTINE = r"^goroutine \d+ (?:\[|gp=)"
_FRAME = (
    r"^\s+at \S"  # Java, Node, .NET, Rust places
    r"|^\s*(?:\| +)*File \".+\", line \d+"  # Python
    r"|^\s*\S+\.go:\d+(?: \+0x|$)"  # Go places
    r"|^\s+\d+: +(?:0x[0-9a-f]+ - )?(?:<|[\w.$]+(?:::|<|$))"  # Rust frames
    r"|^\s*(?:from )?\S+\.rb:\d+:in "  # Ruby
    r"|^#\d+ \S+\.php\(\d+\): "  # PHP
    rf"|{GOROUTINE}"
)
_GO_CALL = r"^[\w./\-]+(?:\.[\w.*()\[\]\-]+)+\(.*\)$"
FRAME = quick(_FRAME)
"""Rust regex, for the text of a line without its stamp and without the space after it."""
GO_CALL = quick(_GO_CALL)
"""A function of Go; outside of a trace it may be any message."""
_ANY_FRAME = FRAME.replace("^", "^ ?")
_CORE = quick(
    _FRAME + "|" + _GO_CALL + r"|^(?:[\w.\-]+/)*[\w\-]+\.(?:\(\*?\w+\)\.)?[\w.]+$"  # the same, as zap writes it
    r"|^\s*(?:Caused by: |Suppressed: |\.\.\. \d+ (?:more|common|frames)| ?---> |--- End of |created by \S)"
    r"|^\[signal |^stack backtrace:|^Stack trace:$|^panic\(.*\)$|^note: |^\s*(?:\| *)*[+|]-?[+-]-|^#\d+ \{main\}"
)
_OPEN = quick(
    r"^(?:  \+ Exception Group )?Traceback \(most recent call last\)|^panic: |^fatal error: |^Exception in thread"
    r"|^thread '.*' panicked|^Unhandled exception|^Uncaught |^PHP (?:Fatal|Parse) error: "
    r"|^(?:file://)?/\S+\.(?:[cm]?js|ts):\d+$"
    r"|^(?:[A-Za-z_][\w$]*(?:\.|::))*(?:[A-Za-z_][\w$]*)?(?:Exception|Error|Throwable|Warning|Interrupt|Timeout|Failure|Fault)"
    r"(?: \(|:|$)"
)
_TRACEBACKS = ("Traceback (most", "  + Exception Group Traceback (most")
_LINKS = ("During handling of the above", "The above exception was the direct cause")
_PART = "|".join((_CORE, _OPEN, *(f"^{link}" for link in _LINKS), "^\t"))
_SOFT = quick(r"^\s{2,}\S|^\t|^[)\]}]+[;,]?\s*$|^exit status \d|^Node\.js v\d|^[\[(]|^\s+\^+\s*$")
_OWN_HEAD = quick(
    r"^\s*\[?(?:\d{4}[-/]\d\d[-/]\d\d|\d\d:\d\d:\d\d|(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERROR|FATAL|CRITICAL)\b)"
)
TROUBLE = r"(?i)error|exception|fatal|panic|traceback|fail|crit|unhandled|warn"
"""Rust regex: a line that speaks of trouble."""
CORE, OPEN, TRACEBACK, PYTHON, LINK, SOFT, BRACKET, OWN_HEAD, SPEAKS, BLANK = (1 << bit for bit in range(10))
"""Kinds of lines, by bit: one may be of several."""


def may_be_part(text: pl.Expr, or_has: str) -> pl.Expr:
    """Say which lines, by their text without stamp and space, may be part of a trace, whatever stands around them.

    Or they have an expression; one costs less than two.
    """
    return text.str.contains(f"{_PART}|{or_has}")


def _starts(text: pl.Expr, *beginnings: str) -> pl.Expr:
    """Say which texts have one of these beginnings; Polars keeps few regular expressions ready, so they are spared."""
    return reduce(or_, map(text.str.starts_with, beginnings))


def trace_lines(columns: pl.DataFrame, apart: Any) -> tuple[Any, Any]:
    """Return (lines that are part of a trace, those of them that continue the line before), as numpy masks.

    Lines of different hosts are never one trace, nor are lines `apart` (numpy bool) of one with the line before.
    """
    import numpy as np

    bodies = columns["body"]
    inside = np.zeros(bodies.len(), dtype=bool)
    joined = inside.copy()
    framed = bodies.str.contains(_ANY_FRAME).to_numpy()
    frames = np.flatnonzero(framed)
    if not len(frames):
        return inside, joined
    inside, joined = _Reader.of(columns, framed, apart).traces(frames)
    joined[:1] = False
    return inside, joined


@dataclass
class _Reader:
    """The lines of a block, by their kinds. Those near frames are told at once, others when they are asked for."""

    bodies: pl.Series
    spaced: pl.Series
    is_together: Any
    """numpy bool: lines that may be of one trace with the line before"""
    is_framed: Any
    """numpy bool: lines that are likely frames; in a trace they are"""
    told: Any
    """numpy int16: kinds of lines, -1 where it was not asked for"""
    fetched: dict[int, int] = field(default_factory=dict)
    """Of those"""
    asked: int = 0
    """How often a line had to be looked at again."""

    @classmethod
    def of(cls, columns: pl.DataFrame, framed: Any, apart: Any) -> _Reader:
        """Return the reader of a block of which some lines are likely frames (numpy bool)."""
        import numpy as np

        bodies, spaced, hosts = columns["body"], columns["spaced"], columns["host"]
        stamped = columns["stamped"].to_numpy()
        together = ~(apart | (stamped & ~np.append(False, stamped[:-1])))
        if hosts.null_count() < hosts.len():
            together &= ~(hosts.is_not_null() & hosts.ne_missing(hosts.shift(1))).to_numpy()
        together[0] = False
        rows = np.flatnonzero(_around(np.flatnonzero(framed), together))
        kinds = np.full(len(stamped), -1, np.int16)
        kinds[rows] = kinds_of(bodies[rows], spaced[rows])
        return cls(bodies, spaced, together, framed, kinds)

    @cached_property
    def together(self) -> list[bool]:
        """`is_together`, to be asked line by line."""
        return list(self.is_together.tolist())

    @cached_property
    def framed(self) -> list[bool]:
        """`is_framed`, to be asked line by line."""
        return list(self.is_framed.tolist())

    @cached_property
    def kinds(self) -> list[int]:
        """Kinds of lines, -1 where it was not asked for yet."""
        return list(self.told.tolist())

    def traces(self, frames: Any) -> tuple[Any, Any]:
        """Return (lines that are part of a trace, those of them that continue the line before), as numpy masks.

        What is made of lines that may be of one trace depends on their kinds alone, mostly: of each run of such lines
        that was met before it is known.
        """
        import numpy as np

        count = len(self.told)
        inside, joined = bytearray(count), bytearray(count)
        kinds, framed = self.told.tobytes(), self.is_framed.tobytes()
        begins = np.append(np.flatnonzero(~self.is_together), count)
        runs, first = np.unique(np.searchsorted(begins, frames, "right") - 1, return_index=True)
        parts = zip(begins[runs].tolist(), begins[runs + 1].tolist(), np.split(frames, first[1:]), strict=True)
        for begin, end, own in parts:
            key = kinds[2 * begin : 2 * end] + framed[begin:end]
            told = _RUNS.get(key)
            if told is None:
                asked = self.asked
                told = self._followed(begin, end, own.tolist())
                if self.asked == asked and end - begin <= LONGEST_KNOWN:
                    if len(_RUNS) >= MOST_RUNS:
                        _RUNS.clear()
                    _RUNS[key] = told
            inside[begin:end], joined[begin:end] = told
        return np.frombuffer(inside, bool), np.frombuffer(joined, bool)

    def _followed(self, begin: int, end: int, frames: list[int]) -> tuple[bytes, bytes]:
        """Return, of a run of lines that has these likely frames, what `traces` does."""
        inside, joined, behind = bytearray(end - begin), bytearray(end - begin), begin
        for frame in frames:
            if frame < behind or not self.kind(frame) & CORE:
                continue
            first = self.first_of(frame, behind)
            if first is None:
                continue
            behind, heads = self.follow(first, frame)
            for part in (inside, joined):
                part[first - begin : behind - begin] = b"\1" * (behind - first)
            for head in heads:
                joined[head - begin] = 0
        return bytes(inside), bytes(joined)

    def kind(self, row: int) -> int:
        """Return what kinds of lines one is, by what tells it: its beginning, without the space after its stamp."""
        kind = self.kinds[row]
        if kind >= 0:
            return kind
        self.asked += 1
        if row not in self.fetched:
            begin = max(0, row - LEAD_LINES)
            told = kinds_of(self.bodies.slice(begin, _FETCHED), self.spaced.slice(begin, _FETCHED)).tolist()
            self.fetched.update(enumerate(told, begin))
        return self.fetched[row]

    def text(self, row: int) -> str:
        """Return the beginning of a line."""
        self.asked += 1
        return str(self.bodies[row])[:_TELLING]

    def first_of(self, frame: int, floor: int) -> int | None:
        """Return the line that the trace with this first frame begins with; None where it has none."""
        first, opened, strange = frame, self.kind(frame) & OPEN > 0, 0
        for row in range(frame - 1, max(floor, frame - LEAD_LINES) - 1, -1):
            if not self.together[row + 1] or (kind := self.kind(row)) & OWN_HEAD:
                break
            if kind & OPEN:
                first, opened = row, True
            elif kind & CORE and not strange:
                first = row
            elif not kind & (BLANK | SOFT):
                strange += 1  # a message of several lines
                if opened or strange > STRANGE_LINES:
                    break
        return first if opened or first < frame else self._unopened(frame, floor)

    def _unopened(self, frame: int, floor: int) -> int | None:
        """Frames without what was thrown: they belong to the line before them."""
        return frame if frame > floor and self.together[frame] else None

    def follow(self, first: int, frame: int) -> tuple[int, list[int]]:
        """Return (the line after the trace, the lines that begin an event) of the traces that follow each other."""
        trace, count = _Trace(self.text), len(self.together)
        heads = [] if self._told_before(first) else [first]
        row, start = first, first
        while row < count and row - start < LONGEST:
            if row > first and not self.together[row]:
                break
            if trace.frames and self.framed[row]:
                trace.frames += 1
                row += 1
                continue
            kind = self.kind(row)
            step = trace.step(kind, row)
            if step == "end" and row < frame:
                step = "join"
            if step == "end" and not self._bridges(row, kind, trace):
                break
            if step == "new":
                heads.append(row)
                start = row
                trace = _Trace(self.text)
                trace.step(kind, row)
            row += 1
        while row > frame + 1 and not self.framed[row - 1] and self.kind(row - 1) & BLANK:
            row -= 1
        return row, heads

    def _told_before(self, first: int) -> bool:
        """Say whether the line before the trace speaks of the trouble."""
        return self.together[first] and (self.kind(first - 1) & SPEAKS > 0 or not self.kind(first) & OPEN)

    def _bridges(self, row: int, kind: int, trace: _Trace) -> bool:
        """One odd line amid frames."""
        if trace.finished or kind & OWN_HEAD or row + 1 >= len(self.together) or not self.together[row + 1]:
            return False
        after = self.kind(row + 1)
        return bool(after & CORE or after & (SOFT | OWN_HEAD) == SOFT)


def _around(frames: Any, together: Any) -> Any:
    """Return the lines by which it is told where the traces with such frames begin and end (numpy bool)."""
    import numpy as np

    found = np.zeros(len(together), bool)
    found[frames] = True
    before = behind = frames
    for _ in range(LEAD_LINES):
        before = before[together[before]] - 1
        found[before] = True
    for _ in range(_FOLLOWING):
        behind = behind[behind + 1 < len(together)] + 1
        behind = behind[together[behind]]
        found[behind] = True
    found[frames[1:][np.diff(frames) == 1]] = False  # a frame behind a frame: that is all that counts
    return found


def kinds_of(bodies: pl.Series, spaced: pl.Series) -> Any:
    """Return what kinds of lines some are (numpy)."""
    import numpy as np
    import polars as pl

    body = pl.col("body").str.slice(0, _TELLING).fill_null("")
    lines = pl.DataFrame({"body": bodies, "spaced": spaced}).select(
        text=pl.when("spaced").then(body.str.strip_prefix(" ")).otherwise(body)
    )
    text = pl.col("text")
    forms = {CORE: _CORE, OPEN: _OPEN, SOFT: _SOFT, OWN_HEAD: _OWN_HEAD, SPEAKS: TROUBLE}
    beginnings = {TRACEBACK: _TRACEBACKS, PYTHON: ("Traceback",), LINK: _LINKS, BRACKET: ("[", "(")}
    asked = {kind: text.str.contains(form) for kind, form in forms.items()}
    asked |= {kind: _starts(text, *some) for kind, some in beginnings.items()}
    asked[BLANK] = text.str.strip_chars() == ""
    found = lines.select_seq(**{str(kind): each for kind, each in asked.items()})
    kinds = np.zeros(lines.height, np.int16)
    for kind in asked:
        kinds[found[str(kind)].to_numpy()] |= kind
    return kinds


@dataclass
class _Trace:
    """What was read of the trace so far."""

    text: Callable[[int], str]
    frames: int = 0
    in_python: bool = False
    linked: bool = False
    finished: bool = False
    """What was thrown has been said after the frames, as Python does."""
    brackets: int = 0

    def step(self, kind: int, row: int) -> str:
        """Take a line: it joins the trace, begins a new one, or is none of it (`join`, `new`, `end`)."""
        if kind & BLANK:
            return "join"
        if self.brackets > 0:
            self._count(self.text(row))
            return "join"
        if kind & OWN_HEAD and self.frames:
            return "end"
        if kind & LINK:
            self.linked = True
            return "join"
        if kind & OPEN:
            return self._opened(kind)
        if kind & CORE:
            self.frames += 1
            return "join"
        if kind & SOFT:
            if kind & BRACKET:
                self._count(self.text(row))
            return "join"
        if self.in_python and self.frames:  # what was thrown, by a name that says nothing
            self.in_python, self.finished = False, True
            return "join"
        return "end" if self.frames else "join"

    def _opened(self, kind: int) -> str:
        if kind & TRACEBACK:
            if self.frames and not self.linked:
                return "new"
            self.in_python, self.linked, self.finished = kind & PYTHON > 0, False, False
            return "join"
        if self.in_python:
            self.in_python, self.finished = False, True
            return "join"
        return "new" if self.frames else "join"

    def _count(self, text: str) -> None:
        self.brackets += sum(map(text.count, "[(")) - sum(map(text.count, "])"))
