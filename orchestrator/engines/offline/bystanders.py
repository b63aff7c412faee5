"""Suspects that nobody raised and anybody would ask about: other changes, traffic, hosts, callees, bursts of errors.

Each gets the test that this data allows, or, where it allows none, the command that would make it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from orchestrator.engines.offline.case import Case
from orchestrator.engines.offline.causes import Decision
from orchestrator.engines.offline.looked import Level
from orchestrator.engines.offline.open_case import MEASURED
from orchestrator.engines.offline.to_test import host_command, repo_command, traffic_command
from orchestrator.journal.verdict import Exclusion, RuledOut
from orchestrator.verdict.persons_word import UNLIKELY_BELOW
from subagents import citations
from subagents import quantities as q
from subagents.contract import Fact, Finding, Suspect
from subagents.deploys.model import ScoredSuspect
from subagents.deploys.reporting import about, facts_of
from subagents.logs.counted import SEVERE
from subagents.metrics.model import TRAFFIC_SURGE

MOST_CHANGES, MOST_BURSTS, MOST_CALLEES = 10, 4, 4
STILL, MOVED = 3.0, 6.0
"""Noises within which a series kept its level, and from which it surely left it."""
SAME, GROWN = (0.75, 1.25), 1.5
"""The ratio of levels within which it did, whatever its noise, and from which it surely grew."""
TOGETHER = timedelta(minutes=1)
CHANGE_TEST = "in effect before the onset, reaches what failed, leads to the symptom"
LEVEL_TEST = "its level after the onset against its level before"
BURST_TEST = "began before the onset"
TRAFFIC_TEST = "requests after the onset against those before"


def bystanders(case: Case, decision: Decision, told: set[str]) -> Iterator[RuledOut]:
    """Yield what was not told of yet; `told` are the ids of the suspects that were."""
    if case.symptom is None:
        return
    yield from _changes(case, told)
    yield from _deploys_without_commit(case, told)
    yield from _traffic(case, told)
    yield from _hosts(case, told)
    yield from _callees(case, told)
    yield from _bursts(case, decision)


# -- changes -----------------------------------------------------------------------------------


def _changes(case: Case, told: set[str]) -> Iterator[RuledOut]:
    """Yield the other changes, those that a person would ask about first: deployed or switched, near the onset."""
    rest = [one for one in case.scored if about(one).id not in told and (one.deploy or one.kind == "flag")]
    rest.sort(key=lambda one: abs(one.lead_s) if one.lead_s is not None else 1e12)
    for one in rest[:MOST_CHANGES]:
        result, command = _result(one)
        why = one.ruled_out or one.reasons() or "nothing speaks for or against it"
        yield RuledOut(
            suspect=about(one),
            test=CHANGE_TEST,
            result=result,
            reason=why if "the onset" in why else f"{_lead(one)}{why}",
            citations=tuple(dict.fromkeys(ref for ref in (one.deploy or "", one.ref) if ref)),
            facts=tuple(fact for fact in facts_of(one) if fact.quantity == q.LEAD_TIME),
            command=command,
        )


def _result(one: ScoredSuspect) -> tuple[Exclusion, str | None]:
    """Return what the test of a change came to; what it does could not be seen where it has no diff."""
    if one.ruled_out:
        return "ruled out", None
    if one.score >= UNLIKELY_BELOW:
        return "not cleared", None
    if one.kind == "commit" and one.diff == "none available":
        return "not testable with this data", repo_command()
    return "unlikely", None


def _lead(one: ScoredSuspect) -> str:
    if one.lead_s is None:
        return ""
    minutes = abs(one.lead_s) / 60
    length = f"{minutes:.0f} min" if minutes < 120 else f"{minutes / 60:.0f} h"
    return f"in effect {length} {'before' if one.lead_s >= 0 else 'after'} the onset; "


def _deploys_without_commit(case: Case, told: set[str]) -> Iterator[RuledOut]:
    for line in case.deploys:
        if line.commit or not line.key or f"deploy:{line.key}" in told:
            continue
        yield RuledOut(
            suspect=Suspect(kind="deploy", key=line.key, label=line.label[:80]),
            test=CHANGE_TEST,
            result="not testable with this data",
            reason="what it brought is not known: no source names its commit",
            citations=(line.ref,),
            command=repo_command(),
        )


# -- circumstances -----------------------------------------------------------------------------


def _traffic(case: Case, told: set[str]) -> Iterator[RuledOut]:
    if any(key.startswith("traffic:") for key in told) or not _named(case):
        return
    yield RuledOut(
        suspect=Suspect(kind="traffic", key=case.entry or "entry", label=TRAFFIC_SURGE),
        test=TRAFFIC_TEST,
        result="not testable with this data",
        reason=_unseen(case, "the requests at the entry, or upstream of the symptom,", 0),
        command=traffic_command(case),
    )


def _unseen(case: Case, wanted: str, left: int | None) -> str:
    """Say why no series tells of what is wanted; `left` is how many were not compared, None where none was."""
    if not {spec.kind for spec in case.brief.sources} & MEASURED:
        return f"no metrics were given: nothing shows {wanted} before and after the onset"
    if "metrics" in case.failed or left is None:
        return f"series were not compared that may show {wanted} before and after the onset"
    more = f"; {left} more of the kind, which moved less, were not compared" if left else ""
    return f"no series that was compared shows {wanted} before and after the onset{more}"


def _named(case: Case) -> bool:
    """Say whether there is a service to ask about."""
    return case.entry is not None or case.home is not None


def _hosts(case: Case, told: set[str]) -> Iterator[RuledOut]:
    held = [one for one in case.looked.hosts if f"host:{one.row.service}/{one.row.name}" not in told]
    spent = _used_up(case)
    held = [one for one in held if _concerns(case, one) and (one.row.service, one.row.name) not in spent]
    held.sort(key=lambda one: (one.row.service not in (case.home, case.entry), -abs(one.row.size)))
    for one in held[:2]:
        yield _by_level(one, Suspect(kind="host", key=f"{one.row.service}/{one.row.name}", label=_title(one)))
    if not held and _named(case) and not any(key.startswith("host:") for key in told):
        yield RuledOut(
            suspect=Suspect(kind="host", key=case.home or case.entry or "hosts", label="machine beneath"),
            test=LEVEL_TEST,
            result="not testable with this data",
            reason=_unseen(case, "the host beneath it", case.looked.hosts_left),
            command=host_command(case),
        )


def _concerns(case: Case, host: Level) -> bool:
    """Say whether anybody would ask about a host: it runs what is affected, is a machine of its own, or moved."""
    near = {case.home, case.entry, *case.affected}
    services = {name for edge in case.looked.edges for name in edge} | {info.name for info in case.brief.services}
    return host.row.service in near or host.row.service not in services or _hurts(host)


def _used_up(case: Case) -> set[tuple[str, str]]:
    """Return service and name of the series of which findings tell already: those of resources that are used up."""
    told = (f for f in case.findings if any(fact.quantity == q.REACHED for fact in f.facts))
    cited = (citations.parse(ref) for finding in told for ref in finding.citations if ref.startswith("metric:"))
    return {(ref.service, ref.name) for ref in cited if isinstance(ref, citations.MetricRef)}


def _callees(case: Case, told: set[str]) -> Iterator[RuledOut]:
    """Yield what the service where it began calls, by the series of its own errors."""
    home = case.home
    callees = dict.fromkeys(callee for caller, callee in case.looked.edges if caller == home and callee != home)
    shown = 0
    for callee in callees:
        level = next((one for one in case.looked.errors if one.row.service == callee), None)
        if level is None or shown == MOST_CALLEES or told & {f"dependency:{callee}", f"service:{callee}"}:
            continue
        shown += 1
        yield _by_level(level, Suspect(kind="dependency", key=callee, label=callee))


def _by_level(level: Level, suspect: Suspect) -> RuledOut:
    ratio = _ratio(level)
    still = abs(level.row.size) < STILL and SAME[0] <= ratio <= SAME[1]
    moved = _hurts(level)
    result: Exclusion = "ruled out" if still else "not cleared" if moved else "unlikely"
    word = "kept its level" if still else "left its level" if moved else "moved little"
    if not still and level.departure < 0:
        word = "moved, and not the way that hurts"
    return RuledOut(
        suspect=suspect,
        test=LEVEL_TEST,
        result=result,
        reason=f"{_title(level)} {word}: {_numbers(level.facts)}",
        citations=(level.row.citation,),
        facts=level.facts,
    )


def _ratio(level: Level) -> float:
    return next((float(fact.value) for fact in level.facts if fact.quantity == q.LEVEL_RATIO), 1.0)


def _hurts(level: Level) -> bool:
    """Say whether a series left its level, by the noise or by the ratio, in the direction that hurts."""
    return level.departure >= MOVED or (level.row.role != "availability" and _ratio(level) >= GROWN)


def _title(level: Level) -> str:
    return f"{level.row.service} {level.row.name}".strip()


def _numbers(facts: tuple[Fact, ...]) -> str:
    value = {fact.quantity: fact for fact in facts}
    before, after, ratio = (value.get(name) for name in (q.LEVEL_BEFORE, q.LEVEL_AFTER, q.LEVEL_RATIO))
    if before is None or after is None:
        return "no numbers"
    unit = f" {before.unit}" if before.unit not in ("", "ratio") else ""
    factor = f", {q.figure(float(ratio.value))} times" if ratio is not None and float(ratio.value) > 0 else ""
    return f"{q.figure(float(before.value), 4)}{unit} -> {q.figure(float(after.value), 4)}{unit}{factor}"


def _bursts(case: Case, decision: Decision) -> Iterator[RuledOut]:
    """Yield the bursts of errors that are no candidates themselves, by whether they came before the onset or after."""
    cause = {f.id for f in decision.hypothesis.supporting} if decision.hypothesis is not None else set()
    held = [
        finding
        for finding in case.of("errors", "mechanism", agent="logs")
        if finding.about is None and finding.at is not None and len(finding.services) == 1 and finding.citations
        if not any(fact.unit == SEVERE for fact in finding.facts)  # the sum of the others
    ]
    for finding in [f for f in held if f is not case.symptom and f.id not in cause][:MOST_BURSTS]:
        yield _burst(case, finding)


def _burst(case: Case, finding: Finding) -> RuledOut:
    at, onset = finding.at, case.onset
    result: Exclusion = "not cleared"
    when = "when the trouble began is not known"
    if at is not None and onset is not None:
        late, early = at > onset + TOGETHER, at < onset - TOGETHER
        result = "consequence" if late else "not cleared" if early else "goes with it"
        word = "after" if late else "before" if early else "with"
        when = f"first at {at:%H:%M:%S} UTC, {word} the onset at {onset:%H:%M:%S} UTC"
    return RuledOut(
        suspect=Suspect(kind="service", key=finding.services[0], label="burst of errors"),
        test=BURST_TEST,
        result=result,
        reason=f"{finding.claim.rstrip('.')}; {when}",
        citations=finding.citations,
        facts=finding.facts,
    )
