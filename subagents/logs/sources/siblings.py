"""What lines of a new class say, where others of their group told it: they begin alike, so only the text is another.

A group's lines have the same first words behind the stamp, and words with digits in the same places. Where nothing in
a file but the stamp and such first words decides what a line says (`ColumnReader.is_plain`), a line's own text is all
that need be taken from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from subagents.logs.native import CHILD, HOSTED, LITERAL, SLOW, SPECIAL, VERIFIED, Classes, Scan
from subagents.logs.sources.class_findings import Finding
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.headers import behind_program
from subagents.logs.sources.lines import some_lines
from subagents.logs.sources.names import NONE, Names
from subagents.logs.sources.reader import Block
from subagents.logs.sources.twins import NoTroubles, special_lines

if TYPE_CHECKING:
    import polars as pl

ENOUGH_ALIKE = 5
"""So many classes of a group that turned out alike tell what the others of the group are."""
VARIES = -2
"""Instead of a host's number, where lines of a group have others."""
_NOTHING = Finding(0)
_TELLING = VERIFIED | SLOW | SPECIAL | LITERAL | CHILD
"""Of these flags a class has only the first where one line of it tells all, whatever its words with digits are."""


class Told(NamedTuple):
    """What events say (numpy): µs since 1970, severity, service and host by number; -1 where they do not."""

    times: Any
    levels: Any
    services: Any
    hosts: Any
    sizes: Any
    """Bytes of what they say, up to one more than all of it surely counts."""

    def some(self, wanted: Any) -> Told:
        """Return what some of them say (numpy bool)."""
        return Told(*(column[wanted] for column in self))


class Head(NamedTuple):
    """What the first words of a line say."""

    level: int
    service: int
    host: int
    """NONE where there is none"""
    program: bool
    """Host and program stand between stamp and text."""


LEVEL, SERVICE, HOST, PROGRAM = range(4)
"""Columns of heads"""
MORE = -1
"""Instead of whether there is a program: the line says more than its head and its text, or that is not known."""
_OBJECT = r"^\s*\{.*\}[\s,]*$"
"""Rust regex: a text may be an object, which may say anything."""
_UNKNOWN: tuple[Head | None, int] = (None, 0)
_NOT_TOLD = (NONE, NONE, NONE, MORE)


