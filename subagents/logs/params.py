"""Arguments of the logs tools: flat, so that every model API accepts them. Times are ISO 8601, UTC if unzoned."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from subagents.contract import Params
from subagents.logs.model import Change

LevelName = Literal["trace", "debug", "info", "warn", "error", "fatal"]


def _telling_changes() -> list[Change]:
    return ["new", "burst", "vanished", "rare"]


class CoverageParams(Params):
    """No arguments."""


class RecordedParams(Params):
    """No arguments."""


class FirstLookParams(Params):
    """What is known of the incident's times; all may be left out."""

    once: ClassVar[bool] = True
    """What others have found by then depends on who is faster."""

    started_at: str | None = Field(None, description="start of impact, as somebody gave or measured it")
    fired_at: str | None = Field(None, description="when the alert fired")
    start: str | None = Field(None, description="start of the incident's window")
    end: str | None = Field(None, description="end of the incident's window")


class WindowParams(Params):
    """A window and its baseline."""

    start: str | None = Field(None, description="start of the window; default: first event")
    end: str | None = Field(None, description="end of the window; default: last event")
    baseline_start: str | None = Field(None, description="start of the baseline; default: first event")
    baseline_end: str | None = Field(None, description="end of the baseline; default: start of the window")
    service: str | None = Field(None, description="only this service")
    limit: int = Field(20, ge=1, le=200)


class PatternsParams(WindowParams):
    """Which patterns."""

    changes: list[Change] = Field(default_factory=_telling_changes)
    level: LevelName | None = Field(None, description="only patterns of this severity or above")


class FilterParams(Params):
    """Which events; every filter that is given must hold."""

    text: str | None = Field(None, description="text in the event, ignoring case, as it stands or as JSON reads")
    regex: str | None = Field(
        None,
        description="RE2 regular expression (linear time; no look-around), on lines as they stand or as JSON reads",
    )
    service: str | None = None
    level: LevelName | None = Field(None, description="this severity or above")
    start: str | None = None
    end: str | None = None
    source: str | None = Field(None, description="only this source id")


class SearchParams(FilterParams):
    """Search for events."""

    limit: int = Field(20, ge=1, le=500)
    cursor: str | None = Field(None, description="the `more` of an earlier answer")


class HistogramParams(FilterParams):
    """Events over time."""

    by: Literal["total", "service", "level", "source"] = "total"
    bucket_seconds: int | None = Field(None, ge=10, le=86_400, description="default: minutes, coarser for long spans")


class DistinctParams(FilterParams):
    """Values of a field."""

    field: str = Field(
        description="service, host, level, source, a JSON field (dotted path) or a key of key=value text"
    )
    limit: int = Field(20, ge=1, le=500)


class ContextParams(Params):
    """Lines around a citation."""

    citation: str = Field(description="a log citation, such as log:app.log@1024+1")
    before: int = Field(10, ge=0, le=500)
    after: int = Field(10, ge=0, le=500)
