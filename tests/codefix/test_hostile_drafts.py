"""Drafting in a repository that is out to run something (G1), with arguments that are out to be options (G3)."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from subagents.codefix.agent import build
from subagents.codefix.branch import branch_names, require_branch
from subagents.codefix.draft_model import DraftEditParams, DraftNextParams, DraftRevertParams
from subagents.codefix.draft_tools import is_step
from subagents.codefix.fixes import DraftMade
from subagents.codefix.hunks import Hunk, chosen_hunks
from subagents.codefix.message import Words, compose, plain
from subagents.codefix.store import drafts_dir
from subagents.contract import Params, SourceSpec, ToolResult
from tests.codefix.drafting import Bench, content, fsck, litter, untouched
from tests.fakes import FakeWorkbench
from tests.gitstore import hostile
from tests.gitstore.repos import ENVIRONMENT, fingerprint, git


def _spec(bench: Bench) -> SourceSpec:
    return SourceSpec(id="repo", kind="repo", path=str(bench.repo), options={"store": str(bench.place)})


def _plumbed(repo: Path, parent: str, files: dict[str, bytes]) -> str:
    """Commit files on a parent without a work tree; whatever the repository runs meanwhile is forgotten."""
    index = {"GIT_INDEX_FILE": str(repo.parent / "plumbing.index"), **ENVIRONMENT}

    def run(*arguments: str, stdin: bytes = b"") -> str:
        done = subprocess.run(["git", *arguments], cwd=repo, env=index, input=stdin, capture_output=True, check=True)
        return done.stdout.decode().strip()

    run("read-tree", parent)
    for name, data in files.items():
        oid = run("hash-object", "-w", "--no-filters", "--stdin", stdin=data)
        run("update-index", "--index-info", stdin=f"100644 {oid}\t{name}\n".encode())
    made = run("commit-tree", run("write-tree"), "-p", parent, "-m", "plumbed")
    (repo / ".git" / "refs" / "heads" / "main").write_text(made + "\n")
    return made


@pytest.fixture
def trap(tmp_path: Path) -> tuple[hostile.Hostile, Bench, dict[str, str]]:
    """A hostile repository with a guilty commit whose undoing needs a merge of contents that a driver claims."""
    made = hostile.make(tmp_path / "trap")
    lines = [f"{number}\n" for number in range(30)]
    start = _plumbed(made.path, made.head, {"z.evil": "".join(lines).encode()})
    guilty = _plumbed(made.path, start, {"z.evil": "".join([*lines[:5], "bad\n", *lines[6:]]).encode()})
    head = _plumbed(made.path, guilty, {"z.evil": "".join(["new\n", *lines[:5], "bad\n", *lines[6:]]).encode()})
    for marker in made.markers.iterdir():
        marker.unlink()
    return made, Bench(made.path, tmp_path / "state" / "fix.git"), {"guilty": guilty, "head": head}


def test_nothing_of_a_hostile_repository_runs_while_drafts_are_made(
    trap: tuple[hostile.Hostile, Bench, dict[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, bench, ids = trap
    assert made.vectors >= 40
    for name, value in hostile.environment(tmp_path, made.markers).items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(made.path)
    with untouched(made.path):
        whole = bench.revert(ids["guilty"])
        part = bench.hunks(ids["guilty"], "z.evil:6")
        edit = bench.edit(("x.evil", "2", "3"), ("new.evil", "", "1\n"))
        tools = [
            _call(bench, "code_draft_revert", DraftRevertParams(commit=ids["guilty"], base=ids["guilty"])),
            _call(bench, "code_draft_next", DraftNextParams(draft=whole.id, reason="no")),
        ]
    assert made.fired() == set()
    assert b"\n5\n" in content(whole, "z.evil")
    assert content(whole, "z.evil").startswith(b"new\n")
    assert part.tree == whole.tree
    assert content(edit, "x.evil") == b"3\n"
    assert tools[0].data is not None
    assert "attribute filter=evil applies" in whole.files[0].note
    assert fsck(whole) == ""
    assert litter(Path(whole.store)) == []


def test_the_traps_fire_when_a_fix_is_made_as_people_make_it(
    trap: tuple[hostile.Hostile, Bench, dict[str, str]], tmp_path: Path
) -> None:
    made, _, ids = trap
    for arguments in (
        ["worktree", "add", "-q", "-f", str(tmp_path / "w"), "main"],
        ["revert", "--no-edit", ids["guilty"]],
        ["diff", "HEAD~1"],
        ["log", "-p"],
        ["fetch"],
        ["commit", "-qm", "x", "--allow-empty"],
    ):
        git(made.path, *arguments, check=False)
        git(made.path, "-c", "filter.evil.process=", "-c", "filter.evil.required=false", *arguments, check=False)
    assert len(made.fired()) >= 5, made.fired()


# -- G3 --------------------------------------------------------------------------------------------

_SHA = "a" * 40
STRINGS = [
    *("-", "--", "---", "-a", "--all", "--output=/tmp/pwn", "--output=pwn", "-o/tmp/pwn", "--upload-pack=touch pwn"),
    *("--receive-pack=touch pwn", "--exec=touch pwn", "-u touch", "--git-dir=/etc", "--work-tree=/", "-c core.pager=x"),
    *("--config-env=a=b", "--exec-path=/tmp", "--no-index", "--ext-diff", "--textconv", "--open-files-in-pager=touch"),
    *("-O/etc/passwd", "-f/etc/passwd", "--stdin", "--pathspec-from-file=/etc/passwd", "--format=%x00", "--help"),
    *("HEAD", "HEAD~1", "HEAD^", "@", "@{0}", "@{-1}", "@{upstream}", "@{u}", "main", "main..other", "main...x"),
    *("^main", "!main", ":/fix", ":(top)x", ":(glob)**", ":!x", ":0:a.py", "refs/heads/main", "refs/../../x"),
    *("refs/heads/../../../x", "refs/heads/main.lock", "main.lock", ".lock", "a..b", "a.", ".a", "a/.b", "a//b", "/a"),
    *("a/", "a@{b", "a\\b", "a b", "a~b", "a^b", "a:b", "a?b", "a*b", "a[b", "a\x7fb", "a\x01b", "a\nb", "a\r\nb"),
    *("a\0b", "\0", "\n", "\r", "\t", " ", "  ", "\x1b[2J", "\x1b]0;x\x07", "\u202emain", "main\u200b", "\ufeffmain"),
    *(
        "ma\u0456n",
        "\uff2d\uff41\uff49\uff4e",
        "\u2010\u2010all",
        "\uff0d\uff0doutput=x",
        "\u2215etc",
        "\u2024\u2024/x",
    ),
    *("\ud800", "\udcff", "\U000e0041", "\U0001f600", "x" * 5000, "-" * 5000, "/" * 5000, "a" * 39, "a" * 41, "a" * 63),
    *(_SHA, _SHA.upper(), "A" * 64, "g" * 40, "0" * 40, "0" * 64, _SHA + "^{tree}", _SHA + ":a.py", _SHA + "\n--all"),
    *(" " + _SHA, _SHA + " ", "-" + "a" * 39, "0x" + "a" * 38, "\uff41" * 40, "\u0430" * 40, _SHA + "\0", _SHA[:3]),
    *("$(touch pwn)", "`touch pwn`", "; touch pwn", "| touch pwn", "&& touch pwn", "$IFS", "${PATH}", "%PATH%", "~"),
    *("~root", "../../../etc/passwd", "..\\..\\x", "/etc/passwd", "file:///etc/passwd", "ext::sh -c touch% pwn"),
    *("ssh://-oProxyCommand=touch/x", "http://169.254.169.254/", "repo/../repo", "repo\n", "REPO", "repo ", "*", "?"),
    *("{}", "[]", "null", "None", "true", "-1", "1e9", "'", '"', "''", "\\", "\\\\", "<redacted:x>", "<script>"),
    *("Signed-off-by: a <a@b>", "Co-authored-by: a <a@b>", "[skip ci]", "fixes #1", "@everyone", "#!/bin/sh"),
]


def _call(bench: Bench, tool: str, params: Params) -> ToolResult[DraftMade]:
    return asyncio.run(FakeWorkbench(build([_spec(bench)])).call(tool, params, DraftMade))


def _attempt(
    worker: FakeWorkbench, tool: str, shape: type[Params], arguments: dict[str, Any]
) -> ToolResult[DraftMade] | None:
    """Call a tool; None where the arguments are refused by their type."""
    try:
        params = shape.model_validate(arguments)
        params.model_dump_json()
    except (ValidationError, ValueError):
        return None
    return asyncio.run(worker.call(tool, params, DraftMade))


def _made(result: ToolResult[DraftMade] | None) -> bool:
    return result is not None and result.data is not None and result.data.draft is not None


def test_strings_that_name_hunks_and_runbook_steps_reach_no_git() -> None:
    hunk = Hunk("a.py", 2, 7, 2, 7)
    for text in STRINGS:
        with pytest.raises(ValueError, match="no hunk of the commit is at"):
            chosen_hunks([hunk], [text])
        if text:
            with pytest.raises(ValueError, match="no citation of a runbook step"):
                is_step(text)


def test_strings_into_what_names_commits_bases_sources_paths_and_drafts(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(STRINGS) >= 150
    guilty = bench.head("HEAD~1")
    draft = bench.revert(guilty)
    before, refs = fingerprint(tmp_path), bench.branches()
    monkeypatch.chdir(tmp_path)
    edit = {"title": "an edit", "olds": ["line 7"], "news": ["x"]}
    made: list[str] = []
    worker = FakeWorkbench(build([_spec(bench)]))
    for text in STRINGS:
        for tool, shape, arguments in (
            ("code_draft_revert", DraftRevertParams, {"commit": text}),
            ("code_draft_revert", DraftRevertParams, {"commit": guilty, "base": text}),
            ("code_draft_revert", DraftRevertParams, {"commit": guilty, "source": text}),
            ("code_draft_edit", DraftEditParams, {**edit, "paths": [text]}),
            ("code_draft_next", DraftNextParams, {"draft": text}),
        ):
            result = _attempt(worker, tool, shape, arguments)
            if _made(result):
                made.append(f"{tool} {arguments}")
            else:
                assert result is None or result.text
    assert made == [], "none of these names anything"
    assert bench.branches() == refs == {draft.branch: draft.commit}
    store = str(drafts_dir(bench.place).relative_to(tmp_path))
    after = fingerprint(tmp_path)
    changed = {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
    assert {name for name in changed if not name.startswith(store)} <= {str(bench.place.relative_to(tmp_path))}
    assert git(bench.place, "for-each-ref") == "", "the reader's store has no refs"
    assert litter(drafts_dir(bench.place)) == []


@pytest.mark.parametrize("text", STRINGS, ids=lambda text: ascii(text)[:20])
def test_strings_into_what_is_written_name_a_branch_and_a_message_that_are_safe(text: str) -> None:
    for name in (next(branch_names(text, text)), next(branch_names(text, "")), list(branch_names("", text))[-1]):
        assert require_branch(name) == name
        assert name.isascii()
        assert "--" not in name
    message = compose(Words(text, "Does it.", why=text, incident=text, evidence=(text,), runbook=text))
    assert all(char == "\n" or char.isprintable() for char in message)
    message.encode()
    assert git(Path("/"), "interpret-trailers", "--parse", stdin=message.encode()) == ""
    assert "[skip ci]" not in message
    assert len(plain(text, 50)) <= 50


@pytest.mark.parametrize(
    "name",
    ["", "triage/", "triage", "main", "refs/heads/triage/x", "triage/-x", "triage/.x", "triage/x..y", "triage/x.lock",
     "triage/x/", "triage/x//y", "triage/x.", "triage/X", "triage/x y", "triage/x\n", "triage/\u00e9",
     "triage/" + "x" * 90, "triage/a/.b", "triage/a.lock/b", "../triage/x", "triage/x@{1}", "heads/triage/x",
     "triage/x~1", "triage/x:y"],
)  # fmt: skip
def test_other_names_are_no_fix_branches(name: str) -> None:
    with pytest.raises(ValueError, match="not the name of a fix branch"):
        require_branch(name)


def test_what_passes_as_a_branch_passes_with_git_too() -> None:
    for text in STRINGS:
        name = next(branch_names(text, text))
        git(Path("/"), "check-ref-format", f"refs/heads/{name}")


@pytest.mark.soak
@pytest.mark.parametrize("text", STRINGS, ids=lambda text: ascii(text)[:20])
def test_strings_into_words_make_drafts_with_safe_refs_only(bench: Bench, text: str) -> None:
    guilty = bench.head("HEAD~1")
    worker = FakeWorkbench(build([_spec(bench)]))
    words = {"incident": text[:200], "why": text[:4000]}
    with untouched(bench.repo):
        one = _attempt(worker, "code_draft_revert", DraftRevertParams, {"commit": guilty, **words})
        edit = {"paths": ["a.py"], "olds": ["line 7"], "news": ["x"], **words}
        _attempt(worker, "code_draft_edit", DraftEditParams, {"title": (text + "   ")[:200], **edit})
    for name in bench.branches():
        require_branch(name)
    if one is not None and one.data is not None and one.data.draft is not None:
        _attempt(worker, "code_draft_next", DraftNextParams, {"draft": one.data.draft.id, "reason": text[:4000]})
        assert fsck(one.data.draft) == ""
