"""A diff made ready for a person: files, what changes besides text in words, exact lines with nothing hidden. Pure.

Lines end at a line feed and nowhere else, so that no character in a file can begin a new file or hunk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from orchestrator.journal.text import clean, hidden_count
from tui.views.page import PageLine
from tui.views.paint import Line, Span, Tone, line, span

LONG_LINE = 400
"""Characters from which a line is called very long."""
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_MODES = {"100644": "a file", "100755": "an executable file", "120000": "a symbolic link", "160000": "a submodule"}
_TONES: dict[str, Tone] = {"+": "good", "-": "bad", " ": "plain", "\\": "dim"}


@dataclass(frozen=True)
class DiffFile:
    """One file of a diff."""

    path: str
    change: str
    """`modified`, `added`, `deleted`, `renamed`, …"""
    words: tuple[str, ...]
    """What must be known beside the text that changes."""
    added: int
    removed: int
    hidden: int
    lines: tuple[PageLine, ...]


@dataclass
class _Reading:
    """A file while its part of the diff is read."""

    head: str
    old: str = ""
    new: str = ""
    change: str = "modified"
    words: list[str] = field(default_factory=list)
    modes: dict[str, str] = field(default_factory=dict)
    body: list[str] = field(default_factory=list)


def files_of(diff: str, notes: Sequence[tuple[str, str]] = ()) -> tuple[DiffFile, ...]:
    """Read a diff as git writes it; `notes` are (path, what else is known of that file)."""
    made = [_finished(one, notes) for one in _readings(diff)]
    if not made and diff.strip():
        return (DiffFile("(not a diff)", "unread", (), 0, 0, hidden_count(diff), plain_lines(diff)),)
    return tuple(made)


def plain_lines(text: str) -> tuple[PageLine, ...]:
    """Return a text as it is, line by line, with nothing hidden."""
    return tuple(PageLine(exact_line(one)) for one in text.removesuffix("\n").split("\n"))


def exact_line(text: str, tone: Tone = "plain") -> Line:
    """Return one line as it is; each character that would be hidden is written out, in reverse."""
    text = text.expandtabs(8)
    if text.isascii() and text.isprintable():
        return (span(text, tone),) if text else ()
    return tuple(_spans(text, tone))


def _spans(text: str, tone: Tone) -> Iterator[Span]:
    start = 0
    for end, hidden in _changes(text):
        part = text[start:end]
        yield Span(clean(part, newlines=False, exact=True), "match" if hidden else tone)
        start = end


def _changes(text: str) -> Iterator[tuple[int, bool]]:
    """Yield (one past its last character, whether it is hidden) for each run."""
    last: bool | None = None
    for at, char in enumerate(text):
        hidden = not char.isprintable() and clean(char, newlines=False, exact=True) != char
        if last is not None and hidden != last:
            yield at, last
        last = hidden
    if last is not None:
        yield len(text), last


def _readings(diff: str) -> Iterator[_Reading]:
    current: _Reading | None = None
    for text in diff.removesuffix("\n").split("\n"):
        if text.startswith("diff --git "):
            if current is not None:
                yield current
            current = _Reading(text)
        elif current is None:
            continue
        elif current.body or text.startswith("@@ "):
            current.body.append(text)
        else:
            _learn(current, text)
    if current is not None:
        yield current


def _learn(file: _Reading, text: str) -> None:
    """Take one line of a file's head into account."""
    key, _, value = text.partition(" ")
    match key:
        case "---" | "+++":
            side = "old" if key == "---" else "new"
            if value != "/dev/null":
                setattr(file, side, _path(value.rstrip("\t")))
        case "old" | "new" | "deleted" if (found := re.search(r"mode (\d+)", text)) is not None:
            added = text.startswith("new file")
            file.modes["new" if key == "new" else "old"] = found[1]
            file.change = "added" if added else "deleted" if key == "deleted" else file.change
        case "rename" | "copy":
            which, _, path = value.partition(" ")
            setattr(file, "old" if which == "from" else "new", path)
            file.change = "renamed" if key == "rename" else "copied"
        case "similarity":
            file.words.append(f"{value.rpartition(' ')[2]} of its lines stay")
        case "Binary" | "GIT":
            file.words.append("binary: its bytes are not shown here")


def _path(text: str) -> str:
    text = text.strip('"') if text.startswith('"') else text
    return text[2:] if text[:2] in ("a/", "b/") else text


def _named(file: _Reading) -> str:
    """Return the file's path, from the head line where nothing else names it."""
    if file.new or file.old:
        return file.new or file.old
    rest = file.head.removeprefix("diff --git ")
    half = (len(rest) - 1) // 2
    return _path(rest[half + 1 :]) if _path(rest[:half]) == _path(rest[half + 1 :]) else rest


def _finished(file: _Reading, notes: Sequence[tuple[str, str]]) -> DiffFile:
    path = _named(file)
    lines = tuple(_numbered(file.body))
    changed = [text for text in file.body if text[:1] in ("+", "-")]
    added = sum(text[0] == "+" for text in changed)
    words = [*_mode_words(file), *file.words, *_text_words(file.body, changed)]
    if file.change in ("renamed", "copied"):
        words.insert(0, f"{file.change} from {file.old}")
    words += [note for about, note in notes if about == path and note]
    if not lines:
        lines = (PageLine(line(("(no text to show: what changes is said above)", "dim"))),)
    hidden = hidden_count("\n".join(changed) + "\n") + hidden_count(path)
    return DiffFile(path, file.change, tuple(dict.fromkeys(words)), added, len(changed) - added, hidden, lines)


def _mode_words(file: _Reading) -> Iterator[str]:
    old, new = file.modes.get("old"), file.modes.get("new")
    if old and new:
        yield f"mode {old} becomes {new} ({_MODES.get(old, 'unknown')} becomes {_MODES.get(new, 'unknown')})"
    elif new and new != "100644":
        yield f"it is {_MODES.get(new, f'of mode {new}')}"
    elif old and old != "100644":
        yield f"it was {_MODES.get(old, f'of mode {old}')}"
    if any(text.startswith(("+Subproject commit", "-Subproject commit")) for text in file.body):
        yield "a submodule: only the commit that it points to changes"


def _text_words(body: Sequence[str], changed: Sequence[str]) -> Iterator[str]:
    longest = max((len(text) - 1 for text in body), default=0)
    if longest > LONG_LINE:
        count = sum(len(text) - 1 > LONG_LINE for text in body)
        yield f"{count} very long line{'s' if count > 1 else ''}, the longest of {longest} characters"
    old = ["".join(text[1:].split()) for text in changed if text[0] == "-"]
    new = ["".join(text[1:].split()) for text in changed if text[0] == "+"]
    if changed and "".join(old) == "".join(new):
        yield "only white space changes"
    if any(text.startswith("\\") for text in body):
        yield "no line end at the end of the file"


def _numbered(body: Sequence[str]) -> Iterator[PageLine]:
    old = new = 0
    for text in body:
        if (found := _HUNK.match(text)) is not None:
            old, new = int(found[1]), int(found[2])
            yield PageLine(exact_line(text, "accent"))
            continue
        sign = text[:1] or " "
        left = str(old) if sign in " -" else ""
        right = str(new) if sign in " +" else ""
        yield PageLine(exact_line(text or " ", _TONES.get(sign, "plain")), line((f"{left:>4} {right:>4} ", "dim")))
        old += sign in " -"
        new += sign in " +"
