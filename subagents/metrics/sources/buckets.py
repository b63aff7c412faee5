"""Quantiles of what was counted by size: within a bucket values are taken as spread evenly, as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Spread:
    """How many values lie up to each bound, all that lie up to lower ones among them; the last bound may be endless."""

    bounds: tuple[float, ...]
    up_to: tuple[float, ...]

    @classmethod
    def of(cls, counts: Any, bounds: Sequence[object]) -> Spread:
        """Make it of the counts within each bucket; of one more count than bounds the last lies beyond all of them."""
        try:
            within = [float(count) for count in counts]
            above = [float(bound) for bound in bounds]  # type: ignore[arg-type]
        except (TypeError, ValueError):
            return cls((), ())
        above = [*above, float("inf")][: len(within)]
        up_to = [sum(within[: place + 1]) for place in range(len(above))]
        return cls(tuple(above), tuple(up_to))

    def quantiles(self) -> Iterator[tuple[str, float]]:
        """Yield the suffix of a series' name and the quantile; nothing where nothing was counted."""
        for name, share in QUANTILES.items():
            value = self.quantile(share)
            if value is not None:
                yield f"_{name}", value

    def quantile(self, share: float) -> float | None:
        """Return the value that this share lies below; beyond the last bound, that bound; None where there is none."""
        if not self.up_to or self.up_to[-1] <= 0:
            return None
        wanted = share * self.up_to[-1]
        place = next((place for place, count in enumerate(self.up_to) if count >= wanted), None)
        if place is None:  # counts that are no numbers
            return None
        high = self.bounds[place]
        low = self.bounds[place - 1] if place else min(0.0, high)
        if high == float("inf"):
            return low if place else None
        before = self.up_to[place - 1] if place else 0.0
        inside = self.up_to[place] - before
        return high if inside <= 0 else low + (high - low) * (wanted - before) / inside
