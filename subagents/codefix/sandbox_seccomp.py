"""The system-call filter of the sandbox, as the program that the kernel runs for each call (classic BPF).

The namespaces are the wall; this takes away what reaches around them or deep into the kernel: other processes'
memory, the keyring, mounts and namespaces, BPF, performance counters, io_uring, socket families that no network
namespace contains (such as vsock), and typing into the terminal. Everything else is allowed, so that tests run.
"""

from __future__ import annotations

import errno
import struct
from dataclasses import dataclass

_LOAD = 0x20
_EQUAL = 0x15
_GREATER_EQUAL = 0x35
_ANY_BIT = 0x45
_RETURN = 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_ERRNO = 0x00050000
_NUMBER, _ARCH, _ARGUMENTS = 0, 4, 16

_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C
_NEW_NAMESPACES = 0x7E020080
"""CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}."""
_FAMILIES = (1, 2, 10, 16)
"""AF_UNIX, AF_INET, AF_INET6, AF_NETLINK: each is contained by the network and mount namespaces."""

_SAME_EVERYWHERE = {
    "io_uring_setup": 425,
    "io_uring_enter": 426,
    "io_uring_register": 427,
    "open_tree": 428,
    "move_mount": 429,
    "fsopen": 430,
    "fsconfig": 431,
    "fsmount": 432,
    "fspick": 433,
    "pidfd_getfd": 438,
    "process_madvise": 440,
    "mount_setattr": 442,
    "quotactl_fd": 443,
    "open_tree_attr": 467,
}
_X86_64 = {
    "modify_ldt": 154, "pivot_root": 155, "_sysctl": 156, "chroot": 161, "acct": 163, "settimeofday": 164,
    "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169, "sethostname": 170,
    "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176, "quotactl": 179,
    "nfsservctl": 180, "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "perf_event_open": 298, "fanotify_init": 300, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "ptrace": 101, "syslog": 103,
    "vhangup": 153,
}  # fmt: skip
_AARCH64 = {
    "lookup_dcookie": 18, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42, "chroot": 51,
    "vhangup": 58, "quotactl": 60, "acct": 89, "kexec_load": 104, "init_module": 105, "delete_module": 106,
    "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142, "sethostname": 161, "setdomainname": 162,
    "settimeofday": 170, "add_key": 217, "request_key": 218, "keyctl": 219, "swapon": 224, "swapoff": 225,
    "perf_event_open": 241, "fanotify_init": 262, "name_to_handle_at": 264, "open_by_handle_at": 265, "setns": 268,
    "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "bpf": 280,
    "userfaultfd": 282, "kexec_file_load": 294,
}  # fmt: skip


@dataclass(frozen=True)
class _Machine:
    audit: int
    refused: dict[str, int]
    ioctl: int
    clone: int
    unshare: int
    socket: int
    clone3: int = 435


_MACHINES = {
    "x86_64": _Machine(0xC000003E, _X86_64, ioctl=16, clone=56, unshare=272, socket=41),
    "aarch64": _Machine(0xC00000B7, _AARCH64, ioctl=29, clone=220, unshare=97, socket=198),
}
ARCHITECTURES = tuple(_MACHINES)
"""What a filter can be made for."""


def _op(code: int, k: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("<HBBI", code, yes, no, k & 0xFFFFFFFF)


def _refuse(error: int) -> bytes:
    return _op(_RETURN, _ERRNO | error)


def _when(number: int, body: list[bytes]) -> list[bytes]:
    """Run `body` for one system call; a body that does not return must end with the number loaded again."""
    return [_op(_EQUAL, number, 0, len(body)), *body]


def _argument(index: int) -> bytes:
    return _op(_LOAD, _ARGUMENTS + 8 * index)  # the low half, on a little-endian machine


def filter_program(architecture: str) -> bytes | None:
    """Return the filter for `platform.machine()`; None where none is known."""
    machine = _MACHINES.get({"amd64": "x86_64", "arm64": "aarch64"}.get(architecture.lower(), architecture.lower()))
    if machine is None:
        return None
    reload = _op(_LOAD, _NUMBER)
    program = [_op(_LOAD, _ARCH), _op(_EQUAL, machine.audit, 1, 0), _op(_RETURN, _KILL), reload]
    if machine.audit == 0xC000003E:  # the x32 numbers would step around every line below
        program += [_op(_GREATER_EQUAL, 0x40000000, 0, 1), _refuse(errno.ENOSYS)]
    for number in sorted({*machine.refused.values(), *_SAME_EVERYWHERE.values()}):
        program += _when(number, [_refuse(errno.EPERM)])
    # Its flags are behind a pointer, which a filter cannot read; libraries fall back to clone.
    program += _when(machine.clone3, [_refuse(errno.ENOSYS)])
    namespaces = [_argument(0), _op(_ANY_BIT, _NEW_NAMESPACES & ~0x80, 0, 1), _refuse(errno.EPERM), reload]
    program += _when(machine.clone, namespaces)  # 0x80 is part of clone's exit signal
    namespaces = [_argument(0), _op(_ANY_BIT, _NEW_NAMESPACES, 0, 1), _refuse(errno.EPERM), reload]
    program += _when(machine.unshare, namespaces)
    typing = [_argument(1)]
    for request in (_TIOCSTI, _TIOCLINUX):
        typing += [_op(_EQUAL, request, 0, 1), _refuse(errno.EPERM)]
    program += _when(machine.ioctl, [*typing, reload])
    known = [_op(_EQUAL, family, len(_FAMILIES) - index, 0) for index, family in enumerate(_FAMILIES)]
    program += _when(machine.socket, [_argument(0), *known, _refuse(errno.EAFNOSUPPORT), reload])
    program.append(_op(_RETURN, _ALLOW))
    return b"".join(program)
