"""Traces: edges per minute, a topology, or single spans. They give call-graph edges, series and hop gaps."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from subagents.files import read_all
from subagents.metrics.series import Edge, Hop, Points, Span, Wait, hop_key, wait_key
from subagents.metrics.sources.documents import decode_json
from subagents.metrics.sources.naming import TIME_NAMES, first_of
from subagents.metrics.sources.stamps import stamp_of
from subagents.metrics.sources.table import Faults, numbers_of, read_table, stamps_of

CALLER_NAMES = ("caller", "source", "from", "parent", "client", "upstream")
CALLEE_NAMES = ("callee", "service", "target", "to", "child", "server", "destination")
CLIENT_SPAN = r"^HTTP (GET|POST|PUT|PATCH|DELETE|HEAD)$"
"""How OpenTelemetry names the client's side of an HTTP call: it does not say whom it calls."""
CALLS_NAMES = ("calls", "count", "requests", "n")


def read_topology(path: Path, faults: Faults) -> list[Edge]:
    """Read caller,callee[,calls]; repeated pairs add up."""
    table = read_table(path, faults)
    if table is None:
        return []
    caller, callee = first_of(table.header, CALLER_NAMES), first_of(table.header, CALLEE_NAMES)
    if caller is None or callee is None or caller == callee:
        faults.note("no caller and callee columns", lost="the call graph", todo="name the columns caller,callee")
        return []
    calls = first_of(table.header, CALLS_NAMES)
    counts = numbers_of(table.text(calls)) if calls else np.zeros(len(table))
    total: dict[tuple[str, str], float] = defaultdict(float)
    bad: list[int] = []
    rows = zip(table.text(caller).to_list(), table.text(callee).to_list(), counts, table.line.to_list(), strict=True)
    for one, other, count, line in rows:
        if one and other:
            total[(one, other)] += float(count) if np.isfinite(count) else 0.0
        else:
            bad.append(line)
    faults.add("the caller or the callee is empty", bad)
    return [Edge(one, other, count) for (one, other), count in total.items() if one != other]


@dataclass
class TraceEdges:
    """What a file of trace edges gives: series, the call graph, and what hops cost."""

    points: Points = field(default_factory=Points)
    edges: list[Edge] = field(default_factory=list)
    hops: list[Hop] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)


def read_trace_edges(path: Path, source: str, faults: Faults) -> TraceEdges:
    """Read ts,caller,service,operation,count,p50_ms,p95_ms,max_ms.

    A row whose caller is the service itself is work inside it, or its client's side of a call. Where the same
    operation also appears with a callee, the difference is what the hop between them costs.
    """
    found = TraceEdges()
    table = read_table(path, faults)
    if table is None:
        return found
    time, caller = first_of(table.header, TIME_NAMES), first_of(table.header, CALLER_NAMES)
    callee, count = first_of(table.header, CALLEE_NAMES), first_of(table.header, CALLS_NAMES)
    if not (time and caller and callee and count):
        faults.note("no time, caller, service and count columns", lost="the trace edges")
        return found
    frame = pl.DataFrame(
        {
            "t": stamps_of(table.text(time), faults),
            "caller": table.text(caller),
            "callee": table.text(callee),
            "op": plain_operation(table.text("operation")) if "operation" in table.header else [""] * len(table),
            "n": numbers_of(table.text(count)),
            "line": table.line,
        }
    )
    for name in ("p50_ms", "p95_ms", "max_ms"):
        column = numbers_of(table.text(name)) if name in table.header else np.full(len(table), np.nan)
        frame = frame.with_columns(pl.Series(name, column))
    usable = pl.col("t").is_finite() & pl.col("n").is_finite() & (pl.col("callee") != "")
    faults.add("the time, the service or the count is not readable", frame.filter(~usable)["line"].to_list())
    frame = frame.filter(usable)
    between = frame.filter((pl.col("caller") != pl.col("callee")) & (pl.col("caller") != ""))
    _edge_series(between, found.points)
    totals = between.group_by("caller", "callee", maintain_order=True).agg(pl.col("n").sum())
    found.edges = [Edge(a, b, float(n)) for a, b, n in totals.iter_rows()]
    found.hops = _hops(frame, between, source)
    found.waits = _waits(frame, between, source, found.edges)
    for hop in found.hops:
        found.points.add(hop.callee, hop_key(hop).name, hop.times, hop.gap_ms)
    for wait in found.waits:
        found.points.add(wait.caller, wait_key(wait).name, wait.times, wait.worst_ms)
    return found


def plain_operation(names: pl.Series) -> pl.Series:
    """Return operations without what tracers of different languages put before one RPC's name."""
    return names.str.replace(r"^/", "").str.replace(r"^(?i)(grpc|rpc|http)[.:/]+", "")


def _edge_series(between: pl.DataFrame, points: Points) -> None:
    """Add calls and p95 per caller and callee, as series of the callee."""
    grouped = between.group_by("caller", "callee", "t", maintain_order=True).agg(
        pl.col("n").sum(), (pl.col("p95_ms") * pl.col("n")).sum().alias("w") / pl.col("n").sum()
    )
    for (one, other), rows in grouped.sort("t").group_by("caller", "callee", maintain_order=True):
        times = rows["t"].to_numpy()
        points.add(str(other), f"calls_from_{one}", times, rows["n"].to_numpy().astype(float))
        slow = rows["w"].to_numpy().astype(float)
        fine = np.isfinite(slow)
        if fine.any():
            points.add(str(other), f"p95_ms_from_{one}", times[fine], slow[fine])


