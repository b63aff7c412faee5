"""A window against its baseline: what is new, what bursts, what vanished, and how surprising each is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.contract import Window
from subagents.logs.counts import BUCKET_SECONDS, STEP
from subagents.logs.held import Held, by_service, by_template
from subagents.logs.held import bucket_range as bucket_range
from subagents.logs.held import rows_in as rows_in
from subagents.logs.index import LogIndex
from subagents.logs.levels import DEBUG, ERROR, FATAL, INFO, TRACE, UNKNOWN, WARN
from subagents.logs.sources.timestamps import microseconds, moment

if TYPE_CHECKING:
    import polars as pl

    from subagents.logs.model import Change, Timeline

_WEIGHT = {UNKNOWN: 0.6, TRACE: 0.2, DEBUG: 0.25, INFO: 0.5, WARN: 1.4, ERROR: 3.0, FATAL: 3.5}
_BY_WORDS = 2.2
BURST_FACTOR = 3.0
BURST_SURPRISE = 6.0
RARE_EVENTS = 3
TIMELINE_BUCKETS = 120


@dataclass(frozen=True)
class Spans:
    """The two windows on the index's grid, and how much of each the logs cover, in seconds."""

    window: Window
    baseline: Window | None
    window_seconds: float
    baseline_seconds: float

    @property
    def scale(self) -> float:
        """What a baseline count is multiplied with; 0 where there is no baseline."""
        return self.window_seconds / self.baseline_seconds if self.baseline_seconds else 0.0

    def expected(self, baseline_events: float) -> float | None:
        """Return a baseline count scaled to the window; None where there is no baseline."""
        return round(baseline_events * self.scale, 2) if self.baseline_seconds else None


@dataclass(frozen=True, slots=True)
class Compared:
    """One template in both windows."""

    template: int
    key: int
    text: str
    level: int
    severe: bool
    change: Change
    count: int
    baseline_events: int
    baseline_count: float
    surprise: float
    score: float
    services: tuple[str, ...]
    sources: tuple[int, ...]
    first: int | None
    last: int | None
    source: int
    byte: int
    lines: int
    keys: tuple[int, ...]

    @property
    def id(self) -> str:
        """The same template has the same id."""
        return "p-" + hashlib.sha256(f"{self.level} {self.text}".encode()).hexdigest()[:10]

    @property
    def factor(self) -> float | None:
        """How many times its baseline; None where that is nothing."""
        return self.count / self.baseline_count if self.baseline_count else None


def on_grid(window: Window) -> Window:
    """Return the window widened to whole buckets."""
    first, end = bucket_range(window)
    return Window(start=moment(first * STEP), end=moment(end * STEP))


def spans_of(index: LogIndex, window: Window, baseline: Window | None) -> Spans:
    """Put both windows on the grid and measure how much of each the logs cover."""
    inner = on_grid(window)
    before = on_grid(baseline) if baseline is not None and baseline.seconds > 0 else None
    if before is not None and before.end > inner.start:
        before = Window(start=min(before.start, inner.start), end=inner.start)
    return Spans(inner, before, covered(index, inner), covered(index, before) if before is not None else 0.0)


def covered(index: LogIndex, window: Window) -> float:
    """Return the seconds of a window in which the logs can be taken to be there."""
    first, end = bucket_range(window)
    return float(len(_reached(index.buckets, first, end)) * BUCKET_SECONDS)


def covered_buckets(rows: pl.DataFrame, first: int, end: int) -> Any:
    """Return the buckets (numpy, sorted) from `first` to `end` that are not in a gap far above the usual."""
    return _reached(rows["bucket"].drop_nulls().unique().sort().to_numpy(), first, end)


def _reached(buckets: Any, first: int, end: int) -> Any:
    import numpy as np

    buckets = buckets[np.searchsorted(buckets, first) : np.searchsorted(buckets, end)]
    if not len(buckets):
        return buckets
    gaps = np.diff(np.append(buckets, end))
    usual = int(max(6.0, 6.0 * float(np.median(gaps))))
    lead = np.arange(max(first, int(buckets[0]) - usual), int(buckets[0]))
    parts = [np.arange(start, start + min(gap, usual)) for start, gap in zip(buckets, gaps, strict=True)]
    return np.concatenate([lead, *parts])


