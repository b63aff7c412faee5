"""One re-check, from the newer data to what is recorded of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from orchestrator.journal.events import FindingReported, Rechecked
from orchestrator.journal.verdict import Symptom, Verdict
from orchestrator.recheck import lines, series
from orchestrator.recheck.evidence import taken_in
from orchestrator.recheck.looking import AHEAD, WORST_FIRST, Looker, Measured

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.session import Session


@dataclass(frozen=True)
class Result:
    """What a re-check found."""

    body: Rechecked

    @property
    def words(self) -> str:
        """The answer in a line: how it stands, as of when, and why."""
        as_of = f" as of {self.body.as_of:%Y-%m-%d %H:%M:%S} UTC" if self.body.as_of is not None else ""
        return f"{self.body.word}{as_of}: {self.body.reason}"


async def recheck(session: Session, paths: Sequence[str], around: Surroundings, by: str = "person") -> Result:
    """Measure the verdict's symptom again, with what `paths` bring, or with the session's own files and folders.

    What comes of it is recorded; raises SessionFault where there is no verdict, ComposeError for unusable paths.
    """
    from orchestrator.session import SessionFault

    reached = session.desk.fold.verdict
    if reached is None:
        raise SessionFault(f"{session.id}: there is no verdict yet, so there is no symptom to measure again")
    added, problems = await taken_in(session, paths or _folders(session), around)
    found = await _measured(session, reached.stands)
    worst = min(found, key=lambda one: WORST_FIRST.index(one.state))
    findings, refs = await _record_findings(session, found)
    body = Rechecked(
        state=worst.state,
        as_of=worst.as_of,
        reason=worst.reason,
        findings=findings,
        citations=refs,
        missing=_each(one.missing for one in found),
        worse=_each(one.worse for one in found),
        remarks=(*_each(one.remarks for one in found), *(one.line() for one in problems[:20] if one.where)),
        sources=tuple(spec.id for spec in added),
        by=by,
    )
    await session.rechecked(body)
    return Result(body)


async def _measured(session: Session, verdict: Verdict) -> list[Measured]:
    symptom = verdict.symptom
    look = Looker(session)
    measured_on = series.series_of(symptom) if symptom is not None else ()
    if symptom is not None and measured_on:
        return [await series.measured(look, symptom, ref, _known(session, ref.end)) for ref in measured_on[:3]]
    counted = lines.count_of(symptom) if symptom is not None else None
    if symptom is not None and counted is not None:
        until = _until(symptom, verdict, counted.window.end if counted.window is not None else None)
        if until is not None:
            return [await lines.measured(look, symptom, counted, _known(session, until))]
    alert = session.desk.brief.incident.alert
    wanted = (alert.metric if alert else None) or "its error ratio and latency"
    named = (alert.service if alert and alert.metric else None) or verdict.service
    where = named or session.desk.brief.incident.service or "the service"
    return [
        Measured(
            "unknown",
            "the verdict names no symptom that was measured, so there is nothing to measure again",
            missing=(f"export {wanted} of {where} as metrics.csv (ts,service,metric,value), attach it, and let the "
                     "session go on",),
        )
    ]  # fmt: skip


def _until(symptom: Symptom, verdict: Verdict, window_end: datetime | None) -> datetime | None:
    return window_end or verdict.state.as_of or symptom.onset


def _known(session: Session, then: datetime) -> datetime:
    """Return until when it was known: by the verdict, or by a later re-check that could tell."""
    before = session.desk.fold.rechecked
    if before is None or before.as_of is None or before.as_of > session.desk.clock.now() + AHEAD:
        return then
    return max(then, before.as_of)


def _folders(session: Session) -> tuple[str, ...]:
    """Return the folders that the session was started on: what was dropped into them since is newer data too."""
    from pathlib import Path

    from orchestrator.compose import FOLDERS

    opened = session.desk.fold.opened
    held = opened.settings.get(FOLDERS) if opened is not None else None
    return tuple(one for one in held if isinstance(one, str) and Path(one).is_dir()) if isinstance(held, list) else ()


async def _record_findings(session: Session, found: Iterable[Measured]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Put what was measured on record, checked like any other finding; return the ids and what they cite."""
    ids: list[str] = []
    refs: list[str] = []
    for finding in (one.finding for one in found if one.finding is not None):
        await session.desk.record(FindingReported(id=finding.id, finding=finding), thread=finding.agent)
        ids.append(finding.id)
        refs += finding.citations
    return tuple(ids), tuple(dict.fromkeys(refs))


def _each(given: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for texts in given for text in texts))
