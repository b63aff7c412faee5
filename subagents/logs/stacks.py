"""Stack traces: frames read from eight runtimes, grouped by exception and frames, own code told from the rest."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from itertools import pairwise

from subagents.logs.causes import LINKS, outward, parts_of
from subagents.logs.sources.tracebacks import GOROUTINE
from subagents.logs.stack_frames import StackFrame

MAX_FRAMES = 60
_LONGEST = 32_768
"""Characters of a trace that are read."""

_JAVA = re.compile(r"^\s*at (?:[\w.]+/)*(?P<function>[\w.$<>]+)\((?:(?P<file>[\w$]+\.\w+):(?P<line>\d+)|[^)]*)\)")
_NODE = re.compile(
    r"^\s*at (?:(?:async )?(?P<function>[^()]+?) \()?(?P<file>(?:file://|node:)?[^():]+):(?P<line>\d+):\d+\)?"
)
_DOTNET = re.compile(r"^\s*at (?P<function>.+?\(.*?\))(?: in (?P<file>.+):line (?P<line>\d+))?\s*$")
_PYTHON = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)(?:, in (?P<function>.+))?')
_GO_PLACE = re.compile(r"^\s*(?P<file>\S+\.go):(?P<line>\d+)(?P<rest>.*)$")
_GO_CALL = re.compile(
    r"^(?:created by )?(?P<function>[\w./\-]+(?:\.[\w.*()\[\]\-]+)+?)\(.*\)$|^created by (?P<made>\S+)"
)
_GOROUTINE = re.compile(GOROUTINE)
_RUST_CALL = re.compile(r"^\s*\d+: +(?:0x[0-9a-f]+ - )?(?P<function>[\w<].*)$")
_RUST_PLACE = re.compile(r"^\s+at (?P<file>\S+\.rs):(?P<line>\d+)(?::\d+)?")
ANY_PLACE = (
    r"(?P<file>(?:[\w.@~-]*/)*[\w.-]+\.(?:go|py|js|mjs|ts|tsx|java|kt|scala|rb|rs|cs|php|cc|cpp|c|ex|exs|swift)):(?P<line>\d+)"
    r"(?::\d+)?\)?(?:[ \t]+(?:in |at )?(?P<function>[\w.$:<>*()]+))?"
)
"""Regex, also for Rust: a place in the source, as programs of any kind write it."""
_ANY_PLACE = re.compile(ANY_PLACE)
_NOT_OWN = re.compile(
    r"(?:^|/)(?:site-packages|dist-packages|node_modules|vendor|\.cargo|rustc|pkg/mod|go/src|go-\d[\w.]*/src|gems)/"
    r"|/lib/python\d|^<frozen|^node:|^internal/|^/rustc/|^/usr/(?:local/)?(?:lib|go)/|^/usr/lib"
    r"|^(?:java|javax|jakarta|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|clojure)\."
    r"|^(?:org\.(?:springframework|apache|hibernate|eclipse|junit|jboss|postgresql|slf4j|reactivestreams|aspectj|mariadb)"
    r"|io\.(?:netty|grpc|micrometer|vertx|undertow|lettuce|opentelemetry|projectreactor)|ch\.qos"
    r"|com\.(?:fasterxml|google\.(?:common|inject|protobuf)|mysql|zaxxer|netflix|mongodb|squareup|amazonaws)"
    r"|reactor|okhttp3|retrofit2|feign|redis\.clients|rx|akka|software\.amazon)\."
    r"|^(?:System|Microsoft)\.|^(?:std|core|alloc|tokio|hyper|rayon|backtrace|futures)(?:::|_)"
    r"|^(?:runtime|net/http|net|internal/|sync|reflect|testing|syscall)[./(]|^panic\("
)
_EXCEPTION = re.compile(
    r"^(?:.*?\b)?(?P<type>(?:[A-Za-z_][\w$]*(?:\.|::))*[A-Z][\w$]*(?:Exception|Error|Throwable|Warning|Interrupt|Exit"
    r"|Timeout|Fault|Failure))\b(?: \([^)]*\))?(?:: ?(?P<message>.*))?"
    r"|^(?:.*\[cause\]: |Uncaught )?(?P<plain>Error|Exception)(?:: (?P<said>.*)|$)"
)
ENDS = "Exception|Error|Throwable|Warning|Interrupt|Exit|Timeout|Fault|Failure"
_MAYBE = re.compile(ENDS)
_PY_LAST = re.compile(r"^(?P<type>[A-Za-z_]\w*(?:\.\w+)*): (?P<message>.*)|^(?P<bare>(?:[A-Za-z_]\w*\.)*[A-Z]\w+)$")
_RUBY = re.compile(r"^\s*(?:from )?(?P<file>\S+\.rb):(?P<line>\d+):in [`'](?P<function>[^']+)'")
_RUBY_HEAD = re.compile(
    r"(?P<type>[A-Z]\w*(?:::\w+)*) \((?P<message>.*)\):$|': (?P<said>.*) \((?P<raised>[A-Z][\w:]*)\)$"
)
_PHP = re.compile(r"^#\d+ (?P<file>\S+\.php)\((?P<line>\d+)\): (?P<function>.*?)(?:\(.*)?$")
_PHP_HEAD = re.compile(r"Uncaught (?P<type>[\w\\]+): (?P<message>.*) in (?P<file>\S+\.php):(?P<line>\d+)$")
_GROUPED = re.compile(r"^ *(?:[|+] ?)+(?:-[-+ ]*(?:\d+ -+)?$)?")
_PANIC = re.compile(r"(?:^|\s)(?P<type>panic|fatal error): ?(?P<message>.*)")
_RUST_PANIC = re.compile(r"thread '.*?' panicked at (?P<message>.*)")


@dataclass(frozen=True)
class Trace:
    """One stack trace, read."""

    exception: str
    message: str
    language: str
    frames: tuple[StackFrame, ...]

    @property
    def id(self) -> str:
        """The same exception with the same frames has the same id."""
        places = "\n".join(f"{frame.function} {frame.place}" for frame in self.frames)
        return "s-" + hashlib.sha256(f"{self.exception}\n{places}".encode()).hexdigest()[:10]


def trace_of(frames: str, full: str, known: Frames | None = None) -> Trace | None:
    """Read a trace of a log as it is counted, by the lines that tell its frames; None where the text holds no frame.

    `known`: what was read of those lines before.
    """
    return read_trace(full[:_LONGEST], known or frames_of(frames.split("\n")))


Frames = tuple[str, tuple[StackFrame, ...]]
"""A language and frames in it."""
_BY_FRAMES = frozenset({"Python", "Java", "Node", "Go"})
"""Languages whose frames are told by the lines that are frames alone."""


def read_trace(full: str, frames: Frames | None = None) -> Trace | None:
    """Read a stack trace, innermost frame first; None where the text holds no frame.

    `frames`: what was read of the same frames before.
    """
    lines = full.split("\n")
    if "Exception Group Traceback" in full:
        lines, frames = [_GROUPED.sub("", line) for line in lines], None
    language, found = frames if frames is not None and frames[0] in _BY_FRAMES else frames_of(lines)
    if not found:
        return None
    exception, message = _exception(lines, language)
    return Trace(exception, message[:300], language, tuple(found[:MAX_FRAMES]))


def frames_of(lines: list[str]) -> Frames:
    """Return the frames of a trace, innermost first, and their language; none where there are none."""
    for language, reader in _READERS:
        frames = reader(lines)
        if frames:
            return language, tuple(frames)
    return "", ()


def told_by(line: str) -> tuple[object, ...]:
    """Return what a line tells of the trace that stands below it: the names of what was thrown, and its own frames."""
    named = [_exception([line], language)[0] for language in ("Python", "Ruby", "PHP")]
    return *named, _exception([line, "at "], "")[0], frames_of([line])


def _frame(function: str, path: str, line: str | None) -> StackFrame:
    path = path.removeprefix("file://")
    own = not (_NOT_OWN.search(path) or _NOT_OWN.search(function)) and bool(path)
    return StackFrame(function=function.strip()[:200], path=path[:300], line=int(line) if line else None, own=own)


def _python(lines: list[str]) -> list[StackFrame]:
    found = [_frame(m["function"] or "", m["file"], m["line"]) for text in lines if (m := _PYTHON.match(text))]
    return found[::-1]


def _java(lines: list[str]) -> list[StackFrame]:
    found = outward(parts_of(lines, "Java"), _java_frames) or _java_frames(lines)
    return found if any(frame.path.endswith((".java", ".kt", ".scala", ".groovy")) for frame in found) else []


def _java_frames(lines: list[str]) -> list[StackFrame]:
    found = []
    for text in lines:
        match = _JAVA.match(text)
        if match is None or "." not in match["function"]:
            continue
        path = ""
        if match["file"]:
            package = match["function"].split(".")[:-2]
            path = "/".join([*package, match["file"]])
        found.append(_frame(match["function"], path, match["line"]))
    return found


def _node(lines: list[str]) -> list[StackFrame]:
    return outward(parts_of(lines, "Node"), _node_frames)


def _node_frames(lines: list[str]) -> list[StackFrame]:
    return [_frame(m["function"] or "", m["file"], m["line"]) for text in lines if (m := _NODE.match(text))]


def _dotnet(lines: list[str]) -> list[StackFrame]:
    return outward(parts_of(lines, ".NET"), _dotnet_frames)


def _dotnet_frames(lines: list[str]) -> list[StackFrame]:
    return [_frame(m["function"], m["file"] or "", m["line"]) for text in lines if (m := _DOTNET.match(text))]


def _go(lines: list[str]) -> list[StackFrame]:
    """Read the goroutine that a dump is about: the first that runs, for it panicked or asked; else one of own code."""
    heads = [number for number, text in enumerate(lines) if _GOROUTINE.match(text)]
    if not heads:
        return _go_frames(lines)
    parts = [lines[begin:end] for begin, end in pairwise([*heads, len(lines)])]
    read = [(part[0], frames) for part in parts if (frames := _go_frames(part))]
    if not read or "[running" in read[0][0]:
        return read[0][1] if read else _go_frames(lines)
    return next((frames for _, frames in read if any(frame.own for frame in frames)), read[0][1])


def _go_frames(lines: list[str]) -> list[StackFrame]:
    found, function = [], ""
    for text in lines:
        place = _GO_PLACE.match(text)
        if place is not None and (text[:1] in "\t " or function):
            found.append(_frame(function, place["file"], place["line"]))
            function = ""
            continue
        call = _GO_CALL.match(text)
        function = (call["function"] or call["made"]) if call is not None else ""
    return found if any(frame.function for frame in found) else []


def _rust(lines: list[str]) -> list[StackFrame]:
    found, function = [], ""
    for text in lines:
        call = _RUST_CALL.match(text)
        if call is not None:
            function = call["function"]
            continue
        place = _RUST_PLACE.match(text)
        if place is not None and function:
            found.append(_frame(function, place["file"], place["line"]))
    return found


def _ruby(lines: list[str]) -> list[StackFrame]:
    found = [_frame(m["function"], m["file"], m["line"]) for text in lines if (m := _RUBY.match(text))]
    absolute = [frame for frame in found if frame.path.startswith("/")]
    return absolute or found  # a framework says the first place twice


def _php(lines: list[str]) -> list[StackFrame]:
    calls = [_frame(m["function"], m["file"], m["line"]) for text in lines if (m := _PHP.match(text))]
    thrown = [_frame("", m["file"], m["line"]) for text in lines if (m := _PHP_HEAD.search(text))]
    return thrown[:1] + calls if calls else []


def _anything(lines: list[str]) -> list[StackFrame]:
    found = []
    for text in lines[:200]:
        for match in _ANY_PLACE.finditer(text):
            found.append(_frame(match["function"] or "", match["file"], match["line"]))
    return found


def _exception(lines: list[str], language: str) -> tuple[str, str]:
    """Return what was thrown and what it says: the deepest cause, where the runtime writes causes below."""
    if language == "Python":
        for text in reversed(lines):
            match = _PY_LAST.match(text.strip("\r")) if text[:1] not in (" ", "\t", "") else None
            if match is not None:
                return match["type"] or match["bare"], match["message"] or ""
    if language in ("Ruby", "PHP"):
        return _headed(lines, _RUBY_HEAD if language == "Ruby" else _PHP_HEAD)
    told = "\n".join(lines)
    panicked = "panic" in told or "fatal error" in told
    for number, text in enumerate(lines if panicked else ()):
        if (rust := _RUST_PANIC.search(text)) is not None:
            return "panic", _rust_message(rust["message"], lines[number + 1 : number + 2])
        if (panic := _PANIC.search(text)) is not None:
            return panic["type"], panic["message"].removesuffix(" [recovered]")
    parts = parts_of(lines, language)
    for depth in reversed(range(len(parts))):
        if (found := _thrown(list(map(str.strip, parts[depth])), is_cause=depth > 0)) is not None:
            return found
    return "", lines[0].strip()


def _thrown(lines: list[str], *, is_cause: bool) -> tuple[str, str] | None:
    """Return the name of what was thrown and what it says; None where no line names it.

    A cause, and what stands between the message, where there is one, and the first frame, may have any name.
    """
    first = next((number for number, text in enumerate(lines) if text.startswith("at ")), 0)
    for number, text in enumerate(lines):
        if text.startswith("at "):
            continue
        match = _EXCEPTION.match(text) if _MAYBE.search(text) else None
        if match is not None:
            return match["type"] or match["plain"], match["message"] or match["said"] or ""
        may_be_any = (is_cause and not number) or min(1, first - 1) <= number < first
        if may_be_any and (named := _NAMED.match(text)) is not None:
            return named["type"], named["message"] or ""
    return None


_NAMED = re.compile(rf"^(?:{LINKS})?(?P<type>(?:[A-Za-z_][\w$]*\.)*[A-Z][\w$]*)(?:: ?(?P<message>.*)|$)")


def _headed(lines: list[str], head: re.Pattern[str]) -> tuple[str, str]:
    match = next((match for text in lines if (match := head.search(text)) is not None), None)
    if match is None:
        return "", lines[0].strip()
    groups = match.groupdict()
    return groups["type"] or groups["raised"], groups["message"] or groups.get("said") or ""


def _rust_message(told: str, after: list[str]) -> str:
    """Newer versions say it on the line after the place, older ones in quotes before the place."""
    quoted = re.match(r"'(?P<message>.*)', \S+:\d+:\d+$", told)
    if quoted is not None:
        return quoted["message"]
    return after[0] if after and re.search(r":\d+:\d+:$", told) else told


_READERS = (
    ("Python", _python), ("Rust", _rust), ("Ruby", _ruby), ("PHP", _php), ("Go", _go), ("Java", _java),
    ("Node", _node), (".NET", _dotnet), ("", _anything),
)  # fmt: skip
