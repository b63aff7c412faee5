"""The ranking on histories that the tests make: innocent-looking culprits, guilty-looking decoys, and no culprit."""

from __future__ import annotations

from pathlib import Path

from subagents.contract import Finding, ServiceInfo, SourceSpec, Suspect
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import ScoredSuspect, SuspectsParams, SuspectsResult
from subagents.deploys.overlap import SymptomTerms
from subagents.deploys.tools import build_tools
from tests.deploys.builders import at, commit, context, deploy, errors, sha, source, stamp, symptom
from tests.gitstore.repos import commit as git_commit
from tests.gitstore.repos import init

POOL = (
    "--- a/orders/db.py\n+++ b/orders/db.py\n@@ -3,3 +3,3 @@ def engine():\n-    pool_size = 40,\n+    pool_size = 4,\n"
)
COMMENTS = (
    "--- a/orders/db.py\n+++ b/orders/db.py\n@@ -9,1 +9,1 @@\n"
    "-# pool exhausted? raise pool_size\n+# pool_size is set above\n"
)
LOOP = (
    "--- a/orders/view.py\n+++ b/orders/view.py\n@@ -3,3 +3,5 @@ def listing():\n     for order in orders:\n"
    "+        order.owner = repo.load_owner(order.owner_id)\n         yield order\n"
)
BIG = "--- a/orders/report.py\n+++ b/orders/report.py\n@@ -0,0 +1,900 @@\n" + "\n".join(
    f"+    a{n} = b{n}" for n in range(900)
)
RESTYLE = "--- a/web/app.css\n+++ b/web/app.css\n@@ -1 +1 @@\n-a { top: 1px }\n+a { top: 2px }\n"


def rank(
    specs: list[SourceSpec], *findings: Finding, services: tuple[ServiceInfo, ...] = (), text: str = ""
) -> SuspectsResult:
    """Ask the tool, as the procedure does."""
    tools = {tool.name: tool for tool in build_tools(ChangeCatalogue(specs, services), specs)}
    params = SuspectsParams(start=stamp(-240), end=stamp(60), text=text, limit=200)
    result = tools["deploys_suspects"].run(params, context(*findings))
    assert isinstance(result.data, SuspectsResult)
    refs = {part.citation for item in result.data.suspects[:5] for part in item.parts if part.citation}
    assert refs <= {found.ref for found in result.citations}
    return result.data


def named(result: SuspectsResult, number: int) -> ScoredSuspect:
    return next(item for item in result.suspects if item.key == sha(number))


def sources(tmp_path: Path, commits: list[dict[str, object]], deploys: list[dict[str, object]]) -> list[SourceSpec]:
    return [
        source(tmp_path / "commits.json", "commits", commits),
        source(tmp_path / "deploys.json", "deploys", deploys),
    ]


POOL_SYMPTOM = (
    symptom("orders", "p99 latency of orders rose", 0, ("db_pool_wait_ms",)),
    errors("orders", "TimeoutError: connection pool exhausted, pool_size reached", 1, ("pool_size",)),
)


def test_the_quiet_culprit_beats_latest_largest_and_best_worded(tmp_path: Path) -> None:
    commits = [
        commit(1, -60, "chore: tidy engine defaults", ["orders/db.py"], POOL),
        commit(2, -30, "fix connection pool exhausted: pool_size timeout", ["orders/db.py"], COMMENTS),
        commit(3, -20, "orders: new report", ["orders/report.py"], BIG),
        commit(4, -5, "web: restyle", ["web/app.css"], RESTYLE),
    ]
    deploys = [deploy(1, -50, "orders"), deploy(2, -25, "orders"), deploy(3, -15, "orders"), deploy(4, -2, "orders")]
    result = rank(sources(tmp_path, commits, deploys), *POOL_SYMPTOM)
    best = result.suspects[0]
    assert best.key == sha(1)
    assert best.score > 0.6
    assert best.lead_s == 50 * 60
    assert (best.version, best.service) == ("v1", "orders")
    kind = next(part for part in best.parts if part.name == "kind")
    assert "lowered: 40 -> 4" in kind.reason
    assert kind.citation == f"commit:commits/{sha(1)}#orders/db.py:3"
    assert named(result, 2).ruled_out == "only comments change"
    assert named(result, 4).ruled_out == "only styles or images change"
    assert named(result, 3).score < best.score / 3


