"""Whether a known kind of failure in logs and a series in metrics show the same: two independent kinds of evidence.

The wording of a line says what a program believes; a series that moved no later than the symptom says that it is so.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from orchestrator.engines.offline.case import Case, Moved, failure_of
from orchestrator.verdict.board import Hypothesis
from subagents.deploys.diffkinds import INNOCENT
from subagents.deploys.model import ScoredSuspect
from subagents.logs.machines import OF_THE_MACHINE

SHOWN_BY: Mapping[str, tuple[str, ...]] = {
    "disk full": ("disk", "storage", "volume", "inode", "filesystem"),
    "OOM kill": ("mem", "rss", "oom"),
    "out of memory": ("mem", "heap", "rss", "oom"),
    "full collections": ("mem", "heap", "gc"),
    "thread limit": ("thread", "pids", "process"),
    "pool exhausted": ("pool", "conn"),
    "file handles": ("handle", "fds", "open_files"),
    "ports exhausted": ("socket", "conn", "port"),
    "overload": ("queue", "backlog", "request", "rps", "qps"),
    "replication": ("lag", "replica", "behind"),
    "datastore leadership": ("lag", "leader", "replica"),
    "host fault": ("cpu", "iowait", "disk", "steal", "load"),
    "locks": ("lock", "wait"),
    "rate limited": ("throttl", "429", "request", "rps"),
    "clock": ("offset", "skew", "drift", "timex", "ntp"),
    "not schedulable": ("pending", "ready", "replica"),
}
"""Known kinds of failure to parts of the names of series in which they would show."""
SERIES_WEIGHT = 0.35
"""What a series that moved with it adds, as what metrics themselves give a resource that moved before the symptom."""
SLACK = timedelta(minutes=2)
HOUR_S = 3600.0
EVEN = 0.5
"""Chance from which a place is the most likely."""
ELSEWHERE = 0.5
"""Of how well it holds, where it is told of by services only that nothing connects with the symptom."""
BENEATH = 0.8
"""The same where only programs of a machine tell of it: they speak of all that runs there, not saying what that is."""
FROM_WITHIN = (
    "OOM kill",
    "out of memory",
    "full collections",
    "thread limit",
    "file handles",
    "ports exhausted",
    "pool exhausted",
)
"""Kinds of failure in which what runs there uses up what it has: logs and series tell that it did, not who made it."""
SLOWLY = timedelta(minutes=15)
JUST_BEFORE = timedelta(minutes=15)
"""What begins so soon after a change on the same service may be its doing, whatever its diff looks like: log lines,
which are innocent else, fill disks."""


def shown_by(case: Case, circumstance: Hypothesis) -> Moved | None:
    """Return the first series that moved, no later than the symptom, as the circumstance would have it."""
    kind = failure_of(circumstance.suspect, SHOWN_BY)
    if kind is None or any(ref.startswith("metric:") for f in circumstance.supporting for ref in f.citations):
        return None
    late = case.onset + SLACK if case.onset is not None else None
    for series in case.stirred:
        in_time = late is None or (series.at is not None and series.at <= late)
        if in_time and any(part in series.name.casefold() for part in SHOWN_BY[kind]):
            return series
    return None


def strength(case: Case, circumstance: Hypothesis) -> float:
    """Return how well a circumstance holds: more with a series that shows it, less where only bystanders tell of it."""
    score = circumstance.score
    if shown_by(case, circumstance) is not None:
        score = 1.0 - (1.0 - score) * (1.0 - SERIES_WEIGHT)
    elsewhere = BENEATH if is_of_a_machine(circumstance) else ELSEWHERE
    return round(score * (elsewhere if is_elsewhere(case, circumstance) else 1.0), 4)


def is_elsewhere(case: Case, circumstance: Hypothesis) -> bool:
    """Say whether only services tell of it that are not where it shows or began, nor connected with these."""
    told_by = _told_by(circumstance)
    places = told_by | {where_of(circumstance)}
    here = {name for name in (case.home, case.entry, case.brief.incident.service) if name}
    if not told_by or not here or places & here or not told_by & case.speakers:
        return False
    near = {callee for caller, callee in case.looked.edges if caller in here}
    near |= {caller for caller, callee in case.looked.edges if callee in here}
    return not places & near


def where_of(circumstance: Hypothesis) -> str:
    """Return what the circumstance befell, as `disk full in db-1` names it; all of its key where it names nothing."""
    return circumstance.suspect.key.rpartition(" in ")[2]


def is_of_a_machine(circumstance: Hypothesis) -> bool:
    """Say whether only programs of a machine tell of it, which speak of all that runs there."""
    told_by = _told_by(circumstance)
    return bool(told_by) and told_by <= OF_THE_MACHINE


def _told_by(circumstance: Hypothesis) -> set[str]:
    return {service for finding in circumstance.supporting for service in finding.services}


def began_with(case: Case, circumstance: Hypothesis) -> ScoredSuspect | None:
    """Return the change on the same service that took effect just before what is seen began; None where none did."""
    series = shown_by(case, circumstance) or _own_series(case, circumstance)
    dated = [f.at for f in circumstance.supporting if f.at is not None] + ([series.at] if series and series.at else [])
    places = _told_by(circumstance) | {case.home}
    if not dated:
        return None
    fills = (circumstance.suspect.label or circumstance.suspect.key).startswith("disk full")
    near = [
        one
        for one in case.scored
        if one.at is not None
        and (not one.ruled_out or (fills and INNOCENT["logging"] in one.ruled_out))
        and any(timedelta(0) <= began - one.at <= JUST_BEFORE for began in dated)
        and (one.service in places or places & set(one.services))
    ]
    return max(near, key=lambda one: one.score, default=None)


def followed(case: Case, change: Hypothesis, circumstance: Hypothesis) -> bool:
    """Say whether a circumstance came after a change, on the service that runs it: it may be what the change did."""
    known = case.changes.get(change.suspect.id)
    first = min((finding.at for finding in circumstance.supporting if finding.at is not None), default=None)
    if circumstance.suspect.kind not in ("resource", "dependency") or known is None or known.at is None:
        return False
    after = first is not None and first >= known.at
    return after and any(known.service in finding.services for finding in circumstance.supporting)


def filled_slowly(case: Case, circumstance: Hypothesis) -> Moved | None:
    """Return the series of what was used up from within and had filled since long before the onset; else None.

    What fills for so long may be the doing of a change that is older than what is known of changes.
    """
    if case.onset is None or failure_of(circumstance.suspect, FROM_WITHIN) is None:
        return None
    series = shown_by(case, circumstance) or _own_series(case, circumstance)
    slow = series is not None and series.at is not None and case.onset - series.at >= SLOWLY
    return series if slow else None


def _own_series(case: Case, circumstance: Hypothesis) -> Moved | None:
    """Return the series by which metrics tell that a resource is used up, with when it began to fill."""
    cited = {ref for finding in circumstance.supporting if finding.agent == "metrics" for ref in finding.citations}
    return next((series for series in case.filling if series.citation in cited), None)


def unread_nearer(case: Case, change: Hypothesis) -> ScoredSuspect | None:
    """Return a change, no earlier than the one given, that nobody could read: of its service, or where it began.

    That there is no diff does not mean that nothing changed.
    """
    mine = next((one for one in case.scored if f"{one.kind}:{one.key}" == change.suspect.id), None)
    if mine is None or mine.lead_s is None:
        return None
    return _unread(case, {mine.service, *_began(case)}, mine.lead_s, mine)


def unread_at_home(case: Case) -> ScoredSuspect | None:
    """Return a change deployed just before the onset, where it most likely began, that nobody could read."""
    return _unread(case, _began(case), JUST_BEFORE.total_seconds(), None)


def _began(case: Case) -> set[str]:
    return {case.services[0].service} if case.services and case.services[0].score >= EVEN else set()


def unread_where(case: Case, circumstance: Hypothesis) -> ScoredSuspect | None:
    """Return a change deployed where a circumstance shows, in the hour before the onset, that nobody could read."""
    places = {service for finding in circumstance.supporting for service in finding.services}
    return _unread(case, places, HOUR_S, None)


def _unread(case: Case, places: set[str], most_s: float, but: ScoredSuspect | None) -> ScoredSuspect | None:
    for one in case.scored:
        if one is but or one.kind != "commit" or one.diff != "none available" or one.ruled_out or not one.deploy:
            continue
        if one.service in places and one.lead_s is not None and 0 <= one.lead_s <= most_s:
            return one
    return None
