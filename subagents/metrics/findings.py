"""How the metrics specialist words what it found: few findings, each cited, numbers as facts."""

from __future__ import annotations

from datetime import datetime, timedelta

from subagents import quantities as q
from subagents.contract import Fact, Finding, Suspect, SuspectKind
from subagents.hosts import outside_host
from subagents.metrics.model import (
    TRAFFIC_SURGE,
    CoverageReport,
    EdgesReport,
    OnsetsReport,
    RankReport,
    SeriesView,
    ServiceRank,
)
from subagents.metrics.render import amount, onset_of
from subagents.metrics.sequence import in_order, together

SURGE = 1.5
"""Traffic, after / before, from which it is a candidate cause."""
STEADY = (0.75, 1.25)
"""Traffic, after / before, within which it is ruled out."""
SATURATES = ("saturation", "queue", "memory", "restarts", "ready", "lag", "host")
TELLING = (
    "latency",
    "error_ratio",
    "error_count",
    "availability",
    "hit_ratio",
    "saturation",
    "queue",
    "restarts",
    "ready",
    "lag",
)
"""Roles whose onsets tell an order: levels of memory, traffic and hosts drift for reasons of their own."""
LEAD = timedelta(hours=2)
"""So long before the symptom what left its baseline first tells more than size."""
NAMED_ORIGINS = 3
LEAST_SCORE = 0.25


def gap(claim: str, weight: float) -> Finding:
    """Return a finding that something could not be seen."""
    return Finding(agent="metrics", claim=claim, topic="gap", weight=weight)


def _sentence(view: SeriesView) -> str:
    verb = "spreads" if view.spread else ("rose" if view.rising else "fell")
    factor = f", {q.figure(view.factor)} times" if view.factor is not None and view.factor >= 1.05 else ""
    numbers = f"from {amount(view.baseline, view.unit)} to {amount(view.peak, view.unit)}{factor}"
    return f"{view.title} {verb} {numbers}, from {onset_of(view)}"


def _state(view: SeriesView) -> str:
    latest = amount(view.latest, view.unit)
    return {
        "ongoing": f"ongoing, now at {latest}",
        "recovering": f"recovering, now at {latest}",
        "recovered": f"recovered, now at {latest}",
        "unknown": f"now at {latest}",
    }[view.state]


def _terms(*views: SeriesView) -> tuple[str, ...]:
    return tuple(dict.fromkeys(view.name for view in views))


def _onset_facts(view: SeriesView) -> tuple[Fact, ...]:
    return tuple(fact for fact in view.facts if fact.quantity in (q.ONSET, q.BASELINE, q.PEAK, q.FACTOR))


def symptom(view: SeriesView, why: str) -> Finding:
    """Say what is wrong, since when, how large, and how it stands."""
    return Finding(
        agent="metrics",
        claim=f"{_sentence(view)}; {_state(view)} (taken as the symptom: {why}).",
        topic="symptom",
        weight=0.9,
        facts=view.facts,
        citations=(view.citation,),
        services=(view.service,) if view.service else (),
        at=view.onset,
        terms=_terms(view),
    )


def firsts(moved: tuple[SeriesView, ...], since: datetime) -> list[SeriesView]:
    """Return each service's earliest telling series from a moment on, in order of onset."""
    seen: dict[str, SeriesView] = {}
    for view in moved:
        if not view.hurts or view.onset is None or view.onset < since or view.spread or view.role not in TELLING:
            continue
        held = seen.get(view.service)
        if held is None or held.onset is None or (view.onset, -view.size) < (held.onset, -held.size):
            seen[view.service] = view
    return sorted(seen.values(), key=lambda v: (v.onset or since, -v.size))