def test_parts_add_up_to_the_score(tmp_path: Path) -> None:
    import math

    result = rank(
        sources(tmp_path, [commit(1, -60, "x", ["orders/db.py"], POOL)], [deploy(1, -50, "orders")]), *POOL_SYMPTOM
    )
    item = result.suspects[0]
    points = sum(part.points for part in item.parts) - 4.4
    assert abs(item.score - 1 / (1 + math.exp(-points))) < 0.01


def test_nothing_explains_it_when_the_diffs_do_not_lead_there(tmp_path: Path) -> None:
    commits = [
        commit(
            1,
            -60,
            "orders: add column label",
            ["orders/label.py"],
            "--- a/orders/label.py\n+++ b/orders/label.py\n@@ -1 +1,2 @@\n a\n+b = 1\n",
        ),
        commit(2, -30, "docs", ["docs/pool.md"], None),
        commit(3, -40, "web: restyle", ["web/app.css"], RESTYLE),
    ]
    specs = sources(tmp_path, commits, [deploy(1, -50, "orders"), deploy(3, -35, "web")])
    provider = (
        symptom("orders", "5xx of orders rose", 0),
        errors("orders", "POST https://api.provider.example/v1/charge returned 503", 1, ("api.provider.example",)),
    )
    assert rank(specs, *provider).suspects[0].score < 0.35


def test_what_took_effect_after_the_onset_is_ruled_out_and_slack_is_not(tmp_path: Path) -> None:
    commits = [commit(n, landed, "tidy", ["orders/db.py"], POOL) for n, landed in ((2, -90), (1, -50), (3, -40))]
    deploys = [deploy(1, 20, "orders"), deploy(2, 1, "orders"), deploy(3, 30, "orders")]
    deploys[2]["status"] = "failed"
    result = rank(sources(tmp_path, commits, deploys), *POOL_SYMPTOM)
    assert "after the onset" in named(result, 1).ruled_out
    assert named(result, 1).score <= 0.02
    assert named(result, 2).ruled_out == ""
    assert result.suspects[0].key == sha(2)


def test_a_deploy_brings_what_landed_since_the_one_before(tmp_path: Path) -> None:
    commits = [
        commit(1, -200, "old", ["orders/a.py"], POOL),
        commit(2, -60, "tidy", ["orders/db.py"], POOL),
        commit(3, -50, "head", ["orders/x.py"], COMMENTS.replace("db.py", "x.py")),
        commit(4, -45, "later", ["orders/db.py"], POOL),
    ]
    result = rank(sources(tmp_path, commits, [deploy(1, -190, "orders"), deploy(3, -40, "orders")]), *POOL_SYMPTOM)
    best = result.suspects[0]
    assert (best.key, best.version, best.previous_version, best.previous_commit) == (sha(2), "v3", "v1", sha(1))
    later = next(part for part in named(result, 4).parts if part.name == "time")
    assert "no deploy carried it" in later.reason
    assert named(result, 4).score < best.score


def test_shared_code_and_callees_reach_and_strangers_do_not(tmp_path: Path) -> None:
    shared = POOL.replace("orders/db.py", "pkg/db/pool.py")
    commits = [
        commit(1, -60, "pool defaults", ["pkg/db/pool.py"], shared),
        commit(2, -60, "tidy", ["mail/db.py"], POOL.replace("orders", "mail")),
        commit(3, -60, "tidy", ["stock/db.py"], POOL.replace("orders", "stock")),
    ]
    deploys = [deploy(1, -50, "orders"), deploy(2, -50, "mail"), deploy(3, -50, "stock")]
    services = (ServiceInfo(name="orders", depends_on=("stock",)), ServiceInfo(name="mail"), ServiceInfo(name="stock"))
    result = rank(sources(tmp_path, commits, deploys), *POOL_SYMPTOM, services=services)
    assert [item.key for item in result.suspects] == [sha(1), sha(3), sha(2)]
    assert "cannot reach what failed" in named(result, 2).ruled_out
    assert "which orders calls" in next(p.reason for p in named(result, 3).parts if p.name == "reach")


