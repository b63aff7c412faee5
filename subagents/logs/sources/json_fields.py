"""Where JSON log lines keep their time, level, message, service, host and stack: the usual names, by role."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from subagents.logs.levels import UNKNOWN, from_name

ROLES: Mapping[str, tuple[str, ...]] = {
    "time": (
        "ts", "time", "timestamp", "@timestamp", "t", "@t", "date", "datetime", "asctime", "eventTime", "event_time",
        "log_time", "timeUnixNano", "Timestamp", "Time", "created", "_SOURCE_REALTIME_TIMESTAMP",
        "__REALTIME_TIMESTAMP", "t.$date", "timeMillis", "instant", "time_iso8601", "time_local", "msec", "_time",
        "eventTimestamp", "lastTimestamp", "EventTime", "TimeCreated", "TimeGenerated", "requestReceivedTimestamp",
        "start_time", "timestamp_ms", "observedTimeUnixNano", "observedTimestamp", "receiveTimestamp",
    ),
    "level": (
        "level", "severity", "lvl", "@l", "@level", "loglevel", "log_level", "logLevel", "LogLevel", "levelname",
        "log.level", "level_name", "severityText", "severity_text", "Level", "Severity", "s", "severityNumber",
        "PRIORITY", "error_severity", "SeverityLevel", "status", "tags", "type",
    ),
    "message": (
        "message", "msg", "@m", "@message", "log", "event", "MESSAGE", "textPayload", "short_message",
        "jsonPayload.message", "body.stringValue", "body", "Message", "RenderedMessage", "text", "@mt",
        "MessageTemplate", "fields.message", "resultDescription", "description", "LogMessage", "LogEntry",
        "_raw",
    ),
    "service": (
        "service", "service.name", "service_name", "serviceName", "app", "application", "Application", "ServiceName",
        "component", "kubernetes.labels.app", "resource.service.name", "kubernetes.container_name",
        "kubernetes.container.name", "container_name", "container", "container.name", "resource.labels.container_name",
        "resource.labels.service_name", "resource.labels.function_name", "resource.labels.module_id",
        "SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "facility", "AppRoleName", "_app", "_service", "ContainerName",
        "pod", "name", "involvedObject.name", "involved_object",
    ),
    "host": (
        "pod", "pod_name", "kubernetes.pod_name", "kubernetes.pod.name", "resource.labels.pod_name", "host", "hostname",
        "hostName", "host.name", "host.hostname", "_HOSTNAME", "HOSTNAME", "MachineName", "AppRoleInstance", "node",
        "instance", "container_id", "PodName", "Computer",
    ),
    "stack": (
        "stack", "stacktrace", "stack_trace", "stackTrace", "exc_info", "exception.stacktrace", "error.stack",
        "err.stack", "error.stack_trace", "exception", "Exception", "traceback", "thrown.extendedStackTrace", "@x",
        "exc_text", "backtrace", "exception.backtrace",
    ),
    "error": ("error", "err", "error.message", "err.message", "exception.message", "errorMessage", "cause", "reason"),
    "status": (
        "status", "status_code", "statusCode", "http.status_code", "http.response.status_code", "response.status",
        "DownstreamStatus", "response_code", "responseStatus.code", "res.statusCode", "response.statusCode",
        "http.status", "httpRequest.status", "http_status", "http_status_code", "StatusCode", "elb_status_code",
    ),
}  # fmt: skip
"""In the order in which they are believed. Some count only beside others: see `COMPANIONS`."""

COMPANIONS: Mapping[str, frozenset[str]] = {
    "name": frozenset({"pid", "hostname"}),  # bunyan and pino; elsewhere it names a logger or anything
    "s": frozenset({"c", "ctx"}),  # MongoDB
}

TOP_LEVEL: frozenset[str] = frozenset(
    name for names in ROLES.values() for dotted in names for name in (dotted, dotted.partition(".")[0])
) | frozenset(name for names in COMPANIONS.values() for name in names)

_DIGIT = re.compile(r"[0-9]")
_WORD = re.compile(r"[^\x00- \x7f-\U0010ffff=\",:\[\\\]{}]+")
"""What the compiled first stage takes for a word of an object."""
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def record_of(line: str) -> dict[str, Any] | None:
    """Return the object that a line is; None where it is none."""
    try:
        record = json.loads(line)
        if _SURROGATE.search(line):
            record = _encodable(record)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) else None


def names_in(lines: Iterable[str]) -> set[str]:
    """Return the names of the fields of records."""
    return {name for line in lines for name in record_of(line) or ()}


def _encodable(value: Any) -> Any:
    """Return the value with lone surrogates, which UTF-8 cannot carry, as question marks."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list):
        return [_encodable(item) for item in value]
    if isinstance(value, dict):
        return {_encodable(key): _encodable(item) for key, item in value.items()}
    return value


