"""Chains in the order of time, and sources that contradict each other, in incidents that are investigated whole."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from orchestrator.engines.offline.case import number_of
from orchestrator.journal.events import ClaimsChecked
from subagents import quantities as q
from tests.engines.incidents import BROKEN, SERVICE, Story, desk_of, investigated, level, minute, stamp
from tests.engines.test_no_code_cause import NONE_HAS, TRUSTING, deployed

PRICE = "pay/price.py"
BROKE = deployed(Story([NONE_HAS]), TRUSTING, "Vouchers are always there now", 38, PRICE)


async def test_cause_symptom_and_what_followed_stand_in_the_order_of_time(tmp_path: Path) -> None:
    series = {
        (SERVICE, "db_pool_in_use"): level(10, 60, BROKEN + 4),
        ("web", "latency_p99_ms"): level(90, 900, BROKEN + 1),
        ("node-1", "node_cpu_pct"): level(31),
        (SERVICE, "requests_per_s"): level(200),
    }
    found = await investigated(tmp_path, replace(BROKE, series=series, edges=[("web", SERVICE)]))
    assert found.kind == "culprit"
    assert found.service == SERVICE, "web waits for it: a victim is not the cause"
    assert found.chain[0].role == "cause"
    assert "pay/price.py" not in found.headline
    times = [step.at for step in found.chain if step.at is not None]
    assert times == sorted(times)
    assert all(step.citations for step in found.chain)
    listed = {item.suspect.id: item for item in found.ruled_out}
    pool = listed["resource:pay/db_pool_in_use"]
    assert pool.result in ("consequence", "unlikely")
    assert "after the symptom: a consequence" in pool.reason
    surge, host = listed["traffic:pay"], listed["host:node-1/node_cpu_pct"]
    assert (surge.result, host.result) == ("ruled out", "ruled out")
    assert 0.9 < (number_of(surge.facts, q.LEVEL_RATIO) or 0) < 1.1
    assert "requests_per_s at" in surge.reason
    assert "node_cpu_pct kept its level: 31" in host.reason


async def test_a_deploy_after_the_onset_is_ruled_out_by_how_much_later_it_came(tmp_path: Path) -> None:
    late = deployed(Story([NONE_HAS]), TRUSTING, "Vouchers are always there now", BROKEN + 12, PRICE)
    found = await investigated(tmp_path, late)
    assert found.kind != "culprit"
    told = {item.suspect.key: item for item in found.ruled_out}["2e" * 20]
    assert told.result == "ruled out"
    assert "after the onset" in told.reason


async def test_a_culprit_that_is_not_among_the_changes_is_not_replaced_by_another(tmp_path: Path) -> None:
    found = await investigated(tmp_path, Story([NONE_HAS]))
    assert found.kind in ("inconclusive", "no_code_cause")
    assert found.culprit is None
    assert found.confidence.value < 0.5


async def test_errors_that_no_series_shows_lower_the_confidence_and_are_told(tmp_path: Path) -> None:
    flat = {("mail", "http_5xx_ratio"): level(0.002)}
    noisy = [(BROKEN + i / 20, f"ERROR delivery {i} failed: cannot render the page") for i in range(300)]
    alike = replace(BROKE, other_lines={"mail": noisy})
    calm = await investigated(tmp_path, alike)
    assert calm.contradictions == ()
    (tmp_path / "second").mkdir()
    desk, told = await desk_of(tmp_path / "second", replace(alike, series=flat))
    (clash,) = told.contradictions
    assert "mail logged 300 severe events where 0 were expected" in clash.text
    assert "mail http_5xx_ratio (0.002008 -> 0.002008)" in clash.text
    assert clash.facts
    assert told.confidence.value < calm.confidence.value
    assert clash.text in told.confidence.against
    checked = [event.body for event in desk.events if isinstance(event.body, ClaimsChecked)]
    assert [doubt for body in checked for doubt in body.doubts if "contradictions" in doubt.place] == []


async def test_a_change_that_cannot_reach_a_service_that_fails_too_is_told(tmp_path: Path) -> None:
    noisy = [(BROKEN + i / 20, f"ERROR delivery {i} failed: cannot render the page") for i in range(300)]
    apart = replace(BROKE, other_lines={"mail": noisy}, edges=[("web", SERVICE), ("mail", "smtp")])
    found = await investigated(tmp_path, apart)
    assert any("runs in pay only, and mail fails too" in clash.text for clash in found.contradictions)
    (tmp_path / "second").mkdir()
    joined = replace(apart, edges=[("web", SERVICE), ("mail", SERVICE)])
    assert (await investigated(tmp_path / "second", joined)).contradictions == ()


async def test_a_version_that_the_logs_name_before_its_deploy_is_told(tmp_path: Path) -> None:
    early = [(BROKEN - 5.0, "INFO release pay-2026.05.4 is ready")]
    deploy = {**BROKE.deploys[0], "version": "pay-2026.05.4", "timestamp": stamp(BROKEN + 6)}
    story = replace(BROKE, deploys=[deploy], other_lines={})
    with_line = replace(story, early=early)
    found = await investigated(tmp_path, with_line)
    (clash,) = [one for one in found.contradictions if "one of the clocks is off" in one.text]
    assert f"name it from {minute(BROKEN - 5):%H:%M:%S} UTC" in clash.text
    (tmp_path / "second").mkdir()
    assert (await investigated(tmp_path / "second", story)).contradictions == ()


async def test_a_version_that_runs_before_its_deploy_is_found_in_one_search(tmp_path: Path) -> None:
    """Each search reads all of the logs: a deploy's names are looked for together."""
    desk, found = await desk_of(tmp_path, replace(BROKE, early=[(20.0, "INFO now running V42")]))
    assert any(item.text.startswith("v42 of pay is recorded as deployed at") for item in found.contradictions)
    asked = [str(use.input) for use, _ in desk._results.values() if use.name == "logs_search"]
    assert [("v42" in each, "2e2e2e2" in each) for each in asked] == [(True, True)]
