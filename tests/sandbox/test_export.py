"""Exports: bytes, modes and links as stored, nothing through a link, nothing of git; and their removal."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from subagents.codefix.export import Trees, export, overlay
from subagents.codefix.sandbox_dirs import fresh_run_dir, remove_run_dir
from subagents.contract import ToolError
from subagents.gitstore.reader import TreeEntry
from tests.gitstore.repos import commit, git, init


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    return init(tmp_path / "repo")


def _blob(repo: Path, data: bytes) -> str:
    return git(repo, "hash-object", "-w", "--stdin", stdin=data)


def _commit_tree(repo: Path, tree: str) -> str:
    return git(repo, "commit-tree", "-m", "made", tree, at=1_700_000_000)


def _raw_tree(repo: Path, entries: list[tuple[str, bytes, str]]) -> str:
    """Write a tree as it is given, however wrong: git's own commands would refuse it."""
    body = b"".join(mode.encode() + b" " + name + b"\0" + bytes.fromhex(oid) for mode, name, oid in entries)
    return git(repo, "hash-object", "-t", "tree", "-w", "--literally", "--stdin", stdin=body)


def test_files_are_as_stored(repo: Path, tmp_path: Path) -> None:
    """No attribute, filter or line-ending setting of the repository has a say."""
    git(repo, "config", "filter.evil.smudge", f"touch {tmp_path}/ran; cat")
    attributes = "*.txt text eol=crlf\n*.bin filter=evil\n"
    files: dict[str, str | bytes | None] = {
        ".gitattributes": attributes,
        "a.txt": "one\ntwo\n",
        "b.bin": b"\0\xff",
        "d/e/f.sh": "#!/bin/sh\n",
        "empty": "",
    }
    sha = commit(repo, files, "files")
    trees, into = Trees(repo / ".git"), tmp_path / "out"
    done = export(trees, trees.entries(sha).values(), into)
    found = {str(path.relative_to(into)): path.read_bytes() for path in into.rglob("*") if path.is_file()}
    assert found == {name: text.encode() if isinstance(text, str) else text for name, text in files.items()}
    assert (done.files, done.size, done.notes) == (5, sum(map(len, found.values())), ())
    assert not (tmp_path / "ran").exists()


