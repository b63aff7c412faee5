"""deploys.json, flags.json, commits.json and loose diffs, in the spellings that people and systems use."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from subagents.contract import Coverage, Problem
from subagents.deploys.sources.patch import parse_patch
from subagents.deploys.sources.records import Commit, Deploy, FlagChange, TouchedPath
from subagents.deploys.sources.rows import TIME_FIELDS, Reading, Row, parse_moment, printable, read_rows
from subagents.files import read_all

PATCH_LIMIT = 1 << 20
_ID = re.compile(r"[0-9a-zA-Z._-]{1,64}\Z")
_COMMIT_FIELDS = (
    "commit_sha",
    "commit",
    "sha",
    "revision",
    "git_sha",
    "git_commit",
    "head_sha",
    "commit_id",
    "ref",
    "rev",
)
_SERVICE_FIELDS = ("service", "app", "application", "component", "service_name", "project", "name", "target", "repo")
_ACTOR_FIELDS = ("actor", "author", "user", "by", "deployer", "deployed_by", "triggered_by", "owner", "changed_by")


def _canonical(row: Row) -> bytes:
    import orjson

    return orjson.dumps(row.fields, option=orjson.OPT_SORT_KEYS)


def _unique(text: str, number: int, taken: set[str]) -> str:
    identity = text if text and text not in taken else str(number)
    while identity in taken:
        identity = f"{identity}.{number}"
    taken.add(identity)
    return identity


def _timed(reading: Reading, row: Row) -> datetime | None:
    """Read a record's time, and say once for the file what is wrong with its times."""
    moment, assumed = row.moment(*TIME_FIELDS)
    if moment is None:
        reading.once(
            Problem(
                what="no time that can be read", where=f"{reading.name}: record {row.number}", lost="its place in time"
            )
        )
    else:
        reading.moments.append(moment)
    if assumed:
        reading.once(Problem(what="times without a zone are read as UTC", where=reading.name))
    return moment


def read_deploys(reading: Reading) -> tuple[list[Deploy], Coverage]:
    """Return the deploys of a file, oldest first where they have times."""
    found: list[Deploy] = []
    taken: set[str] = set()
    seen: set[bytes] = set()
    for row in read_rows(reading, ("deploys", "deployments", "releases", "items", "data", "events")):
        service = row.text(*_SERVICE_FIELDS)
        commit = row.text(*_COMMIT_FIELDS)
        version = row.text("version", "tag", "release", "image", "image_tag", "build", "artifact", "migration")
        if not service and not commit and not version:
            reading.drop(row.number, "a deploy with neither service nor commit nor version")
            continue
        raw = _canonical(row)
        if raw in seen:
            reading.drop(row.number, "the same deploy a second time")
            continue
        seen.add(raw)
        identity = _unique(row.text("id", "deploy_id", "deployment_id"), row.number, taken)
        found.append(
            Deploy(
                source=reading.spec.id,
                id=identity,
                at=_timed(reading, row),
                service=service or reading.spec.options.get("service", ""),
                version=version,
                actor=row.text(*_ACTOR_FIELDS),
                commit_text=commit,
                status=row.text("status", "state", "result", "outcome"),
                raw=raw,
                environment=row.text("environment", "env", "stage", "deployment_environment", "target_environment"),
            )
        )
    return found, reading.coverage(sum(1 for deploy in found if deploy.at is not None))


def read_flags(reading: Reading) -> tuple[list[FlagChange], Coverage]:
    """Return the flag changes of a file."""
    found: list[FlagChange] = []
    taken: set[str] = set()
    for row in read_rows(
        reading, ("flags", "flagchanges", "featureflags", "toggles", "changes", "items", "data", "events")
    ):
        name = row.text("flag", "flag_name", "flag_key", "key", "name", "feature", "toggle", "setting")
        if not name:
            reading.drop(row.number, "a flag change without the flag's name")
            continue
        change = row.text("change", "transition", "action")
        old = row.text("old", "from", "old_value", "previous", "before")
        new = row.text("new", "to", "new_value", "value", "after", "state", "enabled")
        found.append(
            FlagChange(
                source=reading.spec.id,
                id=_unique(row.text("id", "change_id"), row.number, taken),
                at=_timed(reading, row),
                flag=name,
                service=row.text("service", "app", "application", "component", "project", "service_name"),
                change=change or "->".join(part for part in (old, new) if part),
                actor=row.text(*_ACTOR_FIELDS),
                raw=_canonical(row),
            )
        )
    return found, reading.coverage(sum(1 for flag in found if flag.at is not None))


def _paths(value: Any) -> Iterator[TouchedPath]:
    for item in value if isinstance(value, list) else []:
        if isinstance(item, str):
            yield TouchedPath(printable(item[:4096]))
        elif isinstance(item, dict):
            row = Row(0, item)
            path = row.text("path", "filename", "file", "name", "new_path")
            if path:
                yield TouchedPath(
                    path, _count(row.value("add", "additions", "added", "insertions")),
                    _count(row.value("del", "deletions", "deleted", "removed")), row.text("status")[:1].upper(),
                )  # fmt: skip


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _patch_of(row: Row, files: tuple[TouchedPath, ...]) -> str | None:
    value = row.value("diff", "patch", "diff_text")
    if isinstance(value, str):
        return printable(value[:PATCH_LIMIT])
    pieces = []
    listed = row.value("files", "files_changed", "changes")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and isinstance(item.get("patch", item.get("diff")), str):
            inner = Row(0, item)
            path = inner.text("path", "filename", "file", "new_path")
            pieces.append(f"--- a/{path}\n+++ b/{path}\n{item.get('patch', item.get('diff'))}")
    return printable("\n".join(pieces)[:PATCH_LIMIT]) if pieces else None


