"""What is done about each kind of cause that no change explains, in sentences with `{it}` and `{service}`.

General knowledge of the field. Each first action fits its cause: undoing a deploy helps against none of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orchestrator.engines.offline.case import failure_of
from subagents.contract import Suspect, SuspectKind
from subagents.hosts import outside_host


@dataclass(frozen=True)
class Remedy:
    """Contain and fix for one kind of cause; `{it}` is the suspect, `{service}` where it shows."""

    contain: str
    effect: str
    risk: str
    reversible: str
    fix: str
    signals: tuple[str, ...]
    """Runbook signals to look for."""


REMEDIES: dict[SuspectKind, Remedy] = {
    "flag": Remedy(
        contain="set the flag {it} back to what it was",
        effect="new requests take the old path at once",
        risk="work begun under the new value may be half done",
        reversible="yes: flip it again",
        fix="repair the path behind {it} and roll it out to a small share first",
        signals=("flag", "deploy"),
    ),
    "dependency": Remedy(
        contain="fail over from {it} or shed the calls to it",
        effect="callers stop waiting for what does not answer",
        risk="features behind {it} are degraded while it is bypassed",
        reversible="yes: route back once {it} answers",
        fix="give calls to {it} a timeout, a retry budget and a fallback",
        signals=("dependency",),
    ),
    "traffic": Remedy(
        contain="add capacity to {service} or limit the rate of what surges",
        effect="load per instance falls back under what it can serve",
        risk="more instances may move the pressure to the database behind them",
        reversible="yes: scale in again",
        fix="set autoscaling and admission limits from the peak seen here",
        signals=("traffic", "saturation"),
    ),
    "certificate": Remedy(
        contain="renew the certificate {it} and reload what serves it",
        effect="handshakes succeed again",
        risk="clients that pinned the old one need the new one",
        reversible="not needed: the old one has expired",
        fix="renew automatically and alert 21 days ahead",
        signals=("certificate",),
    ),
    "host": Remedy(
        contain="move the work of {service} off {it}: drain it, or evict what crowds it",
        effect="requests no longer reach the machine that fails or is crowded",
        risk="the remaining machines take its load: check their headroom first",
        reversible="yes: put it back into rotation",
        fix="find out why {it} failed, or who crowded it, before it serves again; give {service} limits of its own",
        signals=("host", "cpu"),
    ),
    "resource": Remedy(
        contain="free what ran out on {service} ({it}), or add to it",
        effect="work that waits for it goes on",
        risk="freeing the wrong thing loses data: look before deleting",
        reversible="partly: what is deleted is gone; added capacity can be taken away",
        fix="alert well before it is used up, and find what consumes it",
        signals=("disk", "saturation", "memory_growth"),
    ),
    "data": Remedy(
        contain="take {it} out of the way (quarantine the record or the message), keep a copy",
        effect="the work behind it goes on",
        risk="whatever depends on it waits until it is repaired",
        reversible="yes: replay it once it is understood",
        fix="validate at the door and send what fails to a dead-letter queue",
        signals=("data",),
    ),
    "external": Remedy(
        contain="tell users and the provider; use the fallback for {it} if there is one",
        effect="people know, and stop retrying",
        risk="none",
        reversible="yes",
        fix="decide whether {it} needs a second provider",
        signals=("dependency",),
    ),
}
NAMED: Mapping[str, Remedy] = {
    "DNS": Remedy(
        contain="make {it} resolve again: ask another resolver (dig {name} @RESOLVER), switch to one that answers, "
        "or pin the last good address while it lasts",
        effect="names resolve, and calls go out again",
        risk="a pinned address goes stale: take it out once the resolver answers",
        reversible="yes: back to the usual resolver",
        fix="watch resolution from where {service} runs, keep a second resolver, and cache what was good",
        signals=("dns", "dependency"),
    ),
    "rate limited": Remedy(
        contain="send less to {it}: back off, cache, shed what can wait, or have the limit raised; "
        "retries make it worse",
        effect="what still goes out is answered",
        risk="work that was put off comes later, all at once unless it is spread",
        reversible="yes: back to the usual rate",
        fix="keep calls to {it} under its limit at the caller, with one budget for retries",
        signals=("dependency",),
    ),
    "disk full": Remedy(
        contain="free space on {service} that is safe to free (rotated logs, caches, old dumps), or grow the volume; "
        "never database or broker files",
        effect="writes succeed again",
        risk="deleting is final: look at what it is first, and keep what explains the incident",
        reversible="partly: what is deleted is gone; a grown volume stays",
        fix="find what fills it, rotate or expire that, and alert at 80 % and on the rate of growth",
        signals=("disk",),
    ),
    "OOM kill": Remedy(
        contain="see that what was killed runs again, and give {service} room: a higher limit, or fewer neighbours",
        effect="it is not killed again before memory has filled again",
        risk="what grew goes on growing, and the next one to be killed may be another",
        reversible="yes",
        fix="find what keeps memory, and give each program a limit of its own",
        signals=("memory_growth",),
    ),
    "out of memory": Remedy(
        contain="give {service} more memory, or restart what grew while it is watched",
        effect="work goes on until it grows again",
        risk="a restart loses what is in memory, and the growth comes back",
        reversible="yes",
        fix="find what keeps memory: compare a heap profile before and after",
        signals=("memory_growth",),
    ),
    "pool exhausted": Remedy(
        contain="end what holds the connections of {service} too long, or shed load until the pool breathes",
        effect="requests get a connection again",
        risk="a larger pool moves the pressure to the database behind it: check its headroom first",
        reversible="yes",
        fix="bound how long a connection may be held, and alert on the wait for one",
        signals=("saturation", "database"),
    ),
    "file handles": Remedy(
        contain="restart the instances of {service} one by one, or raise their limit of open files",
        effect="files and connections can be opened again, until they run out anew",
        risk="what holds them goes on holding more: it comes back",
        reversible="yes",
        fix="find what opens and does not close: look at what kind the open ones are",
        signals=("saturation",),
    ),
    "CPU throttled": Remedy(
        contain="raise the CPU limit of {service}, or add instances",
        effect="it is no longer held back between two periods",
        risk="the machines beneath need the headroom: check it first",
        reversible="yes: put the limit back",
        fix="find what takes more CPU than before, and set the limit by what it needs at its peak",
        signals=("saturation", "cpu"),
    ),
    "locks": Remedy(
        contain="find the transaction that blocks the others on {service} and end it",
        effect="what waits behind it goes on",
        risk="its work is rolled back: know what it is first",
        reversible="no: it has to be done again",
        fix="shorten the transaction, and take locks in one order",
        signals=("database",),
    ),
    "credentials": Remedy(
        contain="give {service} credentials that {it} accepts: renew or restore them",
        effect="calls are let in again",
        risk="others may use the same ones: rotate them everywhere",
        reversible="yes, while the old ones are known",
        fix="alert before credentials run out, and rotate with an overlap",
        signals=("config",),
    ),
    "unreachable": Remedy(
        contain="send traffic where it arrives: fail over from {it} to another zone, path or instance",
        effect="requests go to what can be reached",
        risk="what remains takes all the load: check its headroom first",
        reversible="yes: send it back once it can be reached",
        fix="find out what lies between (zone, network, firewall), and rehearse doing without it",
        signals=("host", "dependency"),
    ),
    "clock": Remedy(
        contain="set the clock of {it} right, or take it out of rotation",
        effect="tokens, certificates and orders of events hold again",
        risk="a jump backwards can confuse what orders by time",
        reversible="not needed",
        fix="watch the offset of every machine",
        signals=("host",),
    ),
}
"""More exact than the kind: by the known kind of failure that the logs show."""
NOT_OURS = Remedy(
    contain="reach the owner of {it}: its certificate has expired; take another route to it until it is renewed",
    effect="calls succeed again as soon as it is renewed there",
    risk="switching verification off instead lets anybody answer in its name: do not",
    reversible="yes: go back to the usual route",
    fix="watch the expiry of certificates that you depend on, and have a second route",
    signals=("certificate",),
)
"""An expired certificate of somebody else's host cannot be renewed from here."""


def remedy_for(suspect: Suspect) -> Remedy | None:
    """Return what is done about a suspect: by the known kind of failure, else by its kind; None for a change."""
    if suspect.kind == "certificate" and outside_host(suspect.key):
        return NOT_OURS
    kind = failure_of(suspect, NAMED)
    return NAMED[kind] if kind is not None else REMEDIES.get(suspect.kind)
