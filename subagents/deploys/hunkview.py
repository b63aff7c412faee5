"""One hunk made ready for reading: comments gone, removed and added lines paired, loops known."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import NamedTuple

from subagents.deploys.comments import PARTS, TEXT, code_of, extension_of
from subagents.deploys.paths import path_class
from subagents.deploys.renames import renamed, renames, without_named_values
from subagents.deploys.sources.patch import DiffLine, FileDiff, Hunk

_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:[._]\d+)*(?:\.\d+)?")
LOOP = re.compile(
    r"^\s*(?:async\s+)?(?:for|while|foreach|loop)\b|\.(?:forEach|map|flatMap|each|stream\(\)\.map)\s*[({]|\bdo\s*\{?\s*$|\.each\s+do\b"
)


@dataclass
class Pair:
    """A removed line and the added line that stands for it."""

    old: str
    new: str
    line: int | None


@dataclass
class HunkView:
    """A hunk as the rules read it. Lines are without comments and outer blanks; blank ones are left out."""

    path: str
    header: str
    removed: list[str]
    added: list[str]
    context: list[str]
    pairs: list[Pair]
    only_removed: list[str]
    """Removed lines that no added line stands for."""
    only_added: list[str]
    place: int | None
    raw_removed: int
    moved: int = 0
    """Added lines that were only moved or re-indented."""
    raw_old: tuple[str, ...] = ()
    """The lines that went, in order, and those that came: what was only moved included."""
    raw_new: tuple[str, ...] = ()
    comments: int = 0
    """Changed lines that are comments only."""
    reordered: tuple[str, ...] = ()
    """Lines that only moved, past others that stayed."""
    renamed: tuple[str, ...] = ()
    """Names that only changed, as `old -> new`; the lines are under the new ones."""
    lines: tuple[tuple[DiffLine, str], ...] = ()
    """The hunk's lines, each with its code."""

    @cached_property
    def _sides(self) -> tuple[frozenset[str], frozenset[str]]:
        """Return the words of removed and of added lines."""
        one, other = (frozenset().union(*map(words, side)) for side in (self.removed, self.added))
        return one, other

    @property
    def words_removed(self) -> frozenset[str]:
        """Words of removed lines that no added line holds."""
        return self._sides[0] - self._sides[1]

    @property
    def words_added(self) -> frozenset[str]:
        """Words of added lines that no removed line holds."""
        return self._sides[1] - self._sides[0]

    @cached_property
    def added_in_loop(self) -> list[str]:
        """Added lines, moved ones too, that stand inside a loop which the hunk shows."""
        return _in_loops(self.header, self.lines, set(self.added))

    @property
    def extension(self) -> str:
        """The file's extension, lower case."""
        return extension_of(self.path)


@lru_cache(maxsize=1 << 15)
def _word(word: str) -> frozenset[str]:
    return frozenset((word.lower(), *(part.lower() for part in PARTS.findall(word) if len(part) > 1)))


@lru_cache(maxsize=1 << 15)
def words(text: str) -> frozenset[str]:
    """Return the identifiers of a text, lower case, whole and in their parts."""
    return frozenset().union(*map(_word, _WORD.findall(text)))


@lru_cache(maxsize=1 << 15)
def skeleton(line: str) -> str:
    """Return a line with its numbers and strings replaced, to see whether only they differ."""
    return re.sub(r"\s+", "", NUMBER.sub("#", TEXT.sub("$", line)))


class _Sorted(NamedTuple):
    """The code of a hunk's lines by what became of them."""

    old: list[str]
    new: list[str]
    context: list[str]
    numbers: dict[str, int | None]
    """Where the lines that came stand in the new file."""
    comments: int
    """Changed lines that are comments only."""


def _sorted(lines: Sequence[DiffLine], texts: Sequence[str]) -> _Sorted:
    old: list[str] = []
    new: list[str] = []
    context: list[str] = []
    numbers: dict[str, int | None] = {}
    comments = 0
    for line, text in zip(lines, texts, strict=True):
        if not text:
            comments += line.tag != " " and bool(line.text.strip())
        elif line.tag == " ":
            context.append(text)
        elif line.tag == "-":
            old.append(text)
        else:
            new.append(text)
            numbers[text] = line.number
    return _Sorted(old, new, context, numbers, comments)


