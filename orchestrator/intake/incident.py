"""The incident: what the alert, the manifest and the words of a person say, put together."""

from __future__ import annotations

from datetime import datetime

from orchestrator.intake.alerts import ParsedAlert
from orchestrator.intake.gather import Gathered
from orchestrator.intake.manifest import TEXT_LIMIT, Manifest
from orchestrator.intake.naming import incident_id
from subagents.contract import Alert, Incident, Problem

_TITLE_LIMIT = 160


def make_incident(gathered: Gathered, name: str, identity: list[str]) -> Incident:
    """Put the incident together; the manifest's word counts before the alert's, the first alert's before others'."""
    manifest = gathered.manifests[0] if gathered.manifests else Manifest("")
    parsed = manifest.alert or (gathered.alerts[0] if gathered.alerts else None)
    others = [alert for alert in gathered.alerts if alert is not parsed]
    _say_what_is_left(gathered, manifest, others)
    if parsed is not None:
        gathered.problems.extend(parsed.problems)
    alert = parsed.alert if parsed else _reported(manifest)
    text = _text(gathered, manifest, alert, _also_alerting(alert, [parsed, *others] if parsed else others))
    title = gathered.options.title or manifest.title or (alert.title if alert else "") or _first_line(text) or name
    given = manifest.id or (parsed.id if parsed else None)
    return Incident(
        id=incident_id(given, name, *(identity or [text or title])),
        title=title[:_TITLE_LIMIT],
        service=_service(gathered, manifest, alert),
        severity=manifest.severity or (alert.severity if alert else None),
        window=gathered.options.window or manifest.window,
        started_at=_started(manifest, parsed),
        alert=alert,
        services=manifest.services,
        text=text,
    )


def _reported(manifest: Manifest) -> Alert | None:
    """A manifest with no alert that says when it was reported is an alert of its own."""
    if manifest.reported_at is None:
        return None
    return Alert(
        origin="manifest",
        title=manifest.title,
        summary=manifest.text[:4096],
        service=manifest.service,
        fired_at=manifest.reported_at,
    )


def _started(manifest: Manifest, parsed: ParsedAlert | None) -> datetime | None:
    return manifest.started_at or (parsed.started_at if parsed else None)


def _also_alerting(alert: Alert | None, alerts: list[ParsedAlert]) -> str:
    """Say which services alert beside the first: where it hurts is no list of where it may have begun."""
    first = alert.service if alert else None
    names = dict.fromkeys(name for one in alerts for name in one.services if name != first)
    return f"also alerting: {', '.join(names)}" if names else ""


def _service(gathered: Gathered, manifest: Manifest, alert: Alert | None) -> str | None:
    if gathered.options.service:
        return gathered.options.service
    service = manifest.service or (alert.service if alert else None)
    if service and manifest.services and service not in manifest.services:
        gathered.problems.append(
            Problem(
                what=f"the alert names {service!r}, which is not among the {len(manifest.services)} services listed",
                where=manifest.where,
                todo="all of them are looked at",
            )
        )
        return None
    return service


def _text(gathered: Gathered, manifest: Manifest, alert: Alert | None, also: str) -> str:
    said = [*gathered.texts, manifest.text]
    if alert is not None and alert.summary not in said:
        said.append(alert.summary)
    said.append(also)
    return "\n\n".join(part for part in said if part)[:TEXT_LIMIT]


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def _say_what_is_left(gathered: Gathered, manifest: Manifest, others: list[ParsedAlert]) -> None:
    for extra in gathered.manifests[1:]:
        gathered.problems.append(
            Problem(what=f"a second manifest: {manifest.where} counts", where=extra.where, lost="what only it says")
        )
    if others:
        noun = "alert" if len(others) == 1 else "alerts"
        gathered.problems.append(
            Problem(
                what=f"{len(others)} more {noun}: the first counts, of the others only who alerts",
                count=len(others),
            )
        )
