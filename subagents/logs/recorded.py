"""Recorded outputs of tools: which known kinds of failure their lines show, and whether they still hold.

A recording holds one moment: there is no time before to compare with, and most lines have no level. So wording
counts only where a line states it as so: not as the name of a condition that is false, nor as a threshold's text
of a monitor that is well, nor of an object that is being removed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from subagents import quantities
from subagents.contract import Fact, Finding, Incident, Suspect, ToolResult
from subagents.files import open_bounded
from subagents.logs.counted import AMISS, LINES, WELL
from subagents.logs.log_set import LogSet, Place
from subagents.logs.recorded_model import LogsRecorded, RecordedSign, RecordedState
from subagents.logs.recorded_states import state_of
from subagents.logs.signatures import TABLE, Known, around_wording, recognise
from subagents.logs.sources.json_fields import flatten
from subagents.logs.states import RUNS, State
from subagents.logs.terms import terms_of

NAME = "logs"
MOST_LINES = 200_000
MOST_SIGNS = 8
MOST_STATES = 8
MOST_NAMED = 200
LONGEST = 4096
STILL = timedelta(minutes=2)
"""A dated record older than the newest one by this much or more may be over."""
OLD = timedelta(hours=2)
"""How long before an alert outputs may have been recorded, to say anything of it."""
UNCONFIRMED = 0.85
"""Of a wording's weight: nothing shows what was usual before."""
_WELL = re.compile(r"(?:\b(?:false|none|ok|normal|healthy|succeeded|0)|<none>|\[\]|\{\})\s*$", re.IGNORECASE)
_STATE_KEYS = ("overall_state", "state", "status", "health")
_GOOD = {"ok", "normal", "healthy", "resolved", "good"}
_OBJECTS = ("involved_object", "of_involved_object", "of_name", "name", "pod_name", "of_pod_name", "service")
_LAST = ("last_time", "lastTimestamp", "last_seen", "ts", "timestamp", "time", "date")
_AS_OF = (*_LAST, "lastHeartbeatTime")
_FIRST = ("first_time", "firstTimestamp", "first_seen")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)")


@dataclass
class _Line:
    text: str
    place: Place
    tool: str
    subject: str = ""
    at: datetime | None = None
    since: datetime | None = None


@dataclass
class _Told:
    """What lines say of how things stand, well or amiss, and whether that is all there is to be said."""

    states: list[tuple[State, Place]] = field(default_factory=list)
    doubt: Place | None = None
    """The first line by which something may be amiss, or after which nothing was read."""
    doubt_words: str = ""
    newest: datetime | None = None
    """The latest time that a record is of."""

    def take(self, state: State | None, place: Place, text: str) -> None:
        """Keep what a line says."""
        if state is not None and state.well is not None:
            self.states.append((state, place))
        elif state is not None and self.doubt is None:
            self.doubt, self.doubt_words = place, " ".join(text.split())[:120]


@dataclass
class _Group:
    known: Known
    lines: list[_Line] = field(default_factory=list)