def test_modes_and_links_are_kept_and_links_are_not_followed(repo: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    program, link, plain = _blob(repo, b"#!/bin/sh\n"), _blob(repo, os.fsencode(outside)), _blob(repo, b"x")
    listing = f"100755 blob {program}\trun\n120000 blob {link}\tlink\n100644 blob {plain}\tplain\n"
    tree = git(repo, "mktree", stdin=listing.encode())
    trees, into = Trees(repo / ".git"), tmp_path / "out"
    export(trees, trees.entries(_commit_tree(repo, tree)).values(), into)
    assert stat.S_IMODE((into / "run").stat().st_mode) == 0o755
    assert stat.S_IMODE((into / "plain").stat().st_mode) == 0o644
    assert os.readlink(into / "link") == str(outside)
    assert list(outside.iterdir()) == []


def test_nothing_is_written_through_a_link_or_out_of_the_export(repo: Path, tmp_path: Path) -> None:
    """Trees that no honest git writes: a link and a directory of one name, `..`, `.git`, an absolute name."""
    outside = tmp_path / "outside"
    outside.mkdir()
    data, link = _blob(repo, b"planted"), _blob(repo, os.fsencode(outside))
    inner = _raw_tree(repo, [("100644", b"planted", data)])
    hooks = _raw_tree(repo, [("40000", b"hooks", _raw_tree(repo, [("100755", b"post-checkout", data)]))])
    tree = _raw_tree(
        repo,
        [
            ("40000", b"..", inner),
            ("40000", b".GIT", hooks),
            ("40000", b".git", hooks),
            ("120000", b"trap", link),
            ("40000", b"trap", inner),
            ("100644", b"fine", data),
        ],
    )
    trees, into = Trees(repo / ".git"), tmp_path / "run" / "out"
    into.parent.mkdir()
    commit_id = _commit_tree(repo, tree)
    entries = [entry for entry in trees.entries(commit_id).values()]
    entries += [TreeEntry("100644", "blob", data, f"{outside}/absolute"), TreeEntry("120000", "blob", link, "trap")]
    done = export(trees, entries, into)
    assert list(outside.iterdir()) == []
    assert sorted(path.name for path in into.parent.iterdir()) == ["out"]
    assert sorted(path.name for path in into.iterdir()) == ["fine", "trap"]
    assert not (into / "trap").is_symlink() or list(outside.iterdir()) == []
    assert any("no checkout may hold" in note for note in done.notes)
    assert any("cannot tell apart" in note for note in done.notes)


def test_names_that_clash_are_said(repo: Path, tmp_path: Path) -> None:
    one, two = _blob(repo, b"1"), _blob(repo, b"2")
    twice = [TreeEntry("100644", "blob", one, "same"), TreeEntry("100644", "blob", two, "same")]
    done = export(Trees(repo / ".git"), twice, tmp_path / "out")
    assert (tmp_path / "out" / "same").read_bytes() == b"1"
    assert done.notes == ("1 path that this file system cannot tell apart: 'same'",)


def test_submodules_are_left_empty_and_pointers_are_said(repo: Path, tmp_path: Path) -> None:
    pointer = _blob(repo, b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 5\n")
    entries = [
        TreeEntry("160000", "commit", "1" * 40, "vendor/lib"),
        TreeEntry("100644", "blob", pointer, "big.bin"),
    ]
    done = export(Trees(repo / ".git"), entries, tmp_path / "out")
    assert list((tmp_path / "out" / "vendor" / "lib").iterdir()) == []
    assert done.notes == ("1 submodule left empty", "the contents of 1 file are not here: LFS pointers stand for them")


def test_a_missing_blob_is_a_tool_error(repo: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolError, match="are not here"):
        export(Trees(repo / ".git"), [TreeEntry("100644", "blob", "2" * 40, "gone")], tmp_path / "out")


def test_a_commit_that_is_not_here_is_a_tool_error(repo: Path) -> None:
    trees = Trees(repo / ".git")
    assert not trees.has("3" * 40)
    with pytest.raises(ToolError, match="no commit of the store"):
        trees.parents("3" * 40)
    with pytest.raises(ValueError, match="not a full object id"):
        trees.entries("HEAD")


def test_an_overlay_adds_changes_and_removes(repo: Path) -> None:
    entry = {name: TreeEntry("100644", "blob", name[0] * 40, name) for name in ("a", "b", "c", "d")}
    base = {"a": entry["a"], "b": entry["b"], "c": entry["c"]}
    changed = TreeEntry("100644", "blob", "f" * 40, "b")
    merged = overlay(base, {"a": entry["a"], "b": changed, "d": entry["d"]}, ("b", "c", "d"))
    assert merged == {"a": entry["a"], "b": changed, "d": entry["d"]}
    assert base["b"] is entry["b"]


# -- removal (G12) -----------------------------------------------------------------------------------------------------


def test_a_run_of_the_same_name_starts_empty(tmp_path: Path) -> None:
    place = fresh_run_dir(tmp_path / "runs", "check-1")
    (place / "left").write_text("over")
    assert fresh_run_dir(tmp_path / "runs", "check-1") == place
    assert list(place.iterdir()) == []
    assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../outside"])
def test_only_a_name_is_removed(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a run"):
        remove_run_dir(tmp_path, name)


def test_removal_follows_no_link_and_stops_at_nothing(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    (outside / "inner").mkdir(parents=True)
    (outside / "keep").write_text("kept")
    outside.chmod(0o711)
    place = fresh_run_dir(tmp_path / "runs", "check-1")
    (place / "to-dir").symlink_to(outside)
    (place / "a").mkdir()
    (place / "a" / "to-file").symlink_to(outside / "keep")
    (place / "a" / "loop").symlink_to(place)
    os.mkfifo(place / "pipe")
    (place / "closed").mkdir()
    (place / "closed" / "file").write_text("x")
    (place / "closed").chmod(0)
    (place / b"\xff\n name".decode("utf-8", "surrogateescape")).write_text("x")
    remove_run_dir(tmp_path / "runs", "check-1")
    assert list((tmp_path / "runs").iterdir()) == []
    assert (outside / "keep").read_text() == "kept"
    assert stat.S_IMODE(outside.stat().st_mode) == 0o711


def test_a_link_in_place_of_a_run_is_removed_and_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "keep").write_text("kept")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "check-1").symlink_to(outside)
    remove_run_dir(tmp_path / "runs", "check-1")
    assert (outside / "keep").read_text() == "kept"
    assert list((tmp_path / "runs").iterdir()) == []


def test_no_depth_stops_removal(tmp_path: Path) -> None:
    place = fresh_run_dir(tmp_path / "runs", "check-1")
    script = "import os\nfor _ in range(3000):\n    os.mkdir('deep'); os.chdir('deep')\nopen('end', 'w').close()"
    subprocess.run(["python3", "-c", script], cwd=place, check=True)
    remove_run_dir(tmp_path / "runs", "check-1")
    assert list((tmp_path / "runs").iterdir()) == []


@pytest.mark.needs("tmpfs")
def test_another_file_system_is_not_emptied(tmp_path: Path) -> None:
    place = fresh_run_dir(tmp_path / "runs", "check-1")
    (place / "mounted").mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place / "mounted")], check=True)
    try:
        (place / "mounted" / "keep").write_text("kept")
        with pytest.raises(OSError, match="another file system"):
            remove_run_dir(tmp_path / "runs", "check-1")
        assert (place / "mounted" / "keep").read_text() == "kept"
    finally:
        subprocess.run(["umount", str(place / "mounted")], check=True)
    remove_run_dir(tmp_path / "runs", "check-1")
