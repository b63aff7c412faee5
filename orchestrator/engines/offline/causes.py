"""The decision: does a change explain the symptom, does a circumstance, or can nobody say?

A conviction needs three things: a hypothesis that stands on its own, a clear lead over the next
change, and no circumstance with better evidence. Everything else is said as what it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from orchestrator.engines.offline.case import CHANGE_KINDS, CIRCUMSTANCE_KINDS, Case, failure_of, named
from orchestrator.engines.offline.corroboration import (
    began_with,
    filled_slowly,
    followed,
    is_elsewhere,
    is_of_a_machine,
    shown_by,
    strength,
    unread_at_home,
    unread_nearer,
    unread_where,
)
from orchestrator.engines.offline.open_case import nothing_explains, place_reasons, would_tell
from orchestrator.engines.offline.sureness import (
    place_leads,
    sure_of_change,
    sure_of_circumstance,
    sure_of_first,
    sure_of_lead,
)
from orchestrator.journal.verdict import VerdictKind
from orchestrator.verdict.board import Hypothesis
from subagents.contract import Finding, SuspectKind
from subagents.deploys.model import ScoredSuspect
from subagents.hosts import outside_host
from subagents.metrics.model import TRAFFIC_SURGE

CONVICTS_FROM = 0.6
"""Least score of a hypothesis that may be named as the cause."""
LEAD = 0.12
"""Least distance to the next change: closer than this, both are named and nobody is convicted."""
CIRCUMSTANCE_LEAD = 0.1
"""How much better a change must hold than a circumstance that also holds."""
BY_ITS_OWN_WORD, OUTSIDE_LEAD = ("upstream failing", "certificate expired"), 0.3
"""Failures that a host outside states of itself, and how much better a change must hold than one: no change of ours
makes somebody else's servers answer that they fail, and words that it shares with the calls to them are no proof."""
DECISIVE: frozenset[SuspectKind] = frozenset({"certificate"})
"""Circumstances that the calendar brings about: no change explains them, so one that merely fits does not compete."""
DECISIVE_FROM = 0.8
ALONE_FROM, CLEARED_BELOW = 0.45, 0.2
"""A failing host outside is named from this score, where every change on record scores below the second."""
SURE_BESIDE_UNREAD = 0.75
"""Score from which a change is named although another, nearer to the onset on the same service, could not be read."""
NO_NAME = "DNS"
"""The known kind of failure in which a name does not resolve: your own resolvers serve those that are not public."""
OVERLOAD = "overload"
"""The known kind of failure in which more is asked of a service than it can do."""
CAN_BE_CAUSED: frozenset[SuspectKind] = frozenset({"resource", "traffic", "data"})
"""Circumstances that a change on the same service can bring about."""
INNOCENT_BELOW = 0.45
"""A change that scores less does not stand in the way of a circumstance."""


@dataclass(frozen=True)
class Decision:
    """What the evidence says, with the reasons either way."""

    kind: VerdictKind
    hypothesis: Hypothesis | None
    confidence: float
    reasons: tuple[str, ...]
    against: tuple[str, ...] = ()
    why: str = ""
    """Of one that is open: why, in a clause."""
    suspected: str = ""
    """Id of a change that stands in the way of a circumstance, whatever its score."""


def decide(case: Case) -> Decision:
    """Judge a case."""
    changes = case.leading(CHANGE_KINDS)
    circumstances = _without_effects(sorted(case.leading(CIRCUMSTANCE_KINDS), key=lambda one: -strength(case, one)))
    change = changes[0] if changes else None
    circumstance = circumstances[0] if circumstances else None
    if case.symptom is None:
        return _without_symptom(case, change)
    if change is not None and change.score >= CONVICTS_FROM:
        rival = changes[1] if len(changes) > 1 else None
        return _for_change(case, change, rival, circumstance)
    if circumstance is not None and strength(case, circumstance) >= CONVICTS_FROM:
        if _restates(circumstance, case.symptom):
            return _load_alone(case, circumstance)
        return _for_circumstance(case, circumstance, change)
    if circumstance is not None and _alone(case, circumstance, change):
        return _for_circumstance(case, circumstance, change)
    return _open(case, change, circumstance)


def _without_effects(circumstances: list[Hypothesis]) -> list[Hypothesis]:
    """Return the circumstances less overload where a surge of traffic stands: that is what brings it about."""
    surge = any(one.suspect.label == TRAFFIC_SURGE and one.score >= CONVICTS_FROM for one in circumstances)
    return [one for one in circumstances if not (surge and failure_of(one.suspect, (OVERLOAD,)))]