def answer(logs: LogSet, cancelled: Callable[[], bool]) -> ToolResult[LogsRecorded]:
    """Read all recorded outputs and return the kinds of failure that they show, the most telling first."""
    groups: dict[str, _Group] = {}
    count, tools, newest = 0, set(), None
    first: Place | None = None
    every = _Told()
    for line in _lines(logs, cancelled, every):
        count += 1
        tools.add(line.tool)
        first = first or line.place
        newest = max(filter(None, (newest, line.at)), default=None)
        known = recognise(line.text)
        if known is not None:
            groups.setdefault(known.name, _Group(known)).lines.append(line)
    ranked = sorted(groups.values(), key=lambda group: (-group.known.weight, group.known.name))[:MOST_SIGNS]
    signs = [_sign(logs, group, newest) for group in ranked]
    signs.sort(key=lambda sign: not sign.current)
    well, amiss = ([each for each in every.states if each[0].well is wanted] for wanted in (True, False))
    well.sort(key=lambda each: each[0].thing != "workload")
    places = [(_shown(group).place, group.known.name) for group in ranked]
    places += [(place, f"{state.thing} {state.subject} {state.words}") for state, place in amiss[:MOST_STATES]]
    places += [(place, f"{state.thing} {state.subject} is well") for state, place in well[:1]]
    places += [(every.doubt, "something may be amiss")] if every.doubt is not None else []
    if not places and first is not None:
        places = [(first, "first line of the recorded outputs")]
    data = LogsRecorded(
        outputs=len(tools),
        lines=count,
        signs=tuple(signs),
        first_line=logs.ref(first) if first is not None else "",
        well=len(well),
        well_things=tuple(dict.fromkeys(state.thing for state, _ in well)),
        well_line=logs.ref(well[0][1]) if well else "",
        well_subjects=tuple(dict.fromkeys(state.subject for state, _ in well if state.thing != "node"))[:MOST_NAMED],
        doubt=logs.ref(every.doubt) if every.doubt is not None else "",
        doubt_words=every.doubt_words,
        newest=every.newest,
        amiss=len(amiss),
        states=tuple(
            RecordedState(thing=state.thing, subject=state.subject, words=state.words, citation=logs.ref(place))
            for state, place in amiss[:MOST_STATES]
        ),
    )
    told = [f"{sign.name} ({sign.count}) in {', '.join(sign.outputs[:3])}: {sign.example}" for sign in signs]
    told += [f"{each.citation}  {each.thing} {each.subject} {each.words}" for each in data.states]
    heading = f"{count} lines of {len(tools)} recorded outputs; known kinds of failure: {len(signs)}"
    if every.states:
        heading += f"; states told: {len(well)} well, {len(amiss)} amiss"
    return ToolResult[LogsRecorded](data=data, text="\n".join([heading, *told]), citations=logs.cite(places))


@dataclass(frozen=True)
class Kinds:
    """Which lines of recorded outputs show which known kind of failure."""

    counts: Mapping[str, int]
    by_place: Mapping[tuple[str, int], str]
    """(source id, byte) to the kind's name."""
    states: Mapping[tuple[str, int], str]
    """Likewise to WELL or AMISS."""

    def count(self, unit: str, place: tuple[str, int]) -> int | None:
        """Return how many lines say what the one at a place says, by the unit; None where it says nothing such."""
        if unit == LINES:
            return self.counts[self.by_place[place]] if place in self.by_place else None
        return sum(told == unit for told in self.states.values()) if self.states.get(place) == unit else None


def kinds(logs: LogSet, cancelled: Callable[[], bool]) -> Kinds:
    """Read all recorded outputs and return which lines show a known kind of failure, and which say how things stand."""
    by_place: dict[tuple[str, int], str] = {}
    every = _Told()
    for line in _lines(logs, cancelled, every):
        known = recognise(line.text)
        if known is not None:
            by_place[logs.sources[line.place.source].id, line.place.byte] = known.name
    told = {(logs.sources[at.source].id, at.byte): WELL if state.well else AMISS for state, at in every.states}
    return Kinds(Counter(by_place.values()), by_place, told)


def _lines(logs: LogSet, cancelled: Callable[[], bool], told: _Told) -> Iterator[_Line]:
    """Yield the lines whose wording counts, and put what all of them say of how things stand into `told`."""
    total = 0
    for number, source in enumerate(logs.sources):
        if not source.recorded:
            continue
        stream, _ = open_bounded(source.path, source.name)
        byte = 0
        with stream:
            for raw in stream:
                total += 1
                text, place = raw[:LONGEST].decode("utf-8", "replace"), Place(number, byte, 1)
                if total > MOST_LINES or cancelled():
                    told.doubt = told.doubt or place
                    return
                record = _record(text)
                line, state = _line(text, record, place), state_of(record, text)
                byte += len(raw)
                told.take(state, place, text)
                told.newest = max(filter(None, (told.newest, _dated(record, text))), default=None)
                if line is not None:
                    line.tool = source.spec.options["recorded"]
                    yield line


