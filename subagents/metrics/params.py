"""Arguments of the metrics tools: flat, as model APIs accept them."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from subagents.contract import Params


class WindowParams(Params):
    """A span of time, UTC; empty means everything there is."""

    start: AwareDatetime | None = Field(default=None, description="First moment, ISO 8601 with zone")
    end: AwareDatetime | None = Field(default=None, description="Last moment, ISO 8601 with zone")


class CoverageParams(Params):
    """No arguments."""


class SeriesParams(WindowParams):
    """Which series."""

    service: str = Field(default="", description="Service as metrics_coverage lists it")
    name: str = Field(description="Metric name as listed")
    source: str = Field(default="", description="Source id, where two sources have the same series")
    points: int = Field(default=120, ge=2, le=2000, description="Most points to return")


class OnsetsParams(WindowParams):
    """Which window, how much of it."""

    service: str = Field(default="", description="Only this service")
    limit: int = Field(default=40, ge=1, le=500)
    least: float = Field(default=1.0, ge=0, description="Least size; 1 is what counts as a change")


class RankParams(WindowParams):
    """What is to be explained."""

    since: AwareDatetime | None = Field(default=None, description="Start of impact, where somebody knows it")
    fired: AwareDatetime | None = Field(default=None, description="When the alert fired")
    service: str = Field(default="", description="Service the alert names")
    metric: str = Field(default="", description="Metric the alert names")
    about: str = Field(default="", description="What the alert says is wrong, in its words")
    candidates: tuple[str, ...] = Field(default=(), description="Only these services; empty: all")
    limit: int = Field(default=15, ge=1, le=1000)


class CompareParams(Params):
    """Two windows."""

    first_start: AwareDatetime
    first_end: AwareDatetime
    second_start: AwareDatetime
    second_end: AwareDatetime
    service: str = Field(default="", description="Only this service")
    roles: tuple[str, ...] = Field(
        default=(), description="Only series of these roles, such as host, traffic or error_ratio; empty: all"
    )
    limit: int = Field(default=30, ge=1, le=500)


class EdgesParams(WindowParams):
    """Around which service."""

    service: str = Field(default="", description="Only its callers and callees; empty: the whole graph")
    since: AwareDatetime | None = Field(
        default=None, description="Compare latencies before and after; count the spans since, and those that failed"
    )
    limit: int = Field(default=60, ge=1, le=1000)