def _without_symptom(case: Case, change: Hypothesis | None) -> Decision:
    measured = [f for f in case.healthy if f.facts]
    if case.unsettled:
        return Decision(
            kind="inconclusive",
            hypothesis=None,
            confidence=sure_of_first(case),
            reasons=look_first(case),
            against=(case.unsettled, *(f.claim for f in measured[:2])),
            why=case.unsettled.rstrip("."),
        )
    if not measured:
        alert = case.brief.incident.alert
        unseen = (
            "the alert itself says that all is well, and nothing that was given shows otherwise"
            if alert is not None and alert.resolved
            else "nothing that was given shows whether anything is wrong"
        )
        return Decision(
            kind="inconclusive",
            hypothesis=None,
            confidence=sure_of_first(case),
            reasons=look_first(case),
            against=(unseen, *(f.claim for f in case.healthy[:1])),
            why=unseen,
        )
    claimed = case.brief.incident.started_at
    if claimed is not None:
        return Decision(
            kind="inconclusive",
            hypothesis=None,
            confidence=0.1,
            reasons=(f"impact was reported from {claimed:%H:%M:%S} UTC, but nothing given departs from its baseline",),
            against=tuple(f.claim for f in measured[:4]),
        )
    agents = {f.agent for f in measured}
    if case.brief.incident.alert is None and len(agents) < 2:
        return Decision(
            kind="inconclusive",
            hypothesis=None,
            confidence=0.4,
            reasons=(
                f"nothing in the {' and '.join(sorted(agents))} departs from its baseline, but no alert says what "
                "should be wrong, and no second kind of evidence confirms it",
                *(f.claim for f in measured[:2]),
            ),
            against=tuple(f"{agent} gave nothing: {why}" for agent, why in case.failed.items()),
        )
    confidence = 0.55 + 0.15 * min(len(agents), 2) - 0.1 * len(case.failed)
    against = [f"{agent} gave nothing: {why}" for agent, why in case.failed.items()]
    if change is not None and change.score >= CONVICTS_FROM:
        against.append(f"a suspicious change is there all the same: {change.suspect.label or change.suspect.key}")
        confidence -= 0.2
    return Decision(
        kind="no_incident",
        hypothesis=None,
        confidence=round(max(confidence, 0.2), 2),
        reasons=tuple(f.claim for f in measured[:4]),
        against=tuple(against),
    )


def _for_change(case: Case, change: Hypothesis, rival: Hypothesis | None, circumstance: Hypothesis | None) -> Decision:
    against, others = _doubts(case), 0
    if circumstance is not None and circumstance.score >= CONVICTS_FROM:
        if _decisive(circumstance) and circumstance.score >= change.score - CIRCUMSTANCE_LEAD:
            return _for_circumstance(case, circumstance, change)
        theirs = _theirs(circumstance)
        lead = OUTSIDE_LEAD if theirs else CIRCUMSTANCE_LEAD
        if circumstance.score >= change.score - lead and (theirs or not _explains(change, circumstance)):
            beside = f"a circumstance fits as well: {_name(circumstance)} ({circumstance.score:.2f}), "
            return _undecided(
                case,
                change,
                (f"{beside}and the evidence does not separate them", *against),
                f"a change fits ({_name(change)}), and so does a circumstance ({_name(circumstance)})",
            )
        if circumstance.suspect.kind != "resource" or not followed(case, change, circumstance):
            against, others = (*against, f"{_name(circumstance)} also shows ({circumstance.score:.2f})"), 1
    if rival is not None and change.score - rival.score < LEAD:
        return _undecided(
            case,
            change,
            (f"another fits about as well: {_name(rival)} ({rival.score:.2f})", *against),
            f"two changes fit about as well: {_name(change)} and {_name(rival)}",
        )
    unread = unread_nearer(case, change)
    if unread is not None and change.score < SURE_BESIDE_UNREAD:
        name = f"{unread.key[:12]} “{unread.label}”"
        return _undecided(
            case,
            change,
            (f"{name} took effect nearer to the onset on {unread.service}, and has no diff to read", *against),
            f"the best lead is {_name(change)}, but what {name} does could not be read",
        )
    return Decision(
        kind="culprit",
        hypothesis=change,
        confidence=sure_of_change(case, change, rival, len(case.failed) + others),
        reasons=change.reasons[:6],
        against=against,
    )


