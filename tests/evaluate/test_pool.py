"""Cases in processes of their own: however one ends, it is one line and no more."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orchestrator.evaluate.cases import Case
from orchestrator.evaluate.child import Task
from orchestrator.evaluate.lines import EvalLine
from orchestrator.evaluate.pool import CHILD, Pool, without_settings
from tests.evaluate.conftest import Settings


@pytest.fixture(autouse=True)
def places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Temporary folders where the test can look whether they are gone; and where the stand-in says its pids."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    monkeypatch.setenv("STUB_PIDS", str(tmp_path / "pids"))
    return place


def cases(*ids: str) -> list[Case]:
    return [Case(one, "outages", Path("/nowhere") / one, "folder") for one in ids]


def alive(pid: int) -> bool:
    """Say whether a process runs; one that is dead and not yet reaped does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] not in (b"Z", b"X")
    except FileNotFoundError:
        return False


async def pids_in(path: Path) -> list[int]:
    """Wait until the stand-in has said where it and its child are."""

    def said() -> str:
        return path.read_text() if path.exists() else ""

    while not (found := said()).endswith("\n"):  # noqa: ASYNC110 - another process has no event for it
        await asyncio.sleep(0.01)
    return [int(one) for one in found.split()]


async def until_gone(pids: list[int]) -> None:
    """Wait until none of them runs."""
    while [pid for pid in pids if alive(pid)]:  # noqa: ASYNC110 - another process has no event for it
        await asyncio.sleep(0.01)


def entries(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def test_every_ending_is_one_line_and_none_stops_the_run(setting: Settings, places: Path) -> None:
    lines: list[EvalLine] = []
    pool = Pool(setting(jobs=2))
    await pool.run(cases("one", "crash", "mute", "unusable", "silent", "two"), lines.append)
    told = {line.id: (line.failure, line.error) for line in lines}
    assert told == {
        "one": (None, ""),
        "crash": ("crashed", "killed by signal 6: LookupError: an inner surprise"),
        "mute": ("crashed", "exit status 0"),
        "unusable": ("unusable", "nothing usable came in"),
        "silent": ("no verdict", "the model is not there"),
        "two": (None, ""),
    }
    whole = next(line for line in lines if line.id == "one")
    assert (whole.kind, whole.culprit, whole.seconds) == ("culprit", "b" * 40, 1.5)
    assert (whole.family, whole.engine, whole.warroom, whole.build) == ("outages", "offline", "1.2.3", "b" * 12)
    assert [one.name for one in whole.baselines] == ["newest commit"]
    assert [one.service for one in whole.services] == ["porch", "ledger"]
    assert not entries(places)
    assert not pool.running


async def test_a_hanging_case_is_killed_with_all_that_it_started(setting: Settings, tmp_path: Path) -> None:
    lines: list[EvalLine] = []
    pool = Pool(setting(timeout_s=3600))
    running = asyncio.create_task(pool.run(cases("hang", "never"), lines.append))
    pids = await pids_in(tmp_path / "pids")
    assert len(pids) == 2
    assert all(alive(pid) for pid in pids)
    pool.stop()
    await running
    await until_gone(pids)
    assert not lines  # what was stopped is not done: it runs again next time


async def test_a_case_that_takes_too_long_is_a_line(setting: Settings, places: Path) -> None:
    lines: list[EvalLine] = []
    await Pool(setting(timeout_s=0.05)).run(cases("hang"), lines.append)
    assert [(line.id, line.failure, line.error) for line in lines] == [("hang", "timed out", "no result within 0.05 s")]
    assert not entries(places)


async def test_what_the_taker_of_lines_raises_ends_the_run(setting: Settings, places: Path) -> None:
    def full(_: EvalLine) -> None:
        raise OSError("no room")

    with pytest.raises(OSError, match="no room"):
        await Pool(setting(jobs=2)).run(cases("one", "two", "three", "four"), full)
    assert not entries(places)


def test_settings_of_the_person_do_not_reach_a_case() -> None:
    given = {"PATH": "/bin", "ANTHROPIC_API_KEY": "k", "WARROOM_ENGINE": "managed", "WARROOM_HOME": "/x"}
    assert without_settings(given) == {"PATH": "/bin", "ANTHROPIC_API_KEY": "k"}


async def test_a_path_need_not_be_text_and_none_comes_onto_the_line(setting: Settings, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff") / "empty.csv"
    path.parent.mkdir()
    path.write_text("nothing,of,use\n")
    lines: list[EvalLine] = []
    await Pool(setting(command=CHILD)).run([Case("empty", "f", path, "series")], lines.append)
    (line,) = lines
    assert (line.failure, line.error[:57]) == ("unusable", "nothing usable came in: view/incident/value.csv: not used")


async def test_kept_folders_are_by_family_and_case(setting: Settings, tmp_path: Path) -> None:
    await Pool(setting(keep=tmp_path / "kept")).run(cases("one"), lambda _: None)
    assert (tmp_path / "kept" / "outages" / "one" / "ran").read_text() == "offline"
    assert (tmp_path / "kept" / "outages" / "one" / "home").stat().st_mode & 0o777 == 0o700


async def test_a_hosted_engine_gets_its_register_and_nothing_else(setting: Settings, tmp_path: Path) -> None:
    state = tmp_path / "state"
    (state / "sessions").mkdir(parents=True)
    (state / "managed.json").write_text("{}")
    (state / "index.db").write_text("private")
    for engine, expected in (("managed", ["managed.json"]), ("offline", [])):
        kept = tmp_path / engine
        await Pool(setting(engine=engine, state=state, keep=kept)).run(cases("one"), lambda _: None)
        assert entries(kept / "outages" / "one" / "home") == expected


def task(tmp_path: Path, **more: object) -> bytes:
    work = tmp_path / "work"
    work.mkdir()
    base = Task(
        id="x",
        family="f",
        path=os.fsencode(tmp_path / "case"),
        shape="symptom",
        engine="offline",
        version="1",
        work=str(work),
        memory_mib=4096,
    )
    return base.model_copy(update=more).model_dump_json().encode() + b"\n"


def test_the_process_of_a_case_ends_with_the_one_that_started_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "case")  # opening it waits for a writer that never comes
    process = subprocess.Popen(CHILD, stdin=subprocess.PIPE)
    process.communicate(task(tmp_path))  # writes, then closes standard input, as a killed parent would
    assert process.returncode == 3
    assert not (tmp_path / "work").exists()


def test_memory_is_bounded(tmp_path: Path) -> None:
    script = (
        "from orchestrator.evaluate import child\n"
        "child._bound_memory(256)\n"
        "try:\n    bytearray(1 << 30)\nexcept MemoryError:\n    print('refused')\n"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert ran.stdout == "refused\n"


def test_a_case_that_is_none_is_said_to_be_unusable(tmp_path: Path) -> None:
    (tmp_path / "case").write_text("[]")
    with subprocess.Popen(CHILD, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.write(task(tmp_path))
        process.stdin.flush()
        assert process.wait() == 2
    assert (tmp_path / "work" / "fault.txt").read_text() == "case: is not an object"
