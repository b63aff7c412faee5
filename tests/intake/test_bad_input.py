"""Bad input: a clear line each, the good data kept, never a traceback, never a hang."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import Any

import pytest
import zstandard

from orchestrator.intake.model import IntakeError
from subagents.contract import Problem
from subagents.files import open_bounded
from tests.intake.folders import JSON_LOG, LOG, METRICS, content, kinds, lines, spec, take, write, write_raw


async def test_nothing_usable_is_one_line(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for given, said in (
        (empty, "nothing was given|nothing usable"),
        (tmp_path / "gone", "cannot be opened \\(No such file or directory\\)"),
        (write(tmp_path / "i", {"a.png": b"\x89PNG" + bytes(99)}), "not used: binary"),
        ("a\0b", "not a path"),
        ("x" * 5000, "File name too long"),
    ):
        with pytest.raises(IntakeError, match=said) as caught:
            await take(given, spool=tmp_path / "s")
        assert "\n" not in str(caught.value)


async def test_one_bad_path_does_not_lose_the_good_one(tmp_path: Path) -> None:
    write(tmp_path, {"app.log": LOG})
    found = await take(tmp_path / "gone.log", tmp_path / "app.log", tmp_path / "app.log", spool=tmp_path / "s")
    assert kinds(found) == {"app.log": "logs"}
    assert "gone.log: cannot be opened" in lines(found)


async def test_an_unreadable_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "i", {"closed.log": LOG, "open.log": LOG})

    def opener(path: Path, name: str = "") -> Any:  # also where root runs the tests, whom no mode stops
        if path.name == "closed.log":
            raise PermissionError(13, "Permission denied")
        return open_bounded(path, name)

    monkeypatch.setattr("orchestrator.intake.peek.open_bounded", opener)
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"open.log": "logs"}
    assert "closed.log: not used: cannot be read (Permission denied)" in lines(found)


async def test_torn_and_damaged_archives(tmp_path: Path) -> None:
    whole = gzip.compress(JSON_LOG * 3000)
    folder = write(tmp_path / "i", {})
    folder.mkdir()
    (folder / "torn.log.gz").write_bytes(whole[: len(whole) // 2])
    (folder / "torn.log.zst").write_bytes(zstandard.compress(JSON_LOG * 3000)[:40])
    (folder / "torn-deploys.json.gz").write_bytes(gzip.compress(b'[{"service": "cart", "version": "v1"}]')[:20])
    (folder / "head.log.gz").write_bytes(whole[:5])
    (folder / "good.log").write_bytes(LOG)
    found = await take(folder, spool=tmp_path / "s")
    assert {"good.log", "torn.log.gz"} <= set(kinds(found))
    text = lines(found)
    assert "cut short" in text
    assert "head.log.gz" in text
    assert "torn-deploys.json.gz" in text
    named = {spec.id for spec in found.specs} | {name.rpartition("/")[2] for name in found.unused}
    assert named == {path.name for path in folder.iterdir()}


async def test_bombs_cost_no_memory(tmp_path: Path) -> None:
    folder = tmp_path / "i"
    folder.mkdir()
    packer = zlib.compressobj(wbits=31)
    packed = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(80)), packer.flush()])
    (folder / "alert.json.gz").write_bytes(packed)
    (folder / "app.log.gz").write_bytes(packed)
    (folder / "good.log").write_bytes(LOG)
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"good.log": "logs"}
    assert len(found.unused) == 2


async def test_half_broken_json_lines_stay(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"app.jsonl": JSON_LOG + b'{"ts": "2026\n' + b"\xff\xfe\n" + JSON_LOG})
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"app.jsonl": "logs"}
    assert spec(found, "app.jsonl").path == str(folder / "app.jsonl")


async def test_utf16_is_read_through_a_copy(tmp_path: Path) -> None:
    text = "2026-03-01 12:00:00 ERROR caf\u00e9\r\n" * 3
    folder = write(
        tmp_path / "i", {"app.log": text.encode("utf-16"), "metrics.csv": METRICS.decode().encode("utf-8-sig")}
    )
    found = await take(folder, spool=tmp_path / "s")
    assert content(spec(found, "app.log")) == text.encode()
    assert spec(found, "app.log").path == str(tmp_path / "s" / "app.log")
    assert spec(found, "metrics.csv").path == str(folder / "metrics.csv")
    assert "app.log: UTF-16 text; read through a UTF-8 copy" in lines(found)


async def test_an_array_of_log_records_becomes_lines(tmp_path: Path) -> None:
    folder = write(tmp_path / "i", {"logs.json": [{"ts": "2026-03-01T12:00:00Z", "message": "m"}] * 2})
    found = await take(folder, spool=tmp_path / "s")
    assert content(spec(found, "logs.json")) == b'{"ts":"2026-03-01T12:00:00Z","message":"m"}\n' * 2


async def test_names_that_would_write_on_the_terminal(tmp_path: Path) -> None:
    hostile = ["a\nb.log", "\x1b[2J.log", "\u202egol.exe", "tab\t.log", "[red]x[/].log", "-rf.log"]
    folder = write(tmp_path / "i", dict.fromkeys(hostile, LOG))
    write_raw(folder, b"bad\xff.log", LOG)
    write_raw(folder, b"bad\xfe.bin", bytes(99))
    found = await take(folder, spool=tmp_path / "s")
    told = found.model_dump_json()
    assert len(found.specs) == 7
    for source in found.specs:
        assert content(source) == LOG
        assert set(source.id) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")
    for char in ("\n", "\x1b", "\u202e"):
        assert all(char not in problem.line() for problem in found.problems)
        assert all(char not in source.origin for source in found.specs)
    assert "\\\\x1b[2J.log" in told
    assert str(tmp_path / "s" / "bad-xff.log") in [source.path for source in found.specs]
    assert any("bad\\xfe.bin" in name for name in found.unused)


async def test_a_folder_that_is_not_utf8(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/in\xff"))
    write(folder, {"app.log": LOG})
    found = await take(folder, spool=tmp_path / "s")
    assert content(found.specs[0]) == LOG
    assert found.model_dump_json()
    assert Problem.model_validate_json(found.problems[0].model_dump_json())


async def test_spaces_and_unicode_in_paths(tmp_path: Path) -> None:
    folder = write(tmp_path / "caf\u00e9 \u2014 incident 7", {"m\u00e9triques du jour.csv": METRICS})
    found = await take(f"{folder}/", spool=tmp_path / "s")
    assert kinds(found) == {"m-triques-du-jour.csv": "metrics"}
    assert found.incident.id.startswith("cafe-incident-7-")


async def test_two_alerts_and_two_manifests(tmp_path: Path) -> None:
    one = {"title": "one", "service": "cart", "fired_at": "2026-03-01T12:00:00Z"}
    two = {**one, "title": "two", "service": "web"}
    write(tmp_path / "i", {"alert.json": one, "zalert.json": two, "case.json": {"files": {}, "title": "t"}})
    write(tmp_path / "i", {"sub/case.json": {"files": {}, "title": "other"}})
    found = await take(tmp_path / "i", spool=tmp_path / "s")
    assert found.incident.title == "t"
    assert found.incident.alert is not None
    assert found.incident.alert.service == "cart"
    assert found.incident.services == (), "who alerts is no list of where it may have begun"
    assert "also alerting: web" in found.incident.text
    text = lines(found)
    assert "1 more alert: the first counts" in text
    assert "a second manifest" in text
