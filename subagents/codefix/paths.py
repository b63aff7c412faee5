"""Which paths a drafted edit may write: plain files inside the tree, on every file system that may hold it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

PATH_LIMIT, PART_LIMIT = 1024, 255
_DEVICE = re.compile(
    r"(?:con|prn|aux|nul|conin\$|conout\$|clock\$|com[0-9¹²³]|lpt[0-9¹²³])(?:[. ].*)?\Z", re.IGNORECASE
)
_SHORT_NAME = re.compile(r"~\d")
_RESERVED = frozenset('\\:*?"<>|')
_GITS_OWN = frozenset({".git", ".gitmodules", ".gitattributes", ".lfsconfig"})
_FOLLOWS_LINKS = "120000"
_SUBMODULE = "160000"


@dataclass(frozen=True)
class Entry:
    """A file of a tree as stored."""

    mode: str
    blob: str


def require_edit_path(path: str) -> str:
    """Return a path that an edit may name; raise ValueError that says what is wrong with it."""
    fault = "it is empty" if not path else _fault_of_whole(path)
    for part in path.split("/"):
        fault = fault or _fault_of_part(part)
    if fault:
        raise ValueError(f"{path[:80]!r} cannot be edited: {fault}")
    return path


def _fault_of_whole(path: str) -> str:
    try:
        size = len(path.encode("utf-8"))
    except UnicodeEncodeError:
        return "it is no text"
    if size > PATH_LIMIT:
        return f"it is longer than {PATH_LIMIT} bytes"
    if path.startswith("/"):
        return "it is not inside the repository"
    if any(_invisible(char) for char in path):
        return "it holds a control or invisible character"
    reserved = sorted(set(path) & _RESERVED)
    return f"it holds {reserved[0]!r}, which some file systems read as something else" if reserved else ""


def _invisible(char: str) -> bool:
    if char.isascii():
        return not char.isprintable()
    return unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") or 0xFE00 <= ord(char) <= 0xFE0F


def _fault_of_part(part: str) -> str:
    folded = fold(part)
    if part in ("", ".", ".."):
        return "it is not a plain path inside the repository"
    if len(part.encode("utf-8")) > PART_LIMIT:
        return f"a name in it is longer than {PART_LIMIT} bytes"
    if part != part.strip() or part.endswith("."):
        return "a name in it begins or ends with a space or ends with a dot"
    if folded in _GITS_OWN or folded.rstrip(". ") in _GITS_OWN:
        return f"{part} is git's own"
    if _SHORT_NAME.search(part):
        return f"{part} may be another file's short name"
    if part.startswith("-"):
        return f"{part} reads as an option of a command"
    return f"{part} is a device on some systems" if _DEVICE.match(part) else ""


def fold(text: str) -> str:
    """Return how a file system that ignores case and composition sees a name."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def check_place(path: str, tree: Mapping[str, Entry], others: Iterable[str] = ()) -> Entry | None:
    """Return the file that is at a path now, None where a new one may be; raise ValueError where neither is so."""
    require_edit_path(path)
    entry = tree.get(path)
    if entry is not None:
        if entry.mode in (_FOLLOWS_LINKS, _SUBMODULE):
            what = "a symbolic link" if entry.mode == _FOLLOWS_LINKS else "a submodule"
            raise ValueError(f"{path[:80]!r} cannot be edited: it is {what}")
        return entry
    for parent in _parents(path):
        if (there := tree.get(parent)) is not None:
            what = {_FOLLOWS_LINKS: "a symbolic link", _SUBMODULE: "a submodule"}.get(there.mode, "a file")
            raise ValueError(f"{path[:80]!r} cannot be made: {parent} is {what}")
    _check_collisions(path, tree, others)
    return None


def _check_collisions(path: str, tree: Mapping[str, Entry], others: Iterable[str]) -> None:
    """Refuse a new path that is a directory, or that differs from an existing name in case or composition only."""
    wanted = {fold(name): name for name in (*_parents(path), path)}
    for known in (*tree, *others):
        if known == path:
            continue
        if known.startswith(path + "/"):
            raise ValueError(f"{path[:80]!r} cannot be made: it is a directory")
        folded = fold(known)
        if not folded.startswith(tuple(wanted)):
            continue
        for name in (*_parents(known), known):
            same = wanted.get(fold(name))
            if same is not None and (same != name or name == known):
                raise ValueError(f"{path[:80]!r} cannot be made: {name} differs only in case, or is a file")
