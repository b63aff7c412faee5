r"""What a reviewer is shown of a draft: the one diff, its digest, each file, and what to look at twice.

The diff is the output of one fixed command. Bytes of it that are not UTF-8, and NUL, stand as `\xe9`, so that the text
is text everywhere and its digest is that of exactly what is shown.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from subagents.codefix.fixes import DraftFile
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.store import DraftStore
from subagents.gitstore.environment import require_sha
from subagents.gitstore.process import Bounds, GitFailed, run
from subagents.quantities import counted

DIFF_LIMIT = 384 << 10
"""Most bytes of a diff that is put before a person."""
FILES_LIMIT = 400
_COMMON = ("-r", "--no-renames", "--full-index", "--no-ext-diff", "--no-textconv", "--submodule=short")
_PATCH = (
    *("diff-tree", "-p", "-U3", "--inter-hunk-context=0", "--diff-algorithm=myers", "--indent-heuristic", "--no-color"),
    *("--no-relative", "--src-prefix=a/", "--dst-prefix=b/", "--ws-error-highlight=none", *_COMMON),
)
_FACTS = ("diff-tree", "-z", "--raw", "--numstat", *_COMMON)
_ATTRIBUTES = ("filter", "eol", "text", "working-tree-encoding", "linguist-generated")
_LFS = b"version https://git-lfs.github.com/spec/v1"
_GENERATED_NAME = re.compile(
    r"(?:^|/)(?:package-lock\.json|yarn\.lock|pnpm-lock\.yaml|poetry\.lock|uv\.lock|Cargo\.lock|go\.sum|Gemfile\.lock"
    r"|[^/]+\.min\.(?:js|css)|[^/]+_pb2(?:_grpc)?\.pyi?|[^/]+\.pb\.go|[^/]+\.(?:js|css)\.map)\Z"
    r"|(?:^|/)(?:node_modules|vendor|third_party|dist)/"
)
_GENERATED_TEXT = re.compile(rb"Code generated .{0,80}DO NOT EDIT|@generated\b")
_DATA_NAME = re.compile(r"(?:^|/)(?:migrations?|alembic/versions|db/migrate)/", re.IGNORECASE)
_CI_NAME = re.compile(
    r"(?:^|/)(?:\.github/(?:workflows|actions)/|\.gitlab-ci\.yml\Z|\.circleci/|Jenkinsfile\Z|\.buildkite/"
    r"|azure-pipelines\.yml\Z|\.drone\.yml\Z)"
)
ChangeName = Literal["added", "modified", "deleted", "mode", "type"]


@dataclass(frozen=True)
class Review:
    """All that is said of a draft's content."""

    files: tuple[DraftFile, ...]
    diff: str
    digest: str
    warnings: tuple[str, ...]


def digest_of_diff(diff: str) -> str:
    """Return what an approval of a diff text binds to: `sha256:` of its UTF-8 bytes."""
    return "sha256:" + hashlib.sha256(diff.encode("utf-8", "surrogateescape")).hexdigest()


def diff_text(git_dir: Path, base: str, commit: str, limit: int = DIFF_LIMIT) -> str:
    """Return the one diff between two commits of a draft store, as shown and approved; raises GitFailed."""
    return _as_text(_diff_bytes(git_dir, base, commit, limit))


