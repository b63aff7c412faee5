"""The process between warroom and a sandbox: it sets the bounds, reads the output, and leaves nothing behind.

It uses the standard library only and starts in milliseconds. The first line of its input is the job as JSON; the input
then stays open as a lifeline, and at its end (a cancel, or the death of whoever started it) the run is killed. Lines
of JSON on its output say, a few times a second, what the run printed last; the last one what happened. It is a
subreaper, so whatever outlives its parent in the run becomes its own child and is killed and waited for. It ends the
run too when a bound is passed that no kernel limit holds: time, memory of all together, processes where no cgroup
counts them, disk, output.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import json
import os
import resource
import select
import signal
import sys
import time
from typing import Any

from subagents.codefix.sandbox_watch import (
    Output,
    Tree,
    disk_usage,
    make_cgroup,
    ran_out_of_memory,
    remove_cgroups,
)

PR_SET_CHILD_SUBREAPER = 36
CHUNK = 1 << 18
TICK_S = 0.05
TELL_S = 0.25
"""Least time between two lines on what was printed."""
_IGNORED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
"""Here; the command gets them as they were."""
START_S = 30.0
"""Longest that the sandbox may take to be set up."""


class Run:
    """One sandboxed command, from its start to the end of its last process."""

    def __init__(self, job: dict[str, Any]) -> None:
        self.job = job
        self.output = Output(job["output_kept"])
        self.groups: list[str] = []
        self.monitor = self.child = 0
        self.status: int | None = None
        self.exit: int | None = None
        self.said = b""
        self.why = ""
        self.reason = ""
        self.started = time.monotonic()
        self._next_look = self._next_disk = self._next_told = 0.0
        self._told = 0
        self._before = disk_usage(job["watched"], 1 << 30)

    def start(self) -> None:
        """Start bwrap, which waits until the bounds are set."""
        job = self.job
        self.out, out = os.pipe()
        self.told, told = os.pipe()
        block, self.block = os.pipe()
        given = {"status": told, "block": block}
        for name, data in job["data"].items():
            given[name] = memory_file(name, base64.b64decode(data))
        for fd in given.values():
            os.set_inheritable(fd, True)
        options = [str(given[word[4:]]) if word.startswith("@fd:") else word for word in job["options"]]
        # Not as arguments: those are for anyone on this machine, and for the command itself, to read in /proc.
        given["args"] = memory_file("args", b"".join(os.fsencode(word) + b"\0" for word in options))
        os.set_inheritable(given["args"], True)
        argv = [job["program"], "--args", str(given["args"]), "--", *job["command"]]
        null = os.open(os.devnull, os.O_RDONLY)
        actions = [(os.POSIX_SPAWN_DUP2, null, 0), (os.POSIX_SPAWN_DUP2, out, 1), (os.POSIX_SPAWN_DUP2, out, 2)]
        self.groups = make_cgroup(job["cgroups"], job["rlimits"]["RLIMIT_NPROC"], job["all_memory"])
        self.monitor = os.posix_spawn(argv[0], argv, {}, file_actions=actions, setsid=True, setsigdef=_IGNORED)
        for fd in (out, null, *given.values()):
            os.close(fd)
        for fd in (self.out, self.told):
            os.set_blocking(fd, False)

    def bound(self) -> None:
        """Set what the kernel enforces, then let the command go."""
        for group in self.groups:
            for pid in (self.monitor, self.child):
                with contextlib.suppress(OSError), open(os.path.join(group, "cgroup.procs"), "w") as file:
                    file.write(str(pid))
        for name, most in self.job["rlimits"].items():
            which = getattr(resource, name)
            hard = resource.prlimit(self.child, which)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.prlimit(self.child, which, (most, most))
        os.write(self.block, b"1")
        os.close(self.block)
        self.block = -1

    def watch(self) -> None:
        """Read and look until the run ends or must be ended."""
        deadline = self.started + self.job["wall_s"]
        open_fds = {0, self.out, self.told}
        while not self.why:
            ready, _, _ = select.select(list(open_fds), [], [], TICK_S)
            if 0 in ready and not os.read(0, 4096):
                self.why = "cancelled"
            for fd in (self.out, self.told):
                if fd in ready and not self._read(fd):
                    open_fds.discard(fd)
            if self._ended():
                return
            now = time.monotonic()
            self._tell(now)
            if now >= deadline:
                self.why, self.reason = "timeout", f"not done after {self.job['wall_s']:g} s"
            elif not self.child and now - self.started > START_S:
                self.why, self.reason = "setup", f"the sandbox was not set up after {START_S:g} s"
            elif now >= self._next_look:
                self._look(now)

    def _tell(self, now: float) -> None:
        """Say what was printed last, where that is news."""
        if self.output.total == self._told or now < self._next_told:
            return
        self._told, self._next_told = self.output.total, now + TELL_S
        say({"last": base64.b64encode(self.output.last_line()).decode()})

    def _read(self, fd: int) -> bool:
        try:
            data = os.read(fd, CHUNK)
        except BlockingIOError:
            return True
        if not data:
            return False
        if fd == self.out:
            self.output.add(data)
            if self.output.total > self.job["output"]:
                self.why, self.reason = "output", f"it printed more than {self.job['output'] >> 20} MiB"
            return True
        self.said += data[: 1 << 16]
        self._hear()
        return True

    def _hear(self) -> None:
        while b"}" in self.said:
            document, self.said = self.said[: self.said.index(b"}") + 1], self.said[self.said.index(b"}") + 1 :]
            said = json.loads(document)
            self.exit = said.get("exit-code", self.exit)
            if "child-pid" in said and not self.child:
                self.child = said["child-pid"]
                try:
                    self.bound()
                except (OSError, ValueError) as error:
                    self.why, self.reason = "setup", f"the bounds of the run could not be set ({error})"

    def _ended(self) -> bool:
        """Reap what has ended; say whether bwrap itself has."""
        with contextlib.suppress(ChildProcessError):
            while self.status is None:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if pid == 0:
                    break
                if pid == self.monitor:
                    self.status = status
        return self.status is not None

    def _look(self, now: float) -> None:
        """See that the bounds hold which nothing but looking enforces."""
        if not self.child:
            return
        job, tree = self.job, Tree(self.child)
        processes, memory = tree.usage()
        if processes > job["rlimits"]["RLIMIT_NPROC"] + 2:
            self.why, self.reason = "processes", f"it had more than {job['rlimits']['RLIMIT_NPROC']} processes"
        elif memory > job["all_memory"]:
            self.why, self.reason = "memory", f"it held more than {job['all_memory'] >> 20} MiB"
        elif tree.files_in_memory() > job["files"]:
            self.why, self.reason = "files", f"it made more than {job['files']} files"
        elif now >= self._next_disk:
            began = time.monotonic()
            size, files = disk_usage(job["watched"], self._before[1] + job["files"])
            if size - self._before[0] > job["disk"]:
                self.why, self.reason = "disk", f"it wrote more than {job['disk'] >> 20} MiB"
            elif files - self._before[1] > job["files"]:
                self.why, self.reason = "files", f"it made more than {job['files']} files"
            self._next_disk = now + max(0.5, 20 * (time.monotonic() - began))
        self._next_look = now + (TICK_S if processes > 64 else 0.1)

    def end(self) -> int:
        """Kill whatever is left, wait for all of it, and return how many could not be ended."""
        if self.block >= 0:
            os.close(self.block)
        with contextlib.suppress(OSError):
            if self.status is None:
                os.killpg(self.monitor, signal.SIGKILL)
        if self.child and self._is_ours():
            with contextlib.suppress(OSError):
                os.kill(self.child, signal.SIGKILL)  # process 1 of the namespace: all of it goes
        limit = time.monotonic() + 10.0
        while time.monotonic() < limit:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == self.monitor:
                self.status = status
            elif pid == 0:
                select.select([], [], [], 0.01)
                for orphan in Tree(os.getpid()).pids()[1:]:
                    with contextlib.suppress(OSError):
                        os.kill(orphan, signal.SIGKILL)
        while self._drain():
            pass
        return len(Tree(os.getpid()).pids()) - 1

    def _is_ours(self) -> bool:
        return self.child in Tree(os.getpid()).pids()

    def _drain(self) -> bool:
        """Take in what is still in the pipes; nothing writes to them any more."""
        more = False
        for fd in (self.out, self.told):
            with contextlib.suppress(BlockingIOError):
                data = os.read(fd, CHUNK)
                more = more or bool(data)
                if fd == self.out:
                    self.output.add(data)
                else:
                    self.said += data
        self._hear()
        return more

    def message(self, survivors: int) -> dict[str, Any]:
        """Return what happened, for JSON."""
        if not self.why:
            if self.exit is None:
                self.why, self.reason = "setup", ""
            else:
                self.why = "exited"
        if self.why == "exited" and ran_out_of_memory(self.groups):
            self.reason = f"the kernel killed a process at {self.job['all_memory'] >> 20} MiB"
        return {
            "outcome": self.why,
            "reason": self.reason,
            "exit": self.exit if self.why == "exited" else None,
            "seconds": time.monotonic() - self.started,
            "counted": bool(self.groups),
            "survivors": survivors,
            **self.output.message(),
        }


def memory_file(name: str, data: bytes) -> int:
    """Return a descriptor from which `data` can be read."""
    fd = os.memfd_create(name, 0)
    os.write(fd, data)
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def read_job() -> dict[str, Any]:
    """Return the first line of the input as JSON."""
    line = bytearray()
    while not line.endswith(b"\n"):
        data = os.read(0, 1 << 16)
        if not data:
            sys.exit(1)
        line += data
    job: dict[str, Any] = json.loads(line)
    return job


def main() -> None:
    """Run one job and say what happened."""
    for number in _IGNORED:
        signal.signal(number, signal.SIG_IGN)
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    run = Run(read_job())
    survivors = 0
    try:
        run.start()
        run.watch()
    except Exception as error:
        run.why, run.reason = "setup", f"the sandbox could not be started ({type(error).__name__}: {error})"
    finally:
        survivors = run.end() if run.monitor else 0
        message = run.message(survivors)
        remove_cgroups(run.groups)
    say(message)


def say(message: dict[str, Any]) -> None:
    """Write one line of JSON; whoever is to read it may be gone."""
    with contextlib.suppress(OSError):
        line = json.dumps(message).encode() + b"\n"
        while line:
            line = line[os.write(1, line) :]
