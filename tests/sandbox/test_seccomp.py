"""The system-call filter, run here as the kernel would run it: for both architectures, without either machine."""

from __future__ import annotations

import errno
import struct

import pytest

from subagents.codefix.sandbox_seccomp import ARCHITECTURES, filter_program

ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
NUMBERS = {
    "x86_64": {"read": 0, "ioctl": 16, "socket": 41, "socketpair": 53, "clone": 56, "fork": 57, "execve": 59,
               "ptrace": 101, "mount": 165, "add_key": 248, "keyctl": 250, "unshare": 272, "perf_event_open": 298,
               "setns": 308, "bpf": 321, "userfaultfd": 323, "clone3": 435, "request_key": 249, "umount2": 166,
               "pivot_root": 155},
    "aarch64": {"read": 63, "ioctl": 29, "socket": 198, "socketpair": 199, "clone": 220, "execve": 221, "ptrace": 117,
                "mount": 40, "add_key": 217, "keyctl": 219, "unshare": 97, "perf_event_open": 241, "setns": 268,
                "bpf": 280, "userfaultfd": 282, "clone3": 435, "request_key": 218, "umount2": 39, "pivot_root": 41},
}  # fmt: skip
SAME = {"io_uring_setup": 425, "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsmount": 432, "mount_setattr": 442}


def decide(program: bytes, arch: int, number: int, *arguments: int) -> int:
    """Run a classic BPF program over `struct seccomp_data`."""
    padded = [*arguments, *([0] * (6 - len(arguments)))]
    data = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, arch, 0, *padded)
    held, at = 0, 0
    for _ in range(10_000):
        code, yes, no, k = struct.unpack_from("<HBBI", program, at * 8)
        at += 1
        if code == 0x20:
            (held,) = struct.unpack_from("<I", data, k)
        elif code == 0x06:
            return int(k)
        else:
            holds = {0x15: held == k, 0x35: held >= k, 0x45: bool(held & k)}[code]
            at += yes if holds else no
    raise AssertionError("the program does not end")


def _program(architecture: str) -> bytes:
    program = filter_program(architecture)
    assert program is not None
    assert len(program) // 8 <= 4096
    return program


@pytest.mark.parametrize("architecture", ARCHITECTURES)
class TestFilter:
    def test_ordinary_calls_pass(self, architecture: str) -> None:
        program, arch = _program(architecture), AUDIT[architecture]
        for name in ("read", "execve", "socketpair"):
            assert decide(program, arch, NUMBERS[architecture][name]) == ALLOW
        assert decide(program, arch, NUMBERS[architecture]["clone"], 0x01200011) == ALLOW  # a fork
        assert decide(program, arch, NUMBERS[architecture]["clone"], 0x003D0F00) == ALLOW  # a thread
        assert decide(program, arch, NUMBERS[architecture]["unshare"], 0x400) == ALLOW  # files only
        assert decide(program, arch, NUMBERS[architecture]["ioctl"], 1, 0x5401) == ALLOW  # TCGETS

    def test_what_reaches_around_the_walls_is_refused(self, architecture: str) -> None:
        program, arch = _program(architecture), AUDIT[architecture]
        names = set(NUMBERS[architecture]) - {"read", "ioctl", "socket", "socketpair", "clone", "fork", "execve"}
        for name in names - {"unshare", "clone3"}:
            assert decide(program, arch, NUMBERS[architecture][name]) == ERRNO | errno.EPERM, name
        for name, number in SAME.items():
            assert decide(program, arch, number) == ERRNO | errno.EPERM, name
        assert decide(program, arch, 435) == ERRNO | errno.ENOSYS

    def test_new_namespaces_are_refused(self, architecture: str) -> None:
        program, arch = _program(architecture), AUDIT[architecture]
        flags = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
        for flag in flags:
            for name in ("clone", "unshare"):
                number = NUMBERS[architecture][name]
                assert decide(program, arch, number, flag | 17) == ERRNO | errno.EPERM
        assert decide(program, arch, NUMBERS[architecture]["unshare"], 0x80) == ERRNO | errno.EPERM  # time

    def test_typing_into_a_terminal_is_refused_whatever_the_high_half(self, architecture: str) -> None:
        program, arch = _program(architecture), AUDIT[architecture]
        for request in (0x5412, 0x541C, 0x5412 | 1 << 32):
            assert decide(program, arch, NUMBERS[architecture]["ioctl"], 0, request) == ERRNO | errno.EPERM

    def test_only_contained_socket_families(self, architecture: str) -> None:
        program, arch = _program(architecture), AUDIT[architecture]
        number = NUMBERS[architecture]["socket"]
        allowed = [family for family in range(64) if decide(program, arch, number, family, 1, 0) == ALLOW]
        assert allowed == [1, 2, 10, 16]
        assert decide(program, arch, number, 40, 1, 0) == ERRNO | errno.EAFNOSUPPORT  # vsock

    def test_another_architecture_s_numbers_end_the_process(self, architecture: str) -> None:
        program = _program(architecture)
        for arch in (0x40000003, 0x40000028, *(AUDIT[other] for other in AUDIT if other != architecture)):
            assert decide(program, arch, 1) == KILL


def test_x32_numbers_lead_nowhere() -> None:
    program = _program("x86_64")
    for number in (0x40000000, 0x40000000 | 101, 0x40000000 | 165, 0xFFFFFFFF):
        assert decide(program, AUDIT["x86_64"], number) == ERRNO | errno.ENOSYS


def test_an_unknown_architecture_has_no_filter() -> None:
    assert filter_program("riscv64") is None
    assert filter_program("AMD64") == filter_program("x86_64")
    assert filter_program("arm64") == filter_program("aarch64")