def read_commits(reading: Reading) -> tuple[list[Commit], Coverage]:
    """Return the commits of a file."""
    found: dict[str, Commit] = {}
    for row in read_rows(reading, ("commits", "changes", "items", "data", "values", "log")):
        sha = row.text("sha", "commit_sha", "commit", "id", "hash", "revision", "commit_id", "oid")
        if not _ID.match(sha):
            reading.drop(row.number, "a commit without an id")
            continue
        if sha in found:
            reading.drop(row.number, "the same commit a second time")
            continue
        found[sha] = _commit(reading, row, sha)
    return list(found.values()), reading.coverage(sum(1 for c in found.values() if c.committed_at is not None))


def _commit(reading: Reading, row: Row, sha: str) -> Commit:
    message = row.text("message", "commit_message", "msg")
    subject = row.text("subject", "title", "summary") or message.split("\n", 1)[0]
    body = row.text("body", "description") or message.partition("\n")[2].strip()
    files = tuple(_paths(row.value("files", "files_changed", "paths", "changed_files", "changes")))
    patch = _patch_of(row, files)
    if patch and not files:
        files = tuple(TouchedPath(diff.path) for diff in parse_patch(patch) if diff.path)
    parents = row.value("parents")
    names = [Row(0, {"sha": p}).text("sha") for p in parents] if isinstance(parents, list) else []
    return Commit(
        source=reading.spec.id,
        sha=sha,
        author=row.text("author", "author_name", "committer", "user", "by", "author_email"),
        committed_at=_timed(reading, row),
        subject=subject,
        body=body,
        files=files,
        file_count=_count(row.value("n_files", "file_count")) or len(files),
        patch=patch,
        no_patch="" if patch is not None else "the commits file holds no diff of it",
        parents=tuple(names),
    )


_MAIL = re.compile(r"^From (?P<sha>[0-9a-f]{40,64}) ", re.MULTILINE)
_SHOW = re.compile(r"^commit (?P<sha>[0-9a-f]{7,64})\b", re.MULTILINE)
_HEADER = re.compile(r"^(?P<name>From|Author|Date|AuthorDate|CommitDate|Subject):\s*(?P<value>.+)$", re.MULTILINE)


def read_diff(reading: Reading) -> tuple[list[Commit], Coverage]:
    """Return the commits of a loose diff: one for each `git show` or `format-patch` part, else the file as one."""
    try:
        data, problem = read_all(Path(reading.spec.path), reading.name, limit=32 << 20)
    except OSError as error:
        reading.problems.append(
            Problem(what=f"cannot be read ({error.strerror})", where=reading.name, lost="this source")
        )
        return [], reading.coverage(0)
    if problem is not None:
        reading.problems.append(problem)
    text = data.decode("utf-8", "replace")
    pattern = _MAIL if _MAIL.search(text) else _SHOW
    starts = [match.start() for match in pattern.finditer(text)]
    ends = [*starts[1:], len(text)]
    pieces = [text[a:b] for a, b in zip(starts, ends, strict=True)] if starts else [text]
    found = [commit for piece in pieces if (commit := _loose(reading, piece, pattern)) is not None]
    reading.items = len(found)
    if not found:
        reading.problems.append(Problem(what="holds no diff", where=reading.name, lost="this source"))
    return found, reading.coverage(len(found))


def _loose(reading: Reading, text: str, pattern: re.Pattern[str]) -> Commit | None:
    head = pattern.match(text)
    files = [diff for diff in parse_patch(text) if diff.path or diff.hunks]
    if not files and not head:
        return None
    preamble = re.split(r"^(?:diff --|--- |@@)", text, maxsplit=1, flags=re.MULTILINE)[0]
    headers = {match["name"]: match["value"].strip() for match in _HEADER.finditer(preamble)}
    date = headers.get("CommitDate") or headers.get("Date") or headers.get("AuthorDate")
    moment, _ = parse_moment(date)
    if moment is not None:
        reading.moments.append(moment)
    indented = [line[4:] for line in preamble.splitlines() if line.startswith("    ")]
    subject = headers.get("Subject", "").removeprefix("[PATCH] ") or (indented[0] if indented else reading.name)
    return Commit(
        source=reading.spec.id,
        sha=head["sha"] if head else "diff-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:12],
        author=headers.get("Author") or headers.get("From") or "",
        committed_at=moment,
        subject=subject,
        body="\n".join(indented[1:]).strip(),
        files=tuple(TouchedPath(diff.path) for diff in files if diff.path),
        file_count=len(files),
        patch=text[:PATCH_LIMIT],
    )
