"""Which cases a tree holds, by shape: incident folders, symptom-and-commits files, single series.

A tree is `<family>/<case>` beside an optional `labels/`; a family's folder or one case may be given instead. Of a
case no more than its name is read here.
"""

from __future__ import annotations

import fnmatch
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

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
            (not self.families or any(fnmatch.fnmatchcase(case.family, one) for one in self.families))
            and (not self.ids or case.id in self.ids)
            and (not self.globs or any(fnmatch.fnmatchcase(case.id, one) for one in self.globs))
            and (self.half is None or half_of(case.id) == self.half)
        )


def half_of(case_id: str) -> Half:
    """Return the half that a case belongs to: by the first bit of the SHA-256 of its id, whatever the tree holds."""
    return "confirm" if hashlib.sha256(case_id.encode("utf-8", "surrogatepass")).digest()[0] & 0x80 else "choose"


def find_cases(path: Path, choice: Choice = Choice()) -> Tree:
    """Return the cases at a path that are wanted; raises CasesError where there are none."""
    if not path.exists():
        raise CasesError(f"{path}: no such file or folder")
    path = path.resolve()
    root, families = _families(path)
    found = _Found()
    for folder, entries in families:
        found.family(folder, entries)
    wanted = tuple(case for case in found.cases if choice.wants(case))
    _refuse_unknown(choice, found)
    if not wanted and found.cases:
        raise CasesError(f"{path}: none of its {len(found.cases)} cases is wanted; see --family, --only and --half")
    if not wanted:
        skipped = f" ({', '.join(name for name, _ in found.skipped)}: nothing that an adapter reads)"
        raise CasesError(f"{path}: no cases here{skipped if found.skipped else ''}; a tree is <family>/<case>")
    labels = root / LABELS
    return Tree(wanted, labels if labels.is_dir() else None, tuple(found.skipped))


@dataclass
class _Found:
    cases: list[Case] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def family(self, folder: Path, entries: Sequence[Path]) -> None:
        made = [case for entry in entries if (case := _case(entry, folder.name)) is not None]
        self.cases += made
        others = len(entries) - len(made)
        if not made:
            self.skipped.append((folder.name, f"no adapter: {others} entries, none of them a case of a known shape"))
        elif others:
            self.skipped.append((folder.name, f"{others} entries of {len(entries)} are no case of a known shape"))


def _families(path: Path) -> tuple[Path, list[tuple[Path, list[Path]]]]:
    """Return the root and its families, whatever level of the tree was given."""
    if _shape(path) is not None:
        return path.parent.parent, [(path.parent, [path])]
    if path.is_file():
        raise CasesError(f"{path}: not a case; a case is a folder with case.json, or one .json or .csv file")
    entries = _entries(path)
    if not (path / LABELS).is_dir() and any(_shape(entry) is not None for entry in entries):
        return path.parent, [(path, entries)]
    return path, [(entry, _entries(entry)) for entry in entries if entry.is_dir() and entry.name != LABELS]


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))
    except OSError as error:
        raise CasesError(f"{folder}: cannot be read ({error.strerror})") from error


def _case(entry: Path, family: str) -> Case | None:
    shape = _shape(entry)
    return None if shape is None else Case(_bare(entry.name) if entry.is_file() else entry.name, family, entry, shape)


def _shape(entry: Path) -> Shape | None:
    if entry.is_dir():
        return "folder" if any((entry / name).is_file() for name in MANIFESTS) else None
    name = _unpacked(entry.name).lower()
    if name.partition(".")[0] in _ABOUT:
        return None
    return next((shape for suffix, shape in _SUFFIXES if name.endswith(suffix)), None) if entry.is_file() else None


def _unpacked(name: str) -> str:
    return next((name[: -len(suffix)] for suffix in _PACKED if name.lower().endswith(suffix)), name)


def _bare(name: str) -> str:
    bare = _unpacked(name)
    return next((bare[: -len(suffix)] for suffix, _ in _SUFFIXES if bare.lower().endswith(suffix)), bare)


def _refuse_unknown(choice: Choice, found: _Found) -> None:
    """A misspelt name must not pass as a small run."""

    def missing(wanted: Sequence[str], known: Callable[[Case], str]) -> list[str]:
        names = {known(case) for case in found.cases}
        return [one for one in wanted if not any(fnmatch.fnmatchcase(name, one) for name in names)]

    for what, lost in (
        ("--family", missing(choice.families, lambda case: case.family)),
        ("case", missing(choice.ids, lambda case: case.id)),
    ):
        if lost:
            families = ", ".join(sorted({case.family for case in found.cases})) or "none"
            raise CasesError(f"{what} {lost[0]!r} is not here; families with cases: {families}")
