"""D4 to D6: no room, a file-size limit, a failing fsync. What was acknowledged stays; without a restart it goes on."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orchestrator.journal import ledger as ledger_module
from orchestrator.journal.codec import Draft, draft
from orchestrator.journal.events import Event
from orchestrator.journal.faults import DiskFull, JournalError, JournalReadOnly, StateError
from orchestrator.journal.home import StateHome
from orchestrator.journal.ledger import Ledger
from orchestrator.journal.reader import JournalReader
from orchestrator.journal.room import BALLAST_BYTES, Ballast
from orchestrator.journal.store import Journal
from orchestrator.journal.writer import Outcome, Place, Submission, Writer
from tests.fakes import FakeClock
from tests.journal.disk import Disk, DiskDatabase, DiskVFS, SimulatedAnchor
from tests.journal.logs import note


class SmallDisk:
    """A small file system of its own, and a file that fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self, leave: int) -> None:
        """Leave about `leave` bytes free."""
        handle = os.open(self._filler, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        with contextlib.suppress(OSError):
            while os.write(handle, bytes(1 << 16)):
                pass
        os.ftruncate(handle, max(0, os.fstat(handle).st_size - leave))
        os.close(handle)

    def free(self) -> None:
        self._filler.unlink(missing_ok=True)

    def remount(self, options: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{options}", str(self.path)], check=True)


def mounted(path: Path, options: str) -> Iterator[SmallDisk]:
    path.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(path)], check=True)
    try:
        yield SmallDisk(path)
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    yield from mounted(tmp_path / "disk", "size=8m")


async def append_until_full(journal: Journal, acked: list[Event], size: int, most: int = 2000) -> DiskFull:
    for number in range(most):
        try:
            acked += await journal.append(note(len(acked) + number * 10_000, size))
        except DiskFull as error:
            return error
    raise AssertionError("the disk did not fill")


async def append_until(journal: Journal, clock: FakeClock, reached: Callable[[], bool]) -> None:
    """What follows a commit without anyone waiting for it happens within 100 ms of the clock."""
    start = journal.head.seq
    for number in range(5000):
        if reached():
            return
        clock.advance(1)
        await journal.append(note(start + number))
    raise AssertionError("it never came to it")


