"""The verdict in one line: what is broken, since when, what did it, how sure; never more than is known."""

from __future__ import annotations

from datetime import datetime

from orchestrator.engines.offline.case import Case, named
from orchestrator.engines.offline.causes import Decision


def headline(case: Case, decision: Decision, service: str | None) -> str:
    """Say the verdict in one line."""
    sure = f"{decision.confidence:.0%} sure"
    title = " ".join(case.brief.incident.title.split())[:80]
    where = service or (f"{title}: something" if title else "something")
    if decision.kind == "no_incident":
        where = case.brief.incident.service or title or "the incident"
        return f"{where}: nothing departs from its baseline in the data given ({sure})"
    if decision.kind == "culprit" and decision.hypothesis is not None:
        return f"{_broken(case, where)}: {named(decision.hypothesis.suspect)} did it ({sure})"
    if decision.kind == "no_code_cause" and decision.hypothesis is not None:
        return f"{_broken(case, where)}: {named(decision.hypothesis.suspect)}, no change of yours ({sure})"
    return _undecided(case, decision, where)


def _undecided(case: Case, decision: Decision, where: str) -> str:
    reason = decision.why or (decision.reasons[0] if decision.reasons else "no lead")
    symptom = case.symptom
    if symptom is None:
        return f"{where.removesuffix(': something')}: not established whether anything is broken: {reason}"
    title = where.removesuffix(": something")
    shows = symptom.services[0] if symptom.services else case.brief.incident.service or title
    home = case.services[0].service if case.services else shows
    began = f"; most likely began at {home}" if home != shows else ""
    return f"{_trouble(case, shows)}: cause not established{began}; {reason}"


def _trouble(case: Case, where: str) -> str:
    over = {"recovered": ", recovered", "recovering": ", recovering"}.get(case.state.state, "")
    return f"{where}: trouble since {_moment(case.onset)}{over}" if case.onset else f"{where}: trouble{over}"


def _broken(case: Case, where: str) -> str:
    at = case.onset
    if case.state.state == "recovered":
        return f"{where} was broken from {_moment(at)} and has recovered" if at else f"{where} was broken and recovered"
    word = "is recovering, broken" if case.state.state == "recovering" else "is broken"
    return f"{where} {word} since {_moment(at)}" if at else f"{where} {word}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