def _undecided(case: Case, lead: Hypothesis, against: tuple[str, ...], why: str) -> Decision:
    """Return a decision that names the best lead and convicts nobody."""
    return Decision(
        kind="inconclusive",
        hypothesis=lead,
        confidence=sure_of_lead(case, lead),
        reasons=lead.reasons[:4],
        against=against,
        why=why,
    )


def _for_circumstance(case: Case, circumstance: Hypothesis, change: Hypothesis | None) -> Decision:
    against, others = _doubts(case), 0
    suspected = change is not None and change.score >= _innocent_below(case, circumstance, change)
    if change is not None and suspected and not _decisive(circumstance):
        return _undecided(
            case,
            circumstance,
            (f"{_name(change)} is not cleared ({change.score:.2f}): it may have brought that about", *against),
            f"{_name(circumstance)} shows, but {_name(change)} is not cleared",
        )
    standing = _in_the_way(case, circumstance)
    if standing is not None:
        one, how = standing
        name = f"{one.key[:12]} “{one.label}”" if one.kind == "commit" else f"flag {one.key}"
        why = f"{name} is not cleared: {how}"
        undecided = _undecided(case, circumstance, (why, *against), f"{_name(circumstance)} shows, but {why}")
        return replace(undecided, suspected=f"{one.kind}:{one.key}")
    if (slow := filled_slowly(case, circumstance)) is not None:
        began = f" from {slow.at:%H:%M} UTC on" if slow.at is not None else ""
        why = f"{_name(circumstance)} shows, and {slow.name} had filled{began}: what ran there by then may have done it"
        return _undecided(case, circumstance, (why, *against), why)
    if change is not None and suspected:
        against, others = (*against, f"{_name(change)} is not cleared ({change.score:.2f})"), 1
    if not case.changes_known:
        against = (*against, "no changes were given, so that none could be ruled out")
        if (ours := _how_ours(case, circumstance)) is not None:
            why = f"{_name(circumstance)} shows, but {ours}, and no changes were given"
            return _undecided(case, circumstance, against, why)
    series = shown_by(case, circumstance)
    return Decision(
        kind="no_code_cause",
        hypothesis=circumstance,
        confidence=sure_of_circumstance(case, strength(case, circumstance), len(case.failed) + others),
        reasons=(*circumstance.reasons[:5], *((f"a series shows the same: {series.text}",) if series else ())),
        against=against,
    )


def _how_ours(case: Case, circumstance: Hypothesis) -> str | None:
    """Say how what others wait for is of this house, where a change may have brought its failure about; else None."""
    suspect = circumstance.suspect
    if suspect.kind != "dependency" or outside_host(suspect.key) is not None:
        return None
    if suspect.key in {item.service for item in case.services}:
        return "it is a service of yours"
    return "no public name fails to resolve" if failure_of(suspect, (NO_NAME,)) is not None else None


def _in_the_way(case: Case, circumstance: Hypothesis) -> tuple[ScoredSuspect, str] | None:
    """Return a change that can have brought a circumstance about, whatever it scores, and why it is not cleared."""
    suspect = circumstance.suspect
    if suspect.kind in CAN_BE_CAUSED and (with_it := began_with(case, circumstance)) is not None:
        return with_it, "it took effect on the same service just before that began"
    outside = suspect.kind == "certificate" or outside_host(suspect.key) is not None
    if not outside and (unread := unread_where(case, circumstance)) is not None:
        return unread, "it took effect there within the hour before, and has no diff to read"
    return None


def _innocent_below(case: Case, circumstance: Hypothesis, change: Hypothesis) -> float:
    """Return the score below which a change does not stand in the way: less where it can have caused what is seen.

    A disk, a pool or a queue fills because of what runs there, and load can come from a program that asks again; a
    certificate, a name or somebody else's outage does not come from here.
    """
    if circumstance.suspect.kind not in CAN_BE_CAUSED:
        return INNOCENT_BELOW
    places = {service for finding in circumstance.supporting for service in finding.services}
    known = case.changes.get(change.suspect.id)
    runs = {service for finding in change.supporting for service in finding.services}
    runs |= {known.service} if known is not None and known.service else set()
    return CLEARED_BELOW if not places or not runs or places & runs else INNOCENT_BELOW


def _alone(case: Case, circumstance: Hypothesis, change: Hypothesis | None) -> bool:
    """Say whether a host outside that is seen to fail stands alone: the changes are on record, and none fits."""
    suspect = circumstance.suspect
    outside = suspect.kind in ("dependency", "external") and outside_host(suspect.key) is not None
    cleared = bool(case.changes) and (change is None or change.score < CLEARED_BELOW)
    return outside and cleared and strength(case, circumstance) >= ALONE_FROM


