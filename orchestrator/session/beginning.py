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


def lost_tests(settings: Mapping[str, JsonValue]) -> Entry | None:
    """Return the remark on the services that `stored_services` gives without their tests; None where there are none."""
    stored = cast(list[Any], settings.get("services") or [])
    names = [service.name for service in map(ServiceInfo.model_validate, stored) if _lost(service)]
    if not names:
        return None
    text = (
        f"Tests of {', '.join(names)} are not run in this session any more: they need a secret value of warroom.toml, "
        "which was not kept; a new session of the same incident runs them"
    )
    return _entry(Note(text=text, level="warning"), "tests-lost")


def _without_lost_tests(service: ServiceInfo) -> ServiceInfo:
    return service.model_copy(update={"tests": None}) if _lost(service) else service


def _lost(service: ServiceInfo) -> bool:
    tests = service.tests
    return tests is not None and any(PLACEHOLDER in word for word in (*tests.command, *tests.env.values()))


def source_entry(spec: SourceSpec, coverage: Coverage | None) -> Entry:
    """Return the event of one source; the same source twice is one event."""
    return _entry(SourceAddedEvent(spec=spec, coverage=coverage), f"source:{spec.id}")


def _entry(body: Body, key: str) -> Entry:
    return Entry(body=body, thread=MAIN_THREAD, stream=STREAM, source_id=key)
