"""Walking a folder that was given: bounded, never out of it, never silent about what it leaves."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.naming import shown
from subagents.contract import Problem

_LITTER = re.compile(
    r".*~\Z|#.*#\Z|.*\.(swp|swo|swx|bak|orig|pyc|tmp|part|crdownload)\Z|(thumbs\.db|desktop\.ini)\Z", re.I
)
_SKIPPED_FOLDERS = {"node_modules", "__pycache__", "venv", "__MACOSX"}
SETTINGS_NAME = "warroom.toml"


@dataclass
class Found:
    """What a walk found, by relative path, in sorted order."""

    files: list[str] = field(default_factory=list)
    repos: list[str] = field(default_factory=list)
    """Folders that are git repositories; `` is the folder itself."""
    runbooks: list[str] = field(default_factory=list)
    """Folders named `runbooks` that hold Markdown."""
    problems: list[Problem] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Names that were seen and not followed."""


def is_repository(path: Path) -> bool:
    """Say whether a folder is a git work tree or a bare repository, without running git."""
    if os.path.lexists(path / ".git"):
        return True
    return all((path / name).exists() for name in ("HEAD", "objects", "refs"))


def enclosing_repository(path: Path) -> Path | None:
    """Return the repository that a folder is, or lies in."""
    return next((place for place in (path, *path.parents) if is_repository(place)), None)


def is_litter(name: str) -> bool:
    """Say whether a name is hidden, an editor's or a tool's left-over, or warroom's own settings."""
    return name.startswith(".") or _LITTER.match(name) is not None or name == SETTINGS_NAME


def inside(root: Path, path: Path) -> bool:
    """Say whether a path leads, through all links, to something below `root`."""
    try:
        return path.resolve(strict=True).is_relative_to(root.resolve(strict=True))
    except (OSError, RuntimeError):
        return False


class Walk:
    """One bounded walk of one folder."""

    def __init__(self, root: Path, limits: IntakeLimits) -> None:
        self._root, self._limits = root, limits
        self._seen = 0
        self._visited: set[tuple[int, int]] = set()
        self._found = Found()

    def run(self) -> Found:
        """Walk, and return what was found. Never raises for what is in the folder."""
        whole = True
        if is_repository(self._root):
            self._found.repos.append("")
            whole = False
            self._found.problems.append(
                Problem(
                    what="a git repository: of its files only those at its top and in `runbooks` count as evidence",
                    where=shown(self._root.name),
                    todo="give the folder with logs and metrics as a PATH of its own",
                )
            )
        stack: list[tuple[str, int]] = [("", 0)]
        while stack and self._seen < self._limits.entries:
            folder, depth = stack.pop()
            below = list(self._folder(folder))
            if not whole:
                below = [name for name in below if name.lower() == "runbooks"]
            if depth >= self._limits.depth and below:
                self._say(f"folders nested deeper than {depth} levels", folder, f"{len(below)} folders below it")
                self._found.refused.extend(below)
                continue
            stack.extend((name, depth + 1) for name in reversed(below))
        if self._seen >= self._limits.entries:
            self._say(f"more than {self._limits.entries} names", "", "all after that", "give a smaller folder")
        self._found.files.sort()
        return self._found

    def _folder(self, folder: str) -> Iterator[str]:
        """Look at one folder; yield those below it that should be walked."""
        path = self._root / folder
        try:
            status = path.stat()
            entries = sorted(os.scandir(path), key=lambda entry: entry.name)
        except OSError as error:
            self._say(f"cannot be opened ({error.strerror or error})", folder, "all that is in it")
            return
        if (status.st_dev, status.st_ino) in self._visited:
            return
        self._visited.add((status.st_dev, status.st_ino))
        for entry in entries:
            if self._seen >= self._limits.entries:
                return
            if is_litter(entry.name):
                continue
            self._seen += 1
            relative = f"{folder}/{entry.name}" if folder else entry.name
            if entry.is_symlink() and not self._may_follow(relative):
                continue
            if not _is_folder(entry):
                self._found.files.append(relative)
            elif entry.name in _SKIPPED_FOLDERS:
                self._say("a folder of installed or generated files", relative, "all that is in it")
                self._found.refused.append(relative)
            elif is_repository(self._root / relative):
                self._found.repos.append(relative)
            else:
                if entry.name.lower() == "runbooks":
                    self._found.runbooks.append(relative)
                yield relative

    def _may_follow(self, relative: str) -> bool:
        if inside(self._root, self._root / relative):
            return True
        self._found.refused.append(relative)
        dangling = not (self._root / relative).exists()
        what = "a link that leads nowhere" if dangling else "a link that leads out of the folder: not followed"
        self._say(what, relative, "what it leads to", "" if dangling else "give its target as a PATH of its own")
        return False

    def _say(self, what: str, where: str, lost: str, todo: str = "") -> None:
        place = shown(f"{self._root.name}/{where}" if where else self._root.name)
        self._found.problems.append(Problem(what=what, where=place, lost=lost, todo=todo))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