def order(symptom_view: SeriesView, moved: tuple[SeriesView, ...], rank: RankReport) -> list[Finding]:
    """Say what moved first and which services followed, around the symptom's onset."""
    if symptom_view.onset is None:
        return []
    best = rank.services[0].score if rank.services else 0.0
    relevant = {item.service for item in rank.services if item.score > 0.2 * best} | {symptom_view.service}
    earliest = symptom_view.onset - timedelta(minutes=30)
    line = [v for v in firsts(moved, earliest) if v.service in relevant]
    if len(line) < 2:
        return []
    shown = line[:6]
    more = f"; then {len(line) - len(shown)} more services" if len(line) > len(shown) else ""
    lead = "In order of onset" if len(together(shown)) > 1 or more else "Which moved first cannot be told"
    return [
        Finding(
            agent="metrics",
            claim=f"{lead}: {in_order(shown)}{more}.",
            topic="order",
            weight=0.5,
            facts=tuple(f for view in shown for f in view.facts if f.quantity == q.ONSET),
            citations=tuple(view.citation for view in shown),
            services=tuple(view.service for view in shown if view.service),
            at=shown[0].onset,
            terms=_terms(*shown),
        )
    ]


def likewise(symptom_view: SeriesView, moved: tuple[SeriesView, ...]) -> list[Finding]:
    """Say to which other services fewer requests come, too, where that is the symptom."""
    if not symptom_view.stays_away:
        return []
    others = {v.service: v for v in moved if v.stays_away and v.beyond and v.service != symptom_view.service}
    views = [others[service] for service in sorted(others)]
    if not views:
        return []
    told = ", ".join(f"{v.title} {amount(v.baseline, v.unit)} -> {amount(v.latest, v.unit)}" for v in views[:6])
    more = f" and {len(views) - 6} more" if len(views) > 6 else ""
    return [
        Finding(
            agent="metrics",
            claim=f"Fewer requests come elsewhere, too: {told}{more}.",
            topic="order",
            weight=0.5,
            facts=tuple(f for v in views[:6] for f in v.facts if f.quantity in (q.BASELINE, q.LATEST)),
            citations=tuple(v.citation for v in views[:6]),
            services=tuple(v.service for v in views if v.service),
            terms=_terms(*views[:6]),
        )
    ]


def _suspect_of(service: str, rank: ServiceRank, instrumented: set[str]) -> Suspect:
    hop_only = bool(rank.reasons) and all(reason.kind == "hop" for reason in rank.reasons)
    outside = service.endswith("_remote") or service.count(".") >= 2
    kind: SuspectKind = "dependency" if outside or (service not in instrumented and not hop_only) else "service"
    return Suspect(kind=kind, key=service, label=service)


def origins(rank: RankReport, moved: tuple[SeriesView, ...]) -> list[Finding]:
    """Name the services that explain the symptom best, with what speaks for each; series may be of none."""
    out = []
    instrumented = {view.service for view in moved}
    services = [item for item in rank.services if item.service]
    best = rank.services[0].score if rank.services else 0.0
    by_citation = {view.citation: view for view in moved}
    for place, item in enumerate(services[:NAMED_ORIGINS]):
        reasons = [r for r in item.reasons if r.strength > 0.05][:3]
        if not reasons or item.score < LEAST_SCORE or item.score < 0.4 * best:
            continue
        views = [by_citation[r.citation] for r in reasons if r.citation in by_citation]
        citations = tuple(dict.fromkeys(r.citation for r in reasons if r.citation))
        lead = "By the metrics alone, it most likely began at" if place == 0 else "It may also have begun at"
        out.append(
            Finding(
                agent="metrics",
                claim=f"{lead} {item.service}: " + "; ".join(r.text for r in reasons) + ".",
                topic="order" if place == 0 else "onset",
                about=_suspect_of(item.service, item, instrumented),
                stance="for",
                weight=round(min(0.8, item.score) * (1.0 if place == 0 else 0.6), 2),
                facts=tuple(f for view in views[:2] for f in _onset_facts(view)),
                citations=citations,
                services=(item.service,),
                at=item.since,
                terms=_terms(*views),
            )
        )
    return out


