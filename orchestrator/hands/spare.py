"""A worker that is started before anybody waits for it, for the agent whose scans take longest to begin.

Starting costs an interpreter and its heavy imports; whoever knows that large files are to be read prepares one
meanwhile, and after a kill the next one. It belongs to one session and ends with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from itertools import islice
from pathlib import Path

from orchestrator.hands.threads import in_thread
from orchestrator.hands.workers import WorkerProcess
from subagents.contract import AgentName

LARGE_BYTES = 64 << 20
"""Size from which reading a file is worth a worker that is started ahead."""
MOST_LOOKED_AT = 1_000
"""Files of a folder that are looked at for a large one."""


class Spare:
    """At most one such worker. Call it on the event loop's own thread: the kernel ends a worker with its starter."""

    def __init__(self, agent: AgentName = "logs") -> None:
        self.agent = agent
        self._process: WorkerProcess | None = None

    @property
    def pid(self) -> int | None:
        """The process id of the one that waits, if one does."""
        return self._process.pid if self._process is not None and self._process.alive else None

    def prepare(self) -> None:
        """Start one, unless one waits; returns at once."""
        if self.pid is not None:
            return
        if self._process is not None:
            self._process.reap()  # it ended by itself
        self._process = WorkerProcess(self.agent)
        self._process.warm()

    def take(self, agent: AgentName) -> WorkerProcess | None:
        """Give the one that waits to who may have it; whoever takes it ends it."""
        if agent != self.agent or self.pid is None:
            return None
        taken, self._process = self._process, None
        return taken

    async def close(self) -> None:
        """End the one that waits, and wait until it is gone."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            await in_thread(process.reap, f"reap-spare-{self.agent}")


def prepared_for(paths: Iterable[Path]) -> Spare | None:
    """Return one that is being started, where a path is a large file or a folder with one; None otherwise."""
    if not any(_holds_large(path) for path in paths):
        return None
    spare = Spare()
    spare.prepare()
    return spare


def _holds_large(path: Path) -> bool:
    with suppress(OSError, ValueError):
        files = path.iterdir() if path.is_dir() else (path,)
        return any(file.stat().st_size >= LARGE_BYTES for file in islice(files, MOST_LOOKED_AT))
    return False
