"""How git's log is cut into commits: wherever a chunk ends, and whatever a message or a path holds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from subagents.gitstore import log as log_module
from subagents.gitstore.log import LoggedCommit, _parse

MARK = "\x01mark"
SHA, PARENT, BLOB = "a" * 40, "b" * 40, "c" * 40


def record(message: str, paths: list[str], parents: str = PARENT) -> bytes:
    """Return a commit as `git log -z --raw` writes it."""
    head = "\0".join((f"{MARK}{SHA}", parents, "Ada", "a@b", "1772359140", message, "", ""))
    merge = " " in parents
    entry = f"::100644 100644 100644 {BLOB} {BLOB} {BLOB} AM" if merge else f":100644 100644 {BLOB} {BLOB} M"
    lead = "\0" if merge else "\n"
    files = "".join(f"{lead if not number else ''}{entry}\0{path}\0" for number, path in enumerate(paths))
    return (head + files).encode("utf-8", "surrogateescape")


def parsed(data: bytes, size: int) -> list[LoggedCommit]:
    chunks: Iterator[bytes] = (data[at : at + size] for at in range(0, len(data), size))
    return list(_parse(chunks, MARK))


HOSTILE = ["\x01x", ":100644 y", "\n:z", "\udcff.py", "é"]


@pytest.mark.parametrize("size", [1, 2, 7, 64, 4096])
def test_chunks_end_anywhere(size: int) -> None:
    data = record("one\n\x01two\n", HOSTILE) + record("", []) + record("merge", ["m.py", "n.py"], f"{PARENT} {SHA}")
    first, empty, merge = parsed(data, size)
    assert [each.path for each in first.files] == HOSTILE
    assert first.touched == [(path, "M") for path in HOSTILE]
    assert (first.subject, first.body, first.file_count) == ("one", "\x01two", 5)
    assert (empty.message, empty.files, empty.file_count) == ("", (), 0)
    assert (merge.touched, merge.file_count, len(merge.parents)) == ([("m.py", "A"), ("n.py", "A")], 2, 2)


@pytest.mark.parametrize("parents", [PARENT, f"{PARENT} {SHA}"], ids=["one parent", "merge"])
def test_of_a_commit_of_very_many_files_the_count_is_exact_and_little_is_held(
    monkeypatch: pytest.MonkeyPatch, parents: str
) -> None:
    monkeypatch.setattr(log_module, "FILES_LIMIT", 10)
    monkeypatch.setattr(log_module, "RECORD_KEPT", 4000)
    paths = [f"vendor/f{number}.py" for number in range(900)]
    large, after = parsed(record("vendor", paths, parents) + record("next", ["a.py"]), 512)
    assert [path for path, _ in large.touched] == paths[:10]
    assert (large.file_count, after.file_count, after.subject) == (900, 1, "next")


def test_a_message_of_any_length_is_held_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "MESSAGE_LIMIT", 100)
    monkeypatch.setattr(log_module, "RECORD_KEPT", 1000)
    (commit,) = parsed(record("x" * 50_000, ["a.py"]), 512)
    assert (len(commit.message), commit.touched) == (100, [("a.py", "M")])


def test_a_commit_that_was_cut_is_left_out_and_one_that_was_cut_in_its_files_keeps_what_came() -> None:
    data = record("one", ["a.py", "b.py"])
    assert parsed(data[:60], 16) == []
    (cut,) = parsed(data[: data.rindex(b"\0b.py")], 16)
    assert cut.touched[0] == ("a.py", "M")
    assert parsed(b"", 16) == []
