"""Reads back what a run left in its directories: untrusted, bounded, never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from subagents.codefix.detect_kinds import TestCommand
from subagents.codefix.results_xml import REPORT_LIMIT
from subagents.codefix.sandbox_mounts import OUT

FILES_LIMIT = 500
ALL_LIMIT = 64 << 20
_LOOKED_AT = 50_000
_FOLDERS = ("surefire-reports", "failsafe-reports", "test-results")


def read_reports(command: TestCommand, tree: Path, out: Path, since_ns: int) -> tuple[list[bytes], str]:
    """Return the reports of a run, and a note on what could not be read; raises nothing for what the run planted."""
    if command.form == "reports":
        return _build_reports(tree / command.folder, since_ns)
    if not command.report:
        return [], ""
    data = read_plain(out, command.report.removeprefix(OUT + "/"), REPORT_LIMIT + 1)
    return ([], "") if data is None else ([data], "")


def read_plain(folder: Path, name: str, limit: int) -> bytes | None:
    """Return the first bytes of a regular file of a folder; None where it is not one."""
    try:
        fd = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            return None
        with os.fdopen(fd, "rb", closefd=False) as stream:
            return stream.read(limit)
    except OSError:
        return None
    finally:
        os.close(fd)


def _build_reports(top: Path, since_ns: int) -> tuple[list[bytes], str]:
    """Return the XML files below folders of test results that are younger than the start of the run."""
    found: list[bytes] = []
    size = looked = 0
    left = [(top, False)]
    while left:
        folder, wanted = left.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            looked += 1
            if looked > _LOOKED_AT or len(found) >= FILES_LIMIT or size > ALL_LIMIT:
                return found, "there are more reports than are read"
            if entry.is_dir(follow_symlinks=False):
                if entry.name != "node_modules":
                    left.append((Path(entry.path), wanted or entry.name in _FOLDERS))
            elif wanted and entry.name.endswith(".xml") and entry.stat(follow_symlinks=False).st_mtime_ns >= since_ns:
                data = read_plain(folder, entry.name, REPORT_LIMIT + 1)
                if data is not None:
                    found.append(data)
                    size += len(data)
    return found, ""