def _as_text(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace").replace("\0", "\\x00")


def _diff_bytes(git_dir: Path, base: str, commit: str, limit: int) -> bytes:
    asked = [f"--git-dir={git_dir}", *_PATCH, require_sha(base), require_sha(commit)]
    output = run(asked, bounds=Bounds(60.0, limit))
    if output.truncated:
        raise GitFailed(f"the diff has more than {limit >> 10} KiB")
    if output.status != 0:
        raise GitFailed(f"git diff-tree failed: {output.stderr[:200] or output.status}")
    return output.stdout


@dataclass(frozen=True)
class _Raw:
    path: str
    status: str
    old_mode: str
    new_mode: str
    added: int
    removed: int
    binary: bool


def _facts(store: DraftStore, base: str, commit: str) -> list[_Raw]:
    data = store.need([*_FACTS, require_sha(base), require_sha(commit)], bounds=Bounds(60.0, 32 << 20))
    tokens = data.decode("utf-8", "surrogateescape").split("\0")
    heads: dict[str, tuple[str, str, str]] = {}
    counts: dict[str, tuple[str, str]] = {}
    position = 0
    while position < len(tokens):
        token = tokens[position]
        if token.startswith(":"):
            old, new, _, _, status = token[1:].split(" ")
            heads[tokens[position + 1]] = status[:1], old, new
            position += 1
        elif token:
            added, removed, path = token.split("\t", 2)
            counts[path] = added, removed
        position += 1
    found = []
    for path, (status, old, new) in heads.items():
        added, removed = counts.get(path, ("0", "0"))
        binary = added == "-"
        number = (0, 0) if binary else (int(added), int(removed))
        found.append(_Raw(path, status, old, new, *number, binary))
    return found


def review(store: DraftStore, base: str, commit: str) -> Review:
    """Look at what a commit changes on its base; raises DraftRefused where that is more than a person can review."""
    facts = _facts(store, base, commit)
    if len(facts) > FILES_LIMIT:
        raise DraftRefused(f"it changes {len(facts)} files, more than the {FILES_LIMIT} that can be reviewed here")
    try:
        data = _diff_bytes(store.git_dir, base, commit, DIFF_LIMIT)
    except GitFailed as error:
        raise DraftRefused(f"{error}, more than can be reviewed here: make this change by hand") from error
    attributes = _attributes(store, commit, [fact.path for fact in facts])
    sections = _sections(data, facts)
    files, warnings = [], []
    for fact in facts:
        notes = _notes(fact, sections.get(fact.path, b""), attributes.get(fact.path, {}))
        shown = _shown_path(fact.path)
        files.append(
            DraftFile(
                path=shown,
                change=_change(fact),
                added=fact.added,
                removed=fact.removed,
                binary=fact.binary,
                old_mode=fact.old_mode,
                new_mode=fact.new_mode,
                note="; ".join(notes),
            )
        )
        warnings += [f"{shown}: {note}" for note in notes]
    diff = _as_text(data)
    return Review(tuple(files), diff, digest_of_diff(diff), tuple(warnings[:60]))


def _shown_path(path: str) -> str:
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _change(fact: _Raw) -> ChangeName:
    if fact.status == "M" and fact.old_mode != fact.new_mode and not fact.binary and not fact.added + fact.removed:
        return "mode"
    names: Mapping[str, ChangeName] = {"A": "added", "D": "deleted", "T": "type"}
    return names.get(fact.status, "modified")


def _sections(data: bytes, facts: Sequence[_Raw]) -> dict[str, bytes]:
    """Give each path its part of the diff. Parts come in the order of the facts; a change of type has two."""
    parts = [b"diff --git " + part for part in (b"\n" + data).split(b"\ndiff --git ")[1:]]
    found: dict[str, bytes] = {}
    for fact in facts:
        count = 2 if fact.status == "T" else 1
        found[fact.path], parts = b"\n".join(parts[:count]), parts[count:]
    return found


def _notes(fact: _Raw, section: bytes, attributes: Mapping[str, str]) -> list[str]:
    """Return what a reviewer must know of one file."""
    modes = (fact.old_mode, fact.new_mode)
    notes = []
    if "120000" in modes:
        notes.append("a symbolic link")
    if "160000" in modes:
        notes.append("a submodule: only the commit that it points to changes")
    if fact.old_mode != fact.new_mode and "000000" not in modes:
        notes.append(f"mode {fact.old_mode} becomes {fact.new_mode}")
    if b"\n+" + _LFS in section or b"\n " + _LFS in section or b"\n-" + _LFS in section:
        notes.append("a Git LFS pointer: the file that it stands for is not here")
    if "160000" in modes:
        return notes
    if _GENERATED_NAME.search(fact.path) or _GENERATED_TEXT.search(section) or attributes.get("linguist-generated"):
        notes.append("a generated file: its source may need the change")
    if _DATA_NAME.search(fact.path):
        notes.append("a migration: taking back code does not take back data")
    if _CI_NAME.search(fact.path):
        notes.append("CI configuration: it runs when the branch is pushed")
    notes += [f"attribute {name}={value} applies" for name, value in attributes.items() if name in _ATTRIBUTES[:4]]
    return notes + _notes_on_text(section)


def _notes_on_text(section: bytes) -> list[str]:
    body = [line for line in section.split(b"\n") if line[:1] in (b"+", b"-") and line[:3] not in (b"+++", b"---")]
    notes = []
    if body and any(line.endswith(b"\r") for line in body):
        notes.append("CRLF line endings" if all(line.endswith(b"\r") for line in body) else "mixed line endings")
    added = b"\n".join(line[1:].removesuffix(b"\r") for line in body if line[:1] == b"+")
    try:
        text = added.decode("utf-8")
    except UnicodeDecodeError:
        text = added.decode("utf-8", "replace")
        notes.append("not UTF-8: other bytes are shown as \\xNN")
    if hidden := hidden_characters(text):
        notes.append(f"{counted(hidden, 'hidden or direction-changing character')} in added lines")
    return notes


def hidden_characters(text: str) -> int:
    """Count characters that a person does not see or that reorder what is seen (line ends and tabs do not count)."""
    if text.isascii() and text.isprintable():
        return 0
    text = text.replace("\r\n", "\n")
    return sum(
        1
        for char in text
        if char not in "\n\t"
        and (unicodedata.category(char) in ("Cc", "Cf", "Zl", "Zp") or 0xFE00 <= ord(char) <= 0xFE0F)
    )


def _attributes(store: DraftStore, commit: str, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return attributes in force on the paths, from the commit's own attribute files; nothing else defines any."""
    places = {""}
    for path in paths:
        parts = path.split("/")[:-1]
        places |= {"/".join(parts[: count + 1]) + "/" for count in range(len(parts))}
    names = sorted(f"{place}.gitattributes" for place in places if "\n" not in place)  # one answer a line
    asked = b"".join(f"{commit}:{name}".encode("utf-8", "surrogateescape") + b"\0" for name in names)
    answer = store.need(["cat-file", "--batch-check=%(objectname) %(objecttype)", "-z"], asked)
    lines = answer.split(b"\n")
    entries = b"".join(
        b"100644 " + line.split(b" ")[0] + b"\t" + name.encode("utf-8", "surrogateescape") + b"\0"
        for name, line in zip(names, lines, strict=False)
        if re.fullmatch(rb"[0-9a-f]{40,64} blob", line)
    )
    return _checked(store, entries, paths) if entries else {}


def _checked(store: DraftStore, entries: bytes, paths: Sequence[str]) -> dict[str, dict[str, str]]:
    import tempfile

    with tempfile.TemporaryDirectory(dir=store.git_dir, prefix="index.", ignore_cleanup_errors=True) as place:
        extra = {"GIT_INDEX_FILE": str(Path(place) / "index")}
        store.need(["update-index", "-z", "--index-info"], entries, extra=extra)
        stdin = b"".join(path.encode("utf-8", "surrogateescape") + b"\0" for path in paths)
        data = store.need(["check-attr", "--cached", "-z", "--stdin", *_ATTRIBUTES], stdin, extra=extra)
    found: dict[str, dict[str, str]] = {}
    fields = data.decode("utf-8", "surrogateescape").split("\0")
    for path, name, value in zip(fields[::3], fields[1::3], fields[2::3], strict=False):
        if value not in ("unspecified", "unset", "auto", ""):
            found.setdefault(path, {})[name] = unicodedata.normalize("NFC", value)[:40]
    return found