@pytest.mark.needs("tmpfs")
async def test_the_disk_fills_and_empties_24_times(
    small_disk: SmallDisk, fake_clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also within checkpoints and anchors, which share the disk with the log."""
    monkeypatch.setattr(ledger_module, "CHECKPOINT_BYTES", 32 << 10)
    rng = random.Random(4)
    home = StateHome(small_disk.path / "home")
    journal = Journal.create(home.new_session(fake_clock), fake_clock)
    acked: list[Event] = []
    for _ in range(24):
        small_disk.fill(leave=rng.choice((0, 4096, 20_000, 60_000, 120_000)))
        error = await append_until_full(journal, acked, rng.choice((10, 3000, 15_000)))
        assert "no room left" in str(error)
        assert "goes on by itself" in str(error)
        assert journal.trouble.startswith("no room left")
        assert list(journal.events()) == acked
        small_disk.free()
        acked += await journal.append(note(10**9 + len(acked)))
        assert (journal.writable, journal.trouble) == (True, "")
    assert list(journal.events()) == acked
    await journal.close()
    with JournalReader(journal.directory) as reader:
        assert reader.verify().whole
        assert list(reader.events()) == acked


@pytest.mark.needs("tmpfs")
async def test_closing_and_opening_on_a_full_disk_loses_nothing(small_disk: SmallDisk, fake_clock: FakeClock) -> None:
    home = StateHome(small_disk.path / "home")
    journal = Journal.create(home.new_session(fake_clock), fake_clock)
    acked: list[Event] = []
    acked += await journal.append(*(note(n, 2000) for n in range(200)))
    small_disk.fill(leave=0)
    await append_until_full(journal, acked, 2000)
    await journal.close()
    with JournalReader(journal.directory) as reader:
        assert list(reader.events()) == acked
    small_disk.fill(leave=0)
    with pytest.raises(DiskFull, match=r"no room"):
        Journal.create(home.new_session(fake_clock), fake_clock)
    small_disk.free()
    again = Journal.open(journal.directory, fake_clock)
    assert list(again.events()) == acked
    await again.append(note(1_000_001))
    await again.close()


@pytest.mark.needs("tmpfs")
async def test_the_ballast_carries_the_last_events(tmp_path: Path, fake_clock: FakeClock) -> None:
    for disk in mounted(tmp_path / "disk", "size=40m"):
        home = StateHome(disk.path / "home")
        journal = Journal.create(home.new_session(fake_clock), fake_clock)
        ballast = home.path / "ballast"
        await append_until(journal, fake_clock, ballast.exists)
        assert ballast.stat().st_size == BALLAST_BYTES
        assert ballast.stat().st_blocks * 512 >= BALLAST_BYTES
        disk.fill(leave=0)
        await journal.append(note(10_001, 500_000))
        assert not ballast.exists()
        assert journal.writable
        disk.fill(leave=0)
        with pytest.raises(DiskFull):
            await journal.append(note(10_002, 500_000))
        disk.free()
        await journal.append(note(10_002, 500_000))
        await append_until(journal, fake_clock, ballast.exists)
        await journal.close()


def test_no_ballast_where_it_would_fill_the_disk(tmp_path: Path) -> None:
    assert Ballast.beside(tmp_path / "elsewhere" / "s") is None
    huge = Ballast(tmp_path / "ballast", size=1 << 60)
    assert not huge.hold()
    assert list(tmp_path.iterdir()) == []
    assert not huge.let_go()


async def test_a_file_size_limit_is_a_full_disk(tmp_path: Path, fake_clock: FakeClock) -> None:
    """D5: SQLite calls a limit or a quota a write error; it passes like a full disk when it is lifted."""
    journal = Journal.create(tmp_path / "s", fake_clock)
    acked: list[Event] = await journal.append(note(0))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, hard))
    try:
        await append_until_full(journal, acked, 6000)
        assert list(journal.events()) == acked
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    acked += await journal.append(note(10**8))
    assert journal.writable
    await journal.close()
    with JournalReader(tmp_path / "s") as reader:
        assert reader.verify().whole
        assert list(reader.events()) == acked


async def test_after_a_failed_fsync_nothing_is_acknowledged(tmp_path: Path, fake_clock: FakeClock) -> None:
    """D6: the file turns read-only at once; a retry that happens to succeed would prove nothing."""
    for nth in (1, 2, 5, 9):
        disk = Disk()
        vfs = DiskVFS("fsync", disk)
        ledger = Ledger.open(DiskDatabase("fsync"), SimulatedAnchor(disk))
        loop = asyncio.get_running_loop()

        def deliver(outcomes: list[Outcome], _: object, loop: asyncio.AbstractEventLoop = loop) -> None:
            loop.call_soon_threadsafe(settle, outcomes)

        writer = Writer(ledger, Place(tmp_path, fake_clock), deliver)
        disk.fail_sync = nth
        acked, refused = [], []
        for number in range(12):
            prepared: tuple[Draft, ...] = (draft(note(number), fake_clock),)
            future: asyncio.Future[list[Event]] = loop.create_future()
            writer.submit(Submission(prepared, future))
            try:
                acked += await future
            except JournalReadOnly as error:
                refused.append(str(error))
        assert [event.seq for event in acked] == list(range(1, nth))
        assert len(refused) == 12 - len(acked)
        assert "fsync failed" in refused[0]
        assert "stays readable" in refused[0]
        assert isinstance(writer.fatal, JournalReadOnly)
        writer.stop()
        vfs.unregister()


def settle(outcomes: list[Outcome]) -> None:
    for outcome in outcomes:
        if outcome.error is not None:
            outcome.submission.future.set_exception(outcome.error)
        else:
            outcome.submission.future.set_result([one.event for one in outcome.stored])


async def test_a_write_error_that_is_not_for_want_of_room_ends_writing(tmp_path: Path, fake_clock: FakeClock) -> None:
    disk = Disk()
    vfs = DiskVFS("eio-write", disk)
    ledger = Ledger.open(DiskDatabase("eio-write"), SimulatedAnchor(disk))
    errors: list[JournalError | None] = []
    writer = Writer(ledger, Place(tmp_path, fake_clock), lambda outcomes, _: errors.extend(o.error for o in outcomes))
    disk.fail_write = 3
    for number in range(4):
        writer.submit(Submission((draft(note(number), fake_clock),), asyncio.get_running_loop().create_future()))
    writer.stop()
    vfs.unregister()
    assert len(errors) == 4 or errors[-1] is not None
    assert isinstance(errors[-1], JournalReadOnly)


@pytest.mark.needs("tmpfs")
def test_a_state_directory_that_cannot_be_used_says_why(tmp_path: Path, fake_clock: FakeClock) -> None:
    """D8, as far as it needs a file system of its own."""
    for disk in mounted(tmp_path / "disk", "size=1m,nr_inodes=5"):
        home = StateHome(disk.path / "home")
        home.ensure()
        for number in range(2):
            (home.path / str(number)).touch()
        with pytest.raises(DiskFull, match="space or inodes"):
            home.new_session(fake_clock)
        disk.remount("ro")
        with pytest.raises(StateError, match="read-only file system"):
            StateHome(disk.path / "other").ensure()
        with pytest.raises(StateError, match="read-only file system"):
            home.new_session(fake_clock)


@pytest.mark.needs("tmpfs")
async def test_a_session_on_a_read_only_file_system_can_be_read(tmp_path: Path, fake_clock: FakeClock) -> None:
    for disk in mounted(tmp_path / "disk", "size=4m"):
        journal = Journal.create(disk.path / "s", fake_clock)
        await journal.append(note(1), note(2))
        await journal.close()
        disk.remount("ro")
        with JournalReader(disk.path / "s") as reader:
            assert reader.verify().whole
            assert len(list(reader.events())) == 2
        with pytest.raises(StateError, match="Read-only file system"):
            Journal.open(disk.path / "s", fake_clock)
