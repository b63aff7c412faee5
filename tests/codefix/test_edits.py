"""Exact edits: bytes, line endings, encodings and modes are kept; what is foul or does not fit is refused (G8)."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.codefix.draft import draft_edit
from subagents.codefix.edits import Replacement, edited
from subagents.codefix.paths import Entry, check_place, fold, require_edit_path
from tests.codefix.drafting import ORDER, Bench, content, fsck, git_of, litter, paths, untouched
from tests.gitstore.repos import commit, git


def one(data: bytes, old: str, new: str) -> bytes:
    return edited(data, [Replacement("f", old, new)])


@pytest.mark.parametrize(
    ("data", "old", "new", "expected"),
    [
        (b"a\nb\nc\n", "b", "B", b"a\nB\nc\n"),
        (b"a\r\nb\r\nc\r\n", "b", "B\nB2", b"a\r\nB\r\nB2\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "a\nb\n", "x\n", b"x\r\nc\r\n"),
        (b"a\r\nb\r\nc\r\n", "a\r\nb", "x\r\ny", b"x\r\ny\r\nc\r\n"),
        (b"a\nb\r\nc\n", "b", "B\nB", b"a\nB\r\nB\r\nc\n"),
        (b"a\r\nb\nc\r\n", "b\nc", "x\ny", b""),
        (b"no end", "end", "end\n", b"no end\n"),
        (b"a\r\nlast", "last", "l\nm", b"a\r\nl\r\nm"),
        (b"\xef\xbb\xbfkey=1\r\n", "key=1", "key=2", b"\xef\xbb\xbfkey=2\r\n"),
        (b"caf\xe9 = 1\n# na\xefve\n", "= 1", "= 2 # \u00e9", b"caf\xe9 = 2 # \xe9\n# na\xefve\n"),
        ("\u20ac = 1\n".encode(), "\u20ac = 1", "\u20ac = 2", "\u20ac = 2\n".encode()),
        (b"a\n\x0c\n\x85x\n", "x", "y", b"a\n\x0c\n\x85y\n"),
        (b"only\n", "only\n", "", b""),
        (b"mac\rline\r", "line", "LINE", b"mac\rLINE\r"),
    ],
)
def test_what_is_not_replaced_stays_byte_for_byte(data: bytes, old: str, new: str, expected: bytes) -> None:
    if data == b"a\r\nb\nc\r\n":
        assert one(data, old, new) == b"a\r\nx\ny\r\n"
    else:
        assert one(data, old, new) == expected


@pytest.mark.parametrize(
    ("data", "old", "new", "said"),
    [
        (b"a\na\n", "a", "b", "occurs more than once"),
        (b"aaa\n", "aa", "b", "occurs more than once"),
        (b"x\ny\nx\r\ny\r\n", "x\ny", "b", "occurs more than once"),
        (b"a\n", "z", "b", "does not occur"),
        (b"A\n", "a", "b", "does not occur"),
        (b"a\0b\n", "a", "b", "no text file"),
        (b"caf\xe9\n", "caf", "\u20ac", "cannot be written in it"),
        (b"a" * (3 << 20), "b", "c", "more than"),
        (b"a\n", "", "b", "give the old text"),
    ],
)
def test_what_does_not_fit_exactly_once_is_refused(data: bytes, old: str, new: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        one(data, old, new)


def test_replacements_are_found_in_what_is_stored_and_must_not_overlap() -> None:
    both = [Replacement("f", "b", "a"), Replacement("f", "a", "b")]
    assert edited(b"a b\n", both) == b"b a\n"
    with pytest.raises(ValueError, match="overlap"):
        edited(b"abc\n", [Replacement("f", "ab", "x"), Replacement("f", "bc", "y")])


def test_an_edit_keeps_modes_and_leaves_everything_else(bench: Bench) -> None:
    script = bench.repo / "run.sh"
    script.write_bytes(b"#!/bin/sh\r\nexit 1\r\n")
    script.chmod(0o755)
    (bench.repo / "link").symlink_to("a.py")
    (bench.repo / "odd \u00e9 name.txt").write_text("1\n")
    commit(bench.repo, {}, "script")
    before = set(git(bench.repo, "-c", "core.quotePath=false", "ls-tree", "-r", "HEAD").splitlines())
    with untouched(bench.repo):
        draft = bench.edit(("run.sh", "exit 1", "exit 0"), ("new/deep/file.py", "", "x = 1\n"))
    after = set(git_of(draft, "ls-tree", "-r", draft.commit).decode().strip().splitlines())
    assert content(draft, "run.sh") == b"#!/bin/sh\r\nexit 0\r\n"
    assert {line.split("\t")[1] for line in before ^ after} == {"run.sh", "new/deep/file.py"}
    assert [line.split()[0] for line in after if line.endswith(("run.sh", "file.py"))].count("100755") == 1
    assert [(f.path, f.change, f.note) for f in draft.files] == [
        ("new/deep/file.py", "added", ""),
        ("run.sh", "modified", "CRLF line endings"),
    ]
    assert draft.kind == "edit"
    assert draft.branch == "triage/inc-0412-repair-it"
    assert fsck(draft) == ""


FOUL_PATHS = [
    *("", "/etc/passwd", "//x", "../x", "a/../../x", "./x", "a//b", "a/", "a/./b", "..", ".", "a/..", "\\x"),
    *("a\\..\\b", ".git/config", ".GIT/config", "a/.git/hooks/x", ".gIt/x", ".git", "sub/.Git", ".git./x"),
    *(".git /x", ".git...", "git~1/x", "GIT~1", "a/git~2/x", "gitmod~1", "GI7EBA~1", ".g\u200cit/x"),
    *(".git\u200d/config", "\u202e.git/x", ".gi\u206ct", ".git\ufeff", ".git::$INDEX_ALLOCATION/x", "a:b", "c:/x"),
    *("C:x", "x:stream", ".gitmodules", ".gitattributes", "a/.GitAttributes", ".lfsconfig", "CON", "con.txt"),
    *("a/NUL", "nul.c", "aux.py", "COM1", "com9.log", "lpt1.x", "PRN .txt", "conin$", "a/COM\u00b9", "a\nb", "a\0b"),
    *("a\rb", "a\tb", "a\x1b[m", "a\x7fb", "a\u0085b", "a\u2028b", "a\u202eb", "a\ud800b", "a\ufe0fb", "x" * 256),
    *("d/" * 600 + "x", "\u20ac" * 90, "a /b", " a", "a ", "a.", "a./b", "-rf", "--output=x", "d/-x", "a*b", "a?b"),
    *('a"b', "a<b", "a|b"),
]  # fmt: skip


@pytest.mark.parametrize("path", FOUL_PATHS, ids=lambda path: ascii(path)[:24])
def test_foul_paths_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="cannot be edited"):
        require_edit_path(path)


def test_there_are_eighty_and_good_ones_pass() -> None:
    assert len(FOUL_PATHS) >= 80
    for path in (
        "a",
        "src/app.py",
        ".github/workflows/ci.yml",
        ".gitignore",
        "gitea/x",
        "con_x",
        "console",
        "d/\u00e9.txt",
        "a b",
    ):
        assert require_edit_path(path) == path


TREE = {
    "link": Entry("120000", "1" * 40),
    "sub": Entry("160000", "2" * 40),
    "file": Entry("100644", "3" * 40),
    "Dir/Some.py": Entry("100644", "4" * 40),
    "d/caf\u00e9.py": Entry("100755", "5" * 40),
}


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("link", "symbolic link"),
        ("sub", "submodule"),
        ("link/x", "symbolic link"),
        ("sub/x/y", "submodule"),
        ("file/x", "is a file"),
        ("Dir", "is a directory"),
        ("FILE", "differs only in case"),
        ("dir/new.py", "differs only in case"),
        ("Dir/some.PY", "differs only in case"),
        ("d/cafe\u0301.py", "differs only in case"),
        ("LINK/x", "differs only in case"),
    ],
)
def test_places_that_are_something_else_are_refused(path: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        check_place(path, TREE)


def test_places_that_are_free_or_files_pass() -> None:
    assert check_place("d/caf\u00e9.py", TREE) == TREE["d/caf\u00e9.py"]
    for free in ("Dir/new.py", "Directory", "new/x", "files", "subway/x"):
        assert check_place(free, TREE) is None
    with pytest.raises(ValueError, match="differs only in case"):
        check_place("New.py", TREE, ["New.py", "new.PY"])
    assert fold("\u0130X") == fold("\u0130x")


def test_no_foul_path_reaches_a_tree_or_a_file(bench: Bench, tmp_path: Path) -> None:
    bench.edit(("a.py", "line 7\n", "line seven\n"))
    before, outside = bench.branches(), sorted(p.name for p in tmp_path.iterdir())
    store, base = bench.store(), bench.base()
    with untouched(bench.repo):
        for path in FOUL_PATHS:
            with pytest.raises(ValueError, match="cannot be"):
                draft_edit(store, ORDER, base, "foul", [Replacement(path, "", "x\n")])
    assert bench.branches() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == outside
    trees = store.need(["cat-file", "--batch-all-objects", "--batch-check"]).decode()
    names = {
        name
        for line in trees.splitlines()
        if " tree " in line
        for name in store.need(["ls-tree", "--name-only", "-z", line.split()[0]]).decode().split("\0")
    }
    assert names == {"", "a.py", "other.py", "dir", "sub", "deep.txt"}
    assert litter(store.git_dir) == []


@pytest.mark.parametrize(
    ("replacements", "said"),
    [
        ([("a.py", "line 7", "key = <redacted:token:abc123>")], "placeholder"),
        ([("a.py", "<redacted:x>", "line 7")], "placeholder"),
        ([("a.py", "line 7", "key = <REDACTED:token:abc123>")], "placeholder"),
        ([("new.py", "", "k = '<redacted:aws:ffffff>'\n")], "placeholder"),
        ([("a.py", "line 7", "x\0y")], "control character U\\+0000"),
        ([("a.py", "line 7", "x\x1b[2J")], "control character U\\+001B"),
        ([("a.py", "line 7", "\ud800")], "half a character"),
        ([("a.py", "line 7", "line 7")], "are the same"),
        ([("a.py", "line 7\n", "x" * 70_000)], "more than"),
        ([("n.py", "", "")], "are the same"),
        ([("n.py", "x", "y")], "the base has no such file"),
        ([("n.py", "", "y"), ("n.py", "", "z")], "the base has no such file"),
        ([(f"n{n}.py", "", "y") for n in range(21)], "more than 20 files"),
        ([("a.py", f"line {n}\n", "y") for n in range(61)], "more than 60"),
        ([(f"n{n}.py", "", "y" * 60_000) for n in range(4)], "more than 196,608"),
        ([], "no replacement"),
    ],
)  # fmt: skip
def test_unfit_replacements_are_refused_and_leave_nothing(
    bench: Bench, replacements: list[tuple[str, str, str]], said: str
) -> None:
    with untouched(bench.repo), pytest.raises(ValueError, match=said):
        bench.edit(*replacements)
    assert bench.branches() == {}


def test_what_a_reviewer_must_know_is_said(bench: Bench) -> None:
    commit(
        bench.repo,
        {
            ".gitattributes": "*.lfs filter=lfs\n*.win text eol=crlf\n*.u16 working-tree-encoding=UTF-16\n"
            "gen/* linguist-generated\n",
            "big.lfs": "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
            "x.win": "a\nb\n", "y.u16": "a\n".encode("utf-16"), "gen/out.py": "1\n", "app_pb2.py": "1\n",
            "db/migrations/0001.py": "1\n",
            ".github/workflows/ci.yml": "a\n", "latin.txt": b"caf\xe9\n", "dir/.gitattributes": "deep.txt -text\n",
        },
        "attributes",
    )  # fmt: skip
    draft = bench.edit(
        ("big.lfs", "size 1", "size 2"), ("x.win", "a\n", "z\n"), ("y.u16", "a", "b"), ("gen/out.py", "1", "2"),
        ("db/migrations/0001.py", "1", "2"), ("app_pb2.py", "1", "2"), (".github/workflows/ci.yml", "a", "b"),
        ("latin.txt", "caf", "tea"), ("other.py", "x = 2", "x = 2  # \u202e\u200bevil"),
        ("dir/sub/deep.txt", "deep", "low"),
    )  # fmt: skip
    notes = {file.path: file.note for file in draft.files}
    assert "attribute filter=lfs applies" in notes["big.lfs"]
    assert "LFS pointer" in notes["big.lfs"]
    assert "attribute eol=crlf applies" in notes["x.win"]
    assert "working-tree-encoding=UTF-16" in notes["y.u16"]
    assert "generated" in notes["gen/out.py"]
    assert "generated" in notes["app_pb2.py"]
    assert "does not take back data" in notes["db/migrations/0001.py"]
    assert "CI configuration" in notes[".github/workflows/ci.yml"]
    assert "not UTF-8" in notes["latin.txt"]
    assert "2 hidden or direction-changing characters" in notes["other.py"]
    assert notes["dir/sub/deep.txt"] == ""
    assert all(f"{path}: " in " ".join(draft.warnings) for path, note in notes.items() if note)
    assert "-caf\\xe9\n+tea\\xe9\n" in draft.diff
    assert "\u202e" in draft.diff, "the diff is exact; views show what is hidden in it"


def test_links_submodules_modes_and_binaries_in_a_revert_are_said(bench: Bench) -> None:
    (bench.repo / "link").symlink_to("a.py")
    (bench.repo / "other.py").chmod(0o755)
    git(bench.repo, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    (bench.repo / "module").mkdir()
    guilty = commit(bench.repo, {"logo.png": b"\x89PNG\0\1\2"}, "many kinds")
    draft = bench.revert(guilty)
    facts = {file.path: file for file in draft.files}
    assert facts["link"].note == "a symbolic link"
    assert facts["module"].note.startswith("a submodule")
    assert (facts["other.py"].change, facts["other.py"].note) == ("mode", "mode 100755 becomes 100644")
    assert (facts["logo.png"].binary, facts["logo.png"].change) == (True, "deleted")
    assert set(paths(draft)) == {"a.py", "other.py", "dir/sub/deep.txt"}
    with pytest.raises(ValueError, match="is a symbolic link"):
        bench.edit(("link", "a.py", "/etc/passwd"))
