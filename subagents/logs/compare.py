"""A window against its baseline: what is new, what bursts, what vanished, and how surprising each is."""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from subagents.contract import Window
from subagents.logs.counts import BUCKET_SECONDS, STEP
from subagents.logs.index import LogIndex
from subagents.logs.levels import DEBUG, ERROR, FATAL, INFO, TRACE, UNKNOWN, WARN
from subagents.logs.model import Change, Timeline
from subagents.logs.sources.timestamps import microseconds, moment

if TYPE_CHECKING:
    import polars as pl

_WEIGHT = {UNKNOWN: 0.6, TRACE: 0.2, DEBUG: 0.25, INFO: 0.5, WARN: 1.4, ERROR: 3.0, FATAL: 3.5}
_BY_WORDS = 2.2
BURST_FACTOR = 3.0
BURST_SURPRISE = 6.0
RARE_EVENTS = 3
TIMELINE_BUCKETS = 120
ROWS_AT_ONCE = 150_000


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


def bucket_range(window: Window) -> tuple[int, int]:
    """Return the index buckets that a window touches, half open."""
    return microseconds(window.start) // STEP, -(-microseconds(window.end) // STEP)


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


def rows_in(index: LogIndex, window: Window) -> pl.DataFrame:
    """Return the index's rows in a window."""
    import polars as pl

    first, end = bucket_range(window)
    return index.table.filter((pl.col("bucket") >= first) & (pl.col("bucket") < end))


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
    parts, found = index.table.height // ROWS_AT_ONCE + 1, list[Compared]()
    for part in range(parts):
        now, then = (_by_template(index, window, service, (part, parts)) for window in (spans.window, spans.baseline))
        found += [_one(index.templates, now.get(each), then.get(each), spans) for each in now.keys() | then.keys()]
    return sorted(found, key=lambda each: (-each.score, each.first or 0, each.text))


def _by_template(
    index: LogIndex, window: Window | None, service: str | None, part: tuple[int, int]
) -> dict[int, dict[str, Any]]:
    """Return what a window holds of each template; of a large index, some templates at a time are put together."""
    import polars as pl

    if window is None:
        return {}
    first, end = bucket_range(window)
    wanted = (pl.col("bucket") >= first) & (pl.col("bucket") < end)
    if service is not None:
        wanted &= pl.col("service") == service
    if part[1] > 1:
        wanted &= pl.col("template") % part[1] == part[0]
    return {row["template"]: row for row in _grouped(index.table.filter(wanted)).iter_rows(named=True)}


def _grouped(rows: pl.DataFrame) -> pl.DataFrame:
    import polars as pl

    return (
        rows.sort("t0", maintain_order=True)
        .group_by("template", maintain_order=True)
        .agg(
            pl.col("key").first(),
            pl.col("n").sum(),
            pl.col("severity").first(),
            pl.col("severe").first(),
            first=pl.col("t0").min(),
            last=pl.col("t1").max(),
            source=pl.col("source").first(),
            byte=pl.col("byte").first(),
            lines=pl.col("lines").first(),
            services=pl.col("service").drop_nulls().unique(maintain_order=True).head(12),
            sources=pl.col("source").unique(maintain_order=True).head(12),
            keys=pl.col("key").unique(maintain_order=True).head(64),
        )
    )


def _one(names: list[Any], now: dict[str, Any] | None, then: dict[str, Any] | None, spans: Spans) -> Compared:
    row = now or then or {}
    count, baseline = (now or {}).get("n", 0), (then or {}).get("n", 0)
    scaled = baseline * spans.scale
    ratio = surprise(count, baseline, spans)
    level = row["severity"]
    change = _change(count, baseline, scaled, ratio, severe=row["severe"], has_baseline=spans.baseline_seconds > 0)
    weight = _BY_WORDS if row["severe"] and level == UNKNOWN else _WEIGHT[level]
    return Compared(
        template=row["template"],
        key=row["key"],
        text=names[row["key"]].text,
        level=level,
        severe=row["severe"],
        change=change,
        count=count,
        baseline_events=baseline,
        baseline_count=scaled,
        surprise=ratio,
        score=_score(change, ratio, weight, count, severe=row["severe"]),
        services=tuple(row["services"]),
        sources=tuple(row["sources"]),
        first=now["first"] if now else None,
        last=(now or row)["last"],
        source=row["source"],
        byte=row["byte"],
        lines=row["lines"],
        keys=tuple(row["keys"]),
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
    """Return the counts of some keys over a window, per minute or coarser."""
    import polars as pl

    bucket = bucket_seconds(window)
    rows = rows_in(index, window).filter(pl.col("key").is_in(list(keys)))
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
