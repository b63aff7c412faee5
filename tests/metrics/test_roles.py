"""Roles, units and directions from names and values."""

from __future__ import annotations

import numpy as np
import pytest

from subagents.metrics.roles import analysed, as_rate, traits_of, unit_of
from tests.metrics.exporter_names import EXPORTER_NAMES


@pytest.mark.parametrize(
    ("name", "role", "bad"),
    [
        ("latency_p99_s", "latency", "up"),
        ("http.server.duration", "latency", "up"),
        ("requestDurationMs", "latency", "up"),
        ("client_latency_p90_s", "client_latency", "up"),
        ("http_5xx_ratio", "error_ratio", "up"),
        ("error_rate", "error_ratio", "up"),
        ("errors_total", "error_count", "up"),
        ("availability_average", "availability", "down"),
        ("success_rate_pct", "availability", "down"),
        ("cache_hit_ratio", "hit_ratio", "down"),
        ("cache_miss_ratio", "error_ratio", "up"),
        ("cpu_pct_of_limit", "saturation", "up"),
        ("db_pool_in_use", "saturation", "up"),
        ("node_cpu_pct", "host", "up"),
        ("mem_mib", "memory", "up"),
        ("queue_depth", "queue", "up"),
        ("consumer_lag", "lag", "up"),
        ("pod_restart_total", "restarts", "up"),
        ("pod_ready_replicas", "ready", "down"),
        ("requests_per_s", "traffic", "both"),
        ("rps", "traffic", "both"),
        ("tls_cert_seconds_until_expiry", "other", "down"),
        ("hikaricp_connections_max", "saturation", "up"),
        ("items_sum", "other", "both"),
        ("grpc_server_handled_total{grpc_code=Unavailable}", "error_count", "up"),
        ("http_server_requests_seconds_count{outcome=SERVER_ERROR}", "error_count", "up"),
        ("http_request_duration_seconds_count{code=500}", "error_count", "up"),
        ("something_else", "other", "both"),
    ],
)
def test_role_and_direction(name: str, role: str, bad: str) -> None:
    traits = traits_of(name)
    assert (traits.role, traits.bad) == (role, bad)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("latency_p99_s", "s"),
        ("p95_ms", "ms"),
        ("requests_per_second", "1/s"),
        ("mem_mib", "MiB"),
        ("cpu_pct_of_limit", "%"),
        ("http_5xx_ratio", "ratio"),
        ("net_rx_bytes", "bytes"),
        ("requests_sum", ""),
    ],
)
def test_units_in_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit


@pytest.mark.parametrize("exporter", EXPORTER_NAMES)
def test_names_of_exporters(exporter: str) -> None:
    wrong = {
        name: (traits.role, traits.bad)
        for name, role, bad in EXPORTER_NAMES[exporter]
        if (traits := traits_of(name)).role not in role.split("|") or bad not in ("any", traits.bad)
    }
    assert not wrong


def test_labels_say_which_requests_failed() -> None:
    assert traits_of("http_requests_total{code=500,method=GET}").role == "error_count"
    assert traits_of("http_requests_total{code=200,instance=10.5.0.5}").role == "traffic"
    assert traits_of("http_request_duration_seconds_sum{path=/memory}").role == "latency", "labels name no role"
    assert unit_of("jvm_memory_used_bytes{area=heap_ms}") == "bytes"


def test_what_is_left_of_a_resource_hurts_when_it_falls() -> None:
    assert traits_of("node_memory_MemAvailable_bytes").bad == "down"
    assert traits_of("node_memory_Active_bytes").bad == "up"


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("container_cpu_usage_seconds_total", "saturation"),
        ("node_network_receive_bytes_total", "host"),
        ("http_request_duration_seconds_sum", "saturation"),
        ("container_network_receive_bytes_total", "network"),
    ],
)
def test_a_declared_counter_is_one_whatever_it_counts(name: str, role: str) -> None:
    traits = traits_of(name, np.cumsum(np.arange(1.0, 40.0)))
    assert (traits.counter, traits.role) == (True, role)


def test_a_counter_of_failures_may_stand_still_until_there_are_some() -> None:
    late = np.concatenate([np.full(60, 5.0), [6.0, 9.0, 15.0, 30.0]])
    assert traits_of("upstream_errors_total", late).counter
    assert not traits_of("upstream_errors_total", np.concatenate([late, [20.0]])).counter, "it fell, and not to zero"
    assert not traits_of("pod_restarts_total", late).counter, "few restarts are steps, not a rate"


def test_counters_are_told_from_gauges_by_their_values() -> None:
    grows = np.cumsum(np.arange(1.0, 40.0))
    assert traits_of("errors_total", grows).counter
    assert not traits_of("queue_depth", grows).counter, "a queue that grows is a gauge"
    assert not traits_of("requests_per_s", np.array([5.0, 7, 4, 6, 5, 8, 3])).counter
    reset = np.concatenate([grows, grows])
    assert traits_of("errors_total", reset).counter


def test_rates_survive_a_reset() -> None:
    rate = as_rate(np.array([0.0, 60, 120, 180]), np.array([100.0, 160, 30, 90]))
    assert np.isnan(rate[0])
    assert rate[1:].tolist() == [1.0, 0.5, 1.0]


def test_a_counter_stays_one_in_a_crash_loop() -> None:
    loop = np.concatenate([np.cumsum(np.full(40, 3.0)), *[300.0 * np.arange(1, 5)] * 6])
    assert traits_of("http_errors_total", loop).counter
    assert not traits_of("http_errors", loop).counter, "what is not declared a counter falls so often as a gauge does"


@pytest.mark.parametrize("name", ["http_request_duration_seconds_count", "rpc_latency_ms_bucket"])
def test_how_many_took_some_time_is_no_time(name: str) -> None:
    assert unit_of(name) == ""
    assert unit_of(name.replace("_count", "_sum").replace("_bucket", "_sum")) in ("s", "ms")


def test_a_pause_of_the_measuring_and_moments_of_others_are_no_counts_of_zero() -> None:
    times, counts = 60 * np.arange(60.0), np.array([5.0, 7, 6, 8, 4, 9] * 10)
    for missing in (slice(20, 40), slice(1, None, 2)):
        held = counts.copy()
        held[missing] = np.nan
        assert np.array_equal(analysed("errors_per_min", times, held)[1], held, equal_nan=True)


@pytest.mark.parametrize(
    "name", ["http_server_requests_seconds_count{status=500}", "pg_stat_database_xact_rollback", "request.errors"]
)
def test_failures_that_seldom_rise_and_never_fall_are_counted(name: str) -> None:
    rises = [1.0 if at % 8 == 0 else 0.0 for at in range(120)]
    total = 5000 + np.cumsum(rises)
    assert traits_of(name, total).counter
    if name.endswith("}"):
        total[60:] -= total[60]
        assert traits_of(name, total).counter, "begun anew"


def test_failures_of_each_minute_that_only_grew_so_far_are_none() -> None:
    assert not traits_of("request.errors", np.array([0.0] * 40 + [2, 5, 9, 14, 20, 31])).counter


def test_time_that_is_seldom_spent_is_a_total_all_the_same() -> None:
    """A collector that pauses now and then: its time grows for ever, which is no slowness that grows."""
    pauses = np.cumsum([0.02 if at % 6 == 0 else 0.0 for at in range(90)])
    traits = traits_of("jvm_gc_pause_seconds_sum", pauses)
    assert (traits.role, traits.counter) == ("saturation", True)
