"""Finds a user's repository and looks at its state with the few git commands that run nothing of it.

Only rev-parse, symbolic-ref, for-each-ref, cat-file, rev-list and ls-tree ever see the user's git
directory, always by `--git-dir`. Everything else happens in our own store.
"""

from __future__ import annotations

import os
import pwd
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from subagents.gitstore.environment import MINIMUM, git_program, parse_version, same_directory
from subagents.gitstore.process import Bounds, GitFailed, Output, first_line, run

Trouble = Literal[
    "no git", "old git", "not a repository", "unborn", "corrupt", "foreign owner", "unsupported", "unreadable", "store"
]
READ_ONLY = frozenset({"rev-parse", "symbolic-ref", "for-each-ref", "cat-file", "rev-list", "ls-tree"})
_PROBE = Bounds(timeout_s=20.0, cap=16 << 20)


class RepoUnusable(Exception):
    """A repository that cannot be read; the message is one line for people."""

    def __init__(self, trouble: Trouble, message: str) -> None:
        super().__init__(message)
        self.trouble = trouble


@dataclass(frozen=True)
class Location:
    """Where the parts of a repository are."""

    given: Path
    git_dir: Path
    common_dir: Path
    object_format: str
    bare: bool


@dataclass(frozen=True)
class Ref:
    """A branch or a tag and the commit that it names."""

    name: str
    commit: str


def user_git(git_dir: Path, arguments: list[str], stdin: bytes = b"", cap: int = 16 << 20) -> Output:
    """Run one of the read-only commands on a user's git directory; refuse any other."""
    if not arguments or arguments[0] not in READ_ONLY:
        raise ValueError(f"git {arguments[:1]} is not run on a user's repository")
    try:
        return run([f"--git-dir={git_dir}", *arguments], stdin, Bounds(_PROBE.timeout_s, cap))
    except GitFailed as error:
        raise RepoUnusable("unreadable", f"{git_dir}: {error}") from error


def require_git() -> None:
    """Raise RepoUnusable where git is missing or too old."""
    if git_program() is None:
        raise RepoUnusable("no git", "git is not installed: install git 2.38 or newer to read repositories")
    try:
        text = _version_of(git_program() or "")
    except (GitFailed, OSError) as error:
        raise RepoUnusable("no git", f"git does not run ({error}): install git 2.38 or newer") from error
    version = parse_version(text)
    if version is None or version < MINIMUM:
        raise RepoUnusable("old git", f"{text or 'git of unknown version'} is too old: 2.38 or newer is needed")


@cache
def _version_of(program: str) -> str:
    """Return what the git at this place says of itself; a git that does not run is asked again the next time."""
    return run(["version"], bounds=_PROBE).stdout.decode("utf-8", "replace").strip()


