"""Delivery adds one ref, its log line and the objects behind it; all else of a user's repository stays as it was."""

from __future__ import annotations

import ast
import asyncio
import os
import shutil
from pathlib import Path

import pytest

from orchestrator.hands import delivery, object_transfer
from orchestrator.hands.delivery import Delivered, deliver, look, settle
from orchestrator.hands.fix_terms import FixChanged, FixRefused, terms_of, zeros
from orchestrator.journal.events import ApprovalDecided
from tests.fix.bench import (
    BRANCH,
    Bench,
    added,
    assert_only_ref,
    changed,
    git,
    render,
    snapshot,
    write_draft,
    write_repo,
)
from tests.fix.conftest import Make


async def test_it_adds_one_ref_its_log_and_objects_and_nothing_else(bench: Bench) -> None:
    before = snapshot(bench.repo)
    await bench.approved()
    done = deliver(bench.steps, "fix:1", render)
    assert done == Delivered(f"refs/heads/{BRANCH}", bench.draft.commit)
    assert bench.ref() == bench.draft.commit
    assert_only_ref(before, bench, bench.git_dir)
    line = (bench.git_dir / "logs" / "refs" / "heads" / BRANCH).read_text()
    assert line.startswith(f"{'0' * 40} {bench.draft.commit} warroom <warroom@localhost> ")
    assert f"deliver {bench.draft.id}" in line
    git(bench.repo, "fsck", "--strict")
    assert git(bench.repo, "show", f"{BRANCH}:app/limits.py") == "LIMIT = 64"


async def test_delivering_twice_is_the_same_as_once(bench: Bench) -> None:
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    before = snapshot(bench.repo)
    assert deliver(bench.steps, "fix:1", render) == Delivered(f"refs/heads/{BRANCH}", bench.draft.commit, found=True)
    assert not changed(before, snapshot(bench.repo))


HOOKS = [
    *("reference-transaction", "post-checkout", "post-merge", "post-update", "update", "pre-receive", "pre-auto-gc"),
    *("post-index-change", "fsmonitor-watchman", "proc-receive", "post-rewrite", "pre-push", "push-to-checkout"),
]


async def test_nothing_of_the_repository_is_run(make: Make, tmp_path: Path) -> None:
    repo, marks = tmp_path / "user", tmp_path / "marks"
    write_repo(repo)
    bench = await make(repo=repo)
    marks.mkdir()
    hooks = repo / ".git" / "hooks"
    hooks.mkdir(exist_ok=True)
    for name in HOOKS:
        (hooks / name).write_text(f"#!/bin/sh\ntouch {marks}/{name}\n")
        (hooks / name).chmod(0o755)
    run = f"sh -c 'touch {marks}/ran'"
    other = tmp_path / "other.git"
    git(tmp_path, "clone", "-q", "--bare", str(repo), str(other))
    (repo / ".git" / "objects" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "objects" / "info" / "alternates").write_text(f"{other}/objects\n")
    for key, value in {
        "core.fsmonitor": run,
        "core.hooksPath": str(hooks),
        "core.alternateRefsCommand": run,
        "core.sshCommand": run,
        "core.askPass": run,
        "core.editor": run,
        "core.pager": run,
        "gpg.program": run,
        "credential.helper": run,
        "uploadpack.packObjectsHook": run,
        "fetch.writeCommitGraph": "true",
        "fetch.prune": "true",
        "gc.auto": "1",
        "maintenance.auto": "true",
        "fetch.bundleURI": "file:///nonexistent",
        f"url.ext::{run} .insteadOf": "file://",
        "protocol.ext.allow": "always",
        "filter.evil.clean": run,
        "diff.external": run,
    }.items():
        git(repo, "config", key, value)
    (repo / ".git" / "info").mkdir(exist_ok=True)
    (repo / ".git" / "info" / "attributes").write_text("* filter=evil\n")
    before = snapshot(repo)
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    assert list(marks.iterdir()) == []
    assert_only_ref(before, bench, repo / ".git")
    # teeth: the same ref made by plain git does run what is configured
    git(repo, "branch", "plain", GIT_CONFIG_COUNT="0")
    assert (marks / "reference-transaction").exists()


