"""Repositories that the tests make for themselves, in a closed environment of the tests' own."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/nonexistent",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "LC_ALL": "C",
}


def git(repo: Path, *arguments: str, at: int | None = None, check: bool = True, stdin: bytes = b"") -> str:
    """Run git in a test repository; `at` is the epoch second of author and committer."""
    environment = dict(ENVIRONMENT)
    if at is not None:
        environment |= {"GIT_AUTHOR_DATE": f"@{at} +0000", "GIT_COMMITTER_DATE": f"@{at} +0000"}
    done = subprocess.run(["git", *arguments], cwd=repo, env=environment, input=stdin, capture_output=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"git {arguments}: {done.stderr.decode()}")
    return done.stdout.decode().strip()


def init(path: Path, *options: str) -> Path:
    """Make an empty repository with the branch main."""
    path.mkdir(parents=True)
    git(path, "init", "-q", "-b", "main", *options)
    return path


def commit(repo: Path, files: dict[str, str | bytes | None], message: str, at: int = 1_700_000_000) -> str:
    """Write files (None removes), commit them, and return the id."""
    for name, content in files.items():
        target = repo / name
        if content is None:
            target.unlink()
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content if isinstance(content, bytes) else content.encode())
    git(repo, "add", "-A")
    git(repo, "commit", "-q", "--no-verify", "--allow-empty", "-m", message, at=at)
    return git(repo, "rev-parse", "HEAD")


def fingerprint(root: Path) -> dict[str, tuple[str, int, int, int]]:
    """Return (digest, mtime, inode, mode) of every file below a directory."""
    found = {}
    for directory, names, files in os.walk(root):
        for name in [*files, *names]:
            path = Path(directory) / name
            stat = path.lstat()
            digest = ""
            if path.is_file() and not path.is_symlink():
                digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found[str(path.relative_to(root))] = (digest, stat.st_mtime_ns, stat.st_ino, stat.st_mode)
    return found
