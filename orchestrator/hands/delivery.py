"""The only writer to a user's repository: one new ref, its reflog, and the objects behind it. Nothing else, ever.

It refuses without the matching approval, read back from the journal; it looks at everything again right before; the
ref is made by git's own `create`, which fails where a ref of that name appeared meanwhile. (A `fetch` would move a ref
that appeared in between forward, leaves temporary objects where it is killed, and obeys more of the repository's
settings.) Whoever is killed leaves the ref as it was or as it was approved, and `look` says which.
"""

from __future__ import annotations

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orchestrator.hands.approvals import digest_of
from orchestrator.hands.fix_terms import (
    FixChanged,
    FixRefused,
    FixTerms,
    RenderDiff,
    located,
    ref_value,
    refuse_links,
    verify,
    zeros,
)
from orchestrator.hands.object_transfer import clear_litter, transfer
from orchestrator.hands.steps import Steps
from orchestrator.journal.events import ApprovalDecided, ApprovalRequested
from subagents.gitstore.locate import Location
from subagents.gitstore.process import Bounds, GitFailed, first_line, run

_WRITE = Bounds(timeout_s=30.0, cap=1 << 20)
_SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "true",
    "gc.auto": "0",
    "maintenance.auto": "false",
}
"""Said on git's command line, where it counts over the repository's own settings."""


@dataclass(frozen=True)
class Delivered:
    """What is in the user's repository now."""

    ref: str
    commit: str
    found: bool = False
    """It was there already, as approved."""


def approved_terms(steps: Steps, approval_id: str) -> FixTerms:
    """Return what a person approved, read back from the journal; raises FixRefused where nobody did."""
    detail = approved_detail(steps, approval_id, "fix")
    try:
        return FixTerms.model_validate(detail)
    except ValueError:
        raise FixRefused(f"{approval_id}: what was approved was written by another version; draft again") from None


def approved_detail(steps: Steps, approval_id: str, subject: Literal["fix", "push"]) -> dict[str, object]:
    """Return the detail that a person approved, from the journal, never from memory; raises FixRefused."""
    request = steps.read(f"approval:{approval_id}")
    decided = steps.read(f"decided:{approval_id}")
    voided = steps.read(f"voided:{approval_id}")
    if not isinstance(request, ApprovalRequested) or request.subject != subject:
        raise FixRefused(f"{approval_id}: no approval of this was asked for; nothing was done")
    if not isinstance(decided, ApprovalDecided):
        raise FixRefused(f"{approval_id}: nobody approved it; nothing was done")
    if voided is not None or decided.decision != "approve":
        why = voided.reason if isinstance(voided, ApprovalDecided) else decided.reason
        raise FixRefused(f"{approval_id}: the approval does not count ({why or decided.decision}); nothing was done")
    if not decided.digest == request.digest == digest_of(request.detail):
        raise FixRefused(f"{approval_id}: what was approved is not what was asked for; nothing was done")
    return dict(request.detail)


def deliver(steps: Steps, approval_id: str, render: RenderDiff) -> Delivered:
    """Make the approved ref appear, or refuse; the same approval twice gives the same. Blocks: call it in a thread.

    Raises FixChanged where the approval is void, FixRefused for what may be tried again.
    """
    terms = approved_terms(steps, approval_id)
    try:
        return _deliver(steps, approval_id, terms, render)
    except FixRefused:
        # Looking again says what matters more: that the repository went away meanwhile, or that it is done.
        if (there := look(terms)) is not None:
            return there
        raise


def _deliver(steps: Steps, approval_id: str, terms: FixTerms, render: RenderDiff) -> Delivered:
    if (there := look(terms)) is not None:
        return there
    location = verify(terms, render)
    _clear(terms, location)
    try:
        transfer(terms, location)
    except OSError as error:
        place = error.filename if isinstance(error.filename, str) and not os.path.isabs(error.filename) else ""
        where = os.path.join(terms.git_dir, "objects", place)
        raise FixRefused(
            f"{where} cannot be written ({error.strerror}); no ref was made: put that right and deliver again, or do "
            "it yourself (`warroom fix commands`)"
        ) from error
    if approved_terms(steps, approval_id) != terms:
        raise FixRefused("the approval changed while it was carried out; no ref was made")
    return _create(terms, location)


def look(terms: FixTerms) -> Delivered | None:
    """Say whether the ref is there as approved; None where it is not. Raises FixRefused for an unusable repository."""
    location = located(terms.repo)
    if str(location.common_dir) != terms.git_dir:
        return None
    if ref_value(location, terms.ref) != terms.commit:
        return None
    return Delivered(terms.ref, terms.commit, found=True)


def settle(terms: FixTerms) -> Delivered | None:
    """After a crash: say by looking whether it was delivered, and remove what a killed delivery left behind."""
    there = look(terms)
    if there is None:
        location = located(terms.repo)
        if str(location.common_dir) == terms.git_dir:
            with contextlib.suppress(FixRefused):
                refuse_links(location, terms.ref)
                _clear(terms, location)
    return there


def _create(terms: FixTerms, location: Location) -> Delivered:
    refuse_links(location, terms.ref)
    settings = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    command = [f"--git-dir={location.git_dir}", *settings, "update-ref", "--no-deref"]
    who = {"GIT_COMMITTER_NAME": "warroom", "GIT_COMMITTER_EMAIL": "warroom@localhost"}
    asked = f"create {terms.ref}\0{terms.commit}\0".encode()
    try:
        output = run([*command, "-m", f"warroom: deliver {terms.draft}", "-z", "--stdin"], asked, _WRITE, who)
        said = "" if output.status == 0 else first_line(output.stderr) or f"status {output.status}"
    except GitFailed as error:
        said = str(error)
    there = ref_value(location, terms.ref)
    if there == terms.commit:
        return Delivered(terms.ref, terms.commit)
    if there is not None:
        raise FixChanged(f"{terms.ref} appeared meanwhile (it is {there[:12]}): it was not touched; approve again")
    raise FixRefused(f"git made no ref {terms.ref} in {terms.repo}: {said or 'it gave no reason'}")


def _clear(terms: FixTerms, location: Location) -> None:
    """Take away the lock and the log line of a delivery of these very terms that was killed."""
    clear_litter(terms, location)
    if ref_value(location, terms.ref) is not None:
        return
    lock = location.common_dir / f"{terms.ref}.lock"
    if _is_ours(lock, (b"", f"{terms.commit}\n".encode())) and not _is_open(lock):
        lock.unlink(missing_ok=True)
    log = location.common_dir / "logs" / terms.ref
    if _is_ours(log, None) and _only_line(log, f"{zeros(terms.commit)} {terms.commit} warroom <warroom@localhost> "):
        log.unlink(missing_ok=True)


def _is_ours(path: Path, contents: tuple[bytes, ...] | None) -> bool:
    try:
        found = path.lstat()
        if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid() or found.st_size > 4096:
            return False
        return contents is None or path.read_bytes() in contents
    except OSError:
        return False


def _only_line(path: Path, start: str) -> bool:
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return False
    return len(lines) == 1 and lines[0].startswith(start.encode())


def _is_open(path: Path) -> bool:
    """Say whether a running process of this user has a file open: then it is no litter. Only Linux can tell."""
    wanted = str(path)
    for process in Path("/proc").glob("[0-9]*"):  # only the names: a glob of what is in them fails where one has ended
        with contextlib.suppress(OSError), os.scandir(process / "fd") as opened:
            if any(os.readlink(entry.path) == wanted for entry in opened):
                return True
    return False