def look_first(case: Case) -> tuple[str, ...]:
    """Say in which order to look at the changes where only the report's own words can rank them."""
    named_first = [
        f"{item.commit[:12]} “{case.changes[key].subject[:80]}”"
        for item in case.suspects[:3]
        if (key := f"commit:{item.commit}") in case.changes
    ]
    if not named_first:
        return ()
    return (f"by the words of the report, look first at: {'; '.join(named_first)}; an order to look in, no accusation",)


def _restates(circumstance: Hypothesis, symptom: Finding) -> bool:
    """Say whether a circumstance rests on nothing but what is itself the symptom: that explains nothing."""
    grounds = {ref for finding in circumstance.supporting for ref in finding.citations}
    return circumstance.suspect.kind == "traffic" and bool(grounds) and grounds <= set(symptom.citations)


def _load_alone(case: Case, circumstance: Hypothesis) -> Decision:
    why = "the load grew, and nothing given shows that users are hurt by it"
    return Decision(
        kind="inconclusive",
        hypothesis=circumstance,
        confidence=sure_of_lead(case, circumstance),
        reasons=circumstance.reasons[:3],
        against=(why, *_doubts(case)),
        why=why,
    )


def _open(case: Case, change: Hypothesis | None, circumstance: Hypothesis | None) -> Decision:
    held = [h for h in (change, circumstance) if h is not None and (h.supporting or h.score > 0)]
    best = max(held, key=lambda h: h.score, default=None)
    why = _unproven(case, best)
    short: tuple[str, ...] = (why,)
    if best is not None:
        how = "; nothing connects it with the symptom" if best is circumstance and is_elsewhere(case, best) else ""
        short = (f"{_name(best)} holds at {best.score:.2f}, too little to name it{how}",)
    if best is not None and _outdone(case, best):
        short = (f"{_name(best)} holds at {best.score:.2f}, and shows where it hardly began",)
        best = None
    unread = unread_at_home(case)
    if unread is not None and (best is None or best.suspect.kind in CHANGE_KINDS):
        name = f"{unread.key[:12]} “{unread.label}”"
        why = f"{name} took effect there just before, and has no diff to read"
        short = (why.replace("there", f"on {unread.service}", 1), *short)
    return Decision(
        kind="inconclusive",
        hypothesis=best,
        confidence=sure_of_lead(case, best),
        reasons=best.reasons[:4] if best is not None else place_reasons(case),
        against=(*short, *would_tell(case), *_doubts(case)),
        why=why,
    )


def _unproven(case: Case, best: Hypothesis | None) -> str:
    """Name the best candidate that nobody cleared, but for the place: that it began there is said already."""
    held = [best] if best is not None and not _outdone(case, best) else []
    held += [one for one in case.leading(CHANGE_KINDS | CIRCUMSTANCE_KINDS) if one.score >= CLEARED_BELOW]
    lead = next((one for one in held if one.suspect.key != case.home), None)
    return f"the best lead is unproven: {_name(lead)}" if lead is not None else nothing_explains(case)


def _outdone(case: Case, lead: Hypothesis) -> bool:
    """Say whether the place where it most likely began tells more than a circumstance that shows elsewhere."""
    places = {service for finding in lead.supporting for service in finding.services} | {lead.suspect.key}
    elsewhere = bool(case.services) and case.services[0].service not in places and not is_of_a_machine(lead)
    return lead.suspect.kind in CIRCUMSTANCE_KINDS and elsewhere and place_leads(case, lead)


def _decisive(circumstance: Hypothesis) -> bool:
    return circumstance.suspect.kind in DECISIVE and circumstance.score >= DECISIVE_FROM


def _theirs(circumstance: Hypothesis) -> bool:
    """Say whether a host outside fails by its own word."""
    suspect = circumstance.suspect
    return outside_host(suspect.key) is not None and failure_of(suspect, BY_ITS_OWN_WORD) is not None


def _explains(change: Hypothesis, circumstance: Hypothesis) -> bool:
    """Say whether the circumstance is what the change did: its findings share identifiers or a service."""
    terms = {term for finding in change.supporting for term in finding.terms}
    seen = {term for finding in circumstance.supporting for term in finding.terms}
    return bool(terms & (seen | {circumstance.suspect.key}))


def _doubts(case: Case) -> tuple[str, ...]:
    doubts = (f"{agent} gave nothing: {why}" for agent, why in case.failed.items())
    return (*doubts, *(item.text for item in case.contradictions))


def _name(hypothesis: Hypothesis) -> str:
    return named(hypothesis.suspect)
