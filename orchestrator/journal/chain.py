"""The chain check: proves a journal against its hashes and its anchor, and names what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from orchestrator.journal.anchor import Anchored
from orchestrator.journal.database import Database, DatabaseFault
from orchestrator.journal.rows import GENESIS, Row, Unreadable, last_seq, one, row_count, scan, seal

DamageKind = Literal["changed", "missing", "shortened", "swapped", "unreadable", "anchor", "header", "stray"]
_MOST_PAIRED = 64
_MOST_NAMED = 1000


@dataclass(frozen=True)
class Damage:
    """One thing wrong with the events `first` to `last`."""

    kind: DamageKind
    first: int
    last: int
    detail: str = ""

    @property
    def words(self) -> str:
        """Say it in words."""
        which = f"event {self.first}" if self.first == self.last else f"events {self.first} to {self.last}"
        said = {
            "changed": f"{which} changed since written",
            "missing": f"{which} missing",
            "shortened": f"{which} missing at the end",
            "swapped": f"events {self.first} and {self.last} swapped",
            "unreadable": f"{which} on damaged pages",
            "anchor": "the end cannot be proved",
            "header": "the first page of journal.db is damaged, the rest was read without it",
            "stray": "rows lie in journal.db that are no part of the record",
        }[self.kind]
        return f"{said} ({self.detail})" if self.detail else said


@dataclass(frozen=True)
class Integrity:
    """What is proved about a journal: events 1 to `good` are whole; `damage` names the rest."""

    good: int
    total: int
    """Highest seq that is or was there."""
    damage: tuple[Damage, ...] = ()
    checked_from: int = 1
    """First event whose hash was recomputed; 1 when all were."""

    @property
    def whole(self) -> bool:
        """Nothing wrong was found."""
        return not self.damage

    @property
    def _prefix(self) -> str:
        if not self.good:
            return f"none of {self.total} events is proved"
        return f"events 1 to {self.good} of {self.total} are whole"

    @property
    def words(self) -> str:
        """Say it in one line."""
        if self.damage:
            named = "; ".join(item.words for item in self.damage[:5])
            more = f"; and {len(self.damage) - 5} more" if len(self.damage) > 5 else ""
            return f"damaged: {named}{more}; {self._prefix}"
        if self.checked_from > 1:
            return f"whole so far: the end and events {self.checked_from} to {self.total} are proved"
        return f"whole: all {self.total} events are proved"


@dataclass
class Verification:
    """A chain check in steps, so that it can share a thread with other work.

    `after` > 0 starts in the middle: the stored hash of that row is then trusted as the previous one.
    """

    database: Database
    anchored: Anchored
    after: int = 0
    upto: int | None = None
    """Leave out what was appended after this seq."""
    thorough: bool = False
    """Also let SQLite check its own pages and indexes at the end."""
    _damage: list[Damage] = field(default_factory=list)
    _bad: list[tuple[Row, bytes]] = field(default_factory=list)
    """Rows that do not match, each with the hash before it."""

    def __post_init__(self) -> None:
        self._seq, self._previous, self._good = self.after, GENESIS, self.after
        self._anchor_seen, self._rows_seen = False, 0
        anchor_seq = 0 if self.anchored.fault else self.anchored.head.seq
        try:
            stored = last_seq(self.database)
            before = one(self.database, self.after) if self.after else None
        except DatabaseFault as fault:
            stored, before = 0, None
            self._damage.append(Damage("unreadable", 1, max(anchor_seq, 1), str(fault)))
        if before is not None and isinstance(before.hash, bytes):
            self._previous = before.hash
        self.total = max(stored, anchor_seq) if self.upto is None else self.upto
        self._rows = scan(self.database, self.after, self.total)

    def step(self, rows: int = _MOST_NAMED) -> bool:
        """Check about `rows` more rows; False when all are checked."""
        for _ in range(rows):
            item = next(self._rows, None)
            if item is None:
                self._finish()
                return False
            if isinstance(item, Unreadable):
                self._gap("unreadable", item.first, item.last)
                self._seq, self._previous = item.last, b""
            else:
                self._check(item)
        return True

    def run(self) -> Integrity:
        """Check everything that is left."""
        while self.step():
            pass
        return self.result()

    def result(self) -> Integrity:
        """Return what is known so far."""
        damage = tuple(sorted(self._damage, key=lambda item: (item.first, item.last)))
        first_bad = min((item.first for item in damage), default=self._good + 1)
        good = min(self._good, first_bad - 1)
        return Integrity(max(good, 0), self.total, damage, self.after + 1 if self.after else 1)

    def _check(self, row: Row) -> None:
        self._rows_seen += 1
        if row.seq > self._seq + 1:
            self._gap("missing", self._seq + 1, row.seq - 1)
            self._previous = b""
        # After a hole the previous hash is unknown; the row's own stored one then carries the chain on.
        sealed = seal(self._previous, row)
        if sealed is None or (self._previous and sealed != row.hash):
            self._bad.append((row, self._previous))
        elif row.seq == self._good + 1:
            self._good = row.seq
        self._seq = row.seq
        self._previous = row.hash if isinstance(row.hash, bytes) else b""
        if row.seq == self.anchored.head.seq and not self.anchored.fault:
            self._anchor_seen = True
            if self._previous.hex() != self.anchored.head.hash:
                self._damage.append(Damage("changed", row.seq, row.seq, "it is not the event that head.json names"))

    def _gap(self, kind: DamageKind, first: int, last: int, detail: str = "") -> None:
        self._damage.append(Damage(kind, first, last, detail))

    def _finish(self) -> None:
        if self.anchored.fault:
            self._gap("anchor", self.total + 1, self.total + 1, self.anchored.fault)
        elif self._seq < self.anchored.head.seq:
            self._gap("shortened", self._seq + 1, self.anchored.head.seq)
        elif not self._anchor_seen and self.anchored.head.seq > self.after:
            self._gap("missing", self.anchored.head.seq, self.anchored.head.seq)
        self._name_bad()
        if self.thorough and not self._damage:
            self._check_count()
            self._check_pages()

    def _name_bad(self) -> None:
        """Name the rows that do not match; a row that fails only through its predecessor is not accused."""
        true_hash = self._swapped()
        swapped = set(true_hash)
        for row, previous in self._bad:
            before = true_hash.get(row.seq - 1)
            if before is not None and seal(before, row) == row.hash:
                continue
            if row.seq not in swapped:
                self._damage.append(Damage("changed", row.seq, row.seq))
                true_hash[row.seq] = seal(previous, row) or b""

    def _swapped(self) -> dict[int, bytes]:
        """Find pairs of rows that stand in each other's place; return the hash that belongs at each seq."""
        found: dict[int, bytes] = {}
        few = self._bad[:_MOST_PAIRED]
        for index, (row, previous) in enumerate(few):
            for other, _ in few[index + 1 :]:
                sealed = seal(previous, other._replace(seq=row.seq))
                if sealed is not None and sealed in (other.hash, row.hash):
                    found |= {row.seq: sealed, other.seq: row.hash if sealed == other.hash else other.hash}
                    self._damage.append(Damage("swapped", row.seq, other.seq))
        return found

    def _check_count(self) -> None:
        """Name rows that a scan does not come by, such as one of a negative seq: a search by id would find them."""
        try:
            beside = row_count(self.database, self.total) - self._rows_seen
        except DatabaseFault:
            return  # the pages are checked next
        if beside and not self.after:
            self._gap("stray", self.total + 1, self.total + 1, f"{beside} of them")

    def _check_pages(self) -> None:
        try:
            said = self.database.run("PRAGMA integrity_check(1)")
        except DatabaseFault as fault:
            said = [(str(fault),)]
        if said != [("ok",)]:
            self._damage.append(Damage("unreadable", 1, self.total, f"SQLite: {said[0][0]}"))


def check_end(database: Database, anchored: Anchored, rows: int = 1000) -> Integrity:
    """Check the anchor and the last `rows` events: what opening a session can afford."""
    try:
        stored = last_seq(database)
    except DatabaseFault:
        stored = 0
    low = min(stored, anchored.head.seq) if not anchored.fault else stored
    after = max(0, low - rows)
    return Verification(database, anchored, after=after, thorough=after == 0).run()
