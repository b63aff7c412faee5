"""Failures that stand from the first point on: nothing departs from a baseline that is the trouble itself."""

from __future__ import annotations

import re
from collections.abc import Iterable

from subagents.metrics.heat import ERRORS, traffic_of
from subagents.metrics.series import SeriesKey
from subagents.metrics.signals import Signal, scale_of
from subagents.metrics.sources.naming import FAILED
from subagents.metrics.symptom import Asked

MANY = 0.1
"""Share of what is asked that fails nowhere as a rule."""
_OF_REQUESTS = re.compile(r"5xx|error|fail|availab|success")
_USUAL = re.compile(r"4xx|cache|miss|login|denied|throttl|retr(y|ies|ans)|packet|gc_|correct")
"""What is no failure of the service, or may well be frequent."""
_ASKED = re.compile(r"error|5xx|5\d\d\b|fail|availab|down\b|unavailable|success")


def standing(seen: Iterable[Signal], asked: Asked) -> SeriesKey | None:
    """Return the series of the paged service of which a large part fails before the moment and after it, if one does.

    Only where the page speaks of failures: others may have been there for good.
    """
    if not asked.service or not _ASKED.search(f"{asked.metric} {asked.text}".lower()):
        return None
    mine = [signal for signal in seen if signal.key.service == asked.service]
    shares = [(min(_share(one, one.base, mine), _share(one, one.volume, mine)), one.key) for one in mine]
    share, key = max(shares, default=(0.0, None))
    return key if share >= MANY else None


def _share(signal: Signal, level: float, mine: list[Signal]) -> float:
    """Return which share of requests a level of a series says to fail; 0 where it says nothing of that."""
    name = signal.key.name.lower()
    if (
        signal.traits.role not in ERRORS
        or _USUAL.search(name)
        or not (_OF_REQUESTS.search(name) or FAILED.search(name))
    ):
        return 0.0
    if signal.traits.role == "error_count":
        traffic = traffic_of(mine)
        counted = traffic is not None and traffic.traits.counter == signal.traits.counter
        return level / (traffic.base + level) if traffic is not None and counted and traffic.base > 0 else 0.0
    share = level / scale_of(signal.values)
    return 1.0 - share if signal.traits.role == "availability" else share
