"""What a score is made of: the question asked, the parts of the answer, and the log-odds that they add up to."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from subagents.contract import Fact
from subagents.deploys.diffkinds import DiffReading
from subagents.deploys.overlap import SymptomTerms
from subagents.deploys.reach import Failing
from subagents.deploys.sources.records import Commit, Deploy, FlagChange

BASE = -4.4
"""Log-odds of a change of which nothing is known."""
RULED_OUT = 0.001
"""Most that is left of the score of what cannot have done it."""
CLOCK_SLACK = timedelta(seconds=120)
"""How far clocks of deploys and of measurements may differ before "after" is said."""


@dataclass(frozen=True)
class LeadIn:
    """A resource of what failed that had begun to fill before the symptom showed."""

    at: datetime
    what: str


class Ended(NamedTuple):
    """When the symptom was measured to be over, and the fact that says so."""

    at: datetime
    fact: Fact


@dataclass(frozen=True)
class Question:
    """What is asked: which change explains a symptom that began at `onset`."""

    onset: datetime | None
    failing: Failing
    terms: SymptomTerms
    families: frozenset[str]
    lead_in: LeadIn | None = None
    text: str = ""
    """What the alert or the person said."""
    ended: Ended | None = None
    lasting: Ended | None = None
    """Until when it was measured to go on, with its level then; None where it ended."""
    of_tests: bool = False
    """Tests, builds or pipelines are what fails: a change of these alone may have done it."""
    frames: tuple[tuple[str, int], ...] = ()
    """Own code in which traces end, as path and line."""
    missing: frozenset[str] = frozenset()
    """Names that errors say are not there."""


class Part(NamedTuple):
    """One judgement within a score, in log-odds points."""

    name: str
    points: float
    reason: str
    path: str | None = None
    line: int | None = None


@dataclass(slots=True)
class Scored:
    """A change with its score between 0 and 1 and the parts it is made of."""

    change: Commit | FlagChange
    score: float
    parts: list[Part]
    lead_s: float | None
    """Seconds from taking effect to the onset; negative: it came after."""
    at: datetime | None
    deploy: Deploy | None
    services: tuple[str, ...]
    ruled_out: str = ""
    """Why it cannot have done it, or empty."""
    reading: DiffReading | None = None
    carriers: tuple[Deploy, ...] = field(default=())
    facts: tuple[Fact, ...] = ()
    """What its parts state beside when it took effect."""


def logistic(points: float) -> float:
    """Return the probability that log-odds points stand for."""
    return 1.0 / (1.0 + math.exp(-points))
