"""Alert payloads as pagers send them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from orchestrator.intake.alerts import looks_like_alert, parse_alert, payload_kind

FIRED = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def firing(service: str, starts: str = "2026-03-01T12:00:00Z", **more: Any) -> dict[str, Any]:
    return {
        "status": "firing",
        "labels": {"alertname": "HighErrorRate", "service": service, "severity": "page"},
        "annotations": {"summary": f"{service} is failing", "description": "5xx above 2 %"},
        "startsAt": starts,
        "endsAt": "0001-01-01T00:00:00Z",
        "fingerprint": "ab12",
        **more,
    }


def alertmanager(*alerts: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "version": "4",
        "groupKey": '{}:{alertname="HighErrorRate"}',
        "status": "firing",
        "receiver": "oncall",
        "groupLabels": {"alertname": "HighErrorRate"},
        "commonLabels": {"alertname": "HighErrorRate", "severity": "page"},
        "commonAnnotations": {},
        "alerts": list(alerts),
        **more,
    }


def test_alertmanager_group_names_every_service_and_the_earliest_start() -> None:
    payload = alertmanager(firing("cart", "2026-03-01T12:05:00Z"), firing("web"))
    found = parse_alert(payload, "alert.json")
    assert payload_kind(payload) == "alertmanager"
    assert found.alert.origin == "alertmanager"
    assert found.alert.title == "HighErrorRate"
    assert found.alert.summary == "web is failing"
    assert found.alert.service == "web"
    assert found.alert.severity == "page"
    assert found.alert.fired_at == FIRED
    assert found.started_at is None, "when it began to fire is not when it began"
    assert found.services == ("cart", "web")
    assert found.id == "alertmanager-ab12"
    assert not found.alert.resolved
    assert "2 alerts in one notification" in found.problems[0].what


def test_a_start_of_impact_that_the_alert_tells_counts() -> None:
    told = firing("web", annotations={"summary": "down", "incident_start": "2026-03-01T11:40:00Z"})
    found = parse_alert(alertmanager(told), "alert.json")
    assert (found.alert.fired_at, found.started_at) == (FIRED, FIRED - timedelta(minutes=20))


def test_resolved_group_and_resolved_members() -> None:
    done = firing("cart", status="resolved")
    assert parse_alert(alertmanager(done, status="resolved"), "a").alert.resolved
    mixed = parse_alert(alertmanager(done, firing("web", "2026-03-01T12:30:00Z")), "a")
    assert mixed.alert.service == "web"
    assert not mixed.alert.resolved


def test_grafana_webhook() -> None:
    alert = firing("web", values={"B": 0.3}, valueString="[ var='B' value=0.3 ]", dashboardURL="https://grafana/d/1")
    payload = alertmanager(alert, orgId=1, title="[FIRING:1] HighErrorRate", state="alerting", message="**Firing**")
    found = parse_alert(payload, "a")
    assert found.alert.origin == "grafana"
    assert found.alert.service == "web"
    legacy: dict[str, Any] = {
        "ruleName": "CPU",
        "state": "alerting",
        "evalMatches": [{"metric": "cpu", "value": 97.5, "tags": {}}],
    }
    old = parse_alert(legacy, "a").alert
    assert (old.origin, old.title, old.metric, old.observed) == ("grafana", "CPU", "cpu", 97.5)


def test_pagerduty_v3_event() -> None:
    payload: dict[str, Any] = {
        "event": {
            "id": "01E",
            "event_type": "incident.triggered",
            "resource_type": "incident",
            "occurred_at": "2026-03-01T12:00:05Z",
            "data": {
                "id": "PGR0VU2",
                "type": "incident",
                "title": "checkout latency",
                "status": "triggered",
                "created_at": "2026-03-01T12:00:00Z",
                "service": {"id": "PF9", "summary": "Checkout API"},
                "priority": {"summary": "P1"},
                "urgency": "high",
                "body": {"details": {"custom_details": {"metric": "p95_ms", "value": "900", "threshold": "300"}}},
            },
        }
    }
    found = parse_alert(payload, "a")
    alert = found.alert
    assert (alert.origin, alert.title, alert.service, alert.severity) == (
        "pagerduty",
        "checkout latency",
        "Checkout API",
        "P1",
    )
    assert (alert.metric, alert.observed, alert.threshold) == ("p95_ms", 900.0, 300.0)
    assert found.id == "pagerduty-PGR0VU2"
    assert alert.fired_at == FIRED
    assert found.started_at is None
    payload["event"]["event_type"] = "incident.resolved"
    assert parse_alert(payload, "a").alert.resolved


@pytest.mark.parametrize(
    "stamp",
    [
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00+01:00",
        1772366400,
        1772366400000,
        "1772366400000000000",
        "2026-03-01 12:00:00",
    ],
)
def test_plain_alert_takes_times_as_people_write_them(stamp: Any) -> None:
    found = parse_alert({"title": "down", "service": "web", "fired_at": stamp, "severity": 2}, "a")
    assert found.alert.fired_at == FIRED
    assert found.alert.severity == "2"
    no_zone = any("no zone" in problem.what for problem in found.problems)
    assert no_zone == (stamp == "2026-03-01 12:00:00")


def test_plain_alert_finds_fields_in_labels_and_subject() -> None:
    labelled = parse_alert(
        {"commonLabels": {"app": "cart", "alertname": "X"}, "commonAnnotations": {"summary": "s"}}, "a"
    )
    assert (labelled.alert.service, labelled.alert.title, labelled.alert.summary) == ("cart", "X", "s")
    subject = parse_alert({"title": "crash", "subject": {"name": "cart-1", "namespace": "shop"}}, "a")
    assert subject.alert.service == "cart-1"


def test_the_answers_of_alertmanager_and_prometheus() -> None:
    listed: Any = [firing("cart"), firing("web", "2026-03-01T12:09:00Z")]
    assert looks_like_alert(listed)
    assert parse_alert(listed, "a").services == ("cart", "web")
    active = {"labels": {"alertname": "X", "service": "cart"}, "state": "firing", "activeAt": "2026-03-01T12:00:00Z"}
    answer: dict[str, Any] = {"status": "success", "data": {"alerts": [{**active, "annotations": {}, "value": "0.3"}]}}
    assert looks_like_alert(answer)
    found = parse_alert(answer, "a")
    assert (found.alert.service, found.alert.observed, found.alert.fired_at) == ("cart", 0.3, FIRED)


def test_missing_fields_are_said_and_never_raise() -> None:
    found = parse_alert({"alerts": [{}, 3, None]}, "alert.json")
    said = " ".join(problem.line() for problem in found.problems)
    assert "no title" in said
    assert "names no service" in said
    assert "has no time" in said
    assert parse_alert(17, "alert.json").problems[0].what == "the alert is not an object"


@pytest.mark.parametrize(
    "value",
    [float("1e300"), -1, True, [], {}, "never", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "99999-01-01", 10**30],
)
def test_a_time_that_is_none_is_none(value: Any) -> None:
    assert parse_alert({"title": "t", "fired_at": value}, "a").alert.fired_at is None


def test_credentials_do_not_become_labels() -> None:
    payload: dict[str, Any] = {
        "title": "t",
        "routing_key": "R0UT1NG",
        "api_token": "T0K3N",
        "team": "shop",
        "payload": {"source": "db-1"},
    }
    assert parse_alert(payload, "a").alert.labels == {"team": "shop", "source": "db-1"}


def test_huge_texts_are_bounded() -> None:
    alert = parse_alert(
        {"title": "t" * 10**5, "summary": "s" * 10**6, **{f"l{n}": "x" * 10**4 for n in range(500)}}, "a"
    ).alert
    assert len(alert.title) == 300
    assert len(alert.summary) == 8192
    assert len(alert.labels) == 64
    assert all(len(value) <= 512 for value in alert.labels.values())


def test_what_is_no_alert() -> None:
    assert not looks_like_alert({"name": "web", "version": "1", "description": "a package"})
    assert not looks_like_alert([1, 2])
    assert not looks_like_alert("text")
    assert looks_like_alert({"summary": "s", "severity": "high"})