def surprise(count: int, baseline: int, spans: Spans) -> float:
    """Return the Poisson log-likelihood ratio (nats) of two rates against one; 0 without a baseline."""
    if not spans.baseline_seconds or not spans.window_seconds:
        return 0.0
    total = count + baseline
    share = spans.window_seconds / (spans.window_seconds + spans.baseline_seconds)
    ratio = 0.0
    if count:
        ratio += count * math.log(count / (total * share))
    if baseline:
        ratio += baseline * math.log(baseline / (total * (1 - share)))
    return max(ratio, 0.0)


def compare(index: LogIndex, spans: Spans, service: str | None = None) -> list[Compared]:
    """Compare every template of both windows, most telling first."""
    return _compared(index, spans, *by_template(index, (spans.window, spans.baseline), service))


def compare_services(index: LogIndex, spans: Spans, services: Sequence[str]) -> Iterator[tuple[str, list[Compared]]]:
    """Yield `compare` for each of these services, more cheaply."""
    for service, (now, then) in by_service(index, (spans.window, spans.baseline), services):
        yield service, _compared(index, spans, now, then)


def _compared(index: LogIndex, spans: Spans, now: Mapping[int, Held], then: Mapping[int, Held]) -> list[Compared]:
    texts = [template.text for template in index.different]
    found = [
        _one(texts[each], now.get(each) or then[each], now.get(each), then.get(each), spans)
        for each in now.keys() | then.keys()
    ]
    return sorted(found, key=lambda each: (-each.score, each.first or 0, each.text, each.level))


def _one(text: str, held: Held, now: Held | None, then: Held | None, spans: Spans) -> Compared:
    count, baseline = now.count if now else 0, then.count if then else 0
    scaled = baseline * spans.scale
    ratio = surprise(count, baseline, spans)
    change = _change(count, baseline, scaled, ratio, severe=held.severe, has_baseline=spans.baseline_seconds > 0)
    weight = _BY_WORDS if held.severe and held.level == UNKNOWN else _WEIGHT[held.level]
    return Compared(
        template=held.template,
        key=held.keys[0],
        text=text,
        level=held.level,
        severe=held.severe,
        change=change,
        count=count,
        baseline_events=baseline,
        baseline_count=scaled,
        surprise=ratio,
        score=_score(change, ratio, weight, count, severe=held.severe),
        services=held.services,
        sources=held.sources,
        first=now.first if now else None,
        last=held.last,
        source=held.source,
        byte=held.byte,
        lines=held.lines,
        keys=held.keys,
    )


def _change(count: int, baseline: int, scaled: float, ratio: float, *, severe: bool, has_baseline: bool) -> Change:
    if not has_baseline:
        return "rare" if severe and count <= RARE_EVENTS else "steady"
    if count and not baseline:
        return "new"
    if count >= 5 and count >= BURST_FACTOR * scaled and ratio >= BURST_SURPRISE:
        return "burst"
    if (not count and ratio >= 3) or (count <= scaled / 20 and ratio >= 10):
        return "vanished"
    if severe and count and count + baseline <= RARE_EVENTS:
        return "rare"
    return "steady"


def _score(change: Change, ratio: float, weight: float, count: int, *, severe: bool) -> float:
    if change == "steady":
        return 0.1 * weight * math.log1p(count) if severe else 0.0
    if change == "vanished":
        return 0.6 * math.log1p(ratio)
    base = weight * math.log1p(ratio)
    return base + (0.5 * weight if severe or change == "new" else 0.0)


def timeline(index: LogIndex, window: Window, keys: tuple[int, ...]) -> Timeline:
    """Return the counts of the templates of some keys over a window, per minute or coarser."""
    import polars as pl

    from subagents.logs.model import Timeline

    bucket = bucket_seconds(window)
    rows = rows_in(index, window).filter(pl.col("template").is_in([index.template_of(key) for key in keys]))
    return Timeline(start=window.start, bucket_seconds=bucket, counts=counts_over(rows, window, bucket))


def bucket_seconds(window: Window, most: int = TIMELINE_BUCKETS) -> int:
    """Return a bucket of whole minutes that cuts a window into at most `most` parts."""
    return max(60, math.ceil(window.seconds / most / 60) * 60)


def counts_over(rows: pl.DataFrame, window: Window, bucket: int) -> tuple[int, ...]:
    """Sum `n` over buckets of `bucket` seconds from the window's start."""
    counts = [0] * max(1, math.ceil(window.seconds / bucket))
    start = microseconds(window.start) // 1_000_000
    for ten_seconds, n in zip(rows["bucket"].to_list(), rows["n"].to_list(), strict=True):
        place = (ten_seconds * BUCKET_SECONDS - start) // bucket
        if 0 <= place < len(counts):
            counts[place] += n
    return tuple(counts)
