"""What is returned of recorded outputs of tools: which failures they show, and how things stand by them."""

from __future__ import annotations

from pydantic import AwareDatetime

from subagents.contract import Frozen, SuspectKind


class RecordedSign(Frozen):
    """A known kind of failure that recorded outputs of tools show."""

    name: str
    kind: SuspectKind
    explains: str
    count: int
    """Lines that show it."""
    outputs: tuple[str, ...]
    """Tools whose output shows it."""
    subject: str
    """What it is about, where the line names it."""
    current: bool
    """False: the newest record of it is older than what else was recorded, so that it may be over."""
    first: AwareDatetime | None
    last: AwareDatetime | None
    example: str
    citation: str
    terms: tuple[str, ...] = ()


class RecordedState(Frozen):
    """Something that is not well by a recorded output."""

    thing: str
    subject: str
    words: str
    """How it stands: `has 1 of 3 ready`."""
    citation: str


class LogsRecorded(Frozen):
    """What recorded outputs of tools show; they hold one moment, so nothing is compared with a time before."""

    outputs: int
    lines: int
    signs: tuple[RecordedSign, ...]
    first_line: str = ""
    """Citation of the first line read."""
    well: int = 0
    """Lines that say of something that it is well."""
    well_things: tuple[str, ...] = ()
    """What these are."""
    well_line: str = ""
    """Citation of the first of them, of a workload where there is one."""
    well_subjects: tuple[str, ...] = ()
    """Names of some of those that are well, but for nodes."""
    doubt: str = ""
    """Citation of the first line by which something may be amiss, or after which nothing was read."""
    doubt_words: str = ""
    """What it says; empty where nothing was read."""
    newest: AwareDatetime | None = None
    """The latest time that a record says it is of."""
    amiss: int = 0
    """Lines that say of something that it is not."""
    states: tuple[RecordedState, ...] = ()
    """Some of those."""
