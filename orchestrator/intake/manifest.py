"""`case.json` and `incident.json`: an optional manifest, of which only listed keys are ever read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import get_args

from pydantic import JsonValue

from orchestrator.intake.alerts import START_KEYS, ParsedAlert, parse_alert
from orchestrator.intake.moments import moment
from orchestrator.intake.naming import shown
from subagents.contract import Problem, SourceKind, Window

_KIND_WORDS: dict[str, SourceKind] = {
    **{kind: kind for kind in get_args(SourceKind)},
    "log": "logs",
    "metric": "metrics",
    "traces": "spans",
    "deployments": "deploys",
    "releases": "deploys",
    "changes": "commits",
    "patch": "diff",
    "diffs": "diff",
    "feature_flags": "flags",
    "git": "repo",
    "runbook": "runbooks",
}
_TEXT_KEYS = ("text", "symptom", "question", "description", "summary", "prompt")
_SERVICES_KEYS = ("candidate_services", "services")
_REPORTED_KEYS = ("alert_at", "fired_at", "reported_at", "detected_at")
TEXT_LIMIT = 16 * 1024
SERVICE_COUNT = 1000


@dataclass(frozen=True)
class NamedFile:
    """A file that the manifest names, with the kind that it gives, if it gives one."""

    path: str
    kind: SourceKind | None


@dataclass(frozen=True)
class Manifest:
    """What a manifest says. Keys that are not read here reach nobody."""

    where: str
    id: str | None = None
    title: str = ""
    text: str = ""
    service: str | None = None
    severity: str | None = None
    services: tuple[str, ...] = ()
    window: Window | None = None
    started_at: datetime | None = None
    reported_at: datetime | None = None
    alert: ParsedAlert | None = None
    files: tuple[NamedFile, ...] = ()
    problems: tuple[Problem, ...] = ()


def looks_like_manifest(document: JsonValue) -> bool:
    """Say whether an object is a manifest by its shape: it names files, a window, or an alert of its own."""
    return isinstance(document, dict) and (
        isinstance(document.get("files"), dict | list)
        or isinstance(document.get("window"), dict)
        or isinstance(document.get("alert"), dict)
    )


def looks_like_case(document: JsonValue) -> bool:
    """Say whether an object is a whole case in one file: a symptom and the commits to look at."""
    return isinstance(document, dict) and isinstance(document.get("commits"), list) and "symptom" in document


def read_manifest(document: JsonValue, where: str) -> Manifest:
    """Read a manifest leniently: what is missing is None, what is odd is a problem."""
    if not isinstance(document, dict):
        return Manifest(where, problems=(Problem(what="the manifest is not an object", where=where, lost="all of it"),))
    problems: list[Problem] = []
    window = _window(document, where, problems)
    alert = document.get("alert")
    parsed = parse_alert(alert, where) if isinstance(alert, dict | str) and alert else None
    if parsed is not None and parsed.alert.origin == "plain":
        parsed = ParsedAlert(
            parsed.alert.model_copy(update={"origin": "manifest"}),
            None,
            parsed.started_at,
            parsed.services,
            parsed.problems,
        )
    return Manifest(
        where=where,
        id=_string(document, ("id", "incident_id")),
        title=(_string(document, ("title", "name")) or "")[:300],
        text=_text(document, where, problems),
        service=_string(document, ("service",)),
        severity=_string(document, ("severity",)),
        services=_services(document),
        window=window,
        started_at=_time(document, START_KEYS),
        reported_at=_time(document, _REPORTED_KEYS),
        alert=parsed,
        files=_files(document.get("files"), where, problems),
        problems=tuple(problems),
    )


def _string(document: Mapping[str, JsonValue], keys: tuple[str, ...]) -> str | None:
    for key in keys:
        value = document.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()[:512]
    return None


def _text(document: Mapping[str, JsonValue], where: str, problems: list[Problem]) -> str:
    text = next((v for k in _TEXT_KEYS if isinstance(v := document.get(k), str) and v.strip()), "")
    if len(text) > TEXT_LIMIT:
        lost = f"{len(text) - TEXT_LIMIT} characters at the end"
        problems.append(Problem(what="the text is long", where=where, lost=lost))
    return text[:TEXT_LIMIT]


def _services(document: Mapping[str, JsonValue]) -> tuple[str, ...]:
    names = next((v for k in _SERVICES_KEYS if isinstance(v := document.get(k), list)), [])
    given = (n.get("name") if isinstance(n, dict) else n for n in names)
    return tuple(dict.fromkeys(n[:200] for n in given if isinstance(n, str) and n.strip()))[:SERVICE_COUNT]


def _time(document: Mapping[str, JsonValue], keys: tuple[str, ...]) -> datetime | None:
    return next((found for key in keys if (found := moment(document.get(key))) is not None), None)


def _window(document: Mapping[str, JsonValue], where: str, problems: list[Problem]) -> Window | None:
    given = document.get("window")
    if given is None:
        return None
    if isinstance(given, list) and len(given) == 2:
        given = {"start": given[0], "end": given[1]}
    if isinstance(given, dict):
        start, end = _time(given, ("start", "from")), _time(given, ("end", "to", "until"))
        if start is not None and end is not None and start < end:
            return Window(start=start, end=end)
    problems.append(
        Problem(
            what="the window is not two times, start before end",
            where=where,
            lost="the window",
            todo="it is taken from the data",
        )
    )
    return None


def _files(given: JsonValue, where: str, problems: list[Problem]) -> tuple[NamedFile, ...]:
    pairs: list[tuple[str, JsonValue]] = []
    if isinstance(given, dict):
        pairs = [(word, path) for word, value in given.items() for path in _listed(value)]
    elif given is not None:
        pairs = [_pair(entry) for entry in _listed(given)]
    found = []
    for word, path in pairs[:1000]:
        kind = _KIND_WORDS.get(word.lower())
        if not isinstance(path, str) or not path or "\0" in path:
            problems.append(Problem(what=f"`files` names something that is no path ({shown(word)})", where=where))
            continue
        if kind is None and word:
            problems.append(
                Problem(what=f"`files` has an unknown kind {shown(word)}", where=where, todo="recognised by content")
            )
        found.append(NamedFile(path, kind))
    return tuple(found)


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else [value]


def _pair(entry: JsonValue) -> tuple[str, JsonValue]:
    if isinstance(entry, dict):
        return str(entry.get("kind", "")), entry.get("path")
    return "", entry