def view(diff: FileDiff, hunk: Hunk) -> HunkView:
    """Prepare one hunk."""
    lines = hunk.lines[:HUNK_LINES]
    texts = code_of(lines, extension_of(diff.path))
    old, new, context, numbers, comments = _sorted(lines, texts)
    removed, added_left = _left(old, new)
    pairs, only_removed, only_added = _pair(removed, added_left, numbers)
    names = renames([(p.old, p.new) for p in pairs], removed, added_left) if path_class(diff.path) == "code" else {}
    if names:  # what is left keeps its own words: they are quoted
        under_new = [renamed(text, names) for text in old]
        kept, added_left = _left(under_new, new)
        left = Counter(kept)
        removed = [text for text, other in zip(old, under_new, strict=True) if _take(left, other)]
        old = under_new
        pairs, only_removed, only_added = _pair(removed, added_left, numbers)
    plain_removed, plain_added = without_named_values(removed, added_left)
    if len(plain_added) < len(added_left):
        removed, added_left = plain_removed, plain_added
        pairs, only_removed, only_added = _pair(removed, added_left, numbers)
    moves = len(new) - len(added_left)
    return HunkView(
        path=diff.path,
        header=hunk.header,
        removed=removed,
        added=added_left,
        context=context,
        pairs=pairs,
        only_removed=only_removed,
        only_added=only_added,
        place=hunk.place(),
        raw_removed=sum(1 for line in hunk.lines if line.tag == "-"),
        comments=comments,
        moved=moves,
        raw_old=tuple(old),
        raw_new=tuple(new),
        reordered=_reordered(list(zip((line.tag for line in lines), texts, strict=True)), removed, added_left)
        if moves and not names
        else (),
        renamed=tuple(f"{before} -> {after}" for before, after in names.items()),
        lines=tuple(zip(lines, texts, strict=True)),
    )


def _squeeze(text: str) -> str:
    """Return a line without blanks and without the comma or semicolon that ends it."""
    return "".join(text.split()).rstrip(",;")


def _reordered(sides: Sequence[tuple[str, str]], removed: list[str], added: list[str]) -> tuple[str, ...]:
    """Return the lines that only moved, where the order of what stayed is another one after it.

    `sides` are the hunk's lines as (tag, code); `removed` and `added` are those that did not only move.
    """
    orders = []
    for tag, changed in (("-", removed), ("+", added)):
        left = Counter(changed)
        order = []
        for mark, text in sides:
            if mark == tag and left[text] > 0:
                left[text] -= 1
            elif mark in (tag, " ") and text:
                order.append((_squeeze(text), text, mark))
        orders.append(order)
    old, new = orders
    if [key for key, _, _ in old] == [key for key, _, _ in new]:
        return ()
    return tuple(text for _, text, mark in new if mark == "+")


def _cancel(removed: list[str], added: list[str]) -> dict[str, int]:
    """Count lines that were only moved or re-indented."""
    moved: dict[str, int] = {}
    squeezed: dict[str, list[str]] = {}
    for text in added:
        squeezed.setdefault(_squeeze(text), []).append(text)
    for text in removed:
        same = squeezed.get(_squeeze(text))
        if same:
            twin = same.pop()
            moved["-" + text] = moved.get("-" + text, 0) + 1
            moved["+" + twin] = moved.get("+" + twin, 0) + 1
    return {
        **{k[1:]: v for k, v in moved.items() if k[0] == "-"},
        **{k[1:]: v for k, v in moved.items() if k[0] == "+"},
    }


def _take(left: Counter[str], text: str) -> bool:
    """Take one of a kind out of what is left; say whether there was one."""
    left[text] -= 1
    return left[text] >= 0


def _left(old: list[str], new: list[str]) -> tuple[list[str], list[str]]:
    """Return what is left of removed and added lines without those that were only moved or re-indented."""
    moved = _cancel(old, new)
    return _without(old, moved), _without(new, moved)


