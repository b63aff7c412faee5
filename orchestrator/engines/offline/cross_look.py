"""Before the verdict: what no single specialist can see is looked up, by their own tools.

Series of errors and of hosts before and after the onset, the call graph, whether logs name a version before its deploy.
A look that fails, or that the budget does not allow, leaves a gap, never an error; what is found is cited like anything
else. Nothing a person does to the board changes the answers, so that they are asked for once in a round.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import BaseModel

from orchestrator.engines.offline.bench import Floor, OfflineBench, bench_of
from orchestrator.engines.offline.cut_short import BudgetSpent, reason_of
from orchestrator.engines.offline.looked import NOTHING, Level, Looked
from orchestrator.verdict.contradictions.clocks import Named
from orchestrator.verdict.contradictions.logs_traces import LEAST_FAILED
from subagents import quantities as q
from subagents.contract import AgentName, Fact, Window
from subagents.deploys.model import ChangeLine, DeploysSummary
from subagents.logs.model import LogsSearch, LogsSummary
from subagents.logs.params import SearchParams
from subagents.metrics.model import Compared, CompareReport, EdgesReport, MetricsSummary, TracedView
from subagents.metrics.params import CompareParams, EdgesParams

if TYPE_CHECKING:
    from orchestrator.engines.base import Desk

AROUND = timedelta(hours=1)
NEAR = timedelta(minutes=30)
"""Deploys this near the onset are compared with what the logs name."""
EARLIER = timedelta(hours=2)
ERROR_ROLES = ("error_ratio", "error_count", "availability")
MOST_SERIES, MOST_HOSTS, MOST_DEPLOYS, MOST_QUIET, MOST_EDGES = 40, 6, 3, 3, 1000
LEAST_WORD = 3
ACROSS = "what the sources say of each other"


async def cross_look(desk: Desk, floor: Floor, summaries: Mapping[str, BaseModel], names: tuple[str, str]) -> Looked:
    """Look up what relates the sources; `names` are those of the round's sources and of the round (`OfflineBench`)."""
    look, looked = _Look(desk, floor, summaries, names), NOTHING
    try:
        looked = replace(looked, errors=(await look.levels(ERROR_ROLES, MOST_SERIES))[0])
        edges, traced = await look.edges()
        looked = replace(looked, edges=edges, traced=traced)
        hosts, left = await look.levels(("host",), MOST_HOSTS)
        looked = replace(looked, hosts=hosts, hosts_left=left)
        looked = replace(looked, named=await look.named())
        looked = replace(looked, quiet=await look.quiet(_erring(looked.errors, looked.traced)))
    except BudgetSpent as spent:
        looked = replace(looked, missed=((ACROSS, reason_of(spent)),))
    return looked