async def test_it_refuses_without_the_approval_in_the_journal(bench: Bench) -> None:
    before = snapshot(bench.repo)
    with pytest.raises(FixRefused, match="no approval of this was asked for"):
        deliver(bench.steps, "fix:1", render)
    await bench.asked()
    with pytest.raises(FixRefused, match="nobody approved it"):
        deliver(bench.steps, "fix:1", render)
    request = bench.approvals.pending()[0]
    # An approval that is only in memory is none.
    said = ApprovalDecided(id="fix:1", decision="approve", digest=request.digest, by="person")
    bench.approvals._cases["fix:1"].decided = said
    assert bench.approvals.binds("fix:1", request.detail)
    with pytest.raises(FixRefused, match="nobody approved it"):
        deliver(bench.steps, "fix:1", render)
    assert not changed(before, snapshot(bench.repo))


async def test_a_rejected_a_voided_and_a_foreign_approval_deliver_nothing(bench: Bench) -> None:
    before = snapshot(bench.repo)
    await bench.asked("fix:1")
    await bench.approvals.decide("fix:1", "reject", bench.approvals.pending()[0].digest, "person", "not that way")
    with pytest.raises(FixRefused, match="not that way"):
        deliver(bench.steps, "fix:1", render)
    await bench.asked("fix:2")
    await bench.approvals.decide("fix:2", "approve", "sha256:of something else", "person")
    with pytest.raises(FixRefused, match="not what was asked for"):
        deliver(bench.steps, "fix:2", render)
    await bench.approved("fix:3")
    await bench.approvals.void("fix:3", "sha256:", "the draft was made anew")
    with pytest.raises(FixRefused, match="made anew"):
        deliver(bench.steps, "fix:3", render)
    await bench.approvals.request("codefix", "push", "push:1", {"draft": bench.draft.id})
    await bench.approvals.decide("push:1", "approve", bench.approvals.pending()[0].digest, "person")
    with pytest.raises(FixRefused, match="no approval of this"):
        deliver(bench.steps, "push:1", render)
    assert not changed(before, snapshot(bench.repo))


@pytest.mark.parametrize("ref", ["refs/heads/main", "refs/heads/triage/../main", "refs/tags/triage/x", "HEAD",
                                 "refs/heads/triage/x.lock", "refs/heads/triage/-", "--output=x"])  # fmt: skip
async def test_only_a_new_triage_branch_is_made(bench: Bench, ref: str) -> None:
    terms = terms_of(bench.draft, str(bench.repo)).model_copy(update={"ref": ref})
    await bench.approved(terms=terms)
    before = snapshot(bench.repo)
    with pytest.raises(FixRefused, match="branch"):
        deliver(bench.steps, "fix:1", render)
    assert not changed(before, snapshot(bench.repo))


async def test_an_expected_value_other_than_absent_is_refused(bench: Bench) -> None:
    terms = terms_of(bench.draft, str(bench.repo)).model_copy(update={"expected": bench.base})
    await bench.approved(terms=terms)
    with pytest.raises(FixChanged, match="only a new ref"):
        deliver(bench.steps, "fix:1", render)


@pytest.mark.parametrize("part", ["refs/heads/triage", "logs/refs/heads/triage", "objects/pack", "refs/heads"])
async def test_nothing_is_written_through_a_symbolic_link(bench: Bench, tmp_path: Path, part: str) -> None:
    outside = tmp_path / "outside"
    place = bench.git_dir / part
    if place.exists():
        shutil.move(place, outside)
    else:
        outside.mkdir()
        place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(outside)
    await bench.approved()
    before = snapshot(bench.repo, outside)
    with pytest.raises(FixRefused, match="symbolic link"):
        deliver(bench.steps, "fix:1", render)
    assert not changed(before, snapshot(bench.repo, outside))


