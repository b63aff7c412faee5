"""Files of changes as others write them: many spellings, odd rows, broken files; all good rows kept."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.deploys import catalogue as catalogue_module
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.sources.calls import read_calls
from subagents.deploys.sources.files import read_commits, read_deploys, read_diff, read_flags
from subagents.deploys.sources.patch import parse_patch
from subagents.deploys.sources.rows import Reading, parse_moment
from tests.deploys.builders import source


@pytest.mark.parametrize(
    ("value", "expected", "assumed"),
    [
        ("2026-03-01T12:00:00Z", "2026-03-01T12:00:00+00:00", False),
        ("2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00+00:00", False),
        ("2026-03-01 12:00:00", "2026-03-01T12:00:00+00:00", True),
        ("2026-03-01 12:00:00 +0000", "2026-03-01T12:00:00+00:00", False),
        ("2026-03-01 12:00:00 UTC", "2026-03-01T12:00:00+00:00", False),
        ("Sun, 01 Mar 2026 12:00:00 +0000", "2026-03-01T12:00:00+00:00", False),
        ("Sun Mar 1 12:00:00 2026 +0000", "2026-03-01T12:00:00+00:00", False),
        (1772366400, "2026-03-01T12:00:00+00:00", False),
        ("1772366400000", "2026-03-01T12:00:00+00:00", False),
        (1772366400000000000, "2026-03-01T12:00:00+00:00", False),
    ],
)
def test_times_in_many_spellings(value: object, expected: str, assumed: bool) -> None:
    assert parse_moment(value) == (datetime.fromisoformat(expected), assumed)


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", True, [], float("nan"), float("inf"), -5, 10**30, "9999-12-31T23:59:59-12:00", "0001-01-01"],
)
def test_what_is_no_time_is_none(value: object) -> None:
    assert parse_moment(value) == (None, False)


def test_deploys_in_other_spellings(tmp_path: Path) -> None:
    rows = {
        "deployments": [
            {
                "deployedAt": "2026-03-01T12:00:00Z",
                "app": "cart",
                "revision": "abc1234",
                "tag": "v2",
                "deployedBy": "ada",
                "id": "d-7",
            },
            {
                "created_at": 1772366460,
                "component": {"name": "cart"},
                "git": 1,
                "commit": {"sha": "f" * 40},
                "status": "failed",
            },
            {"time": "nonsense", "service": "cart", "version": "v3"},
            {"time": "2026-03-01T12:05:00Z"},
            "not a record",
        ]
    }
    found, coverage = read_deploys(Reading(source(tmp_path / "deploys.json", "deploys", rows)))
    assert [(d.service, d.commit_text, d.version, d.actor, d.id) for d in found] == [
        ("cart", "abc1234", "v2", "ada", "d-7"),
        ("cart", "f" * 40, "", "", "2"),
        ("cart", "", "v3", "", "3"),
    ]
    assert found[1].failed
    assert (coverage.items, coverage.understood, coverage.dropped) == (5, 2, 2)
    said = " | ".join(problem.line() for problem in coverage.problems)
    assert "record 3: no time that can be read" in said
    assert "record 4: a deploy with neither service nor commit nor version" in said
    assert "record 5: not a record" in said


def test_flags_and_json_lines_with_a_broken_line(tmp_path: Path) -> None:
    first = '{"ts":"2026-03-01T12:00:00","key":"fast","old":false,"new":true}'
    text = first + '\n{broken\n{"flag_name":"x","change":"off->on"}\n'
    found, coverage = read_flags(Reading(source(tmp_path / "flags.json", "flags", text)))
    assert [(f.flag, f.change) for f in found] == [("fast", "off->on"), ("x", "off->on")]
    assert coverage.dropped == 1
    said = " | ".join(problem.line() for problem in coverage.problems)
    assert "flags.json:2: not valid JSON" in said
    assert "times without a zone are read as UTC" in said


def test_commits_with_and_without_diffs(tmp_path: Path) -> None:
    rows = [
        {
            "sha": "a" * 40,
            "landed_at": "2026-03-01T12:00:00Z",
            "subject": "s",
            "body": "b",
            "files": [{"path": "x.py", "add": 3, "del": 1}],
        },
        {
            "id": "b" * 40,
            "date": "2026-03-01T12:00:00Z",
            "message": "one\n\ntwo",
            "diff": "",
            "author": {"name": "ada"},
        },
        {"hash": "c" * 40, "message": "m", "files": [{"filename": "y.py", "patch": "@@ -1 +1 @@\n-a\n+b"}]},
        {"sha": "a" * 40, "message": "again"},
        {"message": "no id"},
        {"sha": "../../x", "message": "bad id"},
    ]
    path = tmp_path / "commits.json.gz"
    path.write_bytes(gzip.compress(json.dumps(rows).encode()))
    reading = Reading(SourceSpec(id="c", kind="commits", path=str(path), origin="commits.json.gz"))
    found, coverage = read_commits(reading)
    assert [c.sha[0] for c in found] == ["a", "b", "c"]
    assert found[0].patch is None
    assert found[0].no_patch
    assert (found[0].files[0].added, found[0].files[0].removed) == (3, 1)
    assert found[1].patch == ""
    assert (found[1].subject, found[1].body, found[1].author) == ("one", "two", "ada")
    assert "+b" in (found[2].patch or "")
    assert coverage.dropped == 3


@pytest.mark.parametrize(
    "content",
    [b"", b"   ", b"[" * 5000, b"\xff\xfe\x00", b"42", b'"text"', b"[1,2,null]", b'{"a":1}', b"\x1f\x8bbroken"],
)
def test_broken_files_give_problems_and_no_traceback(tmp_path: Path, content: bytes) -> None:
    for kind, read in (("deploys", read_deploys), ("flags", read_flags), ("commits", read_commits)):
        found, coverage = read(Reading(source(tmp_path / f"{kind}.json", kind, content)))
        assert found == []
        assert coverage.problems
    missing = Reading(SourceSpec(id="m", kind="deploys", path=str(tmp_path / "absent"), origin="absent"))
    assert "cannot be read" in read_deploys(missing)[1].problems[0].line()


def test_commits_whose_fields_are_of_any_type(tmp_path: Path) -> None:
    deep: object = "x"
    for _ in range(900):
        deep = {"sha": deep}
    odd = [{"sha": f"{n:07x}", "files_changed": value, "author": value, "message": value, "parents": value}
           for n, value in enumerate([3, True, "x", 1.5, [1, None, [2]], {"a": 1}, deep])]  # fmt: skip
    good = {"sha": "f" * 40, "message": "Lower the pool", "timestamp": "2026-03-01T12:00:00Z"}
    catalogue = ChangeCatalogue([source(tmp_path / "commits.json", "commits", [*odd, good])])
    (coverage,) = catalogue.coverage()
    assert (coverage.items, coverage.dropped) == (8, 0)
    assert catalogue.commit("f" * 40).subject == "Lower the pool"


def test_a_file_that_cannot_be_understood_takes_no_other_source_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_reading: object) -> None:
        raise KeyError("unforeseen")

    monkeypatch.setattr(catalogue_module, "read_flags", fails)
    deploys = [{"service": "pay", "version": "2", "at": "2026-03-01T12:00:00Z"}]
    catalogue = ChangeCatalogue(
        [source(tmp_path / "flags.json", "flags", []), source(tmp_path / "deploys.json", "deploys", deploys)]
    )
    lost, kept = catalogue.coverage()
    assert lost.problems[-1].line() == (
        "flags.json: could not be understood (KeyError); lost: this source; report it with a line of it"
    )
    assert (kept.items, len(catalogue.deploys)) == (1, 1)


def test_lone_surrogates_and_huge_numbers_are_carried(tmp_path: Path) -> None:
    text = '[{"service":"a\\ud800b","timestamp":99999999999999999999999,"version":1e308}]'
    found, _ = read_deploys(Reading(source(tmp_path / "deploys.json", "deploys", text)))
    assert all(d.service.encode() for d in found)


GIT_SHOW = """commit 1234567890123456789012345678901234567890
Author: Ada <ada@example.org>
Date:   Sun Mar 1 12:00:00 2026 +0000

    Lower the limit

    why

