"""A log that is given twice is read once, and it is said which one was left out and why."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import pytest
import zstandard

from orchestrator.intake.copies import SURE_BYTES
from orchestrator.intake.model import IntakeOptions, NamedInput
from subagents.files import unpacked_size
from tests.intake.folders import LOG, METRICS, kinds, lines, spec, take, write

LONG = b"".join(b"2026-03-01T12:%02d:%02dZ INFO served %d\n" % (n // 60, n % 60, n) for n in range(200))
assert len(LONG) > SURE_BYTES
OTHER = LONG[:-4] + b"xxx\n"


@pytest.mark.parametrize(
    ("files", "read"),
    [
        ({"app.log": LOG, "app.log.1": LOG}, ["app.log"]),
        ({"app.log": LOG, "app.log.gz": LOG}, ["app.log"]),
        ({"app.log": LONG, "backup-of-app.log": LONG}, ["app.log"]),
        ({"app.log": LONG, "saved/app.log.2.gz": LONG, "saved/app.log": LONG}, ["app.log"]),
        ({"app.log": LONG, "app.log.1": OTHER}, ["app.log", "app.log.1"]),
        ({"cart.log": LOG, "web.log": LOG}, ["cart.log", "web.log"]),
        ({"one/app.log": LOG, "two/app.log": LOG}, ["one/app.log", "two/app.log"]),
        ({"metrics.csv": METRICS, "metrics-copy.csv": METRICS}, ["metrics-copy.csv", "metrics.csv"]),
    ],
    ids=[
        "rotated",
        "packed",
        "renamed",
        "in a folder",
        "other words",
        "small, two programs",
        "small, two hosts",
        "no log",
    ],
)
async def test_a_copy_of_a_log_is_left_out(tmp_path: Path, files: dict[str, Any], read: list[str]) -> None:
    found = await take(write(tmp_path / "i", files), spool=tmp_path / "s")
    assert sorted(kinds(found)) == read
    left = [name for name in files if name not in read]
    assert [f"i/{name}: not used: it says the same as" in lines(found) for name in left] == [True] * len(left)
    assert len(found.unused) == len(left)


async def test_a_folder_and_a_file_in_it_are_read_once(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"app.log": LOG, "web.log": LOG})
    found = await take(folder, folder / "app.log", spool=tmp_path / "s")
    assert sorted(kinds(found)) == ["i/app.log", "i/web.log"]
    assert "app.log: not used: it says the same as" in lines(found)


async def test_of_two_the_one_stays_of_which_more_is_known(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"a.log": LONG, "b.log": LONG})
    named = NamedInput(path=str(folder / "b.log"), kind="logs", id="shop", options={"service": "shop"})
    found = await take(folder / "a.log", spool=tmp_path / "s", options=IntakeOptions(named=(named,)))
    assert spec(found, "shop").options["service"] == "shop"
    assert sorted(kinds(found)) == ["shop"]


async def test_a_damaged_archive_is_no_copy_of_what_it_held(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(LONG))
    packed[len(packed) // 2] ^= 0xFF
    folder = write(tmp_path / "i", {"app.log": LONG})
    (folder / "app.log.1.gz").write_bytes(packed)
    found = await take(folder, spool=tmp_path / "s")
    assert "the same as" not in lines(found)


def test_how_much_a_file_holds_is_what_it_says_itself(tmp_path: Path) -> None:
    held = {"plain": LONG, "gzip": gzip.compress(LONG), "zstd": zstandard.ZstdCompressor().compress(LONG)}
    for name, data in held.items():
        (tmp_path / name).write_bytes(data)
        assert unpacked_size(tmp_path / name) == len(LONG)
    streamed = zstandard.ZstdCompressor().compressobj()
    (tmp_path / "streamed").write_bytes(streamed.compress(LONG) + streamed.flush())
    (tmp_path / "cut").write_bytes(gzip.compress(LONG)[:12])
    assert [unpacked_size(tmp_path / name) for name in ("streamed", "cut", "absent")] == [-1, -1, -1]
    assert os.path.getsize(tmp_path / "gzip") < len(LONG)
