"""Runs one command of a repository where it can do no harm: no network, no home, no secrets, bounded in everything.

    state = Sandbox().probe()
    ran = Sandbox().run(SandboxJob(("python3", "-m", "pytest"), View(export)), cancelled)

Without bubblewrap nothing runs. After `run` returns, no process of the run is left.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import platform
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import subagents
from subagents.codefix.limits import DEFAULT_LIMITS, SandboxLimits
from subagents.codefix.sandbox_mounts import View, bwrap_arguments, environment, made_files
from subagents.codefix.sandbox_probe import Machine, SandboxState, probe
from subagents.codefix.sandbox_seccomp import filter_program

Ending = Literal["exited", "timeout", "cancelled", "memory", "processes", "disk", "files", "output", "setup", "not run"]
"""How a run ended: by itself, at a bound, or not started. `not run`: there is no sandbox."""

_GRACE_S = 30.0
"""Longest that the supervisor may take, beside the run itself, to start and to end it."""
_ANSWER_LIMIT = 64 << 20
_LAST = b'{"last":'
"""How the supervisor's lines on what was printed begin."""
Told = Callable[[str], None]
# -I -S: nothing of the environment, of site-packages or of the working directory reaches the supervisor.
_SUPERVISOR = (
    *("-I", "-S", "-c"),
    "import sys; sys.path.append(sys.argv.pop(1)); from subagents.codefix.sandbox_supervisor import main; main()",
    str(Path(subagents.__path__[0]).parent),
)


@dataclass(frozen=True)
class SandboxJob:
    """One command and what it is given."""

    argv: Sequence[str]
    view: View
    env: Mapping[str, str] = field(default_factory=dict)
    limits: SandboxLimits = DEFAULT_LIMITS


@dataclass(frozen=True)
class SandboxRun:
    """What a run did. All output is bytes of the repository's: data, never trusted."""

    outcome: Ending
    exit: int | None = None
    """Exit status, or 128 + signal, where it ended by itself."""
    reason: str = ""
    """Why it was stopped or not started, for people."""
    seconds: float = 0.0
    head: bytes = b""
    tail: bytes = b""
    printed: int = 0
    """Bytes it printed in all."""
    counted: bool = False
    """A cgroup counted its processes."""
    survivors: int = 0
    """Processes that could not be ended; never anything but 0."""

    def output(self) -> bytes:
        """Return the first and the last of what it printed, with a note of what is left out between."""
        cut = self.printed - len(self.head) - len(self.tail)
        note = f"\n… {cut} bytes left out …\n".encode() if cut > 0 else b""
        return self.head + note + self.tail


class Sandbox:
    """Runs commands behind bubblewrap. Holds no process between runs; use it from any thread."""

    def __init__(self, machine: Machine | None = None) -> None:
        self._machine = machine
        self._state: SandboxState | None = None
        self._lock = threading.Lock()

    def probe(self) -> SandboxState:
        """Say whether and how runs are contained here; looked at once."""
        with self._lock:
            if self._state is None:
                self._state = probe(self._machine)
            return self._state

    def run(
        self, job: SandboxJob, cancelled: Callable[[], bool] = lambda: False, told: Told = lambda last: None
    ) -> SandboxRun:
        """Run a command to its end or its bounds; raises nothing for what the command does.

        `told` is called a few times a second meanwhile with the last line that it printed.
        """
        state = self.probe()
        if not state.usable:
            return SandboxRun("not run", reason=state.line())
        if any("\0" in word for word in (*job.argv, *job.env, *job.env.values())) or not job.argv:
            return SandboxRun("setup", reason="the command is empty or holds a NUL character")
        message = json.dumps(_message(job, state)).encode() + b"\n"
        process = subprocess.Popen(  # noqa: S603  our own program
            [sys.executable, *_SUPERVISOR],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            cwd="/",
            start_new_session=True,
        )
        try:
            limit_s = job.limits.wall_s + 2 * _GRACE_S
            return _understand(_converse(process, message, limit_s, _Listener(cancelled, told)))
        finally:
            _finish(process)


