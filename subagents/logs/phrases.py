"""What one value looks like in a masked message: dates, quantities, quoted text, names without a digit.

The mask finds values that hold a digit. These are the others that a reader sees at once, whatever the program.
It runs on the few thousand different keys, never on lines.
"""

from __future__ import annotations

import re
from functools import lru_cache

ANY = "*"
JOINT = "\x01"
"""Stands for a blank within one quoted value, so that it stays one word."""
NAMED = "\x02"
"""Stands before a word that is a name by its place."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})

_DAY = r"(?:Mon|Tues?|Wed|Thu(?:rs)?|Fri|Sat|Sun)(?:day|nesday|urday)?"
_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t|tember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_DATE = re.compile(rf"(?:\b{_DAY},? +)?(?:\b{_MONTH}\.? +\*|\* +{_MONTH}\b\.?)|\b{_DAY},? +\*")
_UNIT = (
    r"bytes?|[KMGT]i?[Bb]|[kmgt]b|B|[num\u00b5]?s|secs?|seconds?|mins?|minutes?|hrs?|hours?|days?|millis(?:econds)?|"
    r"msecs?|[KMG]?bps|[KMG]?Hz|%|AM|PM|UTC|GMT|[CEMP][SD]T|CES?T"
)
_QUANTITY = re.compile(rf"\* +(?:{_UNIT})(?=[\s,.;:)\]}}]|$)")
_QUOTED = re.compile(r"""(?<![\w"'\\])(["'])((?:(?!\1).){1,200})\1(?=[\s,.;:)\]}]|$)""")
_NAMED = re.compile(
    r"\b((?:for|of|in|on|to|from|by|with|at|invalid|unknown) (?:user|account|role|group|tenant|queue|topic|channel|"
    r"table|database|index|bucket|namespace|host|node|service|pod|container|device|interface|volume|file|package|module|"
    r"class|job|task|key|domain|zone|region|cluster) )(?=[\w'\"])"
)
"""A word after these is a name, as in "closed for user alice"."""
_SAYS = re.compile(r"(?:msg|message|event|text|log|description)[=:] ?$", re.IGNORECASE)
_OPEN, _CLOSE = r"""["'(\[<{]*""", r"""["')\]>}]*[,;.]?$"""
_NAME = re.compile(
    rf"{_OPEN}[A-Za-z][\w+-]*:/\S+$"  # an address with a scheme
    rf"|\\*{_OPEN}(?:[A-Za-z]:)?[/\\]\S*[/\\]\S+$"  # a path
    rf"|{_OPEN}[\w.+-]+@[\w.-]+{_CLOSE}"  # a mailbox
    rf"|{_OPEN}[A-Za-z][\w$-]*(?:\.[A-Za-z$_][\w$-]*)+{_CLOSE}"  # a host, a class, a file
    rf"|{_OPEN}[a-z]+(?:_[a-z]+)+{_CLOSE}"  # a snake_case name
)
_SIGNS = frozenset("./\\@_")
_FAULT = re.compile(r"(?:Exception|Error|Throwable|Failure|Fault)\W*$")
_LABELLED = re.compile(r"([A-Za-z_][\w.-]*=)(.+)$|([A-Za-z_][\w.-]*[(\[{:]+[\"']?)([^:].*)$", re.DOTALL)
_TRUTH = frozenset({"true", "false", "null", "none", "nil", "<nil>", "undefined"})
_TELLING = re.compile(
    r"(?:.*[._-])?(?:status|state|level|severity|result|outcome|err|error|reason|cause|exception|fault|"
    r"ok|success|succeeded|failed|failure|healthy|ready|alive|up|available|valid)[=:]+",
    re.IGNORECASE,
)


def phrased(text: str) -> str:
    """Return a masked message in which each value that a reader would see as one is one word."""
    if '"' in text or "'" in text:
        text = _QUOTED.sub(_joined, text)
    text = _NAMED.sub(_with_mark, text)
    if ANY in text:
        text = _QUANTITY.sub(ANY, _DATE.sub(ANY, text))
    return text


def _with_mark(match: re.Match[str]) -> str:
    return match[1] + NAMED


def shown(text: str) -> str:
    """Return a text as it was before words were joined and marked."""
    return text.replace(JOINT, " ").replace(NAMED, "")


def _joined(match: re.Match[str]) -> str:
    inner = match[2]
    if " " not in inner or _SAYS.search(match.string, max(0, match.start() - 14), match.start()):
        return match[0]
    return match[1] + inner.replace(" ", JOINT) + match[1]


@lru_cache(maxsize=65_536)
def labelled(word: str) -> tuple[str, str]:
    """Return (label, value) of a word such as `rows=*`, `open("/etc/fstab")` or `user:bob`; without one, ("", word)."""
    match = _LABELLED.match(word)
    if match is None:
        return "", word
    return (match[1], match[2]) if match[1] else (match[3], match[4])


@lru_cache(maxsize=65_536)
def is_telling(word: str) -> bool:
    """Say whether a word says how something went, as `status=503` and `err="broken pipe"` do."""
    return _TELLING.match(word) is not None


@lru_cache(maxsize=65_536)
def is_name(value: str) -> bool:
    """Say whether a word without a digit is the name of a thing: a path, a host, a class, a table, a mailbox."""
    if _SIGNS.isdisjoint(value) or value.endswith(":"):
        return False
    return _NAME.match(value) is not None and _FAULT.search(value) is None


def general(word: str) -> str:
    """Return what stands for a word whose value is of no matter: `*`, or `key=*` where it has a key."""
    label, _ = labelled(word)
    return label + ANY if label.endswith("=") else ANY


@lru_cache(maxsize=65_536)
def form(word: str) -> str:
    """Return the word without its value where that is a mask, a name or a truth value; else the word."""
    if word.startswith(NAMED):
        return "\0"
    label, value = labelled(word)
    if value == ANY or (is_name(value) and not is_telling(word)):
        return label + "\0"
    if label and value.strip("\"',;)]}").lower() in _TRUTH and not is_telling(word):
        return label + "\0"
    return word
