r"""The words of a drafted commit. Text from outside is escaped, put on bounded lines, and can give no orders to tools.

Control and format characters show as `\u{202e}`. Trailers that name people, markers that make a CI skip the commit,
and words that close issues keep their letters and lose their effect.
"""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

TITLE_LIMIT, WIDTH = 72, 72
WHY_LIMIT = 1_500
EVIDENCE_LIMIT = 20

_FILLERS = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0")
_TRAILER = re.compile(r"\b([A-Za-z]+(?:-[A-Za-z]+)*-(?:by|to|for|id))\s*:", re.IGNORECASE)
_SKIP = re.compile(r"\[([^\]\[]*\b(?:skip|no)\b[^\]\[]*)\]", re.IGNORECASE)
_SKIP_STARS = re.compile(r"\*{3}(no_ci)\*{3}", re.IGNORECASE)
_SKIP_TRAILER = re.compile(r"\bskip-checks\s*:", re.IGNORECASE)
_CLOSES = re.compile(r"\b((?:close|fixe?|resolve)[sd]?:?)\s+(#\d|[\w.-]+/[\w.-]+#\d|https?://)", re.IGNORECASE)
_MENTION = re.compile(r"(?<![\w.])@(?=\w)")


def plain(text: str, limit: int) -> str:
    """Return text from outside as one line of at most `limit` characters that shows all it holds and does nothing."""
    shown = "".join(_shown(char) for char in " ".join(text[: limit * 4].split()))
    shown = _TRAILER.sub(r"\1 -", shown)
    shown = _SKIP_TRAILER.sub("skip-checks -", shown)
    shown = _SKIP_STARS.sub(r"\1", _SKIP.sub(r"(\1)", shown))
    shown = _CLOSES.sub(r"\1 - \2", shown)
    shown = _MENTION.sub("(at)", shown)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + "…"


def _shown(char: str) -> str:
    if char.isascii() and char.isprintable():
        return char
    hidden = unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    if hidden or char in _FILLERS or 0xFE00 <= ord(char) <= 0xFE0F or 0x180B <= ord(char) <= 0x180F:
        return f"\\u{{{ord(char):x}}}"
    return char


@dataclass(frozen=True)
class Words:
    """What a message says: `what` and `remarks` are ours (names in them cleaned), the rest may be anyone's."""

    title: str
    what: str
    why: str = ""
    remarks: tuple[str, ...] = ()
    incident: str = ""
    evidence: tuple[str, ...] = ()
    runbook: str = ""


def title_of_undoing(subject: str) -> str:
    """Return the first line of a commit that undoes the commit with this subject, as git writes it."""
    again = re.fullmatch(r'(?:Revert|Undo part of) "(.*)"', subject.strip())
    verb, subject = ("Reapply", again[1]) if again else ("Revert", subject)
    return f'{verb} "{plain(subject, TITLE_LIMIT - len(verb) - 3) or "a commit without a subject"}"'


def title_of_part(subject: str) -> str:
    """Return the first line of a commit that undoes some hunks of the commit with this subject."""
    return f'Undo part of "{plain(subject, TITLE_LIMIT - 15) or "a commit without a subject"}"'


def compose(words: Words) -> str:
    """Return the whole message, ending in a line break."""
    paragraphs = [plain(words.title, TITLE_LIMIT), _wrapped(words.what)]
    if why := plain(words.why, WHY_LIMIT):
        paragraphs.append(_wrapped(f"Why: {why}"))
    paragraphs += [_wrapped(remark) for remark in words.remarks]
    paragraphs.append("\n".join(_references(words)))
    return "\n\n".join(part for part in paragraphs if part) + "\n"


def _references(words: Words) -> Sequence[str]:
    lines = [f"Drafted by warroom for incident {plain(words.incident, 64) or 'without a name'}."]
    if words.evidence:
        lines.append("Evidence:")
        lines += [f"  {plain(ref, 300)}" for ref in words.evidence[:EVIDENCE_LIMIT]]
        if len(words.evidence) > EVIDENCE_LIMIT:
            lines.append(f"  and {len(words.evidence) - EVIDENCE_LIMIT} more")
    if words.runbook:
        lines.append(f"Runbook step: {plain(words.runbook, 200)}")
    return lines


def _wrapped(text: str) -> str:
    return "\n".join(textwrap.wrap(text, WIDTH, break_long_words=False, break_on_hyphens=False))
