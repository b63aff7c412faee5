"""A disk that can lose power: an apsw VFS in memory that keeps every write and sync, and SQLite on top of it.

What a cut leaves is what was synced, plus any subset of the 512-byte sectors written since.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import apsw

from orchestrator.journal.anchor import Anchored, Head
from orchestrator.journal.database import DatabaseFault, Params, fault_kind

SECTOR = 512


@dataclass(frozen=True)
class Step:
    """One thing that happened to the disk; an `ack` is what the application told someone meanwhile."""

    what: Literal["write", "truncate", "sync", "delete", "ack", "anchor"]
    file: str = ""
    offset: int = 0
    data: bytes = b""
    seq: int = 0
    head: Head | None = None


@dataclass
class Disk:
    """The live files and the history of steps."""

    files: dict[str, bytearray] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    fail_sync: int = 0
    """Fail the nth sync from now (1 is the next), and only that one; 0: never."""
    fail_write: int = 0
    capacity: int | None = None
    """Most bytes over all files; beyond it writes fail as on a full disk."""

    def written(self, name: str, offset: int, data: bytes) -> None:
        if self.fail_write:
            self.fail_write -= 1
            if not self.fail_write:
                raise apsw.IOError("write failed")
        file = self.files[name]
        grown = max(0, offset + len(data) - len(file))
        if self.capacity is not None and sum(map(len, self.files.values())) + grown > self.capacity:
            raise apsw.FullError("disk is full")
        file.extend(bytes(grown))
        file[offset : offset + len(data)] = data
        self.steps.append(Step("write", name, offset, data))

    def synced(self, name: str) -> None:
        if self.fail_sync:
            self.fail_sync -= 1
            if not self.fail_sync:
                error = apsw.IOError("fsync failed")
                error.extendedresult = apsw.SQLITE_IOERR_FSYNC  # type: ignore[attr-defined]
                raise error
        self.steps.append(Step("sync", name))

    def acked(self, seq: int) -> None:
        self.steps.append(Step("ack", seq=seq))


class SimulatedAnchor:
    """An anchor that is durable when written, and noted in the disk's history."""

    def __init__(self, disk: Disk) -> None:
        self._disk = disk
        self.anchored = Anchored()

    def read(self) -> Anchored:
        return self.anchored

    def write(self, head: Head, *, clean: bool = False) -> None:
        self.anchored = Anchored(head, clean)
        self._disk.steps.append(Step("anchor", head=head))


class DiskVFS(apsw.VFS):
    """Files of a Disk, as SQLite opens them."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.disk = disk
        super().__init__(name=name, base="")

    def xOpen(self, name: Any, flags: Any) -> Any:
        key = Path(name.filename() if isinstance(name, apsw.URIFilename) else str(name)).name
        self.disk.files.setdefault(key, bytearray())
        flags[1] = flags[0]
        return DiskFile(self.disk, key)

    def xAccess(self, path: str, flags: int) -> bool:
        return Path(path).name in self.disk.files

    def xDelete(self, path: str, sync_folder: bool) -> None:
        self.disk.files.pop(Path(path).name, None)
        self.disk.steps.append(Step("delete", Path(path).name))

    def xFullPathname(self, name: str) -> str:
        return name


class DiskFile:
    """One open file."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._disk.files[self._name][offset : offset + amount])

    def xWrite(self, data: bytes, offset: int) -> None:
        self._disk.written(self._name, offset, bytes(data))

    def xSync(self, flags: int) -> None:
        self._disk.synced(self._name)

    def xTruncate(self, size: int) -> None:
        del self._disk.files[self._name][size:]
        self._disk.steps.append(Step("truncate", self._name, size))

    def xFileSize(self) -> int:
        return len(self._disk.files[self._name])

    def xClose(self) -> None:
        return

    def xLock(self, level: int) -> None:
        return

    def xUnlock(self, level: int) -> None:
        return

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:
        return False

    def xSectorSize(self) -> int:
        return SECTOR

    def xDeviceCharacteristics(self) -> int:
        return 0


class DiskDatabase:
    """The journal's port to SQLite, on a simulated disk. `synchronous` overrides what the journal asks for."""

    def __init__(self, vfs: str, synchronous: str | None = None) -> None:
        self._synchronous = synchronous
        self._connection = apsw.Connection("journal.db", vfs=vfs)
        self.run("PRAGMA locking_mode = EXCLUSIVE")  # the simulated disk has no shared memory

    def run(self, sql: str, params: Params = ()) -> list[tuple[Any, ...]]:
        if self._synchronous and sql.startswith("PRAGMA synchronous"):
            sql = f"PRAGMA synchronous = {self._synchronous}"
        try:
            return list(self._connection.execute(sql, params))
        except apsw.Error as error:
            raise _fault(error) from error

    def run_many(self, sql: str, rows: Iterable[Params]) -> None:
        try:
            self._connection.executemany(sql, rows)
        except apsw.Error as error:
            raise _fault(error) from error

    def close(self) -> None:
        self._connection.close()


def _fault(error: apsw.Error) -> DatabaseFault:
    return DatabaseFault(fault_kind(getattr(error, "extendedresult", None)), str(error))


def cut_power(steps: list[Step], rng: random.Random) -> dict[str, bytes]:
    """Return the files as a power cut after `steps` may leave them."""
    durable: dict[str, bytearray] = {}
    loose: dict[str, list[Step]] = {}
    for step in steps:
        if step.what in ("write", "truncate"):
            loose.setdefault(step.file, []).append(step)
        elif step.what == "sync":
            for late in loose.pop(step.file, []):
                _apply(durable.setdefault(step.file, bytearray()), late)
        elif step.what == "delete":
            durable.pop(step.file, None)
            loose.pop(step.file, None)
    odds = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
    for name, late_steps in loose.items():
        file = durable.setdefault(name, bytearray())
        for late in late_steps:
            _apply_some(file, late, rng, odds)
    return {name: bytes(file) for name, file in durable.items()}


def _apply(file: bytearray, step: Step) -> None:
    if step.what == "truncate":
        del file[step.offset :]
        return
    file.extend(bytes(max(0, step.offset + len(step.data) - len(file))))
    file[step.offset : step.offset + len(step.data)] = step.data


def _apply_some(file: bytearray, step: Step, rng: random.Random, odds: float) -> None:
    if step.what == "truncate":
        if rng.random() < odds:
            _apply(file, step)
        return
    start = 0
    while start < len(step.data):
        end = min(len(step.data), (((step.offset + start) // SECTOR) + 1) * SECTOR - step.offset)
        if rng.random() < odds:
            _apply(file, Step("write", step.file, step.offset + start, step.data[start:end]))
        start = end