def _message(job: SandboxJob, state: SandboxState) -> dict[str, Any]:
    env = environment(job.env, job.view.ro_paths)
    data = made_files()
    blob = filter_program(platform.machine())
    if blob is not None:
        data["seccomp"] = blob
    limits = job.limits
    watched = [str(path) for path in (job.view.work_dir, job.view.out_dir) if path is not None]
    return {
        "program": state.program,
        "options": bwrap_arguments(job.view, env, limits.tmp, blob is not None),
        "command": list(job.argv),
        "data": {name: base64.b64encode(content).decode() for name, content in data.items()},
        "rlimits": limits.resource_limits(),
        "cgroups": [{"path": path, "version": version} for path, version in state.cgroups],
        "all_memory": limits.all_memory(),
        "wall_s": limits.wall_s,
        "disk": limits.disk,
        "files": limits.files,
        "output": limits.output,
        "output_kept": limits.output_kept,
        "watched": watched,
    }


class _Listener:
    """What whoever asked for a run is asked and told while it runs."""

    def __init__(self, cancelled: Callable[[], bool], told: Told) -> None:
        self.cancelled, self._told = cancelled, told
        self._last = ""

    def hear(self, answer: bytearray) -> None:
        """Take the lines on what was printed from the front of what the supervisor said; tell of the newest."""
        while answer.startswith(_LAST) and (end := answer.find(b"\n")) >= 0:
            line, answer[: end + 1] = bytes(answer[: end + 1]), b""
            with contextlib.suppress(ValueError, KeyError):
                self._last = base64.b64decode(json.loads(line)["last"]).decode("utf-8", "replace")
        self._told(self._last)


def _converse(process: subprocess.Popen[bytes], message: bytes, limit_s: float, listener: _Listener) -> bytes:
    """Hand the job over, wait for the answer, and let go of the lifeline when cancelled or too late."""
    assert process.stdin is not None  # noqa: S101  for the type checker
    assert process.stdout is not None  # noqa: S101  for the type checker
    try:
        process.stdin.write(message)
        process.stdin.flush()
    except BrokenPipeError:
        return b""
    answer = bytearray()
    began = time.monotonic()
    wait = select.poll()  # unlike select, it takes descriptors of any number
    wait.register(process.stdout, select.POLLIN | select.POLLHUP)
    while True:
        if wait.poll(100):
            data = os.read(process.stdout.fileno(), 1 << 18)
            answer += data
            if not data or len(answer) > _ANSWER_LIMIT:
                return bytes(answer)
        listener.hear(answer)
        waited = time.monotonic() - began
        if not process.stdin.closed and (listener.cancelled() or waited > limit_s):
            process.stdin.close()
            limit_s = waited
        elif waited > limit_s + _GRACE_S:
            return b""


def _finish(process: subprocess.Popen[bytes]) -> None:
    """Let go of the supervisor; kill it only where it does not go by itself."""
    for stream in (process.stdin, process.stdout):
        if stream is not None and not stream.closed:
            with contextlib.suppress(BrokenPipeError):
                stream.close()
    try:
        process.wait(timeout=_GRACE_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # bwrap dies with it, and all of the run with bwrap
        process.wait()


def _understand(answer: bytes) -> SandboxRun:
    try:
        said = json.loads(answer)
    except ValueError:
        return SandboxRun("setup", reason="the supervisor of the sandbox ended without an answer")
    run = SandboxRun(
        outcome=said["outcome"],
        exit=said["exit"],
        reason=said["reason"],
        seconds=round(said["seconds"], 3),
        head=base64.b64decode(said["head"]),
        tail=base64.b64decode(said["tail"]),
        printed=said["printed"],
        counted=said["counted"],
        survivors=said["survivors"],
    )
    if run.outcome == "setup" and not run.reason:
        lines = run.output().decode("utf-8", "replace").strip().splitlines()
        return replace(run, reason=lines[-1][:300] if lines else "the sandbox was not set up, and nothing says why")
    return run