diff --git a/app/a b.py b/app/a b.py
index 1..2 100644
--- a/app/a b.py
+++ b/app/a b.py
@@ -10,3 +10,3 @@ def f():
 x
-limit = 10
+limit = 5
--- removed dash line
\\ No newline at end of file
"""


def test_loose_diffs(tmp_path: Path) -> None:
    (one,), _ = read_diff(Reading(source(tmp_path / "a.diff", "diff", GIT_SHOW)))
    assert one.sha.startswith("1234567890")
    assert one.subject == "Lower the limit"
    assert one.committed_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    (two,), _ = read_diff(Reading(source(tmp_path / "b.patch", "diff", "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n")))
    assert two.sha.startswith("diff-")
    assert two.committed_at is None
    mail = (
        "From "
        + "a" * 40
        + " Mon Sep\nFrom: Ada <a@b>\nDate: Sun, 01 Mar 2026 12:00:00 +0000\nSubject: [PATCH] one\n\n---\n"
    )
    found, _ = read_diff(
        Reading(source(tmp_path / "c.patch", "diff", mail + GIT_SHOW[200:] + mail.replace("aaaa", "bbbb")))
    )
    assert [c.subject for c in found] == ["one", "one"]
    nothing, coverage = read_diff(Reading(source(tmp_path / "d.diff", "diff", "hello\nworld\n")))
    assert nothing == []
    assert "holds no diff" in coverage.problems[0].line()


def test_patches_in_git_form_know_their_lines() -> None:
    (diff,) = parse_patch(GIT_SHOW)
    assert diff.path == "app/a b.py"
    hunk = diff.hunks[0]
    assert (hunk.header, hunk.place()) == ("def f():", 11)
    assert hunk.removed() == ["limit = 10", "-- removed dash line"]
    assert hunk.added() == ["limit = 5"]


def test_patches_in_loose_forms() -> None:
    files = parse_patch("@@ svc/a.go @@ func A()\n-x\n+y\n@@ svc/b.go @@\n+z", ["svc/a.go", "svc/b.go"])
    assert [(f.path, len(f.hunks)) for f in files] == [("svc/a.go", 1), ("svc/b.go", 1)]
    bare = parse_patch("--- a/m/x.go\n+++ b/m/x.go\n@@\n-a\n+b\n--- a/m/y.go\n+++ b/m/y.go\n@@\n-c")
    assert [(f.path, f.hunks[0].removed()) for f in bare] == [("m/x.go", ["a"]), ("m/y.go", ["c"])]
    only = parse_patch("@@ require (\n-\ta v1.0.0\n+\ta v2.0.0\n )", ["svc/go.mod", "svc/go.sum"])
    assert only[0].path == "svc/go.mod"


def test_patches_of_every_other_kind() -> None:
    text = (
        "diff --git a/i.png b/i.png\nnew file mode 100644\nBinary files /dev/null and b/i.png differ\n"
        "diff --git a/old.py b/new.py\nsimilarity index 100%\nrename from old.py\nrename to new.py\n"
        "diff --git a/gone.py b/gone.py\ndeleted file mode 100644\n--- a/gone.py\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
        "diff --cc m.py\nindex 1,2..3\n--- a/m.py\n+++ b/m.py\n@@@ -1,2 -1,2 +1,2 @@@\n"
        "  same\n- ours\n -theirs\n++merged\n"
    )
    image, renamed, gone, merged = parse_patch(text)
    assert image.binary
    assert (renamed.old_path, renamed.path) == ("old.py", "new.py")
    assert (gone.path, gone.deleted) == ("gone.py", True)
    assert merged.hunks[0].added() == ["merged"]
    assert merged.hunks[0].removed() == ["ours", "theirs"]
    assert parse_patch("") == []
    assert parse_patch("\0\xff@@ @@ @@\n+++\n---\n@@@") is not None


def test_calls_from_every_source(tmp_path: Path) -> None:
    specs = [
        source(tmp_path / "topology.csv", "topology", "caller,callee\na,b\n,\n"),
        source(tmp_path / "trace_edges.csv", "trace_edges", "ts,caller,service\n1,b,c\n"),
        source(tmp_path / "spans.json", "spans", [
            {"trace_id": "t", "span_id": "1", "parent_id": None, "service": "x"},
            {"trace_id": "t", "span_id": "2", "parent_id": "1", "service": "y"},
        ]),
        source(tmp_path / "bad.json", "spans", "{"),
    ]  # fmt: skip
    assert read_calls(specs) == {("a", "b"), ("x", "y")}
