"""What a pass over the files has found until now, in a line for whoever watches a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from subagents.contract import Progress, ToolContext, ToolError
from subagents.logs.index import LogIndex, ReadSoFar
from subagents.logs.log_set import LogSet
from subagents.logs.sources.log_source import Frame, LogSource

MOST_SHOWN = 3


def index_for(logs: LogSet, context: ToolContext) -> LogIndex:
    """Return the index of the files; where it must be made first, tell how far that is and what is severe so far."""

    def on_block(so_far: ReadSoFar) -> None:
        context.progress(lambda: Progress(done=so_far.done_bytes, total=so_far.total_bytes, text=_words(so_far)))

    return logs.index(context.cancelled, on_block)


def _words(so_far: ReadSoFar) -> str:
    severe = so_far.index.severe_so_far(MOST_SHOWN)
    most = ", ".join(f'{n:,} of "{" ".join(message.split())}"' for message, n in severe)
    return f"{events_in_words(so_far.events)}, {'errors: ' + most if most else 'no error yet'}"


def frames_of(
    sources: Sequence[tuple[int, LogSource]], context: ToolContext, found: Callable[[], str]
) -> Iterator[tuple[int, LogSource, Frame]]:
    """Yield the blocks of some sources with their places, and tell after each how far that is and what was `found`."""
    sizes = [source.size_bytes for _, source in sources]
    total, before = sum(sizes), 0
    for (place, source), size in zip(sources, sizes, strict=True):
        for frame in source.frames():
            if context.cancelled():
                raise ToolError("cancelled while the logs were being read")
            yield place, source, frame
            done = before + min(source.read_bytes, size)
            context.progress(lambda done=done: Progress(done=done, total=total, text=found()))  # type: ignore[misc]
        before += size


def events_in_words(count: int) -> str:
    """Return a number of events as people say it while it grows: `940 events`, `1.2 M events`."""
    for size, unit in ((1_000_000, " M"), (1_000, " k")):
        if count >= size * 10:
            return f"{count / size:,.0f}{unit} events"
        if count >= size:
            return f"{count / size:.1f}{unit} events"
    return f"{count} events"