def traffic(rank: RankReport, symptom_view: SeriesView, moved: tuple[SeriesView, ...]) -> list[Finding]:
    """Say whether traffic surged before the symptom, or rule it out."""
    if rank.surge is None:
        return []
    flows = [v for v in moved if v.role == "traffic" and v.rising and not v.spread and v.onset is not None]
    at_entry = [v for v in flows if v.service == symptom_view.service] or [v for v in flows if "req" in v.name.lower()]
    suspect = Suspect(kind="traffic", key=symptom_view.service or "entry", label=TRAFFIC_SURGE)
    late = symptom_view.onset + timedelta(minutes=1) if symptom_view.onset is not None else None
    early = [v for v in at_entry if late is None or (v.onset is not None and v.onset <= late)]
    if rank.surge >= SURGE and early:
        view = max(early, key=lambda v: v.size)
        return [
            Finding(
                agent="metrics",
                claim=f"Traffic grew to {rank.surge:.2f} times: {_sentence(view)}, no later than the symptom.",
                topic="onset",
                about=suspect,
                stance="for",
                weight=0.6,
                facts=_onset_facts(view),
                citations=(view.citation,),
                services=(view.service,) if view.service else (),
                at=view.onset,
                terms=_terms(view),
            )
        ]
    return [_no_surge(rank, suspect)] if rank.flow is not None else []


def _no_surge(rank: RankReport, suspect: Suspect) -> Finding:
    """Say by how much the traffic changed, which rules a surge out or makes it unlikely."""
    flow = rank.flow
    ratio = rank.surge or 0.0
    facts = flow.facts if flow is not None else ()
    numbers = {fact.quantity: fact for fact in facts}
    before, after = numbers.get(q.LEVEL_BEFORE), numbers.get(q.LEVEL_AFTER)
    level = f" ({_level(before)} -> {_level(after)})" if before is not None and after is not None else ""
    steady = STEADY[0] <= ratio <= STEADY[1]
    what = "did not surge" if steady else "fell, it did not surge" if ratio < 1 else "grew too little, or too late"
    title = flow.title if flow is not None else ""
    return Finding(
        agent="metrics",
        claim=f"Traffic {what}: {title} at {ratio:.2f} times its level before the onset{level}.",
        topic="exclusion",
        about=suspect,
        stance="rules_out" if ratio <= STEADY[1] else "against",
        weight=0.6 if ratio <= STEADY[1] else 0.5,
        facts=facts,
        citations=(flow.citation,) if flow is not None else (),
        services=(flow.service,) if flow is not None and flow.service else (),
    )


def _level(fact: Fact) -> str:
    return amount(float(fact.value), fact.unit)


def _saturates(view: SeriesView, least: float = 1.5) -> bool:
    """Say whether a resource left its baseline by an amount that can matter."""
    if view.role not in SATURATES or not view.hurts or view.spread or view.size < least or view.peak is None:
        return False
    full = view.unit == "%" and view.peak >= 80
    grown = view.factor is None or view.factor >= 1.3
    return full or (grown and view.role not in ("memory", "host"))


def _leads(view: SeriesView, symptom_view: SeriesView) -> bool:
    """Say whether it left its baseline clearly before the symptom, for good: that tells more than size."""
    if view.onset is None or symptom_view.onset is None or view.state == "recovered":
        return False
    return timedelta(minutes=1) < symptom_view.onset - view.onset <= LEAD


def _is_near(view: SeriesView, symptom_view: SeriesView) -> bool:
    """Say whether what a resource did can have to do with the symptom: long before, only what is beyond its past."""
    if view.onset is None or symptom_view.onset is None:
        return False
    return view.beyond or symptom_view.onset - view.onset <= LEAD


def resources(symptom_view: SeriesView, moved: tuple[SeriesView, ...], rank: RankReport) -> list[Finding]:
    """Say which resources left their baseline, before the symptom (a cause) or after it (a consequence)."""
    if symptom_view.onset is None:
        return []
    leading = {item.service for item in rank.services[:NAMED_ORIGINS] if item.reasons} | {symptom_view.service}
    others = [v for v in moved if v.service in leading and v.citation != symptom_view.citation]
    found = [v for v in others if _saturates(v, 1.0 if _leads(v, symptom_view) else 1.5) and _is_near(v, symptom_view)]
    strongest: dict[str, SeriesView] = {}
    for view in sorted(found, key=lambda v: (not _leads(v, symptom_view), -v.size)):
        strongest.setdefault(view.service, view)
    out = []
    for view in list(strongest.values())[:3]:
        if view.onset is None:
            continue
        after = (view.onset - symptom_view.onset).total_seconds()
        suspect = Suspect(
            kind="host" if view.role == "host" else "resource", key=f"{view.service}/{view.name}", label=view.title
        )
        consequence = after > 60
        tail = (
            f"{after:.0f} s after the symptom: a consequence, not the cause"
            if consequence
            else f"{-after:.0f} s before the symptom"
            if after < 0
            else "together with the symptom"
        )
        out.append(
            Finding(
                agent="metrics",
                claim=f"{_sentence(view)}, {tail}.",
                topic="consequence" if consequence else "onset",
                about=suspect,
                stance="against" if consequence else "for",
                weight=0.4 if consequence else 0.35,
                facts=_onset_facts(view),
                citations=(view.citation, symptom_view.citation),
                services=(view.service,) if view.service else (),
                at=view.onset,
                terms=_terms(view),
            )
        )
    return out