@dataclass
class Groups:
    """What is known of the groups of one file's classes."""

    classes: Classes
    _findings: dict[int, list[Finding | None]] = field(default_factory=dict)
    """What was found of the first classes of a group; None among it: they differ."""
    _heads: dict[int, tuple[Head | None, int]] = field(default_factory=dict)
    """What the heads of a group's lines said, and in how many classes; None: not the same in all."""
    _with_status: Any = field(init=False)
    """numpy bool by class: lines of it were requests, of which a word with digits says what became of them"""

    def __post_init__(self) -> None:
        import numpy as np

        self._with_status = np.zeros(len(self.classes.group), bool)

    def add(self, classes: Any, findings: Sequence[Finding]) -> None:
        """Take in what was found of classes (numpy), and what that tells of their groups."""
        import numpy as np

        flags, literal, host_word = np.array(findings, np.uint32).reshape(-1, len(_NOTHING)).T
        self.classes.literal[classes], self.classes.host_word[classes] = literal, host_word
        self.classes.flags[classes] = flags  # by which the rest counts: lines may be scanned meanwhile
        groups = self.classes.group[classes].tolist()
        for group, finding in zip(groups, findings, strict=True):
            if not group:
                continue
            found = self._findings.setdefault(group, [])
            if not found or found[0] == finding:
                found.append(finding)
            else:
                found[0] = None
        for group in set(groups) - {0}:
            known = self._enough(group)
            if known is not None:
                self.classes.settle(group, known.flags, known.literal, known.host_word)
            elif self._findings[group][0] is None:
                self.classes.settle(group, 0, 0, 0)

    def settled(self, classes: Any) -> Any:
        """Take for classes what enough others of their groups turned out to be; return which (numpy bool)."""
        import numpy as np

        groups, of_class = np.unique(self.classes.group[classes], return_inverse=True)
        findings = [self._enough(group) or _NOTHING for group in groups.tolist()]
        flags, literal, host_word = np.array(findings, np.uint32).reshape(-1, len(_NOTHING)).T
        done = (flags > 0)[of_class] & ~(self._with_status[classes] & (flags & VERIFIED > 0)[of_class])
        which, of_which = classes[done], of_class[done]
        self.classes.literal[which], self.classes.host_word[which] = literal[of_which], host_word[of_which]
        self.classes.flags[which] = flags[of_which]  # by which the rest counts: lines may be scanned meanwhile
        return done

    def apart(self, classes: Any, with_status: Any) -> Any:
        """Take in which lines of classes (numpy) have a status; return those whose groups were mistaken for them.

        What was known of these classes, as it holds for others of their groups, is forgotten.
        """
        import numpy as np

        flags = np.where(classes >= 0, self.classes.flags[classes], CHILD)
        found = with_status & (flags & CHILD == 0) & (self.classes.group[classes] > 0) & ~self._with_status[classes]
        self._with_status[classes[found]] = True
        found &= flags & VERIFIED > 0
        self.classes.flags[classes[found]] = 0  # and nothing else: lines may be scanned meanwhile
        return found

    def _is_unsplit(self, groups: Any) -> Any:
        """Say which groups are settled, and no word with digits matters in them (numpy bool)."""
        import numpy as np

        known = [self._enough(group) for group in groups.tolist()]
        return np.array([each is not None and each.flags & VERIFIED > 0 for each in known], bool)

    def _enough(self, group: int) -> Finding | None:
        found = self._findings.get(group)
        return found[0] if found and len(found) >= ENOUGH_ALIKE else None

    def of_many(self, classes: Any) -> Any:
        """Say which of these are of groups that have several among them, though none was met twice (numpy bool)."""
        import numpy as np

        groups, of_class, sizes = np.unique(self.classes.group[classes], return_inverse=True, return_counts=True)
        return ((sizes > 1) & (groups != 0))[of_class]

    def not_enough(self, classes: Any) -> Any:
        """Say which of these are needed to settle their groups, the first ones of each (numpy bool)."""
        import numpy as np

        groups, of_class = np.unique(self.classes.group[classes], return_inverse=True)
        order = np.argsort(of_class, kind="stable")
        starts = np.flatnonzero(np.diff(of_class[order], prepend=-1))
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order)) - np.repeat(starts, np.diff(starts, append=len(order)))
        differ = [None in self._findings.get(group, ()) for group in groups.tolist()]
        unlike = np.array(differ, bool)[of_class] | (self._with_status[classes] & self._is_unsplit(groups)[of_class])
        return (rank < ENOUGH_ALIKE) | (groups == 0)[of_class] | unlike

    def is_of_one(self, classes: Any) -> Any:
        """Say which classes (numpy) are of a group (numpy bool)."""
        return (classes >= 0) & (self.classes.group[classes] != 0)

    def learn(self, classes: Any, heads: Any) -> None:
        """Take in what the heads of lines of these classes said (numpy, as `heads_of` returns them)."""
        import numpy as np

        groups = self.classes.group[classes]
        order = np.argsort(groups, kind="stable")
        starts = np.flatnonzero(np.diff(groups[order], prepend=np.uint64(0)))  # 0 is no group
        if not len(starts):
            return
        heads = heads[order]
        least, most = np.minimum.reduceat(heads, starts), np.maximum.reduceat(heads, starts)
        alike = (least[:, PROGRAM] != MORE) & (least == most)[:, [LEVEL, SERVICE, PROGRAM]].all(axis=1)
        least[least[:, HOST] != most[:, HOST], HOST] = VARIES
        counts = np.diff(starts, append=len(order)).tolist()
        told = zip(groups[order[starts]].tolist(), least.tolist(), alike.tolist(), counts, strict=True)
        for group, (level, service, host, program), is_alike, count in told:
            head = Head(level, service, host, bool(program)) if is_alike else None
            known, before = self._heads.get(group, (head, 0))
            self._heads[group] = _both(known, head), before + count

    def heads(self, classes: Any) -> Any:
        """Return what the heads of lines of these classes (numpy) say, in columns; MORE where it is not known."""
        import numpy as np

        flags = self.classes.flags[classes]
        is_told = (classes >= 0) & ((flags & _TELLING) == VERIFIED)
        groups, of_line = np.unique(np.where(is_told, self.classes.group[classes], 0), return_inverse=True)
        known = [self._head(group) for group in groups.tolist()]
        heads = np.array(known, np.int32).reshape(-1, len(_NOT_TOLD))[of_line]
        heads[(heads[:, HOST] == VARIES) & (flags & HOSTED == 0), PROGRAM] = MORE
        return heads

    def _head(self, group: int) -> tuple[int, int, int, int]:
        head, count = self._heads.get(group, _UNKNOWN)
        return head if head is not None and count >= ENOUGH_ALIKE else _NOT_TOLD


def _both(one: Head | None, other: Head | None) -> Head | None:
    if one is None or other is None or one == other:
        return one if one == other else None
    varied = one._replace(host=VARIES)
    return varied if varied == other._replace(host=VARIES) else None


