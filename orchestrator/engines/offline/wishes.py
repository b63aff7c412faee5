"""What a person put on the board is looked into: evidence for and against it, or why this data cannot test it.

A person's word is no evidence. What is reported here is, and is checked like any other finding; where nothing can be
said, that is said, with the command that would tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel

from orchestrator.engines.base import Desk
from orchestrator.engines.offline.bench import Floor, OfflineBench, bench_of
from orchestrator.engines.offline.cut_short import BudgetSpent, reason_of
from orchestrator.verdict.board import Hypothesis, fold
from orchestrator.verdict.board_edits import LEAST_SHA, shown
from orchestrator.verdict.hypothesis import TO_TEST
from subagents.contract import AgentName, Finding, Suspect
from subagents.deploys.model import CommitParams, DeploysSummary, DiffResult, ScoredSuspect, SuspectsParams
from subagents.deploys.model import SuspectsResult as Ranking
from subagents.deploys.question import describes_symptom
from subagents.deploys.reporting import EXPLAINS_FROM, FOR_FROM, about, citations_of, facts_of
from subagents.logs.model import LogsSearch
from subagents.logs.params import SearchParams
from subagents.metrics.model import CompareReport, MetricsSummary
from subagents.metrics.params import CompareParams

MOVED, STILL, NAMED = 0.3, 0.3, 0.2
"""What it weighs that a service moved or kept still around the onset, and that errors begin to name something."""
WITH_IT = timedelta(hours=1)
"""How long before a commit changes are looked at where it lies outside of what was."""
BEFORE_ONSET = timedelta(hours=1)
CHANGES = ("commit", "deploy", "flag")
COMMANDS: Mapping[str, str] = {
    "commit": "attach the repository that holds it: warroom run PATH --repo REPOSITORY",
    "deploy": "attach deploys.json with it: id, service, time, commit",
    "flag": "attach flags.json with it: name, time, old and new value",
    "service": "export its error ratio and latency as metrics.csv (ts,service,metric,value), from an hour before the "
    "onset, and its logs",
    "dependency": "attach the logs of a caller that names it, and its owner's status page",
    "traffic": "export the requests per second of the entry point as metrics.csv (ts,service,metric,value)",
    "host": "export its CPU, memory and disk as metrics.csv (ts,service,metric,value), with the host as the service",
    "resource": "export its use and its limit as metrics.csv (ts,service,metric,value)",
    "certificate": "openssl s_client -connect HOST:443 </dev/null | openssl x509 -noout -dates",
    "config": "attach the diff of the setting, or the repository that holds it: --repo REPOSITORY",
}
NAMELESS = "nothing in it tells of it"
_UNTOLD: Mapping[str, str] = {
    "commit": "no source holds what this commit changes, or when it took effect",
    "deploy": "no source holds what this deploy brought, or when",
    "flag": "no source holds when this flag was changed",
}
ANYTHING = "attach logs or metrics in which it would show, and add it again by a word that they hold"


async def look_into(
    desk: Desk, floor: Floor, summaries: Mapping[str, BaseModel], names: tuple[str, str]
) -> tuple[tuple[str, str], ...]:
    """Test each suspect that a person added or pinned and that no finding speaks of yet, pinned ones first.

    `names` are those of the round's sources and of the round (`OfflineBench`). Return which the budget did not allow to
    test, each with why.
    """
    asked = [one for one in fold(tuple(floor.findings.values()), desk.edits()) if one.added or one.pin]
    missed = []
    for one in asked:
        if not (one.supporting or one.opposing or one.excluding or one.doubted or one.untested):
            try:
                finding = await _Look(desk, floor, summaries, names).at(one)
            except BudgetSpent as spent:
                missed.append((f"{shown(one.suspect)}, which you put on the board,", reason_of(spent)))
                continue
            await OfflineBench(finding.agent, desk, floor, *names).report(finding)
    return tuple(missed)


class _Look:
    """One look at one suspect, by the tools of whoever can tell."""

    def __init__(self, desk: Desk, floor: Floor, summaries: Mapping[str, BaseModel], names: tuple[str, str]) -> None:
        self._desk, self._floor, self._summaries, self._names = desk, floor, summaries, names

    async def at(self, asked: Hypothesis) -> Finding:
        """Return what there is to say."""
        suspect = asked.suspect
        found = await self._change(suspect) if suspect.kind in CHANGES else None
        if found is None and suspect.kind not in CHANGES:
            found = await self._service(suspect) or await self._mentions(suspect)
        return found or self._not_testable(suspect)

    def _bench(self, agent: AgentName) -> OfflineBench | None:
        return bench_of(agent, self._desk, self._floor, self._names)

    @property
    def _onset(self) -> datetime | None:
        metrics, incident = self._summaries.get("metrics"), self._desk.brief.incident
        measured = metrics.onset if isinstance(metrics, MetricsSummary) else None
        seen = [f.at for f in self._floor.findings.values() if f.topic in ("symptom", "errors") and f.at is not None]
        return measured or min(seen, default=None) or incident.started_at

    def _not_testable(self, suspect: Suspect) -> Finding:
        """Say so. It names the suspect by its id among the terms: a name that no source knows is nobody's claim."""
        command = COMMANDS.get(suspect.kind, ANYTHING)
        held = ", ".join(dict.fromkeys(spec.kind for spec in self._desk.brief.sources)) or "nothing"
        return Finding(
            agent="orchestrator",
            claim=f"{shown(suspect)} is not testable with this data ({held}): {_UNTOLD.get(suspect.kind, NAMELESS)}"
            f"{TO_TEST}{command}",
            topic="gap",
            weight=0.2,
            terms=(suspect.id,),
        )

    # -- changes -----------------------------------------------------------------------------

    async def _change(self, suspect: Suspect) -> Finding | None:
        summary = self._summaries.get("deploys")
        scored = summary.suspects if isinstance(summary, DeploysSummary) else ()
        found = _scored(suspect, scored) or await self._score(suspect)
        return _told(found, suspect) if found is not None else None

    async def _score(self, suspect: Suspect) -> ScoredSuspect | None:
        """Score a commit that lies outside of what was looked at."""
        bench = self._bench("deploys")
        if bench is None or suspect.kind != "commit" or len(suspect.key) < LEAST_SHA:
            return None
        diff = (await bench.call("deploys_diff", CommitParams(commit=suspect.key[:64]), DiffResult)).data
        if diff is None or diff.committed_at is None:
            return None
        symptom = [finding.id for finding in bench.board() if describes_symptom(finding)]
        onset = self._onset
        until = max(diff.committed_at, onset or diff.committed_at) + timedelta(hours=2)
        wanted = SuspectsParams(
            start=(diff.committed_at - WITH_IT).isoformat(),
            end=until.isoformat(),
            onset=onset.isoformat() if onset else "",
            finding_ids=sorted(symptom),
            text=self._desk.brief.incident.title,
            limit=200,
        )
        ranking = (await bench.call("deploys_suspects", wanted, Ranking)).data
        return _scored(suspect, ranking.suspects) if ranking is not None else None

    # -- services ----------------------------------------------------------------------------

    async def _service(self, suspect: Suspect) -> Finding | None:
        """Compare the series of what is named before and after the onset; None where there are none."""
        bench, onset = self._bench("metrics"), self._onset
        if bench is None or onset is None or suspect.kind == "none":
            return None
        name = suspect.key.partition("/")[0]
        asked = CompareParams(
            first_start=onset - BEFORE_ONSET,
            first_end=onset - timedelta(seconds=1),
            second_start=onset,
            second_end=onset + BEFORE_ONSET,
            service=name,
            limit=8,
        )
        report = (await bench.call("metrics_compare", asked, CompareReport)).data
        if report is None or not report.rows:
            return None
        hurt = [row for row in report.rows if row.hurts]
        rows = hurt[:3] or list(report.rows[:3])
        names = ", ".join(f"{row.service} {row.name}".strip() for row in rows)
        claim = (
            f"Around the onset {names} moved in a direction that hurts."
            if hurt
            else f"Around the onset nothing of {name} moved in a direction that hurts (looked at: {names})."
        )
        return Finding(
            agent="metrics",
            claim=claim,
            topic="order" if hurt else "exclusion",
            about=suspect,
            stance="for" if hurt else "against",
            weight=MOVED if hurt else STILL,
            citations=tuple(row.citation for row in rows),
            services=(name,) if suspect.kind == "service" else (),
        )

    # -- anything else -----------------------------------------------------------------------

    async def _mentions(self, suspect: Suspect) -> Finding | None:
        """Look whether errors begin to name it with the onset; None where no line names it, or all do."""
        bench, onset = self._bench("logs"), self._onset
        if bench is None or onset is None:
            return None
        at = onset.isoformat()
        for words in _searched(suspect):
            after = SearchParams(text=words, level="error", start=at, limit=3)
            found = (await bench.call("logs_search", after, LogsSearch)).data
            if found is None or not found.matches or not found.lines:
                continue
            before = SearchParams(text=words, level="error", end=at, limit=1)
            earlier = (await bench.call("logs_search", before, LogsSearch)).data
            if earlier is not None and not earlier.matches:
                return Finding(
                    agent="logs",
                    claim=f"Errors since the onset name {words[:80]}, and none before it does.",
                    topic="errors",
                    about=suspect,
                    stance="for",
                    weight=NAMED,
                    citations=tuple(line.citation for line in found.lines),
                )
        return None


