"""What a file is: by its name, confirmed or corrected by its content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import JsonValue

from orchestrator.intake.alerts import payload_kind
from orchestrator.intake.journal_text import form_of
from orchestrator.intake.json_door import JsonFault, begun_json, read_json
from orchestrator.intake.log_exports import BATCH, events_of_batches
from orchestrator.intake.log_shapes import is_log_of_rows, is_log_table, log_records
from orchestrator.intake.manifest import looks_like_case
from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.peek import Peek, looks_like_log, peek
from orchestrator.intake.shapes import Role, document_role, has_message, records_role, table_role
from subagents.contract import Problem
from subagents.files import PARQUET_MAGIC, read_all
from subagents.metrics.sources.exports import failure_of, is_answer
from subagents.metrics.sources.forms import text_form, unread_form
from subagents.metrics.sources.heads import head_of, numbers_below
from subagents.metrics.sources.naming import TIME_NAMES, first_of
from subagents.metrics.sources.nested import is_event, is_point
from subagents.metrics.sources.recorders import recorder_of

_COMPRESSED = re.compile(r"\.(gz|gzip|zst|zstd)\Z", re.IGNORECASE)
_ROTATED = re.compile(r"[-._](\d{1,4}|\d{4}-?\d\d-?\d\d(?:[T_-]?\d{2,6})?|old|prev(?:ious)?)\Z", re.IGNORECASE)
_NAMED: dict[str, Role] = {
    "alert.json": "alert",
    "alerts.json": "alert",
    "case.json": "manifest",
    "incident.json": "manifest",
    "metrics.csv": "metrics",
    "metrics.json": "metrics",
    "deploys.json": "deploys",
    "deployments.json": "deploys",
    "releases.json": "deploys",
    "commits.json": "commits",
    "flags.json": "flags",
    "feature_flags.json": "flags",
    "traces.json": "spans",
    "spans.json": "spans",
    "trace_edges.csv": "trace_edges",
    "topology.csv": "topology",
    "evidence.json": "evidence",
    "diff.txt": "diff",
    "syslog": "logs",
    "messages": "logs",
    "access_log": "logs",
    "error_log": "logs",
}
_SUFFIXED: dict[str, Role] = {
    "diff": "diff",
    "patch": "diff",
    "log": "logs",
    "jsonl": "logs",
    "ndjson": "logs",
    "txt": "logs",
    "out": "logs",
    "err": "logs",
}
_PROSE = re.compile(
    r"(readme|licen[cs]e|notice|copying|changelog|contributing|requirements|authors|todo)\b", re.IGNORECASE
)
_JSON_ROLES = {"alert", "manifest", "metrics", "deploys", "commits", "flags", "spans", "evidence"}


@dataclass(frozen=True)
class Recognised:
    """What a file is; `role` None means not used, for the reason given."""

    role: Role | None
    reason: str = ""
    todo: str = ""
    document: JsonValue = None
    """The parsed document of alerts, manifests, cases, and of log arrays."""
    encoding: str | None = None
    options: dict[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


def bare_name(name: str) -> str:
    """Return a file name in lower case without its compression suffix."""
    return _COMPRESSED.sub("", name).lower()


def unrotated_name(name: str) -> str:
    """Return a file name in lower case without what compressing and rotating put behind it."""
    base, previous = bare_name(name), ""
    while base != previous:
        previous, base = base, _ROTATED.sub("", base)
    return base


def role_by_name(name: str) -> Role | None:
    """Return what a file's name says it is; None where it says nothing."""
    base = bare_name(name)
    if base in _NAMED:
        return _NAMED[base]
    previous = ""
    while base != previous:
        suffix = base.rpartition(".")[2] if "." in base else ""
        if suffix in _SUFFIXED:
            return None if _PROSE.match(base) else _SUFFIXED[suffix]
        previous, base = base, _ROTATED.sub("", base)
    return _NAMED.get(base)


@dataclass(frozen=True)
class _Look:
    """One file under examination."""

    path: Path
    name: str
    where: str
    """As people are shown it."""
    seen: Peek
    limits: IntakeLimits

    @property
    def base(self) -> str:
        return bare_name(self.name)

    @property
    def by_name(self) -> Role | None:
        return role_by_name(self.name)