@dataclass(frozen=True)
class Siblings:
    """Lines whose heads are known, each the first of its class, in the order of the file."""

    rows: Any
    """numpy; of the lines of the block"""
    heads: Any
    """numpy; of each what a Head says, in columns"""
    raw: pl.Series
    text: pl.Series

    def some(self, wanted: Any) -> Siblings:
        """Return those that are wanted (numpy bool)."""
        import numpy as np
        import polars as pl

        if wanted.all():
            return self
        places = np.flatnonzero(wanted)
        rows = pl.Series(places, dtype=pl.UInt32)
        return Siblings(self.rows[places], self.heads[places], self.raw[rows], self.text[rows])

    def told(self, scan: Scan) -> Told:
        """Return what they say."""
        levels, services, hosts, _ = self.heads.T
        return Told(scan.times[self.rows], levels, services, hosts, self.text.str.len_bytes().to_numpy())

    def events(self, scan: Scan, block: Block, names: Names, hosts: Any) -> pl.DataFrame:
        """Return the events that they are, as a frame has them; `hosts` are theirs by number (numpy)."""
        import numpy as np
        import polars as pl

        starts, count = scan.starts[self.rows], len(self.rows)
        levels, services = self.heads[:, 0], self.heads[:, 1]
        named = pl.Series([*names.services, None], dtype=pl.String)  # the last one is NONE's
        return pl.DataFrame(
            {
                "start": starts + block.offset,
                "size": np.append(scan.starts[1:], block.length)[self.rows] - starts,
                "lines": np.ones(count, np.int64),
                "t": scan.times[self.rows],
                "own": np.ones(count, bool),
                "raw": self.raw,
                "text": self.text,
                "suffix": pl.Series([None], dtype=pl.String).new_from_index(0, count),
                "level": pl.Series(levels, dtype=pl.Int8).set(pl.Series(levels == NONE), None),
                "service": named[np.where(services == NONE, len(names.services), services)],
                "host": pl.Series(names.hosts_of(hosts), dtype=pl.String),
            }
        )


def siblings_of(block: Block, scan: Scan, rows: Any, heads: Any, columns: ColumnReader) -> tuple[Siblings, Any]:
    """Return lines as their heads and their own texts say, and which of them have to be read after all (numpy bool).

    `heads` are theirs as `Groups.heads` returns them.
    """
    import numpy as np
    import polars as pl

    raw = some_lines(block, scan.starts, rows, 0, "", NoTroubles()).text
    text, programs = _texts(raw, scan.places[rows]), np.flatnonzero(heads[:, PROGRAM])
    if len(programs):
        text = text.scatter(programs, _messages(text[programs]))
    read = pl.DataFrame({"raw": raw, "body": text, "spaced": heads[:, PROGRAM] == 0}).with_columns_seq(
        stamped=True, glued=False
    )
    odd = special_lines(read, columns.json.cut_lines) | columns.has_status(raw)
    odd |= text.str.contains(_OBJECT).to_numpy()
    return Siblings(rows, heads, raw, text), odd


def heads_of(scan: Scan, rows: Any, events: pl.DataFrame, told: Told) -> Any:
    """Return what the first words of lines said, of which the events come (numpy, a row of what a Head says for each).

    MORE instead of the last where that and the text are not all that was said.
    """
    import numpy as np

    whole = _texts(events["raw"], scan.places[rows])
    alone = ((events["lines"] == 1) & events["suffix"].is_null()).to_numpy()
    is_whole = (events["text"] == whole).to_numpy()
    programs = np.where(alone & is_whole, 0, MORE)
    rest = np.flatnonzero(alone & ~is_whole)
    behind = events["text"][rest] == _messages(whole[rest])
    programs[rest[behind.to_numpy()]] = 1
    return np.stack((told.levels, told.services, told.hosts, programs), axis=1)


def _texts(raw: pl.Series, places: Any) -> pl.Series:
    """Return what is left of lines without their stamps."""
    import polars as pl

    begins, line = places[:, 1], pl.col("raw")
    lines = pl.DataFrame({"raw": raw, "begin": begins, "behind": places[:, 2]})
    text = line.str.slice(pl.col("behind"))
    if begins.any():
        within = line.str.slice(0, pl.col("begin")) + " " + text
        text = pl.when(pl.col("begin") > 0).then(within).otherwise(text)
    return lines.select_seq(text).to_series()


def _messages(texts: pl.Series) -> pl.Series:
    """Return what stands behind host and program."""
    import polars as pl

    text = texts.to_frame("text").select_seq(behind_program(pl.col("text")).struct.field("field_2"))
    return text.to_series().fill_null("")


def merged(frame: Frame, rows: Any, siblings: Siblings, events: pl.DataFrame) -> tuple[Frame, Any]:
    """Return the events of a frame, whose first lines are `rows`, with those of siblings between them, and all rows."""
    import numpy as np
    import polars as pl

    all_rows = np.concatenate([rows, siblings.rows])
    order = np.argsort(all_rows, kind="stable")
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    both = frame.events.select_seq(events.columns).vstack(events)
    both = both.rechunk().select_seq(pl.all().gather(pl.Series(order, dtype=pl.UInt32)))
    return replace(frame, events=both, places=places[: len(rows)]), all_rows[order]
