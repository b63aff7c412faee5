"""Bounded reading: whole archives exactly, torn and damaged ones up to the fault, bombs not at all."""

from __future__ import annotations

import gzip
import os
import random
import struct
import tracemalloc
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from subagents.files import DEFAULT_LIMITS, Limits, open_bounded, packing, read_all

PACKERS: dict[str, Callable[[bytes], bytes]] = {"gz": gzip.compress, "zst": zstandard.compress}
WORDS = [f"word{n}" for n in range(500)]


def text(lines: int, seed: int = 1) -> bytes:
    pick = random.Random(seed)
    return b"".join(f"{n} {pick.choice(WORDS)} {pick.random()}\n".encode() for n in range(lines))


@pytest.fixture(params=["gz", "zst"])
def pack(request: pytest.FixtureRequest) -> Callable[[bytes], bytes]:
    return PACKERS[str(request.param)]


def put(tmp_path: Path, raw: bytes) -> Path:
    path = tmp_path / "x"
    path.write_bytes(raw)
    return path


@pytest.mark.parametrize("size", [0, 1, 255, 70_000, 3_000_000])
def test_whole_archives_come_out_exactly(tmp_path: Path, pack: Callable[[bytes], bytes], size: int) -> None:
    content = text(60_000)[:size]
    assert read_all(put(tmp_path, pack(content))) == (content, None)


def test_plain_files_come_out_exactly(tmp_path: Path) -> None:
    content = os.urandom(300_000)
    assert read_all(put(tmp_path, b"x" + content)) == (b"x" + content, None)
    assert read_all(put(tmp_path, b"")) == (b"", None)


@pytest.mark.parametrize("step", [1, 7, 4096, 1 << 20])
def test_any_read_size_gives_the_same(tmp_path: Path, pack: Callable[[bytes], bytes], step: int) -> None:
    content = text(3_000)[: 20_000 if step < 10 else None]
    stream, bounded = open_bounded(put(tmp_path, pack(content)))
    with stream:
        assert b"".join(iter(lambda: stream.read(step), b"")) == content
    assert bounded.problem is None


def test_several_members_and_padding(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    parts = [text(500, seed) for seed in range(20)]
    raw = b"".join(pack(part) for part in parts) + bytes(512)
    assert read_all(put(tmp_path, raw)) == (b"".join(parts), None)


def test_skippable_zstd_frames(tmp_path: Path) -> None:
    skip = struct.pack("<II", 0x184D2A5E, 4) + b"abcd"
    raw = skip + zstandard.compress(b"one\n") + skip + zstandard.compress(b"two\n")
    assert packing(raw[:4]) == "zstd"
    assert read_all(put(tmp_path, raw)) == (b"one\ntwo\n", None)


def test_torn_archives_give_what_is_whole(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content = text(40_000)
    packed = pack(content)
    for keep in (0.3, 0.9, 0.999):
        found, problem = read_all(put(tmp_path, packed[: int(len(packed) * keep)]), "a.log")
        assert content.startswith(found)
        assert len(found) >= len(content) * keep - (1 << 19)
        assert problem is not None
        assert problem.what == "the archive is cut short"
        assert problem.where == "a.log"


def test_damaged_archives_give_what_comes_before(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    content = text(40_000)
    packed = bytearray(pack(content))
    middle = len(packed) // 2
    packed[middle : middle + 300] = bytes(range(255, -1, -1)) + bytes(44)
    found, problem = read_all(put(tmp_path, bytes(packed)))
    assert problem is not None
    assert "damaged" in problem.what
    sure = int(len(content) * 0.4) - (1 << 17)
    assert found[:sure] == content[:sure]


def test_gzip_damage_costs_less_than_a_line(tmp_path: Path) -> None:
    """The output of the very call that finds the damage is kept too."""
    content = text(300)
    packed = bytearray(gzip.compress(content))
    packed[-8:-4] = b"crc!"
    found, problem = read_all(put(tmp_path, bytes(packed)))
    assert found in (content, content[:-1])
    assert problem is not None


def test_garbage_after_an_archive(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    found, problem = read_all(put(tmp_path, pack(b"good\n") + b"garbage after it"))
    assert found == b"good\n"
    assert problem is not None


def bomb(kind: str, megabytes: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31) if kind == "gz" else zstandard.ZstdCompressor(level=19).compressobj()
    return b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(megabytes)), packer.flush()])


@pytest.mark.parametrize("kind", ["gz", "zst"])
def test_bombs_stop_at_the_ratio_and_cost_little_memory(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path, bomb(kind, 200))
    stream, bounded = open_bounded(path, "bomb")
    tracemalloc.start()
    with stream:
        given = sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 18), b""))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert bounded.problem is not None
    assert "bomb" in bounded.problem.what
    assert given <= DEFAULT_LIMITS.ratio_after + (12 << 20)
    assert peak < 48 << 20


def test_the_total_is_bounded(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    stream, bounded = open_bounded(put(tmp_path, pack(text(60_000))), limits=Limits(total=100_000))
    with stream:
        assert len(stream.read()) >= 100_000
    assert bounded.problem is not None
    assert "MiB decompressed" in bounded.problem.what


def test_a_huge_zstd_window_is_refused(tmp_path: Path) -> None:
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    packer = zstandard.ZstdCompressor(compression_params=parameters).compressobj()
    raw = packer.compress(b"x" * 1000) + packer.flush()
    stream, bounded = open_bounded(put(tmp_path, raw), limits=Limits(zstd_window=1 << 20))
    with stream:
        assert stream.read() == b""
    assert bounded.problem is not None


def test_a_limit_on_what_is_read_at_once(tmp_path: Path) -> None:
    found, problem = read_all(put(tmp_path, bytes(3 << 20)), "big", 1 << 20)
    assert len(found) == 1 << 20
    assert problem is not None
    assert problem.what == "larger than 1 MiB"


def test_what_cannot_be_opened_raises(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        open_bounded(tmp_path / "gone")
