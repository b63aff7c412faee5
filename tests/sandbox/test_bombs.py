"""X4: whatever a run takes too much of, it ends with a reason, and the machine is as before."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import pytest

from subagents.codefix.limits import GIB, MIB, SandboxLimits
from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_mounts import View
from subagents.codefix.sandbox_probe import SandboxState
from subagents.codefix.sandbox_toolchains import Place
from tests.sandbox.conftest import RunPython
from tests.sandbox.processes import marked

pytestmark = pytest.mark.needs("bwrap")

FORKS = """
import os, sys, time
made = 0
try:
    for _ in range(3000):
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except BlockingIOError:
    print("refused", made)
"""


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_forks_are_bounded(run_python: RunPython) -> None:
    limits = SandboxLimits(wall_s=20, processes=64)
    ran = run_python(FORKS, limits=limits)
    assert ran.survivors == 0
    if ran.outcome == "exited":
        word, made = ran.output().split()
        assert word == b"refused"
        assert int(made) <= 64
    else:
        assert (ran.outcome, ran.reason) == ("processes", "it had more than 64 processes")


def test_forks_are_bounded_without_a_cgroup_too(python: Place, export: Path) -> None:
    """As root the kernel's own limit does not bind: the supervisor sees it and ends the run."""

    class Uncounted(Sandbox):
        def probe(self) -> SandboxState:
            state = super().probe()
            return SandboxState(state.usable, program=state.program, version=state.version)

    mark = f"mark-{secrets.token_hex(8)}"
    (export / "script.py").write_text(FORKS + "    time.sleep(60)\ntime.sleep(60)\n")
    limits = SandboxLimits(wall_s=30, processes=64)
    job = SandboxJob((python.program, "script.py", mark), View(export, ro_paths=python.ro_paths), limits=limits)
    ran = Uncounted().run(job)
    assert not ran.counted
    assert ran.survivors == 0
    assert marked(mark) == []
    if os.geteuid() == 0:
        assert (ran.outcome, ran.reason) == ("processes", "it had more than 64 processes")


def test_memory_of_one_process_is_bounded(run_python: RunPython) -> None:
    ran = run_python(f"x = bytearray({4 * GIB})\nprint('had it')")
    assert ran.exit == 1
    assert b"MemoryError" in ran.output()


def test_memory_of_all_together_is_bounded(run_python: RunPython) -> None:
    script = """
import mmap, os, time
for _ in range(8):
    if os.fork() == 0:
        shared = mmap.mmap(-1, 40 << 20)  # shared memory is not what RLIMIT_DATA counts
        for at in range(0, 40 << 20, 4096):
            shared[at] = 1
        time.sleep(30)
time.sleep(30)
"""
    ran = run_python(script, limits=SandboxLimits(wall_s=25, memory=100 * MIB))
    assert (ran.outcome, ran.reason) == ("memory", "it held more than 200 MiB")
    assert ran.survivors == 0


def test_one_file_is_bounded(run_python: RunPython, export: Path) -> None:
    script = """
with open("big", "wb") as file:
    for _ in range(300):
        file.write(bytes(1 << 20))
"""
    ran = run_python(script)
    assert ran.exit == 1
    assert b"File too large" in ran.output()
    assert (export / "big").stat().st_size == 100 * MIB


def test_all_files_together_are_bounded(run_python: RunPython, export: Path) -> None:
    script = """
import time
for number in range(40):
    with open(f"big{number}", "wb") as file:
        file.write(bytes(10 << 20))
time.sleep(60)
"""
    ran = run_python(script, limits=SandboxLimits(wall_s=30, disk=100 * MIB))
    assert (ran.outcome, ran.reason) == ("disk", "it wrote more than 100 MiB")


@pytest.mark.parametrize("place", ["/work/many", "/tmp/many", "/dev/shm/many"])
def test_the_number_of_files_is_bounded(run_python: RunPython, place: str) -> None:
    script = f"""
import os, time
os.mkdir({place!r})
for number in range(4000):
    os.close(os.open(f"{place}/{{number}}", os.O_CREAT))
time.sleep(60)
"""
    ran = run_python(script, limits=SandboxLimits(wall_s=30, files=2000))
    assert (ran.outcome, ran.reason) == ("files", "it made more than 2000 files")


def test_memory_file_systems_are_bounded(run_python: RunPython) -> None:
    script = """
import os
for place in ("/tmp", "/dev/shm", "/run"):
    try:
        with open(place + "/fill", "wb") as file:
            for _ in range(64):
                file.write(bytes(1 << 20))
                file.flush()
        print(place, "held all")
    except OSError as error:
        print(place, os.strerror(error.errno))
"""
    ran = run_python(script, limits=SandboxLimits(wall_s=20, tmp=8 * MIB))
    said = ran.output().decode().splitlines()
    assert said == [f"{place} No space left on device" for place in ("/tmp", "/dev/shm", "/run")]


def _endless_output(run_python: RunPython, limits: SandboxLimits) -> None:
    before = _resident()
    ran = run_python("import os\nos.write(1, b'first')\nwhile True:\n    os.write(1, b'x' * 65536)", limits=limits)
    assert (ran.outcome, ran.reason) == ("output", f"it printed more than {limits.output >> 20} MiB")
    assert ran.printed > limits.output
    assert (len(ran.head), len(ran.tail)) == (MIB, MIB)
    assert ran.head.startswith(b"first")
    assert b"bytes left out" in ran.output()
    assert _resident() - before < 64 * MIB


def test_endless_output_is_bounded(run_python: RunPython) -> None:
    _endless_output(run_python, SandboxLimits(wall_s=60, output=256 * MIB))


@pytest.mark.soak
def test_ten_gibibytes_of_output_are_bounded(run_python: RunPython) -> None:
    _endless_output(run_python, SandboxLimits(wall_s=600, output=10 * GIB))


def test_standard_input_is_empty(run_python: RunPython) -> None:
    ran = run_python("import sys; print(repr(sys.stdin.read()))")
    assert ran.output() == b"''\n"


def test_no_core_is_dumped(run_python: RunPython, export: Path) -> None:
    script = """
import os, resource
try:
    resource.setrlimit(resource.RLIMIT_CORE, (1 << 30, 1 << 30))
except ValueError as error:
    print("refused:", error, flush=True)
os.abort()
"""
    ran = run_python(script)
    assert ran.exit == 128 + 6
    assert b"refused" in ran.output()
    assert [path.name for path in export.iterdir()] == ["script.py"]


def test_processor_time_is_bounded(run_python: RunPython) -> None:
    ran = run_python("while True: pass", limits=SandboxLimits(wall_s=20, cpu_s=1))
    assert ran.outcome == "exited"
    assert ran.exit in (128 + 9, 128 + 24)


def test_open_files_are_bounded(run_python: RunPython) -> None:
    ran = run_python("import os\nheld = [os.dup(0) for _ in range(2000)]", limits=SandboxLimits(open_files=64))
    assert b"Too many open files" in ran.output()


def test_a_cgroup_is_removed_again(run_python: RunPython, sandbox: Sandbox) -> None:
    places = sandbox.probe().cgroups
    if not places:
        pytest.skip("no cgroup can be made here")
    before = set(os.listdir(places[0][0]))
    assert run_python("print(1)").counted
    new = set(os.listdir(places[0][0])) - before
    # A run of another test may be going on: its group bears the id of a process that lives.
    assert not [name for name in new if not Path("/proc", name.rpartition("-")[2]).exists()]