def pick(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first scalar that one of the names, flat or as a path, leads to; None where none does."""
    for name in names:
        value = record.get(name)
        if value is None and "." in name:
            value = _walk(record, name)
        if value is not None and not isinstance(value, dict):
            return value
    return None


def _walk(record: Mapping[str, Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    inner = record.get(head)
    if not isinstance(inner, dict):
        return None
    return inner.get(rest, _walk(inner, rest) if "." in rest else None)


def field_of(record: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field by its name or dotted path; None where the record has none."""
    value = record.get(name)
    return _walk(record, name) if value is None and "." in name else value


def flatten(record: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """Return scalar fields by dotted path, as text."""
    flat: dict[str, str] = {}
    for key, value in record.items():
        if isinstance(value, dict) and len(prefix) < 120:
            flat.update(flatten(value, f"{prefix}{key}."))
        elif isinstance(value, str | int | float | bool):
            flat[prefix + key] = str(value)
    return flat


def may_be_said(message: Any, error: Any) -> bool:
    """Say whether it is a matter of numbers and ids that a message has an error's text, or has it not."""
    if not isinstance(message, str) or not isinstance(error, str) or not _DIGIT.search(error):
        return False
    return _without_ids(error) in _without_ids(message)


def _without_ids(text: str) -> str:
    return _WORD.sub(lambda word: "0" if _DIGIT.search(word[0]) else word[0], text)


def _instant(value: Any) -> Any:
    """Log4j 2: seconds and nanoseconds beside each other."""
    if not isinstance(value, dict) or not isinstance(seconds := value.get("epochSecond"), int):
        return None
    nanos = value.get("nanoOfSecond")
    return f"{seconds}.{nanos:09d}" if isinstance(nanos, int) and 0 <= nanos < 10**9 else seconds


def _severity_number(value: Any) -> Any:
    """OpenTelemetry: 1 to 24, four shades of each level."""
    if not isinstance(value, int) or not 1 <= value <= 24:
        return None
    return ("trace", "debug", "info", "warn", "error", "fatal")[(value - 1) // 4]


def _of_insights(value: Any) -> Any:
    """Application Insights: 0 to 4."""
    known = isinstance(value, int) and 0 <= value <= 4
    return ("trace", "info", "warn", "error", "fatal")[value] if known else None


def _event_type(value: Any) -> Any:
    """Kubernetes: the type of an event."""
    return value if value in ("Normal", "Warning") else None


def _level_tag(value: Any) -> Any:
    """Kibana: a level among the tags of a line."""
    return next((tag for tag in value if _level_word(tag)), None) if isinstance(value, list) else None


def _level_word(value: Any) -> Any:
    """A `status` that is a level, as some agents name it; other statuses are none."""
    return value if isinstance(value, str) and from_name(value) != UNKNOWN and not value.isdigit() else None


READ_AS: Mapping[tuple[str, str], Callable[[Any], Any]] = {
    ("time", "instant"): _instant,
    ("level", "severityNumber"): _severity_number,
    ("level", "SeverityLevel"): _of_insights,
    ("level", "tags"): _level_tag,
    ("level", "type"): _event_type,
    ("level", "status"): _level_word,
}
"""By role and name: how a value is read that only some programs write under a name so general."""
