"""Findings of the logs specialist, as sentences with facts: what is reported, in which order, and when it is "clean"."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from subagents import quantities
from subagents.contract import Fact, Finding, Suspect, Topic
from subagents.logs.model import LogsCoverage, LogsFirstLook, LogsPatterns, LogsStacks, Pattern, Signature, StackGroup
from subagents.logs.signatures import TABLE

NAME = "logs"
PATTERNS_REPORTED = 4
STACKS_REPORTED = 3
SIGNATURES_REPORTED = 4
SERVICES_REPORTED = 3
CLAIM_CHARS = 220
LEAST_RATIO = 4.0
"""Nats: below this, a difference between window and baseline is taken for chance."""
_WEIGHTS = {known.name: known.weight for known in TABLE}
_STARTS = re.compile(
    r"\b(?:starting|started|booting|listening on|application (?:is )?ready|initializ(?:ed|ing)|server running|now serving)\b",
    re.IGNORECASE,
)
_STOPPED_LEAST = 20


def gap(text: str) -> Finding:
    """Say what could not be looked at."""
    return Finding(agent=NAME, claim=text, topic="gap", weight=0.1)


def no_logs() -> Finding:
    """Say that there are no logs."""
    return gap("No log files were given, so nothing is known of what the services logged.")


def undated(coverage: LogsCoverage) -> str:
    """Say that no event has a time."""
    return (
        f"None of the {coverage.events} log events has a time stamp that warroom knows: they are searched, but they "
        "cannot be compared with the time before the incident."
    )


def telling(patterns: LogsPatterns | None) -> list[Pattern]:
    """Return the patterns that speak of trouble: severe or warning, and new, bursting or rare."""
    if patterns is None:
        return []
    return [each for each in patterns.patterns if each.change in ("new", "burst", "rare") and _bad(each)]


def _bad(each: Pattern) -> bool:
    return each.severe or each.level in ("warn", "error", "fatal")


def is_clean(look: LogsFirstLook, patterns: LogsPatterns | None, stacks: LogsStacks | None) -> bool:
    """Say whether the logs show nothing wrong: no rise, no known failure, nothing severe that is new."""
    severe = [
        each for each in telling(patterns) if each.severe and (each.surprise >= LEAST_RATIO or each.change == "new")
    ]
    grown = [group for group in stacks.groups if group.count > 2 * group.baseline_count] if stacks is not None else []
    return look.onset is None and not look.signatures and not severe and not grown


def findings(
    coverage: LogsCoverage, look: LogsFirstLook, patterns: LogsPatterns | None, stacks: LogsStacks | None
) -> list[Finding]:
    """Return all findings, strongest first; health and gaps last."""
    if is_clean(look, patterns, stacks):
        return [_clean(look, patterns), *_other_changes(patterns), *_gaps(coverage, look)]
    strong = [
        *_onset(look, patterns),
        *_signatures(look),
        *_stacks(stacks),
        *_patterns(patterns, look),
        *_services(look),
    ]
    strong.sort(key=lambda finding: -finding.weight)
    return [*strong[:9], *_other_changes(patterns), *_gaps(coverage, look)]


def _clock(at: datetime | None) -> str:
    return f"{at:%H:%M:%S} UTC" if at is not None else "an unknown time"


def _moment(quantity: str, at: datetime | None, citation: str) -> tuple[Fact, ...]:
    return (Fact(quantity=quantity, value=at.isoformat(), citation=citation),) if at is not None else ()


def _counts(count: int, baseline: float, citation: str) -> tuple[Fact, ...]:
    return (
        Fact(quantity=quantities.COUNT, value=count, unit="events", citation=citation),
        Fact(quantity=quantities.BASELINE_COUNT, value=round(baseline, 2), unit="events", citation=citation),
    )


def _who(services: tuple[str, ...]) -> str:
    if not services:
        return "The logs"
    return services[0] if len(services) == 1 else f"{services[0]} and {len(services) - 1} more"


def _before(count: int, baseline: float) -> str:
    if not baseline:
        return "none before"
    return f"{baseline:.3g} expected, {count / baseline:.3g}x"


def _onset(look: LogsFirstLook, patterns: LogsPatterns | None) -> Iterator[Finding]:
    onset = look.onset
    if onset is None:
        return
    first = next((each for each in look.services if each.first_severe is not None), None)
    earliest = min(
        (each for each in look.services if each.first_severe), key=lambda e: e.first_severe or onset.at, default=first
    )
    services = (earliest.service,) if earliest is not None else ()
    yield Finding(
        agent=NAME,
        claim=f"{onset.how[0].upper()}{onset.how[1:]} in the logs at {_clock(onset.at)}: "
        f"{onset.before_per_minute:g} a minute before, {onset.after_per_minute:g} after.",
        topic="onset",
        weight=0.7,
        facts=_moment(quantities.FIRST_SEEN, onset.at, onset.citation),
        citations=(onset.citation,),
        services=services,
        at=onset.at,
    )


def _signatures(look: LogsFirstLook) -> Iterator[Finding]:
    for each in look.signatures[:SIGNATURES_REPORTED]:
        yield _signature(each)


def _signature(each: Signature) -> Finding:
    about = None if each.kind == "none" else Suspect(kind=each.kind, key=each.key, label=each.label)
    share = 1.0 if not each.baseline_count else min(1.0, 1 - each.baseline_count / max(each.count, 1))
    weight = _WEIGHTS.get(each.name, 0.3) * max(share, 0.1) * (1.0 if each.count >= 3 else 0.7)
    return Finding(
        agent=NAME,
        claim=f"{_who(each.services)} logged {each.name} ({each.explains}) {each.count} times since "
        f"{_clock(each.first_seen)} ({_before(each.count, each.baseline_count)}): {_quote(each.example)}",
        topic="mechanism",
        about=about,
        stance="for" if about is not None else "observes",
        weight=round(min(weight, 0.9), 3),
        facts=(
            *_counts(each.count, each.baseline_count, each.citation),
            *_moment(quantities.FIRST_SEEN, each.first_seen, each.citation),
        ),
        citations=(each.citation,),
        services=each.services,
        at=each.first_seen,
        terms=each.terms,
    )


def _quote(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= CLAIM_CHARS else flat[: CLAIM_CHARS - 1] + "…"


def _stacks(stacks: LogsStacks | None) -> Iterator[Finding]:
    if stacks is None:
        return
    grown = [group for group in stacks.groups if not group.baseline_events or group.count > 2 * group.baseline_count]
    for group in grown[:STACKS_REPORTED]:
        yield _stack(group)


def _stack(group: StackGroup) -> Finding:
    place = group.own_place
    where = f" at {place}" if place else ""
    own = next((frame.function for frame in group.frames if frame.own and frame.function), "")
    inside = f" in {own}" if own else ""
    return Finding(
        agent=NAME,
        claim=f"{_who(group.services)} threw {group.exception or 'an error'}{where}{inside} {group.count} times since "
        f"{_clock(group.first_seen)} ({_before(group.count, group.baseline_count)}): {_quote(group.message)}",
        topic="mechanism",
        weight=0.65 if place else 0.5,
        facts=(
            *_counts(group.count, group.baseline_count, group.citation),
            *_moment(quantities.FIRST_SEEN, group.first_seen, group.citation),
        ),
        citations=(group.citation,),
        services=group.services,
        at=group.first_seen,
        terms=group.terms,
    )


def _patterns(patterns: LogsPatterns | None, look: LogsFirstLook) -> Iterator[Finding]:
    covered = {each.citation for each in look.signatures}
    chosen = [
        each for each in telling(patterns) if each.surprise >= LEAST_RATIO or (each.change == "new" and each.severe)
    ]
    for each in [each for each in chosen if each.citation not in covered][:PATTERNS_REPORTED]:
        yield _pattern(each, "errors", min(0.6, 0.2 + each.score / 30))


_VERBS = {"new": "new", "burst": "bursting", "vanished": "vanished", "rare": "rare and severe", "steady": "steady"}


def _pattern(each: Pattern, topic: Topic, weight: float) -> Finding:
    return Finding(
        agent=NAME,
        claim=f"{_who(each.services)}: {_VERBS[each.change]} {each.level} message, {each.count} times "
        f"({_before(each.count, each.baseline_count)}) from {_clock(each.first_seen)}: {_quote(each.template)}",
        topic=topic,
        weight=round(weight, 3),
        facts=(
            *_counts(each.count, each.baseline_count, each.citation),
            *_moment(quantities.FIRST_SEEN, each.first_seen, each.citation),
            *_moment(quantities.LAST_SEEN, each.last_seen, each.citation),
        ),
        citations=(each.citation,),
        services=each.services,
        at=each.first_seen,
        terms=each.terms,
    )


def _services(look: LogsFirstLook) -> Iterator[Finding]:
    loud = [each for each in look.services if each.errors and each.citation and each.errors > 2 * each.baseline_errors]
    for rank, each in enumerate(loud[:SERVICES_REPORTED]):
        assert each.citation is not None
        yield Finding(
            agent=NAME,
            claim=f"{each.service} logged {each.errors} severe events in the incident "
            f"({_before(each.errors, each.baseline_errors)}), the first that is out of line at {_clock(each.first_severe)}.",
            topic="errors",
            weight=round(0.5 - 0.1 * rank, 3),
            facts=(
                *_counts(each.errors, each.baseline_errors, each.citation),
                *_moment(quantities.FIRST_SEEN, each.first_severe, each.citation),
            ),
            citations=(each.citation,),
            services=(each.service,),
            at=each.first_severe,
        )


def _other_changes(patterns: LogsPatterns | None) -> Iterator[Finding]:
    """Yield starts of programs and what stopped being logged: no errors, but changes of behaviour."""
    if patterns is None:
        return
    quiet = [each for each in patterns.patterns if not _bad(each)]
    starts = [each for each in quiet if each.change in ("new", "burst", "rare") and _STARTS.search(each.template)]
    for each in sorted(starts, key=lambda e: e.first_seen or patterns.window.end)[:1]:
        yield Finding(
            agent=NAME,
            claim=f"{_who(each.services)} logged a start at {_clock(each.first_seen)}: {_quote(each.example)}",
            topic="change",
            weight=0.3,
            facts=_moment(quantities.FIRST_SEEN, each.first_seen, each.citation),
            citations=(each.citation,),
            services=each.services,
            at=each.first_seen,
            terms=each.terms,
        )
    stopped = [each for each in quiet if each.change == "vanished" and each.baseline_count >= _STOPPED_LEAST]
    for each in sorted(stopped, key=lambda e: -e.baseline_count)[:1]:
        yield _pattern(each, "symptom", 0.3)


def _clean(look: LogsFirstLook, patterns: LogsPatterns | None) -> Finding:
    first = next((each for each in patterns.patterns), None) if patterns is not None else None
    events = patterns.events if patterns is not None else 0
    return Finding(
        agent=NAME,
        claim=f"The logs show nothing out of line: {events} events in the window, {look.errors} of them severe "
        f"({look.baseline_errors_scaled:g} expected from the time before), no rise, no new severe message, no stack trace.",
        topic="health",
        weight=0.4,
        citations=(first.citation,) if first is not None else (),
    )


def _gaps(coverage: LogsCoverage, look: LogsFirstLook) -> Iterator[Finding]:
    if look.baseline is None:
        yield gap("The logs hold nothing before the incident window, so what is new cannot be told from what is usual.")
    problems = [problem for source in coverage.sources for problem in source.problems] + list(coverage.skew)
    if problems:
        shown = "; ".join(problem.line() for problem in problems[:3])
        more = f"; {len(problems) - 3} more" if len(problems) > 3 else ""
        yield gap(f"Log input problems: {shown}{more}.")
