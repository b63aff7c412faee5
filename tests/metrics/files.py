"""Metric sources written by tests: long CSV, specs, incidents; and what is read of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from subagents.contract import Alert, Brief, Incident, SourceKind, SourceSpec
from subagents.metrics.series import Store
from subagents.metrics.sources.load import load

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
Series = Mapping[tuple[str, str], Sequence[float | None]]


def minute(index: int) -> datetime:
    return START + timedelta(minutes=index)


def stamp(index: int) -> str:
    return minute(index).strftime("%Y-%m-%dT%H:%M:%SZ")


def long_csv(path: Path, series: Series) -> Path:
    rows = ["ts,service,metric,value"]
    for (service, metric), values in series.items():
        rows += [f"{stamp(i)},{service},{metric},{v}" for i, v in enumerate(values) if v is not None]
    path.write_text("\n".join(rows) + "\n")
    return path


def spec(path: Path, kind: SourceKind = "metrics", **options: str) -> SourceSpec:
    return SourceSpec(id=path.name, kind=kind, path=str(path), origin=path.name, options=options)


def read(path: Path, kind: SourceKind = "metrics") -> Store:
    return load((spec(path, kind),))


def values(store: Store, service: str, name: str) -> list[float]:
    place = next((f, r) for f, r, key in store.series() if (key.service, key.name) == (service, name))
    frame, row = place
    return [float(v) for v in frame.values[row]]


def problems(store: Store) -> str:
    return "\n".join(p.line() for c in store.coverage for p in c.problems)


def brief(specs: Sequence[SourceSpec], alert: Alert | None = None, started: datetime | None = None) -> Brief:
    incident = Incident(id="inc-1", title="something is slow", alert=alert, started_at=started)
    return Brief(incident=incident, sources=tuple(specs))


def steady(level: float, count: int = 30, wobble: float = 0.02) -> list[float]:
    """Return a calm series: a fixed pattern of small deviations, no randomness."""
    pattern = (0.3, -0.8, 0.5, 1.0, -0.4, -1.0, 0.7, 0.1, -0.6, 0.9)
    return [level * (1 + wobble * pattern[(i * 7 + 3) % 10]) for i in range(count)]


def shifted(level: float, to: float, at: int, count: int = 30) -> list[float]:
    return [v if i < at else v * to / level for i, v in enumerate(steady(level, count))]
