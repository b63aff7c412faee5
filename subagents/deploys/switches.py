"""Flags and settings that were switched while running: the one change that may have done it, and whether it was undone.

All records of one flag are one suspect: the last of them by the onset. A later one that switches it back is no suspect,
but says something about it: whether the symptom ended with it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from subagents import quantities
from subagents.contract import Fact
from subagents.deploys.comments import PARTS
from subagents.deploys.ending import Undone, after_going_back
from subagents.deploys.overlap import OverlapIndex
from subagents.deploys.reach import ServiceMap, same_service, service_key
from subagents.deploys.scores import BASE, CLOCK_SLACK, RULED_OUT, Part, Question, Scored, logistic
from subagents.deploys.sources.records import Commit, FlagChange
from subagents.deploys.timing import lead_in_part, span, time_part

_ARROW = re.compile(r"\s*(?:->|=>|→|\bto\b)\s*")
LEAST_NAMED = 7
"""Letters of a flag's name from which it is no accident that something else bears it."""
_ON = frozenset({"on", "true", "1", "100", "100%", "enabled", "enable", "yes", "active"})
_OFF = frozenset({"off", "false", "0", "0%", "disabled", "disable", "no", "inactive"})


@dataclass(frozen=True)
class Switch:
    """One flag: the change that may have done it, and what was done to it before and after."""

    change: FlagChange
    before: FlagChange | None = None
    """The change before it that it undid: since then the flag is as it was."""
    back: FlagChange | None = None
    """The first change after it that undid it."""


def switches(flags: Sequence[FlagChange], onset: datetime | None) -> list[Switch]:
    """Return what may have been switched: for each flag of a service the last change by the onset, else the first."""
    by_flag: defaultdict[tuple[str, str], list[FlagChange]] = defaultdict(list)
    found: list[Switch] = []
    for flag in flags:
        if flag.at is None:
            found.append(Switch(flag))
        else:
            by_flag[flag.flag, service_key(flag.service)].append(flag)
    for changes in by_flag.values():
        changes.sort(key=lambda flag: flag.at or datetime.max)
        place = _suspected(changes, onset)
        change, earlier, later = changes[place], changes[:place], changes[place + 1 :]
        before = earlier[-1] if earlier and undoes(change, earlier[-1]) else None
        back = next((each for each in later if undoes(each, change)), None)
        found.append(Switch(change, before, back))
    return found


def _suspected(changes: Sequence[FlagChange], onset: datetime | None) -> int:
    """Return the place of the change that may have done it, among those of one flag, oldest first."""
    if onset is None:
        return len(changes) - 1
    for slack in (CLOCK_SLACK * 0, CLOCK_SLACK):
        places = [place for place, each in enumerate(changes) if each.at is not None and each.at <= onset + slack]
        if places:
            return places[-1]
    return 0


def undoes(later: FlagChange, earlier: FlagChange) -> bool:
    """Say whether a change sets a flag to what it was before another one."""
    was, became = _values(earlier)
    now = _values(later)[1]
    if was:
        return now == was
    return now != "" and {now, became} == {"on", "off"}


def _values(flag: FlagChange) -> tuple[str, str]:
    """Return (value before, value after) of a change, as far as it says them; `on` and `off` by any name."""
    parts = [part for part in _ARROW.split(flag.change.strip().lower()) if part]
    old, new = (parts[0], parts[-1]) if len(parts) > 1 else ("", parts[0] if parts else "")
    return _plain(old), _plain(new)


def _plain(value: str) -> str:
    value = value.strip("\"' ")
    return "on" if value in _ON else "off" if value in _OFF else value


def score_switch(switch: Switch, question: Question, services: ServiceMap) -> Scored:
    """Score a flag's change against the symptom, as one of a deploy whose diff cannot be read."""
    flag = switch.change
    lead = (question.onset - flag.at).total_seconds() if question.onset and flag.at else None
    time, too_late = time_part(lead, "changed")
    what = f"a switch while running: {flag.change or 'changed'}; what it switches is not in the data"
    parts = [time, _reach(flag, question, services), _overlap(flag, question), Part("kind", 0.2, what)]
    parts += _named(flag, question)
    if question.lead_in is not None and flag.at is not None:
        parts += lead_in_part(flag.at, question.lead_in)
    if switch.before is not None and flag.at is not None and switch.before.at is not None:
        held = span((flag.at - switch.before.at).total_seconds())
        parts.append(Part("undone", -1.0, f"it set the flag back to what it was {held} earlier"))
    back, facts = switch.back, tuple[Fact, ...]()
    if back is not None and back.at is not None and not too_late:
        what = f"flag {flag.flag} was switched back ({back.change or back.id})"
        undone = Undone(what, back.at, quantities.DEPLOYED_AT, back.ref)
        ending, facts = after_going_back(undone, flag.at, question)
        parts += ending
    score = logistic(BASE + sum(part.points for part in parts))
    return Scored(flag, min(score, RULED_OUT) if too_late else score, parts, lead, flag.at, None,
                  (flag.service,) if flag.service else (), too_late, facts=facts)  # fmt: skip


def _reach(flag: FlagChange, question: Question, services: ServiceMap) -> Part:
    failing = question.failing
    if not flag.service or not failing.known:
        return Part("reach", 0.0, "which service reads it is unknown")
    weight = max((w for name, w in failing.weights.items() if same_service(name, flag.service)), default=0.0)
    if weight > 0:
        return Part("reach", 1.5 * weight, f"{flag.service}, which failed, reads it")
    depends = services.depends
    if any(depends(name, flag.service) or depends(flag.service, name) for name in failing.weights):
        return Part("reach", 0.5, f"{flag.service}, which works with what failed, reads it")
    return Part("reach", -1.6, f"{flag.service}, which did not fail, reads it")


def _named(flag: FlagChange, question: Question) -> list[Part]:
    """Return what it says that a name in what failed is the flag's own, less its service's: code is named so."""
    own = [word.lower() for word in PARTS.findall(flag.flag)]
    of_service = {word.lower() for word in PARTS.findall(flag.service or "")}
    left = [word for word in own if word not in of_service]
    name = "".join(left)
    if len(left) < 2 or len(name) < LEAST_NAMED:
        return []
    compounds = (term for term in question.terms.weights if term.startswith("="))
    if not any(name in re.sub(r"[^a-z0-9]", "", term) for term in compounds):
        return []
    return [Part("named", 1.3, f"what failed is called as the flag is: {' '.join(left)}")]


def _overlap(flag: FlagChange, question: Question) -> Part:
    stub = Commit(flag.source, "flag", flag.actor, flag.at, f"{flag.flag} {flag.change}", "", (), 0, None)
    overlap = OverlapIndex(question.terms, [stub]).score(stub)
    shared = [term for term in overlap.shared if question.terms.weights.get(term, 0.0) > 0.2]
    if not shared:
        return Part("overlap", -0.3, "its name names nothing that the symptom names")
    return Part("overlap", 0.64 * min(2.5, len(shared)), f"shares {question.terms.words(shared[:4])}")
