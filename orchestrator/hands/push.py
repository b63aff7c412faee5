"""Pushing an approved fix to a new branch of a remote: its own approval, a lease on `absent`, never a force.

It goes by address from warroom's own store: no remote of the user's repository, no hook, no helper and no setting of it
takes part. Nothing can ask for anything; what takes longer than the limit is ended, and the remote is then looked at.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from orchestrator.hands.fix_terms import FixChanged, FixRefused, RenderDiff, branch_of, digest_of_diff, zeros
from subagents.contract import Frozen
from subagents.gitstore.environment import SHA
from subagents.gitstore.process import Bounds, GitFailed, Output, first_line, run

LIMIT_S = 30.0
"""Longest that a push, or a look at the remote, may take."""
CONFIRMED_BY = 6
"""Characters of the commit that a person types before bytes leave the machine."""
_SCHEMES = ("https", "ssh", "file")
_SCP = re.compile(r"(?P<host>[A-Za-z0-9_][\w.-]*@?[\w.-]*):(?P<path>[^:].*)\Z")
_SSH = (
    "ssh -oBatchMode=yes -oConnectTimeout=10 -oNumberOfPasswordPrompts=0 -oStrictHostKeyChecking=yes "
    "-oForwardAgent=no -oPermitLocalCommand=no -oClearAllForwardings=yes"
)
_HINT = "`warroom fix commands` has the commands to do it yourself"


class PushTerms(Frozen):
    """What a person says yes to."""

    act: Literal["push"] = "push"
    draft: str
    commit: str
    tree: str
    parent: str
    url: str
    ref: str
    """`refs/heads/triage/…` on the remote."""
    expected: str
    """What the ref is there before: zeros, for it does not exist."""
    diff_digest: str
    store: str


@dataclass(frozen=True)
class Pushed:
    """How a push ended. `done` None: nobody can say."""

    done: bool | None
    words: str


def require_url(text: str) -> str:
    """Return a remote's address in a form that is safe to use; raises FixRefused for any other."""
    shown = re.sub(r"//[^/@]*@", "//…@", text)[:120]
    if not text or text.startswith("-") or "::" in text or any(ord(c) < 33 or ord(c) == 127 for c in text):
        raise FixRefused(f"{shown!r} is not an address that warroom pushes to (https, ssh or file)")
    if text.startswith("/"):
        return "file://" + text
    if "://" not in text:
        match = _SCP.match(text)
        if match is None or match["path"].startswith("-"):
            raise FixRefused(f"{shown!r} is not an address that warroom pushes to (https, ssh or file)")
        text = f"ssh://{match['host']}/{match['path'].lstrip('/')}"
    try:
        parts = urlsplit(text)
        host, password = parts.hostname or "", parts.password
    except ValueError:
        raise FixRefused(f"{shown!r} is not an address") from None
    if parts.scheme not in _SCHEMES:
        raise FixRefused(f"{shown!r}: warroom pushes by https, ssh or file only, not by {parts.scheme!r}")
    if password is not None or (parts.scheme == "https" and parts.username):
        raise FixRefused(f"{shown!r} holds a user name or a password: give the address without it")
    if host.startswith("-") or (parts.username or "").startswith("-") or (parts.scheme != "file" and not host):
        raise FixRefused(f"{shown!r} is not an address that warroom pushes to")
    return text


