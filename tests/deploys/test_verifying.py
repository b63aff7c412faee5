"""What the deploys resolver says of claims: moments, lead times and deployed commits from the records; names; time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.contract import Fact, ServiceInfo, SourceSpec, ToolError
from subagents.deploys.agent import build
from subagents.deploys.reporting import DEPLOYED_NOW
from subagents.verifying import NameKind, Recomputed, Verifier
from tests.deploys.builders import NOON, at, brief, commit, deploy, errors, sha, source, stamp, symptom
from tests.deploys.test_procedure import case
from tests.deploys.test_suspects import POOL, POOL_SYMPTOM
from tests.fakes import run_procedure
from tests.gitstore.repos import commit as git_commit
from tests.gitstore.repos import git, init

BASE = int(NOON.timestamp())


def verifier(specs: Sequence[SourceSpec], services: Sequence[ServiceInfo] = ()) -> Verifier:
    resolver: object = build(specs, services).resolver
    assert isinstance(resolver, Verifier)
    return resolver


def fact(quantity: str, citation: str) -> Fact:
    return Fact(quantity=quantity, value=0, citation=citation)


def repo(folder: Path, name: str, files: Sequence[str]) -> tuple[SourceSpec, list[str]]:
    """Make a repository with one commit per file, a minute apart from an hour before noon on."""
    where = init(folder / name)
    ids = [git_commit(where, {path: f"{name}\n"}, path, BASE - 3600 + 60 * row) for row, path in enumerate(files)]
    options = {"store": str(folder / f"{name}.git")}
    return SourceSpec(id=name, kind="repo", path=str(where), origin=name, options=options), ids


@pytest.fixture
def both(tmp_path: Path) -> tuple[list[SourceSpec], dict[str, list[str]]]:
    """Two repositories, and deploys that name commits by id, by its first digits and by tag."""
    shop, shop_ids = repo(tmp_path, "shop", ["a.py", "orders/b.py"])
    mail, mail_ids = repo(tmp_path, "mail", ["m.py"])
    git(Path(mail.path), "tag", "v9", mail_ids[0])
    deploys = [
        {"ts": stamp(-50), "service": "orders", "commit": shop_ids[0]},
        {"ts": stamp(-40), "service": "orders", "commit": shop_ids[1][:9], "id": "d-7"},
        {"ts": stamp(-30), "service": "mail", "version": "v9"},
        {"service": "mail", "version": "v10"},
    ]
    return [shop, mail, source(tmp_path / "deploys.json", "deploys", deploys)], {"shop": shop_ids, "mail": mail_ids}


async def test_every_fact_of_every_finding_holds(tmp_path: Path) -> None:
    specs = case(tmp_path)
    bench, _ = await run_procedure(build(specs), brief(specs), POOL_SYMPTOM)
    known, held = verifier(specs), list(bench.board())
    facts = [fact for finding in bench.reported for fact in finding.facts]
    assert {each.quantity for each in facts} == {
        q.LEAD_TIME, q.DEPLOYED_AT, q.COMMITTED_AT, q.SCORE, q.RANK, DEPLOYED_NOW
    }  # fmt: skip
    for each in facts:
        found = known.recompute(each, held)
        if each.quantity in (q.SCORE, q.RANK):
            assert found is None, "a method's judgement is no fact of the sources"
        else:
            assert found == Recomputed(value=each.value, unit=each.unit), each


def test_moments_are_those_of_the_cited_record(both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    specs, ids = both
    known = verifier(specs)
    assert known.recompute(fact(q.DEPLOYED_AT, "deploy:deploys#1")) == Recomputed(value=stamp(-50))
    assert known.recompute(fact(q.DEPLOYED_AT, "deploy:deploys#d-7")) == Recomputed(value=stamp(-40))
    assert known.recompute(fact(q.COMMITTED_AT, f"commit:shop/{ids['shop'][1]}")) == Recomputed(value=stamp(-59))
    assert known.recompute(fact(q.COMMITTED_AT, f"commit:mail/{ids['mail'][0]}#m.py:1")) == Recomputed(value=stamp(-60))


def test_the_deployed_commit_is_found_by_id_by_its_first_digits_and_by_tag(
    both: tuple[list[SourceSpec], dict[str, list[str]]],
) -> None:
    specs, ids = both
    known = verifier(specs)
    named = [known.recompute(fact(DEPLOYED_NOW, f"deploy:deploys#{record}")) for record in ("1", "d-7", "3")]
    assert named == [Recomputed(value=each) for each in (*ids["shop"], *ids["mail"])]
    with pytest.raises(ToolError, match="no commit that a source knows"):
        known.recompute(fact(DEPLOYED_NOW, "deploy:deploys#4"))


def test_a_lead_time_is_up_to_the_onset_that_the_board_states(tmp_path: Path) -> None:
    known = verifier(case(tmp_path))
    lead = fact(q.LEAD_TIME, "deploy:deploys#1")
    assert known.recompute(lead) is None
    assert known.recompute(lead, [symptom("orders", "slow", 3)]) == Recomputed(value=3180.0, unit="s")
    later = symptom("orders", "slower", 30).model_copy(update={"topic": "onset"})
    own = symptom("orders", "mine", -40).model_copy(update={"agent": "deploys"})
    board = [own, errors("orders", "loud", 1), later, symptom("orders", "slow", 3)]
    assert known.recompute(lead, board) == Recomputed(value=3180.0, unit="s")
    landed = known.recompute(fact(q.LEAD_TIME, f"commit:commits/{sha(1)}"), board)
    assert landed == Recomputed(value=3780.0, unit="s")
    late = known.recompute(fact(q.LEAD_TIME, "flag:flags#1"), board)
    assert late == Recomputed(value=-540.0, unit="s")


def test_a_commit_of_another_repository_is_refused(both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    specs, ids = both
    with pytest.raises(ToolError, match="no source knows"):
        verifier(specs).recompute(fact(q.COMMITTED_AT, f"commit:mail/{ids['shop'][0]}"))


def test_a_line_that_a_file_does_not_have_is_refused(both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    specs, ids = both
    resolver = build(specs).resolver
    assert resolver is not None
    place = f"commit:shop/{ids['shop'][0]}#a.py"
    assert resolver.resolve(f"{place}:1").excerpt
    with pytest.raises(ToolError, match=r"a\.py has \d+ lines there"):
        resolver.resolve(f"{place}:9999")


@pytest.mark.parametrize(
    ("quantity", "citation", "told"),
    [
        (q.DEPLOYED_AT, f"commit:commits/{sha(1)}", "not a commit"),
        (q.COMMITTED_AT, "deploy:deploys#1", "cites a commit"),
        (q.DEPLOYED_AT, "deploy:deploys#99", "no deploy '99'"),
        (q.DEPLOYED_AT, "deploy:other#1", "no deploy '1'"),
        (q.DEPLOYED_AT, "flag:flags#9", "no flag '9'"),
        (q.COMMITTED_AT, f"commit:commits/{'f' * 40}", "no source knows"),
        (q.COMMITTED_AT, f"commit:deploys/{sha(1)}", "no source knows"),
        (q.LEAD_TIME, "log:app.log@0+1", "not a change"),
        (DEPLOYED_NOW, "flag:flags#1", "cites a deploy"),
        (q.ONSET, "deploy:deploys#1", "cites a metric series"),
        (q.LEVEL_AFTER, "deploy:deploys#1", "cites a metric series"),
        (q.COUNT, "deploy:deploys#1", "cites log lines"),
    ],
)
def test_what_the_record_does_not_hold_is_refused(tmp_path: Path, quantity: str, citation: str, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        verifier(case(tmp_path)).recompute(fact(quantity, citation), [symptom("orders", "slow")])


def test_a_record_without_a_time_has_no_moment(both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    with pytest.raises(ToolError, match="does not say when"):
        verifier(both[0]).recompute(fact(q.DEPLOYED_AT, "deploy:deploys#4"))


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    spec = source(tmp_path / "deploys.json", "deploys", [deploy(1, -50, "orders")])
    known = verifier([spec])
    assert known.recompute(fact(q.DEPLOYED_AT, "deploy:deploys#1")) == Recomputed(value=stamp(-50))
    source(tmp_path / "deploys.json", "deploys", [deploy(1, -5, "orders")])
    os.utime(spec.path, (BASE, BASE))
    assert known.recompute(fact(q.DEPLOYED_AT, "deploy:deploys#1")) == Recomputed(value=stamp(-5))


def test_commits_are_known_by_id_in_any_repository_or_in_the_one_named(
    both: tuple[list[SourceSpec], dict[str, list[str]]],
) -> None:
    specs, ids = both
    known = verifier(specs)
    mine = ids["shop"][1]
    for name in (mine, mine[:7], mine.upper(), f"commit:shop/{mine}", f"commit:shop/{mine[:12]}#orders/b.py:1"):
        assert known.has("commit", name) is True, name
    for name in (
        "f" * 40,
        mine[:6],
        f"commit:mail/{mine}",
        f"commit:nowhere/{mine}",
        "commit:",
        "deploy:deploys#1",
        "",
    ):
        assert known.has("commit", name) is False, name


@pytest.mark.parametrize(
    ("kind", "name", "found"),
    [
        ("commit", sha(2), True),
        ("commit", f"commit:commits/{sha(2)}", True),
        ("commit", f"commit:deploys/{sha(2)}", False),
        ("commit", sha(9), False),
        ("deploy", "2", True),
        ("deploy", "deploy:deploys#2", True),
        ("deploy", "v3", True),
        ("deploy", "deploy:other#2", False),
        ("deploy", "v4", False),
        ("flag", "late_flag", True),
        ("flag", "flag:flags#1", True),
        ("flag", "early_flag", False),
        ("service", "orders", True),
        ("service", "billing", True),
        ("service", "order", False),
        ("path", "orders/db.py", True),
        ("path", "orders/other.py", False),
        ("host", "orders", None),
        ("metric", "orders", None),
    ],
)
def test_names_of_files(tmp_path: Path, kind: NameKind, name: str, found: bool | None) -> None:
    assert verifier(case(tmp_path), [ServiceInfo(name="billing")]).has(kind, name) is found


def test_paths_of_a_repository_are_those_it_has_or_had(both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    specs, _ = both
    gone = Path(specs[0].path)
    git(gone, "rm", "-q", "a.py")
    git(gone, "commit", "-q", "-m", "gone")
    known = verifier(specs)
    assert [known.has("path", name) for name in ("orders/b.py", "a.py", "m.py")] == [True, True, True]
    assert [known.has("path", name) for name in ("c.py", "../a.py", "--output=x", "")] == [False] * 4


def test_names_of_kinds_that_no_source_holds_are_open(tmp_path: Path) -> None:
    kinds: tuple[NameKind, ...] = ("commit", "deploy", "flag", "service", "path")
    assert [verifier([]).has(kind, "x") for kind in kinds] == [None] * 5
    deploys = verifier([source(tmp_path / "deploys.json", "deploys", [deploy(1, -50, "orders")])])
    assert deploys.has("commit", sha(1)) is True
    assert deploys.has("commit", sha(2)) is None, "deploys name only some of the commits that there are"
    assert deploys.has("path", "a.py") is None


def test_the_time_covered(tmp_path: Path, both: tuple[list[SourceSpec], dict[str, list[str]]]) -> None:
    span = verifier(both[0]).span()
    assert span is not None
    assert (span.start, span.end) == (at(-60), at(-30) + timedelta(microseconds=1))
    one = verifier([source(tmp_path / "c.json", "commits", [commit(1, -60, "tidy", ["a.py"], POOL)])]).span()
    assert one is not None
    assert one.holds(at(-60))
    assert one.seconds < 1
    assert verifier([]).span() is None
