"""The first look at the logs: which window, since when, which known failures, which services."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from subagents.contract import Window
from subagents.logs.compare import Compared, Spans, bucket_seconds, compare, counts_over, rows_in, spans_of
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.model import (
    HistogramSeries,
    LogsFirstLook,
    Onset,
    ServiceEvidence,
    Signature,
)
from subagents.logs.onset import Rise, find_rise
from subagents.logs.signatures import Known, recognise, same_service, target_of
from subagents.logs.sources.timestamps import moment
from subagents.logs.terms import readable, terms_of

if TYPE_CHECKING:
    import polars as pl

LEAD = timedelta(minutes=15)
"""Before the alert: pages fire late."""
MARGIN = timedelta(seconds=60)
"""Before a start that a person gave."""
SERVICES = 60
TIMELINES = 12


@dataclass(frozen=True)
class IncidentTimes:
    """What is known of the incident's times."""

    started_at: datetime | None = None
    fired_at: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True)
class Chosen:
    """The windows that the comparison uses, and why."""

    window: Window
    baseline: Window | None
    derived: str
    rise: Rise | None


def log_span(index: LogIndex) -> Window | None:
    """Return the time from the first to the last dated event."""
    table = index.table
    if not table.height or table["t0"].null_count() == table.height:
        return None
    return Window(start=moment(int(table["t0"].min())), end=moment(int(table["t1"].max()) + 1))  # type: ignore[arg-type]


def choose_windows(index: LogIndex, known: IncidentTimes) -> Chosen | None:
    """Choose incident window and baseline; None where no event has a time."""
    span = log_span(index)
    if span is None:
        return None
    end = min(known.end, span.end) if known.end is not None and known.end > span.start else span.end
    if known.started_at is not None and known.started_at < end:
        start = known.started_at - MARGIN
        window = Window(start=start, end=end)
        rise = find_rise(index, Window(start=span.start, end=end))
        return _chosen(span, window, "from a minute before the given start of impact", rise)
    searched = Window(start=span.start, end=end)
    rise = find_rise(index, searched)
    if rise is not None and (known.fired_at is None or moment(rise.at) <= known.fired_at + timedelta(minutes=5)):
        window = Window(start=moment(rise.at) - timedelta(seconds=10), end=end)
        return _chosen(span, window, f"derived from the logs: {rise.what} rise at {moment(rise.at):%H:%M:%S} UTC", rise)
    if known.fired_at is not None and known.fired_at - LEAD < end:
        window = Window(start=known.fired_at - LEAD, end=end)
        return _chosen(span, window, "from 15 min before the alert: the logs show no rise of errors before it", rise)
    if known.start is not None and known.start < end:
        window = Window(start=known.start, end=end)
        return _chosen(span, window, "the incident's own window: the logs show no rise of errors in it", rise)
    return _chosen(span, searched, "all of the logs: the incident gives no window and errors do not rise", rise)


def _chosen(span: Window, window: Window, derived: str, rise: Rise | None) -> Chosen:
    baseline = Window(start=span.start, end=window.start) if window.start > span.start else None
    return Chosen(window, baseline, derived + ("" if baseline else "; the logs hold nothing before it"), rise)


def first_look(logs: LogSet, index: LogIndex, chosen: Chosen) -> tuple[LogsFirstLook, list[tuple[Place, str]]]:
    """Return the first look and the places to cite."""
    spans = spans_of(index, chosen.window, chosen.baseline)
    compared = compare(index, spans)
    places: list[tuple[Place, str]] = []
    inside = rows_in(index, spans.window)
    before = rows_in(index, spans.baseline) if spans.baseline is not None else inside.clear()
    errors, baseline_errors = _errors(inside), _errors(before)
    bucket = bucket_seconds(spans.window)
    found = signatures(logs, index, compared, places)
    services = rank_services(logs, index, spans, places)
    onset = None
    if chosen.rise is not None:
        place = Place(chosen.rise.source, chosen.rise.byte, chosen.rise.lines)
        places.append((place, "first event of the rise"))
        onset = Onset(
            at=moment(chosen.rise.at),
            how=f"{chosen.rise.what} rise",
            before_per_minute=chosen.rise.before_per_minute,
            after_per_minute=chosen.rise.after_per_minute,
            citation=logs.ref(place),
        )
    look = LogsFirstLook(
        window=spans.window,
        baseline=spans.baseline,
        derived=chosen.derived,
        onset=onset,
        errors=errors,
        baseline_errors=baseline_errors,
        baseline_errors_scaled=round(baseline_errors * spans.scale, 2),
        timelines=_timelines(inside, spans, bucket),
        timeline_start=spans.window.start,
        bucket_seconds=bucket,
        signatures=tuple(found),
        services=tuple(services),
    )
    return look, places