def _line(text: str, record: dict[str, str] | None, place: Place) -> _Line | None:
    if record is None:
        stripped = text.strip()
        stated = stripped and not _WELL.search(stripped) and '"tool_name"' not in stripped[:200]
        return _Line(stripped, place, "", at=_moment(stripped[:64])) if stated else None
    if any(key.lower().endswith(("deletion_timestamp", "deletiontimestamp")) and record[key] for key in record):
        return None
    if any(str(record.get(key, "")).lower() in _GOOD for key in _STATE_KEYS):
        return None
    own = {key: value.strip() for key, value in record.items() if not key.startswith("of_")}
    said = [value for value in own.values() if not _WELL.fullmatch(value) and not _TIME.fullmatch(value)]
    subject = next((record[key] for key in _OBJECTS if record.get(key)), "")
    last, first = (next((record[k] for k in keys if record.get(k)), "") for keys in (_LAST, _FIRST))
    return _Line(" ".join(dict.fromkeys(said)), place, "", subject, _moment(last), _moment(first or last))


def _dated(record: dict[str, str] | None, text: str) -> datetime | None:
    """Return the moment that a line is of, where it says one."""
    return _moment(text[:64]) if record is None else _moment(next((record[k] for k in _AS_OF if record.get(k)), ""))


def _record(text: str) -> dict[str, str] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return flatten(value) if isinstance(value, dict) and "tool_name" not in value else {} if value else None


def _moment(text: str) -> datetime | None:
    match = _TIME.search(text)
    try:
        return datetime.fromisoformat(match.group().replace("Z", "+00:00")) if match else None
    except ValueError:
        return None


def _shown(group: _Group) -> _Line:
    """Return the line to show: the latest that is dated, else the first."""
    dated = [line for line in group.lines if line.at is not None]
    return max(dated, key=lambda line: (line.at or datetime.min, len(line.text))) if dated else group.lines[0]


def _sign(logs: LogSet, group: _Group, newest: datetime | None) -> RecordedSign:
    shown = _shown(group)
    last = shown.at
    undated = any(line.at is None for line in group.lines)
    return RecordedSign(
        name=group.known.name,
        kind=group.known.kind,
        explains=group.known.explains,
        count=len(group.lines),
        outputs=tuple(dict.fromkeys(line.tool for line in group.lines)),
        subject=shown.subject[:120],
        current=undated or last is None or newest is None or newest - last < STILL,
        first=min((line.since or line.at for line in group.lines if line.at), default=None),
        last=last,
        example=around_wording(group.known, shown.text)[:300],
        citation=logs.ref(shown.place),
        terms=terms_of(*[line.text for line in group.lines[:3]]),
    )


def findings(
    data: LogsRecorded, known: Collection[str] = (), *, calm: bool = True, incident: Incident | None = None
) -> list[Finding]:
    """Return what the recorded outputs show: what still holds, what may be over, how things stand, or nothing.

    What is `known` by name from dated logs is only observed here, so that it does not count twice. Unless those are
    `calm`, nothing is said to be well; nor where the outputs say nothing of the service, or of the time, of the alert.
    """
    current = [sign for sign in data.signs if sign.current]
    found = [_finding(sign, sign.name in known) for sign in data.signs[:4]]
    if data.amiss:
        found.append(_amiss(data))
    elif calm and not current and _is_told_well(data):
        unsure = _unsure(data, incident)
        found.append(_well(data) if not unsure else _perhaps_well(data, unsure))
    elif not data.signs and data.lines:
        found.append(_nothing(data))
    if current:
        told = ", ".join(f"{sign.name} ({sign.count})" for sign in current[:5])
        found.append(
            Finding(
                agent=NAME,
                claim=f"Recorded outputs show trouble: {told}; foremost: {_quote(current[0])}",
                topic="errors",
                weight=0.5,
                facts=(_count(current[0]),),
                citations=tuple(sign.citation for sign in current[:5]),
                at=current[0].first,
            )
        )
    return found


def _quote(sign: RecordedSign) -> str:
    text = " ".join(sign.example.split())
    about = f"{sign.subject}: " if sign.subject and sign.subject not in text else ""
    return f"{about}{text if len(text) <= 200 else text[:199] + '…'}"


