"""A worker started ahead: who gets it, what comes after a kill, and that it ends with its session."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import compose
from orchestrator.asked import ComposeError, Request, Surroundings
from orchestrator.engines.base import ToolUse
from orchestrator.hands import spare as spares
from orchestrator.hands.spare import Spare, prepared_for
from orchestrator.hands.workers import Workers
from orchestrator.journal.home import StateHome
from tests.fakes import FakeClock
from tests.hands.conftest import RECIPE, Rig


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_its_agent_takes_it_a_kill_is_followed_by_the_next_and_closing_ends_it(rig: Rig, tmp_path: Path) -> None:
    spare = Spare("toys")
    rig.hands.workers = Workers(RECIPE, rig.clock, spare)
    spare.prepare()
    first = spare.pid
    assert first is not None
    spare.prepare()
    assert spare.pid == first, "one is enough"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    call = rig.begin("toys_tell", path=str(pipe))
    await rig.until("warroom.tool_started")
    assert rig.hands.workers.pid("toys") == first
    assert spare.take("toys") is None, "it was given"
    rig.hands.cancel()
    assert (await call).outcome == "cancelled"
    second = spare.pid
    assert second is not None
    assert (await rig.call("toys_chatter", "next")).outcome == "ok"
    assert rig.hands.workers.pid("toys") == second
    spare.prepare()
    third = spare.pid
    assert third is not None
    await rig.hands.close()
    assert all(_gone(pid) for pid in (first, second, third))


async def test_others_do_not_take_it_and_one_that_died_is_not_given() -> None:
    spare = Spare("logs")
    assert spare.take("logs") is None
    spare.prepare()
    assert spare.take("metrics") is None
    dead = spare.pid
    assert dead is not None
    process = spare._process
    assert process is not None
    process.kill()
    assert (spare.take("logs"), spare.pid) == (None, None)
    spare.prepare()
    assert spare.pid not in (None, dead)
    await spare.close()
    await spare.close()


async def test_who_is_about_to_ask_finds_a_worker_that_runs(rig: Rig, tmp_path: Path) -> None:
    workers = rig.hands.workers
    workers.prepare_beside("toys")
    ready = workers.pid("toys", beside=True)
    assert ready is not None
    workers.prepare_beside("toys")
    assert workers.pid("toys", beside=True) == ready, "one is enough"
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    use = ToolUse(id="p1", name="toys_tell_beside", input={"path": str(pipe)})
    asked = asyncio.create_task(rig.hands.call("toys", "toys", use, by_person=True))
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await asked).outcome == "ok"
    assert workers.pid("toys", beside=True) == ready
    assert workers.pid("toys") is None
    await rig.hands.close()
    assert _gone(ready)
    workers.prepare_beside("toys")
    assert workers.pid("toys", beside=True) is None, "nothing is started for what is closed"


class Prepared(Spare):
    """Starts nothing."""

    ended = False

    def prepare(self) -> None:
        self.prepared = True

    async def close(self) -> None:
        self.ended = True


@pytest.fixture
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spares, "Spare", Prepared)
    monkeypatch.setattr(spares, "LARGE_BYTES", 1_000)


@pytest.mark.usefixtures("large")
def test_it_is_prepared_for_large_files_only(tmp_path: Path) -> None:
    (tmp_path / "small.log").write_text("x" * 999)
    (tmp_path / "folder").mkdir()
    assert prepared_for([]) is None
    (tmp_path / "folder" / "a.log").write_text("x" * 999)
    assert prepared_for([tmp_path / "small.log", tmp_path / "none", tmp_path / "\0", tmp_path / "folder"]) is None
    (tmp_path / "folder" / "b.log").write_text("x" * 1_000)
    assert isinstance(prepared_for([tmp_path / "folder"]), Prepared)
    assert isinstance(prepared_for([tmp_path / "folder" / "b.log"]), Prepared)


@pytest.mark.usefixtures("large")
async def test_a_session_that_goes_on_has_one_prepared_too(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("x" * 1_000)
    prepared: list[object] = []
    workers, closed = Workers(RECIPE, FakeClock()), Workers(RECIPE, FakeClock())
    await closed.close()
    for one, path in ((workers, "none"), (workers, "a.log"), (workers, "a.log"), (closed, "a.log")):
        one.prepare([str(tmp_path / path)])
        prepared.append(one._spare)
    assert prepared[0] is None
    assert isinstance(prepared[1], Prepared)
    assert prepared[2] is prepared[1], "one is enough"
    assert prepared[3] is None
    await workers.close()
    assert prepared[1].ended


@pytest.mark.usefixtures("large")
async def test_what_cannot_be_begun_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Prepared] = []

    def prepared(paths: object) -> Prepared:
        made.append(Prepared())
        return made[-1]

    monkeypatch.setattr(spares, "prepared_for", prepared)
    around = Surroundings(StateHome(tmp_path / "home"), tmp_path, {}, clock=FakeClock())
    with pytest.raises(ComposeError):
        await compose.begin(Request(inputs=("nothing-here",)), around)
    assert [one.ended for one in made] == [True]


def test_what_it_imports_ahead_starts_no_threads_of_its_own() -> None:
    asked = "from orchestrator.hands import worker; worker.warm(); import polars; print(polars.thread_pool_size())"
    open_to_all = {name: value for name, value in os.environ.items() if not name.endswith("_THREADS")}
    said = subprocess.run([sys.executable, "-c", asked], env=open_to_all, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "1"
