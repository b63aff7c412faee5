"""Findings of the logs specialist as sentences with facts: what is reported, in which order, and when all is well."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from subagents import quantities
from subagents.contract import Fact, Finding, Suspect, Window
from subagents.logs import counted
from subagents.logs.course_findings import course_findings, followed_gap
from subagents.logs.machines import about_whom, told_of
from subagents.logs.model import LogsCoverage, LogsFirstLook, LogsPatterns, LogsStacks, Pattern, Signature, StackGroup
from subagents.logs.sign_weights import weight_of
from subagents.logs.signatures import recognise
from subagents.logs.wording import clock as _clock
from subagents.logs.wording import moment_fact as _moment
from subagents.logs.wording import quote as _quote
from subagents.logs.wording import times
from subagents.quantities import figure

NAME = "logs"
STRONG_REPORTED = 8
PATTERNS_REPORTED = 3
STACKS_REPORTED = 3
SIGNATURES_REPORTED = 3
SERVICES_NAMED = 5
LEAST_RATIO = 4.0
"""Nats: below this, a difference between window and baseline is taken for chance."""
STOPPED_LEAST = 20
"""Events in the baseline; a message logged less often may just not be due yet."""
THIN_SHARE = 0.5
"""A baseline that covers less than this part of the window is thin."""


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
    if look.onset is not None or look.flows or look.slow or any(each.grew for each in look.signatures):
        return False
    if look.baseline is None:
        return not look.errors
    severe = [each for each in telling(patterns) if each.severe and _stands_out(each)]
    return not severe and not _grown(stacks)


def _stands_out(each: Pattern) -> bool:
    return each.grew and (each.surprise >= LEAST_RATIO or (each.severe and each.change in ("new", "rare")))


def findings(
    coverage: LogsCoverage, look: LogsFirstLook, patterns: LogsPatterns | None, stacks: LogsStacks | None
) -> list[Finding]:
    """Return all findings, strongest first; health and gaps last."""
    if is_clean(look, patterns, stacks):
        return [_clean(look, patterns), *_quiet_changes(look, patterns), *_gaps(coverage, look)]
    strong = [
        *_onset(look),
        *course_findings(look),
        *_signatures(look),
        *_stacks(stacks),
        *_patterns(patterns, look, stacks),
        *_services(look),
    ]
    strong.sort(key=lambda finding: -finding.weight)
    strong = about_whom(strong[:STRONG_REPORTED], told_of(look.signatures))
    return [*strong, *_quiet_changes(look, patterns), *_gaps(coverage, look)]


@dataclass(frozen=True)
class _Counting:
    """How counts of one finding can be counted again: what they count, and in which window."""

    window: Window
    unit: str = counted.EVENTS

    def facts(self, count: int, baseline: float | None, citation: str) -> tuple[Fact, ...]:
        """State how many, and how many were expected, where there is a baseline."""
        found = Fact(quantity=quantities.COUNT, value=count, unit=self.unit, citation=citation, window=self.window)
        if baseline is None:
            return (found,)
        before = {"quantity": quantities.BASELINE_COUNT, "value": round(baseline, 2)}
        return (found, found.model_copy(update=before))


def _who(services: tuple[str, ...]) -> str:
    if not services:
        return "The logs"
    return services[0] if len(services) == 1 else f"{services[0]} and {len(services) - 1} more"


def _before(baseline: float | None) -> str:
    """Say what was expected; `baseline` is None where the logs hold nothing before the window."""
    if baseline is None:
        return "no baseline"
    if not baseline:
        return "none before"
    return f"{figure(baseline)} expected"


def _onset(look: LogsFirstLook) -> Iterator[Finding]:
    onset = look.onset
    if onset is None:
        return
    dated = [each for each in look.services if each.first_severe is not None and each.first_severe >= onset.at]
    dated.sort(key=lambda each: each.first_severe or onset.at)
    yield Finding(
        agent=NAME,
        claim=f"{onset.how[0].upper()}{onset.how[1:]} at {_clock(onset.at)} in the logs: "
        f"{figure(onset.before_per_minute)} a minute before, {figure(onset.after_per_minute)} after.",
        topic="onset",
        weight=0.7,
        facts=_moment(quantities.FIRST_SEEN, onset.at, onset.citation),
        citations=(onset.citation,),
        services=tuple(each.service for each in dated[:1]),
        at=onset.at,
    )


def _signatures(look: LogsFirstLook) -> Iterator[Finding]:
    for each in look.signatures[:SIGNATURES_REPORTED]:
        if each.grew:
            yield _signature(each, look.window)


def _signature(each: Signature, window: Window) -> Finding:
    about = None if each.kind == "none" else Suspect(kind=each.kind, key=each.key, label=each.label)
    return Finding(
        agent=NAME,
        claim=f"{_who(each.services)} logged {each.name} ({each.explains}) {times(each.count)} since "
        f"{_clock(each.first_seen)} ({_before(each.baseline_count)})"
        + (f", about one and the same record each time, “{each.record}”" if each.record else "")
        + (f", and {_who(each.followed_by)} ran out of what waits for it" if each.followed_by else "")
        + f": {_quote(each.example)}",
        topic="mechanism",
        about=about,
        stance="for" if about is not None else "observes",
        weight=weight_of(each),
        facts=(
            *_Counting(window, counted.unit_of_kind(each.name)).facts(each.count, each.baseline_count, each.citation),
            *_moment(quantities.FIRST_SEEN, each.first_seen, each.citation, window),
        ),
        citations=(each.citation,),
        services=tuple(dict.fromkeys((*each.services, *each.followed_by))),
        at=each.first_seen,
        terms=each.terms,
    )


def _grown(stacks: LogsStacks | None) -> list[StackGroup]:
    if stacks is None:
        return []
    return [group for group in stacks.groups if group.count > 2 * (group.baseline_count or 0)]


def _stacks(stacks: LogsStacks | None) -> Iterator[Finding]:
    for group in _grown(stacks)[:STACKS_REPORTED]:
        if stacks is not None:
            yield _stack(group, stacks.window)


def _stack(group: StackGroup, window: Window) -> Finding:
    place = group.own_place
    where = f" at {place}" if place else ""
    own = next((frame.function for frame in group.frames if frame.own and frame.function), "")
    inside = f" in {own}" if own else ""
    return Finding(
        agent=NAME,
        claim=f"{_who(group.services)} threw {group.exception or 'an error'}{where}{inside} {times(group.count)} since "
        f"{_clock(group.first_seen)} ({_before(group.baseline_count)}): {_quote(group.message)}",
        topic="mechanism",
        weight=0.65 if place else 0.5,
        facts=(
            *_Counting(window, counted.TRACES).facts(group.count, group.baseline_count, group.citation),
            *_moment(quantities.FIRST_SEEN, group.first_seen, group.citation),
        ),
        citations=(group.citation,),
        services=group.services,
        at=group.first_seen,
        terms=(*group.terms, *((place,) if place and _by_own_code(group) else ())),
    )


def _by_own_code(group: StackGroup) -> bool:
    """Say whether what was thrown may be the doing of the code that it was thrown in: not peers, machines or input."""
    known = recognise(f"{group.exception}: {group.message}")
    return known is None or known.kind in ("none", "config")


def _patterns(patterns: LogsPatterns | None, look: LogsFirstLook, stacks: LogsStacks | None) -> Iterator[Finding]:
    covered = {pattern for each in look.signatures[:SIGNATURES_REPORTED] for pattern in each.patterns}
    if look.baseline is None and patterns is not None:
        chosen = [each for each in patterns.patterns if each.severe]
    else:
        chosen = [each for each in telling(patterns) if _stands_out(each)]
    thrown = {group.citation for group in _grown(stacks)[:STACKS_REPORTED]}
    news = [each for each in chosen if each.id not in covered and each.citation not in thrown]
    for each in news[:PATTERNS_REPORTED]:
        yield _pattern(each, look.window, min(0.6, 0.2 + each.score / 30))


_VERBS = {"new": "new", "burst": "bursting", "vanished": "vanished", "rare": "rare", "steady": "severe"}


def _pattern(each: Pattern, window: Window, weight: float) -> Finding:
    level = "" if each.level == "unknown" else f" {each.level}"
    return Finding(
        agent=NAME,
        claim=f"{_who(each.services)}: {_VERBS[each.change]}{level} message, {times(each.count)} "
        f"({_before(each.baseline_count)}) from {_clock(each.first_seen)}: {_quote(each.template)}",
        topic="errors",
        weight=round(weight, 3),
        facts=(
            *_Counting(window).facts(each.count, each.baseline_count, each.citation),
            *_moment(quantities.FIRST_SEEN, each.first_seen, each.citation, window),
            *_moment(quantities.LAST_SEEN, each.last_seen, each.citation, window),
        ),
        citations=(each.citation,),
        services=each.services,
        at=each.first_seen,
        terms=each.terms,
    )


def _services(look: LogsFirstLook) -> Iterator[Finding]:
    """Yield one finding that says who logged trouble, how much, and in which order it began."""
    loud = [each for each in look.services if each.citation and each.errors > 2 * (each.baseline_errors or 0)]
    if not loud:
        return
    shown, severe = loud[:SERVICES_NAMED], _Counting(look.window, counted.SEVERE)
    told = ", ".join(f"{each.service} {each.errors} ({_before(each.baseline_errors)})" for each in shown)
    dated = sorted((each for each in shown if each.first_severe), key=lambda each: each.first_severe or look.window.end)
    order = ", then ".join(f"{each.service} {_clock(each.first_severe).removesuffix(' UTC')}" for each in dated)
    more = f", {len(loud) - len(shown)} more" if len(loud) > len(shown) else ""
    yield Finding(
        agent=NAME,
        claim=f"Severe events by service: {told}{more}; first out of line: {order} UTC.",
        topic="errors",
        weight=0.5,
        facts=tuple(
            fact
            for each in shown
            for fact in (
                *severe.facts(each.errors, each.baseline_errors, each.citation or ""),
                *_moment(quantities.FIRST_SEEN, each.first_severe, each.citation or ""),
            )
        ),
        citations=tuple(each.citation for each in shown if each.citation),
        services=tuple(each.service for each in shown),
        at=dated[0].first_severe if dated else None,
    )


def _quiet_changes(look: LogsFirstLook, patterns: LogsPatterns | None) -> Iterator[Finding]:
    """Yield starts of programs and what stopped being logged: no errors, but changes of behaviour."""
    if look.starts:
        yield _starts(look)
    if patterns is None or look.baseline is None:
        return
    stopped = [
        each
        for each in patterns.patterns
        if not _bad(each) and each.change == "vanished" and each.baseline_events >= STOPPED_LEAST
    ]
    for each in sorted(stopped, key=lambda each: -each.baseline_events)[:1]:
        yield Finding(
            agent=NAME,
            claim=f"{_who(each.services)}: no longer logged, {times(each.count)} where "
            f"{figure(each.baseline_count or 0)} were expected, last at {_clock(each.last_seen)}: "
            f"{_quote(each.template)}",
            topic="consequence",
            weight=0.3,
            facts=_Counting(look.window).facts(each.count, each.baseline_count, each.citation),
            citations=(each.citation,),
            services=each.services,
            at=each.last_seen,
        )


def _starts(look: LogsFirstLook) -> Finding:
    first = look.starts[0]
    told = "; ".join(
        f"{each.service or 'a program'} {_day(each.at, look.window)}{_clock(each.at)}: {_quote(each.text)[:120]}"
        for each in look.starts[:3]
    )
    more = f"; {len(look.starts) - 3} more" if len(look.starts) > 3 else ""
    return Finding(
        agent=NAME,
        claim=f"Programs started or stopped: {told}{more}.",
        topic="change",
        weight=0.3,
        facts=_moment(quantities.FIRST_SEEN, first.at, first.citation),
        citations=tuple(each.citation for each in look.starts[:3]),
        services=tuple(dict.fromkeys(each.service for each in look.starts if each.service))[:5],
        at=first.at,
        terms=tuple(dict.fromkeys(term for each in look.starts[:3] for term in each.terms))[:24],
    )


def _day(at: datetime, window: Window) -> str:
    """Return the day of a moment that is not of the day on which the window ends."""
    return f"{at:%Y-%m-%d} " if at.date() != window.end.date() else ""


def _clean(look: LogsFirstLook, patterns: LogsPatterns | None) -> Finding:
    events = patterns.events if patterns is not None else 0
    expected = f" ({look.baseline_errors_scaled:g} expected from the time before)" if look.baseline is not None else ""
    known = "no more of any known failure than before" if look.signatures else "no known failure wording"
    return Finding(
        agent=NAME,
        claim=f"By their dated lines the logs show nothing out of line: {events} events in the window, {look.errors} "
        f"of them severe{expected}, no rise, no new severe message, {known}.",
        topic="health",
        weight=0.4,
        citations=tuple(each.citation for each in patterns.patterns[:1]) if patterns is not None else (),
    )


def _gaps(coverage: LogsCoverage, look: LogsFirstLook) -> Iterator[Finding]:
    if look.baseline is None:
        yield gap("The logs hold nothing before the incident window: what is new cannot be told from what is usual.")
    elif look.baseline_seconds < THIN_SHARE * look.window_seconds:
        yield gap(
            f"The baseline is thin: the logs cover {look.baseline_seconds:.0f} s before the incident and "
            f"{look.window_seconds:.0f} s of it, so that a rare message can look new."
        )
    unread = followed_gap(look)
    if unread is not None:
        yield gap(unread)
    problems = [problem for source in coverage.sources for problem in source.problems] + list(coverage.skew)
    if problems:
        shown = "; ".join(problem.line() for problem in problems[:3])
        more = f"; {len(problems) - 3} more" if len(problems) > 3 else ""
        yield gap(f"Log input problems: {shown}{more}.")
