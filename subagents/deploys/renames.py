"""Names that a hunk only calls otherwise: declared in it under the old name before and under the new one after."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from subagents.deploys.comments import TEXT

_NAME = re.compile(r"[A-Za-z_]\w*")
_DECLARED = (
    r"^(?:(?:export|public|private|protected|static|final|const|let|var|val|int|long|double|float|bool|boolean|auto|mut"
    r"|[A-Z]\w*(?:<[^>]*>)?)\s+)*{0}\s*(?::[^=]+)?(?::=|=(?!=))"
    r"|\b(?:def|func|fn|function|fun|class|struct|enum|interface)\s+(?:\([^)]*\)\s*)?{0}\b|\bfor\s+{0}\s+in\b"
)


def renames(pairs: Iterable[tuple[str, str]], removed: Sequence[str], added: Sequence[str]) -> dict[str, str]:
    """Return old names by new ones, of what is the same code under another name all through a hunk."""
    found: dict[str, str] = {}
    refused: set[str] = set()
    for old, new in pairs:
        before, after = _NAME.findall(TEXT.sub("", old)), _NAME.findall(TEXT.sub("", new))
        if len(before) != len(after) or _NAME.sub("n", TEXT.sub("", old)) != _NAME.sub("n", TEXT.sub("", new)):
            refused.update(before)
            continue
        for one, other in zip(before, after, strict=True):
            if found.setdefault(one, other) != other:
                refused.add(one)
    changed = {old: new for old, new in found.items() if old != new and old not in refused}
    kept = {name for line in added for name in _NAME.findall(line)} | set(changed.values()) - set(changed)
    return {
        old: new
        for old, new in changed.items()
        if old not in kept
        and list(changed.values()).count(new) == 1
        and _declares(old, removed)
        and _declares(new, added)
    }


_GIVEN = re.compile(
    r"^(?:[A-Za-z_][\w<>\[\]]*\s+)*?([A-Za-z_]\w*)\s*(?::\s*\w+\s*)?(?::=|=)\s*(-?\d[\w.]*|\"[^\"]*\"|'[^']*')\s*[;,]?$"
)


def without_named_values(removed: Sequence[str], added: Sequence[str]) -> tuple[list[str], list[str]]:
    """Leave out lines that only call a value by a name, or no longer do, and the line that gives the name."""
    kept_removed, kept_added = _spelled(list(removed), list(added))
    kept_added, kept_removed = _spelled(kept_added, kept_removed)
    return kept_removed, kept_added


def _spelled(plain: list[str], named: list[str]) -> tuple[list[str], list[str]]:
    given = {match[1]: (match[2], line) for line in named if (match := _GIVEN.match(line))}
    if not given or not plain:
        return plain, named
    used: set[str] = set()
    for line in list(named):
        names = [name for name in _NAME.findall(line) if name in given and given[name][1] != line]
        if not names:
            continue
        spelled = _NAME.sub(lambda match: given[match[0]][0] if match[0] in given else match[0], line)
        twin = next((old for old in plain if "".join(old.split()) == "".join(spelled.split())), None)
        if twin is not None:
            plain.remove(twin)
            named.remove(line)
            used.update(given[name][1] for name in names)
    return plain, [line for line in named if line not in used]


def _declares(name: str, lines: Iterable[str]) -> bool:
    pattern = re.compile(_DECLARED.replace("{0}", re.escape(name)))
    return any(pattern.search(line) for line in lines)


def renamed(line: str, names: dict[str, str]) -> str:
    """Return a line under the new names."""
    return _NAME.sub(lambda match: names.get(match[0], match[0]), line)
