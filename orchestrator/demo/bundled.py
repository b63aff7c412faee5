"""Unpacks the bundled incident into the state directory: what was recorded, and a repository to work on.

    <state>/demo/<version>/incident/      what `warroom run` is given
    <state>/demo/<version>/origin.git     where that repository pushes to: nothing leaves the machine

Unpacking again changes nothing: branches that were delivered into the repository stay.
"""

from __future__ import annotations

import errno
import hashlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from orchestrator.config import accept
from orchestrator.journal.home import StateHome
from subagents.contract import Clock
from subagents.gitstore.environment import closed_environment, git_program

DATA = Path(__file__).parent / "data"
BUNDLE = "shop.bundle"
INCIDENT, ORIGIN, MARK = "incident", "origin.git", "unpacked"
_CLONE_S = 60.0


class DemoError(Exception):
    """The bundled incident cannot be unpacked; the message is one line for people."""


def unpack(env: Mapping[str, str], clock: Clock, version: str) -> Path:
    """Return the folder of the bundled incident, unpacked into the state directory if it is not there yet.

    Its own warroom.toml came with warroom and is accepted as it is written. Raises DemoError, StateError, DiskFull.
    """
    home = StateHome.locate(env).ensure()
    place = home.path / "demo" / version
    digest = digest_of(DATA)
    try:
        place.parent.mkdir(mode=0o700, exist_ok=True)
        place.parent.chmod(0o700)
        if _mark(place) != digest:
            _put_in_place(place, digest)
    except OSError as error:
        raise DemoError(f"{place}: the demo cannot be unpacked there ({error.strerror or error})") from error
    incident = place / INCIDENT
    accept(incident / "warroom.toml", env, clock)
    return incident


def digest_of(folder: Path) -> str:
    """Return a digest over names and bytes of the files of a folder."""
    whole = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.is_file():
            whole.update(f"{path.name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()


def _mark(place: Path) -> str:
    try:
        return (place / MARK).read_text("utf-8")
    except OSError:
        return ""


def _put_in_place(place: Path, digest: str) -> None:
    """Unpack beside the place and move it there whole; what was there of other data is kept under another name."""
    fresh = place.with_name(f".{place.name}-{secrets.token_hex(4)}")
    try:
        _fill(fresh, place, digest)
        if os.path.lexists(place) and _mark(place) != digest:
            place.rename(place.with_name(f"{place.name}-before-{secrets.token_hex(4)}"))
        try:
            fresh.rename(place)
        except OSError as error:  # another process was faster
            if error.errno not in (errno.ENOTEMPTY, errno.EEXIST) or _mark(place) != digest:
                raise
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _fill(fresh: Path, place: Path, digest: str) -> None:
    """Write everything into `fresh`, as it is to be in `place`."""
    incident = fresh / INCIDENT
    incident.mkdir(mode=0o700, parents=True)
    fresh.chmod(0o700)
    for path in sorted(DATA.iterdir()):
        if path.is_file() and path.name != BUNDLE:
            shutil.copyfile(path, incident / path.name)
            (incident / path.name).chmod(0o600)
    _git("clone", "-q", "--bare", str(DATA / BUNDLE), str(fresh / ORIGIN))
    _git("-C", str(fresh / ORIGIN), "remote", "remove", "origin")
    _git("clone", "-q", str(fresh / ORIGIN), str(incident / "repo"))
    _git("-C", str(incident / "repo"), "remote", "set-url", "origin", str(place / ORIGIN))
    (fresh / MARK).write_text(digest, "utf-8")


def _git(*arguments: str) -> None:
    program = git_program()
    if program is None:
        raise DemoError("git is not installed, and the demo has a repository in it; install git")
    try:
        ran = subprocess.run(  # noqa: S603  a fixed program and the product's own files
            [program, "-c", "init.templateDir=", *arguments],
            env=closed_environment({"GIT_ALLOW_PROTOCOL": "file"}), capture_output=True, text=True, timeout=_CLONE_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise DemoError(f"git took more than {_CLONE_S:.0f} s to unpack the demo's repository; try again") from error
    if ran.returncode:
        said = ran.stderr.strip().splitlines()
        raise DemoError(f"git could not unpack the demo's repository: {said[-1] if said else ran.returncode}")
