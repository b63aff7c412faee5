"""A diff on one page, file after file, which knows what of it has been on the screen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from tui.views.diff import DiffFile
from tui.views.page import PageLine, Piece
from tui.views.paint import line
from tui.widgets.page_view import PageView


class DiffView(PageView):
    """Every character of a file must have been painted before the file counts as seen."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._files: tuple[DiffFile, ...] = ()
        self._starts: list[int] = []
        """The line at which each file begins."""
        self._read_to: list[int] = []
        """How much of each line has been painted, without a gap; -1: nothing."""
        self._unseen: list[int] = []
        """Lines of each file that are not seen to their end."""
        self.sights = 0
        """Grows with every line that was seen to its end."""

    def show_files(self, files: Sequence[DiffFile]) -> None:
        """Show other files; of these nothing has been seen."""
        made: list[PageLine] = []
        self._files, self._starts, self._unseen = tuple(files), [], []
        for file in files:
            self._starts.append(len(made))
            made += _head(file)
            made += file.lines
            self._unseen.append(len(made) - self._starts[-1])
        self._read_to = [-1] * len(made)
        self._replace(tuple(made))

    @property
    def files(self) -> tuple[DiffFile, ...]:
        """What is shown."""
        return self._files

    @property
    def seen(self) -> tuple[bool, ...]:
        """Which files have been seen to their end."""
        return tuple(not count for count in self._unseen)

    @property
    def current(self) -> int:
        """The file at the top."""
        return max(0, bisect_right(self._starts, self.line_at_top) - 1)

    def painted(self, index: int, piece: Piece) -> None:
        """Take note of what comes into view."""
        before, length = self._read_to[index], len(self._lines[index].text)
        if before >= length or piece[0] > max(before, 0):
            return
        self._read_to[index] = max(before, piece[1])
        if self._read_to[index] >= length:
            self._unseen[bisect_right(self._starts, index) - 1] -= 1
            self.sights += 1

    def step_file(self, step: int) -> None:
        """Go to the beginning of the next file, or of the one before."""
        if self._starts:
            wanted = self.current + step
            if step < 0 and self.line_at_top > self._starts[self.current]:
                wanted = self.current
            self.go_to_line(self._starts[max(0, min(wanted, len(self._starts) - 1))])

    def to_unseen(self) -> bool:
        """Go to what has not been seen yet; say whether there is anything."""
        for index, read in enumerate(self._read_to):
            if read < len(self._lines[index].text):
                self.go_to_line(index, max(0, read))
                return True
        return False


def _head(file: DiffFile) -> list[PageLine]:
    counted = f"  +{file.added} -{file.removed}" if file.added or file.removed else ""
    made = [PageLine(line(("── ", "dim"), (f"{file.change} ", "accent"), (file.path, "strong"), (counted, "dim")))]
    made += [PageLine(line((f"   ! {word}", "warn"))) for word in file.words]
    if file.hidden:
        many = f"{file.hidden} hidden character{'s' if file.hidden > 1 else ''}, written out in reverse"
        made.append(PageLine(line((f"   ! {many}", "bad"))))
    return made