class _Look:
    def __init__(self, desk: Desk, floor: Floor, summaries: Mapping[str, BaseModel], names: tuple[str, str]) -> None:
        self._desk, self._floor, self._names = desk, floor, names
        found = (summaries.get(name) for name in ("metrics", "logs", "deploys"))
        metrics, logs, deploys = found
        self._metrics = metrics if isinstance(metrics, MetricsSummary) else None
        self._logs = logs if isinstance(logs, LogsSummary) else None
        self._deploys = deploys if isinstance(deploys, DeploysSummary) else None

    def _bench(self, agent: AgentName) -> OfflineBench | None:
        return bench_of(agent, self._desk, self._floor, self._names)

    @property
    def _onset(self) -> datetime | None:
        measured = self._metrics.onset if self._metrics is not None else None
        logged = self._logs.onset.at if self._logs is not None and self._logs.onset is not None else None
        return measured or logged

    @property
    def _ended(self) -> datetime | None:
        """When what is compared was over: what comes after it shows nothing of the trouble."""
        symptom = self._metrics.symptom if self._metrics is not None else None
        if symptom is None or symptom.state != "recovered" or symptom.onset is None or symptom.seconds is None:
            return None
        return symptom.onset + timedelta(seconds=symptom.seconds - symptom.step / 2)

    async def levels(self, roles: tuple[str, ...], limit: int) -> tuple[tuple[Level, ...], int | None]:
        """Return the series of these roles before and after the onset, largest difference first, and how many are left.

        None are left, and not 0, where nothing could be compared.
        """
        bench, onset = self._bench("metrics"), self._onset
        if bench is None or onset is None or self._metrics is None or not self._metrics.services:
            return (), None  # no series, so none to compare
        end = min(onset + AROUND, self._ended or onset + AROUND)
        asked = CompareParams(
            first_start=onset - AROUND,
            first_end=onset - timedelta(microseconds=1),
            second_start=onset,
            second_end=end,
            roles=roles,
            limit=limit,
        )
        report = (await bench.call("metrics_compare", asked, CompareReport)).data
        since = Window(start=onset, end=end + timedelta(seconds=1))
        if report is None:
            return (), None
        return tuple(Level(row, _facts(row, since)) for row in report.rows), report.more

    async def edges(self) -> tuple[tuple[tuple[str, str], ...], tuple[TracedView, ...]]:
        """Return who calls whom, and how spans ended; not asked for where no change is suspected and no span given."""
        bench = self._bench("metrics")
        suspected = self._deploys is not None and bool(self._deploys.suspects)
        spans = any(spec.kind == "spans" for spec in self._desk.brief.sources)
        if bench is None or not (suspected or spans):
            return (), ()
        since = self._onset if spans else None
        report = (await bench.call("metrics_edges", EdgesParams(limit=MOST_EDGES, since=since), EdgesReport)).data
        if report is None:
            return (), ()
        return tuple((edge.caller, edge.callee) for edge in report.edges), report.traced

    async def named(self) -> tuple[Named, ...]:
        """Return, of deploys near the onset, the first line in which the service itself names what was deployed."""
        bench, onset = self._bench("logs"), self._onset
        if bench is None or onset is None or self._logs is None or not self._logs.events or self._deploys is None:
            return ()
        near = [line for line in self._deploys.deploys if line.at is not None and abs(line.at - onset) <= NEAR]
        found = []
        for line in sorted(near, key=lambda one: abs((one.at or onset) - onset))[:MOST_DEPLOYS]:
            if one := await self._first(bench, line):
                found.append(one)
        return tuple(found)

    async def _first(self, bench: OfflineBench, line: ChangeLine) -> Named | None:
        """Return where a deploy is first named, by any of its names: in one search, for each reads all of the logs."""
        words = _words(line)
        if line.at is None or not line.service or not words:
            return None
        asked = SearchParams(
            regex="(?i)" + "|".join(map(re.escape, words)),
            service=line.service,
            start=(line.at - EARLIER).isoformat(),
            end=line.at.isoformat(),
            limit=1,
        )
        result = (await bench.call("logs_search", asked, LogsSearch)).data
        if result is None or not result.lines or result.lines[0].at is None:
            return None
        first = result.lines[0]
        word = next((one for one in words if one.casefold() in first.text.casefold()), words[0])
        return Named(line.service, word, line.at, line.ref, first.at or line.at, first.citation)

    async def quiet(self, erring: Sequence[str]) -> tuple[tuple[str, str], ...]:
        """Return which services, that err by series or traces, have logs to be read that hold no severe events."""
        bench, onset = self._bench("logs"), self._onset
        if bench is None or onset is None or self._logs is None or not self._logs.clean:
            return ()
        found: list[tuple[str, str]] = []
        for service in list(dict.fromkeys(filter(None, erring)))[:MOST_QUIET]:
            asked = SearchParams(service=service, start=onset.isoformat(), limit=1)
            result = (await bench.call("logs_search", asked, LogsSearch)).data
            if result is not None and result.lines:
                found.append((service, result.lines[0].citation))
        return tuple(found)


def _erring(errors: Sequence[Level], traced: Sequence[TracedView]) -> list[str]:
    by_series = [level.row.service for level in errors if level.row.hurts and level.row.size]
    return by_series + [one.service for one in traced if one.failed >= LEAST_FAILED and one.caller is None]


def _words(line: ChangeLine) -> tuple[str, ...]:
    """Return what a service would call the deploy by: its version where that is telling, the start of its commit."""
    version = line.version if len(line.version) >= LEAST_WORD and any(one.isdigit() for one in line.version) else ""
    telling = version if not version.isdigit() else ""
    commit = line.commit[:7] if line.commit else ""
    return tuple(word for word in (telling, commit) if word and word.isprintable())


def _facts(row: Compared, since: Window) -> tuple[Fact, ...]:
    def stated(quantity: str, value: float, unit: str) -> Fact:
        return Fact(quantity=quantity, value=value, unit=unit, citation=row.citation, window=since)

    levels = (stated(q.LEVEL_BEFORE, row.before, row.unit), stated(q.LEVEL_AFTER, row.after, row.unit))
    ratio = (stated(q.LEVEL_RATIO, row.after / row.before, ""),) if row.before > 0 and row.after >= 0 else ()
    return (*levels, *ratio)