def recognise(path: Path, name: str, where: str, limits: IntakeLimits, explicit: bool = False) -> Recognised:
    """Say what a file is; never raises for its content.

    `name` is what its kind is taken from, `where` is how people are shown it; `explicit`: the person gave this
    very file, so that text of no known name is taken as a log.
    """
    look = _Look(path, name, where, peek(path, where), limits)
    seen = look.seen
    if seen.head.startswith(PARQUET_MAGIC) and _is_parquet_of_metrics(path):
        return Recognised("metrics")
    if seen.refused:
        return Recognised(None, seen.refused, seen.todo)
    found: Recognised | None
    if look.base.endswith((".csv", ".tsv")):
        found = _table(seen)
    elif look.by_name in _JSON_ROLES or look.base.endswith(".json"):
        found = _json(look)
    else:
        found = _text(look) or (Recognised("logs") if explicit else None)
    if found is None:
        return Recognised(None, _unknown(look.base))
    late: tuple[Problem, ...] = (seen.problem,) if seen.problem else ()
    unread = unread_form(seen.text) if found.role == "logs" else None
    if unread is not None:
        late += (Problem(what=f"{unread[0]}: read as a log", where=where, todo=unread[1]),)
    return replace(found, encoding=seen.encoding, problems=(*found.problems, *late))


def _unknown(base: str) -> str:
    if base.endswith(".md"):
        return "a note (Markdown counts as a runbook in a `runbooks` folder)"
    if _PROSE.match(base):
        return "documentation"
    return "nothing that warroom knows by name or content"


def _table(seen: Peek) -> Recognised:
    lines = first_lines(seen)
    if recorder_of(seen.text):
        return Recognised("metrics")
    role, options = table_role(lines)
    named = role == "metrics" and not options  # values under names of metrics, whatever is said beside them
    if role in (None, "metrics") and ((not named and is_log_table(lines)) or is_log_of_rows(lines)):
        return Recognised("logs")
    if role is None:
        return Recognised(
            None,
            "a table with columns that warroom does not know",
            "metrics need a time column (`ts` or `timestamp`) and `value`, or service, metric and value",
        )
    return Recognised(role, options=options)


def _is_parquet_of_metrics(path: Path) -> bool:
    from subagents.metrics.sources import parquet

    return table_role(parquet.first_lines(path))[0] == "metrics"


def first_lines(seen: Peek) -> list[str]:
    """Return the whole lines among the first of a text."""
    lines = seen.text.splitlines()
    return lines if seen.whole or len(lines) < 2 else lines[:-1]


def _json(look: _Look) -> Recognised | None:
    by_name = look.by_name
    told_apart = by_name not in (None, "alert", "manifest")
    cap = look.limits.document_bytes if told_apart or by_name is None else look.limits.alert_bytes
    try:
        data, cut = read_all(look.path, look.where, cap)
    except OSError as error:
        return Recognised(None, f"cannot be read ({error.strerror or error})")
    if cut is not None and len(data) >= cap:
        told = by_name if told_apart else document_role(begun_json(look.seen.head))
        if told_apart or told == "metrics":
            return Recognised(told)
        return Recognised(None, cut.what, "give a smaller file")
    try:
        document = read_json(data, look.limits.json_depth)
    except JsonFault as fault:
        return _broken_json(look, cut.what if cut else str(fault))
    role = _role_of(document, by_name)
    if role is None:
        records = log_records(document)
        if records is not None and records_role(records) in (None, "logs"):
            return Recognised("logs", document=records, options={"form": "array"})
        failure = failure_of(document)
        return Recognised(None, f"a query's failure instead of data: {failure}", "ask again") if failure else None
    keep = document if role in ("alert", "manifest", "case", "logs", "evidence") else None
    return Recognised(role, document=keep, options={"form": "array"} if role == "logs" else {})


def _role_of(document: JsonValue, by_name: Role | None) -> Role | None:
    """The name counts, but for alerts, manifests and whole cases, which their shape proves."""
    shape = document_role(document)
    if by_name is None:
        return shape
    if by_name == "alert":
        return "case" if shape == "case" else "alert"
    return shape if shape in ("case", "alert") and (by_name == "manifest" or _is_proven(document)) else by_name


