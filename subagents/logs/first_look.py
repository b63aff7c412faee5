"""The first look at the logs: which window, since when, which known failures, which services."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from subagents.contract import SuspectKind
from subagents.logs.compare import Compared, Spans, bucket_seconds, compare, counts_over, rows_in, spans_of
from subagents.logs.consequences import with_consequences
from subagents.logs.examples import Example
from subagents.logs.flows import flow_breaks
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.machines import OF_THE_MACHINE, killed_one, machine_of, unit_of, workload_of
from subagents.logs.model import (
    SEVERAL,
    HistogramSeries,
    LogsFirstLook,
    Onset,
    Signature,
    Start,
)
from subagents.logs.onset import Rise
from subagents.logs.passages import slow_passages
from subagents.logs.peers import same_service, target_of
from subagents.logs.ranks import rank_services, stands_out
from subagents.logs.records import same_record
from subagents.logs.requests import requests_of
from subagents.logs.signatures import KILLED, Known, around_wording, recognise, told_quietly
from subagents.logs.some_events import some_of, some_of_each
from subagents.logs.sources.timestamps import microseconds, moment
from subagents.logs.terms import readable, terms_of
from subagents.logs.windows import Chosen

if TYPE_CHECKING:
    import polars as pl

SIGNATURES = 12
BENEATH = frozenset({"DNS", "unreachable"})
"""Kinds that say nothing of the peer itself: names and networks fail beneath it, and do not spread along calls."""
WIDE = 3
"""Services that fail alike for peers of their own from which what lies beneath them is at fault, and none of them."""
SHARED: frozenset[SuspectKind] = frozenset(("resource", "host", "traffic"))
SURE_RATIO = 6.0
"""Nats; a new message of this surprise is not one that was just not due yet."""
TIMELINES = 12
STARTS_BEFORE = timedelta(minutes=30)
"""How long before the window a start of a program is still worth telling."""
MOST_STARTS = 30
"""A message that is logged more often is no start."""
_STARTS = (
    r"(?i)\b(?:starting|started|booting|listening on|application (?:is )?ready|initialized|initializing|server running|"
    r"now serving|restarted|restarting|shutting down|terminating|received sigterm|rolling out|deployed)\b"
)
"""Rust regex"""


@dataclass(frozen=True)
class Member:
    """A pattern that shows a known kind of failure."""

    known: Known
    compared: Compared
    example: Example
    target: str | None
    inside: bool
    """The target is a service whose own logs are here."""
    unit: str | None = None
    """Whom it befell, where programs of the machine tell of it."""


def first_look(logs: LogSet, index: LogIndex, chosen: Chosen) -> tuple[LogsFirstLook, list[tuple[Place, str]]]:
    """Return the first look and the places to cite."""
    spans = spans_of(index, chosen.window, chosen.baseline)
    compared = compare(index, spans)
    places: list[tuple[Place, str]] = []
    inside = rows_in(index, spans.window)
    before = rows_in(index, spans.baseline) if spans.baseline is not None else inside.clear()
    errors, baseline_errors = _errors(inside), _errors(before)
    bucket = bucket_seconds(spans.window)
    found = signatures(logs, index, spans, compared, places)
    services = rank_services(logs, index, spans, places)
    rise = chosen.rise or _new_trouble(compared, spans)
    onset = _onset(logs, rise, places) if rise is not None else None
    requests = requests_of(logs, index, spans)
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
        baseline_seconds=spans.baseline_seconds,
        window_seconds=spans.window_seconds,
        starts=tuple(_starts(logs, index, spans, places)),
        flows=flow_breaks(logs, requests, spans, places),
        slow=slow_passages(logs, requests, spans, places),
        followed=requests.read,
    )
    return look, places


def _onset(logs: LogSet, rise: Rise, places: list[tuple[Place, str]]) -> Onset:
    place = Place(rise.source, rise.byte, rise.lines)
    places.append((place, "first event of the rise"))
    return Onset(
        at=moment(rise.at),
        how=rise.what,
        before_per_minute=rise.before_per_minute,
        after_per_minute=rise.after_per_minute,
        citation=logs.ref(place),
    )


def _new_trouble(compared: list[Compared], spans: Spans) -> Rise | None:
    """Where errors as a whole do not rise: the first of the severe messages that are surely new."""
    sure = [
        each
        for each in compared
        if each.severe and each.change == "new" and each.surprise >= SURE_RATIO and each.first is not None
    ]
    if not sure:
        return None
    first = min(sure, key=lambda each: each.first or 0)
    return Rise(
        at=first.first or 0,
        source=first.source,
        byte=first.byte,
        lines=first.lines,
        before_per_minute=0.0,
        after_per_minute=round(first.count * 60 / max(spans.window_seconds, 1.0), 3),
        what="a severe message that is new begins",
    )


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
    logs: LogSet, index: LogIndex, spans: Spans, compared: list[Compared], places: list[tuple[Place, str]]
) -> list[Signature]:
    """Return the known kinds of failure among patterns that are new, bursting or rare, strongest first."""
    services = [name for name in index.services.to_list() if name]
    groups: dict[tuple[str, str], list[Member]] = {}
    shown = [(each, index.examples[each.key]) for each in _speaking(compared, spans)]
    kinds = [recognise(f"{example.text}\n{readable(example.raw, example.text)}") for _, example in shown]
    inside = rows_in(index, spans.window)
    units = _befell(logs, inside, [one for one, known in zip(shown, kinds, strict=True) if known is not None])
    for (each, example), known in zip(shown, kinds, strict=True):
        if known is not None:
            target = _target(known, each, example, services)
            if target is not None and _varies(logs, inside, each, services, known, target):
                target = None
            member = Member(known, each, example, target, target in services, units.get(each.id))
            groups.setdefault((known.name, _group(member)), []).append(member)
    _told_by_one(groups)
    _put_together(groups)
    ranked = sorted(groups.items(), key=lambda item: -max(member.compared.score for member in item[1]))
    found = []
    for (_, key), members in ranked[:SIGNATURES]:
        record = _record(logs, index, spans, members) if members[0].known.kind == "data" else None
        found.append(_signature(logs, spans, record or key or _where(index, members), members, places, record))
    return with_consequences(found)


def _speaking(compared: list[Compared], spans: Spans) -> list[Compared]:
    """Return the patterns that may show a failure: bad ones that differ, and wordings that hide among what is usual."""
    bad = [each.severe or each.level >= WARN for each in compared]
    quiet = [
        not is_bad and bool(each.count) and (stands_out(each, spans) or not spans.baseline_seconds)
        for is_bad, each in zip(bad, compared, strict=True)
    ]
    told = told_quietly([each.text if asked else "" for asked, each in zip(quiet, compared, strict=True)])
    rows = zip(compared, bad, told, strict=True)
    return [each for each, is_bad, is_told in rows if is_told or (is_bad and stands_out(each, spans))]


def _told_by_one(groups: dict[tuple[str, str], list[Member]]) -> None:
    """Put what a program of the machine tells of nobody by name with the one whom, by its words, the same befell."""
    for name, key in [each for each in groups if each[1] in OF_THE_MACHINE]:
        units = {
            other
            for other in groups
            if other[0] == name and any(one.unit and _speaker(one.compared) == key for one in groups[other])
        }
        if len(units) == 1:
            groups[units.pop()] += groups.pop((name, key))


def _put_together(groups: dict[tuple[str, str], list[Member]]) -> None:
    """Make one of what fails alike at several services for several peers: that is beneath them, and no one peer."""
    for name in BENEATH:
        mine = [key for key in groups if key[0] == name]
        members = [member for key in mine for member in groups[key]]
        speakers = {service for member in members for service in member.compared.services}
        peers = {member.target for member in members} - {None}
        varied = any(member.target is None and len(member.compared.services) >= WIDE for member in members)
        if len(speakers) < WIDE or not (varied or len(peers) >= WIDE):
            continue
        for key in mine:
            del groups[key]
        groups[name, f"{len(speakers)}{SEVERAL}"] = [replace(one, target=None, inside=False) for one in members]


def _record(logs: LogSet, index: LogIndex, spans: Spans, members: list[Member]) -> str | None:
    """Return the one record that the events of these patterns are about, looking at some over all of the window."""
    import polars as pl

    rows = rows_in(index, spans.window).filter(pl.col("key").is_in([member.compared.key for member in members]))
    return same_record(some_of(logs, rows.unique("t0").sort("t0")))


def _varies(logs: LogSet, inside: pl.DataFrame, each: Compared, services: list[str], known: Known, target: str) -> bool:
    """Say whether the peer that the example names is one of many: each service has its own, or most events another."""
    import polars as pl

    wide = known.name in BENEATH and len(each.services) >= WIDE
    if not wide and target.casefold() in each.text.casefold():
        return False  # the template has it, so all events do
    rows = inside.filter(pl.col("key").is_in(list(each.keys))).sort("t0")
    some = rows.unique("service", keep="first", maintain_order=True) if wide else rows
    told = [target_of(text, text, services, each.services) for text in some_of(logs, some)]
    named = [one for one in told if one is not None]
    return len(set(named)) >= WIDE if wide else 2 * named.count(target) <= len(named)


def _target(known: Known, each: Compared, example: Example, services: list[str]) -> str | None:
    if not known.named:
        return None
    target = target_of(example.raw, example.text, services, each.services)
    found = None if target is None else same_service(target, services) or target
    varies = len(each.services) > 1 and found in each.services  # who speaks of itself as a peer: the others name others
    return None if varies else found


def _group(member: Member) -> str:
    """Return what tells members of one kind apart: the peer, or who fails; a resource that runs out is one thing."""
    if member.target is not None:
        return member.target
    return "" if member.known.kind in SHARED else member.unit or _speaker(member.compared)


def _befell(logs: LogSet, inside: pl.DataFrame, shown: list[tuple[Compared, Example]]) -> dict[str, str | None]:
    """Return, by pattern, the unit of systemd's, or the workload of Kubernetes', that programs of the machine tell of.

    Pods are named in words with digits: what the first one tells of need not be what all do.
    """
    import polars as pl

    of_the_machine = [(each, example) for each, example in shown if _speaker(each) in OF_THE_MACHINE]
    found = {each.id: unit_of([each.text]) for each, _ in of_the_machine}
    asked = [each for each, example in of_the_machine if found[each.id] is None and workload_of([example.text])]
    rows = [inside.filter(pl.col("key").is_in(list(each.keys))).sort("t0") for each in asked]
    named = some_of_each(logs, rows)
    return found | {each.id: workload_of(texts) for each, texts in zip(asked, named, strict=True)}


def _where(index: LogIndex, members: list[Member]) -> str:
    """Return what a resource ran out for, where programs of the machine tell of it; else who tells first."""
    if members[0].known.name == KILLED:
        victim = killed_one([member.compared.text for member in members])
        if victim is not None:
            return victim
    first = min(members, key=lambda member: member.compared.first or 0).compared
    hosts = [host for member in members for key in member.compared.keys for host in index.hosts(key)]
    return machine_of(_speaker(first), hosts) or _speaker(first)


def _speaker(each: Compared) -> str:
    return each.services[0] if each.services else "an unnamed program"


def _signature(
    logs: LogSet,
    spans: Spans,
    key: str,
    members: list[Member],
    places: list[tuple[Place, str]],
    record: str | None = None,
) -> Signature:
    by_time = sorted(members, key=lambda member: member.compared.first or 0)
    begins = by_time[0]
    compared = [member.compared for member in by_time]
    earliest = begins.compared
    place = Place(earliest.source, earliest.byte, earliest.lines)
    known = begins.known
    places.append((place, known.name))
    named = begins.target is not None or record is not None
    speakers = tuple(dict.fromkeys(name for each in compared for name in each.services))
    ours = known.kind == "dependency" and begins.inside
    kind: SuspectKind = "service" if ours and known.name not in BENEATH else known.kind
    return Signature(
        name=known.name,
        kind=kind,
        key=key if named else f"{known.name} in {key}",
        named=named,
        label=f"{known.name}: {key}" if named else f"{known.name} in {key}",
        explains=known.explains,
        count=sum(each.count for each in compared),
        baseline_count=spans.expected(sum(each.baseline_events for each in compared)),
        services=speakers[:12],
        first_seen=moment(earliest.first) if earliest.first is not None else None,
        last_seen=moment(max(each.last or 0 for each in compared)),
        example=around_wording(known, begins.example.text)[:300],
        citation=logs.ref(place),
        patterns=tuple(each.id for each in compared),
        terms=terms_of(*[readable(member.example.raw, member.example.text) for member in members[:3]]),
        record=record,
        ours=ours,
        unit=_the_one({member.unit for member in members}) if OF_THE_MACHINE.issuperset(speakers) else None,
        wide=known.name in BENEATH and not named and len(speakers) >= WIDE,
    )


def _the_one(units: set[str | None]) -> str | None:
    named = units - {None}
    return named.pop() if len(named) == 1 else None


def _starts(logs: LogSet, index: LogIndex, spans: Spans, places: list[tuple[Place, str]]) -> list[Start]:
    """Return starts and stops of programs from a while before the window on, in time order."""
    import polars as pl

    texts = pl.Series([example.text[:300] for example in index.examples], dtype=pl.String)
    keys = texts.str.contains(_STARTS).arg_true().cast(pl.UInt32)
    low = microseconds(spans.window.start - STARTS_BEFORE)
    rows = index.table.filter(pl.col("key").is_in(keys.implode()) & ~pl.col("severe"))
    often = rows.group_by("key").agg(pl.col("n").sum()).filter(pl.col("n") <= MOST_STARTS)["key"]
    rows = rows.filter(pl.col("key").is_in(often.implode()) & (pl.col("t0") >= low)).sort("t0")
    rows = (
        rows.filter(pl.col("t0") < microseconds(spans.window.end)).unique(["key", "service"], keep="first").sort("t0")
    )
    found = []
    for row in rows.head(12).iter_rows(named=True):
        place = Place(row["source"], row["byte"], row["lines"])
        places.append((place, "a program starts or stops"))
        example = index.examples[row["key"]]
        found.append(
            Start(
                service=row["service"],
                at=moment(row["t0"]),
                text=example.text[:300],
                citation=logs.ref(place),
                terms=terms_of(readable(example.raw, example.text)),
            )
        )
    return found
