"""Whether this machine can contain a test run, and if not: exactly why, and exactly what to do about it."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Literal

MINIMUM = (0, 8)
"""`--disable-userns` came with bubblewrap 0.8."""
PATH = "/usr/local/bin:/usr/bin:/bin:/run/current-system/sw/bin"
PROBE_TIMEOUT_S = 20.0

Trouble = Literal[
    "", "not Linux", "no bubblewrap", "old bubblewrap", "user namespaces blocked", "in a container", "does not start"
]


@dataclass(frozen=True)
class SandboxState:
    """What the probe found. `usable` False: nothing may run, and `reason` and `fix` are for people."""

    usable: bool
    trouble: Trouble = ""
    reason: str = ""
    fix: str = ""
    program: str = ""
    version: str = ""
    filtered: bool = True
    """The system-call filter can be made for this machine."""
    cgroups: tuple[tuple[str, int], ...] = ()
    """Directories in which a cgroup can be made, and the version of each."""
    warnings: tuple[str, ...] = ()

    def line(self) -> str:
        """Return it as one line."""
        if not self.usable:
            return f"no sandbox: {self.reason}; {self.fix}" if self.fix else f"no sandbox: {self.reason}"
        held = "user, mount, process, network namespaces" + (", system-call filter" if self.filtered else "")
        return f"bubblewrap {self.version} ({held}{', cgroup' if self.cgroups else ''})"


@dataclass(frozen=True)
class Machine:
    """What the probe looks at, so that tests can show it another machine."""

    path: str = PATH
    system: str = field(default_factory=platform.system)
    architecture: str = field(default_factory=platform.machine)
    os_release: Path = Path("/etc/os-release")
    container_marks: tuple[Path, ...] = (Path("/.dockerenv"), Path("/run/.containerenv"))
    sysctl: Path = Path("/proc/sys")
    cgroup_root: Path = Path("/sys/fs/cgroup")
    own_cgroup: Path = Path("/proc/self/cgroup")
    uid: int = field(default_factory=os.geteuid)

    @cached_property
    def family(self) -> str:
        """The distribution and what it is like, as words: `ubuntu debian`."""
        words: list[str] = []
        try:
            for line in self.os_release.read_text("utf-8", "replace").splitlines():
                name, _, value = line.partition("=")
                if name in ("ID", "ID_LIKE"):
                    words += value.strip("\"'").lower().split()
        except OSError:
            pass
        return " ".join(words)

    @property
    def contained(self) -> bool:
        """Say whether this is a container."""
        return any(mark.exists() for mark in self.container_marks)

    def setting(self, name: str) -> str:
        """Return a kernel setting, or nothing."""
        try:
            return (self.sysctl / name).read_text().strip()
        except OSError:
            return ""


_INSTALL: Mapping[str, str] = {
    "debian": "sudo apt-get install bubblewrap",
    "ubuntu": "sudo apt-get install bubblewrap",
    "fedora": "sudo dnf install bubblewrap",
    "rhel": "sudo dnf install bubblewrap",
    "centos": "sudo dnf install bubblewrap",
    "arch": "sudo pacman -S bubblewrap",
    "suse": "sudo zypper install bubblewrap",
    "opensuse": "sudo zypper install bubblewrap",
    "alpine": "sudo apk add bubblewrap",
    "nixos": "nix-env -iA nixos.bubblewrap",
    "gentoo": "sudo emerge sys-apps/bubblewrap",
    "void": "sudo xbps-install bubblewrap",
}


def install_command(machine: Machine) -> str:
    """Return how bubblewrap is installed on this distribution."""
    for word in machine.family.split():
        if word in _INSTALL:
            return _INSTALL[word]
    return "install the package bubblewrap, 0.8 or newer, with the system's package manager"


def probe(machine: Machine | None = None) -> SandboxState:
    """Find bwrap, start `true` in a sandbox with every wall that a test run gets, and say what came of it."""
    from subagents.codefix.sandbox_seccomp import filter_program

    machine = machine or Machine()
    if machine.system != "Linux":
        return SandboxState(
            False, "not Linux", f"{machine.system or 'this system'} has no bubblewrap", "run the tests by hand"
        )
    program = shutil.which("bwrap", path=machine.path)
    if program is None:
        return SandboxState(False, "no bubblewrap", "bubblewrap is not installed", install_command(machine))
    said, version = _version(program)
    if version is None or version < MINIMUM:
        return SandboxState(
            False,
            "old bubblewrap",
            f"{said or 'bwrap of unknown version'} is too old: 0.8 or newer is needed",
            f"{install_command(machine)} (or build it from its source, where that is older)",
            program,
        )
    name = said.removeprefix("bubblewrap").strip()
    blob = filter_program(machine.architecture)
    fault = _start(program, blob)
    if fault is not None:
        trouble, reason, fix = _diagnose(fault, machine)
        return SandboxState(False, trouble, reason, fix, program, name)
    cgroups = cgroup_places(machine)
    return SandboxState(
        True,
        program=program,
        version=name,
        filtered=blob is not None,
        cgroups=cgroups,
        warnings=tuple(_warnings(machine, blob is not None, cgroups)),
    )


def _version(program: str) -> tuple[str, tuple[int, int] | None]:
    try:
        done = subprocess.run(  # noqa: S603  found on the fixed path
            [program, "--version"], capture_output=True, timeout=PROBE_TIMEOUT_S, check=False, env={}, cwd="/"
        )
    except (OSError, subprocess.TimeoutExpired):
        return "", None
    said = done.stdout.decode("utf-8", "replace").strip()[:100]
    match = re.search(r"(\d+)\.(\d+)", said)
    return said, (int(match[1]), int(match[2])) if match else None


def _start(program: str, blob: bytes | None) -> str | None:
    """Run `true` behind the walls; return what bwrap said where that did not work."""
    read, write = os.pipe()
    try:
        os.write(write, blob or b"")
        os.close(write)
        argv = [program, "--unshare-all", "--unshare-user", "--uid", "1000", "--gid", "1000", "--disable-userns"]
        argv += ["--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"]
        argv += ["--ro-bind", "/", "/", "--proc", "/proc", "--remount-ro", "/proc", "--dev", "/dev"]
        argv += ["--seccomp", str(read)] if blob is not None else []
        done = subprocess.run(  # noqa: S603  arguments are ours
            [*argv, "--", "/bin/sh", "-c", ":"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            pass_fds=(read,),
            timeout=PROBE_TIMEOUT_S,
            check=False,
            env={},
            cwd="/",
        )
    except subprocess.TimeoutExpired:
        return f"not started after {PROBE_TIMEOUT_S:g} s"
    except OSError as error:
        return f"bwrap: {error.strerror}"
    finally:
        os.close(read)
    if done.returncode == 0:
        return None
    said = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return (said[-1] if said else f"bwrap ended with status {done.returncode}")[:300]


_BLOCKED = re.compile(
    r"namespace|permission denied|operation not permitted|uid map|loopback|RTM_NEWADDR|RTM_NEWLINK", re.IGNORECASE
)


def _diagnose(fault: str, machine: Machine) -> tuple[Trouble, str, str]:
    if not _BLOCKED.search(fault):
        return "does not start", f"bubblewrap does not start ({fault})", "run bwrap by hand to see why"
    if machine.contained:
        return (
            "in a container",
            f"this container does not let bubblewrap make namespaces ({fault})",
            "start it with: docker run --security-opt seccomp=unconfined --security-opt apparmor=unconfined "
            "--security-opt systempaths=unconfined …, or run warroom outside",
        )
    reason = f"user namespaces are blocked ({fault})"
    if machine.setting("user/max_user_namespaces") == "0":
        return "user namespaces blocked", reason, "sudo sysctl -w user.max_user_namespaces=15000"
    if machine.setting("kernel/unprivileged_userns_clone") == "0":
        return "user namespaces blocked", reason, "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if machine.setting("kernel/apparmor_restrict_unprivileged_userns") == "1":
        return (
            "user namespaces blocked",
            f"{reason}: AppArmor allows them only to programs with a profile",
            "sudo apt-get install apparmor-profiles && sudo ln -s "
            "/usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/ && "
            "sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict",
        )
    return (
        "user namespaces blocked",
        reason,
        "allow unprivileged user namespaces (sysctl, AppArmor, SELinux or the service's own limits), or run elsewhere",
    )


def cgroup_places(machine: Machine) -> tuple[tuple[str, int], ...]:
    """Return where a group that counts processes can be made: version 2 first, else version 1's `pids`."""
    two = machine.cgroup_root if (machine.cgroup_root / "cgroup.controllers").exists() else None
    own = _own_groups(machine)
    if two is not None:
        group = two / own.get("", "").lstrip("/")
        for place in (group, *group.parents):
            if not place.is_relative_to(two):
                break
            if _takes(place):
                return ((str(place), 2),)
    one = machine.cgroup_root / "pids" / own.get("pids", "").lstrip("/")
    return ((str(one), 1),) if one.is_dir() and _takes(one) else ()


def _own_groups(machine: Machine) -> dict[str, str]:
    """Return this process's group by controller; version 2 is the empty name."""
    found: dict[str, str] = {}
    try:
        for line in machine.own_cgroup.read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            found.update(dict.fromkeys(controllers.split(","), path))
    except (OSError, ValueError):
        pass
    return found


def _takes(place: Path) -> bool:
    """Make a group there, see whether it counts processes, and remove it."""
    trial = place / f"warroom-probe-{os.getpid()}"
    try:
        trial.mkdir()
    except OSError:
        return False
    try:
        return os.access(trial / "pids.max", os.W_OK)
    finally:
        trial.rmdir()


def _warnings(machine: Machine, filtered: bool, cgroups: tuple[tuple[str, int], ...]) -> list[str]:
    found = []
    if not filtered:
        found.append(f"no system-call filter is known for {machine.architecture}: the namespaces alone contain the run")
    if machine.uid == 0 and not cgroups:
        found.append(
            "run as root, and no cgroup can be made: the limit of processes is held only by looking, "
            "20 times a second; run warroom as an ordinary user"
        )
    return found
