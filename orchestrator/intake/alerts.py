"""Alert payloads: Alertmanager, Grafana, PagerDuty v3, and plain objects with the usual keys."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pydantic import JsonValue

from orchestrator.intake.moments import has_zone, moment
from subagents.contract import Alert, Problem

Object = Mapping[str, JsonValue]

SERVICE_KEYS = (
    "service",
    "service_name",
    "serviceName",
    "app",
    "application",
    "component",
    "app_kubernetes_io_name",
    "kubernetes_deployment",
    "kube_deployment",
    "deployment",
    "workload_name",
    "workload",
    "job",
)
TITLE_KEYS = ("title", "alert_title", "alertname", "name", "ruleName", "AlarmName", "monitor", "check")
SUMMARY_KEYS = (
    "summary",
    "description",
    "message",
    "body",
    "text",
    "detail",
    "symptom",
    "AlarmDescription",
    "NewStateReason",
)
SEVERITY_KEYS = ("severity", "priority", "level", "urgency")
METRIC_KEYS = ("metric", "metric_name", "metricName", "MetricName", "__name__")
OBSERVED_KEYS = ("observed", "value", "current_value", "currentValue")
THRESHOLD_KEYS = ("threshold", "Threshold")
START_KEYS = ("incident_start", "started_at", "startsAt", "start_time", "impact_start", "began_at")
IMPACT_KEYS = tuple(key for key in START_KEYS if key != "startsAt")
FIRED_KEYS = (
    "fired_at",
    "alert_at",
    "triggered_at",
    "activeAt",
    "startsAt",
    "occurred_at",
    "created_at",
    "reported_at",
    "StateChangeTime",
    "timestamp",
    "ts",
    "time",
)
STATE_KEYS = ("status", "state", "NewStateValue")
_RESOLVED = {"resolved", "ok", "normal", "closed", "recovered"}
_SECRET = re.compile(r"key|token|secret|passw|credential|authoriz", re.IGNORECASE)
TITLE_LIMIT, SUMMARY_LIMIT, LABEL_LIMIT, LABEL_COUNT = 300, 8192, 512, 64


@dataclass(frozen=True)
class ParsedAlert:
    """An alert payload as read: the alert, and what only the incident needs of it."""

    alert: Alert
    id: str | None = None
    started_at: datetime | None = None
    services: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


def payload_kind(document: JsonValue) -> str | None:
    """Return the payload kind that a document's shape proves; None for plain or foreign ones."""
    if not isinstance(document, dict):
        return None
    event = document.get("event")
    if isinstance(event, dict) and isinstance(event.get("data"), dict) and "event_type" in event:
        return "pagerduty"
    if isinstance(document.get("alerts"), list):
        if "orgId" in document or any("valueString" in a or "dashboardURL" in a for a in _objects(document["alerts"])):
            return "grafana"
        if "groupKey" in document or "receiver" in document or "commonLabels" in document:
            return "alertmanager"
    if "ruleName" in document and "evalMatches" in document:
        return "grafana"
    return None


def looks_like_alert(document: JsonValue) -> bool:
    """Say whether a plain object has what an alert has: a title or summary, and a service, time or severity."""
    document = _unwrapped(document)
    if payload_kind(document) is not None:
        return True
    if isinstance(document, dict) and isinstance(document.get("alerts"), list):
        members = _objects(document["alerts"])
        return bool(members) and all("labels" in a and _began(a) is not None for a in members[:50])
    if not isinstance(document, dict):
        return False
    places = _places(document)
    told = _text(places, (*TITLE_KEYS, *SUMMARY_KEYS))
    placed = _text(places, SERVICE_KEYS) or _text(places, SEVERITY_KEYS) or _time(places, FIRED_KEYS)
    return bool(told and placed)


def _unwrapped(document: JsonValue) -> JsonValue:
    """The alerts of Alertmanager's and Prometheus' own interfaces, as a notification."""
    if isinstance(document, list):
        return {"alerts": document}
    data = document.get("data") if isinstance(document, dict) else None
    return data if isinstance(data, dict) and isinstance(data.get("alerts"), list) else document