def _without(lines: list[str], moved: dict[str, int]) -> list[str]:
    left = dict(moved)
    kept = []
    for line in lines:
        if left.get(line, 0) > 0:
            left[line] -= 1
        else:
            kept.append(line)
    return kept


_KEYED = re.compile(r"""^["']?([\w.\-/]+)["']?\s*(?::=|[:=])\s*(.+?),?$""")


_DECLARES = re.compile(r"(?:(?:export|public|private|static|async)\s+)*(?:class|interface|struct|enum|trait)\b")


class _Traits(NamedTuple):
    """What a line is compared by."""

    shape: str
    keyed: tuple[str, str] | None
    """Key and value, where it is a setting."""
    begins: str
    """How it declares something, or empty."""
    words: frozenset[str]


@lru_cache(maxsize=1 << 13)
def _traits(line: str) -> _Traits:
    keyed, begins = _KEYED.match(line), _DECLARES.match(line)
    return _Traits(skeleton(line), (keyed[1], keyed[2]) if keyed else None, begins[0] if begins else "", words(line))


def _likeness(old: _Traits, new: _Traits) -> float:
    if old.shape == new.shape:
        return 1.0
    if old.keyed and new.keyed:
        same_key, same_value = old.keyed[0] == new.keyed[0], old.keyed[1] == new.keyed[1]
        if same_key != same_value:
            return 0.9 if same_key else 0.7
    mine, other = len(old.words), len(new.words)
    declares = old.begins != "" and old.begins == new.begins
    if not declares and (2 * mine < other or 2 * other < mine or not mine):
        return 0.0  # they cannot share half of their words
    common = len(old.words & new.words)
    share = common / (mine + other - common)
    return max(0.6, share) if declares else share


def _pair(
    removed: list[str], added: list[str], numbers: dict[str, int | None]
) -> tuple[list[Pair], list[str], list[str]]:
    """Pair each removed line with the added one of the same shape, else with the likest of those near it in order."""
    free = list(added)
    by_shape: dict[str, list[str]] = {}
    for new in added:
        by_shape.setdefault(skeleton(new), []).append(new)
    pairs: list[Pair] = []
    alone: list[str] = []
    for old in removed:
        same = by_shape.get(skeleton(old))
        best = same[0] if same else None
        if best is None:
            sought = _traits(old)
            near = [(_likeness(sought, _traits(new)), -place, new) for place, new in enumerate(free[:NEAR])]
            likeness, _, likest = max(near, default=(0.0, 0, ""))
            best = likest if likeness >= 0.5 else None
        if best is None:
            alone.append(old)
            continue
        free.remove(best)
        by_shape[skeleton(best)].remove(best)
        pairs.append(Pair(old, best, numbers.get(best)))
    return pairs, alone, free


HUNK_LINES = 1_500
"""Lines read of one hunk."""
NEAR = 24
"""Added lines, in order, that a removed one is compared with."""


def loops_around(
    header: str, lines: Iterable[tuple[DiffLine, str]]
) -> Iterator[tuple[DiffLine, str, tuple[str, str] | None]]:
    """Give each line with its code and the loop that it stands in, by indentation, as the loop's tag and code.

    The loop is None where the hunk shows none; a header that opens one has the tag `@`.
    """
    opened: list[tuple[int, tuple[str, str]]] = [(-1, ("@", header))] if LOOP.search(header) else []
    for line, text in lines:
        indent = len(line.text) - len(line.text.lstrip())
        while opened and indent <= opened[-1][0]:
            opened.pop()
        yield line, text, opened[-1][1] if opened else None
        if LOOP.search(line.text):
            opened.append((indent, (line.tag, text)))


def _in_loops(header: str, lines: Sequence[tuple[DiffLine, str]], fresh: set[str]) -> list[str]:
    """Return added lines that stand inside a loop which the hunk shows, by indentation; moved loops do not count."""
    shown = ((line, text) for line, text in lines if line.tag != "-" and line.text.strip())
    new_loops = {("+", text) for text in fresh}
    return [
        text
        for line, text, loop in loops_around(header, shown)
        if loop is not None and line.tag == "+" and (text in fresh or loop in new_loops)
    ]
