"""How much a sandboxed run may take: time, memory, processes, disk and output."""

from __future__ import annotations

import os
from dataclasses import dataclass

MIB = 1 << 20
GIB = 1 << 30


@dataclass(frozen=True)
class SandboxLimits:
    """Bounds of one run. Bytes and seconds; `None` is no bound."""

    wall_s: float = 600.0
    cpu_s: int | None = None
    """Of one process; None: as long as the wall limit."""
    memory: int = 2 * GIB
    """Private memory of one process; half of what all together may hold."""
    address_space: int | None = 8 * GIB
    """Of one process; None for runtimes that reserve far more than they use (node, Java, Go)."""
    processes: int = 0
    """Processes and threads of the run; 0: 256, or 16 for each processor where that is more."""
    file_bytes: int = 100 * MIB
    """One file."""
    open_files: int = 1024
    disk: int = 2 * GIB
    """What the run may add to its own directories."""
    files: int = 200_000
    """Files that the run may add to its own directories; the same bound holds for /tmp."""
    tmp: int = 512 * MIB
    """The temporary directory, in memory."""
    output_kept: int = MIB
    """Of the first bytes printed, and of the last."""
    output: int = 8 * GIB
    """Printed in all, before the run is stopped."""

    def process_count(self) -> int:
        """Return how many processes and threads there may be."""
        return self.processes or max(256, 16 * (os.cpu_count() or 1))

    def all_memory(self) -> int:
        """Return how many bytes all processes together may hold."""
        return 2 * self.memory

    def resource_limits(self) -> dict[str, int]:
        """Return what the kernel enforces on each process, by the names of `resource`."""
        limits = {
            "RLIMIT_DATA": self.memory,
            "RLIMIT_NPROC": self.process_count(),
            "RLIMIT_FSIZE": self.file_bytes,
            "RLIMIT_NOFILE": self.open_files,
            "RLIMIT_CPU": self.cpu_s or int(self.wall_s) + 1,
            "RLIMIT_CORE": 0,
            "RLIMIT_MEMLOCK": 8 * MIB,
            "RLIMIT_MSGQUEUE": 819_200,
        }
        if self.address_space is not None:
            limits["RLIMIT_AS"] = self.address_space
        return limits


DEFAULT_LIMITS = SandboxLimits()
