"""The parts of a case that the simple rules look at."""

from __future__ import annotations

import csv
import io
import math
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import JsonValue

from orchestrator.evaluate.views import View
from orchestrator.intake.json_door import JsonFault, read_json
from orchestrator.intake.moments import moment
from subagents.files import read_all

_TIMES = ("timestamp", "landed_at", "ts", "time", "deployed_at")
_ERROR_LEVELS = frozenset({"ERROR", "FATAL", "CRITICAL", "SEVERE"})
_ERROR_WORDS = tuple(form.encode() for word in sorted(_ERROR_LEVELS) for form in (word, word.lower(), word.title()))
_SHAS = ("sha", "commit_sha", "commit")


@dataclass(frozen=True)
class Change:
    """A commit as the rules see it."""

    sha: str
    at: datetime | None
    text: str
    """Message and paths."""
    size: int
    """Length of the diff where there is one, else lines added and removed."""


@dataclass(frozen=True)
class Deploy:
    """A deploy of a commit."""

    at: datetime
    sha: str


@dataclass(frozen=True)
class Inputs:
    """What there is; empty where the case has none of it."""

    symptom: str = ""
    service: str | None = None
    began: datetime | None = None
    """Start of impact, else when the page fired."""
    alerted: datetime | None = None
    candidates: tuple[str, ...] = ()
    commits: tuple[Change, ...] = ()
    """Newest first."""
    deploys: tuple[Deploy, ...] = ()
    series: dict[tuple[str, str], list[tuple[datetime, float]]] | None = None
    """By service and metric; of a case of one series, by two empty names."""
    errors: Mapping[str, int] = field(default_factory=dict)
    """Error lines from the start of impact on, by service."""
    has_incident_folder: bool = False


def read_inputs(view: View) -> Inputs:
    """Read what the rules need; a part that cannot be read is absent."""
    manifest = view.manifest
    if not manifest:
        return Inputs(series=_series(_rows(view.path)))
    alert = manifest.get("alert")
    told = alert if isinstance(alert, dict) else {}
    inline = manifest.get("commits")
    folder = view.path if view.path.is_dir() else None
    commits = inline if isinstance(inline, list) else _records(folder, manifest, "commits")
    rows = [row for path in _paths(folder, manifest, "metrics") for row in _rows(path)]
    service = told.get("service")
    began = _first_time({**manifest, **told}, ("incident_start", "started_at", "alert_at", "fired_at"))
    return Inputs(
        symptom=" ".join(_strings([manifest.get("symptom"), told.get("summary"), told.get("title")])),
        service=service if isinstance(service, str) else None,
        began=began,
        alerted=_first_time({**manifest, **told}, ("alert_at", "fired_at", "reported_at")),
        candidates=tuple(_strings(manifest.get("candidate_services"))),
        commits=_changes(commits),
        deploys=_deploys(_records(folder, manifest, "deploys")),
        series=_series(rows) if rows else None,
        errors=_errors(_paths(folder, manifest, "logs"), began),
        has_incident_folder=folder is not None,
    )


def _strings(value: JsonValue) -> Iterator[str]:
    """Every text in a value, in order."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _strings(inner)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings(inner)


def _paths(folder: Path | None, manifest: dict[str, JsonValue], role: str) -> list[Path]:
    if folder is None:
        return []
    files = manifest.get("files")
    named = files.get(role) if isinstance(files, dict) else None
    found = [folder / name for name in _strings(named)] or sorted(folder.glob(f"{role}.*"))
    return [path for path in found if path.is_file()]


def _records(folder: Path | None, manifest: dict[str, JsonValue], role: str) -> list[JsonValue]:
    made: list[JsonValue] = []
    for path in _paths(folder, manifest, role):
        try:
            document = read_json(read_all(path)[0])
        except (JsonFault, OSError):
            continue
        made += document if isinstance(document, list) else []
    return made


def _rows(path: Path) -> Iterator[dict[str, str]]:
    text = read_all(path)[0].decode("utf-8", "replace")
    yield from csv.DictReader(io.StringIO(text))


def _series(
    rows: Iterator[dict[str, str]] | list[dict[str, str]],
) -> dict[tuple[str, str], list[tuple[datetime, float]]]:
    made: dict[tuple[str, str], list[tuple[datetime, float]]] = {}
    moments: dict[str, datetime | None] = {}
    for row in rows:
        stamp = row.get("ts") or row.get("timestamp") or ""
        if stamp not in moments:
            moments[stamp] = moment(stamp)
        at = moments[stamp]
        try:
            value = float(row.get("value") or "nan")
        except ValueError:
            continue
        if at is not None and math.isfinite(value):
            made.setdefault((row.get("service") or "", row.get("metric") or ""), []).append((at, value))
    return made


def _errors(paths: list[Path], began: datetime | None) -> Mapping[str, int]:
    """Count the error lines of JSON logs."""
    counts: Counter[str] = Counter()
    for path in paths:
        for raw in read_all(path)[0].splitlines():
            if not any(word in raw for word in _ERROR_WORDS):
                continue
            try:
                record = read_json(raw)
            except JsonFault:
                continue
            if isinstance(record, dict) and str(record.get("level")).upper() in _ERROR_LEVELS:
                at = _first_time(record, _TIMES)
                if at is not None and (began is None or at >= began):
                    counts[str(record.get("service") or "")] += 1
    return counts


def _changes(records: list[JsonValue]) -> tuple[Change, ...]:
    made = [change for record in records if isinstance(record, dict) and (change := _change(record)) is not None]
    if any(change.at is None for change in made):
        return tuple(made)
    return tuple(sorted(made, key=lambda change: change.at.timestamp() if change.at else 0.0, reverse=True))


def _change(record: dict[str, JsonValue]) -> Change | None:
    sha = next((v for key in _SHAS if isinstance(v := record.get(key), str)), None)
    if sha is None:
        return None
    files = record.get("files") or record.get("files_changed") or []
    paths = [one.get("path") if isinstance(one, dict) else one for one in files] if isinstance(files, list) else []
    words = [record.get(key) for key in ("message", "subject", "body")]
    return Change(sha, _first_time(record, _TIMES), " ".join(_strings([*words, *paths])), _size(record, files))


def _size(record: dict[str, JsonValue], files: JsonValue) -> int:
    diff = record.get("diff")
    if isinstance(diff, str):
        return len(diff)
    counts = (
        [one.get(key) for one in files if isinstance(one, dict) for key in ("add", "del")]
        if isinstance(files, list)
        else []
    )
    return sum(int(count) for count in counts if isinstance(count, int | float))


def _deploys(records: list[JsonValue]) -> tuple[Deploy, ...]:
    made = []
    for record in records:
        if not isinstance(record, dict):
            continue
        at = _first_time(record, _TIMES)
        sha = next((v for key in _SHAS if isinstance(v := record.get(key), str)), None)
        if at is not None and sha is not None:
            made.append(Deploy(at, sha))
    return tuple(sorted(made, key=lambda deploy: deploy.at, reverse=True))


def _first_time(record: dict[str, JsonValue], keys: tuple[str, ...]) -> datetime | None:
    return next((found for key in keys if (found := moment(record.get(key))) is not None), None)
