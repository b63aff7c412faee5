"""Which services the logs speak against, and what is told first: one fault counts once, however many routes show it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from subagents.logs.compare import Compared, Spans, compare_services, rows_in
from subagents.logs.index import LogIndex
from subagents.logs.levels import WARN
from subagents.logs.log_set import LogSet, Place
from subagents.logs.model import ServiceEvidence
from subagents.logs.sources.timestamps import moment

SERVICES = 60
MOST_BAD, MOST_TELLING = 5, 3
"""Kinds of evidence that count: what is bad, and what is new or bursting, bad or not."""
TELLING_SHARE = 0.2
REQUESTS_SHARE = 0.5
"""What statuses of requests weigh beside what a service says itself: that they fail shows that users are hurt behind
it, and a fault anywhere below does that; an error, a panic or a trace of its own is nearer to where it began."""
ROUTES_TOLD = 3
"""Requests that changed alike are told so often before everything else: the rest say what these do."""
_STATUS = re.compile(r" status=([1-5])\d\d$")
"""Where statuses stand that were read: behind the message. See `sources.access` and `sources.statuses`."""


def status_class(template: str) -> str | None:
    """Return the class of the status that requests of a template were answered with, such as `5xx`; else None."""
    found = _STATUS.search(template)
    return f"{found[1]}xx" if found is not None else None


def stands_out(each: Compared, spans: Spans) -> bool:
    """Say whether a pattern differs from its baseline; without a baseline every severe one has to be looked at."""
    if not spans.baseline_seconds:
        return each.severe and each.count > 0
    return each.change in ("new", "burst", "rare")


def weights_of(found: Iterable[Compared], most: int) -> list[float]:
    """Return what each kind of evidence weighs, the most telling first: requests of one class of status are one.

    A fault that N routes run into would otherwise count N times, each method and path being a template of its own.
    """
    weights = dict[str, float]()
    for each in found:
        status = status_class(each.text)
        weight = each.score if status is None else REQUESTS_SHARE * each.score
        kind = status or each.id
        weights[kind] = max(weights.get(kind, 0.0), weight)
    return sorted(weights.values(), reverse=True)[:most]


@dataclass(frozen=True)
class MoreRoutes:
    """Requests that changed as some do that are told first: of the same services and class of status."""

    templates: int
    events: int


def routes_last(found: Sequence[Compared]) -> tuple[list[Compared], dict[str, MoreRoutes]]:
    """Put all but a few of the requests that changed alike behind everything else, the order otherwise kept.

    Return with it what stands behind, by the id of the last one that does not.
    """
    alike = dict[tuple[object, ...], list[Compared]]()
    for each in found:
        status = status_class(each.text)
        if status is not None:
            alike.setdefault((status, each.change, each.services), []).append(each)
    behind = {each.id for routes in alike.values() for each in routes[ROUTES_TOLD:]}
    more = {
        routes[ROUTES_TOLD - 1].id: MoreRoutes(
            len(routes) - ROUTES_TOLD, sum(each.count or each.baseline_events for each in routes[ROUTES_TOLD:])
        )
        for routes in alike.values()
        if len(routes) > ROUTES_TOLD
    }
    return sorted(found, key=lambda each: each.id in behind), more


def rank_services(
    logs: LogSet, index: LogIndex, spans: Spans, places: list[tuple[Place, str]]
) -> list[ServiceEvidence]:
    """Rank services by how much what they log has changed for the worse."""
    import polars as pl

    inside = rows_in(index, spans.window)
    totals = inside.drop_nulls("service").group_by("service").agg(pl.col("n").sum()).sort("n", descending=True)
    found = []
    for service, compared in compare_services(index, spans, totals["service"].head(SERVICES).cast(pl.String).to_list()):
        telling = [each for each in compared if stands_out(each, spans)]
        bad = [each for each in telling if each.severe or each.level >= WARN]
        severe = [each for each in compared if each.severe and each.count]
        score = sum(weights_of(bad, MOST_BAD)) + TELLING_SHARE * sum(weights_of(telling, MOST_TELLING))
        first = min((each for each in severe if stands_out(each, spans)), key=lambda e: e.first or 0, default=None)
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
                baseline_errors=spans.expected(sum(each.baseline_events for each in severe)),
                new_patterns=sum(each.change == "new" for each in bad),
                first_severe=moment(first.first) if first and first.first is not None else None,
                citation=logs.ref(place) if place is not None else None,
            )
        )
    return sorted(found, key=lambda each: (-each.score, each.service))
