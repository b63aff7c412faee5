"""What the investigators are given of a case: a copy under neutral names, of which only listed keys remain.

They never see which family a case is of, where it was published, or what its answer may be.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue

from orchestrator.evaluate.cases import LABELS, MANIFESTS, Case
from orchestrator.intake.json_door import JsonFault, read_json
from subagents.files import read_all

_FOLDER_KEYS = (
    *("title", "question", "text", "symptom", "description", "summary", "service", "severity"),
    *("alert", "window", "incident_start", "started_at", "alert_at", "fired_at", "reported_at"),
    *("candidate_services", "services", "files"),
)
_SYMPTOM_KEYS = ("title", "symptom", "reported_at", "alert", "window", "service", "head_sha", "commits")
_HINT = "answer_may_"
_OWN = (*MANIFESTS, LABELS, "label.json", "labels.json", "labels.jsonl", "labels.csv")
"""What a case says of itself, or of its answer, and never a file of it."""
_NAME = "incident"


class ViewError(Exception):
    """A case cannot be read; the message says why."""


@dataclass(frozen=True)
class View:
    """What is given to an investigation."""

    path: Path
    """The copy: a folder or a file."""
    incident: str
    """A name for the incident that tells nothing."""
    manifest: dict[str, JsonValue]
    """What the case says of itself, as far as investigators may know; empty for a series."""


def make_view(case: Case, into: Path) -> View:
    """Copy a case to a folder that does not exist yet; raises ViewError."""
    incident = f"case-{hashlib.sha256(case.id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
    try:
        into.mkdir(parents=True)
        if case.shape == "folder":
            return View(into, incident, _folder(case.path.resolve(), into))
        if case.shape == "symptom":
            document = _masked(_object(case.path), _SYMPTOM_KEYS)
            target = into / f"{_NAME}.json"
            target.write_text(json.dumps(document))
            return View(target, incident, document)
        target = into / f"value.csv{_packing(case.path.name)}"
        shutil.copyfile(case.path, target)
        return View(target, incident, {})
    except OSError as error:
        raise ViewError(f"{case.id}: cannot be read ({error.strerror or error})") from error


def _folder(source: Path, into: Path) -> dict[str, JsonValue]:
    manifest = next(source / name for name in MANIFESTS if (source / name).is_file())
    document = _masked(_object(manifest), _FOLDER_KEYS)
    named = document.get("files")
    chosen = _named(named) if named else [one.name for one in source.iterdir()]
    for name in chosen:
        _copy(source, name, into)
    (into / "case.json").write_text(json.dumps(document))
    return document


def _named(files: JsonValue) -> list[str]:
    """Return the paths that a manifest names, in whichever of its forms."""
    if isinstance(files, str):
        return [files]
    if isinstance(files, dict):
        return [path for value in files.values() for path in _named(value)]
    if isinstance(files, list):
        entries = [one.get("path") if isinstance(one, dict) else one for one in files]
        return [one for one in entries if isinstance(one, str)]
    return []


def _copy(source: Path, name: str, into: Path) -> None:
    """Copy a file or folder of the case; what lies outside it, or is a link, is not of the case."""
    relative = os.path.normpath(name)
    if "\0" in name or os.path.isabs(relative) or relative.startswith(".."):
        return
    given = source / relative
    if given.is_symlink() or not given.resolve().is_relative_to(source) or relative.split(os.sep, 1)[0] in _OWN:
        return
    target = into / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    if given.is_dir():
        shutil.copytree(given, target, ignore=_not_of(source), dirs_exist_ok=True)
    elif given.is_file():
        shutil.copyfile(given, target)


def _not_of(source: Path) -> Callable[[str, list[str]], list[str]]:
    """Say what of a folder in a case stays behind: links, and what the case says of itself."""

    def left(folder: str, names: list[str]) -> list[str]:
        own = _OWN if Path(folder) == source else ()
        return [name for name in names if name in own or os.path.islink(os.path.join(folder, name))]

    return left


def _object(path: Path) -> dict[str, JsonValue]:
    data, problem = read_all(path)
    try:
        document = read_json(data)
    except JsonFault as error:
        raise ViewError(f"{path.name}: {error}") from error
    if not isinstance(document, dict):
        raise ViewError(f"{path.name}: is not an object{f' ({problem.line()})' if problem else ''}")
    return document


def _masked(document: dict[str, JsonValue], keys: tuple[str, ...]) -> dict[str, JsonValue]:
    return {key: _without_hints(document[key]) for key in keys if key in document}


def _without_hints(value: JsonValue) -> JsonValue:
    """Drop hints at the answer at any depth; an alert's own `source` is the monitor's name, and stays."""
    if isinstance(value, dict):
        return {key: _without_hints(inner) for key, inner in value.items() if not key.startswith(_HINT)}
    if isinstance(value, list):
        return [_without_hints(inner) for inner in value]
    return value


def _packing(name: str) -> str:
    return next((suffix for suffix in (".gz", ".zst") if name.lower().endswith(suffix)), "")
