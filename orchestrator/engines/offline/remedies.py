"""What to do first, for each kind of cause: contain, fix, follow up; effect, risk, how to undo, how to verify.

The first action for a bad change is to undo it; for anything else it is not. Nothing here runs anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from orchestrator.engines.offline.case import Case, Change, metric_of, named, number_of
from orchestrator.engines.offline.causes import Decision, look_first
from orchestrator.journal.verdict import Action
from orchestrator.verdict.rollback import fill_in
from subagents import quantities as q
from subagents.contract import ServiceInfo, Suspect, SuspectKind
from subagents.hosts import outside_host


@dataclass(frozen=True)
class Remedy:
    """Contain and fix for one kind of cause; `{it}` is the suspect, `{service}` where it shows."""

    contain: str
    effect: str
    risk: str
    reversible: str
    fix: str
    signals: tuple[str, ...]
    """Runbook signals to look for."""


REMEDIES: dict[SuspectKind, Remedy] = {
    "flag": Remedy(
        contain="set the flag {it} back to what it was",
        effect="new requests take the old path at once",
        risk="work begun under the new value may be half done",
        reversible="yes: flip it again",
        fix="repair the path behind {it} and roll it out to a small share first",
        signals=("flag", "deploy"),
    ),
    "dependency": Remedy(
        contain="fail over from {it} or shed the calls to it; a rollback of {service} would not help",
        effect="callers stop waiting for what does not answer",
        risk="features behind {it} are degraded while it is bypassed",
        reversible="yes: route back once {it} answers",
        fix="give calls to {it} a timeout, a retry budget and a fallback",
        signals=("dependency",),
    ),
    "traffic": Remedy(
        contain="add capacity to {service} or limit the rate of what surges",
        effect="load per instance falls back under what it can serve",
        risk="more instances may move the pressure to the database behind them",
        reversible="yes: scale in again",
        fix="set autoscaling and admission limits from the peak seen here",
        signals=("traffic", "saturation"),
    ),
    "certificate": Remedy(
        contain="renew the certificate {it} and reload what serves it",
        effect="handshakes succeed again",
        risk="clients that pinned the old one need the new one",
        reversible="not needed: the old one has expired",
        fix="renew automatically and alert 21 days ahead",
        signals=("certificate",),
    ),
    "host": Remedy(
        contain="drain {it} and let its work move elsewhere",
        effect="requests no longer reach the failing machine",
        risk="the remaining machines take its load: check their headroom first",
        reversible="yes: put it back into rotation",
        fix="find out why {it} failed before it serves again",
        signals=("saturation",),
    ),
    "resource": Remedy(
        contain="free what ran out on {service} ({it}), or add to it",
        effect="work that waits for it goes on",
        risk="freeing the wrong thing loses data: look before deleting",
        reversible="partly: what is deleted is gone; added capacity can be taken away",
        fix="alert well before it is used up, and find what consumes it",
        signals=("disk", "saturation", "memory_growth"),
    ),
    "data": Remedy(
        contain="take {it} out of the way (quarantine the record or the message), keep a copy",
        effect="the work behind it goes on",
        risk="whatever depends on it waits until it is repaired",
        reversible="yes: replay it once it is understood",
        fix="validate at the door and send what fails to a dead-letter queue",
        signals=("data",),
    ),
    "external": Remedy(
        contain="tell users and the provider; use the fallback for {it} if there is one",
        effect="people know, and stop retrying",
        risk="none",
        reversible="yes",
        fix="decide whether {it} needs a second provider",
        signals=("dependency",),
    ),
}
NOT_OURS = Remedy(
    contain="reach the owner of {it}: its certificate has expired; take another route to it until it is renewed",
    effect="calls succeed again as soon as it is renewed there",
    risk="switching verification off instead lets anybody answer in its name: do not",
    reversible="yes: go back to the usual route",
    fix="watch the expiry of certificates that you depend on, and have a second route",
    signals=("certificate",),
)
"""An expired certificate of somebody else's host cannot be renewed from here."""
CHANGE_SIGNALS = ("deploy",)