def parse_alert(document: JsonValue, where: str) -> ParsedAlert:
    """Read any alert payload; what is missing is None, what is odd is a problem, nothing raises."""
    document = _unwrapped(document)
    if isinstance(document, str):
        document = {"summary": document}
    if not isinstance(document, dict):
        problem = Problem(what="the alert is not an object", where=where, lost="the alert")
        return ParsedAlert(Alert(), problems=(problem,))
    kind = payload_kind(document)
    if kind == "pagerduty":
        parsed = _pagerduty(document)
    elif _objects(document.get("alerts")):
        parsed = _alert_group(document, kind or "alertmanager")
    else:
        parsed = _plain(document, kind or "plain")
    return ParsedAlert(
        parsed.alert, parsed.id, parsed.started_at, parsed.services, (*parsed.problems, *_missing(parsed, where))
    )


def _missing(parsed: ParsedAlert, where: str) -> Iterable[Problem]:
    alert = parsed.alert
    if not alert.title and not alert.summary:
        yield Problem(what="the alert has no title and no summary", where=where)
    if alert.service is None and not parsed.services:
        yield Problem(what="the alert names no service", where=where, todo="the data will be searched as a whole")
    if alert.fired_at is None and parsed.started_at is None:
        yield Problem(what="the alert has no time", where=where, todo="the onset is taken from the data alone")


def _alert_group(document: Object, origin: str) -> ParsedAlert:
    """One notification about several alerts: the earliest that still fires stands for the group."""
    alerts = _objects(document.get("alerts"))
    firing = [a for a in alerts if str(a.get("status", "firing")).lower() not in _RESOLVED] or alerts
    lead = min(firing, key=lambda a: (_began(a) is None, str(_began(a))))
    common = [
        _object(document, "commonLabels"),
        _object(document, "groupLabels"),
        _object(document, "commonAnnotations"),
    ]
    places = [lead, _object(lead, "labels"), _object(lead, "annotations"), *common, document]
    services = _distinct(_text([_object(a, "labels"), *common], SERVICE_KEYS) for a in firing)
    problem = Problem(
        what=f"{len(alerts)} alerts in one notification", todo=f"the investigation covers {_few(services)}"
    )
    parsed = _assemble(places, origin, _text([lead, document], ("fingerprint",)))
    alert = parsed.alert.model_copy(update={"resolved": str(document.get("status", "")).lower() in _RESOLVED})
    return ParsedAlert(
        alert,
        parsed.id and f"{origin}-{parsed.id}",
        _time(places, IMPACT_KEYS),  # `startsAt` is when the alert began to fire: what it is about began before
        services,
        (*parsed.problems, *((problem,) if len(alerts) > 1 else ())),
    )


def _began(alert: Object) -> datetime | None:
    return _time([alert], ("startsAt", "activeAt"))


def _pagerduty(document: Object) -> ParsedAlert:
    event = _object(document, "event")
    data = _object(event, "data")
    details = _object(_object(data, "body"), "details")
    fields: dict[str, JsonValue] = {
        "service": _object(data, "service").get("summary"),
        "priority": _object(data, "priority").get("summary"),
    }
    custom = _object(details, "custom_details")
    places = [_object(custom, "labels"), custom, details, fields, data, event]
    given = _text([data], ("id",)) or _text([event], ("id",))
    parsed = _assemble([{"title": data.get("title")}, *places], "pagerduty", given)
    resolved = str(event.get("event_type", "")).endswith((".resolved", ".closed"))
    return ParsedAlert(
        parsed.alert.model_copy(update={"resolved": resolved or parsed.alert.resolved}),
        parsed.id and f"pagerduty-{parsed.id}",
        parsed.started_at,
        parsed.services,
        parsed.problems,
    )


