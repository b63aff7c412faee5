"""A symptom that is a metric series, measured again: the same series, the same baseline, the same thresholds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from orchestrator.journal.verdict import Symptom
from orchestrator.recheck.looking import AHEAD, JUST, Looker, Measured, Untold, figured, told_at
from orchestrator.recheck.worse import worse_meanwhile
from orchestrator.verdict.recovery import Answer, Was, judge, was_of
from subagents import quantities as q
from subagents.citations import MetricRef
from subagents.contract import Fact, Finding
from subagents.metrics.model import HELD_AGAIN, CoverageReport, SeriesReport, SeriesView
from subagents.metrics.params import CoverageParams, SeriesParams

MEASURED = ("metrics", "trace_edges", "spans")
MOST = 2000
"""Most points of one answer."""
STOPPED = timedelta(minutes=5)
"""How much longer than this series others have to go on before it has stopped; three steps where that is more."""
COMMON = 3
"""Points at the same moments from which two files can be compared."""


@dataclass(frozen=True)
class _Course:
    """A series in one source over one span."""

    view: SeriesView
    points: tuple[tuple[float, float], ...]


async def measured(look: Looker, symptom: Symptom, ref: MetricRef, known_until: datetime) -> Measured:
    """Measure the series of a citation again, beyond what was known; never raises for what the data lacks."""
    title = f"{ref.service} {ref.name}".strip()
    try:
        coverage = await look.ask("metrics", "metrics_coverage", CoverageParams(), CoverageReport)
        gone = next((one.problems for one in coverage.sources if one.source == ref.source and one.span is None), ())
        if gone:
            raise Untold(gone[0].line())
        before, was = await _was(look, symptom, ref, known_until)
    except Untold as untold:
        said = f"{title} cannot be measured any more: {untold}"
        return Measured("unknown", said, missing=(_wanted(ref, known_until),))
    limit = look.now + AHEAD
    courses, differ = await _agreeing(look, ref, before, was, await _newer(look, ref, known_until))
    ends = [one.span.end for one in coverage.sources if one.span and one.source not in differ]
    newest = max((end for end in ends if end <= limit), default=known_until)
    if not courses and differ:
        said = f"{title} cannot be told: {next(iter(differ.values()))}"
        return Measured("unknown", said, known_until, missing=(_wanted(ref, known_until),))
    remarks = (*_ahead(coverage, limit), *_taken_over(coverage), *differ.values())
    if not courses:
        why = _too_little(coverage, ref, known_until, limit)
        return replace(_nothing_newer(title, ref, known_until, newest, why), remarks=remarks)
    last = max(courses, key=lambda course: course.points[-1][0])
    newer = sorted({at: value for course in courses for at, value in course.points}.items())
    remarks += tuple(_gap(newer, known_until))
    answer = judge(was, [point for point in before if point[0] >= _onset(symptom, ref)], newer)
    as_of = _moment(newer[-1][0])
    missing: tuple[str, ...] = ()
    if newest - as_of > max(STOPPED, timedelta(seconds=3 * max(coverage.steps, default=0.0))):
        why = f"it stops at {told_at(as_of, newest)} while other series go on until {told_at(newest)}: no recovery"
        answer, missing = Answer("unknown", why), (_wanted(ref, as_of),)
    finding = _finding(title, symptom, ref, last, answer)
    since = f" (back since {told_at(_moment(answer.since), as_of)})" if answer.since is not None else ""
    return Measured(
        answer.state,
        f"{title} is at {figured(last.view.latest, last.view.unit)}, baseline {q.figure(was.baseline)}: "
        f"{answer.why}{since}",
        as_of=as_of,
        finding=finding,
        missing=missing,
        worse=await worse_meanwhile(look, ref, known_until),
        remarks=remarks,
    )


def series_of(symptom: Symptom) -> tuple[MetricRef, ...]:
    """Return the series that a symptom was measured on, each once."""
    from subagents import citations
    from subagents.contract import ToolError

    found: dict[tuple[str, str, str], MetricRef] = {}
    for text in (*symptom.citations, *(fact.citation for fact in symptom.facts)):
        try:
            ref = citations.parse(text)
        except ToolError:
            continue
        if isinstance(ref, MetricRef):
            found.setdefault((ref.source, ref.service, ref.name), ref)
    return tuple(found.values())


# -- then ----------------------------------------------------------------------------------------


async def _was(
    look: Looker, symptom: Symptom, ref: MetricRef, known_until: datetime
) -> tuple[tuple[tuple[float, float], ...], Was]:
    """Return the points that were known, and the symptom as it was in them; raises Untold."""
    course = await _course(look, ref, ref.source, (ref.start, known_until))
    facts = {fact.quantity: fact.value for fact in symptom.facts if fact.citation == str(ref)}
    onset = _onset(symptom, ref)
    baseline, peak = facts.get(q.BASELINE), facts.get(q.PEAK)
    base = float(baseline) if isinstance(baseline, int | float) else course.view.baseline
    top = float(peak) if isinstance(peak, int | float) else course.view.peak
    rising = top >= base if top is not None else course.view.bad != "down"
    before = [point for point in course.points if point[0] < onset]
    during = [point for point in course.points if point[0] >= onset]
    if not during:
        raise Untold("nothing is left of the time of the incident")
    return course.points, was_of(base, rising, before, during, silent_at_zero=course.view.role == "latency")


def _onset(symptom: Symptom, ref: MetricRef) -> float:
    stated = next((f.value for f in symptom.facts if f.quantity == q.ONSET and f.citation == str(ref)), None)
    if isinstance(stated, str):
        return datetime.fromisoformat(stated.replace("Z", "+00:00")).timestamp()
    return (symptom.onset or ref.start).timestamp()


# -- now -----------------------------------------------------------------------------------------


async def _newer(look: Looker, ref: MetricRef, known_until: datetime) -> list[_Course]:
    """Return the series beyond what was known, of every source that has it."""
    found = []
    for spec in look.session.desk.brief.sources:
        if spec.kind in MEASURED:
            try:
                found.append(await _course(look, ref, spec.id, (known_until + JUST, look.now + AHEAD)))
            except Untold:
                continue  # this source has nothing of it; another may
    return [course for course in found if course.points]


async def _course(look: Looker, ref: MetricRef, source: str, span: tuple[datetime, datetime | None]) -> _Course:
    """Return a series of one source over a span, its end always among the points; raises Untold."""
    start, end = span
    asked = SeriesParams(name=ref.name, service=ref.service, source=source, start=start, end=end, points=MOST)
    report = await look.ask("metrics", "metrics_series", asked, SeriesReport)
    points = dict(report.points)
    if report.cut and report.points:
        ends = asked.model_copy(update={"start": report.points[-1][0]})
        points |= dict((await look.ask("metrics", "metrics_series", ends, SeriesReport)).points)
    return _Course(report.view, _as_measured(ref.name, [(at.timestamp(), value) for at, value in points.items()]))


def _as_measured(name: str, points: list[tuple[float, float]]) -> tuple[tuple[float, float], ...]:
    """Return points as they are measured: of a counter, its rate."""
    import numpy as np

    from subagents.metrics.roles import analysed

    if not points:
        return ()
    times, values = np.array([at for at, _ in points]), np.array([value for _, value in points])
    _, worked = analysed(name, times, values)
    return tuple((float(at), float(value)) for at, value in zip(times, worked, strict=True) if np.isfinite(value))


async def _agreeing(
    look: Looker, ref: MetricRef, before: Iterable[tuple[float, float]], was: Was, found: Sequence[_Course]
) -> tuple[list[_Course], dict[str, str]]:
    """Leave out files that tell other values of the same moments, and say why by name: they are no newer part of it."""
    held, agreeing = dict(before), []
    differ: dict[str, str] = {}
    for course in found:
        source = course.view.source
        again: dict[float, float] = {}
        if source != ref.source:
            with suppress(Untold):  # it holds nothing of that time
                again = dict((await _course(look, ref, source, (ref.start, _moment(max(held))))).points)
        common = held.keys() & again.keys()
        wrong = [at for at in common if abs(held[at] - again[at]) > was.bar]
        if len(common) >= COMMON and 2 * len(wrong) > len(common):
            differ[source] = (
                f"{source} is not counted: it tells other values than {ref.source} at {len(wrong)} of {len(common)} "
                "moments that both hold: another clock, or another series by the same name"
            )
        else:
            agreeing.append(course)
    return agreeing, differ


def _ahead(coverage: CoverageReport, limit: datetime) -> Iterable[str]:
    """Say what lies in the future: a wrong clock must not say that it is over, nor hide what comes later."""
    for one in coverage.sources:
        if one.span is not None and one.span.end > limit:
            yield (
                f"{one.source} goes on until {one.span.end:%Y-%m-%d %H:%M:%S} UTC, in the future: what lies there is "
                "not counted; whoever wrote it has another clock"
            )


def _taken_over(coverage: CoverageReport) -> Iterable[str]:
    """Say where a new export has taken the place of an older one."""
    for one in coverage.sources:
        yield from (problem.line() for problem in one.problems if HELD_AGAIN in problem.what)


def _gap(newer: Sequence[tuple[float, float]], known_until: datetime) -> Iterable[str]:
    first = _moment(newer[0][0])
    steps = [later - earlier for (earlier, _), (later, _) in pairwise(newer)]
    usual = timedelta(seconds=sorted(steps)[len(steps) // 2]) if steps else timedelta(minutes=1)
    if first - known_until > max(10 * usual, STOPPED):
        yield f"nothing is known between {told_at(known_until, first)} and {told_at(first)}"


def _too_little(coverage: CoverageReport, ref: MetricRef, known_until: datetime, limit: datetime) -> str:
    """Say what came that is newer and still no measure: no usable value at all, or less than two points."""
    said = []
    for one in coverage.sources:
        if one.kind not in MEASURED or one.source == ref.source:
            continue
        if one.span is None and one.layout:  # it was read
            said.append(f"{one.source} has no usable point")
        elif (
            one.span is not None
            and known_until + JUST < one.span.end <= known_until + STOPPED
            and one.span.end <= limit
        ):
            said.append(f"{one.source} has fewer than two usable points of it")
    return "; ".join(said[:COMMON])


def _nothing_newer(title: str, ref: MetricRef, known_until: datetime, newest: datetime, why: str = "") -> Measured:
    wanted = (_wanted(ref, known_until),)
    if newest > known_until + STOPPED:
        gone = f"{title} vanished: its last point is of {told_at(known_until, newest)}, while others go on until "
        return Measured("unknown", f"{gone}{told_at(newest)}: that is no recovery", known_until, missing=wanted)
    if why:
        said = f"there is too little newer data of {title} after {known_until:%Y-%m-%d %H:%M:%S} UTC: {why}"
        return Measured("unknown", said, known_until, missing=wanted)
    said = f"there is no newer data: the newest point of {title} is of {known_until:%Y-%m-%d %H:%M:%S} UTC, as before"
    return Measured("unknown", said, known_until, missing=wanted)


def _wanted(ref: MetricRef, since: datetime) -> str:
    return (
        f"export {ref.service or '(no service)'},{ref.name} from {since:%Y-%m-%dT%H:%M:%SZ} on as metrics.csv "
        "(ts,service,metric,value) and give that file"
    )


def _finding(title: str, symptom: Symptom, ref: MetricRef, last: _Course, answer: Answer) -> Finding:
    latest = next((fact for fact in last.view.facts if fact.quantity == q.LATEST), None)
    base = next((f for f in symptom.facts if f.quantity == q.BASELINE and f.citation == str(ref)), None)
    facts: tuple[Fact, ...] = tuple(fact for fact in (latest, base) if fact is not None)
    usual = f", usually {q.figure(float(base.value))}" if base is not None and not isinstance(base.value, str) else ""
    return Finding(
        agent="metrics",
        claim=f"Measured again, {title} is at {figured(last.view.latest, last.view.unit)}{usual}: {answer.why}.",
        topic="health",
        weight=0.5,
        facts=facts,
        citations=tuple(dict.fromkeys((last.view.citation, *(fact.citation for fact in facts)))),
        services=(ref.service,) if ref.service else (),
        at=None,
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
