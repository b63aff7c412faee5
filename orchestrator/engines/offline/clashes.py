"""The contradictions between sources in one round: what was found and looked up, held against each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orchestrator.engines.offline.case import CHANGE_KINDS, Case, named
from orchestrator.engines.offline.causes import CONVICTS_FROM
from orchestrator.engines.offline.looked import Level
from orchestrator.verdict.contradictions.clocks import early_versions, skewed_logs
from orchestrator.verdict.contradictions.logs_metrics import JUMPED, ErrorSeries, LoggedErrors, logs_against_metrics
from orchestrator.verdict.contradictions.logs_traces import LoggedPeer, logs_against_traces
from orchestrator.verdict.contradictions.reach import unreached
from subagents import quantities as q
from subagents.contract import Fact, Finding, Problem
from subagents.contradiction import Contradiction
from subagents.logs.counted import SEVERE, kind_of_unit


def clashes(case: Case, skew: Sequence[Problem]) -> tuple[Contradiction, ...]:
    """Return every contradiction between sources of a case."""
    looked = case.looked
    onsets = {f.citation: f for one in case.findings for f in one.facts if f.quantity == q.ONSET}
    stirred = {moved.citation.partition("@")[0] for moved in case.stirred}
    series = [_series(one, _onset_of(one.row.citation, onsets), stirred) for one in looked.errors]
    logged = list(_logged(case.findings))
    found = [
        *logs_against_metrics(series, logged, dict(looked.quiet)),
        *logs_against_traces(looked.traced, logged, list(_peers(case.findings)), dict(looked.quiet)),
        *early_versions(looked.named),
        *skewed_logs(skew, case.brief.sources),
        *_reach(case, series, logged),
    ]
    return tuple({one.text: one for one in found}.values())


def _series(level: Level, onset: Fact | None, stirred: set[str]) -> ErrorSeries:
    row = level.row
    left = row.citation.partition("@")[0] in stirred
    return ErrorSeries(row.service, row.name, row.citation, level.departure, level.facts, onset, left)


def _onset_of(citation: str, onsets: dict[str, Fact]) -> Fact | None:
    """Return the onset that was measured of a series, over whatever span."""
    series = citation.partition("@")[0]
    return next((fact for ref, fact in onsets.items() if ref.partition("@")[0] == series), None)


def _logged(findings: Sequence[Finding]) -> Iterator[LoggedErrors]:
    """Yield the severe events by service that the logs' own finding states."""
    for finding in findings:
        for fact in finding.facts:
            if fact.quantity != q.COUNT or fact.unit != SEVERE:
                continue
            same = [f for f in finding.facts if f.citation == fact.citation]
            place = list(dict.fromkeys(f.citation for f in finding.facts)).index(fact.citation)
            if place >= len(finding.services):
                continue
            expected = next((f for f in same if f.quantity == q.BASELINE_COUNT), None)
            first = next((f for f in same if f.quantity == q.FIRST_SEEN), None)
            yield LoggedErrors(finding.services[place], fact, expected, first)


def _peers(findings: Sequence[Finding]) -> Iterator[LoggedPeer]:
    """Yield the failures of a named peer that services log, with the count of it."""
    for finding in findings:
        about = finding.about
        if finding.agent != "logs" or about is None or about.kind not in ("dependency", "service"):
            continue
        known = {fact.quantity: fact for fact in finding.facts if kind_of_unit(fact.unit) is not None}
        count = known.get(q.COUNT)
        if count is not None and finding.stance == "for" and len(finding.services) == 1:
            told = about.label or about.key
            yield LoggedPeer(finding.services[0], about.key, told, count, known.get(q.BASELINE_COUNT))


def _reach(case: Case, series: Sequence[ErrorSeries], logged: Sequence[LoggedErrors]) -> Iterator[Contradiction]:
    changes = case.leading(CHANGE_KINDS)
    if not changes or changes[0].score < CONVICTS_FROM or not case.looked.edges:
        return
    best = changes[0]
    known = case.changes.get(best.suspect.id)
    runs_in = tuple(dict.fromkeys(name for f in best.supporting for name in f.services)) or (
        (known.service,) if known is not None and known.service else ()
    )
    failing = {one.service: (one.count.citation,) for one in logged if one.rises}
    failing |= {one.service: (one.citation,) for one in series if one.size >= JUMPED}
    refs = tuple(dict.fromkeys(ref for f in best.supporting for ref in f.citations))
    found = unreached((named(best.suspect), refs), runs_in, failing, case.looked.edges)
    if found is not None:
        yield found
