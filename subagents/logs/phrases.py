"""What one value looks like in a masked message: dates, quantities, quoted text, names without a digit.

The mask finds values that hold a digit. These are the others that a reader sees at once, whatever the program.
It runs on the few thousand different keys, never on lines.
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING

from subagents.logs.sources import weekdays
from subagents.logs.sources.expressions import quick

if TYPE_CHECKING:
    import polars as pl

ANY, BAR = "*", "|"
JOINT = "\x01"
"""Stands for a blank within one quoted value, so that it stays one word."""
NAMED = "\x02"
"""Stands before a word that is a name by its place."""
LEFT_OUT = "\0"
"""Ends the form of a word whose value is of no matter."""
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE"})

_DAYS = "|".join((*weekdays.NAMES, "Tues", "Thurs"))
_MONTHS = (
    "Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Sept|Oct|Nov|Dec|January|February|March|April|June|July|August|September|"
    "October|November|December"
)
_DATE = re.compile(rf"(?:\b(?:{_DAYS}),? +)?(?:\b(?:{_MONTHS})\b\.? +\*|\* +(?:{_MONTHS})\b\.?)|\b(?:{_DAYS}),? +\*")
DAYS, MONTHS = frozenset(_DAYS.split("|")), frozenset(_MONTHS.split("|"))
CALENDAR = frozenset(name + end for name in DAYS | MONTHS for end in ("", ",", "."))
_UNIT_NAMES = (
    "byte bytes B KB MB GB TB kB KiB MiB GiB TiB kb mb gb tb Kb Mb Gb Tb ns us \u00b5s ms s sec secs second seconds "
    "min mins minute minutes hr hrs hour hours day days msec msecs milli millis millisecond milliseconds bps Kbps Mbps "
    "Gbps Hz KHz MHz GHz % AM PM UTC GMT CET CEST CST CDT EST EDT MST MDT PST PDT"
)
_CLOSINGS = ("", ",", ".", ";", ":", ")", "),", ").", ");", ")]", "]", "],", "}", "},")
UNITS = {unit + closing: closing for unit in _UNIT_NAMES.split() for closing in _CLOSINGS}
"""What follows a number as its unit, and the punctuation after it."""
_QUOTED = re.compile(r"""(?<![\w"'\\])(["'])((?:(?!\1).){1,200})\1(?=[\s,.;:)\]}]|$)""")
BEFORE_NOUN = frozenset({"for", "of", "in", "on", "to", "from", "by", "with", "at", "invalid", "unknown"})
_NOUN_NAMES = (
    "user account role group tenant queue topic channel table database index bucket namespace host node service pod "
    "container device interface volume file package module class job task key domain zone region cluster"
)
NOUNS = frozenset(_NOUN_NAMES.split())
"""A word after two of these is a name, as in "closed for user alice"."""
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
_BEHIND_LABEL = frozenset("=([{:")
MORE_THAN_LETTERS = _SIGNS | _BEHIND_LABEL | set(ANY + NAMED + LEFT_OUT)
"""Without one of these, a word is nothing but itself: no name, and without a label or a value."""
_CONSTANT = re.compile(r"(?:Exception|Error|Throwable|Failure|Fault|\.[A-Z][A-Z_]+)[^\w]*$")
"""Ends of names that say what happened: `java.io.IOException`, `intent.action.SCREEN_ON`."""
_LABELLED = re.compile(r"([A-Za-z_][\w.-]*=)(.+)$|([A-Za-z_][\w.-]*[(\[{:]+[\"']?)([^:].*)$", re.DOTALL)
_AROUND_TRUTH = "\"',;)]}"
_TRUTH = frozenset({"true", "false", "null", "none", "nil", "<nil>", "undefined"})
_TELLING = re.compile(
    r"(?:.*[._-])?(?:status|state|level|severity|result|outcome|err|error|reason|cause|exception|fault|"
    r"ok|success|succeeded|failed|failure|healthy|ready|alive|up|available|valid)[=:]+",
    re.IGNORECASE,
)
_NAME_AT_ONCE, _LABELLED_AT_ONCE, _TELLING_AT_ONCE = (
    quick(f"^(?:{each.pattern})") if each is not _TELLING else f"(?i)^(?:{each.pattern})"
    for each in (_NAME, _LABELLED, _TELLING)
)
_CONSTANT_AT_ONCE = quick(_CONSTANT.pattern)
_STRANGE = rf"[^!-~{JOINT}{NAMED}]"
MANY = 1_000
"""To make expressions ready for all costs as much as to look at so many words."""


def phrased(text: str) -> tuple[str, ...]:
    """Return the words of a masked message; each value that a reader would see as one is one word."""
    if '"' in text or "'" in text:
        text = _QUOTED.sub(_joined, text)
    words = text.split()
    if not CALENDAR.isdisjoint(words):
        words = _DATE.sub(ANY, " ".join(words)).split()
    if BAR in text:
        words[1:] = [_without_bars(word) for word in words[1:]]
    if not NOUNS.isdisjoint(words):
        for spot in range(2, len(words)):
            if words[spot - 1] in NOUNS and words[spot - 2] in BEFORE_NOUN and words[spot] != ANY:
                words[spot] = NAMED + words[spot]
    return tuple(map(intern, words if UNITS.keys().isdisjoint(words) else _without_units(words)))


def _without_bars(word: str) -> str:
    """Return `*` or `key=*` for a value of parts, "*|name|*"; joined columns stand where a message begins."""
    masked = word.find(ANY) if BAR in word else -1
    return word if masked < 0 else word[: word.rfind("=", 0, masked) + 1] + ANY


def _without_units(words: list[str]) -> list[str]:
    """Take units into the value before them; an amount in brackets behind one, "* bytes (* KB)", says it again."""
    kept: list[str] = []
    after_value = is_amount = is_again = False
    for word in words:
        closing = UNITS.get(word) if after_value else None
        if closing is None:
            is_again, is_amount = is_amount and word == ANY, False
            kept.append(word)
            after_value = word[-1] == ANY
            continue
        if is_again and closing[:1] == ")":
            kept.pop()
            closing = closing[1:]
        kept[-1] += closing
        after_value = is_again = False
        is_amount = not closing
    return kept


def shown(text: str) -> str:
    """Return a text as it was before words were joined and marked."""
    return text.replace(JOINT, " ").replace(NAMED, "")


def _joined(match: re.Match[str]) -> str:
    inner = match[2]
    if " " not in inner or _SAYS.search(match.string, max(0, match.start() - 14), match.start()):
        return match[0]
    return match[1] + inner.replace(" ", JOINT) + match[1]


def labelled(word: str) -> tuple[str, str]:
    """Return (label, value) of a word such as `rows=*`, `open("/etc/fstab")` or `user:bob`; without one, ("", word)."""
    match = None if _BEHIND_LABEL.isdisjoint(word) else _LABELLED.match(word)
    if match is None:
        return "", word
    return (match[1], match[2]) if match[1] else (match[3], match[4])


def is_telling(word: str) -> bool:
    """Say whether a word says how something went, as `status=503` and `err="broken pipe"` do."""
    return ("=" in word or ":" in word) and _TELLING.match(word) is not None


def is_name(value: str) -> bool:
    """Say whether a word without a digit is the name of a thing: a path, a host, a class, a table, a mailbox."""
    if _SIGNS.isdisjoint(value) or value.endswith(":"):
        return False
    return _NAME.match(value) is not None and _CONSTANT.search(value) is None


def general(word: str) -> str:
    """Return what stands for a word whose value is of no matter: `*`, or `key=*` where it has a key."""
    label = labelled(word)[0] if "=" in word else ""
    return label + ANY if label.endswith("=") else ANY


def facts_of(word: str) -> tuple[str, bool, bool]:
    """Return (form, `is_name`, `is_telling`) of a word.

    Its form is the word without its value where that is a mask, a name or a truth value; else the word.
    """
    name, telling = is_name(word), is_telling(word)
    if word.startswith(NAMED):
        return LEFT_OUT, name, telling
    label, value = labelled(word)
    no_matter = value == ANY
    if not (no_matter or telling):
        no_matter = is_name(value) if label else name
        no_matter = no_matter or bool(label and value.strip(_AROUND_TRUTH).lower() in _TRUTH)
    return (label + LEFT_OUT if no_matter else word), name, telling


def facts_of_all(words: pl.Series) -> pl.DataFrame:
    """Return `form`, `name` and `telling` of words as `facts_of` does, of many more cheaply."""
    import polars as pl

    if words.len() < MANY:
        return _one_by_one(words)
    word, telling, parts = pl.col("word"), pl.col("telling"), pl.col("parts").struct
    read = words.to_frame("word").select_seq(
        "word",
        strange=word.str.contains(_STRANGE),
        telling=word.str.contains(_TELLING_AT_ONCE),
        parts=word.str.extract_groups(_LABELLED_AT_ONCE),
    )
    read = read.with_columns_seq(
        label=pl.coalesce(parts.field("1"), parts.field("3"), pl.lit("")),
        value=pl.coalesce(parts.field("2"), parts.field("4"), word),
    )
    label, value = pl.col("label"), pl.col("value")
    is_truth = (label != "") & value.str.strip_chars(_AROUND_TRUTH).str.to_lowercase().is_in(list(_TRUTH))
    no_matter = (value == ANY) | (~telling & (_are_names(value) | is_truth))
    form = pl.when(word.str.starts_with(NAMED)).then(pl.lit(LEFT_OUT)).when(no_matter).then(label + LEFT_OUT)
    found = read.select_seq("strange", form=form.otherwise(word), name=_are_names(word), telling="telling")
    if found["strange"].any():  # where the libraries do not agree on what is a letter or a space
        rows = found["strange"].arg_true()
        read = _one_by_one(words.gather(rows))
        found = found.with_columns_seq(found[name].scatter(rows, read[name]) for name in read.columns)
    return found.select("form", "name", "telling")


def _one_by_one(words: pl.Series) -> pl.DataFrame:
    import polars as pl

    schema = {"form": pl.String, "name": pl.Boolean, "telling": pl.Boolean}
    return pl.DataFrame(list(map(facts_of, words.to_list())), schema=schema, orient="row")


def _are_names(values: pl.Expr) -> pl.Expr:
    return values.str.contains(_NAME_AT_ONCE) & ~values.str.ends_with(":") & ~values.str.contains(_CONSTANT_AT_ONCE)
