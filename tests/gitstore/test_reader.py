"""Every question to the reader, on a repository whose answers are known."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.contract import Window
from subagents.gitstore.handle import open_handle
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import Bounds, GitCancelled, GitFailed, carried_through, run, stopped_by
from subagents.gitstore.reader import Reader
from subagents.gitstore.revert import check_revert
from tests.gitstore.conftest import Sample
from tests.gitstore.repos import commit, fingerprint, git, init


@pytest.fixture
def reader(sample: Sample, tmp_path: Path) -> Reader:
    return sample.reader(tmp_path / "store")


def test_log_gives_metadata_message_and_paths(sample: Sample, reader: Reader) -> None:
    commits = list(reader.log(LogQuery((sample.head,))))
    assert [c.subject for c in commits] == ["head", "merge side", "other", "side", "second", "root"]
    assert commits[-1].body == "body"
    assert {f.path for f in commits[-1].files} == {"app.py", "docs/read me.md"}
    assert commits[0].author == "Ada"
    assert commits[0].committed_at == datetime.fromtimestamp(1_700_000_400, UTC)
    assert len(commits[1].parents) == 2
    assert commits[1].files == ()


def test_log_takes_a_window_a_range_a_limit_and_paths(sample: Sample, reader: Reader) -> None:
    start, end = (datetime.fromtimestamp(t, UTC) for t in (1_700_000_100, 1_700_000_260))
    inside = reader.log(LogQuery((sample.head,), window=Window(start=start, end=end)))
    assert {c.subject for c in inside} == {"second", "side", "other"}
    assert [c.sha for c in reader.log(LogQuery((sample.head,), (sample.merge,)))] == [sample.head]
    assert len(list(reader.log(LogQuery((sample.head,), limit=2)))) == 2
    assert [c.subject for c in reader.log(LogQuery((sample.head,), paths=("app.py",)))] == ["head", "second", "root"]


def test_odd_messages_paths_and_authors_survive(tmp_path: Path) -> None:
    repo = init(tmp_path / "odd")
    odd = "a\tb\nc \u202e.txt"
    sha = commit(repo, {odd: "x\n", "b\udcff": "y"}, "subj \x01 :100644\n\n:lines\n\x02")
    reader = Sample(repo, sha, sha, sha, sha, sha).reader(tmp_path / "store")
    (only,) = reader.log(LogQuery((sha,)))
    assert {f.path for f in only.files} == {odd, "b\udcff"}
    assert only.file_count == 2
    assert ":lines" in only.message


def test_patches_come_from_one_process_and_merges_are_not_invented(sample: Sample, reader: Reader) -> None:
    patches = reader.patches([sample.head, sample.merge, sample.root])
    assert b"+FIVE" in (patches[sample.head].text or b"")
    assert patches[sample.merge].text == b""
    assert b"+hello" in (patches[sample.root].text or b"")


def test_a_missing_blob_costs_one_diff_and_no_more(sample: Sample, tmp_path: Path) -> None:
    blob = git(sample.path, "rev-parse", f"{sample.second}:app.py")
    reader = sample.reader(tmp_path / "store")
    (sample.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    patches = reader.patches([sample.second, sample.root])
    assert patches[sample.second].text is None
    assert patches[sample.second].reason
    assert b"+hello" in (patches[sample.root].text or b"")


def test_a_file_that_moved_is_shown_as_moved_by_either_name(sample: Sample, tmp_path: Path) -> None:
    text = (sample.path / "app.py").read_text()
    moved = commit(sample.path, {"app.py": None, "lib/app.py": text + "six\n", "other.txt": "else\n"}, "move")
    reader = sample.reader(tmp_path / "store")
    for name in ("app.py", "lib/app.py"):
        shown = reader.patch_of(moved, name).text or b""
        assert b"rename from app.py" in shown
        assert b"+six" in shown
        assert b"+one" not in shown
        assert b"else" not in shown


def test_a_merge_lists_what_none_of_its_parents_had(sample: Sample, tmp_path: Path) -> None:
    git(sample.path, "checkout", "-q", "-b", "more")
    commit(sample.path, {"more.txt": "x\n"}, "more", 1_700_000_500)
    git(sample.path, "checkout", "-q", "main")
    commit(sample.path, {"else.txt": "x\n"}, "else", 1_700_000_510)
    git(sample.path, "merge", "-q", "--no-commit", "--no-ff", "more")
    evil = commit(sample.path, {"app.py": "nothing\n"}, "merge more", 1_700_000_520)
    reader = sample.reader(tmp_path / "store")
    commits = {c.subject: c for c in reader.log(LogQuery((evil,)))}
    (touched,) = commits["merge more"].files
    before = git(sample.path, "rev-parse", f"{sample.head}:app.py")
    assert (touched.path, touched.status, touched.old_blob) == ("app.py", "M", before)
    assert touched.new_mode == "100644"
    assert commits["merge side"].files == ()
    assert b"++nothing" in (reader.patches([evil])[evil].text or b"")


def test_resolve_takes_ids_and_nothing_else(sample: Sample, reader: Reader) -> None:
    asked = [sample.head[:8], sample.head.upper(), "HEAD", "main", "v1.0", "dead", "--all", "zz", "0" * 40]
    found = reader.resolve(asked)
    assert found[sample.head[:8]] == found[sample.head.upper()] == sample.head
    assert {found[name] for name in asked[2:]} == {None}


def test_file_tree_search_and_blame(sample: Sample, reader: Reader) -> None:
    blob = reader.file_at(sample.root, "docs/read me.md")
    assert blob is not None
    assert blob.data == b"hello\n"
    assert reader.file_at(sample.root, "absent") is None
    assert reader.file_at(sample.root, "docs") is None
    assert {e.path for e in reader.tree(sample.merge)} == {"app.py", "docs/read me.md", "other.txt", "side.txt"}
    assert [(h.path, h.line) for h in reader.search(sample.head, "FIVE")] == [("app.py", 5)]
    assert reader.search(sample.head, "--all") == ()
    assert [line.sha for line in reader.blame(sample.head, "app.py", 1, 99)] == [
        sample.root,
        sample.second,
        sample.root,
        sample.root,
        sample.head,
    ]
    assert reader.blame(sample.head, "absent", 1, 2) == ()


def test_ancestry_and_what_a_deploy_brought(sample: Sample, reader: Reader) -> None:
    assert reader.is_ancestor(sample.root, sample.head)
    assert not reader.is_ancestor(sample.head, sample.root)
    brought = reader.brought(sample.second, sample.merge)
    assert {c.subject for c in brought.added} == {"other", "side", "merge side"}
    assert brought.removed == ()
    back = reader.brought(sample.head, sample.second)
    assert back.added == ()
    assert back.removed[0].sha == sample.head


def test_refs_of_the_user_and_the_handle(sample: Sample, reader: Reader) -> None:
    assert {ref.name for ref in reader.store.branches()} == {"refs/heads/main", "refs/heads/side"}
    assert [(ref.name, ref.commit) for ref in reader.store.tags()] == [("refs/tags/v1.0", sample.merge)]
    with reader.store.handle() as handle:
        assert handle.bare
        assert handle.commit(sample.head).message == "head\n"
        assert handle.git.cat_file("-t", sample.head) == "commit"
    with pytest.raises(ValueError, match="not a store of ours"):
        open_handle(sample.path / ".git")


def test_revert_ordinary_merge_root_conflict_empty_and_elsewhere(sample: Sample, reader: Reader) -> None:
    git(sample.path, "gc", "-q")
    before = fingerprint(sample.path)
    clean = check_revert(reader, sample.second, sample.head)
    assert (clean.clean, clean.files, clean.in_base) == (True, ("app.py",), True)
    clone = sample.path.parent / "clone"
    git(sample.path.parent, "clone", "-q", str(sample.path), str(clone))
    git(clone, "revert", "--no-edit", sample.second)
    assert clean.tree == git(clone, "rev-parse", "HEAD^{tree}")
    assert [c.sha for c in clean.touched_since] == [sample.head]

    merge = check_revert(reader, sample.merge, sample.head)
    assert (merge.clean, merge.mainline, merge.files) == (True, 1, ("side.txt",))
    assert list(reader.store.git_dir.glob("scratch.*")) == []
    other = check_revert(reader, sample.merge, sample.head, mainline=2)
    assert (other.mainline_parent, other.files) == (sample.side, ("other.txt",))
    with pytest.raises(ValueError, match="mainline 3 is none"):
        check_revert(reader, sample.merge, sample.head, mainline=3)

    root = check_revert(reader, sample.root, sample.head)
    assert not root.clean
    assert root.conflicts == ("app.py",)
    assert root.tree is None
    apart = check_revert(reader, sample.head, sample.merge)
    assert not apart.in_base
    assert fingerprint(sample.path) == before


def test_revert_conflict_and_already_undone(tmp_path: Path) -> None:
    repo = init(tmp_path / "r")
    base = commit(repo, {"a": "1\n2\n3\n"}, "base")
    change = commit(repo, {"a": "1\nX\n3\n"}, "change")
    again = commit(repo, {"a": "1\nY\n3\n"}, "again")
    undone = commit(repo, {"a": "1\n2\n3\n"}, "undone")
    empty = commit(repo, {}, "nothing")
    reader = Sample(repo, base, change, again, undone, empty).reader(tmp_path / "store")
    conflict = check_revert(reader, change, again)
    assert (conflict.clean, conflict.conflicts, conflict.tree) == (False, ("a",), None)
    assert not check_revert(reader, change, undone).changes_anything
    assert not check_revert(reader, empty, empty).changes_anything
    with pytest.raises(GitFailed, match="not in this repository"):
        check_revert(reader, "0" * 40, empty)


def test_bounds_stop_a_process_by_time_and_by_size(sample: Sample, reader: Reader) -> None:
    cut = reader.store.run(["log", "-p", sample.head], bounds=Bounds(cap=100))
    assert cut.truncated
    assert len(cut.stdout) == 100
    with pytest.raises(GitFailed, match="gave more than"):
        reader.store.need(["log", "-p", sample.head], bounds=Bounds(cap=100))
    with pytest.raises(GitFailed, match="was stopped"):
        run(["version"], bounds=Bounds(timeout_s=0.0))
    with pytest.raises(GitFailed, match="was stopped"):
        run(["version"], bounds=Bounds(cancelled=lambda: True))
    with stopped_by(lambda: True):
        with pytest.raises(GitCancelled, match="not needed any more"):
            reader.blame(sample.head, "app.py", 1, 2)
        with carried_through():
            assert len(reader.blame(sample.head, "app.py", 1, 2)) == 2
    assert len(reader.blame(sample.head, "app.py", 1, 2)) == 2
