"""Signs in what is taken out of a call or a loop's outside: options, steps of a chain, what was done on failure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from subagents.deploys.comments import TEXT
from subagents.deploys.gates import needs
from subagents.deploys.hunkview import HunkView, loops_around, words
from subagents.deploys.paths import path_class
from subagents.deploys.signs import IN_MEMORY, Sign, asks, quote
from subagents.deploys.wiring import TOLD_TO_PEOPLE

_NAMED_OPTION = re.compile(r"(?<![\w.])([a-z_]\w*)\s*(?:=(?!=)|:(?!:))\s*(?:[\w.\"'#\[{(-])", re.IGNORECASE)
_CALLS = re.compile(r"\w\s*\(|^\w+\s+:\w")
_OPTION_LINE = re.compile(
    r"^[a-z_]\w*\s*[=:]\s*(?:-?\d[\w.]*|true|false|none|null|[\"'][^\"']*[\"'])\s*,$", re.IGNORECASE
)


@needs(_NAMED_OPTION)
def _options_gone(view: HunkView) -> Iterator[Sign]:
    """A call that is made without one of its options, all else being the same."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        if not _CALLS.search(pair.old):
            continue
        old, new = (Counter(_NAMED_OPTION.findall(TEXT.sub('"', side))) for side in (pair.old, pair.new))
        gone = old - new
        left = words(pair.new)
        if gone and not new - old and left < words(pair.old) and not set(gone) & (TOLD_TO_PEOPLE | left):
            yield Sign("removed_key", f"an option goes: {quote(pair.old)}", view.path, pair.line or view.place, 0.8,
                       pair.old)  # fmt: skip
            return
    gone_line = next((line for line in view.only_removed if _OPTION_LINE.match(line)), "")
    if gone_line and not words(gone_line.split("=")[0].split(":")[0]) & TOLD_TO_PEOPLE:
        yield Sign("removed_key", f"an option goes: {quote(gone_line)}", view.path, view.place, 0.8, gone_line)


_STEP = re.compile(r"\.\s*([A-Za-z_]\w*)\s*(?=\()")


