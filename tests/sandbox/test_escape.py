"""X1: every way out that we could think of, tried inside the sandbox, and outside it to see that the trying works."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.conftest import RunPython

SCRIPT = Path(__file__).with_name("escapes.py")
ROOT = Path(__file__).resolve().parents[2]


def _answer(wire: socket.socket, got: list[bytes]) -> None:
    with contextlib.suppress(OSError):
        while True:
            data, whence = wire.recvfrom(10)
            if not data:
                return
            got.append(data)
            wire.sendto(b"back", whence)


def _listening(stack: contextlib.ExitStack, path: Path, name: str) -> dict[str, Any]:
    """Listen in every way there is; returns the address of each."""
    wires = {}
    for key, family, address in (
        ("tcp", socket.AF_INET, ("127.0.0.1", 0)),
        ("tcp6", socket.AF_INET6, ("::1", 0)),
        ("unix", socket.AF_UNIX, str(path)),
        ("abstract", socket.AF_UNIX, "\0" + name),
    ):
        wire = wires[key] = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        with contextlib.suppress(OSError):  # a machine without IPv6
            wire.bind(address)
            wire.listen()
    return {
        "tcp": wires["tcp"].getsockname()[1],
        "tcp6": (wires["tcp6"].getsockname() or ("", 0))[1],
        "unix": str(path),
        "abstract": name,
    }


@pytest.fixture
def host(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """Things of the host that nobody inside may reach."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "id_ed25519").write_text("PRIVATE KEY")
    name = f"warroom-test-{secrets.token_hex(6)}"
    shm = Path("/dev/shm") / name
    shm.write_text("shared")
    with contextlib.ExitStack() as stack:
        stack.callback(shm.unlink)
        addresses = _listening(stack, tmp_path / "socket", name)
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.bind(("127.0.0.1", 0))
        got: list[bytes] = []
        listener = threading.Thread(target=_answer, args=(udp, got), daemon=True)
        listener.start()
        stack.callback(listener.join, 5)
        stack.callback(_wake, udp)
        sleeper = subprocess.Popen(["sleep", "300"])
        stack.callback(sleeper.wait)
        stack.callback(sleeper.kill)
        disk = next((path for path in ("/dev/vda", "/dev/sda", "/dev/nvme0n1") if os.path.exists(path)), "/dev/mem")
        yield {
            "secret": str(home / "id_ed25519"),
            "home": str(home),
            "in_home": "id_ed25519",
            "token": "s3cr3t-" + name,
            "pid": sleeper.pid,
            **addresses,
            "udp": udp.getsockname()[1],
            "netns": os.stat("/proc/self/ns/net").st_ino,
            "shm": str(shm),
            "disk": disk,
            "python": os.path.realpath(sys.executable),
            "beside": str(tmp_path / "escaped"),
            "got": got,
        }


def _wake(wire: socket.socket) -> None:
    """End the listener's wait."""
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)
    wire.close()


def _told(host: dict[str, Any]) -> str:
    """What the script is told; the token is not among it."""
    return json.dumps({key: value for key, value in host.items() if key != "got"})


@pytest.mark.needs("bwrap")
def test_no_way_out(host: dict[str, Any], run_python: RunPython, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_TEST_TOKEN", host["token"])
    told = {**host, "token": host["token"][:4]}  # the script must not bring it in by itself
    ran = run_python(SCRIPT.read_text(), _told(told))
    assert ran.exit == 0, ran.output().decode()
    found = json.loads(ran.output())
    assert len(found) >= 45
    assert {name: what for name, what in found.items() if not what.startswith("held")} == {}
    assert host["got"] == []
    assert not os.path.exists(host["beside"])


@pytest.mark.needs("bwrap")
def test_nothing_of_the_host_is_in_the_arguments_or_descriptors(run_python: RunPython, export: Path) -> None:
    """Neither where the export is, nor an end of a pipe of ours."""
    script = """
import os
for pid in ("1", str(os.getppid()), "self"):
    print(open(f"/proc/{pid}/cmdline").read().split(chr(0)))
print(sorted(os.listdir("/proc/self/fd"))[:3], len(os.listdir("/proc/self/fd")))
"""
    lines = run_python(script).output().decode().splitlines()
    assert len(lines) == 4
    assert not any(str(export) in line for line in lines)
    assert lines[3] == "['0', '1', '2'] 4"  # and the one that lists them


REACHED_OUTSIDE = {
    "read a secret in the home",
    "list the home",
    "token in the environment",
    "a process of the host in /proc",
    "TCP to a listener of the host",
    "UDP to the host",
    "network namespace",
    "unix socket",
    "abstract unix socket",
    "/sys",
    "the host's /dev/shm",
    "signal to a process of the host",
    "ptrace",
    "capabilities or set-uid",
}
"""Ways that work for anyone without a sandbox: the same script, the same targets."""
REACHED_BY_ROOT = {"/etc/shadow", "core_pattern", "mount namespace", "root of a process of the host"}


def test_the_same_ways_lead_somewhere_without_a_sandbox(host: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARROOM_TEST_TOKEN", host["token"])
    done = subprocess.run(
        [sys.executable, str(SCRIPT), _told(host), "harmless"], capture_output=True, check=True, timeout=60
    )
    found = json.loads(done.stdout)
    reached = {name for name, what in found.items() if what.startswith("ESCAPED")}
    assert REACHED_OUTSIDE | (REACHED_BY_ROOT if os.geteuid() == 0 else set()) <= reached, found
    assert host["got"] == [b"out"]


@pytest.mark.needs("bwrap")
def test_no_way_out_for_an_ordinary_user_either(host: dict[str, Any]) -> None:
    """Root starts this test as somebody else; an ordinary user's own run is the test above."""
    system = "/usr/bin/python3"
    if os.geteuid() != 0 or not shutil.which(system):
        pytest.skip("not root, or no Python of the system")
    version = subprocess.run([system, "-c", "import sys; print(sys.version_info >= (3, 11))"], capture_output=True)
    reads = subprocess.run([system, "-c", f"open({str(SCRIPT)!r})"], user=65534, group=65534, capture_output=True)
    if version.stdout.strip() != b"True" or reads.returncode != 0:
        pytest.skip("the system's Python is older than 3.11, or this tree is not readable to others")
    starter = f"""
import sys, os, tempfile, shutil
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_mounts import View
with tempfile.TemporaryDirectory() as place:
    shutil.copy({str(SCRIPT)!r}, place)
    box = Sandbox()
    if not box.probe().usable:
        sys.exit(box.probe().line())
    ran = box.run(SandboxJob(("python3", "escapes.py", sys.argv[1]), View(Path(place))))
    sys.stdout.buffer.write(ran.output())
    sys.exit(ran.reason if ran.outcome != "exited" else ran.exit)
"""
    done = subprocess.run(
        [system, "-c", starter, _told({**host, "token": "s3cr"})],
        user=65534,
        group=65534,
        extra_groups=[],
        capture_output=True,
        env={"WARROOM_TEST_TOKEN": host["token"], "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        timeout=60,
        check=False,
    )
    if b"no sandbox" in done.stderr:
        pytest.skip(f"ordinary users cannot make namespaces here: {done.stderr.decode().strip()}")
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    assert {name: what for name, what in found.items() if not what.startswith("held")} == {}
