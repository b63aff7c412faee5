"""Which tracked files differ from HEAD, found from a copy of the index: no git runs in the user's work tree."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from subagents.gitstore.locate import Location
from subagents.gitstore.process import Bounds, GitFailed, run

_ENTRY = re.compile(
    rb"(?P<path>[^\0]+)\0\s*ctime: [^\n]*\n\s*mtime: (?P<s>\d+):\d+\n"
    rb"[^\n]*\n[^\n]*\n\s*size: (?P<size>\d+)[^\n]*\n"
)
_LIMIT = 50_000
_BOUNDS = Bounds(timeout_s=10.0, cap=32 << 20)


@dataclass(frozen=True)
class Uncommitted:
    """Tracked files that differ from HEAD, by content staged or by size and time on disk."""

    paths: tuple[str, ...]
    count: int


def uncommitted(store_dir: Path, location: Location, head: str) -> Uncommitted | None:
    """Compare a copy of the index with HEAD and with the files' stat; None where nothing differs or it cannot tell."""
    index = location.git_dir / "index"
    root = location.given
    if not index.is_file() or (root / ".git") == root:
        return None
    try:
        with tempfile.TemporaryDirectory(dir=store_dir, prefix="index.") as place:
            copy = Path(place) / "index"
            shutil.copyfile(index, copy)
            extra = {"GIT_INDEX_FILE": str(copy)}
            staged = run(
                [f"--git-dir={store_dir}", "diff-index", "--cached", "--name-only", "-z", head, "--"],
                bounds=_BOUNDS,
                extra=extra,
            )
            listed = run([f"--git-dir={store_dir}", "ls-files", "-z", "--debug"], bounds=_BOUNDS, extra=extra)
    except (OSError, GitFailed):
        return None
    if staged.status != 0 or listed.status != 0:
        return None
    changed = {name for name in staged.stdout.split(b"\0") if name}
    for number, entry in enumerate(_ENTRY.finditer(listed.stdout)):
        if number >= _LIMIT:
            break
        if _differs(root, entry):
            changed.add(entry["path"])
    names = sorted(name.decode("utf-8", "replace") for name in changed)
    return Uncommitted(tuple(names[:20]), len(names)) if names else None


def _differs(root: Path, entry: re.Match[bytes]) -> bool:
    try:
        stat = os.lstat(os.fsencode(root) + b"/" + entry["path"])
    except OSError:
        return True
    if os.path.isdir(os.fsencode(root) + b"/" + entry["path"]):  # a submodule
        return False
    return stat.st_size != int(entry["size"]) or int(stat.st_mtime) != int(entry["s"])
