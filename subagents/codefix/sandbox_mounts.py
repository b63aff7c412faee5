"""What a sandboxed command sees: the arguments of bwrap, and the few files that are made for it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from glob import glob
from pathlib import Path

WORK = "/work"
OUT = "/out"
"""Where a run may leave its reports."""
HOME = "/tmp/home"  # noqa: S108  inside the sandbox
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
USER = 1000
"""Who the command is, to itself; outside it is whoever runs warroom, without capabilities."""

_ETC = (
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives", "/etc/localtime"),
    *("/etc/ssl/certs", "/etc/ssl/openssl.cnf", "/etc/pki/tls/certs", "/etc/pki/java", "/etc/crypto-policies"),
    *("/etc/mime.types", "/etc/protocols", "/etc/services", "/etc/os-release", "/etc/maven"),
)
"""What programs of the system need and that holds no secret."""
_ETC_PATTERNS = ("/etc/java*", "/etc/python3*", "/etc/gcrypt")
_SYSTEM = ("/nix/store", "/gnu/store")
_MADE = {
    "/etc/passwd": f"tests:x:{USER}:{USER}:tests:{HOME}:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "/etc/group": f"tests:x:{USER}:\nnogroup:x:65534:\n",
    "/etc/hosts": "127.0.0.1 localhost sandbox\n::1 localhost\n",
    "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n",
}
_MASKED = ("keys", "key-users", "kcore", "timer_list", "sched_debug", "latency_stats", "kpagecount", "kpageflags")
"""Files of /proc that tell of the whole machine and that no test needs."""
_NEVER = ("/", "/proc", "/sys", "/dev", "/run", "/var", "/var/run", "/etc", "/root", "/home", "/tmp", "/boot")  # noqa: S108
_NEVER_UNDER = ("/proc", "/sys", "/dev", "/run", "/var/run")


_SECRET_NAMES = frozenset(
    (".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".netrc", ".git-credentials", ".gcloud")
)


class RefusedPath(ValueError):
    """A path that a sandbox is not given; the message says why."""


@dataclass(frozen=True)
class View:
    """Which directories of this machine the command sees, and where."""

    work_dir: Path
    """The export; writable."""
    work_at: str = WORK
    out_dir: Path | None = None
    """Where its reports are left, at /out; writable."""
    ro_paths: tuple[str, ...] = ()
    """Seen read-only under their own names."""
    ro_binds: Mapping[str, str] = field(default_factory=dict)
    """Path of the sandbox -> path of this machine, read-only."""
    chdir: str = ""
    """Folder below the work directory in which the command runs."""


def check_ro_path(path: str, state_home: str | None = None) -> str:
    """Return a directory or file that may be shown to tests; raise RefusedPath for what P18 keeps out."""
    real = os.path.realpath(path)
    if not os.path.isabs(path):
        raise RefusedPath(f"{path}: ro_paths must be absolute")
    homes = {os.path.realpath(os.path.expanduser("~"))}
    if state_home:
        homes.add(os.path.realpath(state_home))
    for name in (os.path.normpath(path), real):
        inside = any(name == top or name.startswith(top + "/") for top in _NEVER_UNDER)
        inside = inside or not _SECRET_NAMES.isdisjoint(Path(name).parts)
        if name in _NEVER or inside or any(home == name or home.startswith(name.rstrip("/") + "/") for home in homes):
            raise RefusedPath(f"{path}: not shown to tests, since it holds more than they need; name what is in it")
    try:
        mode = os.stat(real).st_mode
    except OSError as error:
        raise RefusedPath(f"{path}: cannot be shown to tests ({error.strerror})") from error
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise RefusedPath(f"{path}: neither a directory nor a file")
    return os.path.normpath(path)


def search_path(ro_paths: Sequence[str], given: str = "") -> str:
    """Return the PATH of the sandbox: what is given, the `bin` of what is shown, the system."""
    shown = [path if os.path.basename(path) == "bin" else os.path.join(path, "bin") for path in ro_paths]
    shown = [path for path in shown if os.path.isdir(path)]
    return ":".join(dict.fromkeys([*filter(None, given.split(":")), *shown, *SYSTEM_PATH.split(":")]))


def made_files() -> dict[str, bytes]:
    """Return the files made for the sandbox, by the name that `@fd:` gives them."""
    return {f"file{number}": text.encode() for number, text in enumerate(_MADE.values())}


def environment(env: Mapping[str, str], ro_paths: Sequence[str]) -> dict[str, str]:
    """Return the whole environment of the command; nothing of warroom's own is in it."""
    base = {
        "HOME": HOME,
        "USER": "tests",
        "LOGNAME": "tests",
        "TMPDIR": "/tmp",  # noqa: S108
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "TERM": "dumb",
        "CI": "1",
        "NO_COLOR": "1",
        "SHELL": "/bin/sh",
    }
    return {**base, **env, "PATH": search_path(ro_paths, env.get("PATH", ""))}