def _scored(suspect: Suspect, scored: Sequence[ScoredSuspect]) -> ScoredSuspect | None:
    kinds = {"deploy": "commit"}
    for item in scored:
        if item.kind != kinds.get(suspect.kind, suspect.kind):
            continue
        same = item.key == suspect.key or (suspect.kind == "commit" and item.key.startswith(suspect.key))
        carried = suspect.kind == "deploy" and suspect.key in ((item.deploy or "").partition("#")[2], item.version)
        if (same and suspect.kind != "deploy") or carried:
            return item
    return None


def _told(item: ScoredSuspect, suspect: Suspect) -> Finding:
    """Return the finding on a scored change; a change that was ruled out says by what."""
    named = about(item)
    name = f"flag {item.key}" if item.kind == "flag" else f"{item.key[:12]} “{named.label}”"
    stance = "rules_out" if item.ruled_out else "for" if item.score >= FOR_FROM else "against"
    strength = "explains the symptom" if item.score >= EXPLAINS_FROM else "may matter"
    said = strength if stance == "for" else "does not explain the symptom"
    why = item.ruled_out or item.reasons() or "nothing speaks for or against it"
    return Finding(
        agent="deploys",
        claim=f"{name} was looked into: it {said}: {why}.",
        topic="change",
        about=named if suspect.kind != "deploy" else suspect,
        stance=stance,
        weight={"for": item.score, "against": round(min(0.9, 1.0 - item.score), 4)}.get(stance, 0.95),
        facts=facts_of(item)[:-2] if item.ruled_out else facts_of(item),
        citations=citations_of(item),
        services=item.services,
        at=item.at,
    )


def _searched(suspect: Suspect) -> tuple[str, ...]:
    """Return what to look for in the logs: the words as they are, then those of them that look like names."""
    words = suspect.key if suspect.kind != "resource" else suspect.key.rpartition("/")[2]
    names = [word.strip(".,;:()") for word in words.split() if any(mark in word for mark in "._-/0123456789")]
    return tuple(dict.fromkeys(one for one in (words, *names[:3]) if len(one) > 2))
