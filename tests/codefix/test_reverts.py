"""Reverts: the right tree, or a clear refusal and nothing left behind (G10); words, bases, the undoing of a fix."""

from __future__ import annotations

import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from subagents.codefix.bases import choose_base
from subagents.codefix.draft import Order
from subagents.codefix.message import plain
from subagents.codefix.refusal import DraftRefused
from subagents.codefix.review import diff_text, digest_of_diff
from subagents.contract import Fact, Finding
from tests.codefix.drafting import Bench, content, fsck, git_of, litter, paths, untouched
from tests.gitstore.repos import ENVIRONMENT, commit, git


def test_an_ordinary_revert_has_the_tree_that_git_revert_makes(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    with untouched(bench.repo):
        draft = bench.revert(guilty)
    assert (draft.undoes, draft.base, draft.base_is) == (guilty, bench.head(), "tip of main")
    assert draft.branch == "triage/inc-0412-revert-cache-cut-the-ttl"
    assert bench.branches() == {draft.branch: draft.commit}
    assert [(f.path, f.change, f.added, f.removed, f.note) for f in draft.files] == [("a.py", "modified", 2, 2, "")]
    assert draft.warnings == ()
    assert fsck(draft) == ""
    assert litter(Path(draft.store)) == []
    git(bench.repo, "revert", "--no-edit", guilty)
    assert git(bench.repo, "rev-parse", "HEAD^{tree}") == draft.tree


def test_the_same_draft_is_the_same_commit_and_the_diff_is_what_its_digest_says(bench: Bench) -> None:
    draft = bench.revert(bench.head("HEAD~1"))
    assert bench.revert(bench.head("HEAD~1")) == draft
    assert len(bench.branches()) == 1
    assert draft.diff_digest == digest_of_diff(draft.diff)
    assert diff_text(Path(draft.store), draft.base, draft.commit) == draft.diff
    other = bench.revert(bench.head("HEAD~1"), order=Order(source="repo", incident="INC-0412", why="another reason"))
    assert (other.tree, other.diff_digest) == (draft.tree, draft.diff_digest)
    assert other.branch == draft.branch + "-2"
    assert other.id != draft.id


def test_the_message_says_what_why_for_whom_and_on_what_evidence(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    order = Order(
        source="repo",
        incident="INC-0412",
        why="w " * 90,
        evidence=("deploy:deploys#42", f"commit:repo/{guilty}#a.py:5"),
        runbook="runbook:cache#3",
    )
    message = bench.revert(guilty, order=order).message
    assert message.startswith('Revert "cache: cut the TTL"\n\nUndoes ')
    for part in (
        guilty,
        "Why: w w",
        "incident INC-0412",
        "deploy:deploys#42",
        "#a.py:5",
        "Runbook step: runbook:cache#3",
        "by Ada",
    ):
        assert part in message, part
    assert all(len(line) <= 72 for line in message.splitlines() if "commit:" not in line)
    raw = git_of(
        bench.revert(guilty, order=order), "cat-file", "commit", "triage/inc-0412-revert-cache-cut-the-ttl"
    ).decode()
    assert "author warroom <warroom@localhost> 1772366400 +0000" in raw
    assert "gpgsig" not in raw


FOREIGN = "fix \u202e[skip ci]\x1b[31m @ada Co-authored-by: Eve <e@e>\n\nSigned-off-by: Bob <b@b>"


def test_foreign_text_in_a_message_gives_no_orders(bench: Bench) -> None:
    guilty = commit(bench.repo, {"a.py": "gone\n"}, FOREIGN)
    order = Order(
        source="repo",
        incident="../../x\nFixes #1",
        why="see\nReviewed-by: Eve\n[ci skip] fixes #12 \u200b",
        evidence=("a\nb",),
    )
    draft = bench.revert(guilty, order=order)
    for bad in ("\u202e", "\x1b", "[skip ci]", "[ci skip]", "@ada", "by: ", "fixes #12", "Fixes #1", "\u200b"):
        assert bad not in draft.message, bad
    for kept in (
        "\\u{202e}",
        "(skip ci)",
        "(ci skip)",
        "(at)ada",
        "Co-authored-by - Eve",
        "Reviewed-by - Eve",
        "\\u{200b}",
    ):
        assert kept in draft.message, kept
    assert draft.branch == "triage/x-fixes-1-revert-fix-skip-ci-31m-ada-co-authored"
    assert plain("***NO_CI*** skip-checks: true", 60) == "NO_CI skip-checks - true"
    trailers = git(bench.repo, "interpret-trailers", "--parse", stdin=draft.message.encode())
    assert trailers == ""


def _merge(bench: Bench) -> str:
    git(bench.repo, "checkout", "-q", "-b", "side", "HEAD~1")
    commit(bench.repo, {"side.txt": "side\n"}, "side work", 1_700_000_150)
    git(bench.repo, "checkout", "-q", "main")
    git(bench.repo, "merge", "-q", "--no-ff", "-m", "merge side", "side", at=1_700_000_300)
    return bench.head()


def test_a_merge_is_undone_with_its_main_line_stated(bench: Bench) -> None:
    merge = _merge(bench)
    draft = bench.revert(merge)
    assert draft.mainline == 1
    assert "side.txt" not in paths(draft)
    assert content(draft, "other.py") == b"x = 2\n"
    assert "parent 1" in draft.message
    assert "needs this revert reverted first" in " ".join(draft.message.split())
    assert any("needs this revert reverted first" in warning for warning in draft.warnings)
    other = bench.revert(merge, mainline=2)
    assert "side.txt" in paths(other)
    assert content(other, "other.py") == b"x = 1\n"
    assert (other.mainline, other.branch) == (2, draft.branch + "-2")
    for wrong in (0, 3, 99):
        with pytest.raises(DraftRefused, match="merge of 2 parents"):
            bench.revert(merge, mainline=wrong)


def test_renames_are_followed_as_git_revert_follows_them(bench: Bench) -> None:
    body = {f"d/{name}.py": "".join(f"{name} {n}\n" for n in range(60)) for name in ("one", "two", "three")}
    commit(bench.repo, {**body, "d/old.py": "old\n"}, "before")
    changed = body["d/one.py"].replace("one 30\n", "ONE 30\n")
    guilty = commit(bench.repo, {"d/one.py": changed, "d/two.py": body["d/two.py"] + "two more\n"}, "guilty")
    moved = {f"e/{name}.py": "# moved\n" + text for name, text in (("one", changed), ("three", body["d/three.py"]))}
    commit(bench.repo, {**moved, "d/one.py": None, "d/three.py": None}, "moved and changed")
    draft = bench.revert(guilty)
    assert b"one 30\n" in content(draft, "e/one.py")
    git(bench.repo, "revert", "--no-edit", guilty)
    assert git(bench.repo, "rev-parse", "HEAD^{tree}") == draft.tree
    git(bench.repo, "reset", "-q", "--hard", "HEAD~1")
    lost = commit(bench.repo, {"d/old.py": None}, "old goes")
    final = {f"f/{name}.py": "# again\n" + (bench.repo / f"e/{name}.py").read_text() for name in ("one", "three")}
    commit(
        bench.repo, {**final, "e/one.py": None, "e/three.py": None, "f/two.py": "# again\n", "d/two.py": None}, "all"
    )
    draft = bench.revert(lost)
    git(bench.repo, "revert", "--no-edit", lost)
    assert git(bench.repo, "rev-parse", "HEAD^{tree}") == draft.tree


def test_what_the_merge_needs_beyond_the_changes_is_brought_when_it_asks(bench: Bench) -> None:
    """A whole directory that moves while its files change makes the merge read files that the commit did not touch."""
    body = {f"d/{n}.py": "".join(f"{n} {line}\n" for line in range(50)) for n in range(6)}
    commit(bench.repo, {**body, "d/old.py": "".join(f"old {line}\n" for line in range(50))}, "before")
    guilty = commit(bench.repo, {"d/old.py": None}, "old goes")
    moved = {path.replace("d/", "e/"): text.replace(" 10\n", " ten\n") for path, text in body.items()}
    commit(bench.repo, {**moved, **dict.fromkeys(body)}, "the directory moves and all files change")
    done = subprocess.run(["git", "revert", "--no-edit", guilty], cwd=bench.repo, env=ENVIRONMENT, capture_output=True)
    assert b"suggesting it should perhaps be moved to e/old.py" in done.stdout
    git(bench.repo, "revert", "--abort")
    assert _refusal(bench, lambda: bench.revert(guilty)).conflicts == ("e/old.py",)


def test_an_octopus_is_undone_against_each_parent(bench: Bench) -> None:
    for name in ("one", "two"):
        git(bench.repo, "checkout", "-q", "-b", name, "HEAD~1" if name == "one" else "main~1")
        commit(bench.repo, {f"{name}.txt": "1\n"}, name)
        git(bench.repo, "checkout", "-q", "main")
    git(bench.repo, "merge", "-q", "--no-ff", "-m", "octopus", "one", "two")
    octopus = bench.head()
    assert git(bench.repo, "rev-list", "--parents", "-1", octopus).count(" ") == 3
    assert {"one.txt", "two.txt"} & set(paths(bench.revert(octopus))) == set()
    assert "one.txt" in paths(bench.revert(octopus, mainline=2))


def _refusal(bench: Bench, attempt: Callable[[], object]) -> DraftRefused:
    before = bench.branches()
    with untouched(bench.repo), pytest.raises(DraftRefused) as caught:
        attempt()
    assert bench.branches() == before
    assert "\n" not in str(caught.value)
    assert litter(bench.store().git_dir) == []
    return caught.value


def test_a_conflict_is_said_with_its_files_and_leaves_no_branch(bench: Bench) -> None:
    guilty = bench.head("HEAD~1")
    commit(bench.repo, {"a.py": "all is new\n"}, "over it")
    refused = _refusal(bench, lambda: bench.revert(guilty))
    assert refused.conflicts == ("a.py",)
    assert "conflicts in a.py" in str(refused)
    assert "No branch was made" in str(refused)


def test_what_cannot_be_undone_is_refused_in_one_line(bench: Bench) -> None:
    root, guilty, tip = bench.head("HEAD~2"), bench.head("HEAD~1"), bench.head()
    empty = commit(bench.repo, {}, "empty")
    assert "changes nothing" in str(_refusal(bench, lambda: bench.revert(empty)))
    assert "conflicts in" in str(_refusal(bench, lambda: bench.revert(root)))
    assert "is not part of" in str(_refusal(bench, lambda: bench.revert(tip, base=guilty)))
    git(bench.repo, "revert", "--no-edit", guilty)
    assert "no longer there" in str(_refusal(bench, lambda: bench.revert(guilty)))


def test_a_root_commit_is_undone_where_nothing_else_changed_its_files(bench: Bench) -> None:
    commit(bench.repo, {}, "x")
    git(bench.repo, "checkout", "-q", "--orphan", "island")
    git(bench.repo, "rm", "-rqf", ".")
    root = commit(bench.repo, {"lib.py": "1\n"}, "island root")
    git(bench.repo, "checkout", "-q", "main")
    git(bench.repo, "merge", "-q", "--allow-unrelated-histories", "-m", "join", "island")
    draft = bench.revert(root)
    assert "lib.py" not in paths(draft)
    assert "a.py" in paths(draft)
    first = bench.head("HEAD~4")
    assert "no file at all" in str(_refusal(bench, lambda: bench.revert(first, base=first)))


def test_the_undoing_of_a_delivered_fix_is_a_draft_that_names_it(bench: Bench) -> None:
    fix = bench.revert(bench.head("HEAD~1"))
    git(bench.repo, "fetch", "-q", fix.store, f"{fix.commit}:refs/heads/{fix.branch}")
    undo = bench.revert(fix.commit)
    assert (undo.base, undo.base_is) == (fix.commit, f"tip of {fix.branch}")
    assert undo.title == 'Reapply "cache: cut the TTL"'
    assert f"Undoes {fix.commit}" in undo.message
    assert "itself a fix that warroom drafted and that was delivered" in " ".join(undo.message.split())
    assert undo.tree == git(bench.repo, "rev-parse", "main^{tree}")
    git(bench.repo, "merge", "-q", "--no-ff", "-m", "take the fix", fix.branch)
    assert bench.revert(fix.commit).base_is == "tip of main"


def test_a_delivered_fix_can_still_be_fetched_and_pushed_once_its_undoing_is_drafted(
    bench: Bench, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere.git"
    git(tmp_path, "clone", "-q", "--bare", "--no-hardlinks", str(bench.repo), str(elsewhere))
    fix = bench.revert(bench.head("HEAD~1"))
    git(bench.repo, "fetch", "-q", fix.store, f"{fix.commit}:refs/heads/{fix.branch}")
    undo = bench.revert(fix.commit)
    for draft in (fix, undo):
        ref = f"refs/heads/{draft.branch}"
        git(elsewhere, "fetch", "-q", f"file://{draft.store}", f"{draft.commit}:refs/fetched/{draft.id}")
        assert git(elsewhere, "rev-parse", f"refs/fetched/{draft.id}") == draft.commit
        git_of(draft, "push", "-q", f"file://{elsewhere}", f"{draft.commit}:{ref}")
        assert git(elsewhere, "rev-parse", ref) == draft.commit
        assert fsck(draft) == ""
    assert not (elsewhere / "shallow").exists()


def test_a_draft_is_taken_out_whole_by_hand_whatever_the_tree_says_of_archives(bench: Bench, tmp_path: Path) -> None:
    rules = "tests export-ignore\nversion.txt export-subst\n"
    commit(bench.repo, {".gitattributes": rules, "tests/test_a.py": "pass\n", "version.txt": "$Format:%H$\n"}, "rules")
    draft = bench.revert(bench.head("HEAD~2"))
    archive = tmp_path / "out.tar"
    archive.write_bytes(git_of(draft, "archive", draft.commit))
    with tarfile.open(archive) as packed:
        assert sorted(item.name for item in packed if item.isfile()) == sorted(paths(draft))
        version = packed.extractfile("version.txt")
        assert version is not None
        assert version.read() == b"$Format:%H$\n"


def test_the_base_is_what_is_deployed_else_the_tip_that_holds_the_culprit(bench: Bench) -> None:
    guilty, tip = bench.head("HEAD~1"), bench.head()
    fact = Fact(quantity="deployed_commit", value=guilty, citation="deploy:deploys#42")
    deployed = Finding(agent="deploys", claim="c", topic="change", facts=(fact,))
    reader = bench.reader()
    assert choose_base(reader, "", (deployed,), guilty).words == "the commit deployed now (deploy:deploys#42)"
    assert choose_base(reader, "tip", (deployed,), guilty).commit == tip
    assert choose_base(reader, tip[:9], (deployed,), guilty).words == "tip of main"
    assert choose_base(reader, "", (deployed,), tip).words == "tip of main", "what is deployed lacks the commit"
    root = choose_base(reader, bench.head("HEAD~2"), (), None)
    assert root.words == "given"
    unknown = Fact(quantity="deployed_commit", value="v1.2.3 --all", citation="deploy:deploys#1")
    assert choose_base(reader, "", (deployed.model_copy(update={"facts": (unknown,)}),), guilty).commit == tip
    with pytest.raises(DraftRefused, match="cannot be a base"):
        choose_base(reader, "f" * 40, (), guilty)


def test_the_default_branch_is_origins_and_a_feature_branch_counts_only_for_what_is_on_it(bench: Bench) -> None:
    git(bench.repo, "update-ref", "refs/remotes/origin/main", "HEAD~1")
    git(bench.repo, "symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    git(bench.repo, "checkout", "-q", "-b", "feature")
    mine = commit(bench.repo, {"f.py": "1\n"}, "feature")
    assert bench.base("", bench.head("main~1")).words == "tip of origin/main"
    assert bench.base("", bench.head("main")).words == "tip of main"
    assert bench.base("", mine).words == "tip of feature"
    assert bench.base().words == "tip of origin/main"
    git(bench.repo, "checkout", "-q", "--detach", "HEAD")
    loose = commit(bench.repo, {"g.py": "1\n"}, "loose")
    assert bench.base("", loose).words == "what is checked out"


def test_a_diff_that_nobody_can_review_is_refused(bench: Bench) -> None:
    big = commit(bench.repo, {"big.txt": "".join(f"{n:064}\n" for n in range(8_000))}, "big")
    assert "more than can be reviewed here" in str(_refusal(bench, lambda: bench.revert(big)))
    many = commit(bench.repo, {f"many/{n}": "1\n" for n in range(401)}, "many")
    assert "changes 401 files" in str(_refusal(bench, lambda: bench.revert(many)))
