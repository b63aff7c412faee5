"""What a file is: by its name, confirmed or corrected by its content."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from orchestrator.intake.alerts import payload_kind
from orchestrator.intake.json_door import JsonFault, read_json
from orchestrator.intake.model import IntakeLimits
from orchestrator.intake.peek import Peek, looks_like_log, peek
from orchestrator.intake.shapes import Role, document_role, table_role
from subagents.contract import Problem
from subagents.files import read_all

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
_GENERIC = {
    *("app", "application", "log", "logs", "error", "errors", "access", "stdout", "stderr", "out", "output", "err"),
    *("syslog", "messages", "system", "server", "service", "events", "event", "console", "debug", "info", "warn"),
    *("trace", "main", "current", "latest", "combined", "all", "container", "pod", "kern", "dmesg", "journal"),
    *("stdin", "incident", "sample", "data", "dump", "audit", "before", "after", "baseline"),
}


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


def log_service(name: str) -> str | None:
    """Return the service that a log's file name names (`checkout.log`, `checkout-2024-05-01.log.gz`), if it does."""
    stem = _COMPRESSED.sub("", name)
    previous = ""
    while stem != previous:
        previous = stem
        stem = _ROTATED.sub("", re.sub(r"\.(log|jsonl|ndjson|txt|out|err)\Z", "", stem, flags=re.IGNORECASE))
    return stem if stem and stem.lower() not in _GENERIC else None


def recognise(path: Path, name: str, limits: IntakeLimits, explicit: bool = False) -> Recognised:
    """Say what a file is; never raises for its content.

    `explicit`: the person gave this very file, so that text of no known name is taken as a log.
    """
    seen = peek(path, name)
    if seen.refused:
        return Recognised(None, seen.refused, seen.todo)
    by_name = role_by_name(name)
    base = bare_name(name)
    found: Recognised | None
    if base.endswith((".csv", ".tsv")) or by_name in ("trace_edges", "topology"):
        found = _table(seen, by_name)
    elif by_name in _JSON_ROLES or base.endswith(".json"):
        found = _json(path, name, seen, by_name, limits)
    else:
        found = _text(path, name, seen, by_name, limits)
        if found is None and explicit:
            found = Recognised("logs")
    if found is None:
        return Recognised(None, _unknown(base), problems=())
    late = (seen.problem,) if seen.problem else ()
    return Recognised(
        found.role, found.reason, found.todo, found.document, seen.encoding, found.options, (*found.problems, *late)
    )


def _unknown(base: str) -> str:
    if base.endswith(".md"):
        return "a note (Markdown counts as a runbook in a `runbooks` folder)"
    if _PROSE.match(base):
        return "documentation"
    return "nothing that warroom knows by name or content"


def _table(seen: Peek, by_name: Role | None) -> Recognised | None:
    header = seen.text.lstrip("\r\n").partition("\n")[0].rstrip("\r")
    role, options = table_role(header[:4096])
    if role is None:
        return Recognised(
            None,
            "a table with columns that warroom does not know",
            "metrics need a time column (`ts` or `timestamp`) and `value`, or service, metric and value",
        )
    return Recognised(role, options=options)


def _json(path: Path, name: str, seen: Peek, by_name: Role | None, limits: IntakeLimits) -> Recognised | None:
    if by_name == "evidence":
        return Recognised("evidence")
    cap = limits.alert_bytes if by_name in ("alert", "manifest") else limits.document_bytes
    try:
        data, cut = read_all(path, name, cap)
    except OSError as error:
        return Recognised(None, f"cannot be read ({error.strerror or error})")
    if cut is not None and len(data) >= cap:
        if by_name is None or by_name in ("alert", "manifest"):
            return Recognised(None, cut.what, "give a smaller file")
        return Recognised(by_name)
    try:
        document = read_json(data, limits.json_depth)
    except JsonFault as fault:
        return _broken_json(seen, by_name, name, fault)
    role = document_role(document)
    if by_name in ("alert", "manifest"):
        role = role if role in ("alert", "manifest", "case") else by_name
        if by_name == "alert" and role == "manifest":
            role = "alert"
        return Recognised(role, document=document)
    if role is not None and by_name is not None and role != by_name and role not in ("alert", "case"):
        role = by_name
    role = role or by_name
    if role is None:
        return None
    keep = document if role in ("alert", "manifest", "case", "logs") else None
    options = {"form": "array"} if role == "logs" else {}
    return Recognised(role, document=keep, options=options)


def _broken_json(seen: Peek, by_name: Role | None, name: str, fault: JsonFault) -> Recognised | None:
    lines = [line for line in seen.head.split(b"\n")[:20] if line.strip()]
    if by_name in (None, "alert", "manifest") and len(lines) > 1 and all(n.lstrip().startswith(b"{") for n in lines):
        return Recognised("logs", problems=() if by_name is None else (Problem(what=str(fault), where=name),))
    if by_name is None or by_name in ("alert", "manifest"):
        return Recognised(None, str(fault), "mend the file, or give its content in another way")
    problem = Problem(what=str(fault), where=name, lost="what its reader cannot make out", todo="export it again")
    return Recognised(by_name, problems=(problem,))


def _text(path: Path, name: str, seen: Peek, by_name: Role | None, limits: IntakeLimits) -> Recognised | None:
    """Logs and diffs; a pasted alert may have any name."""
    head = seen.head.lstrip(b"\xef\xbb\xbf \t\r\n")
    if (by_name != "diff" and head[:1] in (b"{", b"[")) or seen.encoding not in (None, "utf-8-sig"):
        pasted = _pasted_document(path, name, limits, proven=by_name == "logs")
        if pasted is not None:
            return pasted
    if by_name == "diff" or (head.startswith((b"diff --git ", b"--- a/", b"From ")) and b"\n+++ " in head):
        return Recognised("diff")
    if by_name == "logs" or (by_name is None and not _PROSE.match(bare_name(name)) and looks_like_log(head)):
        return Recognised("logs")
    return None


def _pasted_document(path: Path, name: str, limits: IntakeLimits, proven: bool) -> Recognised | None:
    """An alert or a case under a foreign name; `proven`: only a payload whose shape leaves no doubt."""
    try:
        data, cut = read_all(path, name, limits.alert_bytes)
        document = None if cut is not None else read_json(data, limits.json_depth)
    except (OSError, JsonFault):
        return None
    role = document_role(document)
    doubtful = proven or (isinstance(document, dict) and "title" not in document and "level" in document)
    if role == "alert" and doubtful and payload_kind(document) is None:
        return None
    return Recognised(role, document=document) if role in ("alert", "case", "manifest") else None