def _hops(frame: pl.DataFrame, between: pl.DataFrame, source: str) -> list[Hop]:
    own = frame.filter(pl.col("caller") == pl.col("callee")).select(
        "t", "caller", "op", pl.col("p50_ms").alias("waited")
    )
    pairs = between.join(own, on=["t", "caller", "op"], how="inner").filter(
        pl.col("waited").is_finite() & pl.col("p50_ms").is_finite()
    )
    weight = pl.col("n") / pl.col("n").sum()
    grouped = (
        pairs.group_by("caller", "callee", "t")
        .agg(
            ((pl.col("waited") - pl.col("p50_ms")) * weight).sum().alias("gap"),
            (pl.col("p50_ms") * weight).sum().alias("served"),
        )
        .sort("caller", "callee", "t")
    )
    hops = []
    for (one, other), rows in grouped.group_by("caller", "callee", maintain_order=True):
        times, gap, served = (rows[name].to_numpy().astype(float) for name in ("t", "gap", "served"))
        hops.append(Hop(source, str(one), str(other), times, gap, served))
    return hops


def _waits(frame: pl.DataFrame, between: pl.DataFrame, source: str, edges: list[Edge]) -> list[Wait]:
    client = frame.filter((pl.col("caller") == pl.col("callee")) & pl.col("op").str.contains(CLIENT_SPAN))
    mine = client.group_by("caller", "t").agg(pl.col("p50_ms").max().alias("c50"), pl.col("max_ms").max().alias("cmax"))
    theirs = between.group_by("caller", "t").agg(
        pl.col("p50_ms").max().alias("s50"), pl.col("max_ms").max().alias("smax")
    )
    both = mine.join(theirs, on=["caller", "t"], how="inner").sort("caller", "t")
    waits = []
    for (caller,), rows in both.group_by("caller", maintain_order=True):
        times, c50, cmax, s50, smax = (rows[n].to_numpy().astype(float) for n in ("t", "c50", "cmax", "s50", "smax"))
        calls = {edge.callee: edge.calls for edge in edges if edge.caller == caller}
        total = sum(calls.values()) or 1.0
        shares = tuple((callee, count / total) for callee, count in sorted(calls.items()))
        waits.append(Wait(source, str(caller), times, cmax - smax, c50 - s50, smax, shares))
    return waits


def read_spans(path: Path, faults: Faults) -> tuple[list[Span], list[Edge]]:
    """Read spans.json: a list of spans, an object holding one, or JSON lines."""
    raw, problem = read_all(path, faults.name)
    if problem is not None:
        faults.problems.append(problem)
    tree, _ = decode_json(raw, faults)
    if isinstance(tree, dict):
        tree = next((tree[key] for key in ("spans", "traces", "data") if isinstance(tree.get(key), list)), [tree])
    if not isinstance(tree, list):
        faults.note("holds no list of spans", lost="the spans", todo="give an array of spans, or one span a line")
        tree = []
    spans = [span for row in tree if isinstance(row, dict) for span in _spans_of(row)]
    untimed = sum(span.start is None for span in spans)
    if untimed:
        faults.note("spans without a readable start", lost="their place in time", count=untimed)
    return spans, edges_of(spans)


def _spans_of(row: dict[str, Any]) -> list[Span]:
    inner = row.get("spans")
    if isinstance(inner, list):
        trace = str(row.get("trace_id") or row.get("traceID") or "")
        return [_span(item, trace) for item in inner if isinstance(item, dict)]
    return [_span(row, "")]


def _text(row: dict[str, Any], *names: str) -> str:
    return next((str(row[name]) for name in names if row.get(name) not in (None, "")), "")


def _span(row: dict[str, Any], trace: str) -> Span:
    duration = next((row[n] for n in ("duration_ms", "durationMs", "duration") if n in row), None)
    usable = isinstance(duration, int | float) and not isinstance(duration, bool) and np.isfinite(duration)
    start = next((row[n] for n in ("start", "start_time", "startTime", "ts", "timestamp") if n in row), None)
    attributes = row.get("attributes", row.get("tags"))
    peer = _text(row, "peer", "peer_service") or (
        _text(attributes, "peer.service", "peer_service") if isinstance(attributes, dict) else ""
    )
    return Span(
        trace_id=_text(row, "trace_id", "traceId", "traceID") or trace,
        span_id=_text(row, "span_id", "spanId", "spanID", "id"),
        parent_id=_text(row, "parent_id", "parentId", "parent_span_id", "parentSpanId", "parentSpanID"),
        service=_text(row, "service", "service_name", "serviceName"),
        name=_text(row, "name", "operation", "operationName"),
        start=stamp_of(start),
        duration_ms=float(duration) if usable and duration is not None else None,
        status=_text(row, "status", "status_code"),
        error=_text(row, "error", "error_message", "exception"),
        peer=peer,
    )


def edges_of(spans: list[Span]) -> list[Edge]:
    """Return who calls whom, by parents of another service and by named peers."""
    owner = {(span.trace_id, span.span_id): span.service for span in spans}
    calls: dict[tuple[str, str], float] = defaultdict(float)
    for span in spans:
        parent = owner.get((span.trace_id, span.parent_id), "")
        if parent and span.service and parent != span.service:
            calls[(parent, span.service)] += 1
        if span.peer and span.service and span.peer != span.service:
            calls[(span.service, span.peer)] += 1
    return [Edge(one, other, count) for (one, other), count in calls.items()]
