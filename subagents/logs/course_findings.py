"""Findings about requests: where they leave their usual course, and where they became slow."""

from __future__ import annotations

from collections.abc import Iterator

from subagents import quantities
from subagents.contract import Finding, Suspect
from subagents.logs.courses import FlowBreak, SlowPassages
from subagents.logs.model import LogsFirstLook
from subagents.logs.wording import clock, moment_fact, quote

NAME = "logs"
REPORTED = 2
FLOW_WEIGHT = 0.7
SLOW_WEIGHT = 0.5
SURE_NATS = 20.0
"""From which a change is as sure as it gets."""


def course_findings(look: LogsFirstLook) -> Iterator[Finding]:
    """Yield the surest change of course per service, and the service that explains best what became slow."""
    told: dict[str, FlowBreak] = {}
    for flow in look.flows:
        told.setdefault(flow.service, flow)
    for flow in list(told.values())[:REPORTED]:
        yield _flow(flow)
    for slow in look.slow[:1]:
        yield _slow(slow)


def followed_gap(look: LogsFirstLook) -> str | None:
    """Say which requests were not followed; None where all were, or none could be."""
    read = look.followed
    if read is None or (read.whole and read.one_in == 1):
        return None
    part = "" if read.whole else f" from {clock(read.window.start)} to {clock(read.window.end)} only"
    some = "" if read.one_in == 1 else f", one in {read.one_in}"
    return f"The logs are large: requests were followed{part}{some} ({read.requests} of them)."


def _flow(flow: FlowBreak) -> Finding:
    now = f"“{quote(flow.instead)}” follows" if flow.instead is not None else "requests end there"
    return Finding(
        agent=NAME,
        claim=f"Since {clock(flow.since)} requests leave their usual course at {flow.service}: after "
        f"“{quote(flow.before)}” ({flow.before_service}) it no longer logs “{quote(flow.lost)}”: "
        f"{flow.still} of {flow.since_of} times, {flow.followed} of {flow.of} before; now {now}.",
        topic="mechanism",
        about=Suspect(kind="service", key=flow.service, label=flow.service),
        stance="for",
        weight=round(FLOW_WEIGHT * min(1.0, flow.nats / SURE_NATS) / len(flow.blamed), 3),
        facts=(*moment_fact(quantities.FIRST_SEEN, flow.since, flow.citation), *flow.facts),
        citations=tuple(dict.fromkeys(ref for ref in (flow.citation, flow.usual, flow.now) if ref is not None)),
        services=flow.blamed,
        at=flow.since,
    )


def _slow(slow: SlowPassages) -> Finding:
    peers = ", ".join(slow.peers[:4]) + (f" and {len(slow.peers) - 4} more" if len(slow.peers) > 4 else "")
    ways = f"of {slow.of} ways between services that became slow, {slow.kinds} begin or end at {slow.service}"
    if slow.of == 1:
        ways = "no other way between services became slow"
    return Finding(
        agent=NAME,
        claim=f"Since {clock(slow.since)} requests pass slowly between {slow.service} and {peers}: "
        f"{quantities.figure(slow.now_ms)} ms from one's event to the next one's, usually "
        f"{quantities.figure(slow.usual_ms)} ms; {ways}.",
        topic="mechanism",
        about=Suspect(kind="service", key=slow.service, label=slow.service),
        stance="for",
        weight=round(SLOW_WEIGHT * slow.share * min(1.0, slow.nats / SURE_NATS), 3),
        facts=(*moment_fact(quantities.FIRST_SEEN, slow.since, slow.citation), *slow.facts),
        citations=tuple(ref for ref in (slow.citation, slow.ends) if ref),
        services=(slow.service,),
        at=slow.since,
    )
