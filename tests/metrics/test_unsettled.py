"""What calm series do not settle: what is new, gone, far away, fewer, or told only when it is not zero."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from tests.metrics.files import minute, shifted, steady
from tests.metrics.test_procedure import PAGE, Series, about, investigate

CALM: Series = {("web", "latency_p99_ms"): steady(90, 60), ("web", "error_ratio"): steady(0.002, 60)}
FAILING = PAGE.model_copy(update={"metric": "error_ratio", "threshold": 0.05, "observed": None, "fired_at": minute(45)})


def born(values: Sequence[float], at: int = 40) -> list[float | None]:
    return [None] * at + list(values[at:])


def until(values: Sequence[float], end: int = 40) -> list[float | None]:
    return list(values[:end]) + [None] * (len(values) - end)


@pytest.mark.parametrize(("level", "calm"), [(0.3, False), (0.0021, True)])
async def test_pods_of_a_new_version_are_held_against_those_they_replace(
    tmp_path: Path, level: float, calm: bool
) -> None:
    pods: Series = {
        ("cart", "error_ratio{pod=cart-7d4b9-aaaaa}"): until(steady(0.002, 60)),
        ("cart", "error_ratio{pod=cart-58f6c-bbbbb}"): born(steady(level, 60)),
        ("cart", "cpu_pct{pod=cart-58f6c-bbbbb}"): born(steady(90, 60)),
    }
    bench, summary = await investigate(tmp_path, {**CALM, **pods}, FAILING.model_copy(update={"service": "cart"}))
    assert (summary.symptom, summary.healthy) == (None, calm)
    told = "cart error_ratio{pod=cart-58f6c-bbbbb} is there from 12:40:00Z on only, at 0.3"
    assert (told in summary.unsettled) is not calm
    if not calm:
        assert {fact.citation for fact in about(bench, "gap")[0].facts} == set(about(bench, "gap")[0].citations)


async def test_a_pod_that_is_a_service_of_its_own_is_told_by_its_name(tmp_path: Path) -> None:
    pods: Series = {
        ("cart-7d4b96c5f-9xk2p", "latency_p99_ms"): until(steady(80, 60)),
        ("cart-58f6c77b4-zt4wq", "latency_p99_ms"): born(steady(800, 60)),
    }
    _, summary = await investigate(tmp_path, {**CALM, **pods})
    assert "cart-7d4b96c5f-9xk2p latency_p99_ms stood at 80" in summary.unsettled


async def test_a_pod_that_went_while_its_deployment_goes_on_is_not_gone(tmp_path: Path) -> None:
    pods: Series = {
        ("web", "error_ratio"): shifted(0.002, 0.3, 41, 60),
        ("cart-7d4b96c5f-9xk2p", "cpu_pct"): until(steady(40, 60)),
        ("cart-58f6c77b4-zt4wq", "cpu_pct"): born(steady(40, 60)),
        ("mail-58f6c77b4-l7vhx", "cpu_pct"): until(steady(40, 60)),
    }
    bench, _ = await investigate(tmp_path, pods)
    gone = [finding.services for finding in about(bench, "gap") if "Every series of" in finding.claim]
    assert gone == [("mail-58f6c77b4-l7vhx",)]


async def test_failures_that_are_told_only_when_there_are_some_began_with_none(tmp_path: Path) -> None:
    failed: list[float | None] = [None] * 60
    failed[7], failed[19], failed[40:] = 1.0, 2.0, steady(400, 20)
    page = FAILING.model_copy(update={"metric": "5XX_Count"})
    _, summary = await investigate(tmp_path, {**CALM, ("web", "5XX_Count"): failed}, page)
    assert summary.symptom is not None
    assert (summary.symptom.name, summary.symptom.baseline, summary.onset) == ("5XX_Count", 0.0, minute(40))


async def test_an_outage_of_the_measuring_is_no_time_without_failures(tmp_path: Path) -> None:
    counted: list[float | None] = [*steady(25, 60, 0.1)]
    counted[20:40] = [None] * 20
    _, summary = await investigate(tmp_path, {**CALM, ("web", "errors_per_min"): counted})
    assert (summary.symptom, summary.healthy) == (None, True)


async def test_a_new_pod_that_has_been_well_for_a_while_has_a_baseline_of_its_own(tmp_path: Path) -> None:
    pods: Series = {
        ("cart", "latency_p99_ms{pod=a}"): steady(80, 90),
        ("cart", "latency_p99_ms{pod=b}"): [*[None] * 30, *shifted(80, 900, 25, 60)],
    }
    bench, summary = await investigate(tmp_path, {("web", "error_ratio"): steady(0.002, 90), **pods})
    assert summary.symptom is not None
    assert not [finding for finding in about(bench, "gap") if "is there from" in finding.claim]


async def test_what_has_too_few_points_is_not_called_unhurt(tmp_path: Path) -> None:
    little: Series = {
        ("web", "error_ratio"): shifted(0.002, 0.3, 41, 60),
        ("orders", "cpu_pct"): steady(40, 60),
        ("stock", "latency_p99_ms"): born([4000.0] * 60, 57),
    }
    bench, _ = await investigate(tmp_path, little)
    assert "nothing that hurts on orders." in about(bench, "health")[0].claim


async def test_a_counter_of_failures_that_is_born_with_them_began_at_nothing(tmp_path: Path) -> None:
    counted = born([30.0 * n for n in range(60)])
    _, summary = await investigate(tmp_path, {**CALM, ("web", "http_requests_total{code=500}"): counted})
    assert summary.symptom is not None
    assert (summary.symptom.name[:19], summary.symptom.onset) == ("http_requests_total", minute(41))


async def test_a_ratio_of_few_requests_is_judged_by_the_points_there_are(tmp_path: Path) -> None:
    few: list[float | None] = [0.0 if n % 3 == 0 else None for n in range(60)]
    few[40:] = [1.0 if n % 3 == 0 else None for n in range(20)]
    _, summary = await investigate(tmp_path, {**CALM, ("admin", "error_ratio"): few})
    assert summary.symptom is not None
    assert (summary.symptom.title, summary.onset, summary.state) == ("admin error_ratio", minute(40), "ongoing")


async def test_what_the_page_is_about_ends_while_other_series_of_its_service_go_on(tmp_path: Path) -> None:
    ended: Series = {**CALM, ("web", "error_ratio"): until(steady(0.002, 60)), ("web", "cpu_pct"): steady(40, 60)}
    _, summary = await investigate(tmp_path, ended, FAILING)
    assert not summary.healthy
    assert "web error_ratio ends at 12:39:00Z, at 0.002" in summary.unsettled


@pytest.mark.parametrize(("level", "settled"), [(0.4, False), (0.002, True)])
async def test_failures_beyond_the_threshold_from_the_first_point_on_are_not_well(
    tmp_path: Path, level: float, settled: bool
) -> None:
    _, summary = await investigate(tmp_path, {**CALM, ("web", "error_ratio"): steady(level, 60)}, FAILING)
    assert summary.healthy is settled
    assert ("beyond the alert's threshold of 0.05, from the first point on" in summary.unsettled) is not settled


async def test_users_who_stay_away_are_trouble_though_those_who_come_are_served(tmp_path: Path) -> None:
    lost: Series = {**CALM, ("web", "requests_per_s"): shifted(200, 2, 40, 60)}
    for alert in (None, FAILING):
        _, summary = await investigate(tmp_path, lost, alert)
        assert summary.symptom is not None
        assert (summary.symptom.name, summary.onset) == ("requests_per_s", minute(40))
        assert summary.why_symptom.startswith("what is asked of it fell by half or more")


async def test_an_evening_comes_slowly(tmp_path: Path) -> None:
    load = [100 + 150 / (1 + 1.12 ** (n - 60)) for n in range(120)]
    evening: Series = {("web", "latency_p99_ms"): steady(90, 120), ("web", "requests_per_s"): load}
    _, summary = await investigate(tmp_path, evening)
    assert summary.symptom is None


async def test_users_who_stay_away_everywhere_are_told_at_the_paged_service_first(tmp_path: Path) -> None:
    names = ("shop", "web", "api")
    lost: Series = {**CALM, **{(name, "requests_per_s"): shifted(200, 2, 40, 60) for name in names}}
    bench, summary = await investigate(tmp_path, lost, FAILING)
    assert summary.symptom is not None
    assert summary.symptom.service == "web"
    assert about(bench, "order")[0].services == ("api", "shop")


async def test_a_callee_that_is_asked_less_while_users_come_as_before_is_no_loss_of_users(tmp_path: Path) -> None:
    less: Series = {
        **CALM,
        ("web", "requests_per_s"): steady(200, 60),
        ("settings", "requests_per_s"): shifted(600, 250, 40, 60),
    }
    _, summary = await investigate(tmp_path, less, topology="caller,callee\nweb,settings\n")
    assert (summary.symptom, summary.surge is not None) == (None, True)


async def test_a_night_is_no_loss_of_users(tmp_path: Path) -> None:
    nights: Series = {**CALM, ("web", "requests_per_s"): [2.0] * 10 + steady(200, 30) + [3.0] * 20}
    _, summary = await investigate(tmp_path, nights)
    assert summary.symptom is None


async def test_a_leak_that_nobody_feels_yet_is_told_and_settles_nothing(tmp_path: Path) -> None:
    leak = [800.0 + 2.0 * (n % 3) + 40.0 * max(0, n - 20) for n in range(60)]
    bench, summary = await investigate(tmp_path, {**CALM, ("orders", "memory_rss_mib"): leak})
    assert (summary.symptom, summary.healthy) == (None, False)
    assert "orders memory_rss_mib went from 802 MiB to" in summary.unsettled
    assert "whether anybody is hurt by it, these series do not show" in about(bench, "gap")[0].claim


@pytest.mark.parametrize(("paged", "others", "seen"), [(True, 6, True), (False, 6, False), (False, 0, True)])
async def test_a_little_more_than_usual_is_trouble_where_somebody_says_so_or_one_of_few_moves(
    tmp_path: Path, paged: bool, others: int, seen: bool
) -> None:
    more: Series = {(f"other-{n}", "cpu_pct"): steady(30, 60) for n in range(others)}
    little: Series = {**CALM, **more, ("web", "latency_p99_ms"): shifted(90, 108, 40, 60)}
    page = PAGE.model_copy(update={"fired_at": minute(45)})
    _, summary = await investigate(tmp_path, little, page if paged else None)
    assert (summary.symptom is not None) is seen


async def test_a_service_that_fell_silent_with_the_symptom_is_told_and_not_called_well(tmp_path: Path) -> None:
    dead: Series = {
        ("web", "error_ratio"): shifted(0.002, 0.3, 41, 60),
        ("payments", "latency_p99_ms"): until(steady(40, 60)),
        ("payments", "cpu_pct"): until(steady(30, 60)),
        ("stock", "latency_p99_ms"): steady(20, 60),
    }
    calls = "caller,callee\nweb,payments\nweb,stock\n"
    bench, summary = await investigate(tmp_path, dead, topology=calls)
    assert summary.symptom is not None
    assert summary.dark == ("payments",), "that it began at web, which calls it, is not sure"
    assert "Every series of payments ends at 12:39:00Z" in " ".join(f.claim for f in about(bench, "gap"))
    assert "payments" not in about(bench, "health")[0].claim


@pytest.mark.parametrize(
    ("title", "share", "calm"),
    [("web 5xx rate", 0.35, False), ("web 5xx rate", 0.02, True), ("web is slow", 0.35, True)],
)
async def test_failures_that_stand_from_the_first_point_on_are_not_calm(
    tmp_path: Path, title: str, share: float, calm: bool
) -> None:
    """The page names no threshold; nothing departs from a baseline that is the trouble itself."""
    total = 60 * np.cumsum(steady(100, 60))
    series: Series = {
        ("web", "http_requests_total{code=500}"): list(share * total),
        ("web", "http_requests_total{code=200}"): list((1 - share) * total),
        ("web", "latency_p99_ms"): steady(90, 60),
    }
    page = PAGE.model_copy(update={"title": title, "metric": "", "threshold": None, "observed": None})
    _, summary = await investigate(tmp_path, series, page)
    assert (summary.symptom, summary.healthy) == (None, calm)
    assert ("from the first point on" in summary.unsettled) is not calm
