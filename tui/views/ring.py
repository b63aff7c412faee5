"""A bounded list of rows with absolute numbers: dropping old rows never moves what is being read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice

from tui.views.paint import Row

LIMIT = 20_000
"""Most rows that a pane holds; the journal has the rest."""
_COMPACT = 4_096
_LOG = 4_096


class Ring:
    """Rows numbered from 0 for good; `first` is the oldest that is still held, `end` one past the newest."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = max(1, limit)
        self._rows: list[Row] = []
        self._head = 0
        self._base = 0
        self._numbers: dict[str, int] = {}
        self.changes = 0
        """Grows with every change: who has seen it knows whether to look again."""
        self._put: deque[int] = deque(maxlen=_LOG)

    @property
    def first(self) -> int:
        """Number of the oldest row held."""
        return self._base + self._head

    @property
    def end(self) -> int:
        """One past the newest row's number."""
        return self._base + len(self._rows)

    def __len__(self) -> int:
        return len(self._rows) - self._head

    def __getitem__(self, number: int) -> Row:
        """Return a row by its number; raises IndexError for one that is not held."""
        if not self.first <= number < self.end:
            raise IndexError(number)
        return self._rows[number - self._base]

    def __iter__(self) -> Iterator[Row]:
        return iter(self._rows[self._head :])

    def number_of(self, key: str) -> int | None:
        """Return the number of the row of that key, while it is held."""
        found = self._numbers.get(key)
        return found if found is not None and found >= self.first else None

    def since(self, changes: int) -> list[int] | None:
        """Return the numbers of the rows put since then, oldest first; None where that was too long ago."""
        behind = self.changes - changes
        if not 0 <= behind <= len(self._put):
            return None
        return list(islice(self._put, len(self._put) - behind, None))

    def put(self, row: Row) -> int:
        """Append a row, or put it in the place of the one with its key; return its number."""
        self.changes += 1
        held = self.number_of(row.key)
        if held is not None:
            self._rows[held - self._base] = row
            self._put.append(held)
            return held
        self._rows.append(row)
        number = self.end - 1
        self._numbers[row.key] = number
        self._put.append(number)
        if len(self) > self._limit:
            self._drop()
        return number

    def take_back(self, key: str) -> bool:
        """Take the newest row away again where it has that key; say whether it had. Another's number never changes."""
        if not len(self) or self._rows[-1].key != key:
            return False
        del self._numbers[self._rows.pop().key]
        self._put.clear()  # its number is given again: whoever looks at what is new looks at all
        self.changes += 1
        return True

    def _drop(self) -> None:
        gone = self._rows[self._head]
        if self._numbers.get(gone.key) == self.first:
            del self._numbers[gone.key]
        self._head += 1
        if self._head >= _COMPACT:
            del self._rows[: self._head]
            self._base += self._head
            self._head = 0
