"""Where nobody says who calls whom: who fails most, and which store is whose."""

from __future__ import annotations

from tests.metrics.files import shifted, steady
from tests.metrics.test_ranking import ranking


def failing(shares: dict[str, float], latencies: dict[str, float]) -> dict[tuple[str, str], list[float]]:
    series: dict[tuple[str, str], list[float]] = {}
    for name, share in shares.items():
        series[name, "http_5xx_ratio"] = shifted(0.001, share, 22)
        series[name, "requests_per_s"] = steady(80)
        series[name, "latency_p95_ms"] = steady(latencies[name])
    return series


def test_it_began_where_most_of_what_is_asked_fails() -> None:
    """All are far beyond what is usual, and by its latency the faster one might be called by it."""
    series = failing({"checkout": 0.8, "catalog": 0.16, "web": 0.4}, {"checkout": 40, "catalog": 20, "web": 90})
    ranked = ranking(series, edges=[], symptom=("web", "http_5xx_ratio"))
    assert ranked[0].service == "checkout"
    assert ranked[0].raw > 1.3 * ranked[1].raw


def test_a_store_by_name_explains_its_service() -> None:
    series = {
        ("orders", "latency_p95_ms"): shifted(40, 900, 22),
        ("orders-postgres", "query_duration_p95_ms"): shifted(9, 700, 22),
        ("web", "latency_p95_ms"): shifted(90, 950, 22),
    }
    assert ranking(series, edges=[], symptom=("web", "latency_p95_ms"))[0].service == "orders-postgres"


def test_what_is_under_way_at_once_is_no_work_of_who_waits() -> None:
    series = {
        ("web", "latency_p95_ms"): shifted(90, 2000, 22),
        ("web", "go_goroutines"): shifted(60, 700, 22),
        ("orders", "latency_p95_ms"): shifted(40, 1950, 22),
        ("orders", "cpu_pct"): shifted(30, 97, 22),
    }
    ranked = ranking(series, edges=[], symptom=("web", "latency_p95_ms"))
    assert ranked[0].service == "orders"
    assert not any(reason.kind == "own work" for item in ranked if item.service == "web" for reason in item.reasons)


def test_a_disk_that_filled_slowly_is_full_all_the_same() -> None:
    filling = [min(100.0, 88.0 + 0.55 * at) for at in range(30)]
    series = {
        ("orders-db", "disk_used_pct"): filling,
        ("ledger-db", "disk_used_pct"): steady(99.2, wobble=0.001),
        ("orders", "http_5xx_ratio"): shifted(0.001, 0.5, 22),
    }
    ranked = {item.service: item for item in ranking(series, edges=[], symptom=("orders", "http_5xx_ratio"))}
    assert [reason.kind for reason in ranked["orders-db"].reasons] == ["own work"]
    assert not ranked["ledger-db"].reasons
