"""Repositories as they should not be: every one is read as far as it goes, and what is wrong with it is said."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from subagents.contract import SourceSpec, ToolError, Window
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import BlameParams, CommitParams, DiffParams, SuspectsParams, TimelineParams
from subagents.deploys.timeline import build_timeline
from subagents.deploys.tools import ChangeTools, build_tools
from tests.deploys.builders import NOON, at, context, errors, source, stamp
from tests.deploys.histories import Made, line, make, spec
from tests.gitstore.repos import ENVIRONMENT, git

WINDOW = Window(start=at(-300), end=at(60))
FAILING = errors("orders", "pool exhausted: pool_size reached", terms=("pool_size",))


def read(specs: list[SourceSpec], window: Window | None = WINDOW) -> tuple[set[str], str]:
    """Return the subjects of the commits found, and what is said of the sources."""
    catalogue = ChangeCatalogue(specs)
    found = {commit.subject for commit in catalogue.commits(window)}
    return found, " | ".join(p.line() for coverage in catalogue.coverage() for p in coverage.problems)


def tools(*specs: SourceSpec) -> ChangeTools:
    return ChangeTools(ChangeCatalogue(specs))


def params() -> SuspectsParams:
    return SuspectsParams(start=stamp(-300), end=stamp(60), onset=stamp(0))


YEAR = 365 * 24 * 60.0


@pytest.mark.parametrize("place", [0, 2, 4])
def test_one_commit_dated_long_ago_hides_nothing(tmp_path: Path, place: int) -> None:
    history = line("a", "b", "c", "d", "e", start=-200)
    history[place] = Made(history[place].name, history[place].parents, history[place].files, -20 * YEAR)
    make(tmp_path / "shop", history, {"refs/heads/main": "e"})
    found, said = read([spec(tmp_path / "shop")])
    hidden = {"a"} if place == 0 else set()  # the first commit of all builds on nothing that is younger
    assert found == {"a", "b", "c", "d", "e"} - hidden
    assert ("dated out of order" in said) == (place != 0)


def test_a_commit_dated_in_the_future_has_landed_when_others_build_on_it(tmp_path: Path) -> None:
    history = line("a", "b", "c", "d", start=-200)
    history[1] = Made("b", ("a",), {"orders/db.py": b"pool_size = 4\n"}, 10 * YEAR)
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "d"})
    found, said = read([spec(tmp_path / "shop")])
    assert found == {"a", "b", "c", "d"}
    assert f"1 commit dated out of order ({ids['b'][:12]})" in said
    deploys = [{"ts": stamp(-210), "service": "orders", "commit": ids["a"]},
               {"ts": stamp(-30), "service": "orders", "commit": ids["d"]}]  # fmt: skip
    both = tools(spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", deploys))
    first = both.suspects(params(), context(FAILING)).need().suspects[0]
    assert (first.key, first.ruled_out) == (ids["b"], ""), "its deploy tells when it took effect"
    alone = tools(spec(tmp_path / "shop")).suspects(params(), context(FAILING)).need()
    (item,) = [item for item in alone.suspects if item.key == ids["b"]]
    assert (item.ruled_out, item.lead_s) == ("", None)
    later = Made("later", ("d",), {"x.py": b"1\n"}, 10 * YEAR)
    make(tmp_path / "two", [*line("a", "b", "c", "d", start=-200), later], {"refs/heads/main": "later"})
    assert read([spec(tmp_path / "two")])[0] == {"a", "b", "c", "d"}, "nothing says that this one landed by then"


def test_dates_beyond_the_calendar_are_read(tmp_path: Path) -> None:
    make(tmp_path / "shop", line("a"), {"refs/heads/main": "a"})
    tree = git(tmp_path / "shop", "rev-parse", "main^{tree}")
    odd = f"tree {tree}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 99999999999999 +9999\n\nfar\n"
    sha = git(tmp_path / "shop", "hash-object", "-t", "commit", "-w", "--literally", "--stdin", stdin=odd.encode())
    git(tmp_path / "shop", "update-ref", "refs/heads/main", sha)
    found, _ = read([spec(tmp_path / "shop")], None)
    assert found == {"far"}
    assert tools(spec(tmp_path / "shop")).suspects(params(), context(FAILING)).need().total <= 1


def test_binary_generated_mode_only_links_renames_and_weird_names(tmp_path: Path) -> None:
    weird = 'orders/new\nline "quoted" \\ é.py'
    history = [
        Made("start", (), {"orders/old.py": b"pool_size = 40\nother = 1\nmore = 2\n", "run.sh": b"x\n"}, -250),
        Made("binary", ("start",), {"orders/model.bin": bytes(range(256)) * 40}, -240),
        Made("weird", ("binary",), {weird: b"pool_size = 4\n"}, -230),
        Made("rename", ("weird",), {"orders/old.py": None,
                                    "orders/db.py": b"pool_size = 4\nother = 1\nmore = 2\n"}, -220),
        Made("generated", ("rename",), {"dist/app.min.js": b"x" * 200_000}, -210),
    ]  # fmt: skip
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "generated"})
    both = tools(spec(tmp_path / "shop"))
    result = both.suspects(params(), context(FAILING)).need()
    assert {item.key for item in result.suspects} == set(ids.values())
    shown = {name: both.diff(DiffParams(commit=ids[name]), context()).need() for name in ids}
    assert all(diff.available for diff in shown.values())
    assert "Binary files" in shown["binary"].diff
    assert shown["weird"].files == (weird,)
    assert "rename from orders/old.py" in shown["rename"].diff
    assert "-pool_size = 40" in shown["rename"].diff
    assert shown["generated"].diff.isprintable() or "x" in shown["generated"].diff
    places = both.touches(CommitParams(commit=ids["rename"]), context()).need().places
    assert {place.path for place in places} == {"orders/old.py", "orders/db.py"}
    blame = both.blame(BlameParams(path="orders/db.py", first=1, last=1), context()).need()
    assert [row.commit for row in blame.lines] == [ids["rename"]]
    with pytest.raises(ToolError, match="no repository has lines"):
        both.blame(BlameParams(path="orders/model.bin.gone", first=1, last=1), context())


def test_mode_only_submodule_and_symlink_changes(tmp_path: Path) -> None:
    repo = tmp_path / "shop"
    make(repo, line("a", start=-250), {"refs/heads/main": "a"})
    feed = b""
    for minute, name, entry in (
        (-240, b"mode", b"M 100755 :9 orders/a.py\n"),
        (-230, b"link", b"M 120000 inline orders/link\ndata 8\norders/a\n"),
        (-220, b"module", b"M 160000 " + b"1" * 40 + b" vendor/lib\n"),
        (-210, b"bump", b"M 160000 " + b"2" * 40 + b" vendor/lib\n"),
    ):
        when = int(NOON.timestamp()) + minute * 60
        head = b"commit refs/heads/main\ncommitter A <a@b> %d +0000\ndata %d\n%s\n" % (when, len(name), name)
        parent = b"from refs/heads/main^0\n" if name == b"mode" else b""
        feed += (b"blob\nmark :9\ndata 6\nx = 1\n\n" if name == b"mode" else b"") + head + parent + entry + b"\n"
    done = subprocess.run(["git", f"--git-dir={repo}", "fast-import", "--quiet"], env=ENVIRONMENT, input=feed,
                          capture_output=True, check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    shown = tools(spec(repo))
    result = shown.suspects(params(), context(FAILING)).need()
    by_label = {item.label: item for item in result.suspects}
    assert set(by_label) == {"a", "mode", "link", "module", "bump"}
    diff = {name: shown.diff(DiffParams(commit=item.key), context()).need().diff for name, item in by_label.items()}
    assert "new mode 100755" in diff["mode"]
    assert by_label["mode"].ruled_out
    assert "new file mode 120000" in diff["link"]
    assert "+Subproject commit " + "2" * 40 in diff["bump"]
    assert not by_label["bump"].ruled_out, "another version of a library may do anything"


def test_a_commit_of_very_many_files_and_messages_of_any_size(tmp_path: Path) -> None:
    many: dict[str, bytes | None] = {f"orders/f{number}.py": b"1\n" for number in range(3_000)}
    history = [
        *line("a", start=-250),
        Made("many", ("a",), many, -240, b"many\n\n" + b"pool_size " * 60_000),
        Made("none", ("many",), {}, -230, b"\xff\xfe not UTF-8 \x1b[31m"),
        Made("silent", ("none",), {"b.py": b"1\n"}, -220, b"\n"),
    ]
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "silent"})
    both = tools(spec(tmp_path / "shop"))
    result = both.suspects(params(), context(FAILING)).need()
    by_key = {item.key: item for item in result.suspects}
    assert set(by_key) == set(ids.values())
    assert len(by_key[ids["many"]].files) == 30
    large = both.diff(DiffParams(commit=ids["many"]), context())
    assert not large.need().available
    assert "it changes 3000 files: too many to read its diff" in large.text
    assert len(large.need().body) <= 4_000
    assert both.diff(DiffParams(commit=ids["none"]), context()).need().diff == ""
    assert by_key[ids["none"]].label.encode("utf-8")


def test_shallow_and_replaced_history(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", "d", start=-250), {"refs/heads/main": "d"})
    git(tmp_path, "clone", "-q", "--bare", "--depth=2", (tmp_path / "shop").as_uri(), str(tmp_path / "cut"))
    deploys = source(tmp_path / "deploys.json", "deploys", [
        {"ts": stamp(-230), "service": "orders", "commit": ids["b"]},
        {"ts": stamp(-100), "service": "orders", "commit": ids["d"]},
    ])  # fmt: skip
    cut = tools(spec(tmp_path / "cut"), deploys)
    result = cut.suspects(params(), context(FAILING)).need()
    by_label = {item.label: item for item in result.suspects}
    assert set(by_label) == {"c", "d"}
    assert "the history begins with it" in by_label["c"].ruled_out
    assert "1 of 2 deploys name no commit that a source knows" in " ".join(p.line() for p in result.problems)
    assert "shallow clone: its history is cut" in " ".join(p.line() for p in result.problems)
    git(tmp_path / "shop", "replace", ids["c"], ids["a"])
    (tmp_path / "shop" / "info").mkdir(exist_ok=True)
    (tmp_path / "shop" / "info" / "grafts").write_text(f"{ids['d']} {ids['a']}\n")
    timeline = build_timeline(ChangeCatalogue([spec(tmp_path / "shop"), deploys]), WINDOW)
    assert set(timeline.deploys[1].brought) == {ids["c"], ids["d"]}, "what was put in its place is not its history"


def test_damaged_and_empty_repositories(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", start=-250), {"refs/heads/main": "c"})
    git(tmp_path / "shop", "repack", "-adq")
    git(tmp_path / "shop", "unpack-objects", "-q", stdin=b"", check=False)
    loose(tmp_path / "shop")
    lose(tmp_path / "shop", ids["a"])
    found, said = read([spec(tmp_path / "shop")])
    assert found == {"c", "b"}, "the one whose parent is missing is there itself"
    assert "lost: older commits" in said
    make(tmp_path / "empty", [], {})
    good = make(tmp_path / "good", line("x", start=-200), {"refs/heads/main": "x"})
    found, said = read([spec(tmp_path / "empty", "one"), spec(tmp_path / "good", "two")])
    assert found == {"x"}
    assert "has no commits yet" in said
    listed = tools(spec(tmp_path / "empty", "one"), spec(tmp_path / "good", "two"))
    assert [row.key for row in listed.timeline(TimelineParams(), context()).need().changes] == [good["x"]]


def loose(place: Path) -> None:
    """Put every object of a repository into a file of its own."""
    for pack in (place / "objects" / "pack").glob("*.pack"):
        data = pack.read_bytes()
        for each in pack.parent.glob(pack.stem + "*"):
            each.unlink()
        git(place, "unpack-objects", "-q", stdin=data)


def lose(place: Path, name: str) -> None:
    """Remove one object of a repository."""
    (place / "objects" / name[:2] / name[2:]).unlink()


def test_behind_a_missing_commit_tags_and_deploys_lead_on(tmp_path: Path) -> None:
    refs = {"refs/heads/main": "g", "refs/tags/v1": "c"}
    ids = make(tmp_path / "shop", line("a", "b", "c", "d", "e", "f", "g", start=-250), refs)
    loose(tmp_path / "shop")
    lose(tmp_path / "shop", ids["e"])
    found, said = read([spec(tmp_path / "shop")])
    assert found == {"g", "f", "c", "b", "a"}
    assert "lost: older commits that no branch, tag or deploy leads to" in said
    ran = [
        {"timestamp": stamp(minute), "service": "orders", "commit_sha": ids[name]}
        for minute, name in ((-200, "d"), (-10, "g"))
    ]
    rows = source(tmp_path / "deploys.json", "deploys", ran)
    catalogue = ChangeCatalogue([spec(tmp_path / "shop", "two"), rows])
    timeline = build_timeline(catalogue, WINDOW)
    assert {commit.subject for commit in timeline.commits.values()} == {"g", "f", "d", "c", "b", "a"}
    assert not [problem for problem in timeline.problems if "rewritten" in problem.what], "what is missing says nothing"


def test_a_diff_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    history = [
        Made(name, (before,) if before else (), {f"orders/{name}.py": f"{name} = 1\n".encode()}, minute)
        for name, before, minute in (("a", "", -200), ("b", "a", -100), ("c", "b", -50))
    ]
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "c"})
    loose(tmp_path / "shop")
    lose(tmp_path / "shop", git(tmp_path / "shop", "rev-parse", f"{ids['b']}:orders/b.py"))
    ranking = tools(spec(tmp_path / "shop")).suspects(params(), context(FAILING)).need()
    by_key = {suspect.key: suspect for suspect in ranking.suspects}
    assert (by_key[ids["b"]].diff, by_key[ids["c"]].diff) == ("none available", "read")
    (problem,) = [problem for problem in ranking.problems if "cannot be read" in problem.what]
    assert ids["b"][:12] in problem.what
    assert problem.lost == "what they change"


def test_a_tree_that_is_missing_hides_no_other_commit(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", "d", start=-250), {"refs/heads/main": "d"})
    loose(tmp_path / "shop")
    tree = git(tmp_path / "shop", "rev-parse", f"{ids['b']}^{{tree}}")
    lose(tmp_path / "shop", tree)
    catalogue = ChangeCatalogue([spec(tmp_path / "shop")])
    files = {commit.subject: [f.path for f in commit.files] for commit in catalogue.commits(WINDOW)}
    assert files == {"d": ["orders/d.py"], "c": [], "b": [], "a": ["orders/a.py"]}
    said = " | ".join(p.line() for coverage in catalogue.coverage() for p in coverage.problems)
    assert "which files 2 commits change" in said
    assert "older commits" not in said
    ranking = tools(spec(tmp_path / "shop")).suspects(params(), context(FAILING)).need()
    assert {suspect.key for suspect in ranking.suspects} == set(ids.values())


def test_a_cancelled_call_ends_and_leaves_the_repository_usable(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", start=-250), {"refs/heads/main": "b"})
    built = {tool.name: tool for tool in build_tools(ChangeCatalogue([spec(tmp_path / "shop")]))}
    calls = {
        "deploys_diff": DiffParams(commit=ids["b"]),
        "deploys_touches": CommitParams(commit=ids["b"]),
        "deploys_blame": BlameParams(path="orders/b.py", first=1, last=1),
    }
    for name, asked in calls.items():
        with pytest.raises(ToolError, match="was stopped: it is not needed any more"):
            built[name].run(asked, replace(context(), cancelled=lambda: True))
    for name, asked in calls.items():
        assert built[name].run(asked, context()).outcome == "ok"


def test_long_ids_are_read_like_any_other(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", start=-250), {"refs/heads/main": "c"}, "--object-format=sha256")
    rows = [{"ts": stamp(-240), "service": "orders", "commit": ids["a"]},
            {"ts": stamp(-100), "service": "orders", "commit": ids["c"][:12]}]  # fmt: skip
    timeline = build_timeline(
        ChangeCatalogue([spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)]), WINDOW
    )
    assert set(timeline.deploys[1].brought) == {ids["b"], ids["c"]}


def test_what_was_asked_before_changes_no_score(tmp_path: Path) -> None:
    history = [Made("a", (), {"orders/db.py": b"pool_size = 40\n"}, -900)]
    history += [Made(f"c{n}", (history[-1].name if n == 0 else f"c{n - 1}",),
                     {"orders/db.py": b"pool_size = %d\n" % (n + 1)}, -250 + n) for n in range(5)]  # fmt: skip
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "c4"})
    once = tools(spec(tmp_path / "shop"))
    first = once.suspects(params(), context(FAILING)).need()
    for name in ids:
        once.diff(DiffParams(commit=ids[name]), context())
    assert once.suspects(params(), context(FAILING)).need() == first
    seen = tools(spec(tmp_path / "shop"))
    seen.diff(DiffParams(commit=ids["c2"]), context())
    assert seen.suspects(params(), context(FAILING)).need() == first
