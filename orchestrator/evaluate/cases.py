"""Which cases a tree holds, by shape: incident folders, symptom-and-commits files, single series.

A tree is `<family>/<case>` beside an optional `labels/`; a family's folder or one case may be given instead. Of a
case no more than its name is read here.
"""

from __future__ import annotations

import fnmatch
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from orchestrator.evaluate.wording import some
from subagents.quantities import counted

Shape = Literal["folder", "symptom", "series"]
Half = Literal["choose", "confirm"]

LABELS = "labels"
MANIFESTS = ("case.json", "incident.json")
_SUFFIXES: tuple[tuple[str, Shape], ...] = (
    (".json", "symptom"),
    (".csv", "series"),
)
_PACKED = (".gz", ".zst")
_ABOUT = ("index", "readme", "manifest", "schema")
"""Names of files that tell about cases and are none."""


class CasesError(Exception):
    """There is nothing to run; the message is one line for people."""


@dataclass(frozen=True)
class Case:
    """One case: a folder, or a file."""

    id: str
    """The name of its folder or file, without suffixes."""
    family: str
    path: Path
    shape: Shape


@dataclass(frozen=True)
class Tree:
    """What there is to run, and what is left out and why."""

    cases: tuple[Case, ...]
    labels: Path | None
    """The folder of labels, where there is one."""
    skipped: tuple[tuple[str, str], ...] = ()
    """Family and reason."""


@dataclass(frozen=True)
class Choice:
    """Which of the cases are wanted; everything, where nothing is named."""

    families: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    globs: tuple[str, ...] = ()
    half: Half | None = None

    def wants(self, case: Case) -> bool:
        """Say whether a case is wanted."""
        return (
            self.wants_family(case.family)
            and (not self.ids or case.id in self.ids)
            and (not self.globs or any(fnmatch.fnmatchcase(case.id, one) for one in self.globs))
            and (self.half is None or half_of(case.id) == self.half)
        )

    def wants_family(self, name: str) -> bool:
        """Say whether cases of a family are wanted."""
        return not self.families or any(fnmatch.fnmatchcase(name, one) for one in self.families)


def half_of(case_id: str) -> Half:
    """Return the half that a case belongs to: by the first bit of the SHA-256 of its id, whatever the tree holds."""
    return "confirm" if hashlib.sha256(case_id.encode("utf-8", "surrogatepass")).digest()[0] & 0x80 else "choose"


def find_cases(path: Path, choice: Choice = Choice()) -> Tree:
    """Return the cases at a path that are wanted; raises CasesError where there are none."""
    if not os.path.exists(path):
        raise CasesError(f"{path}: no such file or folder")
    path = path.resolve()
    found = _Found()
    labels = _take_in(path.parent if path.name in MANIFESTS else path, found)
    _refuse_unknown(choice, found)
    wanted = tuple(case for case in found.cases if choice.wants(case))
    skipped = tuple((name, "; ".join(why)) for name, why in found.skipped.items() if choice.wants_family(name))
    if not wanted:
        raise CasesError(_nothing(path, sum(choice.wants_family(case.family) for case in found.cases), skipped))
    return Tree(wanted, labels, skipped)


def _nothing(path: Path, cases: int, skipped: Sequence[tuple[str, str]]) -> str:
    if cases:
        return f"{path}: none of its {counted(cases, 'case')} is wanted; see --only, --half and the ids"
    left_out = "".join(f"; skipped {name}: {reason}" for name, reason in skipped)
    return f"{path}: no cases here{left_out}; a tree is <family>/<case>"


@dataclass
class _Found:
    cases: list[Case] = field(default_factory=list)
    skipped: dict[str, list[str]] = field(default_factory=dict)
    """Reasons by family."""

    def skip(self, family: str, reason: str) -> None:
        self.skipped.setdefault(family, []).append(reason)

    def family(self, folder: Path, entries: Sequence[Path]) -> None:
        name, cases, others = _printable(folder.name), dict[str, Case](), list[str]()
        for entry in entries:
            case = _case(entry, name)
            if case is None:
                others.append(_printable(entry.name))
            elif cases.setdefault(case.id, case) is not case:
                self.skip(name, f"{_printable(entry.name)}: another case has its id, {case.id}")
        self.cases += cases.values()
        if not cases:
            self.skip(name, f"no adapter: {f'no case of a known shape ({some(others)})' if others else 'empty'}")
        elif others:
            self.skip(name, f"no case of a known shape: {len(others)} of {len(entries)} entries ({some(others)})")


