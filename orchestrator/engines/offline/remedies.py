"""What to do first, for each kind of cause: contain, fix, follow up; effect, risk, how to undo, how to verify.

The first action for a bad change is to undo it; for anything else it is not. Nothing here runs anything.
"""

from __future__ import annotations

from orchestrator.engines.offline.case import CHANGE_KINDS, Case, Change, metric_of, named, number_of
from orchestrator.engines.offline.causes import CONVICTS_FROM, Decision, look_first
from orchestrator.engines.offline.open_case import CHANGES
from orchestrator.engines.offline.remedy_table import Remedy, remedy_for
from orchestrator.journal.verdict import Action
from orchestrator.verdict.rollback import filled_in, unconfigured
from subagents import quantities as q
from subagents.contract import ServiceInfo, Suspect
from subagents.logs.model import SEVERAL

CHANGE_SIGNALS = ("deploy",)
ELSEWHERE = ("dependency", "external")
"""Causes that lie with what a service calls."""
MEASURED_OUT = ("resource", "certificate")
"""Causes of which series can show that they are used up."""


def actions(case: Case, decision: Decision) -> tuple[Action, ...]:
    """Return what to do, most urgent first."""
    if decision.kind == "no_incident":
        return (_confirm_quiet(case),)
    if decision.hypothesis is None or decision.kind == "inconclusive":
        return _without_cause(case, decision)
    suspect = decision.hypothesis.suspect
    remedy = remedy_for(suspect)
    if remedy is not None:
        return _apply(case, suspect, remedy)
    return _undo(case, suspect) if suspect.kind in CHANGE_KINDS else _without_cause(case, decision)


def signals(case: Case, decision: Decision) -> tuple[str, ...]:
    """Return the runbook signals of a case: the cause's first, then the symptom's."""
    found: list[str] = []
    if decision.hypothesis is not None and decision.kind in ("culprit", "no_code_cause"):
        suspect = decision.hypothesis.suspect
        remedy = remedy_for(suspect)
        found += remedy.signals if remedy else CHANGE_SIGNALS
    symptom = case.symptom
    metric = (metric_of(symptom) if symptom else None) or ""
    for word, signal in _METRIC_SIGNALS:
        if word in metric.lower():
            found.append(signal)
            break
    return tuple(dict.fromkeys(found))


_METRIC_SIGNALS = (
    ("latency", "latency"),
    ("duration", "latency"),
    ("error", "error_ratio"),
    ("5xx", "error_ratio"),
    ("availability", "error_ratio"),
    ("pool", "saturation"),
    ("mem", "memory_growth"),
    ("disk", "disk"),
    ("cpu", "saturation"),
    ("queue", "saturation"),
    ("lag", "saturation"),
)


def _undo(case: Case, suspect: Suspect) -> tuple[Action, ...]:
    change = case.changes.get(suspect.id, Change())
    service = change.service or case.home or "the service"
    commit = suspect.key if suspect.kind == "commit" else None
    values = {"service": service, "version": change.version, "commit": commit, "previous": change.previous}
    info = _info(case, service)
    filled = filled_in(info.rollback, values) if info is not None and info.rollback else None
    back_to = change.previous or (f"the version before {commit[:12]}" if commit else "the version before")
    contain = Action(
        kind="contain",
        text=_if_back(case) + (f"put the setting {suspect.label or suspect.key} back" if suspect.kind == "config"
                               else f"roll {service} back to {back_to}"),
        command=filled.command if filled is not None else None,
        effect="takes the suspected change out of production",
        risk="; ".join(part for part in (filled.lacks if filled is not None else "", _risk(case, suspect)) if part),
        reversible="yes: deploy the newer version again",
        verify=_verify(case),
    )  # fmt: skip
    revert = next(iter(case.of("fix")), None)
    fix = Action(
        kind="fix",
        text=revert.claim if revert else f"revert or repair {commit[:12] if commit else suspect.label or suspect.key}",
        effect="the next deploy does not bring the fault back",
        risk="other work may build on it: review what came after",
        reversible="yes: by another commit",
        verify="a test that fails on the change and passes on the fix",
    )
    follow: tuple[Action, ...] = (
        Action(kind="follow_up", text="add the check that would have caught this before the deploy"),
    )
    if filled is None:
        follow = (*follow, unconfigured(service))
    return (contain, fix, *follow)


