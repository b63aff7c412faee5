"""A symptom that only logs show, measured again: the same lines counted the same way, before, during and now."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.journal.verdict import Symptom
from orchestrator.recheck.looking import AHEAD, Looker, Measured, Untold, told_at
from orchestrator.verdict.recovery import EXPECTED, judge_counts
from subagents import quantities as q
from subagents.contract import Fact, Finding, Window
from subagents.logs.model import LogsCoverage, LogsSearch
from subagents.logs.params import CoverageParams, SearchParams

LATEST = timedelta(minutes=10)
"""How much of the end of newer logs counts as now, where there is that much; a third of them where there is less."""
LEAST = timedelta(minutes=1)
EVENTS = "events"


async def measured(look: Looker, symptom: Symptom, fact: Fact, known_until: datetime) -> Measured:
    """Count a symptom's lines again beyond what was known; never raises for what the data lacks."""
    try:
        coverage = await look.ask("logs", "logs_coverage", CoverageParams(), LogsCoverage)
        if coverage.span is None:
            raise Untold("no line of the logs has a time")
        newest, remarks = await _newest(look, coverage.span.end, known_until)
        if newest <= known_until + timedelta(seconds=1):
            why = f"there is no newer data: the newest log line is of {newest:%Y-%m-%d %H:%M:%S} UTC"
            return Measured("unknown", why, newest, missing=(_wanted(symptom, known_until),), remarks=remarks)
        usual, worst = await _then(look, symptom, fact, Window(start=coverage.span.start, end=known_until))
        latest = await _now(look, fact, Window(start=known_until, end=newest + timedelta(microseconds=1)), worst)
        silent = await _silent(look, symptom, latest.window or Window(start=known_until, end=newest))
    except Untold as why_not:
        wanted = (_wanted(symptom, known_until),)
        return Measured("unknown", f"the lines cannot be counted any more: {why_not}", missing=wanted)
    window = latest.window
    assert window is not None  # noqa: S101 - `_now` gives one
    answer = judge_counts(usual, worst, (int(latest.value), window.seconds))
    missing: tuple[str, ...] = ()
    state, why = answer.state, answer.why
    if silent:
        state, why, missing = "unknown", silent, (_wanted(symptom, window.start),)
    elif state == "unknown":
        missing = (_wanted(symptom, newest),)
    count = f"{int(latest.value)} {latest.unit} in the last {window.seconds:.0f} s"
    return Measured(
        state,
        f"{count} ({worst * window.seconds:.0f} at the incident's rate): {why}",
        as_of=newest,
        finding=_finding(symptom, latest, f"Counted again, there are {count}: {why}."),
        missing=missing,
        remarks=remarks,
    )


async def _newest(look: Looker, end: datetime, known_until: datetime) -> tuple[datetime, tuple[str, ...]]:
    """Return the time of the newest line that is not in the future, and what is to be said of those that are."""
    limit = look.now + AHEAD
    if end <= limit:
        return end, ()
    found = await look.ask("logs", "logs_search", SearchParams(end=limit.isoformat(), limit=1), LogsSearch)
    remark = f"there are lines of {end:%Y-%m-%d %H:%M:%S} UTC, in the future: they are not counted"
    return found.last or known_until, (remark,)


def _finding(symptom: Symptom, latest: Fact, claim: str) -> Finding:
    return Finding(
        agent="logs",
        claim=claim,
        topic="health",
        weight=0.5,
        facts=(latest,),
        citations=(latest.citation,),
        services=(symptom.service,) if symptom.service else (),
    )


def count_of(symptom: Symptom) -> Fact | None:
    """Return the count that a symptom was measured by: its own, else that of the line it cites."""
    stated = [f for f in symptom.facts if f.quantity == q.COUNT and f.citation.startswith("log:")]
    stated.sort(key=lambda f: f.window is None)
    if stated:
        return stated[0]
    cited = next((ref for ref in symptom.citations if ref.startswith("log:")), None)
    return Fact(quantity=q.COUNT, value=0, unit=EVENTS, citation=cited) if cited is not None else None


async def _then(look: Looker, symptom: Symptom, fact: Fact, known: Window) -> tuple[float, float]:
    """Return the rates, in events per second, before the onset and from it to what was known."""
    onset = symptom.onset or (fact.window.start if fact.window is not None else known.start)
    onset = min(max(onset, known.start), known.end - LEAST) if known.seconds > LEAST.total_seconds() else known.start
    during = Window(start=onset, end=known.end)
    worst = await look.count(_over(fact, during)) / during.seconds
    before = Window(start=known.start, end=onset) if onset > known.start else None
    usual = await look.count(_over(fact, before)) / before.seconds if before is not None else 0.0
    return usual, worst


async def _now(look: Looker, fact: Fact, newer: Window, worst: float) -> Fact:
    """Return the count at the end of the newer logs: over as long as the incident would surely have shown in."""
    length = max(LEAST, min(LATEST, (newer.end - newer.start) / 3))
    if worst > 0 and worst * length.total_seconds() < EXPECTED:
        length = timedelta(seconds=1.01 * EXPECTED / worst)
    window = Window(start=max(newer.start, newer.end - length), end=newer.end)
    asked = _over(fact, window)
    return asked.model_copy(update={"value": int(await look.count(asked))})


async def _silent(look: Looker, symptom: Symptom, latest: Window) -> str:
    """Say that the service logs nothing at all any more, where that is so: silence is no recovery."""
    if not symptom.service:
        return ""
    asked = SearchParams(service=symptom.service, start=latest.start.isoformat(), end=latest.end.isoformat(), limit=1)
    found = await look.ask("logs", "logs_search", asked, LogsSearch)
    if found.matches:
        return ""
    return f"{symptom.service} has logged nothing at all since {told_at(latest.start)}: that is no recovery"


def _over(fact: Fact, window: Window) -> Fact:
    return Fact(quantity=q.COUNT, value=0, unit=fact.unit or EVENTS, citation=fact.citation, window=window)


def _wanted(symptom: Symptom, since: datetime) -> str:
    whose = f"the logs of {symptom.service}" if symptom.service else "the same logs"
    return f"give {whose} from {since:%Y-%m-%dT%H:%M:%SZ} on"