def _take_in(path: Path, found: _Found) -> Path | None:
    """Fill in what is at a path, whatever level of a tree that is; return the folder of labels.

    A folder is a family where as many of its folders are cases as hold some, and a tree of families otherwise.
    """
    if _shape(path) is not None:
        found.family(path.parent, [path])
        return _labels(path.parent, path.parent.parent)
    if not path.is_dir():
        raise CasesError(f"{path}: not a case; a case is a folder with case.json, or one .json or .csv file")
    try:
        entries = _entries(path)
    except OSError as error:
        raise CasesError(f"{path}: cannot be read ({error.strerror})") from error
    shapes = {entry: shape for entry in entries if (shape := _shape(entry)) is not None}
    folders, unread = _folders([entry for entry in entries if entry not in shapes])
    families = sum(any(map(_shape, inside)) for inside in folders.values())
    if shapes and (not families or list(shapes.values()).count("folder") >= families):
        found.family(path, entries)
        return _labels(path, path.parent)
    for folder, inside in folders.items():
        found.family(folder, inside)
    for name, reason in unread:
        found.skip(name, reason)
    if shapes:
        found.skip(_printable(path.name), f"beside the families: {some([_printable(one.name) for one in shapes])}")
    return _labels(path)


def _folders(entries: Sequence[Path]) -> tuple[dict[Path, list[Path]], list[tuple[str, str]]]:
    """Return what may be families with what is in them, and those that cannot be read with why."""
    inside, unread = {}, []
    for folder in (entry for entry in entries if os.path.isdir(entry)):
        try:
            inside[folder] = _entries(folder)
        except OSError as error:
            unread.append((_printable(folder.name), f"cannot be read ({error.strerror})"))
    return inside, unread


def _labels(*places: Path) -> Path | None:
    return next((place / LABELS for place in places if os.path.isdir(place / LABELS)), None)


def _entries(folder: Path) -> list[Path]:
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith(".") and entry.name != LABELS)


def _case(entry: Path, family: str) -> Case | None:
    shape = _shape(entry)
    name = entry.name if shape == "folder" else _bare(entry.name)
    return None if shape is None else Case(_printable(name), family, entry, shape)


def _printable(name: str) -> str:
    """Return a name as text: what is not UTF-8 in it is shown by its bytes."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


def _shape(entry: Path) -> Shape | None:
    if os.path.isdir(entry):
        return "folder" if any(os.path.isfile(entry / name) for name in MANIFESTS) else None
    name = _unpacked(entry.name).lower()
    if name.partition(".")[0] in _ABOUT or not os.path.isfile(entry):
        return None
    return next((shape for suffix, shape in _SUFFIXES if name.endswith(suffix)), None)


def _unpacked(name: str) -> str:
    return next((name[: -len(suffix)] for suffix in _PACKED if name.lower().endswith(suffix)), name)


def _bare(name: str) -> str:
    bare = _unpacked(name)
    return next((bare[: -len(suffix)] for suffix, _ in _SUFFIXES if bare.lower().endswith(suffix)), bare)


def _refuse_unknown(choice: Choice, found: _Found) -> None:
    """A misspelt name must not pass as a small run; a family that is skipped is known."""
    families = {case.family for case in found.cases}
    ids = {case.id for case in found.cases}
    for what, wanted, known in (
        ("--family", choice.families, families | found.skipped.keys()),
        ("case", choice.ids, ids),
    ):
        lost = [one for one in wanted if not any(fnmatch.fnmatchcase(name, one) for name in known)]
        if lost:
            there = ", ".join(sorted(families)) or "none"
            raise CasesError(f"{what} {lost[0]!r} is not here; families with cases: {there}")