def test_a_flag_flip_is_a_change_too(tmp_path: Path) -> None:
    flags = [
        {"ts": stamp(-3), "flag": "pool_size_v2", "service": "orders", "change": "off->on"},
        {"ts": stamp(10), "flag": "late", "service": "orders", "change": "off->on"},
        {"ts": stamp(-3), "flag": "banner", "service": "web", "change": "off->on"},
    ]
    specs = [source(tmp_path / "flags.json", "flags", flags)]
    result = rank(specs, *POOL_SYMPTOM)
    assert [item.key for item in result.suspects] == ["pool_size_v2", "banner", "late"]
    assert result.suspects[0].score > 3 * result.suspects[1].score
    assert "changed 10 min after the onset" in result.suspects[2].ruled_out
    assert result.suspects[0].ref == "flag:flags#1"


def test_no_diff_is_said_and_is_not_innocence(tmp_path: Path) -> None:
    commits = [commit(1, -60, "tidy pool_size", ["orders/db.py"]), commit(2, -60, "tests", ["tests/test_db.py"])]
    result = rank(sources(tmp_path, commits, [deploy(1, -50, "orders")]), *POOL_SYMPTOM)
    best = result.suspects[0]
    assert (best.key, best.diff, best.ruled_out) == (sha(1), "none available", "")
    assert "cannot be seen" in next(p.reason for p in best.parts if p.name == "kind")
    assert named(result, 2).ruled_out == "only tests change (by its paths)"


def test_what_was_undone_before_the_onset_did_not_do_it(tmp_path: Path) -> None:
    commits = [
        commit(1, -100, "lower the pool", ["orders/db.py"], POOL),
        commit(2, -90, 'Revert "lower the pool"', ["orders/db.py"], None),
        commit(3, -80, "a loop", ["orders/view.py"], LOOP),
        commit(4, 20, 'Revert "a loop"', ["orders/view.py"], None),
    ]
    result = rank(sources(tmp_path, commits, []), *POOL_SYMPTOM)
    undone = {item.key: part for item in result.suspects for part in item.parts if part.name == "undone"}
    assert undone[sha(1)].points < 0 < undone[sha(3)].points
    assert result.suspects[0].key == sha(3)


def test_shared_words_are_told_whole_and_not_by_their_stems() -> None:
    terms = SymptomTerms()
    terms.add("the provider answered late and PoolTimeout: retries are refused; a retry follows", 0.5)
    assert {"answer", "refus", "retry"} <= set(terms.weights)
    assert terms.words(("answer", "refus", "retry", "retry", "pooltimeout", "x")) == (
        "answered, refused, retries, pooltimeout, x"
    )


def test_rivals_share_the_blame(tmp_path: Path) -> None:
    alone = sources(tmp_path, [commit(1, -60, "x", ["orders/db.py"], POOL)], [deploy(1, -50, "orders")])
    sure = rank(alone, *POOL_SYMPTOM).suspects[0].score
    twins = [commit(n, -60 + n, "x", ["orders/db.py"], POOL) for n in (1, 2)]
    shared = rank(sources(tmp_path, twins, [deploy(1, -50, "orders"), deploy(2, -49, "orders")]), *POOL_SYMPTOM)
    assert sure > 0.8
    assert shared.suspects[0].score < 0.6
    assert "another change was possible, too" in shared.suspects[0].reasons() + shared.suspects[0].parts[-1].reason


def test_unknown_onset_services_and_empty_sources_still_answer(tmp_path: Path) -> None:
    commits = [commit(1, -60, "x", ["orders/db.py"], POOL)]
    commits[0].pop("timestamp")
    result = rank(sources(tmp_path, commits, []), text="the pool is exhausted")
    assert result.onset is None
    assert 0 < result.suspects[0].score < 0.5
    assert rank([source(tmp_path / "deploys.json", "deploys", [])]).suspects == ()


