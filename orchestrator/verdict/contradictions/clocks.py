"""One source's clock against another's: logs that lie whole half hours off, a version that runs before its deploy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from subagents import quantities as q
from subagents.contract import Fact, Problem, SourceSpec
from subagents.contradiction import Contradiction

SLACK = timedelta(minutes=2)
"""Records of deploys are written by hand or at the end of a roll-out: so much is no contradiction."""


@dataclass(frozen=True)
class Named:
    """A deploy by its record, and the first line of the service's own logs that names what it brought."""

    service: str
    word: str
    """What the line names: a version, or the start of a commit."""
    deployed: datetime
    deploy: str
    """Citation of the record."""
    said: datetime
    line: str
    """Citation of the line."""


def early_versions(named: Sequence[Named]) -> Iterator[Contradiction]:
    """Yield each deploy that a service names, as what it runs, before the record says that it was made."""
    for one in named:
        if one.said >= one.deployed - SLACK:
            continue
        yield Contradiction(
            kind="clocks",
            text=f"{one.word} of {one.service} is recorded as deployed at {one.deployed:%H:%M:%S} UTC, and the logs of "
            f"{one.service} name it from {one.said:%H:%M:%S} UTC: one of the clocks is off",
            facts=(
                Fact(quantity=q.DEPLOYED_AT, value=one.deployed.isoformat(), citation=one.deploy),
                Fact(quantity=q.FIRST_SEEN, value=one.said.isoformat(), citation=one.line),
            ),
            citations=(one.deploy, one.line),
        )


def skewed_logs(problems: Sequence[Problem], sources: Sequence[SourceSpec]) -> Iterator[Contradiction]:
    """Yield each log whose times lie whole half hours off those of the others, by its first line."""
    for problem in problems:
        spec = next((one for one in sources if one.kind == "logs" and problem.where in (one.id, one.origin)), None)
        cites = (f"log:{spec.id}@0+1",) if spec is not None else ()
        yield Contradiction(kind="clocks", text=f"the clock of {problem.where}: {problem.what}", citations=cites)
