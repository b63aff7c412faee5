"""The commands that would test what this data cannot: to be filled in where a name is in capitals, never run here."""

from __future__ import annotations

from datetime import datetime, timedelta

from orchestrator.engines.offline.case import Case

BEFORE, AFTER = timedelta(hours=1), timedelta(minutes=30)
ATTACH = "warroom attach SESSION metrics.csv"


def traffic_command(case: Case) -> str:
    """Return how to get the requests at the entry."""
    service = case.entry or "ENTRY"
    query = f'sum(rate(http_requests_total{{service="{_bare(service)}"}}[1m]))'
    return f"{_promtool(case, query)}  # as ts,service,metric,value, then: {ATTACH}"


def host_command(case: Case) -> str:
    """Return how to get how busy the machines were."""
    query = '100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[2m])))'
    return f"{_promtool(case, query)}  # as ts,service,metric,value, then: {ATTACH}"


def repo_command() -> str:
    """Return how to let the code be read."""
    return "warroom attach SESSION --repo REPOSITORY"


def _promtool(case: Case, query: str) -> str:
    start, end = _span(case)
    return f"promtool query range --start={start} --end={end} --step=1m PROMETHEUS_URL '{query}'"


def _span(case: Case) -> tuple[str, str]:
    onset = case.onset
    if onset is None:
        return "START", "END"
    return _stamp(onset - BEFORE), _stamp(onset + AFTER)


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _bare(name: str) -> str:
    """Return a name that stays a name in a query and in a shell: what else it holds is left to whoever runs it."""
    plain = "".join(letter for letter in name if letter.isalnum() or letter in "._-:/")
    return plain or "SERVICE"
