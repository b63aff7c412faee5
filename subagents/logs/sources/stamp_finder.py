"""The stamps of one file's lines as the compiled first stage finds them, by the shapes that reading met until now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from subagents.logs.native import MISREAD, MOST_FINDERS, NOT_LOOKED, ORIGINS, Classes, Finder, Scan, looked_at
from subagents.logs.sources.columns import ColumnReader
from subagents.logs.sources.finders import finder_of
from subagents.logs.sources.json_fields import ROLES
from subagents.logs.sources.reader import Block
from subagents.logs.sources.stamp_reader import Seen, StampReader
from subagents.logs.sources.timestamps import Shape


@dataclass
class StampFinder:
    """Tells the first stage how stamps are found, and what it found as reading takes it."""

    columns: ColumnReader
    classes: Classes
    _shapes: list[tuple[Shape, StampReader, str]] = field(default_factory=list)
    _finders: list[Finder] = field(default_factory=list)
    _met: int = -1
    """Shapes of stamps when finders were made."""

    @property
    def ready(self) -> bool:
        """Say whether any stamp can be found."""
        return bool(self._finders)

    def met_new(self) -> bool:
        """Say whether stamps were met that are not looked for yet."""
        return self._count() != self._met

    def renew(self) -> None:
        """Add finders of the shapes met by now; those there are keep their numbers."""
        self._met = self._count()
        for shape, reader, name in self._candidates():
            if any(shape == each and name == other for each, _, other in self._shapes):
                continue
            finder = finder_of(shape, reader.hint, name)
            if finder is not None and len(self._finders) < MOST_FINDERS:
                self._shapes.append((shape, reader, name))
                self._finders.append(finder)
        origins = sum(ORIGINS[form] for form in self.columns.origins.forms)
        self.classes.find_by(self._finders, origins)

    def _count(self) -> int:
        return len(self.columns.stamps.shapes) + len(self.columns.json_stamps.shapes)

    def _candidates(self) -> Iterator[tuple[Shape, StampReader, str]]:
        columns = self.columns
        for shape in sorted(columns.stamps.shapes, key=lambda each: each.start < 0):
            yield shape, columns.stamps, ""
        for name in ROLES["time"]:
            if name in columns.json.names:
                for shape in columns.json_stamps.shapes:
                    if not shape.start and not shape.anchor:
                        yield shape, columns.json_stamps, name

    def of_scan(self, scan: Scan, rows: Any) -> Seen:
        """Return what the first stage knows of the stamps of some lines (numpy rows)."""
        import numpy as np

        classes, finders = scan.classes[rows], scan.finders[rows]
        misread = (classes >= 0) & (self.classes.flags[classes] & MISREAD > 0)
        return self.as_read(scan.times[rows], np.where(misread, NOT_LOOKED, finders), scan.places[rows])

    def of_lines(self, data: bytes, lines: int) -> Seen:
        """Return what the first stage finds of stamps in lines that are none of the file's own."""
        return self.as_read(*self.classes.stamps(data, len(data), lines))

    def in_block(self, block: Block) -> tuple[Any, Any, Any]:
        """Return what the first stage finds of stamps in a block that is not looked at otherwise, for `as_read`."""
        feeds = block.feeds if block.feeds >= 0 else looked_at(block.data)[0]
        return self.classes.stamps(block.data, block.length, feeds + 1)

    def as_read(self, times: Any, finders: Any, places: Any) -> Seen:
        """Return stamps that the first stage found (numpy), as reading takes them."""
        import numpy as np

        of = [shape if not name else None for shape, _, name in self._shapes]
        all_of_them = set(of) >= set(self.columns.stamps.shapes)  # of two that a line has another may be believed
        in_texts = np.array([*(shape is not None and all_of_them for shape in of), False, False])
        shapes = np.where(in_texts[finders] | (finders < 0), finders, NOT_LOOKED)
        texts, begins, behinds = places.T.astype(np.int64)
        return Seen(times, shapes, texts, begins, behinds, of)

    def are_texts(self, finders: Any) -> Any:
        """Say which lines, whose stamps were found by these, if any, surely are no objects (numpy bool)."""
        import numpy as np

        return np.array([*(not name for _, _, name in self._shapes), True, True], bool)[finders]

    def count_hits(self, finders: Any) -> None:
        """Count the stamps of lines that were only looked up, as reading them would."""
        import numpy as np

        counts = np.bincount(finders, minlength=len(self._shapes)).tolist()
        for (shape, reader, name), count in zip(self._shapes, counts, strict=True):
            if count:
                reader.hits[shape] += count
                self.columns.json_events += count if name else 0