def _risk(case: Case, suspect: Suspect) -> str:
    """Say what may not go back with the code; a migration among its files is named."""
    files = (term for f in case.of("change") if f.about is not None and f.about.id == suspect.id for term in f.terms)
    migration = next((path for path in files if any(word in path.casefold() for word in _MIGRATIONS)), None)
    if migration is not None:
        return f"it comes with {migration}, and the older code may not fit what that left behind: read it before"
    return "a migration or a data format that came with it may not fit the older code: check before"


_MIGRATIONS = ("migration", "migrate/", "alembic", "flyway", "liquibase", "schema.sql")


def _apply(case: Case, suspect: Suspect, remedy: Remedy) -> tuple[Action, ...]:
    beneath = suspect.key.endswith(SEVERAL)
    where = suspect.key.partition(" in ")[2] if suspect.kind in MEASURED_OUT and not beneath else ""
    service = where or (case.entry if beneath else case.home) or "the service"
    thing = _thing(suspect, service)
    words = {"it": thing, "service": service, "name": "NAME" if " " in thing else thing}
    cleared = case.changes_known and suspect.kind in ELSEWHERE
    contain = Action(
        kind="contain",
        text=_if_back(case)
        + _filled(remedy.contain, words)
        + (f"; a rollback of {service} would not help" if cleared else ""),
        effect=_filled(remedy.effect, words),
        risk=_filled(remedy.risk, words),
        reversible=_filled(remedy.reversible, words),
        verify=_verify(case),
    )
    return (contain, Action(kind="fix", text=_filled(remedy.fix, words), verify=_verify(case)))


def _thing(suspect: Suspect, service: str) -> str:
    """Name what failed: the peer or thing itself where one is named, else what is known of it."""
    if suspect.label.endswith(f": {suspect.key}"):
        return suspect.key
    kind, _, where = suspect.key.partition(" in ")
    if suspect.kind == "certificate" and where:
        return f"of {where}"
    if suspect.key.endswith(SEVERAL):
        return "the names that fail" if kind == "DNS" else f"what {where} cannot reach"
    if kind == "clock" and where:
        return f"what runs {where}"
    nobody = " " in suspect.key and " in " not in suspect.key  # a kind of failure, of nobody by name
    if suspect.kind in ELSEWHERE and (nobody or suspect.key.endswith(f" in {service}")):
        return f"what {service} calls"
    return suspect.label or suspect.key


def _without_cause(case: Case, decision: Decision) -> tuple[Action, ...]:
    home = case.home or "the service"
    if case.symptom is None:
        order = [Action(kind="follow_up", text=text) for text in look_first(case)]
        return (*order, _find_out(case)) if _only_changes(case) else (_find_out(case), *order)
    if case.state.state == "recovered":
        found = [_watch(case, home)]
    elif case.stay_away and case.symptom.agent == "metrics":
        return (_reach(case),)
    else:
        found = [_ease(case, decision, home) if case.home is not None else _find_out(case)]
    lead = decision.hypothesis.suspect if decision.hypothesis is not None else None
    if found and (eased := _spent(case, decision)) is not None:
        found[0] = eased
    if lead is not None and lead.key != case.home:
        found.append(_check(case, lead))
    elif case.services and case.services[0].score > 0:
        found.append(
            Action(
                kind="follow_up",
                text=f"look at {home} first, where it most likely began: what changed there, what it logs and calls",
                verify="what is found there was there before the symptom, and the symptom leaves with it",
            )
        )
    return tuple(found)


def _check(case: Case, lead: Suspect) -> Action:
    """Have what is not proven checked, and say what helps where it holds."""
    remedy = remedy_for(lead)
    checked = Action(
        kind="follow_up",
        text=f"check the leading, unproven candidate first: {named(lead)}",
        verify="does the symptom follow it on one instance, and leave when it is undone there?",
    )
    if remedy is None:
        return checked
    helps = _apply(case, lead, remedy)[0]
    told = {"text": f"{checked.text}; if it holds, {helps.text}", "risk": helps.risk, "reversible": helps.reversible}
    return checked.model_copy(update=told)