def controls(onsets: OnsetsReport, coverage: CoverageReport) -> list[Finding]:
    """Say what did not move."""
    silent = {one.service for one in coverage.ceased}
    quiet = [s for s in onsets.still_services if s and s not in silent]
    if not quiet or not onsets.still:
        return []
    shown = ", ".join(quiet[:8]) + (f" and {len(quiet) - 8} more" if len(quiet) > 8 else "")
    return [
        Finding(
            agent="metrics",
            claim=f"{onsets.still} of {coverage.series} series kept their baseline; nothing that hurts on {shown}.",
            topic="health",
            weight=0.3,
            services=(),
        )
    ]


def failed_calls(edges: EdgesReport) -> list[Finding]:
    """Say where traces show the deepest failures."""
    if not edges.failed:
        return []
    first = edges.failed[0]
    texts = "; ".join(dict.fromkeys(f"{s.service} {s.name}: {s.error[:120]}" for s in edges.failed[:3]))
    outside = {host for s in edges.failed[:3] if (host := outside_host(s.name))}
    about = Suspect(kind="dependency", key=outside.pop()) if len(outside) == 1 else None
    return [
        Finding(
            agent="metrics",
            claim=f"Traces fail deepest at {texts}.",
            topic="errors",
            about=about,
            stance="for" if about else "observes",
            weight=0.4 if about else 0.5,
            citations=tuple(dict.fromkeys(s.citation for s in edges.failed[:3])),
            services=tuple(dict.fromkeys(s.service for s in edges.failed[:3] if s.service)),
            at=first.at,
            terms=tuple(dict.fromkeys(s.name for s in edges.failed[:3] if s.name)),
        )
    ]


def health(rank: RankReport, onsets: OnsetsReport) -> Finding:
    """Say with numbers that nothing departs from its baseline in a direction that hurts."""
    view = rank.symptom
    total = onsets.still + len(onsets.moved) + onsets.more + onsets.few
    claim = (
        f"Nothing stands out: {onsets.still} of {total} series kept their baseline, none moved in a way that users feel"
        + (f", {onsets.few} have too few points to say" if onsets.few else "")
    )
    if view is not None:
        claim += (
            f"; {view.title}, where the trouble should show, is at {amount(view.latest, view.unit)}, "
            f"usually {amount(view.baseline, view.unit)}"
        )
    return Finding(
        agent="metrics",
        claim=claim + ".",
        topic="health",
        weight=0.7,
        facts=tuple(f for f in view.facts if f.quantity in (q.BASELINE, q.LATEST)) if view is not None else (),
        citations=(view.citation,) if view is not None else (),
        services=(view.service,) if view is not None and view.service else (),
    )


def gaps(coverage: CoverageReport, view: SeriesView | None) -> list[Finding]:
    """Say what of the sources was lost or is missing."""
    out = []
    problems = [p for c in coverage.sources for p in c.problems]
    for lead, said, weight in (
        ("Metric sources were not wholly usable", [p for p in problems if p.lost], 0.2),
        ("How metric sources were read", [p for p in problems if not p.lost], 0.1),
    ):
        if said:
            shown = "; ".join(p.line() for p in said[:3])
            more = f"; {len(said) - 3} more" if len(said) > 3 else ""
            out.append(gap(f"{lead}: {shown}{more}.", weight))
    if not coverage.edges and len(coverage.services) > 2:
        out.append(gap("No call graph was given (topology.csv or traces): who waits for whom is not known.", 0.2))
    if view is not None and view.onset is not None and view.points < 12:
        out.append(gap(f"{view.title} has only {view.points} points: its baseline is thin.", 0.2))
    return out
