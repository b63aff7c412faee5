"""What the deploys specialist does with no model.

It looks at the alert's window at once, scores again as findings arrive, and reports once, when the
others are done: early scores are said, not reported, so that the board is never contradicted.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from subagents.contract import Brief, Finding, Window
from subagents.deploys.catalogue import KINDS
from subagents.deploys.model import (
    DeploysSummary,
    ScoredSuspect,
    SuspectsParams,
    SuspectsResult,
    TimelineParams,
    TimelineResult,
)
from subagents.deploys.question import describes_symptom, failing_services, onset_of
from subagents.deploys.reporting import findings_of, no_source_gap
from subagents.deploys.said_when import told_onset
from subagents.quantities import counted
from subagents.specialist import Workbench

BEFORE = timedelta(hours=6)
"""How long before the alert's window changes are still of interest."""
ROUNDS = 8
"""How often it scores again while findings arrive."""
SUSPECTS_KEPT = 200


def _window(brief: Brief) -> Window | None:
    incident = brief.incident
    if incident.window is not None:
        return Window(start=incident.window.start - BEFORE, end=incident.window.end)
    moment = incident.started_at or (incident.alert.fired_at if incident.alert else None)
    if moment is None:
        return None
    return Window(start=moment - BEFORE, end=moment + timedelta(hours=2))


def _text(brief: Brief) -> str:
    incident, alert = brief.incident, brief.incident.alert
    parts = [incident.title, incident.text, *brief.notes]
    if alert is not None:
        parts += [alert.title, alert.summary, alert.metric or ""]
    told = list(dict.fromkeys(part for part in parts if part))
    return "\n".join(part for part in told if not any(part != other and part in other for other in told))[:20_000]


def _services(brief: Brief, told: Sequence[Finding]) -> list[str]:
    """Order the services that failed: by findings, and the alert's own among the first."""
    found = list(failing_services(told, ()).weights)
    alert = brief.incident.service or (brief.incident.alert.service if brief.incident.alert else None)
    if alert and alert not in found[:2]:
        found = [*found[:1], alert, *(name for name in found[1:] if name != alert)]
    return found[:8]


def _params(brief: Brief, told: Sequence[Finding]) -> SuspectsParams:
    told = sorted(told, key=lambda finding: finding.agent)  # in whatever order they came: one question, asked once
    window = _window(brief)
    incident = brief.incident
    fired = incident.alert.fired_at if incident.alert else None
    text = _text(brief)
    onset = onset_of(told) or incident.started_at or told_onset(text, fired) or fired
    return SuspectsParams(
        start=window.start.isoformat() if window else "",
        end=window.end.isoformat() if window else "",
        onset=onset.isoformat() if onset else "",
        finding_ids=[finding.id for finding in told],
        services=_services(brief, told),
        text=text,
        limit=SUSPECTS_KEPT,
    )


async def investigate(brief: Brief, bench: Workbench) -> DeploysSummary:
    """Follow the changes of an incident; raises nothing for bad data."""
    if not any(spec.kind in KINDS for spec in brief.sources):
        await bench.report(no_source_gap())
        return DeploysSummary()
    window = _window(brief)
    listed = await bench.call(
        "deploys_timeline",
        TimelineParams(
            start=window.start.isoformat() if window else "", end=window.end.isoformat() if window else "", limit=400
        ),
        TimelineResult,
    )
    timeline = listed.data or TimelineResult()
    await _say_timeline(bench, timeline, listed.text if listed.outcome != "ok" else "")
    ranking = await _follow(brief, bench)
    for finding in findings_of(ranking, timeline):
        await bench.report(finding)
    return DeploysSummary(
        onset=ranking.onset,
        suspects=ranking.suspects,
        deploys=tuple(line for line in timeline.changes if line.kind == "deploy"),
        flags=tuple(line for line in timeline.changes if line.kind == "flag"),
        problems=ranking.problems,
    )


async def _say_timeline(bench: Workbench, timeline: TimelineResult, trouble: str) -> None:
    if trouble:
        await bench.say(f"the changes could not be listed: {trouble}")
        return
    kinds = {kind: sum(1 for line in timeline.changes if line.kind == kind) for kind in ("deploy", "flag", "commit")}
    await bench.say(
        f"{counted(kinds['deploy'], 'deploy')}, {counted(kinds['flag'], 'flag change')}, "
        f"{counted(timeline.total - kinds['deploy'] - kinds['flag'], 'commit')} around the alert"
    )


async def _follow(brief: Brief, bench: Workbench) -> SuspectsResult:
    """Score now, and again each time that others found more of the symptom, until they are done."""
    ranking = SuspectsResult()
    scored: SuspectsParams | None = None
    rounds = 0
    while True:
        board = bench.board()
        params = _params(brief, [finding for finding in board if describes_symptom(finding)])
        done = rounds >= ROUNDS
        if params != scored and not done:
            ranking, scored = await _score(bench, params, ranking), params
            rounds += 1
        if not await bench.more(len(board)):
            break
    last = _params(brief, [finding for finding in bench.board() if describes_symptom(finding)])
    return ranking if last == scored else await _score(bench, last, ranking)


async def _score(bench: Workbench, params: SuspectsParams, before: SuspectsResult) -> SuspectsResult:
    answer = await bench.call("deploys_suspects", params, SuspectsResult)
    if answer.data is None:
        await bench.say(f"the changes could not be scored: {answer.text}")
        return before
    best = answer.data.suspects[:1]
    if best and (not before.suspects or _differs(before.suspects[0], best[0])):
        name = best[0].key[:12] if best[0].kind == "commit" else f"flag {best[0].key}"
        await bench.say(f"most suspicious so far: {name} {best[0].label} {best[0].score:.2f} ({best[0].reasons()})")
    return answer.data


def _differs(old: ScoredSuspect, new: ScoredSuspect) -> bool:
    return (old.kind, old.key) != (new.kind, new.key) or abs(old.score - new.score) >= 0.1
