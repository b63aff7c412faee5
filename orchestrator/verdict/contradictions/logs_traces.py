"""What logs tell of failures and traces of how requests ended: one service, or one call, seen from both.

Traces are mostly samples, so that a few fine ones say nothing; and what a program logs as an error need not fail a
request. Only where many were traced and none failed, or where the failed ones end at a service that logs nothing of it,
can the two not both be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orchestrator.verdict.contradictions.logs_metrics import RISE, LoggedErrors
from subagents import quantities as q
from subagents.contract import Fact
from subagents.contradiction import Contradiction
from subagents.metrics.model import TracedView
from subagents.quantities import figure

LEAST_SPANS = 20
"""Spans from which none that failed means something: were one in seven failing, one would show in 95 of 100 samples."""
LEAST_SHARE = 1 / 7
"""Of the spans: fewer severe events than that may be of requests that no sample holds."""
LEAST_FAILED = 3
"""Failed spans that end at a service, from which it should log something of them."""


@dataclass(frozen=True)
class LoggedPeer:
    """A failure of another service, as the one that calls it tells."""

    speaker: str
    peer: str
    told: str
    """The kind of failure."""
    count: Fact
    """How many events tell of it."""
    expected: Fact | None
    """How many were expected; None without a time before."""

    @property
    def usual(self) -> bool:
        """Whether about as many are told of anyway."""
        if self.expected is None or isinstance(self.count.value, str) or isinstance(self.expected.value, str):
            return False
        return self.count.value < RISE * max(self.expected.value, 1.0)


def logs_against_traces(
    traced: Sequence[TracedView],
    logged: Sequence[LoggedErrors],
    peers: Sequence[LoggedPeer],
    quiet: Mapping[str, str],
) -> Iterator[Contradiction]:
    """Yield disagreements about one service or one call; `quiet` has an event of each that logs, and logs no errors."""
    whole = {one.service: one for one in traced if one.caller is None}
    calls = {(one.caller, one.service): one for one in traced if one.caller}
    for held in logged:
        seen = whole.get(held.service)
        if held.rises and seen is not None and _all_fine(seen, held.count):
            expected = figure(float(held.expected.value)) if held.expected is not None else "0"
            yield _clash(
                f"{held.service} logged {held.count.value} severe events where {expected} were expected, and none of "
                f"its {seen.spans} spans since the onset failed",
                seen,
                tuple(fact for fact in (held.count, held.expected) if fact is not None),
            )
    for peer in peers:
        seen = calls.get((peer.speaker, peer.peer))
        if seen is not None and not peer.usual and _all_fine(seen, peer.count):
            yield _clash(
                f"{peer.speaker} logs that {peer.peer} fails ({peer.told}, {peer.count.value} events), and none of the "
                f"{seen.spans} calls from {peer.speaker} to {peer.peer} in the traces failed",
                seen,
                (peer.count,),
            )
    for service, event in quiet.items():
        seen = whole.get(service)
        if seen is not None and seen.failed >= LEAST_FAILED and not _below(service, calls):
            told = f"{seen.failed} of {seen.spans} spans of {service} failed since the onset, and no call that it makes"
            yield Contradiction(
                kind="logs and traces",
                text=f"{told}; the logs of {service} show no more errors than before",
                facts=seen.facts,
                citations=(seen.citation, event),
            )


def _all_fine(seen: TracedView, count: Fact) -> bool:
    """Say whether none of many spans failed, where the events that are told are many beside them."""
    if isinstance(count.value, str) or seen.failed or seen.spans < LEAST_SPANS:
        return False
    return float(count.value) >= LEAST_SHARE * seen.spans


def _below(service: str, calls: Mapping[tuple[str, str], TracedView]) -> bool:
    """Say whether a call failed that the service makes: then it fails for that, and need not log it."""
    return any(one.failed for (caller, _), one in calls.items() if caller == service)


def _clash(text: str, seen: TracedView, counts: tuple[Fact, ...]) -> Contradiction:
    facts = (*counts, *(fact for fact in seen.facts if fact.quantity in q.TRACED))
    return Contradiction(kind="logs and traces", text=text, facts=facts, citations=(counts[0].citation, seen.citation))
