"""Every common layout is recognised from the file's own lines, and its times are exact."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from subagents.contract import SourceSpec
from subagents.logs.sources.file_names import service_of_file
from subagents.logs.sources.timestamps import moment
from tests.logs.builders import NOON, read, write

MILLI = NOON.replace(microsecond=123000)
MICRO = NOON.replace(microsecond=123456)

LAYOUTS: list[tuple[str, str, datetime]] = [
    ("iso-z", "2026-03-01T12:00:00.123Z INFO started", MILLI),
    ("iso-space-comma", "2026-03-01 12:00:00,123 - app - INFO - started", MILLI),
    ("iso-offset", "2026-03-01T14:30:00.123456+02:30 INFO started", MICRO),
    ("iso-offset-plain", "2026-03-01 07:00:00 -0500 INFO started", NOON),
    ("go-std", "2026/03/01 12:00:00.123456 main.go:12: started", MICRO),
    ("nginx-error", "2026/03/01 12:00:00 [error] 12#0: *1 connect() failed (111: Connection refused)", NOON),
    ("apache-access", '10.0.0.1 - frank [01/Mar/2026:12:00:00 +0000] "GET /a HTTP/1.1" 200 12', NOON),
    ("apache-error", "[Sun Mar 01 12:00:00.123456 2026] [core:error] [pid 1] started", MICRO),
    ("syslog-3164", "Mar  1 12:00:00 web1 sshd[812]: Failed password for root", NOON),
    ("syslog-5424", "<34>1 2026-03-01T12:00:00.123Z web1 sshd 812 ID47 - Failed password", MILLI),
    ("klog", "E0301 12:00:00.123456       1 controller.go:118] sync failed", MICRO),
    ("logback", "2026-03-01 12:00:00.123  INFO 1 --- [nio-8080-exec-1] c.a.Orders : started", MILLI),
    ("log4j-dmy", "01 Mar 2026 12:00:00,123 INFO [main] started", MILLI),
    ("tomcat", "01-Mar-2026 12:00:00.123 SEVERE [main] started", MILLI),
    ("java-util-logging", "Mar 1, 2026 12:00:00 PM org.acme.Main start", NOON),
    ("epoch-s", "1772366400 INFO started", NOON),
    ("epoch-s-fraction", "1772366400.123 INFO started", MILLI),
    ("epoch-ms", "1772366400123 INFO started", MILLI),
    ("epoch-us", "1772366400123456 INFO started", MICRO),
    ("epoch-ns", "1772366400123456789 INFO started", MICRO),
    ("logfmt", 'level=info ts=2026-03-01T12:00:00.123Z msg="started" service=orders', MILLI),
    ("logrus", 'time="2026-03-01T12:00:00Z" level=warning msg=started', NOON),
    ("level-first", "WARNING 2026-03-01 12:00:00,123 app started", MILLI),
    ("kubectl-nanos", "2026-03-01T12:00:00.123456789Z started", MICRO),
    ("compact", "20260301T120000Z started", NOON),
    ("hdfs", "260301 120000 148 INFO dfs.DataNode: started", NOON),
    ("json-ts", '{"ts":"2026-03-01T12:00:00.123Z","level":"info","msg":"started"}', MILLI),
    ("json-pino", '{"level":30,"time":1772366400123,"pid":1,"hostname":"h","msg":"started"}', MILLI),
    ("json-zap", '{"level":"info","ts":1772366400.123456,"logger":"a","msg":"started"}', MICRO),
    (
        "json-ecs",
        '{"@timestamp":"2026-03-01T12:00:00.123Z","log.level":"INFO","message":"started","service.name":"orders"}',
        MILLI,
    ),
    ("json-nested", '{"timestamp":"2026-03-01T12:00:00Z","severity":"INFO","jsonPayload":{"message":"started"}}', NOON),
    ("docker", '{"log":"INFO started\\n","stream":"stdout","time":"2026-03-01T12:00:00.123456789Z"}', MICRO),
    (
        "journald",
        '{"__REALTIME_TIMESTAMP":"1772366400123456","MESSAGE":"started","PRIORITY":"6","SYSLOG_IDENTIFIER":"orders"}',
        MICRO,
    ),
    ("kubectl-json", '2026-03-01T12:00:00.123456789Z {"level":"error","msg":"started","service":"orders"}', MICRO),
]


@pytest.mark.parametrize(("name", "line", "expected"), LAYOUTS, ids=[name for name, _, _ in LAYOUTS])
def test_layout_gives_the_exact_time(tmp_path: Path, name: str, line: str, expected: datetime) -> None:
    spec = write(tmp_path, "x.log", [line] * 3)
    source, events = read(spec)
    _touch(spec)
    source, events = read(spec)
    assert [moment(event["t"]) for event in events] == [expected] * 3, source.layout()
    assert source.coverage().understood == 3


def _touch(spec: SourceSpec) -> None:
    """Layouts without a year take it from the file's date."""
    import os

    seconds = datetime(2026, 3, 2, tzinfo=UTC).timestamp()
    os.utime(spec.path, (seconds, seconds))


