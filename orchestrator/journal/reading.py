"""Queries over a journal: what its writer and its readers share."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from orchestrator.journal.database import Database
from orchestrator.journal.events import Event
from orchestrator.journal.rows import COLUMNS, Row, to_event

_PAGE = 256
_ANYTHING = 1 << 62


class Reading:
    """Reads pages of events, so that no cursor stays open between them: appends go on meanwhile."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def events(
        self,
        after: int = 0,
        *,
        upto: int = _ANYTHING,
        types: Collection[str] | None = None,
        thread: str | None = None,
        limit: int | None = None,
    ) -> Iterator[Event]:
        """Yield events with `after < seq <= upto`, in order; raises DatabaseFault, ValueError."""
        where, values = "seq <= ?", [upto]
        if types is not None:
            where += f" AND type IN ({','.join('?' * len(types))})"
        if thread is not None:
            where += " AND thread = ?"
        filters = [*values, *(types or ()), *(() if thread is None else (thread,))]
        sql = f"SELECT {COLUMNS} FROM event WHERE seq > ? AND {where} ORDER BY seq LIMIT ?"  # noqa: S608
        left = _ANYTHING if limit is None else limit
        while left > 0:
            page = min(left, _PAGE)
            found = self._database.run(sql, (after, *filters, page))
            for values_ in found:
                row = Row(*values_)
                after = row.seq
                yield to_event(row)
            left -= len(found)
            if len(found) < page:
                return

    def find(self, source_id: str, stream: str = "local") -> Event | None:
        """Return the event with that id, the processed one where there are two."""
        sql = (
            f"SELECT {COLUMNS} FROM event WHERE stream = ? AND source_id = ? "  # noqa: S608
            "ORDER BY processed DESC LIMIT 1"
        )
        found = self._database.run(sql, (stream, source_id))
        return to_event(Row(*found[0])) if found else None