def _errors(rows: pl.DataFrame) -> int:
    return int(rows.filter(rows["severe"])["n"].sum()) if rows.height else 0


def _timelines(inside: pl.DataFrame, spans: Spans, bucket: int) -> tuple[HistogramSeries, ...]:
    import polars as pl

    severe = inside.filter(pl.col("severe")).with_columns(pl.col("service").fill_null("(no service named)"))
    totals = severe.group_by("service").agg(pl.col("n").sum()).sort("n", "service", descending=[True, False])
    return tuple(
        HistogramSeries(
            name=service,
            total=total,
            counts=counts_over(severe.filter(pl.col("service") == service), spans.window, bucket),
        )
        for service, total in totals.head(TIMELINES).iter_rows()
    )


def signatures(
    logs: LogSet, index: LogIndex, compared: list[Compared], places: list[tuple[Place, str]], most: int = 12
) -> list[Signature]:
    """Return the known kinds of failure among patterns that are new, bursting or rare, strongest first."""
    services = [name for name in index.table["service"].drop_nulls().unique().to_list() if name]
    groups: dict[tuple[str, str], list[tuple[Known, Compared, str]]] = {}
    for each in compared:
        if each.change not in ("new", "burst", "rare") or not (each.severe or each.level >= WARN):
            continue
        raw = index.examples[each.key].raw
        text = readable(raw)
        known = recognise(text)
        if known is None:
            continue
        groups.setdefault((known.name, _key(known, raw, text, each, services)), []).append((known, each, raw))
    ranked = sorted(groups.items(), key=lambda item: -max(each.score for _, each, _ in item[1]))
    return [_signature(logs, key, members, services, places) for (_, key), members in ranked[:most]]


def _key(known: Known, raw: str, text: str, each: Compared, services: list[str]) -> str:
    target = target_of(raw, text) if known.named else None
    if target is not None:
        return same_service(target, services) or target
    return each.services[0] if each.services else "unnamed"


def _signature(
    logs: LogSet,
    key: str,
    members: list[tuple[Known, Compared, str]],
    services: list[str],
    places: list[tuple[Place, str]],
) -> Signature:
    known, best, raw = max(members, key=lambda member: member[1].score)
    earliest = min((each for _, each, _ in members), key=lambda each: each.first or 0)
    place = Place(earliest.source, earliest.byte, earliest.lines)
    places.append((place, known.name))
    kind = "service" if known.kind == "dependency" and key in services else known.kind
    own = key in best.services
    return Signature(
        name=known.name,
        kind=kind,
        key=key if known.named and not own else f"{known.name}@{key}",
        label=f"{known.name}: {key}",
        explains=known.explains,
        count=sum(each.count for _, each, _ in members),
        baseline_count=round(sum(each.baseline_count for _, each, _ in members), 2),
        services=tuple(dict.fromkeys(name for _, each, _ in members for name in each.services))[:12],
        first_seen=moment(earliest.first) if earliest.first is not None else None,
        last_seen=moment(max(each.last or 0 for _, each, _ in members)),
        example=readable(raw)[:300],
        citation=logs.ref(place),
        terms=terms_of(*[text for _, _, text in members[:3]]),
    )


def rank_services(
    logs: LogSet, index: LogIndex, spans: Spans, places: list[tuple[Place, str]]
) -> list[ServiceEvidence]:
    """Rank services by how much what they log has changed for the worse."""
    import polars as pl

    inside = rows_in(index, spans.window)
    totals = inside.drop_nulls("service").group_by("service").agg(pl.col("n").sum()).sort("n", descending=True)
    found = []
    for service in totals["service"].head(SERVICES).to_list():
        compared = compare(index, spans, service)
        telling = [each for each in compared if each.change in ("new", "burst", "rare")]
        bad = [each for each in telling if each.severe or each.level >= WARN]
        severe = [each for each in compared if each.severe and each.count]
        score = sum(each.score for each in bad[:5]) + 0.2 * sum(each.score for each in telling[:3])
        first = min((each for each in severe if each.change != "steady"), key=lambda e: e.first or 0, default=None)
        if score <= 0:
            continue
        place = Place(first.source, first.byte, first.lines) if first else None
        if place is not None:
            places.append((place, f"first severe event of {service}"))
        found.append(
            ServiceEvidence(
                service=service,
                score=round(score, 3),
                errors=sum(each.count for each in severe),
                baseline_errors=round(sum(each.baseline_count for each in severe), 2),
                new_patterns=sum(each.change == "new" for each in bad),
                first_severe=moment(first.first) if first and first.first is not None else None,
                citation=logs.ref(place) if place is not None else None,
            )
        )
    return sorted(found, key=lambda each: (-each.score, each.service))