def _plain(document: Object, origin: str) -> ParsedAlert:
    return _assemble(_places(document), origin, _text([document], ("id", "alert_id", "incident_id")))


def _places(document: Object) -> list[Object]:
    """The objects of a plain alert where its fields may be, nearest first."""
    inner = [_object(document, key) for key in ("payload", "incident", "alert", "labels", "commonLabels", "tags")]
    inner += [_object(document, key) for key in ("annotations", "commonAnnotations", "details", "custom_details")]
    inner += [_object(place, "custom_details") for place in inner[:1]]
    subject = _object(document, "subject")
    named = {"service": subject.get("name"), "subject_namespace": subject.get("namespace")} if subject else {}
    metrics = _objects(document.get("evalMatches"))[:1]
    return [document, *(place for place in inner if place), *metrics, named]


def _assemble(places: list[Object], origin: str, given_id: str | None) -> ParsedAlert:
    service = _text(places, SERVICE_KEYS, LABEL_LIMIT)
    fired, written = _time_as_written(places, FIRED_KEYS)
    started, _ = _time_as_written(places, START_KEYS)
    problems = []
    if fired is not None and not has_zone(written):
        problems.append(Problem(what=f"the alert's time {written!s:.40} has no zone", todo="taken as UTC"))
    alert = Alert(
        origin=origin,
        title=_text(places, TITLE_KEYS, TITLE_LIMIT) or "",
        summary=_text(places, SUMMARY_KEYS, SUMMARY_LIMIT) or "",
        service=service,
        metric=_text(places, METRIC_KEYS, LABEL_LIMIT),
        threshold=_number(places, THRESHOLD_KEYS),
        observed=_number(places, OBSERVED_KEYS),
        severity=_text(places, SEVERITY_KEYS, 64),
        fired_at=fired,
        resolved=(_text(places[:1], STATE_KEYS) or "").lower() in _RESOLVED,
        labels=_labels(places),
    )
    return ParsedAlert(alert, given_id, started, (service,) if service else (), tuple(problems))


def _labels(places: list[Object]) -> dict[str, str]:
    """Scalar fields of the payload that are no field of an alert; what may be a credential is left out."""
    known = {*TITLE_KEYS, *SUMMARY_KEYS, *SEVERITY_KEYS, *FIRED_KEYS, *START_KEYS, *STATE_KEYS}
    found: dict[str, str] = {}
    for place in places:
        for key, value in place.items():
            scalar = isinstance(value, str | int | float | bool) and value != ""
            if scalar and key not in known and not _SECRET.search(key) and len(found) < LABEL_COUNT:
                found.setdefault(key[:64], str(value)[:LABEL_LIMIT])
    return found


def _object(parent: Object, key: str) -> Object:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _objects(value: JsonValue) -> list[Object]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _text(places: Iterable[Object], keys: tuple[str, ...], limit: int = SUMMARY_LIMIT) -> str | None:
    for place in places:
        for key in keys:
            value = place.get(key)
            if isinstance(value, dict):
                value = value.get("summary") or value.get("name")
            if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
                return str(value).strip()[:limit]
    return None


def _time(places: Iterable[Object], keys: tuple[str, ...]) -> datetime | None:
    return _time_as_written(places, keys)[0]


def _time_as_written(places: Iterable[Object], keys: tuple[str, ...]) -> tuple[datetime | None, JsonValue]:
    for place in places:
        for key in keys:
            found = moment(place.get(key))
            if found is not None:
                return found, place.get(key)
    return None, None


def _number(places: Iterable[Object], keys: tuple[str, ...]) -> float | None:
    for place in places:
        for key in keys:
            value = place.get(key)
            if isinstance(value, str | int | float) and not isinstance(value, bool):
                try:
                    number = float(str(value).strip().rstrip("%"))
                except ValueError:
                    continue
                if math.isfinite(number):
                    return number
    return None


def _distinct(names: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in names if name))


def _few(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return (", ".join(names[:3]) or "what they have in common") + more
