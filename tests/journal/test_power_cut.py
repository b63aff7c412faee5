"""D3: the power fails at any moment. Nothing acknowledged is lost, what remains is a whole prefix."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.journal import ledger as ledger_module
from orchestrator.journal.anchor import Anchored, AnchorFile, Head
from orchestrator.journal.codec import Entry, draft
from orchestrator.journal.database import DatabaseFault
from orchestrator.journal.events import Note
from orchestrator.journal.ledger import Ledger
from orchestrator.journal.reader import JournalReader
from tests.fakes import FakeClock
from tests.journal.disk import Disk, DiskDatabase, DiskVFS, SimulatedAnchor, Step, cut_power


def record_run(seed: int, synchronous: str | None = None, groups: int = 120) -> list[Step]:
    """Write groups of events to a simulated disk, acknowledge each, and return all that happened to the disk."""
    rng = random.Random(seed)
    clock = FakeClock()
    disk = Disk()
    vfs = DiskVFS(f"disk-{seed}-{synchronous}", disk)
    database = DiskDatabase(f"disk-{seed}-{synchronous}", synchronous)
    ledger = Ledger.open(database, SimulatedAnchor(disk))
    for number in range(groups):
        clock.advance(rng.random())
        entries = [
            Entry(Note(text=rng.randbytes(rng.choice((10, 300, 3000))).hex()), "logs", source_id=f"{number}-{one}")
            for one in range(rng.randint(1, 4))
        ]
        ledger.append([draft(entry, clock) for entry in entries])
        disk.acked(ledger.head.seq)
        if rng.random() < 0.8:
            ledger.write_anchor()
        ledger.checkpoint_if_due()
    ledger.close()
    vfs.unregister()
    return disk.steps


@pytest.fixture(autouse=True)
def small_checkpoints(monkeypatch: pytest.MonkeyPatch) -> None:
    """Checkpoints happen many times within a run, as they do in a long session."""
    monkeypatch.setattr(ledger_module, "CHECKPOINT_BYTES", 64 << 10)


def outcome(steps: list[Step], directory: Path, rng: random.Random) -> tuple[str, str]:
    """Rebuild the disk after `steps`, open it as a reader does; return (`ok`|`lost`|`corrupt`, words)."""
    acked = max((step.seq for step in steps if step.what == "ack"), default=0)
    anchored = next((step.head for step in reversed(steps) if step.what == "anchor"), None) or Head()
    for old in directory.iterdir():
        old.unlink()
    for name, data in cut_power(steps, rng).items():
        (directory / name).write_bytes(data)
    (directory / "journal.db").touch()
    AnchorFile(directory).write(anchored)
    with JournalReader(directory) as reader:
        integrity = reader.verify()
        if not integrity.whole:
            return ("corrupt" if integrity.damage[0].kind != "shortened" else "lost"), integrity.words
        seqs = [event.seq for event in reader.events()]
    assert seqs == list(range(1, len(seqs) + 1))
    return ("ok" if len(seqs) >= acked else "lost"), f"{len(seqs)} of {acked} acknowledged"


def cuts(count: int, runs: int, synchronous: str | None = None) -> Iterator[tuple[list[Step], random.Random]]:
    for run in range(runs):
        steps = record_run(run, synchronous)
        rng = random.Random(1000 + run)
        for _ in range(count // runs):
            yield steps[: rng.randint(1, len(steps))], rng


def check(count: int, runs: int, directory: Path) -> None:
    wrong = [
        (len(steps), words)
        for steps, rng in cuts(count, runs)
        for result, words in [outcome(steps, directory, rng)]
        if result != "ok"
    ]
    assert wrong == []


def test_nothing_acknowledged_is_lost_in_500_power_cuts(tmp_path: Path) -> None:
    check(500, 5, tmp_path)


@pytest.mark.soak
def test_nothing_acknowledged_is_lost_in_5000_power_cuts(tmp_path: Path) -> None:
    check(5000, 50, tmp_path)


@pytest.mark.parametrize(("synchronous", "bad"), [("NORMAL", {"lost"}), ("OFF", {"corrupt", "lost"})])
def test_the_disk_has_teeth(synchronous: str, bad: set[str], tmp_path: Path) -> None:
    results = [outcome(steps, tmp_path, rng)[0] for steps, rng in cuts(60, 2, synchronous)]
    assert bad & set(results)


def test_after_a_cut_the_ledger_itself_goes_on(tmp_path: Path) -> None:
    """The writer's own way in: what the reader calls whole can be continued, and stays one chain."""
    steps = record_run(7, groups=30)
    rng = random.Random(7)
    for _ in range(20):
        cut = steps[: rng.randint(1, len(steps))]
        disk = Disk(files={name: bytearray(data) for name, data in cut_power(cut, rng).items()})
        vfs = DiskVFS("after", disk)
        anchor = SimulatedAnchor(disk)
        anchor.anchored = Anchored(next((s.head for s in reversed(cut) if s.what == "anchor"), None) or Head())
        ledger = Ledger.open(DiskDatabase("after"), anchor)
        acked = max((step.seq for step in cut if step.what == "ack"), default=0)
        assert ledger.recovery.events >= acked
        [stored] = ledger.append([draft(Entry(Note(text="again"), "logs"), FakeClock())])
        assert stored.event.seq == ledger.recovery.events + 1
        ledger.close()
        vfs.unregister()


def test_no_fsync_failure_is_ever_acknowledged_or_retried(tmp_path: Path) -> None:
    """D6: each nth sync fails once. The append that met it raises, and what was acknowledged before is all there."""
    for nth in range(1, 40):
        disk = Disk()
        vfs = DiskVFS("eio", disk)
        ledger = Ledger.open(DiskDatabase("eio"), SimulatedAnchor(disk))
        disk.fail_sync = nth
        kinds = []
        for number in range(60):
            try:
                ledger.append([draft(Entry(Note(text=str(number)), "logs"), FakeClock())])
                disk.acked(ledger.head.seq)
                ledger.checkpoint_if_due()
            except DatabaseFault as fault:
                kinds.append(fault.kind)
                break
        assert kinds == ["sync"]
        ledger.close()
        vfs.unregister()
        assert ledger.head.seq == max((step.seq for step in disk.steps if step.what == "ack"), default=0)
