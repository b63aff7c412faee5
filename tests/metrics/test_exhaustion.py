"""Resources that are used up are told as such, with since when; what is full by design, or for a moment, is not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from subagents import quantities as q
from subagents.contract import ToolContext
from subagents.metrics.answers import MetricsAnswers
from subagents.metrics.exhaustion import exhausted
from subagents.metrics.model import SeriesView
from subagents.metrics.params import RankParams
from subagents.metrics.render import amount
from subagents.metrics.signals import signals
from subagents.metrics.used_up import place_of
from tests.fakes import FakeClock
from tests.metrics.files import START, Series, long_csv, minute, read, shifted, spec, steady
from tests.metrics.test_procedure import PAGE, about, investigate

COUNT, BROKEN = 60, 40
FIRED = {"title": "web fails", "metric": "http_5xx_ratio", "threshold": 0.05, "observed": 0.3, "fired_at": minute(44)}
PAGED = PAGE.model_copy(update=FIRED)


def ramp(start: float, end: float, since: int, until: int) -> list[float]:
    return [start + (end - start) * min(1.0, max(0.0, (at - since) / (until - since))) for at in range(COUNT)]


def since(level: float, to: float, at: int = 38) -> list[float]:
    """Return a series that wobbles at a level, then stands still at another."""
    return [round(value, 1) if i < at else to for i, value in enumerate(steady(level, COUNT, wobble=0.2))]


def flat(level: float) -> list[float]:
    return [level] * COUNT


def counter(per_minute: Sequence[float]) -> list[float]:
    return [1000.0 + sum(per_minute[: at + 1]) for at in range(len(per_minute))]


EXPIRES = START.timestamp() + 60 * 40
USED_UP: list[tuple[str, str, int, dict[str, Sequence[float]]]] = [
    ("share", "disk full", 38, {"disk_used_ratio": ramp(0.7, 1.0, 0, 38)}),
    ("what is left", "disk full", 38, {"node_filesystem_avail_bytes{mountpoint=/data}": ramp(4e10, 0, 0, 38)}),
    (
        "of its size",
        "disk full",
        38,
        {
            "kubelet_volume_stats_available_bytes": ramp(4e9, 0, 10, 38),
            "kubelet_volume_stats_capacity_bytes": flat(1e10),
        },
    ),
    ("console", "disk full", 38, {"FreeStorageSpace": ramp(4e10, 0, 0, 38)}),
    ("handles", "file handles", 38, {"process_open_fds": ramp(210, 1024, 5, 38), "process_max_fds": flat(1024)}),
    (
        "pool",
        "pool exhausted",
        38,
        {
            "hikaricp_connections_active{pool=a}": since(6, 20),
            "hikaricp_connections_max{pool=a}": flat(20),
            "hikaricp_connections_max{pool=b}": flat(50),
        },
    ),
    (
        "server",
        "pool exhausted",
        38,
        {"pg_stat_activity_count": ramp(20, 100, 30, 38), "pg_settings_max_connections": flat(100)},
    ),
    (
        "no limit told, and others wait",
        "pool exhausted",
        38,
        {"db_pool_in_use": since(6, 20), "db_pool_waiting": [0.0] * 38 + [30.0] * 22},
    ),
    (
        "killed",
        "out of memory",
        38,
        {
            "container_memory_working_set_bytes": [*ramp(3e8, 1.03e9, 0, 38)[:38], *([3e8, 5e8, 7e8, 9e8] * 6)[:22]],
            "container_spec_memory_limit_bytes": flat(1.07e9),
            "kube_pod_container_status_restarts_total": [float(max(0, (at - 34) // 4)) for at in range(COUNT)],
        },
    ),
    ("told", "out of memory", 38, {"container_oom_events_total": [float(max(0, at - 37)) for at in range(COUNT)]}),
    (
        "throttled",
        "CPU throttled",
        38,
        {
            "container_cpu_cfs_throttled_periods_total": counter([6.0] * 38 + [400.0] * 22),
            "container_cpu_cfs_periods_total": counter([600.0] * 60),
        },
    ),
    ("moment", "certificate expired", 40, {"probe_ssl_earliest_cert_expiry": flat(EXPIRES)}),
    ("time left", "certificate expired", 40, {"tls_cert_expires_in_seconds": [60.0 * (40 - i) for i in range(COUNT)]}),
]  # fmt: skip
CALM: list[tuple[str, dict[str, Sequence[float]]]] = [
    ("full from the first point on", {"disk_used_ratio": flat(1.0)}),
    ("busy is not full", {"disk_io_util_pct": since(20, 100)}),
    ("memory that a system caches with", {"node_memory_MemFree_bytes": ramp(8e9, 1e6, 0, 20)}),
    ("a burst", {"hikaricp_connections_active": [20.0 if at in (30, 31) else 5.0 + at % 3 for at in range(COUNT)],
                 "hikaricp_connections_max": flat(20)}),
    ("another pool's limit", {"hikaricp_connections_active{pool=a}": since(6, 20),
                              "hikaricp_connections_max{pool=b}": flat(20)}),
    ("steady, and nobody waits", {"db_pool_in_use": since(6, 20)}),
    ("the last day", {"ssl_certificate_expiry_days": [1.0] * 30 + [0.0] * 30}),
    ("expired before", {"probe_ssl_earliest_cert_expiry": flat(EXPIRES - 86_400)}),
    ("renewed", {"probe_ssl_earliest_cert_expiry": [EXPIRES] * 30 + [EXPIRES + 7_776_000] * 30}),
    ("restarts without memory", {"kube_pod_restarts_total": [float(max(0, at - 37)) for at in range(COUNT)]}),
    ("a heap before its collection", {"jvm_memory_used_ratio": [0.5 + 0.05 * (at % 10) for at in range(COUNT)]}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "at", "series"), [row[1:] for row in USED_UP], ids=[row[0] for row in USED_UP])
def test_what_is_used_up_is_told_with_since_when(
    tmp_path: Path, kind: str, at: int, series: dict[str, Sequence[float]]
) -> None:
    assert _told(tmp_path, series) == [(kind, minute(at).timestamp())]


@pytest.mark.parametrize("series", [row[1] for row in CALM], ids=[row[0] for row in CALM])
def test_what_only_looks_like_it_is_not(tmp_path: Path, series: dict[str, Sequence[float]]) -> None:
    assert _told(tmp_path, series) == []


def _told(folder: Path, series: dict[str, Sequence[float]]) -> list[tuple[str, float]]:
    quoted = {
        ("orders", name if "{" not in name else name.replace(",", ";")): course for name, course in series.items()
    }
    store = read(long_csv(folder / "metrics.csv", quoted))
    seen = signals(store, START.timestamp(), minute(BROKEN).timestamp(), minute(COUNT).timestamp())
    return [(one.kind, one.at) for one in exhausted(seen)]


def failing(**further: Sequence[float]) -> Series:
    return {
        ("web", "http_5xx_ratio"): shifted(0.002, 0.3, BROKEN, COUNT),
        ("orders", "http_5xx_ratio"): shifted(0.002, 0.4, BROKEN, COUNT),
        ("ads", "http_5xx_ratio"): steady(0.002, COUNT),
        **{("orders", name): course for name, course in further.items()},
    }


async def test_a_disk_that_was_full_before_requests_failed_is_named(tmp_path: Path) -> None:
    left = ramp(4e10, 0, 0, 38)
    bench, summary = await investigate(tmp_path, failing(node_filesystem_avail_bytes=left), PAGED)
    found = next(f for f in bench.reported if f.about is not None and f.about.key == "disk full in orders")
    assert (found.stance, found.about and found.about.kind) == ("for", "resource")
    assert "120 s before the symptom" in found.claim
    assert next(fact.value for fact in found.facts if fact.quantity == q.REACHED) == "2026-03-01T12:38:00Z"
    assert found.weight >= 0.6
    assert summary.services[0].service == "orders"


def test_the_ranking_says_so_and_large_sizes_are_told_in_large_units(tmp_path: Path) -> None:
    specs = (spec(long_csv(tmp_path / "metrics.csv", failing(node_filesystem_avail_bytes=ramp(4e10, 0, 0, 38)))),)
    told = MetricsAnswers(specs).rank(RankParams(service="web"), ToolContext(key="k", clock=FakeClock())).text
    assert "used up since 12:38:00Z (disk full): orders node_filesystem_avail_bytes" in told
    assert [amount(value, unit) for value, unit in ((4e10, "bytes"), (2e6, "bytes/s"), (900, "bytes"))] == [
        "37.25 GiB",
        "1.907 MiB/s",
        "900 bytes",
    ]


async def test_what_filled_after_requests_failed_is_a_consequence(tmp_path: Path) -> None:
    series = failing(process_open_fds=since(200, 1024, 46), process_max_fds=flat(1024))
    bench, _ = await investigate(tmp_path, series, PAGED)
    found = next(f for f in bench.reported if f.about is not None and f.about.key == "file handles in orders")
    assert (found.stance, found.topic) == ("against", "consequence")


async def test_a_store_whose_disk_is_full_explains_who_calls_it(tmp_path: Path) -> None:
    series = {**failing(), ("orders-db", "disk_used_pct"): ramp(70, 100, 0, 38)}
    topology = "caller,callee\nweb,orders\norders,orders-db\nweb,ads\n"
    _, summary = await investigate(tmp_path, series, PAGED, topology=topology)
    assert summary.services[0].service == "orders-db"


async def test_what_is_used_up_where_all_is_well_or_after_others_were_slow_is_unproven(tmp_path: Path) -> None:
    calm = {**failing(), ("ads", "disk_used_pct"): ramp(80, 100, 0, 30)}
    busy = {
        **failing(hikaricp_connections_active=since(6, 20, 37), hikaricp_connections_max=flat(20)),
        ("orders-db", "query_duration_p95_ms"): shifted(5, 150, 32, COUNT),
    }
    for place, (series, key) in enumerate(((calm, "disk full in ads"), (busy, "pool exhausted in orders"))):
        (tmp_path / str(place)).mkdir()
        bench, _ = await investigate(tmp_path / str(place), series, PAGED)
        found = next(f for f in bench.reported if f.about is not None and f.about.key == key)
        assert (found.stance, found.weight <= 0.35) == ("for", True)


async def test_a_full_disk_that_nobody_feels_is_no_all_clear(tmp_path: Path) -> None:
    calm: Series = {
        ("web", "http_5xx_ratio"): steady(0.002, COUNT),
        ("db", "node_filesystem_avail_bytes"): ramp(4e10, 0, 0, 38),
    }
    bench, summary = await investigate(tmp_path, calm, PAGED)
    assert not summary.healthy
    assert "A disk of db is full" in summary.unsettled
    assert about(bench, "health") == []


@pytest.mark.parametrize(
    ("service", "name", "place"),
    [
        ("orders", "disk_used_pct", "orders"),
        ("node", "node_filesystem_avail_bytes{instance=db-1:9100,mountpoint=/data}", "db-1"),
        ("kubelet", "kubelet_volume_stats_available_bytes{persistentvolumeclaim=data-pg-0}", "data-pg-0"),
        ("blackbox", "probe_ssl_earliest_cert_expiry{instance=https://pay.example.com/health}", "pay.example.com"),
        ("node-exporter", "node_filesystem_avail_bytes", "node-exporter"),
        ("", "orders-db FreeStorageSpace", "orders-db"),
    ],
)
def test_an_exporter_tells_of_others(service: str, name: str, place: str) -> None:
    view = SeriesView(source="m", service=service, name=name, role="host", citation="", points=9, baseline=1, latest=0)
    assert place_of(view) == place
