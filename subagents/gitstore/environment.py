"""The closed environment of every git process: nothing inherited, nothing configured by anyone but us."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FIXED_PATH = "/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin"
"""Where git and its helpers are looked for; the caller's PATH may begin with a hostile directory."""

MINIMUM = (2, 38)
"""`merge-tree --write-tree` and `cat-file -z` came with it."""

SHA = re.compile(r"(?:[0-9a-f]{40}|[0-9a-f]{64})\Z")
PREFIX = re.compile(r"[0-9a-f]{4,64}\Z")

_BASE: Mapping[str, str] = {
    "PATH": FIXED_PATH,
    "LC_ALL": "C",
    "LANGUAGE": "C",
    "TZ": "UTC",
    "HOME": "/nonexistent",
    "XDG_CONFIG_HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "/bin/false",
    "GIT_SSH_COMMAND": "/bin/false",
    "GIT_ALLOW_PROTOCOL": "none",  # lazy fetching too, where git is older than the variable below
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_PAGER": "cat",
    "GIT_EDITOR": "/bin/false",
    "GIT_FLUSH": "0",
}

# Identity and dates are fixed so that a synthetic commit of the same trees is the same object.
IDENTITY: Mapping[str, str] = {
    "GIT_AUTHOR_NAME": "warroom",
    "GIT_AUTHOR_EMAIL": "warroom@localhost",
    "GIT_AUTHOR_DATE": "@0 +0000",
    "GIT_COMMITTER_NAME": "warroom",
    "GIT_COMMITTER_EMAIL": "warroom@localhost",
    "GIT_COMMITTER_DATE": "@0 +0000",
}

WORKING_DIRECTORY = "/"
"""Where git processes run, so that no `.git`, config or program of the current directory is found."""


def closed_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the whole environment of a git process; nothing of the caller's own is in it."""
    return {**_BASE, **(extra or {})}


@cache
def git_program() -> str | None:
    """Return the absolute path of git on the fixed path; None where there is none."""
    return shutil.which("git", path=FIXED_PATH)


def parse_version(text: str) -> tuple[int, int] | None:
    """Read `git version 2.39.5 (Apple Git-154)` as (2, 39)."""
    match = re.search(r"\b(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def require_sha(text: str) -> str:
    """Return a full object id in lower case; raise ValueError for anything else."""
    lowered = text.lower() if len(text) <= 64 and text.isascii() else ""
    if not SHA.match(lowered):
        raise ValueError(f"not a full object id: {text[:80]!r}")
    return lowered


def require_path(text: str) -> str:
    """Return a path as a tree could hold it; raise ValueError for what no tree holds or stdin cannot carry."""
    parts = text.split("/")
    bad = not text or len(text) > 4096 or any(ord(c) < 32 or ord(c) == 127 for c in text)
    if bad or any(part in ("", ".", "..") for part in parts) or any(p.lower() == ".git" for p in parts):
        raise ValueError(f"not a path inside a repository: {text[:80]!r}")
    return text


def same_directory(one: Path, other: Path) -> bool:
    """Say whether two paths are one directory on disk."""
    try:
        return one.samefile(other)
    except OSError:
        return False