def refuse_inside(url: str, *places: str) -> None:
    """Refuse a remote on this machine that lies in one of the places: its hooks would be run by the push."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return
    target = Path(os.path.realpath(parts.path))
    for place in map(os.path.realpath, places):
        if target.is_relative_to(place) or Path(place).is_relative_to(target):
            raise FixRefused(f"{url} is (in) the repository that is investigated: nothing is pushed there")


def host_of(url: str) -> str:
    """Return the host that an address names; this machine for a file."""
    return urlsplit(url).hostname or "localhost"


def remote_value(store: str, url: str, ref: str, limit_s: float = LIMIT_S) -> tuple[str | None, str | None]:
    """Return (what the ref is at the remote or None, the remote's default branch or None); raises FixRefused."""
    output = _outward(store, ["ls-remote", "--symref", "--", url, "HEAD", ref], limit_s)
    if output.status != 0:
        raise FixRefused(f"{url}: cannot be read ({_said(output)}); {_HINT}")
    value = default = None
    for line in output.stdout.decode("utf-8", "replace").splitlines():
        left, _, name = line.partition("\t")
        if left.startswith("ref: ") and name == "HEAD":
            default = left.removeprefix("ref: ")
        elif name == ref and SHA.match(left):
            value = left
    return value, default


def verify_push(terms: PushTerms, render: RenderDiff) -> None:
    """Say nothing where what would be sent is what the terms say; raises FixChanged, FixRefused."""
    branch_of(terms.ref)
    if require_url(terms.url) != terms.url:
        raise FixChanged(f"{terms.url} is not the address in its plain form")
    if terms.expected != zeros(terms.commit):
        raise FixChanged("only a new branch is ever pushed: the expected old value must be zeros")
    try:
        shown = digest_of_diff(render(Path(terms.store), terms.parent, terms.commit))
    except (GitFailed, ValueError, OSError) as error:
        raise FixChanged(f"the diff cannot be made again: {error}; draft again") from error
    if shown != terms.diff_digest:
        raise FixChanged("the diff is not the one that was shown")


def weight(terms: PushTerms) -> int | None:
    """Return the bytes, as stored, of what the commit adds to its base: about what a push sends; None: not known."""
    asked = ["rev-list", "--objects", "--disk-usage", terms.commit, f"^{terms.parent}"]
    try:
        output = run([f"--git-dir={terms.store}", *asked], bounds=Bounds(LIMIT_S, 1 << 10))
    except GitFailed:
        return None
    said = output.stdout.strip()
    return int(said) if output.status == 0 and said.isdigit() else None


def push(terms: PushTerms, limit_s: float = LIMIT_S) -> Pushed:
    """Send one new branch; says how it ended and never raises for what a remote does. Blocks."""
    try:
        there, default = remote_value(terms.store, terms.url, terms.ref, limit_s)
    except FixRefused as error:
        return Pushed(False, str(error))
    if there == terms.commit:
        return Pushed(True, f"{terms.ref} was at {terms.url} already, at {terms.commit[:12]}")
    if there is not None:
        return Pushed(False, f"{terms.ref} exists at {terms.url} (it is {there[:12]}); it was not touched")
    if default == terms.ref:
        return Pushed(False, f"{terms.ref} is the default branch of {terms.url}; it was not touched")
    lease = f"--force-with-lease={terms.ref}:"  # an empty value: the ref must not exist
    safe = ("--no-verify", "--no-signed", "--no-follow-tags", "--no-recurse-submodules", "--no-atomic")
    asked = ["push", "--porcelain", *safe, "--receive-pack=git-receive-pack", lease]
    settings = ["-c", "push.default=nothing", "-c", "push.useForceIfIncludes=false", "-c", "credential.helper="]
    output = _outward(terms.store, [*settings, *asked, "--", terms.url, f"{terms.commit}:{terms.ref}"], limit_s)
    if output.status == 0:
        return Pushed(True, f"pushed {terms.commit[:12]} to {terms.ref} at {terms.url}")
    return _after(terms, _said(output), limit_s)


def _after(terms: PushTerms, said: str, limit_s: float) -> Pushed:
    """Look what a push that failed or was ended left at the remote."""
    try:
        there, _ = remote_value(terms.store, terms.url, terms.ref, limit_s)
    except FixRefused:
        return Pushed(None, f"not known whether {terms.ref} is at {terms.url} now ({said}): look there")
    if there == terms.commit:
        return Pushed(True, f"{terms.ref} is at {terms.url} now, although the push ended with: {said}")
    if "shallow update not allowed" in said:
        said = f"the base {terms.parent[:12]} is not there: push the branch that has it first; {said}"
    return Pushed(False, f"{terms.url} did not take {terms.ref} ({said}); nothing was forced; {_HINT}")


def _outward(store: str, arguments: list[str], limit_s: float) -> Output:
    try:
        return run([f"--git-dir={store}", *arguments], bounds=Bounds(limit_s, 4 << 20), extra=_environment())
    except GitFailed as error:
        return Output(b"", 124, str(error), False)


def _environment() -> dict[str, str]:
    """Return what git needs to reach a remote as this person, without being able to ask them anything."""
    extra = {
        "GIT_ALLOW_PROTOCOL": ":".join(_SCHEMES),
        "GIT_SSH_COMMAND": _SSH,
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        "GIT_SSH_VARIANT": "ssh",
    }
    kept = ("HOME", "SSH_AUTH_SOCK", "https_proxy", "HTTPS_PROXY", "no_proxy", "NO_PROXY", "SSL_CERT_FILE")
    return {**extra, **{name: os.environ[name] for name in kept if name in os.environ}}


def _said(output: Output) -> str:
    """Return why a remote refused: the line that says so, not the first that talks."""
    lines = [*output.stdout.decode("utf-8", "replace").splitlines(), *output.stderr.splitlines()]
    marked = [line.partition("\t")[2].rpartition("\t")[2] for line in lines if line.startswith("!\t")]
    told = [line.removeprefix("remote: ").strip() for line in lines if line.startswith(("remote: ", "fatal: "))]
    parts = [*marked, *told[:2]] or [first_line(output.stderr) or f"status {output.status}"]
    return " ".join("; ".join(dict.fromkeys(part for part in parts if part)).split())[:300]
