"""What a deploy brought and took out: by ancestry in git, by the parents that a file gives, else by times."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path

import pytest

from subagents import quantities
from subagents.contract import ServiceInfo, SourceSpec, Window
from subagents.deploys import timeline as timeline_module
from subagents.deploys.answers import deploy_line, line_text
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import SuspectsParams, SuspectsResult, TimelineParams
from subagents.deploys.ranges import between
from subagents.deploys.reporting import citations_of, facts_of
from subagents.deploys.sources.repo import commit_of
from subagents.deploys.timeline import Timeline, build_timeline
from subagents.deploys.tools import ChangeTools
from subagents.gitstore.log import LogQuery
from subagents.gitstore.process import GitCancelled, GitFailed, GitStopped
from subagents.gitstore.reader import Brought, Reader
from subagents.gitstore.store import IsolatedStore
from tests.deploys.builders import NOON, at, commit, context, deploy, errors, sha, source, stamp, symptom
from tests.deploys.histories import Made, line, make, spec
from tests.gitstore.repos import git, init

TUNED = "--- a/orders/db.py\n+++ b/orders/db.py\n@@ -1 +1 @@\n-pool_size = 40\n+pool_size = 4\n"
WINDOW = Window(start=at(-300), end=at(60))


def ran(minute: float, service: str, commit_id: str, version: str = "", **more: str) -> dict[str, str]:
    return {"ts": stamp(minute), "service": service, "commit": commit_id, "version": version, **more}


def resolved(
    specs: list[SourceSpec], services: tuple[ServiceInfo, ...] = (), window: Window | None = WINDOW
) -> Timeline:
    return build_timeline(ChangeCatalogue(specs, services), window)


def named(ids: dict[str, str], shas: tuple[str, ...]) -> set[str]:
    return {name for name, each in ids.items() if each in shas}


def told(timeline: Timeline) -> str:
    return " | ".join(problem.line() for problem in timeline.problems)


def test_merges_rollbacks_repeats_and_other_branches(tmp_path: Path) -> None:
    history = [
        *line("a", "b", "c"),
        Made("side", ("a",), {"orders/side.py": b"1\n"}, -595),
        Made("merge", ("c", "side"), {}, -500),
        Made("hot", ("b",), {"orders/hot.py": b"1\n"}, -480),
    ]
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "merge", "refs/heads/hot": "hot"})
    rows = [
        ran(-250, "orders", ids["b"], "v1"),
        ran(-200, "orders", ids["merge"][:9], "v2"),
        ran(-150, "orders", ids["b"], "v1"),
        ran(-140, "orders", ids["b"], "v1"),
        ran(-130, "orders", ids["c"], "failed", status="failed"),
        ran(-100, "orders", ids["merge"], "v2"),
        ran(-50, "orders", ids["hot"], "hot"),
        ran(-40, "mail", ids["merge"], "m1"),
    ]
    specs = [spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)]
    timeline = resolved(specs)
    first, merged, back, again, failed, forth, hot, mail = timeline.deploys
    assert named(ids, merged.brought) == {"c", "side", "merge"}
    assert merged.brought[0] == ids["merge"]
    assert (merged.certain, merged.removed) == (True, ())
    assert (back.brought, named(ids, back.removed), back.certain) == ((), {"c", "side", "merge"}, True)
    assert (again.brought, again.removed, again.certain) == ((), (), True)
    assert (failed.brought, forth.brought) == ((), merged.brought), "what failed to go out is not the one before"
    assert (named(ids, hot.brought), named(ids, hot.removed)) == ({"hot"}, {"c", "side", "merge"})
    assert mail.previous is None, "each service has deploys of its own"
    assert first.brought[0] == ids["b"]
    assert not first.certain
    assert "deploy 3 of orders went back by 3 commits" in told(timeline)
    texts = [line_text(deploy_line(deploy, None)) for deploy in (back, again, hot)]
    assert "takes out 3: " in texts[0]
    assert "the same commit again" in texts[1]
    assert "1 commit, takes out 3: " in texts[2]
    assert timeline.taken_out(ids["c"], merged, NOON) is back
    assert timeline.taken_out(ids["c"], merged, at(-180)) is None


def test_what_was_rolled_back_before_the_onset_is_not_blamed(tmp_path: Path) -> None:
    pool = {"orders/db.py": b"pool_size = 40\n"}
    history = [Made("a", (), pool, -900), Made("b", ("a",), {"orders/db.py": b"pool_size = 4\n"}, -290)]
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "b"})
    rows = [ran(-800, "orders", ids["a"], "v1"), ran(-40, "orders", ids["b"], "v2"), ran(-20, "orders", ids["a"], "v1")]
    found = errors("orders", "pool exhausted: pool_size reached", terms=("pool_size",))

    def score(rows: list[dict[str, str]], name: str) -> tuple[float, str]:
        specs = [spec(tmp_path / "shop"), source(tmp_path / f"{name}.json", "deploys", rows)]
        params = SuspectsParams(start=stamp(-300), end=stamp(60), onset=stamp(0))
        result: SuspectsResult = ChangeTools(ChangeCatalogue(specs)).suspects(params, context(found)).need()
        (item,) = [item for item in result.suspects if item.key == ids["b"]]
        return item.score, item.reasons()

    running, _ = score(rows[:2], "stayed")
    gone, why = score(rows, "went")
    assert running > 0.5 > gone
    assert "v1 took it out of orders before the onset" in why
    later, _ = score([*rows[:2], ran(20, "orders", ids["a"], "v1")], "later")
    assert later == pytest.approx(running), "what was undone after the onset ran when it began"


@pytest.mark.parametrize(
    ("back", "ended", "counts"),
    [(20, 25, 1), (20, None, 0), (20, 15, 0), (20, 55, -1), (None, 25, 0)],
    ids=["ends after", "goes on", "ended before", "ends much later", "never went back"],
)
def test_a_symptom_that_ends_when_a_change_goes_speaks_against_the_change(
    tmp_path: Path, back: float | None, ended: float | None, counts: int
) -> None:
    history = [commit(1, -900, "start", ["orders/db.py"]), commit(2, -290, "tune", ["orders/db.py"], TUNED)]
    rows = [deploy(1, -800, "orders", "v1"), deploy(2, -40, "orders", "v2")]
    rows += [deploy(1, back, "orders", "v3")] if back is not None else []
    found = symptom("orders", "orders errors rose")
    if ended is not None:
        over = found.facts[0].model_copy(update={"quantity": quantities.ENDED, "value": stamp(ended)})
        found = found.model_copy(update={"facts": (*found.facts, over)})
    specs = [source(tmp_path / "commits.json", "commits", history), source(tmp_path / "deploys.json", "deploys", rows)]
    asked = SuspectsParams(start=stamp(-300), end=stamp(60), onset=stamp(0))
    result: SuspectsResult = ChangeTools(ChangeCatalogue(specs)).suspects(asked, context(found)).need()
    (item,) = [item for item in result.suspects if item.key == sha(2)]
    parts = {part.name: part for part in item.parts}
    points = parts["ending"].points if "ending" in parts else 0.0
    assert (points > 0) - (points < 0) == counts
    stated = {fact.quantity: fact.value for fact in facts_of(item)} if counts else {}
    if counts < 0:
        assert "and the symptom went on until 12:55" in item.reasons()
    elif counts:
        assert "v3 took it out of orders at 12:20, and from 12:25 on the symptom is over" in item.reasons()
        assert stated[quantities.ENDED] == stamp(25)
        assert {fact.citation for fact in item.facts} <= set(citations_of(item))


def test_a_monorepos_deploy_brings_what_may_concern_its_service(tmp_path: Path) -> None:
    history = line("a", "b")
    history += [
        Made("mail", ("b",), {"mail/m.py": b"1\n"}, -200),
        Made("both", ("mail",), {"mail/n.py": b"1\n", "orders/o.py": b"1\n"}, -190),
        Made("shared", ("both",), {"lib/x.py": b"1\n"}, -180),
        Made("head", ("shared",), {"mail/z.py": b"1\n"}, -170),
    ]
    ids = make(tmp_path / "mono", history, {"refs/heads/main": "head"})
    rows = [ran(-250, "orders", ids["b"]), ran(-100, "orders", ids["head"])]
    specs = [spec(tmp_path / "mono"), source(tmp_path / "deploys.json", "deploys", rows)]
    services = (ServiceInfo(name="orders", paths=("orders",)), ServiceInfo(name="mail", paths=("mail/",)))
    _, last = resolved(specs, services).deploys
    assert (named(ids, last.brought), last.others) == ({"both", "shared", "head"}, 1)
    assert "1 more of other services only" in line_text(deploy_line(last, None))
    _, unsaid = resolved(specs).deploys
    assert (named(ids, unsaid.brought), unsaid.others) == ({"mail", "both", "shared", "head"}, 0)


@pytest.mark.parametrize("by_id", [False, True], ids=["by its version", "other deploys name its commits"])
def test_a_version_that_settings_name_brings_the_code_behind_it(tmp_path: Path, by_id: bool) -> None:
    code = make(tmp_path / "code", line("a", "b", "c", start=-200),
                {"refs/heads/main": "c", "refs/tags/v1": "a", "refs/tags/v2": "c"})  # fmt: skip
    tags = [Made(v, tuple(f"v{n - 1}" for n in (number,) if n > 1), {"orders/values.yaml": b"tag: %s\n" % v.encode()},
                 -190 + 60 * number) for number, v in ((1, "v1"), (2, "v2"), (3, "v3"))]  # fmt: skip
    ops = make(tmp_path / "ops", tags, {"refs/heads/main": "v3"})
    rows = [ran(-100, "orders", ops["v1"], "v1"), ran(-50, "orders", ops["v2"], "v2"),
            ran(-40, "orders", ops["v3"], "v1")]  # fmt: skip
    rows += [ran(-90, "mail", code["a"])] if by_id else []
    specs = [spec(tmp_path / "code", "code"), spec(tmp_path / "ops", "ops"),
             source(tmp_path / "deploys.json", "deploys", rows)]  # fmt: skip
    deploys = [d for d in build_timeline(ChangeCatalogue(specs), WINDOW).deploys if d.service == "orders"]
    assert ops["v2"] in deploys[1].brought
    assert (named(code, deploys[1].brought) == {"b", "c"}) is not by_id
    assert (named(code, deploys[2].removed) == {"b", "c"}) is not by_id


@pytest.mark.parametrize("given", [True, False], ids=["its repository is given", "it is not"])
def test_a_submodule_that_moves_brings_what_its_repository_tells(tmp_path: Path, given: bool) -> None:
    lib = make(tmp_path / "lib", line("a", "b", "c", start=-200), {"refs/heads/main": "c"})
    app = init(tmp_path / "app")
    heads = []
    for name in ("a", "c"):
        git(app, "update-index", "--add", "--cacheinfo", f"160000,{lib[name]},lib")
        git(app, "commit", "-q", "-m", f"lib at {name}", at=int(at(-150).timestamp()))
        heads.append(git(app, "rev-parse", "HEAD"))
    rows = [ran(-100, "orders", heads[0], "v1"), ran(-50, "orders", heads[1], "v2")]
    specs = [spec(tmp_path / "app", "app"), source(tmp_path / "deploys.json", "deploys", rows)]
    timeline = resolved([*specs, *([spec(tmp_path / "lib", "lib")] if given else [])])
    brought = timeline.deploys[1].brought
    assert heads[1] in brought
    assert named(lib, brought) == ({"b", "c"} if given else set())
    moves = f"submodule lib moved ({lib['a'][:7]}..{lib['c'][:7]}), and its history is in no source"
    assert (moves in told(timeline)) is not given


@pytest.mark.parametrize("given", [True, False], ids=["its repository is given", "it is not"])
def test_a_submodule_that_is_new_brings_its_own_commit(tmp_path: Path, given: bool) -> None:
    lib = make(tmp_path / "lib", line("a", "b", "c", start=-200), {"refs/heads/main": "c"})
    app = init(tmp_path / "app")
    git(app, "update-index", "--add", "--cacheinfo", f"160000,{lib['b']},lib")
    git(app, "commit", "-q", "-m", "vendor lib", at=int(at(-150).timestamp()))
    added = git(app, "rev-parse", "HEAD")
    git(app, "update-index", "--force-remove", "lib")
    git(app, "commit", "-q", "-m", "lib goes", at=int(at(-140).timestamp()))
    rows = [ran(-100, "orders", added, "v1"), ran(-50, "orders", git(app, "rev-parse", "HEAD"), "v2")]
    specs = [spec(tmp_path / "app", "app"), source(tmp_path / "deploys.json", "deploys", rows)]
    timeline = resolved([*specs, *([spec(tmp_path / "lib", "lib")] if given else [])])
    assert named(lib, timeline.deploys[0].brought) == ({"b"} if given else set())
    assert not named(lib, timeline.deploys[1].brought)
    new = f"submodule lib is new (at {lib['b'][:7]}), and its history is in no source"
    assert [new in problem.what for problem in timeline.problems if "submodule" in problem.what] == [True] * (not given)


def test_git_is_asked_for_a_range_once_and_not_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing of the library was read, as all of it is older than the window.
    lib = make(tmp_path / "lib", line("a", "b", "c", start=-90_000), {"refs/heads/main": "c"})
    app, heads = init(tmp_path / "app"), []
    for number, name in enumerate("acbc"):
        git(app, "update-index", "--add", "--cacheinfo", f"160000,{lib[name]},lib")
        git(app, "commit", "-q", "-m", f"lib at {name}", at=int(at(-150 + number).timestamp()))
        heads.append(git(app, "rev-parse", "HEAD"))
    rows = [ran(-100 + number, service, head) for number, head in enumerate(heads) for service in ("orders", "mail")]
    specs = [spec(tmp_path / "app", "app"), spec(tmp_path / "lib", "lib")]
    specs.append(source(tmp_path / "deploys.json", "deploys", rows))
    asked: list[tuple[str, str]] = []
    real = Reader.brought

    def counting(reader: Reader, old: str, new: str, limit: int) -> Brought:
        asked.append((old, new))
        return real(reader, old, new, limit)

    monkeypatch.setattr(Reader, "brought", counting)
    whole = resolved(specs)
    assert len(asked) == len(set(asked)) > 0
    assert [named(lib, deploy.brought) for deploy in whole.deploys[2:4]] == [{"b", "c"}] * 2
    asked.clear()
    monkeypatch.setattr(timeline_module, "RANGES_LIMIT", 1)
    assert "was not looked for, as git was asked enough" in told(resolved(specs))
    assert len(asked) == 1


@pytest.mark.parametrize("why", [GitStopped, GitCancelled, GitFailed])
def test_a_history_in_which_git_is_stopped_is_not_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: type[GitFailed]
) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", start=-90_000), {"refs/heads/main": "c"})
    rows = [ran(-100 + number, "orders", ids[name]) for number, name in enumerate("abc")]
    specs = [spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)]
    asked: list[str] = []

    def failing(reader: Reader, old: str, new: str, limit: int) -> Brought:
        asked.append(new)
        raise why("git log did not answer")

    monkeypatch.setattr(Reader, "brought", failing)
    if why is GitCancelled:
        with pytest.raises(GitCancelled):
            resolved(specs)
    else:
        resolved(specs)
    assert len(asked) == (2 if why is GitFailed else 1)


def test_unknown_commits_are_named_and_stepped_over(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c"), {"refs/heads/main": "c"})
    rows = [ran(-250, "orders", ids["a"]), ran(-200, "orders", "f" * 40, "v7"), ran(-100, "orders", ids["c"])]
    timeline = resolved([spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)])
    assert "1 of 3 deploys name no commit that a source knows (orders v7)" in told(timeline)
    last = timeline.deploys[-1]
    assert (named(ids, last.brought), last.certain) == ({"b", "c"}, False), "at most: what v7 held is not known"


def test_a_commit_older_than_what_is_read_is_fetched(tmp_path: Path) -> None:
    days = 24 * 60.0
    history = [*line("a", "b", start=-60 * days), Made("tip", ("b",), {"x.py": b"1\n"}, -10)]
    ids = make(tmp_path / "shop", history, {"refs/heads/main": "tip"})
    rows = [ran(-200, "orders", ids["a"]), ran(-100, "orders", ids["b"])]
    timeline = resolved([spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)])
    first, last = timeline.deploys
    assert (named(ids, first.brought), named(ids, last.brought), last.certain) == ({"a"}, {"b"}, True)
    assert timeline.commits[ids["b"]].committed_at is not None


def test_staging_is_not_production(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c"), {"refs/heads/main": "c"})
    rows = [
        ran(-250, "orders", ids["a"], env="production"),
        ran(-200, "orders", ids["c"], env="staging"),
        ran(-100, "orders", ids["b"], env="production"),
    ]
    path = tmp_path / "deploys.json"
    timeline = resolved([spec(tmp_path / "shop"), source(path, "deploys", rows)])
    assert named(ids, timeline.deploys[2].brought) == {"b"}
    assert ids["c"] not in timeline.carriers
    assert "(staging)" in line_text(deploy_line(timeline.deploys[1], None))
    only = resolved([spec(tmp_path / "shop"), source(path, "deploys", rows[1:2])])
    assert ids["c"] in only.carriers, "where nothing else is on record, that is where it broke"


def test_history_that_was_rewritten_is_read_and_said(tmp_path: Path) -> None:
    history = [*line("a", "b"), Made("lost", ("b",), {"orders/l.py": b"1\n"}, -400), *line("x")]
    ids = make(
        tmp_path / "shop", [*history[:3], Made("new", ("b",), {"n.py": b"1\n"}, -390)], {"refs/heads/main": "new"}
    )
    rows = [ran(-250, "orders", ids["b"]), ran(-100, "orders", ids["lost"][:8])]
    timeline = resolved([spec(tmp_path / "shop"), source(tmp_path / "deploys.json", "deploys", rows)])
    assert named(ids, timeline.deploys[1].brought) == {"lost"}
    assert f"{ids['lost'][:12]} was deployed, and no branch or tag holds it" in told(timeline)


def test_parents_in_a_file_of_commits_tell_too(tmp_path: Path) -> None:
    rows = [
        commit(1, -60, "a", ["a.py"]) | {"parents": []},
        commit(2, -50, "b", ["b.py"]) | {"parents": [{"sha": sha(1)}]},
        commit(3, -55, "side", ["s.py"]) | {"parents": [sha(1)]},
        commit(4, -40, "merge", []) | {"parents": [sha(2), sha(3)]},
    ]
    deploys = [ran(-45, "orders", sha(2)), ran(-30, "orders", sha(4)), ran(-20, "orders", sha(2))]
    specs = [source(tmp_path / "commits.json", "commits", rows), source(tmp_path / "deploys.json", "deploys", deploys)]
    _, merged, back = resolved(specs).deploys
    assert (set(merged.brought), merged.certain) == ({sha(4), sha(3)}, True)
    assert (back.brought, set(back.removed)) == ((), {sha(4), sha(3)})


def test_times_alone_give_an_upper_bound_and_a_way_back(tmp_path: Path) -> None:
    rows = [commit(n, -60 + n, f"c{n}", [f"{n}.py"]) for n in range(1, 6)]
    deploys = [
        ran(-50, "orders", sha(2)),
        ran(-40, "orders", sha(5)),
        ran(-30, "orders", sha(3)),
        ran(-20, "orders", sha(3)),
    ]
    specs = [source(tmp_path / "commits.json", "commits", rows), source(tmp_path / "deploys.json", "deploys", deploys)]
    _, forth, back, again = resolved(specs).deploys
    assert (forth.brought, forth.certain) == ((sha(5), sha(4), sha(3)), False)
    assert (back.brought, back.removed) == ((), (sha(5), sha(4)))
    assert (again.brought, again.removed) == ((), ())


def test_the_same_record_twice_is_one_deploy(tmp_path: Path) -> None:
    row = ran(-50, "orders", sha(2), "v2")
    catalogue = ChangeCatalogue([source(tmp_path / "deploys.json", "deploys", [row, row, {**row, "actor": "ada"}])])
    assert len(catalogue.deploys) == 2
    (coverage,) = catalogue.coverage()
    assert coverage.dropped == 1
    assert "record 2: the same deploy a second time" in coverage.problems[0].line()


def test_ancestry_from_parents_is_what_git_says(tmp_path: Path) -> None:
    chosen = random.Random(5)
    history = [Made("0", (), {"f": b"0"}, -400)]
    for number in range(1, 40):
        parents = {str(number - chosen.randrange(1, min(number, 6) + 1)) for _ in range(chosen.choice((1, 1, 2)))}
        history.append(Made(str(number), tuple(parents), {f"f{number}": b"1"}, -400 + number // 2))
    ids = make(tmp_path / "net", history, {f"refs/heads/b{n}": str(n) for n in range(40)} | {"refs/heads/main": "39"})
    reader = Reader(IsolatedStore.open(tmp_path / "net", tmp_path / "store"))
    commits = {c.sha: commit_of("r", c) for c in reader.log(LogQuery(tuple(ids.values())))}
    asked = 0
    for _ in range(25):
        one, other = (ids[str(chosen.randrange(40))] for _ in range(2))
        found, truth = between(commits, one, other), reader.brought(one, other)
        assert found is not None
        assert set(found.added) == {c.sha for c in truth.added}
        assert set(found.removed) == {c.sha for c in truth.removed}
        asked += 1
    assert asked == 25


def test_unknown_parents_and_wrong_dates_are_left_to_git(tmp_path: Path) -> None:
    ids = make(tmp_path / "shop", line("a", "b", "c", "d"), {"refs/heads/main": "d"})
    reader = Reader(IsolatedStore.open(tmp_path / "shop", tmp_path / "store"))
    commits = {c.sha: commit_of("r", c) for c in reader.log(LogQuery((ids["d"],)))}
    assert between(commits, ids["a"], ids["d"]) is not None
    late = commits[ids["b"]]
    assert late.committed_at is not None
    late.committed_at += timedelta(days=1)
    assert between(commits, ids["a"], ids["d"]) is None
    del commits[ids["b"]]
    assert between(commits, ids["a"], ids["d"]) is None
    assert between(commits, "f" * 40, ids["d"]) is None


def test_deploys_of_the_future_are_said(tmp_path: Path) -> None:
    rows = [commit(1, -60, "a", ["a.py"]), commit(2, -50, "b", ["b.py"])]
    deploys = [ran(-45, "orders", sha(1), "v1"), ran(60 * 24 * 365 * 40, "orders", sha(2), "v2")]
    specs = [source(tmp_path / "commits.json", "commits", rows), source(tmp_path / "deploys.json", "deploys", deploys)]
    tools, asked = ChangeTools(ChangeCatalogue(specs)), context()
    said = tools.timeline(TimelineParams(), asked).need().problems
    assert [problem.what for problem in said] == [
        "1 deploy dated in the future (orders v2): planned, or a clock is ahead"
    ]
    result = tools.suspects(SuspectsParams(onset=stamp(0)), context(errors("orders", "fails"))).need()
    assert said[0] in result.problems
    assert [item.ruled_out != "" for item in result.suspects if item.key == sha(2)] == [True]