def _read_small(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return stream.read(4096).decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _looks_like_git_dir(path: Path) -> bool:
    if not ((path / "HEAD").is_file() or (path / "HEAD").is_symlink()):
        return False
    return (path / "objects").is_dir() or (path / "commondir").is_file()


def find_git_dir(repo: Path) -> Path:
    """Return the git directory of a work tree, a linked work tree, a submodule or a bare repository."""
    if not repo.is_dir():
        raise RepoUnusable("not a repository", f"{repo} is not a directory: give the top directory of a repository")
    inner = repo / ".git"
    if inner.is_file():
        text = _read_small(inner).strip()
        target = Path(text.removeprefix("gitdir:").strip())
        git_dir = target if target.is_absolute() else repo / target
        if text.startswith("gitdir:") and _looks_like_git_dir(git_dir):
            return git_dir.resolve()
        raise RepoUnusable("not a repository", f"{inner} points to no git directory: is its main repository here?")
    if inner.is_dir():
        if _looks_like_git_dir(inner):
            return inner.resolve()
        raise RepoUnusable("corrupt", f"{inner} is no git directory (no HEAD or no objects): run `git fsck` there")
    if _looks_like_git_dir(repo):
        return repo.resolve()
    raise RepoUnusable("not a repository", f"{repo} is not a git repository: give its top directory")


def _owner_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _personal_configuration() -> tuple[Path, Path]:
    home = Path(os.environ.get("HOME", "/nonexistent"))
    return home / ".gitconfig", Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "git" / "config"


def _allowed_by_user(paths: list[Path]) -> bool:
    """Say whether the person's own configuration lists one of the paths as a safe directory."""
    for file in _personal_configuration():
        if not file.is_file():
            continue
        listed = run(["config", "--file", str(file), "-z", "--get-all", "safe.directory"], bounds=_PROBE)
        for entry in listed.stdout.decode("utf-8", "replace").split("\0"):
            if entry == "*" or (entry and any(same_directory(Path(entry).expanduser(), path) for path in paths)):
                return True
    return False


def check_owner(repo: Path, git_dir: Path) -> None:
    """Raise RepoUnusable where someone else owns the repository and the person has not allowed it, as git does."""
    mine = {os.geteuid()}
    if os.geteuid() == 0 and os.environ.get("SUDO_UID", "").isdigit():
        mine.add(int(os.environ["SUDO_UID"]))
    strangers = [uid for path in (repo, git_dir) if (uid := path.stat().st_uid) not in mine]
    if not strangers:
        return
    if _allowed_by_user([repo, git_dir]):
        return
    raise RepoUnusable(
        "foreign owner",
        f"{repo} belongs to {_owner_name(strangers[0])}, not to you: if you trust it, "
        f"run `git config --global --add safe.directory {repo}`",
    )


def locate(repo: Path) -> Location:
    """Find a repository's parts, or raise RepoUnusable with the reason."""
    require_git()
    try:
        git_dir = find_git_dir(repo)
        check_owner(repo, git_dir)
    except OSError as error:
        raise RepoUnusable("unreadable", f"{repo} cannot be read ({error.strerror})") from error
    asked = ["rev-parse", "--git-common-dir", "--show-object-format", "--is-bare-repository"]
    answer = user_git(git_dir, asked)
    lines = answer.stdout.decode("utf-8", "surrogateescape").splitlines()
    if answer.status != 0 or len(lines) != 3:
        said = first_line(answer.stderr)
        known = "extension" in said or "repo version" in said
        trouble: Trouble = "unsupported" if known else "corrupt"
        raise RepoUnusable(trouble, f"{repo}: git cannot open it ({said or 'no reason given'})")
    common = Path(lines[0])
    common = common if common.is_absolute() else Path("/") / common
    if "\n" in str(common):
        raise RepoUnusable("unsupported", f"{repo!s}: a line break in its path")
    if not (common / "objects").is_dir():
        raise RepoUnusable("corrupt", f"{repo}: it has no objects directory: run `git fsck` there")
    return Location(repo, git_dir, common.resolve(), lines[1], lines[2] == "true")


def head_commit(location: Location) -> tuple[str | None, str | None]:
    """Return (commit at HEAD or None, full name of the branch it is on or None when detached)."""
    symbolic = user_git(location.git_dir, ["symbolic-ref", "-q", "HEAD"])
    branch = symbolic.stdout.decode("utf-8", "replace").strip() or None
    parsed = user_git(location.git_dir, ["rev-parse", "-q", "--verify", "HEAD^{commit}"])
    sha = parsed.stdout.decode("ascii", "replace").strip()
    return (sha if parsed.status == 0 and sha else None), branch


def list_refs(location: Location, prefixes: tuple[str, ...], limit: int = 20_000) -> list[Ref]:
    """Return branches or tags under the prefixes that name commits, newest first."""
    shape = "%(objecttype)%00%(objectname)%00%(*objecttype)%00%(*objectname)%00%(refname)%01"
    asked = ["for-each-ref", f"--count={limit}", "--sort=-creatordate", f"--format={shape}", *prefixes]
    answer = user_git(location.git_dir, asked)
    refs = []
    for record in answer.stdout.decode("utf-8", "surrogateescape").split("\x01"):
        fields = record.strip("\n").split("\0")
        if len(fields) != 5:
            continue
        kind, sha, peeled_kind, peeled, name = fields
        commit = sha if kind == "commit" else peeled if peeled_kind == "commit" else ""
        if commit:
            refs.append(Ref(name, commit))
    return refs