def _is_proven(document: JsonValue) -> bool:
    return payload_kind(document) is not None or looks_like_case(document)


def _broken_json(look: _Look, why: str) -> Recognised:
    told_apart = look.by_name not in (None, "alert", "manifest")
    if not told_apart and _are_metrics(look.seen):
        return Recognised("metrics")
    lines = [line for line in look.seen.head.split(b"\n")[:20] if line.strip()]
    if not told_apart and len(lines) > 1 and all(line.lstrip().startswith(b"{") and line[1:] for line in lines):
        batches = _batches(look) if look.seen.head.startswith(BATCH) else None
        if batches is not None:
            return batches
        named = Problem(what="JSON lines, not one document: read as a log", where=look.where)
        return Recognised("logs", problems=() if look.by_name is None else (named,))
    if not told_apart:
        return Recognised(None, why, "mend the file, or give its content in another way")
    problem = Problem(what=why, where=look.where, lost="what its reader cannot make out", todo="export it again")
    return Recognised(look.by_name, problems=(problem,))


def _text(look: _Look) -> Recognised | None:
    """Logs, diffs and metrics; a pasted alert may have any name."""
    if look.by_name in (None, "logs") and _are_metrics(look.seen):
        return Recognised("metrics")
    journal = form_of(look.seen.head)
    if journal:
        return Recognised("logs", options={"form": journal})
    head = look.seen.text.encode("utf-8", "replace").lstrip(b"\xef\xbb\xbf \t\r\n")
    if look.by_name != "diff" and head[:1] in (b"{", b"["):
        pasted = _pasted_document(look)
        if pasted is not None:
            return pasted
    if look.by_name in (None, "logs") and head.startswith(BATCH):
        batches = _batches(look)
        if batches is not None:
            return batches
    if look.by_name == "diff" or (head.startswith((b"diff --git ", b"--- a/", b"From ")) and b"\n+++ " in head):
        return Recognised("diff")
    if look.by_name == "logs" or (look.by_name is None and not _PROSE.match(look.base) and looks_like_log(head)):
        return Recognised("logs")
    return None


def _batches(look: _Look) -> Recognised | None:
    """A file of which each line holds many events; a longer one stays as it is, and its lines are searched."""
    try:
        data, cut = read_all(look.path, look.where, look.limits.document_bytes)
    except OSError:
        return None
    events = events_of_batches(data, look.limits.json_depth) if cut is None else None
    return Recognised("logs", document=events, options={"form": "array"}) if events is not None else None


def _are_metrics(seen: Peek) -> bool:
    """Say whether a text holds metrics, whatever its name: as lines of samples, a table of numbers, JSON to a line."""
    lines = first_lines(seen)
    if lines and lines[0].lstrip("\ufeff").startswith('{"'):
        begun = [begun_json(line.encode("utf-8", "replace")) for line in lines[:3]]
        records = [one for one in begun if isinstance(one, dict) and not has_message(one)]
        points = len(begun) > 1 and all(map(is_point, begun)) and not any(map(is_event, begun))
        return records == begun and (points or is_answer(begun) or records_role(begun) == "metrics")
    head = head_of(lines)
    table = head is not None and not head.unnamed and first_of(head.names, TIME_NAMES) is not None
    return bool(text_form(seen.text)) or (table and head is not None and numbers_below(head, lines, only=True))


def _pasted_document(look: _Look) -> Recognised | None:
    """An alert or a case under a foreign name; a log's name asks for a shape that leaves no doubt."""
    try:
        data, cut = read_all(look.path, look.where, look.limits.alert_bytes)
        document = None if cut is not None else read_json(data, look.limits.json_depth)
    except (OSError, JsonFault):
        return None
    role = document_role(document)
    log_line = isinstance(document, dict) and "title" not in document and "level" in document
    if role == "alert" and (look.by_name == "logs" or log_line) and not _is_proven(document):
        return None
    return Recognised(role, document=document) if role in ("alert", "case", "manifest") else None
