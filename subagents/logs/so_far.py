"""What a pass over the files has found until now, in a line for whoever watches a call."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath

from subagents.contract import Progress, ToolContext, ToolError
from subagents.logs.index import LogIndex, ReadSoFar
from subagents.logs.log_set import LogSet
from subagents.logs.phrases import shown
from subagents.logs.sources.frames import Frame
from subagents.logs.sources.log_source import LogSource
from subagents.logs.sources.reader import is_packed

MOST_SHOWN = 3
LARGE_BYTES = 64 << 20
"""Size from which the end of a file is looked at before the pass is there: a smaller one is read at once."""
END_BYTES = 256 << 10


def index_for(logs: LogSet, context: ToolContext) -> LogIndex:
    """Return the index of the files; where it must be made first, tell how far that is and what is severe so far."""
    ends = _Ends()

    def on_block(so_far: ReadSoFar) -> None:
        context.progress(lambda: Progress(done=so_far.done_bytes, total=so_far.total_bytes, text=ends.words(so_far)))

    return logs.index(context.cancelled, on_block)


class _Ends:
    """Looks at the end of a large file as soon as its layout is known: that is where an incident mostly is."""

    def __init__(self) -> None:
        self._severe: dict[str, list[tuple[str, int]]] = {}
        self._told = False

    def words(self, so_far: ReadSoFar) -> str:
        """Return what is severe in what was read, and what else is at the end of the file being read."""
        severe = so_far.index.severe_so_far(MOST_SHOWN)
        source = next(each for each in so_far.index.sources if each.name == so_far.source)
        if source.id not in self._severe and self._told:  # the first words do not wait for it
            self._severe[source.id] = _severe_at_end(source)
        self._told = True
        known = {message for message, _ in severe}
        ahead = [(message, n) for message, n in self._severe.get(source.id, ()) if message not in known]
        said = f"{events_in_words(so_far.events)}, {'errors: ' + _listed(severe) if severe else 'no error yet'}"
        return said + (f"; ahead, at the end of {PurePath(source.name).name}: {_listed(ahead)}" if ahead else "")


def _listed(severe: Sequence[tuple[str, int]]) -> str:
    return ", ".join(f'{n:,} of "{" ".join(shown(message).split())}"' for message, n in severe)


def last_lines(source: LogSource) -> tuple[int, int]:
    """Return where the last lines of a large plain file begin, and how many they are: none of any other."""
    if source.size_bytes < LARGE_BYTES or is_packed(source.path):
        return 0, 0
    with source.path.open("rb") as raw:
        raw.seek(-END_BYTES, os.SEEK_END)
        byte = raw.tell() + len(raw.readline())
        return byte, raw.read(END_BYTES).count(b"\n")


def _severe_at_end(source: LogSource) -> list[tuple[str, int]]:
    """Return the most frequent severe messages of a large plain file's last lines; none where they cannot be read."""
    try:
        byte, lines = last_lines(source)
        if not lines:
            return []
        end = LogIndex([source])
        part = source.reread_part(byte, lines, end.names)
    except (OSError, ToolError):
        return []
    end.add(0, part)
    return end.severe_so_far(MOST_SHOWN)


Early = Callable[[], tuple[tuple[str, str], ...]]
"""Returns what was found first, as `Progress.found` has it."""


def frames_of(
    sources: Sequence[tuple[int, LogSource]], context: ToolContext, said: Callable[[], str], early: Early = tuple
) -> Iterator[tuple[int, LogSource, Frame]]:
    """Yield the blocks of some sources with their places, and tell after each how far that is and what was found."""
    sizes = [source.size_bytes for _, source in sources]
    total, before = sum(sizes), 0
    for (place, source), size in zip(sources, sizes, strict=True):
        for frame in source.frames():
            if context.cancelled():
                raise ToolError("cancelled while the logs were being read")
            yield place, source, frame
            done = before + min(source.read_bytes, size)
            context.progress(
                lambda done=done: Progress(done=done, total=total, text=said(), found=early())  # type: ignore[misc]
            )
        before += size


def events_in_words(count: int) -> str:
    """Return a number of events as people say it while it grows: `940 events`, `1.2 M events`."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if count >= size * 10:
            return f"{count / size:,.0f}{unit} events"
        if count >= size:
            return f"{count / size:.1f}{unit} events"
    return f"{count} events"
