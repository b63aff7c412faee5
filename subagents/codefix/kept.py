"""What is kept of each draft beside its commit: a file in the draft store, written before the draft's ref."""

from __future__ import annotations

import contextlib
from pathlib import Path

from subagents.codefix.draft_model import Kept
from subagents.codefix.fixes import Check, Draft
from subagents.codefix.store import RECORDS, DraftStore, write_whole
from subagents.gitstore.environment import require_sha

_CHECK = "check-"


def keep(store: DraftStore, kept: Kept) -> None:
    """Write what is known of a draft, durably, without its diff; what a person said of it before stays."""
    kept = kept.model_copy(update={"draft": kept.draft.model_copy(update={"diff": ""})})
    before = _read(store, kept.draft.id)
    if before is not None and kept.rejected is None and before.draft.commit == kept.draft.commit:
        kept = kept.model_copy(update={"rejected": before.rejected})
    write_whole(store.records / f"{kept.draft.id}.json", kept.model_dump_json().encode())


def _read(store: DraftStore, draft_id: str) -> Kept | None:
    file = next((file for file in store.records.glob("d-*.json") if file.stem == draft_id), None)
    if file is None:
        return None
    try:
        return Kept.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None


def keep_check(git_dir: Path, check: Check) -> None:
    """Write what the tests of a draft showed beside the drafts of its store; raises OSError."""
    write_whole(git_dir / RECORDS / f"{_CHECK}{require_sha(check.commit)}.json", check.model_dump_json().encode())


def kept_checks(git_dir: Path) -> list[tuple[Draft, Check]]:
    """Return the drafts of a store that were tested and what the tests showed, the one tested last at the end."""
    found = []
    for file in (git_dir / RECORDS).glob("d-*.json"):
        with contextlib.suppress(OSError, ValueError):
            draft = Kept.model_validate_json(file.read_bytes()).draft
            record = file.with_name(f"{_CHECK}{require_sha(draft.commit)}.json")
            found.append((record.stat().st_mtime_ns, draft.id, draft, Check.model_validate_json(record.read_bytes())))
    return [(draft, check) for _, _, draft, check in sorted(found, key=lambda each: each[:2])]


def find_kept(store: DraftStore, draft_id: str) -> Kept | None:
    """Return what is kept of a draft whose ref is there; None for any other."""
    kept = _read(store, draft_id)
    return kept if kept is not None and kept.draft.commit in store.branches().values() else None


def all_kept(store: DraftStore) -> list[Kept]:
    """Return every draft of the store, by id."""
    held = set(store.branches().values())
    found = (_read(store, file.stem) for file in sorted(store.records.glob("d-*.json")))
    return [kept for kept in found if kept is not None and kept.draft.commit in held]
