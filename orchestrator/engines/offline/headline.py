"""The verdict in one line: what is broken, since when, what did it, how sure; never more than is known."""

from __future__ import annotations

from datetime import datetime

from orchestrator.engines.offline.case import Case, named
from orchestrator.engines.offline.causes import Decision
from orchestrator.engines.offline.corroboration import EVEN
from subagents.logs.counted import WELL


def headline(case: Case, decision: Decision, service: str | None) -> str:
    """Say the verdict in one line."""
    sure = f"{decision.confidence:.0%} sure"
    title = " ".join(case.brief.incident.title.split())[:80]
    where = service or (f"{title}: something" if title else "something")
    if decision.kind == "no_incident":
        where = case.brief.incident.service or title or "the incident"
        return f"{where}: {gist(case, decision)} ({sure})"
    if decision.kind == "culprit" and decision.hypothesis is not None:
        return f"{_broken(case, where)}: {named(decision.hypothesis.suspect)} did it ({sure})"
    if decision.kind == "no_code_cause" and decision.hypothesis is not None:
        return f"{_broken(case, where)}: {gist(case, decision)} ({sure})"
    return _undecided(case, decision, title)


def gist(case: Case, decision: Decision) -> str:
    """Say what is known beyond who is in trouble, since when and how sure; nothing where a change is named."""
    if decision.kind == "culprit":
        return ""
    if decision.kind == "no_incident":
        units = {fact.unit for finding in case.healthy for fact in finding.facts}
        stands = "all that was recorded of how things stand is well"
        return stands if units == {WELL} else "nothing departs from its baseline in the data given"
    if decision.kind == "no_code_cause" and decision.hypothesis is not None:
        told = ", no change of yours" if case.changes_known else "; changes, which were not given, are not ruled out"
        return f"{named(decision.hypothesis.suspect)}{told}"
    reason = decision.why or (decision.reasons[0] if decision.reasons else "no lead")
    if case.symptom is None:
        return f"not established whether anything is broken: {reason}"
    return f"{_began(case)}{reason}"


def _undecided(case: Case, decision: Decision, title: str) -> str:
    shows = case.entry or title or "something"
    if case.symptom is None:
        return f"{shows}: {gist(case, decision)}{_first_look(case)}"
    return f"{_trouble(case, shows)}: cause not established; {gist(case, decision)}"


def _began(case: Case) -> str:
    """Say where it began and the chance of that, as the ranking of services has it; one place, whatever else shows."""
    if not case.services or case.services[0].score <= 0:
        return ""
    home, chance = case.services[0].service, case.services[0].score
    return f"{'most likely' if chance > EVEN else 'perhaps'} began at {home} ({chance:.0%}); "


def _first_look(case: Case) -> str:
    """Name the change that the report's own words rank first, where nothing else can be said."""
    first = next((one for one in case.suspects[:1] if f"commit:{one.commit}" in case.changes), None)
    if first is None:
        return ""
    subject = case.changes[f"commit:{first.commit}"].subject[:80]
    return f"; by its words alone, look first at commit {first.commit[:12]} “{subject}”"


def _trouble(case: Case, where: str) -> str:
    over = {"recovered": ", recovered", "recovering": ", recovering"}.get(case.state.state, "")
    since = f"since {_moment(case.onset)}" if case.onset else "of unknown onset"
    return f"{where}: trouble {since}{over}"


def _broken(case: Case, where: str) -> str:
    at = case.onset
    if case.state.state == "recovered":
        return f"{where} was broken from {_moment(at)} and has recovered" if at else f"{where} was broken and recovered"
    word = "is recovering, broken" if case.state.state == "recovering" else "is broken"
    return f"{where} {word} since {_moment(at)}" if at else f"{where} {word}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