def actions(case: Case, decision: Decision) -> tuple[Action, ...]:
    """Return what to do, most urgent first."""
    if decision.kind == "no_incident":
        return (_confirm_quiet(case),)
    if decision.hypothesis is None or decision.kind == "inconclusive":
        return _without_cause(case, decision)
    suspect = decision.hypothesis.suspect
    if suspect.kind in ("commit", "deploy", "config"):
        return _undo(case, suspect)
    remedy = NOT_OURS if suspect.kind == "certificate" and outside_host(suspect.key) else REMEDIES.get(suspect.kind)
    if remedy is None:
        return _without_cause(case, decision)
    return _apply(case, suspect, remedy)


def signals(case: Case, decision: Decision) -> tuple[str, ...]:
    """Return the runbook signals of a case: the cause's first, then the symptom's."""
    found: list[str] = []
    if decision.hypothesis is not None and decision.kind in ("culprit", "no_code_cause"):
        suspect = decision.hypothesis.suspect
        remedy = REMEDIES.get(suspect.kind)
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
    info = _info(case, service)
    commit = suspect.key if suspect.kind == "commit" else None
    command = None
    if info is not None and info.rollback:
        values = {"service": service, "version": change.version, "commit": commit, "previous": change.previous}
        command = fill_in(info.rollback, values) or info.rollback
    back_to = change.previous or (f"the version before {commit[:12]}" if commit else "the version before")
    contain = Action(
        kind="contain",
        text=f"roll {service} back to {back_to}",
        command=command,
        effect="takes the suspected change out of production",
        risk="a migration or a data format that came with it may not fit the older code: check before",
        reversible="yes: deploy the newer version again",
        verify=_verify(case),
    )
    revert = next(iter(case.of("fix")), None)
    fix = Action(
        kind="fix",
        text=revert.claim if revert else f"revert or repair {commit[:12] if commit else suspect.label or suspect.key}",
        effect="the next deploy does not bring the fault back",
        risk="other work may build on it: review what came after",
        reversible="yes: by another commit",
        verify="a test that fails on the change and passes on the fix",
    )
    follow = Action(kind="follow_up", text="add the check that would have caught this before the deploy")
    return (contain, fix, follow)


def _apply(case: Case, suspect: Suspect, remedy: Remedy) -> tuple[Action, ...]:
    service = case.home or "the service"
    words = {"it": _thing(suspect, service), "service": service}
    over = "if it comes back: " if case.state.state == "recovered" else ""
    contain = Action(
        kind="contain",
        text=over + _filled(remedy.contain, words),
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
    if suspect.kind in ("dependency", "external") and suspect.key.endswith(f" in {service}"):
        return f"what {service} calls"
    return suspect.label or suspect.key


def _without_cause(case: Case, decision: Decision) -> tuple[Action, ...]:
    home = case.home or "the service"
    if case.symptom is None:
        order = [Action(kind="follow_up", text=text) for text in look_first(case)]
        return (_find_out(case), *order)
    found = [
        Action(
            kind="follow_up",
            text=f"watch {home}: by the data it has recovered; keep logs and metrics of the window before they expire",
            verify=_verify(case),
        )
        if case.state.state == "recovered"
        else Action(
            kind="contain",
            text=f"reduce the harm on {home} without betting on a cause: shed load, scale out, or serve a fallback",
            effect="users are hurt less while the cause is looked for",
            risk="may hide the evidence: take a snapshot of logs and metrics first",
            reversible="yes",
            verify=_verify(case),
        )
    ]
    if decision.hypothesis is not None:
        suspect = decision.hypothesis.suspect
        found.append(
            Action(
                kind="follow_up",
                text=f"check the leading, unproven candidate first: {named(suspect)}",
                verify="does the symptom follow it on one instance, and leave when it is undone there?",
            )
        )
    return tuple(found)


def _find_out(case: Case) -> Action:
    where = case.home or "what the report is about"
    return Action(
        kind="follow_up",
        text=f"find out whether users of {where} are hurt now: its error ratio, latency and traffic beside an hour ago",
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


def _verify(case: Case) -> str:
    symptom = case.symptom
    if symptom is None:
        return "the alert clears and stays clear"
    metric = metric_of(symptom)
    baseline = number_of(symptom.facts, q.BASELINE)
    if metric is None or baseline is None:
        return "the errors named in the symptom stop"
    return f"{metric} returns to about {baseline:g} and stays there"


def _info(case: Case, service: str) -> ServiceInfo | None:
    return next((info for info in case.brief.services if info.name == service), None)


def _filled(text: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        text = text.replace("{" + name + "}", value)
    return text
