"""What the supervisor of a sandbox counts: output, processes, memory, files. Standard library only."""

from __future__ import annotations

import base64
import contextlib
import os
import time
from typing import Any

LAST_BYTES = 2_000
"""Most bytes of the end of the output in which its last line is looked for."""


class Output:
    """The first and the last bytes of what was printed."""

    def __init__(self, kept: int) -> None:
        self.kept = kept
        self.head = bytearray()
        self.tail = bytearray()
        self.total = 0

    def add(self, data: bytes) -> None:
        """Take in what was read."""
        self.total += len(data)
        room = self.kept - len(self.head)
        if room > 0:
            self.head += data[:room]
            data = data[room:]
        self.tail += data
        if len(self.tail) > 2 * self.kept:
            del self.tail[: -self.kept]

    def last_line(self) -> bytes:
        """Return the last line that holds anything, as far as it came."""
        lines = bytes((self.tail or self.head)[-LAST_BYTES:]).split(b"\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), b"")

    def message(self) -> dict[str, Any]:
        """Return it for JSON."""
        tail = bytes(self.tail[-self.kept :])
        return {
            "head": base64.b64encode(self.head).decode(),
            "tail": base64.b64encode(tail).decode(),
            "printed": self.total,
        }


def make_cgroup(parents: list[dict[str, Any]], pids: int, memory: int) -> list[str]:
    """Make a group under each parent that takes one; return their paths. None is made where none may be."""
    made = []
    for parent in parents:
        _sweep(parent["path"])
        path = os.path.join(parent["path"], f"warroom-{os.getpid()}")
        try:
            os.mkdir(path, 0o755)
        except OSError:
            continue
        bounded = False
        for name, value in (("pids.max", pids), ("memory.max", memory), ("memory.swap.max", 0)):
            with contextlib.suppress(OSError), open(os.path.join(path, name), "r+") as file:
                file.write(str(value))
                bounded = bounded or name == "pids.max"
        if bounded:
            made.append(path)
        else:
            with contextlib.suppress(OSError):
                os.rmdir(path)
    return made


def _sweep(parent: str) -> None:
    """Remove the empty groups of supervisors that were killed."""
    with contextlib.suppress(OSError):
        for name in os.listdir(parent):
            _, _, pid = name.partition("warroom-")
            if pid.isdigit() and not os.path.exists(f"/proc/{pid}"):
                with contextlib.suppress(OSError):
                    os.rmdir(os.path.join(parent, name))


def remove_cgroups(paths: list[str]) -> None:
    """Kill what is in the groups, and remove them."""
    for path in paths:
        for _ in range(100):
            with contextlib.suppress(OSError), open(os.path.join(path, "cgroup.kill"), "w") as file:
                file.write("1")
            try:
                os.rmdir(path)
                break
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.02)


def ran_out_of_memory(paths: list[str]) -> bool:
    """Say whether the kernel killed something of the groups for memory."""
    for path in paths:
        with contextlib.suppress(OSError), open(os.path.join(path, "memory.events")) as file:
            if any(line.startswith("oom_kill ") and line.split()[1] != "0" for line in file):
                return True
    return False


class Tree:
    """The processes of a run, seen from outside."""

    def __init__(self, root: int) -> None:
        self.root = root

    def pids(self) -> list[int]:
        """Return every process under the root, and the root."""
        found, left = [], [self.root]
        while left:
            pid = left.pop()
            found.append(pid)
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    with contextlib.suppress(OSError), open(f"/proc/{pid}/task/{task}/children") as file:
                        left += [int(child) for child in file.read().split()]
        return found

    def usage(self) -> tuple[int, int]:
        """Return (processes and threads, bytes of memory that is no file's) of all together."""
        threads = kib = 0
        for pid in self.pids():
            with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{pid}/status") as file:
                for line in file:
                    if line.startswith(("RssAnon:", "RssShmem:")):
                        kib += int(line.split()[1])
                    elif line.startswith("Threads:"):
                        threads += int(line.split()[1])
        return threads, kib * 1024

    def files_in_memory(self) -> int:
        """Return how many files the run made in its file systems in memory."""
        count = 0
        for place in ("tmp", "dev/shm", "run"):
            with contextlib.suppress(OSError):
                count += _files_of_its_own(f"/proc/{self.root}/root/{place}", os.stat(f"/{place}").st_dev)
        return count


def _files_of_its_own(place: str, ours: int) -> int:
    """Return how many files the file system at a place holds; 0 where it is that of `ours`, the same place outside."""
    # One descriptor for both questions: while the sandbox is being set up, the next look at the path may find this
    # machine's own disk there, with all its files.
    fd = os.open(place, os.O_PATH | os.O_DIRECTORY)
    try:
        if os.fstat(fd).st_dev == ours:
            return 0
        about = os.fstatvfs(fd)
        return max(0, about.f_files - about.f_ffree)
    finally:
        os.close(fd)


def disk_usage(places: list[str], most: int) -> tuple[int, int]:
    """Return (bytes, files) under directories, never through a link; stops counting files at `most`."""
    size = files = 0
    left = list(places)
    while left and files <= most:
        try:
            with os.scandir(left.pop()) as entries:
                for entry in entries:
                    files += 1
                    with contextlib.suppress(OSError):
                        size += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        left.append(entry.path)
                    if files > most:
                        break
        except OSError:
            continue
    return size, files
