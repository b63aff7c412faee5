"""Tries to get out, one way after another; prints JSON: way -> what came of it. Run inside the sandbox and outside it.

python3 escapes.py '{"secret": "/path", "pid": 1, …}' [harmless]
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import platform
import pty
import socket
import stat
import struct
import sys
import time
from collections.abc import Callable
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
X86 = platform.machine() == "x86_64"
CALLS = {
    "ptrace": (101, 117), "add_key": (248, 217), "keyctl": (250, 219), "perf_event_open": (298, 241),
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "process_vm_readv": (310, 270),
    "open_by_handle_at": (304, 265), "setns": (308, 268), "fsopen": (430, 430), "kcmp": (312, 272),
    "clone3": (435, 435), "unshare": (272, 97),
}  # fmt: skip
NEWUSER = 0x10000000


def call(name: str, *arguments: Any) -> int:
    number = CALLS[name][0 if X86 else 1]
    result = LIBC.syscall(ctypes.c_long(number), *arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"{name}: {os.strerror(ctypes.get_errno())}")
    return int(result)


def in_child(act: Callable[[], object]) -> object:
    """Do what would change this process in a child of it."""
    pid = os.fork()
    if pid == 0:
        try:
            act()
            os._exit(0)
        except OSError as error:
            os._exit(error.errno if error.errno and error.errno < 200 else 200)
        except BaseException:
            os._exit(201)
    _, status = os.waitpid(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        raise OSError(code if 0 < code < 200 else errno.EPERM, "refused in the child")
    return "done"


def read(path: str) -> str:
    with open(path, "rb") as file:
        return file.read(100).decode("latin-1") or "empty"


def connect(family: int, address: Any) -> str:
    with socket.socket(family, socket.SOCK_STREAM) as wire:
        wire.settimeout(2)
        wire.connect(address)
        return "connected"


def send_udp(host: dict[str, Any]) -> str:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wire:
        wire.settimeout(1)
        wire.connect(("127.0.0.1", host["udp"]))
        wire.send(b"out")
        return wire.recv(10).decode()


def type_into_terminal() -> object:
    _master, slave = pty.openpty()
    with contextlib.suppress(OSError):
        os.setsid()
    fcntl.ioctl(slave, 0x540E, 0)  # TIOCSCTTY
    return fcntl.ioctl(slave, 0x5412, b"x")


def environment(host: dict[str, Any]) -> str:
    names = ["self", "1", str(os.getppid())]
    texts = [json.dumps(dict(os.environ))]
    for name in names:
        try:
            texts.append(read_all(f"/proc/{name}/environ"))
        except OSError:
            continue
    if any(host["token"] in text for text in texts):
        return "the token"
    raise PermissionError(errno.EACCES, "no token")


def read_all(path: str) -> str:
    with open(path, "rb") as file:
        return file.read().decode("latin-1")


def privileged() -> str:
    status = dict(line.split(":", 1) for line in read_all("/proc/self/status").splitlines() if ":" in line)
    if int(status["CapEff"], 16) or status["NoNewPrivs"].strip() == "0":
        return f"CapEff {status['CapEff'].strip()}, NoNewPrivs {status['NoNewPrivs'].strip()}"
    raise PermissionError(errno.EPERM, "no capability and no new privileges")


def make_device(path: str, device: int, kind: int) -> str:
    os.mknod(path, kind | 0o600, device)
    os.unlink(path)
    return "made"


def write_to(path: str) -> str:
    fd = os.open(path, os.O_WRONLY)
    os.close(fd)
    return "opened for writing"


def create(path: str) -> str:
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
    os.unlink(path)
    return "created"


def refuse() -> str:
    raise PermissionError(errno.EPERM, "nothing there")


def listed(path: str) -> str:
    names = os.listdir(path)
    if not names:
        raise FileNotFoundError(errno.ENOENT, "nothing there")
    return f"{len(names)} names"


def sockets_of_system() -> str:
    for top in ("/run", "/var/run"):
        for folder, _, files in os.walk(top):
            for name in files:
                if stat.S_ISSOCK(os.lstat(os.path.join(folder, name)).st_mode):
                    return os.path.join(folder, name)
    raise FileNotFoundError(errno.ENOENT, "no socket")


def same_namespace(host: dict[str, Any]) -> str:
    mine = os.stat("/proc/self/ns/net").st_ino
    if mine == host["netns"] or len(socket.if_nameindex()) > 1:
        return "the host's network"
    raise PermissionError(errno.EPERM, "a network of its own, with nothing but lo")


def memory_of(pid: int) -> int:
    buffer = ctypes.create_string_buffer(8)
    local = struct.pack("PP", ctypes.addressof(buffer), 8)
    return call("process_vm_readv", pid, local, 1, local, 1, 0)


def other_numbers() -> int:
    result = LIBC.syscall(ctypes.c_long(0x40000000 + 39))
    if result < 0:
        raise OSError(ctypes.get_errno(), "x32")
    return int(result)


def clone_user() -> object:
    pid = LIBC.syscall(ctypes.c_long(56 if X86 else 220), ctypes.c_long(NEWUSER | 17), 0, 0, 0, 0)
    if pid == 0:
        os._exit(0)
    if pid < 0:
        raise OSError(ctypes.get_errno(), "clone")
    os.waitpid(pid, 0)
    return "cloned"


def mounted(flags: int) -> object:
    if LIBC.mount(b"none", b"/tmp", b"tmpfs", flags, None) != 0:
        raise OSError(ctypes.get_errno(), "mount")
    return "mounted"


def ways(host: dict[str, Any]) -> dict[str, Callable[[], Any]]:
    pid = host["pid"]
    return {
        "read a secret in the home": lambda: read(host["secret"]),
        "list the home": lambda: next(name for name in os.listdir(host["home"]) if name == host["in_home"]),
        "token in the environment": lambda: environment(host),
        "a process of the host in /proc": lambda: read(f"/proc/{pid}/cmdline"),
        "root of a process of the host": lambda: listed(f"/proc/{pid}/root"),
        "TCP to a listener of the host": lambda: connect(socket.AF_INET, ("127.0.0.1", host["tcp"])),
        "TCP over IPv6": lambda: connect(socket.AF_INET6, ("::1", host["tcp6"])),
        "UDP to the host": lambda: send_udp(host),
        "network namespace": lambda: same_namespace(host),
        "unix socket": lambda: connect(socket.AF_UNIX, host["unix"]),
        "abstract unix socket": lambda: connect(socket.AF_UNIX, "\0" + host["abstract"]),
        "sockets in /run": sockets_of_system,
        "vsock": lambda: socket.socket(40, socket.SOCK_STREAM).close(),
        "/sys": lambda: listed("/sys/kernel"),
        "/etc/shadow": lambda: read("/etc/shadow"),
        "the host's /dev/shm": lambda: read(host["shm"]),
        "signal to a process of the host": lambda: os.kill(pid, 0),
        "ptrace": lambda: in_child(lambda: call("ptrace", 0, 0, 0, 0)),
        "memory of another process": lambda: memory_of(os.getppid()),
        "keyring": lambda: call("keyctl", 0, -3, 1),
        "keys in /proc": lambda: read_all("/proc/keys")[:80] or refuse(),
        "add a key": lambda: call("add_key", b"user", b"probe", b"x", 1, -2),
        "user namespace by unshare": lambda: in_child(lambda: call("unshare", NEWUSER)),
        "user namespace by clone": lambda: in_child(clone_user),
        "mount namespace": lambda: in_child(lambda: call("unshare", 0x20000)),
        "new mount interface": lambda: os.close(call("fsopen", b"tmpfs", 0)),
        "type into a terminal": lambda: in_child(type_into_terminal),
        "io_uring": lambda: os.close(call("io_uring_setup", 1, b"\0" * 128)),
        "userfaultfd": lambda: os.close(call("userfaultfd", 0)),
        "compare kernel objects": lambda: call("kcmp", os.getpid(), os.getpid(), 0, 0, 0),
        "x32 numbers": other_numbers,
        "capabilities or set-uid": privileged,
        "core_pattern": lambda: write_to("/proc/sys/kernel/core_pattern"),
        "sysrq": lambda: write_to("/proc/sysrq-trigger"),
        "kernel log": lambda: write_to("/dev/kmsg"),
        "disk": lambda: write_to(host["disk"]),
        "warroom's interpreter": lambda: write_to(host["python"]),
        # What would change this machine if it worked is tried inside only.
        "! write into /usr": lambda: create("/usr/.escaped"),
        "! write into /": lambda: create("/.escaped"),
        "! write into /etc": lambda: create("/etc/.escaped"),
        "! overwrite the export's neighbour": lambda: create(host["beside"]),
        "! mount": lambda: mounted(0),
        "! remount": lambda: mounted(32),
        "! device node": lambda: make_device("/tmp/escaped", os.makedev(1, 1), stat.S_IFCHR),
        "! chroot": lambda: in_child(lambda: os.chroot("/tmp")),
        "! become root": lambda: in_child(lambda: os.setuid(0)),
        "! host name": lambda: socket.sethostname("escaped"),
        "! clock": lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
        "! bpf": lambda: os.close(call("bpf", 0, struct.pack("4I96x", 1, 4, 4, 1), 112)),
        "! perf": lambda: os.close(call("perf_event_open", b"\0" * 128, 0, -1, -1, 0)),
        "! file handles": lambda: call("open_by_handle_at", -100, b"\0" * 16, 0),
        "! join a namespace": lambda: call("setns", os.open("/proc/1/ns/net", os.O_RDONLY), 0),
    }  # fmt: skip


def main() -> None:
    host = json.loads(sys.argv[1])
    found = {}
    for name, way in ways(host).items():
        if name.startswith("!") and "harmless" in sys.argv[2:]:
            continue
        try:
            found[name] = f"ESCAPED: {way()}"
        except Exception as error:
            found[name] = f"held: {type(error).__name__} {error}"
    print(json.dumps(found))


if __name__ == "__main__":
    main()
