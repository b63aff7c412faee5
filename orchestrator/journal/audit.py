"""The audit of a session, from its journal alone: one line per act, in order, and whether the record can be trusted.

It reads whatever is there: a journal that is being written, a damaged one as far as it can be read, one of a newer
warroom as far as it is understood. Nothing is held in memory but the line at hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from pydantic import JsonValue

from orchestrator.journal.audit_words import NOT_AUDITED, THREAD, say
from orchestrator.journal.blobs import BlobStore
from orchestrator.journal.chain import Damage, Integrity
from orchestrator.journal.events import Event, IncidentOpened, ThreadCreated, ToolFinished
from orchestrator.journal.faults import BlobMissing
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.rows import Row, to_event

_ALWAYS_READ = frozenset({"session.thread_created", "warroom.incident", "warroom.tool_finished"})
"""They name the agents of threads, the session itself, and what of the record lies in files beside it."""

Wanted = Callable[[int, str], bool]
"""Says of a seq and a type whether it is asked for."""


@dataclass(frozen=True)
class AuditLine:
    """One act on record. Texts are as recorded: redacted, not cleaned."""

    seq: int
    ts: str
    """ISO 8601, UTC."""
    thread: str
    type: str
    who: str
    did: str
    about: dict[str, JsonValue]
    hash: str
    """Of the event in the chain, hex."""
    doubt: str = ""
    """Why this line is not proved; empty when it is."""


@dataclass(frozen=True)
class Ending:
    """What the chain and its anchor say about the whole record."""

    session: str
    events: int
    """Highest seq that is or was there."""
    proved: int
    """Events 1 to this one are proved by their hashes."""
    head: str
    """Hash of the last proved event."""
    anchor: str
    """Why the end is not proved by head.json; empty where it is."""
    damage: tuple[Damage, ...]
    live: bool
    version: int
    newer: bool
    anchored: int = 0
    """The event that head.json names; later ones are chained and no more."""
    lost: int = 0
    """Results in files beside the journal that are gone or not what was stored."""
    recorded_as: str = ""
    """Another session's id, where the record says that it is that one's; empty where it is this one's."""

    @property
    def loose(self) -> str:
        """Say which events came after the anchor, though nobody writes them now; empty where there are none."""
        if self.live or self.anchor or self.anchored >= self.events:
            return ""
        first = self.anchored + 1
        which = f"event {first}" if first == self.events else f"events {first} to {self.events}"
        return f"{which} came after it: the last run broke off, or they were added by something else than warroom"

    @property
    def whole(self) -> bool:
        """Whether the chain holds from the first event to the one that the anchor names, which is the last."""
        return not self.damage and not self.anchor and not self.loose and not self.lost and not self.recorded_as


@dataclass
class Audit:
    """One audit: first the chain is checked, then `lines` reads the events, then `ending` says what holds."""

    reader: JournalReader
    wanted: Wanted = lambda seq, kind: True
    _agents: dict[str, str] = field(default_factory=dict)
    _harmed: dict[int, str] = field(default_factory=dict)
    _recorded_as: str = ""
    _lost: dict[int, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._integrity: Integrity = self.reader.verify()
        anchored = self.reader.anchored
        self._anchored = self._integrity.total if self.reader.live or not anchored else anchored
        for damage in self._integrity.damage:
            if damage.kind in ("changed", "swapped"):
                self._harmed |= {damage.first: damage.kind, damage.last: damage.kind}

    def lines(self) -> Iterator[AuditLine | Damage]:
        """Yield what was done and asked for in order; a Damage stands where events cannot be read."""
        for item in self.reader.salvage(self._integrity.total):
            if isinstance(item, Damage):
                yield item
            elif item.type in _ALWAYS_READ or self._asked(item):
                try:
                    event = to_event(item)
                except ValueError as error:
                    yield Damage("unreadable", item.seq, item.seq, str(error))
                    continue
                if isinstance(event.body, ThreadCreated):
                    self._agents[event.body.session_thread_id] = event.body.agent_name
                elif isinstance(event.body, IncidentOpened) and event.body.session != self.reader.directory.name:
                    self._recorded_as = event.body.session
                elif isinstance(event.body, ToolFinished) and event.body.blob:
                    self._look_at(event.seq, event.body.blob)
                if self._asked(item):
                    yield self._line(event)

    def ending(self) -> Ending:
        """Return what can be said of the whole record."""
        found = self._integrity
        return Ending(
            session=self.reader.directory.name,
            events=found.total,
            proved=found.good,
            head=self.reader.head.hash,
            anchor=self.reader.anchor_fault,
            damage=found.damage,
            live=self.reader.live,
            version=self.reader.version,
            newer=self.reader.newer,
            anchored=self.reader.anchored,
            lost=len(self._lost),
            recorded_as=self._recorded_as,
        )

    def _asked(self, row: Row) -> bool:
        return row.type not in NOT_AUDITED and self.wanted(row.seq, row.type)

    def _line(self, event: Event) -> AuditLine:
        said = say(event.body)
        about: dict[str, JsonValue] = {name: value for name, value in said.about.items() if value not in (None, "")}
        if event.type == "agent.custom_tool_use" and event.source_id:
            about = {"call": event.source_id, **about}
        if not event.processed:
            about["taken up"] = "not yet"
        return AuditLine(
            seq=event.seq,
            ts=event.ts.isoformat(timespec="milliseconds"),
            thread=event.thread,
            type=event.type,
            who=said.who if said.who != THREAD else self._agents.get(event.thread, event.thread),
            did=said.did,
            about=about,
            hash=event.hash,
            doubt=self._doubt(event.seq),
        )

    def _look_at(self, seq: int, blob: str) -> None:
        try:
            BlobStore(self.reader.directory).read(blob)
        except (BlobMissing, ValueError):
            self._lost[seq] = "its result is gone, or not what was stored"

    def _doubt(self, seq: int) -> str:
        if seq in self._lost:
            return self._lost[seq]
        if seq <= self._integrity.good:
            return "" if seq <= self._anchored else "came after the anchor"
        return self._harmed.get(seq, "behind damage")