def test_several_layouts_in_one_file(tmp_path: Path) -> None:
    lines = [line for name, line, _ in LAYOUTS if name not in ("syslog-3164", "klog")] * 4
    _, events = read(write(tmp_path, "x.log", lines))
    assert len(events) == len(lines)
    assert all(moment(event["t"]).replace(microsecond=0) == NOON for event in events)


def test_a_moment_inside_a_message_is_not_the_lines_time(tmp_path: Path) -> None:
    source, events = read(
        write(tmp_path, "x.log", ["order created at 2026-03-01 12:00:00 ok", "[get][Date: 2026-03-01 12:00:00]"])
    )
    assert [event["t"] for event in events] == [None, None]
    assert "no time stamps" in source.coverage().problems[0].what


def test_levels_and_services_come_from_the_fields(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "x.log", [
        '{"time":"2026-03-01T12:00:00Z","level":"ERROR","msg":"a","service":"orders","pod":"orders-1"}',
        '{"time":"2026-03-01T12:00:00Z","level":50,"msg":"b","app":"billing"}',
        '{"time":"2026-03-01T12:00:00Z","level":"info","msg":"c","kubernetes":{"container_name":"search","pod_name":"s-1"}}',
        '{"time":"2026-03-01T12:00:00Z","level":"info","msg":"d","status":503}',
    ]))  # fmt: skip
    assert [event["level"] for event in events] == [5, 5, 3, 5]
    assert [event["service"] for event in events] == ["orders", "billing", "search", "x"]
    assert [event["host"] for event in events] == ["orders-1", None, "s-1", None]
    assert events[3]["suffix"] == " status=503"


def test_mixed_zones_are_one_clock_and_naive_times_are_a_problem(tmp_path: Path) -> None:
    source, events = read(write(tmp_path, "x.log", [
        "2026-03-01T12:00:00Z a", "2026-03-01T13:00:00+01:00 b", "2026-03-01T07:00:00-05:00 c", "2026-03-01T12:00:00 d",
    ]))  # fmt: skip
    assert {moment(event["t"]) for event in events} == {NOON}
    whats = [problem.what for problem in source.coverage().problems]
    assert any("without a zone were taken as UTC" in what for what in whats)
    assert any("+01:00" in what for what in whats)


def test_the_streams_of_a_container_runtime_are_no_text(tmp_path: Path) -> None:
    _, events = read(write(tmp_path, "x.log", [
        "2026-03-01T12:00:00.123456789Z stdout F INFO started",
        '2026-03-01T12:00:00.123456789Z stderr F {"level":"error","msg":"no"}',
    ]))  # fmt: skip
    assert [event["text"].strip() for event in events] == ["INFO started", "no"]
    assert [moment(event["t"]) for event in events] == [MICRO, MICRO]


@pytest.mark.parametrize(
    ("name", "service"),
    [
        ("orders.log.gz", "orders"), ("orders-2026-03-01.log", "orders"), ("orders-7c9d8b6f5-x2x4z.log", "orders"),
        ("app.log", None), ("orders.log.3", "orders"), ("billing_1.log", "billing"), ("20260301.log", None),
        ("ts-order-service.jsonl", "ts-order-service"), ("ts-order-service.jsonl.zst", "ts-order-service"),
        ("checkout-2026-03-01.log.gz", "checkout"), ("checkout.log.2026-03-01", "checkout"),
        ("checkout.log.old", "checkout"),
        ("error.log.1", None), ("access_log-20260301.gz", None), ("logs.jsonl.gz", None), ("access.log", None),
        ("nginx-access.log", "nginx"), ("nginx-error.log.2.gz", "nginx"), ("nginx.error_log", "nginx"),
        ("orders-7c9d8b6f5-x2x4z_istio-proxy.log", "orders"), ("api.shop.example.log", "api.shop.example"),
        ("kafka-1.log", "kafka"), ("2026-03-01.log", None), ("check-out.log", "check-out"), ("check.out", "check"),
        ("item-decaf0-proxy.log", "item-decaf0-proxy"),
    ],
)  # fmt: skip
def test_a_file_may_be_named_after_its_service(name: str, service: str | None) -> None:
    assert service_of_file(name) == service


def test_utf16_is_told(tmp_path: Path) -> None:
    source, _ = read(write(tmp_path, "x.log", "2026-03-01T12:00:00Z INFO a\n".encode("utf-16")))
    assert "UTF-16" in source.coverage().problems[0].what
