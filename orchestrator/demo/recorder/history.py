"""Builds the repository of the bundled incident from `series/`: the same commits, to the byte, every time."""

from __future__ import annotations

import email
import email.policy
import os
import subprocess
import tarfile
from collections.abc import Mapping
from email.utils import parseaddr
from io import BytesIO
from pathlib import Path

SERIES = Path(__file__).parent / "series"
BRANCH = "main"


def closed_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return an environment in which nobody's settings of git count."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": "/nonexistent",
        "LC_ALL": "C",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **(extra or {}),
    }


def git(repo: Path, *arguments: str, extra: Mapping[str, str] | None = None) -> bytes:
    """Run git; raises CalledProcessError with what it said."""
    command = ["git", "-C", str(repo), *arguments]
    ran = subprocess.run(  # noqa: S603  fixed program, no shell
        command, env=closed_environment(extra), capture_output=True, timeout=120
    )
    if ran.returncode:
        raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout, ran.stderr)
    return ran.stdout


def build_repository(repo: Path) -> None:
    """Apply the series to a new repository, each author committing as of the patch's own date, and set the tags."""
    repo.mkdir(parents=True)
    git(repo, "init", "-q", "-b", BRANCH)
    tags = _tags()
    for patch in sorted(SERIES.glob("*.patch")):
        with patch.open("rb") as file:
            head = email.message_from_binary_file(file, policy=email.policy.default)
        name, address = parseaddr(str(head["From"]))
        committer = {"GIT_COMMITTER_NAME": name, "GIT_COMMITTER_EMAIL": address}
        git(repo, "am", "-q", "--committer-date-is-author-date", str(patch), extra=committer)
        for tag in tags.get(patch.name[:4], ()):
            git(repo, "tag", tag)


def _tags() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (SERIES / "tags.txt").read_text("utf-8").splitlines():
        number, _, tag = line.partition(" ")
        found.setdefault(number, []).append(tag)
    return found


def build_bundle(repo: Path, bundle: Path) -> None:
    """Write branch and tags of a repository into a bundle."""
    git(repo, "-c", "pack.threads=1", "bundle", "create", "-q", str(bundle.resolve()), "HEAD", BRANCH, "--tags")


def commit_of(repo: Path, name: str) -> str:
    """Return the full id of a tag or revision."""
    return git(repo, "rev-parse", f"{name}^{{commit}}").decode().strip()


def export(repo: Path, revision: str, folder: Path) -> None:
    """Write the files of a revision into a new folder."""
    folder.mkdir(parents=True)
    with tarfile.open(fileobj=BytesIO(git(repo, "archive", "--format=tar", revision))) as tar:
        tar.extractall(folder, filter="data")
