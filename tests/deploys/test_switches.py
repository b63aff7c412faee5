"""Flags and settings that were switched, and whether the symptom followed: on before the onset, back after it."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents import quantities
from subagents.contract import Fact, Finding, SourceSpec
from subagents.deploys import restoring
from subagents.deploys.catalogue import ChangeCatalogue
from subagents.deploys.model import ScoredSuspect, SuspectsParams, SuspectsResult
from subagents.deploys.reporting import citations_of, facts_of
from subagents.deploys.resolver import ChangeResolver
from subagents.deploys.restoring import Sides, restores, sides_of
from subagents.deploys.sources.records import Commit, FlagChange
from subagents.deploys.switches import switches, undoes
from subagents.deploys.tools import ChangeTools
from tests.deploys.builders import at, commit, context, deploy, sha, source, stamp, symptom


def flag(minutes: float, change: str, name: str = "new_path", service: str = "orders") -> dict[str, str]:
    return {"ts": stamp(minutes), "flag": name, "service": service, "change": change}


def measured(ended: float | None, until: float = 90) -> Finding:
    """Return the symptom of orders, from noon on: over from `ended` on, or seen to go on to `until`."""
    found = symptom("orders", "orders errors rose")
    span = f"metric:m/orders/x@{stamp(-60)[:19]}Z..{stamp(until)[:19]}Z"
    if ended is None:
        more = Fact(quantity=quantities.LATEST, value=0.3, unit="", citation=span)
    else:
        more = Fact(quantity=quantities.ENDED, value=stamp(ended), citation=span)
    return found.model_copy(update={"facts": (*found.facts, more)})


def rank(specs: list[SourceSpec], *findings: Finding) -> SuspectsResult:
    asked = SuspectsParams(start=stamp(-300), end=stamp(120), onset=stamp(0))
    return ChangeTools(ChangeCatalogue(specs)).suspects(asked, context(*findings)).need()


def points(item: ScoredSuspect, name: str) -> float:
    return sum(part.points for part in item.parts if part.name == name)


ON, BACK = flag(-4, "off->on"), flag(40, "on->off")


@pytest.mark.parametrize(
    ("flags", "ended", "sign", "said"),
    [
        ([ON, BACK], 43, 1, "was switched back (on->off) at 12:40, and from 12:43 on the symptom is over"),
        ([ON, BACK], 85, -1, "at 12:40, and the symptom went on until 13:25"),
        ([ON, BACK], None, -1, "at 12:40, and at 13:30 the symptom goes on"),
        ([ON, BACK], 20, 0, ""),
        ([ON], 43, 0, ""),
        ([ON, flag(70, "on->off")], None, 0, ""),
        ([flag(-4, "10->50"), flag(40, "50->90")], 43, 0, ""),
        ([flag(-4, "10->50"), flag(40, "50->10")], 43, 1, "was switched back (50->10)"),
    ],
)
def test_a_flag_that_is_switched_back_is_tested_by_what_follows(
    tmp_path: Path, flags: list[dict[str, str]], ended: float | None, sign: int, said: str
) -> None:
    specs = [source(tmp_path / "flags.json", "flags", flags)]
    result = rank(specs, measured(ended))
    (item,) = result.suspects
    ending = points(item, "ending")
    assert (ending > 0) - (ending < 0) == sign
    assert said in item.reasons()
    assert (item.ref, item.ruled_out) == ("flag:flags#1", "")
    if sign > 0:
        assert item.score > 0.5, "what follows it both ways explains it"
    if sign:
        assert "flag:flags#2" in citations_of(item)


def test_every_fact_of_a_switch_is_recomputed_from_what_it_cites(tmp_path: Path) -> None:
    specs = [source(tmp_path / "flags.json", "flags", [ON, BACK])]
    found = measured(43)
    (item,) = rank(specs, found).suspects
    resolver = ChangeResolver(ChangeCatalogue(specs))
    moments = [fact for fact in facts_of(item) if fact.quantity == quantities.DEPLOYED_AT]
    assert [fact.citation for fact in moments] == ["flag:flags#1", "flag:flags#2"]
    for fact in moments:
        recomputed = resolver.recompute(fact, (found,))
        assert recomputed is not None
        assert recomputed.value == fact.value
    assert quantities.ENDED in {fact.quantity for fact in facts_of(item)}


def test_a_flag_switched_before_the_onset_is_a_suspect_like_a_deploy(tmp_path: Path) -> None:
    changes = [commit(1, -9, "work", ["orders/a.py"])]
    specs = [
        source(tmp_path / "flags.json", "flags", [ON, flag(-4, "off->on", "banner", "web")]),
        source(tmp_path / "commits.json", "commits", changes),
        source(tmp_path / "deploys.json", "deploys", [deploy(1, -4, "orders")]),
    ]
    found = {item.key: item for item in rank(specs, measured(None)).suspects}
    assert points(found["new_path"], "time") == pytest.approx(points(found[sha(1)], "time"))
    assert found["new_path"].score > found["banner"].score


@pytest.mark.parametrize(("service", "said"), [("orders", "which failed"), ("web", "which did not fail")])
def test_who_reads_a_flag_is_told_with_whether_it_failed(tmp_path: Path, service: str, said: str) -> None:
    given = [source(tmp_path / "flags.json", "flags", [flag(-4, "off->on", service=service)])]
    (item,) = rank(given, measured(None)).suspects
    assert f"{service}, {said}, reads it" in [part.reason for part in item.parts if part.name == "reach"]


def test_of_one_flag_only_the_last_change_by_the_onset_is_suspected(tmp_path: Path) -> None:
    rows = [flag(-90, "off->on"), flag(-30, "on->off"), flag(-3, "off->on"), flag(40, "on->off"), flag(60, "off->on")]
    (item,) = rank([source(tmp_path / "flags.json", "flags", rows)], measured(43)).suspects
    assert (item.ref, round(item.lead_s or 0)) == ("flag:flags#3", 180)
    (settled,) = rank([source(tmp_path / "two.json", "flags", rows[:2])], measured(43)).suspects
    assert settled.ref == "flag:two#2"
    assert points(settled, "undone") < 0, "since then it is as it was before"
    (late,) = rank([source(tmp_path / "late.json", "flags", rows[3:])], measured(43)).suspects
    assert "changed 40 min after the onset" in late.ruled_out


def test_one_name_in_two_services_is_two_flags_and_no_time_is_no_order() -> None:
    one = FlagChange("f", "1", at(-5), "x", "orders", "off->on")
    other = FlagChange("f", "2", at(20), "x", "mail", "on->off")
    undated = FlagChange("f", "3", None, "x", "orders", "on->off")
    found = switches([one, other, undated], at(0))
    assert [(each.change.id, each.back) for each in found] == [("3", None), ("1", None), ("2", None)]
    assert switches([one], None)[0].change is one


@pytest.mark.parametrize(
    ("earlier", "later", "undone"),
    [
        ("off->on", "on->off", True),
        ("false => true", "disabled", True),
        ("enabled", "disabled", True),
        ("enabled", "enabled", False),
        ("0%->50%", "50%->0%", True),
        ("0%->50%", "50%->100%", False),
        ("blue to green", "green to blue", True),
        ("blue", "green", False),
        ("", "", False),
    ],
)
def test_what_undoes_a_switch(earlier: str, later: str, undone: bool) -> None:
    one, other = (FlagChange("f", "1", None, "x", "orders", change) for change in (earlier, later))
    assert undoes(other, one) is undone


def changed(old: str, new: str, path: str = "orders/config.yaml") -> str:
    return f"--- a/{path}\n+++ b/{path}\n@@ -1,2 +1,2 @@\n engine:\n-  mode: {old}\n+  mode: {new}\n"


@pytest.mark.parametrize(("back", "sign"), [("classic", 1), ("other", 0)])
@pytest.mark.parametrize("deployed", [True, False])
def test_a_setting_that_is_put_back_is_tested_too(tmp_path: Path, back: str, sign: int, deployed: bool) -> None:
    history = [
        commit(1, -20, "settings", ["orders/config.yaml"], changed("classic", "swift")),
        commit(2, 38, "settings again", ["orders/config.yaml"], changed("swift", back)),
    ]
    specs = [source(tmp_path / "commits.json", "commits", history)]
    if deployed:
        rows = [deploy(1, -6, "orders", "v3"), deploy(2, 40, "orders", "v4")]
        specs.append(source(tmp_path / "deploys.json", "deploys", rows))
    result = rank(specs, measured(43))
    item = next(item for item in result.suspects if item.key == sha(1))
    assert (points(item, "ending") > 0, points(item, "undone") > 0) == (sign > 0, sign > 0)
    if sign:
        assert f"{sha(2)[:10]} put back what it changed" in item.reasons()
        resolver = ChangeResolver(ChangeCatalogue(specs))
        (went,) = [fact for fact in item.facts if fact.quantity != quantities.ENDED]
        assert went.citation == ("deploy:deploys#2" if deployed else f"commit:commits/{sha(2)}")
        recomputed = resolver.recompute(went, ())
        assert recomputed is not None
        assert recomputed.value == went.value
        assert item.score == pytest.approx(
            1 / (1 + 2.718281828 ** -(-4.4 + sum(p.points for p in item.parts))), abs=2e-3
        )


def test_what_came_later_is_compared_with_several_changes_and_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def counting(commit: Commit) -> Sides:
        read.append(commit.sha)
        return sides_of(commit)

    monkeypatch.setattr(restoring, "sides_of", counting)
    history = [commit(n, -20 - n, "settings", ["orders/config.yaml"], changed("a", f"b{n}")) for n in (1, 2)]
    history += [commit(n, 30 + n, "settings", ["orders/config.yaml"], changed("c", f"d{n}")) for n in (3, 4)]
    rank([source(tmp_path / "commits.json", "commits", history)], measured(43))
    assert sorted(read) == [sha(n) for n in (1, 2, 3, 4)]


def test_only_the_same_lines_of_the_same_file_put_a_change_back() -> None:
    def made(patch: str) -> Sides:
        return sides_of(Commit("c", "1" * 40, "", None, "", "", (), 1, patch))

    first = made(changed("a", "b"))
    assert restores(made(changed("b", "a")), first)
    assert restores(made(changed("b", "a") + changed("x", "y", "orders/other.yaml")), first)
    assert not restores(made(changed("b", "c")), first)
    assert not restores(made(changed("b", "a", "orders/other.yaml")), first)
    assert not restores(made(""), first)
    assert not restores(made(changed("b", "a")), made(""))
    blank = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n-\n+}\n"
    assert not restores(made(blank), made(blank)), "lines that say nothing"


@pytest.mark.parametrize(
    ("flag_name", "term", "says"),
    [
        ("orders_new_ranker", "NewRanker.score", True),
        ("new_ranker", "ranking.new_ranker", True),
        ("orders_new_ranker", "OldRanker.score", False),
        ("orders_ranker", "Ranker.score", False),
    ],
)
def test_code_that_is_called_as_a_flag_is_speaks_for_the_flag(
    tmp_path: Path, flag_name: str, term: str, says: bool
) -> None:
    specs = [source(tmp_path / "flags.json", "flags", [flag(-2, "0%->50%", flag_name)])]
    (item,) = rank(specs, symptom("orders", "errors of orders rose", 0, (term,))).suspects
    assert (points(item, "named") > 0) is says