def _spent(case: Case, decision: Decision) -> Action | None:
    """Return what gives back a resource that series show to be used up: that helps, whoever used it up."""
    lead = decision.hypothesis
    if lead is None or lead.suspect.kind not in MEASURED_OUT or lead.score < CONVICTS_FROM:
        return None
    if not any(fact.quantity == q.REACHED for finding in lead.supporting for fact in finding.facts):
        return None
    remedy = remedy_for(lead.suspect)
    return _apply(case, lead.suspect, remedy)[0] if remedy is not None else None


def _watch(case: Case, home: str) -> Action:
    series = case.state.reason.partition(" is at ")[0] or "the data"
    return Action(
        kind="follow_up",
        text=f"watch {home}: {series} shows it recovered; keep logs and metrics of the window before they expire",
        verify=_verify(case),
    )


def _ease(case: Case, decision: Decision, home: str) -> Action:
    """Help users without betting on a cause: where they are hurt, by what helps against what they feel."""
    symptom = case.symptom
    failing = "error_ratio" in signals(case, decision) or (symptom is not None and symptom.agent == "logs")
    how = f"serve a fallback for {home}, or switch off what fails"
    if not failing:
        how = f"shed load, add capacity to {home}, or serve a fallback for it"
    users = f"the users of {case.entry}" if case.entry not in (None, home) else "its users"
    return Action(
        kind="contain",
        text=f"{how}: it spares {users}, and bets on no cause",
        effect="users are hurt less while the cause is looked for",
        risk="may hide the evidence: take a snapshot of logs and metrics first",
        reversible="yes",
        verify=_verify(case),
    )


def _reach(case: Case) -> Action:
    place = case.entry or "the service"
    return Action(
        kind="follow_up",
        text=f"find out why requests no longer reach {place}: ask it from outside, then look at DNS, certificate, load "
        "balancer and gateway, and at what its clients released",
        effect="tells an outage before it from an hour in which nobody comes",
        verify=_verify(case),
    )


def _only_changes(case: Case) -> bool:
    """Say whether nothing was given in which it could show whether anything is wrong: then the changes come first."""
    kinds = {spec.kind for spec in case.brief.sources}
    return bool(kinds) and kinds <= CHANGES


def _find_out(case: Case) -> Action:
    users = f"the users of {case.entry}" if case.entry else "users"
    return Action(
        kind="follow_up",
        text=f"find out whether {users} are hurt now: error ratio, latency and traffic beside an hour ago",
        effect="tells an incident from a false alarm before anything is touched",
        verify="what the alert claims is seen in a graph or a log, or it is not",
    )


def _confirm_quiet(case: Case) -> Action:
    alert = case.brief.incident.alert
    text = "say what made you look, and attach what shows it: the data given shows nothing"
    if alert is not None:
        text = f"look a second time, then close the alert “{alert.title or alert.summary}” and correct its threshold"
    return Action(
        kind="follow_up",
        text=text,
        risk="the data given may not cover what the alert saw: see the gaps",
        reversible="yes",
        verify="the alert stays quiet over the next evaluation interval",
    )


def _if_back(case: Case) -> str:
    return "if it comes back: " if case.state.state == "recovered" else ""


def _verify(case: Case) -> str:
    symptom = case.symptom
    if symptom is None:
        return "the alert clears and stays clear"
    metric = metric_of(symptom)
    baseline = number_of(symptom.facts, q.BASELINE)
    if metric is None or baseline is None:
        return "the errors named in the symptom stop"
    series = f"{symptom.services[0]} {metric}" if symptom.services else metric
    return f"{series} returns to about {q.figure(baseline, 4)} and stays there: warroom recheck, with newer data"


def _info(case: Case, service: str) -> ServiceInfo | None:
    return next((info for info in case.brief.services if info.name == service), None)


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text