def bwrap_arguments(view: View, env: Mapping[str, str], tmp_bytes: int, filtered: bool) -> list[str]:
    """Return bwrap's options; `@fd:name` stands for a descriptor that the supervisor opens."""
    argv = [
        *("--unshare-all", "--unshare-user", "--uid", str(USER), "--gid", str(USER), "--disable-userns"),
        *("--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL", "--hostname", "sandbox"),
        *("--json-status-fd", "@fd:status", "--block-fd", "@fd:block"),
    ]
    if filtered:
        argv += ["--seccomp", "@fd:seccomp"]
    argv += _system()
    # Written to by root without a capability, /proc/sys would reach the whole machine: read-only as a whole.
    argv += ["--proc", "/proc"]
    for name in _MASKED:
        if os.path.exists(f"/proc/{name}"):
            argv += ["--ro-bind", "/dev/null", f"/proc/{name}"]
    argv += ["--remount-ro", "/proc", "--dev", "/dev"]
    argv += ["--perms", "1777", "--size", str(tmp_bytes), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]  # noqa: S108
    argv += ["--perms", "1777", "--size", str(tmp_bytes), "--tmpfs", "/tmp"]  # noqa: S108
    argv += ["--size", str(1 << 20), "--tmpfs", "/run", "--symlink", "/tmp", "/var/tmp"]  # noqa: S108
    argv += ["--perms", "0700", "--dir", HOME]
    shown = [path for path in sorted(dict.fromkeys(view.ro_paths), key=len) if not path.startswith("/usr/")]
    within = [path for path in shown if path.startswith(view.work_at + "/")]
    for path in shown:
        argv += ["--ro-bind", path, path] if path not in within else []
    argv += ["--bind", str(view.work_dir), view.work_at]
    for path in within:
        argv += ["--ro-bind", path, path]
    for inside, outside in view.ro_binds.items():
        argv += ["--ro-bind", outside, inside]
    if view.out_dir is not None:
        argv += ["--bind", str(view.out_dir), OUT]
    argv += ["--remount-ro", "/", "--chdir", os.path.join(view.work_at, view.chdir) if view.chdir else view.work_at]
    for name, value in env.items():
        argv += ["--setenv", name, value]
    return argv


def _system() -> list[str]:
    """Return the system's programs and libraries, and an /etc without secrets."""
    argv = ["--ro-bind", "/usr", "/usr"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        top = "/" + name
        if os.path.islink(top):
            argv += ["--symlink", os.readlink(top), top]
        elif os.path.isdir(top):
            argv += ["--ro-bind", top, top]
    for path in (*_SYSTEM, *_ETC, *(found for pattern in _ETC_PATTERNS for found in sorted(glob(pattern)))):
        if os.path.exists(path):
            argv += ["--ro-bind", os.path.realpath(path) if os.path.islink(path) else path, path]
    for number, path in enumerate(_MADE):
        argv += ["--ro-bind-data", f"@fd:file{number}", path]
    return argv
