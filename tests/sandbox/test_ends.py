"""X2 and X3: after a timeout, a cancel or the death of warroom, no process of a run is left."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from subagents.codefix.limits import SandboxLimits
from subagents.codefix.sandbox_toolchains import Place
from tests.sandbox.conftest import RunPython
from tests.sandbox.processes import marked, until

ROOT = Path(__file__).resolve().parents[2]
DETACHING = """
import os, signal, sys, time
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
for _ in range(3):  # daemons: a session of their own, their parent gone, deaf to SIGTERM
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    os.wait()
print("started", flush=True)
open("ready", "w").close()
"""
DAEMONS = DETACHING + "time.sleep(600)\n"

pytestmark = pytest.mark.needs("bwrap")


def _timeout_leaves_nothing(run_python: RunPython) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    ran = run_python(DAEMONS, mark, limits=SandboxLimits(wall_s=0.5))
    assert (ran.outcome, ran.exit, ran.survivors) == ("timeout", None, 0)
    assert ran.reason == "not done after 0.5 s"
    assert marked(mark) == []


def test_timeout_leaves_no_daemon(run_python: RunPython) -> None:
    for _ in range(2):
        _timeout_leaves_nothing(run_python)


@pytest.mark.soak
def test_timeout_leaves_no_daemon_in_fifty_runs(run_python: RunPython) -> None:
    for _ in range(50):
        _timeout_leaves_nothing(run_python)


def test_killing_the_group_alone_would_leave_some(python: Place, tmp_path: Path) -> None:
    """The teeth: the same daemons outside outlive their process group."""
    mark = f"mark-{secrets.token_hex(8)}"
    (tmp_path / "script.py").write_text(DAEMONS)
    with subprocess.Popen(
        [python.program, str(tmp_path / "script.py"), mark],
        stdout=subprocess.PIPE,
        start_new_session=True,
        cwd=tmp_path,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        os.killpg(process.pid, signal.SIGKILL)
    left = marked(mark)
    for pid in left:
        subprocess.run(["kill", "-9", str(pid)], check=False)
    assert len(left) == 3
    assert until(lambda: marked(mark) == [])


def test_a_command_that_ends_takes_its_daemons_with_it(run_python: RunPython) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    ran = run_python(DETACHING, mark)
    assert (ran.outcome, ran.exit, ran.survivors) == ("exited", 0, 0)
    assert marked(mark) == []


def test_cancel_ends_everything(run_python: RunPython, export: Path) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    ran = run_python(DAEMONS, mark, limits=SandboxLimits(wall_s=60), cancelled=(export / "ready").exists)
    assert (ran.outcome, ran.head, ran.survivors) == ("cancelled", b"started\n", 0)
    assert marked(mark) == []


APP = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_mounts import View
paths = tuple(sys.argv[5:])
Sandbox().run(SandboxJob((sys.argv[2], "script.py", sys.argv[4]), View(Path(sys.argv[3]), ro_paths=paths)))
"""


def _death_of_the_app_leaves_nothing(python: Place, export: Path, *, early: bool) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    (export / "script.py").write_text(DAEMONS)
    argv = [sys.executable, "-c", APP, str(ROOT), python.program, str(export), mark, *python.ro_paths]
    with subprocess.Popen(argv, stdout=subprocess.DEVNULL) as app:
        # Early: in the middle of setting the sandbox up. The application has the mark in its own arguments.
        assert until(lambda: len(marked(mark)) >= (2 if early else 6)), marked(mark)
        app.send_signal(signal.SIGKILL)
        app.wait()
    assert until(lambda: marked(mark) == []), marked(mark)


def test_death_of_the_app_leaves_nothing(python: Place, export: Path) -> None:
    _death_of_the_app_leaves_nothing(python, export, early=False)
    _death_of_the_app_leaves_nothing(python, export, early=True)


@pytest.mark.soak
def test_death_of_the_app_leaves_nothing_in_fifty_kills(python: Place, export: Path) -> None:
    for number in range(50):
        _death_of_the_app_leaves_nothing(python, export, early=bool(number % 2))


def test_output_and_status_are_told(run_python: RunPython) -> None:
    script = textwrap.dedent("""
        import os, sys
        print("out"); sys.stdout.flush(); os.write(2, b"err\\n"); sys.exit(7)
    """)
    ran = run_python(script)
    assert (ran.outcome, ran.exit, ran.head, ran.printed) == ("exited", 7, b"out\nerr\n", 8)


def test_a_death_by_signal_is_told(run_python: RunPython) -> None:
    assert run_python("import os; os.kill(os.getpid(), 11)").exit == 128 + 11