def test_a_commit_of_very_many_files_is_scored_without_its_diff(tmp_path: Path) -> None:
    repo = init(tmp_path / "repo")
    first = git_commit(repo, {"orders/db.py": "pool_size = 40\n"}, "start", int(at(-600).timestamp()))
    many: dict[str, str | bytes | None] = {f"vendor/lib{n % 7}/f{n}.py": f"x = {n}\n" for n in range(2100)}
    huge = git_commit(repo, many, "vendor pool_size things", int(at(-60).timestamp()))
    guilty = git_commit(repo, {"orders/db.py": "pool_size = 4\n"}, "tidy", int(at(-50).timestamp()))
    spec = SourceSpec(id="repo", kind="repo", path=str(repo), options={"store": str(tmp_path / "store")})
    result = rank([spec], *POOL_SYMPTOM)
    by_key = {item.key: item for item in result.suspects}
    assert result.suspects[0].key == guilty
    assert by_key[huge].diff == "none available"
    assert any("2100 files: too many to read its diff" in part.reason for part in by_key[huge].parts)
    assert by_key[first].score < 0.3


def test_a_patch_of_very_many_lines_is_read_in_part(tmp_path: Path) -> None:
    lines = "\n".join(f"-a{n} = f({n})\n+b{n} = g({n})" for n in range(30_000))
    long = "--- a/orders/x.py\n+++ b/orders/x.py\n@@ -1 +1 @@\n" + lines
    result = rank(sources(tmp_path, [commit(1, -60, "long", ["orders/x.py"], long)], []), *POOL_SYMPTOM)
    assert result.suspects[0].diff == "read"


def filling(minutes: float) -> Finding:
    resource = Suspect(kind="resource", key="orders/slots_in_use", label="orders slots_in_use")
    return Finding(
        agent="metrics", claim="orders slots_in_use rose", topic="onset", about=resource, stance="for",
        services=("orders",), at=at(minutes),
    )  # fmt: skip


def test_what_began_before_a_change_was_not_set_off_by_it(tmp_path: Path) -> None:
    commits = [commit(1, -60, "tidy", ["orders/db.py"], POOL), commit(2, -8, "more", ["orders/pool.py"], POOL)]
    given = sources(tmp_path, commits, [deploy(1, -40, "orders"), deploy(2, -5, "orders")])
    plain = rank(given, *POOL_SYMPTOM)
    led = rank(given, *POOL_SYMPTOM, filling(-38))
    assert not any(part.name == "lead-in" for item in plain.suspects for part in item.parts)
    before, after = (next(p for p in named(led, n).parts if p.name == "lead-in") for n in (1, 2))
    assert before.points > 0 > after.points
    assert "began to move 2 min after it took effect" in before.reason
    assert "had begun to move 33 min before it took effect" in after.reason
    assert led.suspects[0].key == sha(1)


def test_a_resource_that_moved_with_the_symptom_leads_nowhere(tmp_path: Path) -> None:
    commits = [commit(1, -60, "tidy", ["orders/db.py"], POOL)]
    ranked = rank(sources(tmp_path, commits, [deploy(1, -40, "orders")]), *POOL_SYMPTOM, filling(-1))
    assert not any(part.name == "lead-in" for item in ranked.suspects for part in item.parts)


NEW_SQL = "--- a/orders/view.py\n+++ b/orders/view.py\n@@ -3,3 +3,4 @@\n+    return run('SELECT a FROM wish_lists')\n"


def test_a_table_that_no_error_names_weighs_less(tmp_path: Path) -> None:
    given = sources(tmp_path, [commit(1, -60, "wishes", ["orders/view.py"], NEW_SQL)], [deploy(1, -40, "orders")])
    named_in_errors = errors("orders", "OperationalError: no such table: wish_lists", 1)
    quiet, told = (rank(given, POOL_SYMPTOM[0], found).suspects[0] for found in (POOL_SYMPTOM[1], named_in_errors))
    kinds = [next(part for part in item.parts if part.name == "kind") for item in (quiet, told)]
    assert kinds[0].points < kinds[1].points
    assert "no error names a table" in kinds[0].reason