def _count(sign: RecordedSign) -> Fact:
    return Fact(quantity=quantities.COUNT, value=sign.count, unit=LINES, citation=sign.citation)


def _finding(sign: RecordedSign, known: bool) -> Finding:
    weights = {known.name: known.weight for known in TABLE}
    suspected = sign.kind != "none" and sign.current and not known
    about = Suspect(kind=sign.kind, key=sign.name, label=sign.name) if suspected else None
    shows, lines = ("shows" if len(sign.outputs) == 1 else "show"), ("line" if sign.count == 1 else "lines")
    over = "" if sign.current else "; last recorded well before the rest, so that it may be over"
    return Finding(
        agent=NAME,
        claim=f"{', '.join(sign.outputs[:2])} {shows} {sign.name} ({sign.explains}) in {sign.count} {lines}: "
        f"{_quote(sign)}{over}",
        topic="mechanism" if sign.current else "consequence",
        about=about,
        stance="for" if about is not None else "observes",
        weight=round(weights.get(sign.name, 0.3) * UNCONFIRMED, 3),
        facts=(_count(sign),),
        citations=(sign.citation,),
        at=sign.first,
        terms=sign.terms,
    )


def _amiss(data: LogsRecorded) -> Finding:
    told = ", ".join(" ".join(filter(None, (each.thing, each.subject, each.words))) for each in data.states[:3])
    more = f", and {data.amiss - 3} more" if data.amiss > 3 else ""
    first = data.states[0].citation
    return Finding(
        agent=NAME,
        claim=f"By recorded outputs: {told}{more}.",
        topic="errors",
        weight=0.45,
        facts=(Fact(quantity=quantities.COUNT, value=data.amiss, unit=AMISS, citation=first),),
        citations=tuple(each.citation for each in data.states[:3]),
    )


def _is_told_well(data: LogsRecorded) -> bool:
    """Say whether two kinds of things are told to be well, of which one says whether users are served."""
    return len(data.well_things) > 1 and not RUNS.union(("monitor",)).isdisjoint(data.well_things)


def _unsure(data: LogsRecorded, incident: Incident | None) -> str:
    """Say why it is not sure that all is well: what may say otherwise, or what the alert is about; else nothing."""
    if data.doubt:
        return f"a line may say otherwise: {data.doubt_words}" if data.doubt_words else "not all was read"
    if incident is None:
        return ""
    fired = incident.alert.fired_at if incident.alert is not None else None
    if fired is not None and data.newest is not None and fired - data.newest > OLD:
        return f"they were recorded until {data.newest:%Y-%m-%d %H:%M} UTC, well before the alert"
    service = incident.service or ""
    told = any(service.casefold() in subject.casefold() for subject in data.well_subjects)
    return "" if told else f"none of them is of {service}"


def _perhaps_well(data: LogsRecorded, unsure: str) -> Finding:
    return Finding(
        agent=NAME,
        claim=f"{data.well} states in recorded outputs are well and none is amiss, but {unsure}",
        topic="health",
        weight=0.2,
        citations=tuple(filter(None, (data.doubt, data.well_line))),
    )


def _well(data: LogsRecorded) -> Finding:
    return Finding(
        agent=NAME,
        claim=f"By recorded outputs everything that says how it stands is well: {data.well} states, of "
        f"{_and([f'{thing}s' for thing in data.well_things])}.",
        topic="health",
        weight=0.4,
        facts=(Fact(quantity=quantities.COUNT, value=data.well, unit=WELL, citation=data.well_line),),
        citations=(data.well_line,),
    )


def _and(words: list[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _nothing(data: LogsRecorded) -> Finding:
    return Finding(
        agent=NAME,
        claim=f"{data.lines} lines of {data.outputs} recorded outputs show no kind of failure that warroom knows by "
        "its wording; states and numbers in them were not judged.",
        topic="health",
        weight=0.2,
        citations=(data.first_line,) if data.first_line else (),
    )