async def test_a_fan_out_directory_that_is_a_link_is_not_followed(bench: Bench, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    fan = bench.git_dir / "objects" / bench.draft.commit[:2]
    if fan.exists():
        shutil.rmtree(fan)
    fan.symlink_to(outside)
    await bench.approved()
    with pytest.raises(FixRefused, match=rf"objects/{fan.name} cannot be written .*deliver again, or do it yourself"):
        deliver(bench.steps, "fix:1", render)
    assert list(outside.iterdir()) == []
    assert bench.ref() == ""


async def test_an_unborn_branch_of_that_name_is_not_filled_under_a_work_tree(bench: Bench) -> None:
    await bench.approved()
    git(bench.repo, "symbolic-ref", "HEAD", f"refs/heads/{BRANCH}")
    before = snapshot(bench.repo)
    with pytest.raises(FixChanged, match="checked out"):
        deliver(bench.steps, "fix:1", render)
    assert not changed(before, snapshot(bench.repo))


async def test_a_lock_of_someone_else_is_respected(bench: Bench) -> None:
    await bench.approved()
    lock = bench.git_dir / "refs" / "heads" / f"{BRANCH}.lock"
    lock.parent.mkdir(parents=True)
    lock.write_text("0123\n")
    with pytest.raises(FixRefused, match="git made no ref"):
        deliver(bench.steps, "fix:1", render)
    assert lock.read_text() == "0123\n"
    assert bench.ref() == ""


async def test_what_a_killed_delivery_left_is_taken_away_and_nothing_else(bench: Bench) -> None:
    terms = await bench.approved()
    ref = bench.git_dir / "refs" / "heads" / f"{BRANCH}.lock"
    log = bench.git_dir / "logs" / "refs" / "heads" / BRANCH
    spare = bench.git_dir / "objects" / bench.draft.commit[:2] / f"tmp_obj_warroom_{bench.draft.commit[:16]}"
    theirs = spare.with_name("tmp_obj_abcdef")
    for path in (ref, log, spare):
        path.parent.mkdir(parents=True, exist_ok=True)
    ref.write_text(f"{bench.draft.commit}\n")
    log.write_text(f"{'0' * 40} {bench.draft.commit} warroom <warroom@localhost> 1 +0000\twarroom: deliver\n")
    spare.write_text("half")
    theirs.write_text("half")
    assert settle(terms) is None
    assert not ref.exists()
    assert not log.exists()
    assert not spare.exists()
    assert theirs.exists()
    deliver(bench.steps, "fix:1", render)
    assert settle(terms) == look(terms) == Delivered(terms.ref, terms.commit, found=True)
    assert log.exists()


async def test_where_files_have_names_before_they_are_whole_none_stays(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(object_transfer, "_UNNAMED", 0)
    before = snapshot(bench.repo)
    await bench.approved()
    deliver(bench.steps, "fix:1", render)
    assert_only_ref(before, bench, bench.git_dir)
    git(bench.repo, "fsck", "--strict")


async def test_a_damaged_store_delivers_nothing(bench: Bench) -> None:
    terms = await bench.approved()
    blob = git(bench.store, "rev-parse", f"{terms.commit}:app/limits.py", GIT_DIR=str(bench.store))
    assert git(bench.repo, "cat-file", "-t", blob) == "blob"  # an old version of the file: it is there already
    tree = git(bench.store, "rev-parse", f"{terms.commit}:app", GIT_DIR=str(bench.store))
    (bench.store / "objects" / terms.commit[:2] / terms.commit[2:]).unlink()
    with pytest.raises(FixChanged, match="missing from warroom's store"):
        deliver(bench.steps, "fix:1", render)
    assert bench.ref() == ""
    assert git(bench.repo, "cat-file", "-t", tree) == "tree"


async def test_a_history_with_a_hole_is_not_built_upon(bench: Bench) -> None:
    """The base is there, but nothing that was before it: unreachable, and half collected."""
    await bench.approved()
    first = git(bench.repo, "rev-parse", f"{bench.base}^")
    git(bench.repo, "checkout", "-q", "--orphan", "fresh")
    git(bench.repo, "commit", "-q", "-m", "anew")
    for ref in ("refs/heads/main", "refs/tags/v1", "refs/stash"):
        git(bench.repo, "update-ref", "-d", ref)
    (bench.git_dir / "objects" / first[:2] / first[2:]).unlink()
    with pytest.raises(FixRefused, match="no longer in"):
        deliver(bench.steps, "fix:1", render)
    assert bench.ref() == ""


async def test_a_read_only_repository_says_so(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    await bench.approved()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied", "objects")

    monkeypatch.setattr(os, "link", refuse)
    with pytest.raises(FixRefused, match="cannot be written"):
        deliver(bench.steps, "fix:1", render)
    assert bench.ref() == ""


async def test_four_racers_on_one_ref_one_wins(bench: Bench) -> None:
    names = []
    for number in range(4):
        draft = write_draft(bench.store, bench.base, f"LIMIT = {100 + number}\n")
        terms = terms_of(draft, str(bench.repo)).model_copy(update={"ref": f"refs/heads/{BRANCH}"})
        names.append(f"fix:{number}")
        await bench.approved(names[-1], terms)
    outcomes = await asyncio.gather(
        *(asyncio.to_thread(deliver, bench.steps, name, render) for name in names), return_exceptions=True
    )
    won = [outcome for outcome in outcomes if isinstance(outcome, Delivered)]
    assert len(won) == 1
    assert all(isinstance(one, Delivered | FixRefused) for one in outcomes), outcomes
    assert bench.ref() == won[0].commit


async def test_a_ref_that_appears_at_an_ancestor_is_not_moved_forward(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fetch without `+` would: the ref of someone else is a fast-forward away."""
    terms = await bench.approved()
    real = delivery._create

    def meanwhile(given: object, location: object) -> Delivered:
        git(bench.repo, "update-ref", terms.ref, bench.base, zeros(bench.base))
        return real(given, location)  # type: ignore[arg-type] # passed through

    monkeypatch.setattr(delivery, "_create", meanwhile)
    with pytest.raises(FixChanged, match="appeared meanwhile"):
        deliver(bench.steps, "fix:1", render)
    assert bench.ref() == bench.base


async def test_a_taken_name_gives_the_next_free_one(bench: Bench) -> None:
    git(bench.repo, "branch", BRANCH)
    terms = await bench.approved()
    assert terms.ref == f"refs/heads/{BRANCH}-2"
    deliver(bench.steps, "fix:1", render)
    assert bench.ref() == bench.base
    assert bench.ref(f"{BRANCH}-2") == bench.draft.commit


def test_only_delivery_writes_to_a_repository_and_only_push_sends() -> None:
    """Each git command that writes a ref or sends one has its one place."""
    top = Path(delivery.__file__).resolve().parents[2]
    sources = [path for floor in ("tui", "orchestrator", "subagents") for path in (top / floor).rglob("*.py")]
    places = {
        "update-ref": {"orchestrator/hands/delivery.py", "subagents/codefix/store.py"},
        "--receive-pack=": {"orchestrator/hands/push.py"},
        "fetch": set(),
        "worktree": set(),
        "checkout": set(),
    }
    words = {str(path.relative_to(top)): _words_of_calls(path.read_text()) for path in sources}
    for word, allowed in places.items():
        whole = not word.endswith("=")
        found = {
            path
            for path, named in words.items()
            if any(one == word if whole else one.startswith(word) for one in named)
        }
        assert found == allowed or (word == "update-ref" and found <= allowed), word


def _words_of_calls(source: str) -> set[str]:
    """Return the strings in lists, tuples and calls: what could be a word of a command, and not a text that has it."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        parts = getattr(node, "elts", None) or getattr(node, "args", None)
        for part in parts if isinstance(parts, list) else []:
            first = part.values[0] if isinstance(part, ast.JoinedStr) and part.values else part
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add(first.value)
    return found


def test_teeth_a_word_of_a_command_is_seen_and_one_in_a_text_is_not() -> None:
    seen = ('git(repo, "checkout", name)', 'run(["checkout", "x"])', 'a = ("checkout",)', '[f"checkout{x}"]')
    assert all("checkout" in _words_of_calls(source) for source in seen)
    assert "checkout" not in _words_of_calls("""shown = {"key": '"checkout"', "text": "errors in checkout"}""")


def test_teeth_the_comparison_sees_what_plain_commands_change(bench: Bench, tmp_path: Path) -> None:
    before = snapshot(bench.repo)
    git(bench.repo, "worktree", "add", "-q", "-b", "wt", str(tmp_path / "wt"))
    with pytest.raises(AssertionError):
        assert_only_ref(before, bench, bench.git_dir)
    before = snapshot(bench.repo)
    git(bench.repo, "commit", "-q", "-m", "more", "--allow-empty")
    with pytest.raises(AssertionError):
        added(before, snapshot(bench.repo))
