"""Who calls whom, from whatever the session has: topology.csv, trace_edges.csv, spans.json. Best effort, bounded."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from subagents.contract import SourceSpec
from subagents.files import read_all

_LIMIT = 64 << 20
_CALLER = ("caller", "source", "src", "parent", "from", "client")
_CALLEE = ("callee", "target", "dst", "destination", "child", "to", "server")


def read_calls(specs: Sequence[SourceSpec]) -> frozenset[tuple[str, str]]:
    """Return (caller, callee) pairs; a source that cannot be read adds none, as others report its faults."""
    found: set[tuple[str, str]] = set()
    for spec in specs:
        if spec.kind not in ("topology", "trace_edges", "spans"):
            continue
        try:
            data, _ = read_all(Path(spec.path), limit=_LIMIT)
        except OSError:
            continue
        found |= _from_spans(data) if spec.kind == "spans" else _from_csv(data)
    return frozenset((a, b) for a, b in found if a and b and a != b)


def _from_csv(data: bytes) -> set[tuple[str, str]]:
    text = data.decode("utf-8", "replace").lstrip("\ufeff").replace("\0", "")
    rows = csv.reader(io.StringIO(text, newline=""))
    found: set[tuple[str, str]] = set()
    try:
        header = [name.strip().lower() for name in next(rows, [])]
        caller = next((header.index(name) for name in _CALLER if name in header), None)
        callee = next((header.index(name) for name in _CALLEE if name in header), None)
        if caller is None or callee is None:
            return found
        for row in rows:
            if len(row) > max(caller, callee):
                found.add((row[caller].strip(), row[callee].strip()))
    except csv.Error:
        pass
    return found


def _from_spans(data: bytes) -> set[tuple[str, str]]:
    import orjson

    try:
        spans = orjson.loads(data)
    except orjson.JSONDecodeError:
        return set()
    if isinstance(spans, dict):
        spans = next((value for value in spans.values() if isinstance(value, list)), [])
    service_of: dict[tuple[str, str], str] = {}
    rows = [span for span in spans if isinstance(span, dict)] if isinstance(spans, list) else []
    for span in rows:
        service_of[str(span.get("trace_id")), str(span.get("span_id"))] = str(span.get("service") or "")
    return {
        (service_of.get((str(span.get("trace_id")), str(span.get("parent_id") or span.get("parent_span_id"))), ""),
         str(span.get("service") or ""))
        for span in rows
    }  # fmt: skip