@needs(_STEP)
def _steps_gone(view: HunkView) -> Iterator[Sign]:
    """A chain of calls that has lost a step."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        old, new = Counter(_STEP.findall(pair.old)), Counter(_STEP.findall(pair.new))
        if old - new and not new - old and sum(new.values()) and words(pair.new) < words(pair.old):
            what = f"a step goes: {quote(pair.old)}"
            yield Sign("removed_code", what, view.path, pair.line or view.place, 1.25, pair.old)
            return


_ON_FAILURE = re.compile(r"\b(?:except|catch|rescue)\b")
_NOTHING = re.compile(
    r"^(?:pass|continue|nil|;|\{\s*\}|return|return (?:None|null|nil)|\}?\s*catch\b[^{]*\{\s*\})\s*;?$"
)


@needs(_NOTHING)
def _swallowed(view: HunkView) -> Iterator[Sign]:
    """What was done on failure is done no more."""
    around = [*view.context, *view.raw_old]
    nothing = next((line for line in view.only_added if _NOTHING.match(line)), "")
    nothing = nothing or next((pair.new for pair in view.pairs if _NOTHING.match(pair.new)), "")
    if nothing and view.removed and any(_ON_FAILURE.search(line) for line in around):
        done = view.removed[-1]
        yield Sign("dropped_guard", f"nothing is done on failure: {quote(done)}", view.path, view.place, 0.8, done)


_HEAVY = re.compile(
    r"\bdeepcopy\(|\.clone\(|\bre\.compile\(|\bnew RegExp\(|Pattern\.compile\(|\bjson\.(?:loads|dumps)\("
    r"|JSON\.(?:parse|stringify)\(|\bsorted\(|\.sort\(|\bstructuredClone\(|\bopen\("
)
_KEPT_TO_THE_END = re.compile(r"^defer\b")


@needs(_HEAVY, _KEPT_TO_THE_END)
def _heavy_in_loops(view: HunkView) -> Iterator[Sign]:
    known = any(_HEAVY.search(line) for line in view.removed)
    for line in view.added_in_loop:
        if _KEPT_TO_THE_END.match(line):
            what = f"kept until the function ends, for each in a loop: {quote(line)}"
            yield Sign("removed_release", what, view.path, view.place)
            return
        if _HEAVY.search(line) and not known:
            yield Sign("costlier", f"heavy work for each in a loop: {quote(line)}", view.path, view.place, 0.8)
            return


_A_CALL = re.compile(r"^[\w.>-]+\([^()]*\)\s*;?$")


@needs(_A_CALL)
def _into_loops(view: HunkView) -> Iterator[Sign]:
    """A call that only moved, and stands in a loop now."""
    if not view.moved or not any(_A_CALL.match(text) for text in set(view.raw_old).intersection(view.raw_new)):
        return
    before, after = (_in_loop(view, side) for side in "-+")
    for text, looped in after.items():
        if looped and before.get(text) is False and _A_CALL.match(text) and not IN_MEMORY.search(text):
            kind = "query_in_loop" if asks(text) else "costlier"
            yield Sign(kind, f"runs for each in a loop now: {quote(text)}", view.path, view.place, 0.8)
            return


def _in_loop(view: HunkView, side: str) -> dict[str, bool]:
    """Return the changed lines of one side, and whether each stands in a loop that the hunk shows."""
    shown = ((line, text) for line, text in view.lines if line.tag in (side, " ") and text)
    return {text: loop is not None for line, text, loop in loops_around(view.header, shown) if line.tag == side}


_EXACT = re.compile(r"\b(?:Decimal|BigDecimal|decimal\.\w+|numeric|Money)\b")
_INEXACT = re.compile(r"\b(?:float|double|Float|Double|f64|parseFloat)\b|(?<![\w.\"'])\d+\.\d+(?![\w.\"'])")


@needs(_EXACT)
def _inexact(view: HunkView) -> Iterator[Sign]:
    """Exact numbers that become inexact ones."""
    for pair in view.pairs:
        if _EXACT.search(pair.old) and not _EXACT.search(pair.new) and _INEXACT.search(pair.new):
            what = f"no longer exact: {quote(pair.new)}"
            yield Sign("changed_arithmetic", what, view.path, pair.line or view.place)
            return


_SYMBOL = re.compile(r"(?<![\w:]):[a-z_]\w*\b|\"[^\"\s]*\"|'[^'\s]*'|`[^`\s]*`")
_SHOWN = re.compile(
    r"<\w|className|\b(?:style|class|id|aria-\w+|label|placeholder|href|alt|src)\s*=|^import\b|^from\b|\brequire\("
)


@needs(_SYMBOL)
def _words_meant(view: HunkView) -> Iterator[Sign]:
    """A word that code goes by (a name of a queue, a path, a key) and that is another one now."""
    if path_class(view.path) != "code":
        return
    for pair in view.pairs:
        old, new = _SYMBOL.findall(pair.old), _SYMBOL.findall(pair.new)
        if not old or len(old) != len(new) or _SYMBOL.sub("$", pair.old) != _SYMBOL.sub("$", pair.new):
            continue
        changed = [(a, b) for a, b in zip(old, new, strict=True) if a.strip("\"'`") != b.strip("\"'`")]
        if (
            len(changed) == 1
            and "\\" not in pair.new
            and not _SHOWN.search(pair.new)
            and not words(_SYMBOL.sub("", pair.new)) & TOLD_TO_PEOPLE
        ):
            what = f"a value changes: {quote(pair.new)}"
            yield Sign("changed_constant", what, view.path, pair.line or view.place, 0.95)
            return


TAKEN_AWAY: tuple[Callable[[HunkView], Iterator[Sign]], ...] = (
    _options_gone,
    _steps_gone,
    _swallowed,
    _heavy_in_loops,
    _into_loops,
    _inexact,
    _words_meant,
)
