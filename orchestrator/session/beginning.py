"""The first events of a session: what is investigated, from what, how."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pydantic import JsonValue

from orchestrator.engines.base import Engine
from orchestrator.journal.codec import Entry
from orchestrator.journal.events import MAIN_THREAD, Body, IncidentOpened, Note, SourceAddedEvent
from orchestrator.journal.secret_scanner import scanner_remark
from orchestrator.session.settings import Settings, installed_version
from subagents.contract import Coverage, Incident, ServiceInfo, SourceSpec

STREAM = "session"
"""The session's own stream: its ids are not in the way of the engine's."""

PLACEHOLDER = "<redacted:"

Attached = tuple[SourceSpec, Coverage | None]


def zip_coverage(specs: Sequence[SourceSpec], coverage: Sequence[Coverage]) -> tuple[Attached, ...]:
    """Return each source with what is known of it."""
    known = {item.source: item for item in coverage}
    return tuple((spec, known.get(spec.id)) for spec in specs)


def first_entries(
    session: str, incident: Incident, attached: Sequence[Attached], engine: Engine, settings: Settings
) -> tuple[Entry, ...]:
    """Return the incident, its sources and the remarks on them, to be appended together."""
    services: list[JsonValue] = [service.model_dump(mode="json") for service in settings.services]
    opened = IncidentOpened(
        session=session,
        incident=incident,
        engine=engine.name,
        shown_as=engine.shown_as,
        version=settings.version or installed_version(),
        settings={**settings.shown, "services": services, "opened_by": settings.operator},
    )
    missing = scanner_remark()
    texts = (*settings.remarks, missing) if missing else settings.remarks
    remarks = (Note(text=text, level="warning") for text in texts)
    return (
        _entry(opened, "incident"),
        *(source_entry(spec, coverage) for spec, coverage in attached),
        *(_entry(note, f"remark:{number}") for number, note in enumerate(remarks, 1)),
        *(() if settings.bound is None else (_entry(settings.bound, f"remote:{settings.bound.id}"),)),
    )


def stored_services(settings: Mapping[str, JsonValue]) -> tuple[ServiceInfo, ...]:
    """Return the services of the first event, without tests that need a secret: it was not kept."""
    stored = cast(list[Any], settings.get("services") or [])
    services = (ServiceInfo.model_validate(item) for item in stored)
    return tuple(_without_lost_tests(service) for service in services)


def _without_lost_tests(service: ServiceInfo) -> ServiceInfo:
    tests = service.tests
    if tests is None or not any(PLACEHOLDER in word for word in (*tests.command, *tests.env.values())):
        return service
    return service.model_copy(update={"tests": None})


def source_entry(spec: SourceSpec, coverage: Coverage | None) -> Entry:
    """Return the event of one source; the same source twice is one event."""
    return _entry(SourceAddedEvent(spec=spec, coverage=coverage), f"source:{spec.id}")


def _entry(body: Body, key: str) -> Entry:
    return Entry(body=body, thread=MAIN_THREAD, stream=STREAM, source_id=key)
