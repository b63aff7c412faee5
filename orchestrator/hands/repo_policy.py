"""What a repository, or its person's own git settings, ask of whoever commits and pushes: read, never run."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from subagents.gitstore.locate import Location
from subagents.gitstore.process import Bounds, GitFailed, run

_READ = Bounds(timeout_s=10.0, cap=4 << 20)
_TRUE = frozenset({"true", "yes", "on", "1", ""})


@dataclass(frozen=True)
class RepoPolicy:
    """Why a person may want to push, or sign, by themselves; and where the repository is pushed to."""

    reasons: tuple[str, ...] = ()
    signs: bool = False
    remotes: Mapping[str, str] = field(default_factory=dict)
    """Remote name -> address that it is pushed to."""

    @property
    def by_hand(self) -> bool:
        """Say whether handing over the commands is the better default."""
        return bool(self.reasons)


def policy_of(location: Location, environ: Mapping[str, str] = os.environ) -> RepoPolicy:
    """Read the settings files of a repository, a person and a machine; includes are not followed, nothing is run."""
    files = [*_personal(environ), location.common_dir / "config", location.git_dir / "config.worktree"]
    settings: dict[str, str] = {}
    remotes: dict[str, str] = {}
    for file in dict.fromkeys(files):
        for name, value in _settings(file):
            settings[name] = value
            if name.startswith("remote.") and name.endswith(("url", "pushurl")):
                remote, _, kind = name.removeprefix("remote.").rpartition(".")
                if kind == "pushurl" or f"remote.{remote}.pushurl" not in settings:
                    remotes[remote] = value
    reasons = []
    hook = _pre_push(location, settings.get("core.hookspath"))
    if hook is not None:
        reasons.append(f"a pre-push hook ({hook})")
    signs = settings.get("commit.gpgsign", "false").lower() in _TRUE
    if signs:
        reasons.append("signed commits (commit.gpgsign)")
    if settings.get("push.gpgsign", "false").lower() in _TRUE | {"if-asked"}:
        reasons.append("signed pushes (push.gpgSign)")
    return RepoPolicy(tuple(reasons), signs, remotes)


def _personal(environ: Mapping[str, str]) -> list[Path]:
    """Return the settings files of this machine and of this person, in the order in which git reads them."""
    found = [] if environ.get("GIT_CONFIG_NOSYSTEM") else [Path(environ.get("GIT_CONFIG_SYSTEM") or "/etc/gitconfig")]
    if environ.get("GIT_CONFIG_GLOBAL"):
        return [*found, Path(environ["GIT_CONFIG_GLOBAL"])]
    home = environ.get("HOME")
    if not home:
        return found
    own = Path(environ.get("XDG_CONFIG_HOME") or Path(home) / ".config")
    return [*found, own / "git" / "config", Path(home) / ".gitconfig"]


def _settings(file: Path) -> list[tuple[str, str]]:
    if not file.is_file():
        return []
    try:
        listed = run(["config", "--file", str(file), "--no-includes", "-z", "--list"], bounds=_READ)
    except GitFailed:
        return []
    found = []
    for record in listed.stdout.decode("utf-8", "replace").split("\0"):
        if record:
            name, _, value = record.partition("\n")
            head, _, last = name.rpartition(".")
            found.append((f"{head}.{last.lower()}" if head.startswith("remote.") else name.lower(), value))
    return found


def _pre_push(location: Location, hooks_path: str | None) -> Path | None:
    """Return the pre-push hook that git would run for the person, if there is one."""
    top = location.git_dir if location.bare else location.given
    folder = location.common_dir / "hooks" if not hooks_path else top / Path(hooks_path).expanduser()
    hook = folder / "pre-push"
    return hook if hook.is_file() and os.access(hook, os.X_OK) else None
