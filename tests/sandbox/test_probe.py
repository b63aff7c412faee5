"""X5: where runs cannot be contained, nothing runs; the reason and what to do about it are exact."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_mounts import View
from subagents.codefix.sandbox_probe import Machine, cgroup_places, install_command, probe

ROOT = Path(__file__).resolve().parents[2]
REAL_VERSION = "echo bubblewrap 0.9.0; exit 0"


def _machine(tmp_path: Path, script: str | None, release: str = "ID=debian\n", **changes: object) -> Machine:
    """Another machine: its bwrap is a script, its settings are files."""
    programs = tmp_path / "bin"
    programs.mkdir(exist_ok=True)
    if script is not None:
        (programs / "bwrap").write_text("#!/bin/sh\n" + script)
        (programs / "bwrap").chmod(0o755)
    (tmp_path / "os-release").write_text(release)
    whole = {
        "path": str(programs),
        "system": "Linux",
        "os_release": tmp_path / "os-release",
        "container_marks": (tmp_path / "no-mark",),
        "sysctl": tmp_path / "sysctl",
        "cgroup_root": tmp_path / "cgroup",
        "uid": 1000,
        **changes,
    }
    return Machine(**whole)  # type: ignore[arg-type]  # the fields of the dataclass, by name


def _blocked(message: str) -> str:
    return f'if [ "$1" = --version ]; then echo bubblewrap 0.9.0; exit 0; fi\necho "bwrap: {message}" >&2; exit 1\n'


NO_NAMESPACE = "No permissions to create new namespace, likely because the kernel does not allow it"


def _set(tmp_path: Path, name: str, value: str) -> None:
    path = tmp_path / "sysctl" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value + "\n")


def _nothing_runs(machine: Machine, tmp_path: Path) -> None:
    """The run is refused with the same words, and the command leaves no trace."""
    work = tmp_path / "work"
    work.mkdir()
    box = Sandbox(machine)
    ran = box.run(SandboxJob(("touch", str(work / "ran")), View(work)))
    assert ran.outcome == "not run"
    assert ran.reason == box.probe().line()
    assert list(work.iterdir()) == []


@pytest.mark.parametrize(
    ("release", "fix"),
    [
        ("ID=debian\n", "sudo apt-get install bubblewrap"),
        ('ID=linuxmint\nID_LIKE="ubuntu debian"\n', "sudo apt-get install bubblewrap"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "sudo dnf install bubblewrap"),
        ("ID=arch\n", "sudo pacman -S bubblewrap"),
        ('ID="opensuse-leap"\nID_LIKE="suse opensuse"\n', "sudo zypper install bubblewrap"),
        ("ID=alpine\n", "sudo apk add bubblewrap"),
    ],
)
def test_without_bubblewrap_the_fix_is_how_to_install_it(tmp_path: Path, release: str, fix: str) -> None:
    machine = _machine(tmp_path, None, release)
    state = probe(machine)
    assert (state.usable, state.trouble, state.fix) == (False, "no bubblewrap", fix)
    assert state.line() == f"no sandbox: bubblewrap is not installed; {fix}"
    _nothing_runs(machine, tmp_path)


def test_an_unknown_distribution_is_told_the_package(tmp_path: Path) -> None:
    assert "package bubblewrap, 0.8 or newer" in install_command(_machine(tmp_path, None, "ID=plan9\n"))


def test_a_bwrap_of_the_caller_s_own_path_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted = tmp_path / "planted"
    planted.mkdir()
    (planted / "bwrap").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n{REAL_VERSION}")
    (planted / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{planted}:{os.environ['PATH']}")
    state = probe()
    assert state.program != str(planted / "bwrap")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("said", ["bubblewrap 0.7.0", "bubblewrap 0.3.1", "something else", ""])
def test_an_old_bubblewrap_is_refused(tmp_path: Path, said: str) -> None:
    machine = _machine(tmp_path, f"echo '{said}'; exit 0\n")
    state = probe(machine)
    assert (state.usable, state.trouble) == (False, "old bubblewrap")
    assert "0.8 or newer is needed" in state.reason
    assert state.fix.startswith("sudo apt-get install bubblewrap")
    _nothing_runs(machine, tmp_path)


@pytest.mark.parametrize(
    ("setting", "value", "fix"),
    [
        ("user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
        ("kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "apparmor_parser -r"),
        ("kernel/nothing", "1", "allow unprivileged user namespaces"),
    ],
)
def test_blocked_namespaces_name_the_setting(tmp_path: Path, setting: str, value: str, fix: str) -> None:
    machine = _machine(tmp_path, _blocked(NO_NAMESPACE))
    _set(tmp_path, setting, value)
    state = probe(machine)
    assert (state.usable, state.trouble) == (False, "user namespaces blocked")
    assert NO_NAMESPACE in state.reason
    assert fix in state.fix
    _nothing_runs(machine, tmp_path)


@pytest.mark.parametrize("said", [NO_NAMESPACE, "Can't mount proc on /newroot/proc: Operation not permitted"])
def test_in_a_container_the_fix_is_how_to_start_it(tmp_path: Path, said: str) -> None:
    mark = tmp_path / ".dockerenv"
    mark.touch()
    machine = _machine(tmp_path, _blocked(said), container_marks=(mark,))
    state = probe(machine)
    assert (state.usable, state.trouble) == (False, "in a container")
    assert "docker run --security-opt seccomp=unconfined" in state.fix
    _nothing_runs(machine, tmp_path)


def test_another_fault_is_told_as_it_is(tmp_path: Path) -> None:
    state = probe(_machine(tmp_path, _blocked("Unknown option --disable-userns")))
    assert (state.usable, state.trouble) == (False, "does not start")
    assert "Unknown option --disable-userns" in state.reason


def test_another_system_has_no_sandbox(tmp_path: Path) -> None:
    machine = _machine(tmp_path, None, system="Darwin")
    state = probe(machine)
    assert (state.usable, state.trouble) == (False, "not Linux")
    _nothing_runs(machine, tmp_path)


def test_the_reasons_are_distinct(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.touch()
    states = [
        probe(_machine(tmp_path, None)),
        probe(_machine(tmp_path, "echo bubblewrap 0.4.0; exit 0\n")),
        probe(_machine(tmp_path, _blocked(NO_NAMESPACE))),
        probe(_machine(tmp_path, _blocked(NO_NAMESPACE), container_marks=(mark,))),
        probe(_machine(tmp_path, _blocked("Out of luck"))),
    ]
    assert len({state.trouble for state in states}) == 5
    assert len({state.reason for state in states}) == 5


@pytest.mark.needs("bwrap")
def test_really_blocked_namespaces_are_found(tmp_path: Path) -> None:
    """The probe itself, run where the kernel allows no more user namespaces."""
    script = (
        f"import sys; sys.path.insert(0, {str(ROOT)!r}); "
        "from subagents.codefix.sandbox_probe import probe, Machine; from pathlib import Path; "
        "s = probe(Machine(container_marks=())); print(s.usable, s.trouble, sep='|')"
    )
    argv = ["bwrap", "--bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--unshare-user", "--disable-userns"]
    done = subprocess.run([*argv, sys.executable, "-c", script], capture_output=True, timeout=60, check=True)
    assert done.stdout.decode().strip() == "False|user namespaces blocked"


@pytest.mark.needs("bwrap")
def test_what_contains_a_run_is_said() -> None:
    state = probe()
    assert state.usable
    assert state.version
    assert "user, mount, process, network namespaces" in state.line()
    assert state.filtered == (platform.machine() in ("x86_64", "aarch64"))


@pytest.mark.needs("bwrap")
def test_an_unknown_architecture_is_warned_about(tmp_path: Path) -> None:
    state = probe(Machine(architecture="riscv64"))
    assert state.usable
    assert not state.filtered
    assert any("riscv64" in warning for warning in state.warnings)


@pytest.mark.needs("bwrap")
def test_root_without_a_cgroup_is_warned_about(tmp_path: Path) -> None:
    state = probe(Machine(cgroup_root=tmp_path / "none", uid=0))
    assert state.cgroups == ()
    assert any("run as root" in warning for warning in state.warnings)
    assert probe(Machine(cgroup_root=tmp_path / "none", uid=1000)).warnings == ()


def test_a_cgroup_of_version_2_is_made_where_the_parent_allows_it(tmp_path: Path) -> None:
    """No real one is needed: a place that is no cgroup counts nothing, and is not taken."""
    root = tmp_path / "cgroup"
    (root / "user.slice" / "mine").mkdir(parents=True)
    (root / "cgroup.controllers").write_text("pids memory\n")
    own = tmp_path / "own"
    own.write_text("0::/user.slice/mine\n")
    assert cgroup_places(Machine(cgroup_root=root, own_cgroup=own)) == ()
    assert sorted(path.name for path in root.rglob("*")) == ["cgroup.controllers", "mine", "user.slice"]
