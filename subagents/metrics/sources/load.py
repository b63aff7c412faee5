"""From source specs to one store, read once per process and again when a file changes."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from subagents.contract import Coverage, Problem, Progress, SourceSpec, Telling, Window
from subagents.files import open_bounded
from subagents.metrics.model import KINDS
from subagents.metrics.series import Edge, Frame, Points, Store, build_frames
from subagents.metrics.sources.documents import read_metric_json
from subagents.metrics.sources.doubts import keep_step
from subagents.metrics.sources.forms import unread_form
from subagents.metrics.sources.histograms import with_quantiles
from subagents.metrics.sources.means import with_means
from subagents.metrics.sources.points import read_metric_csv
from subagents.metrics.sources.stamps import moment
from subagents.metrics.sources.table import Faults
from subagents.metrics.sources.texts import BEGINNING, read_metric_text
from subagents.metrics.sources.traces import read_spans, read_topology, read_trace_edges
from subagents.metrics.superseding import superseding
from subagents.quantities import counted

Marks = tuple[tuple[str, tuple[int, int]], ...]
KEPT = 4
"""Stores that are kept, of as many sets of sources or states of their files."""
_kept: OrderedDict[Marks, Store] = OrderedDict()
_lock = threading.Lock()


def load(specs: tuple[SourceSpec, ...], progress: Telling = lambda made: None) -> Store:
    """Return everything the specs hold; a source that cannot be read leaves a problem, never an error."""
    marks = tuple((spec.model_dump_json(), _mark(Path(spec.path))) for spec in specs if spec.kind in KINDS)
    with _lock:
        if marks in _kept:
            _kept.move_to_end(marks)
            return _kept[marks]
    store = _load(marks, progress)
    with _lock:
        _kept[marks] = store
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return store


def _mark(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return (0, 0)
    return (stat.st_size, stat.st_mtime_ns)


@dataclass
class _SoFar:
    """Tells how much of the files is read, and what they hold until now."""

    store: Store
    sizes: tuple[int, ...]
    progress: Telling
    place: int = 0
    """Which file is being read."""

    def of_file(self, name: str) -> Callable[[int], None]:
        """Return what is told of one file while it is read: its bytes."""

        def on_read(read: int) -> None:
            self.progress(lambda: self.made(name, read))

        return on_read

    def made(self, name: str, read: int) -> Progress:
        """Return how far it is, so many bytes into a file."""
        series = sum(len(frame.keys) for frame in self.store.frames)
        which = f"{name}, file {self.place + 1} of {len(self.sizes)}" if len(self.sizes) > 1 else name
        said = f"{which}; {series:,} series so far" if series else which
        done = sum(self.sizes[: self.place]) + min(read, self.sizes[self.place])
        return Progress(done=done, total=sum(self.sizes), text=said)


def _load(marks: Marks, progress: Telling) -> Store:
    store = Store()
    so_far = _SoFar(store, tuple(size for _, (size, _) in marks), progress)
    for place, (text, _) in enumerate(marks):
        spec = SourceSpec.model_validate_json(text)
        name = spec.origin or Path(spec.path).name
        so_far.place = place
        faults = Faults(name, on_read=so_far.of_file(Path(name).name))
        faults.on_read(0)
        try:
            coverage = _read(spec, store, faults)
        except OSError as error:
            faults.note(
                f"cannot be opened ({error.strerror or type(error).__name__})",
                lost="the whole file",
                todo="check that it exists and may be read",
            )
            coverage = Coverage(source=spec.id, kind=spec.kind)
        except Exception as error:  # one file of a form nobody thought of must not take the other sources along
            faults.note(
                f"could not be understood ({type(error).__name__})",
                lost="the whole file",
                todo="report it with a line of it",
            )
            coverage = Coverage(source=spec.id, kind=spec.kind)
        store.coverage.append(coverage.model_copy(update={"problems": faults.all()}))
    store.edges = _merged(store.edges)
    made = superseding(store.frames)
    store.frames, store.older = made.frames, made.older
    store.coverage = [
        one.model_copy(update={"problems": one.problems + made.problems(one.source)}) for one in store.coverage
    ]
    return store


def _read(spec: SourceSpec, store: Store, faults: Faults) -> Coverage:
    path, layout = Path(spec.path), ""
    points = Points()
    dropped_before = sum(faults.counts.values())
    if spec.kind == "topology":
        edges = read_topology(path, faults)
        store.edges += edges
        return Coverage(source=spec.id, kind=spec.kind, items=len(edges), understood=len(edges), layout="caller,callee")
    if spec.kind == "spans":
        return _read_spans(spec, store, faults)
    if spec.kind == "trace_edges":
        traces = read_trace_edges(path, spec.id, faults)
        points = traces.points
        store.edges += traces.edges
        store.hops += traces.hops
        store.waits += traces.waits
        layout = "edges per minute"
    else:
        points, layout = _read_points(path, faults, spec.options.get("service", ""))
    points = with_means(with_quantiles(points, faults), faults)
    frames, duplicates = build_frames(spec.id, points)
    if duplicates:
        faults.note(
            "more than one value at one time, or within one step: the last counts",
            lost=counted(duplicates, "point"),
            count=duplicates,
        )
    left_out = len(set(points.labels)) - sum(len(frame.keys) for frame in frames)
    if left_out:
        faults.note(
            "more series and moments than are held at once",
            lost=f"{left_out} series",
            todo="give fewer of them to a file, or a shorter time",
            count=left_out,
        )
    if spec.kind == "metrics" and not frames and not any(problem.lost for problem in faults.problems):
        faults.note("no usable point", lost="the whole file", todo="check the time and value columns")
    store.frames += frames
    dropped = sum(faults.counts.values()) - dropped_before
    return _coverage(spec, frames, layout, dropped + duplicates)


def _read_points(path: Path, faults: Faults, service: str) -> tuple[Points, str]:
    named_json = any(suffix in {".json", ".jsonl", ".ndjson"} for suffix in path.suffixes[-2:])
    text = None if named_json else read_metric_text(path, faults, service)
    if text is not None:
        return text
    beginning = _beginning(path)
    unread = unread_form(beginning.decode("utf-8", "replace"))
    if unread is not None:
        faults.note(unread[0], lost="the whole file", todo=unread[1])
        return Points(), ""
    as_json = named_json or beginning.lstrip(b"\xef\xbb\xbf \t\r\n").startswith((b"{", b"["))
    return (read_metric_json if as_json else read_metric_csv)(path, faults, service)


def _beginning(path: Path) -> bytes:
    stream, _ = open_bounded(path)
    with stream:
        return stream.peek(BEGINNING)[:BEGINNING]


def _read_spans(spec: SourceSpec, store: Store, faults: Faults) -> Coverage:
    spans, edges = read_spans(Path(spec.path), faults)
    store.spans[spec.id] = spans
    store.edges += edges
    stamps = [span.start for span in spans if span.start is not None]
    return Coverage(
        source=spec.id,
        kind=spec.kind,
        items=len(spans),
        understood=len(stamps),
        dropped=len(spans) - len(stamps),
        span=Window(start=moment(min(stamps)), end=moment(max(stamps) + 1e-6)) if stamps else None,
        layout="spans",
    )


def _coverage(spec: SourceSpec, frames: list[Frame], layout: str, dropped: int) -> Coverage:
    count = int(sum(np.isfinite(frame.values).sum() for frame in frames))
    firsts = [float(frame.times[0]) for frame in frames]
    lasts = [float(frame.times[-1]) for frame in frames]
    return Coverage(
        source=spec.id,
        kind=spec.kind,
        items=count + dropped,
        understood=count,
        dropped=dropped,
        span=Window(start=moment(min(firsts)), end=moment(max(lasts) + 1e-6)) if frames else None,
        layout=layout,
    )


def _merged(edges: list[Edge]) -> list[Edge]:
    """Keep each pair once, with the largest count that any source gives: two sources describe the same calls."""
    best: dict[tuple[str, str], float] = {}
    for edge in edges:
        pair = (edge.caller, edge.callee)
        best[pair] = max(best.get(pair, 0.0), edge.calls)
    return [Edge(one, other, calls) for (one, other), calls in sorted(best.items())]


def gaps(frame: Frame) -> list[Problem]:
    """Describe holes in time that all series of a frame share; events that come when they come leave none."""
    if frame.step <= 0 or len(frame.times) < 3 or not keep_step(frame.times):
        return []
    holes = np.flatnonzero(np.diff(frame.times) > 1.5 * frame.step)
    return [
        Problem(
            what=f"no points of any series from {moment(float(frame.times[i])):%Y-%m-%d %H:%M:%SZ} "
            f"to {moment(float(frame.times[i + 1])):%H:%M:%SZ}",
            where=frame.keys[0].source,
            lost="what happened in between",
        )
        for i in holes[:5]
    ]
