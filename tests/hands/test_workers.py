"""Workers: another process, closed in, killed on time; a killed one is one failed call."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.engines.base import ToolUse
from orchestrator.hands.execute import UNKNOWN
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.hands.workers import closed_environment
from subagents.contract import SourceSpec, ToolResult
from subagents.specialist import Agent
from tests.hands import toy_roster
from tests.hands.conftest import RECIPE, Rig

ROOT = Path(__file__).resolve().parents[2]


def _gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def _spinning(rig: Rig, tmp_path: Path) -> tuple[asyncio.Task[object], int]:
    """Start the tool that never ends; return once it is at it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    call = rig.begin("toys_spin", path=str(pipe))
    pid = int(await asyncio.to_thread(pipe.read_text))
    assert not _gone(pid)
    return call, pid


async def test_a_worker_is_alone_in_a_closed_room(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-not-for-workers")
    monkeypatch.setenv("PYTHONPATH", "/hostile")
    around = (await rig.call("toys_around")).need().value
    assert around["env"] == {**closed_environment(), "LC_CTYPE": "C.UTF-8"} or around["env"] == closed_environment()
    assert around["cwd"] == "/"
    assert around["stdin"] == ""
    assert not {"", "/", "/hostile"} & set(around["path"])
    assert around["pid"] != os.getpid()
    again = (await rig.call("toys_around", call_id="c2")).need().value
    assert again["pid"] == around["pid"], "it is persistent"


async def test_a_tool_that_spins_is_killed_on_time_and_the_next_call_gets_a_new_worker(
    rig: Rig, tmp_path: Path
) -> None:
    call, pid = await _spinning(rig, tmp_path)
    result = await rig.after(5, call)  # type: ignore[arg-type]
    assert result.outcome == "timeout"
    assert "5 s" in result.text
    assert _gone(pid)
    again = await rig.call("toys_around", call_id="c2")
    assert again.outcome == "ok"
    assert again.need().value["pid"] != pid


async def test_a_cancelled_tool_is_killed(rig: Rig, tmp_path: Path) -> None:
    call, pid = await _spinning(rig, tmp_path)
    rig.hands.cancel("toys")
    assert (await call).outcome == "cancelled"  # type: ignore[attr-defined]
    assert _gone(pid)


async def test_a_persons_look_runs_beside_the_agents_worker_and_neither_waits_nor_ends_the_other(
    rig: Rig, tmp_path: Path
) -> None:
    call, agents = await _spinning(rig, tmp_path)
    workers, pipe = rig.hands.workers, tmp_path / "look"
    os.mkfifo(pipe)

    def look(call_id: str, tool: str = "toys_tell_beside") -> asyncio.Task[ToolResult[Any]]:
        use = ToolUse(id=call_id, name=tool, input={"path": str(pipe)})
        return asyncio.create_task(rig.hands.call("toys", "toys", use, by_person=True))

    first = look("p1")
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await first).outcome == "ok"
    beside = workers.pid("toys", beside=True)
    assert beside not in (None, agents)
    second = look("p2")
    async for event in rig.journal.subscribe(after=0):
        if event.source_id == "started:1:p2":
            break
    second.cancel()
    with pytest.raises(asyncio.CancelledError):
        await second
    while workers.pid("toys", beside=True) is not None:  # noqa: ASYNC110 - the kill has no event
        await asyncio.sleep(0)
    assert not call.done()
    assert workers.pid("toys") == agents, "giving up costs the agent nothing"
    third = look("p3")
    rig.hands.cancel()
    rig.hands.stop()
    assert (await call).outcome == "cancelled"  # type: ignore[attr-defined]
    assert not third.done()
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await third).outcome == "ok"
    last = workers.pid("toys", beside=True)
    assert last is not None
    agents_own = look("p4", "toys_tell")
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await agents_own).outcome == "ok"
    assert workers.pid("toys") not in (None, last), "what needs what the agent's worker holds runs there"
    await rig.hands.close()
    assert _gone(last)


async def test_a_worker_that_dies_is_one_failed_call(rig: Rig) -> None:
    first, died, after = await asyncio.gather(
        rig.call("toys_chatter", call_id="a"), rig.call("toys_die", call_id="b"), rig.call("toys_chatter", call_id="c")
    )
    assert (first.outcome, died.outcome, after.outcome) == ("ok", "error", "ok")
    assert "killed by signal 9" in died.text
    assert UNKNOWN not in died.text, "a read may simply be asked for again"


async def test_what_a_tool_prints_does_not_break_the_protocol(rig: Rig) -> None:
    assert (await rig.call("toys_chatter")).need() == toy_roster.Said(value="quiet")


async def test_a_result_that_is_far_too_large_is_an_error_of_its_call(rig: Rig) -> None:
    result = await rig.call("toys_huge")
    assert (result.outcome, "ask for less" in result.text) == ("error", True)
    assert (await rig.call("toys_chatter", call_id="c2")).outcome == "ok"


async def test_errors_of_tools_cross_the_pipe(rig: Rig) -> None:
    told = await rig.call("toys_worker_fail", call_id="a", how="tool")
    assert (told.outcome, told.text) == ("error", "no such series: cpu; there are: memory")
    told = await rig.call("toys_worker_fail", call_id="b", how="value")
    assert told.text == "toys_worker_fail failed: ValueError: boom second line"
    assert "Traceback" in rig.logged[-1]


async def test_a_worker_is_built_for_its_agent_alone(rig: Rig) -> None:
    assert (await rig.call("toys_agents")).need().value == ["toys"]


async def test_a_late_source_reaches_the_worker_that_runs_already(rig: Rig) -> None:
    assert (await rig.call("toys_sources", call_id="a")).need().value == []
    pid = rig.hands.workers.pid("toys")
    rig.hands.workers.fit((SourceSpec(id="late", kind="logs", path="/late.log"),))
    assert (await rig.call("toys_sources", call_id="b")).need().value == ["late"]
    assert rig.hands.workers.pid("toys") == pid


async def test_a_worker_that_cannot_be_built_is_an_answered_call(rig: Rig) -> None:
    broken = RosterRecipe("tests.hands.toy_roster:broken", import_path=RECIPE.import_path)
    object.__setattr__(rig.hands.workers, "_fitting", type(rig.hands.workers._fitting)(broken))
    rig.hands.workers.fit((SourceSpec(id="bad", kind="logs", path="/bad.log"),))
    result = await rig.call("toys_chatter")
    assert result.outcome == "error"
    assert "could not open the sources: ValueError: cannot read bad" in result.text
    rig.hands.workers.fit(())
    assert (await rig.call("toys_chatter", call_id="c2")).outcome == "ok"


@pytest.mark.parametrize("put_off", [False, True])
async def test_a_call_that_is_stopped_while_its_worker_starts(rig: Rig, put_off: bool) -> None:
    call = rig.begin("toys_chatter")
    await rig.until("agent.custom_tool_use")
    while not rig.clock.sleeping:  # noqa: ASYNC110 - the fake clock has no event for it
        await asyncio.sleep(0)
    if put_off:
        rig.hands.stop()
    else:
        rig.hands.cancel()
    assert (await call).outcome == "cancelled"
    assert ("warroom.tool_finished" in rig.types()) is not put_off
    assert (await rig.call("toys_chatter")).outcome == ("ok" if put_off else "cancelled")


async def test_a_hostile_directory_gets_nothing_executed(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("sitecustomize", "usercustomize", "orchestrator", "subagents", "json", "toys"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'fired')!r}, 'w')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "toys.py"))
    assert (await rig.call("toys_chatter")).outcome == "ok"
    assert "fired" not in os.listdir(tmp_path)


async def test_closing_leaves_no_worker(rig: Rig) -> None:
    await rig.call("toys_chatter")
    pid = rig.hands.workers.pid("toys")
    assert pid is not None
    await rig.hands.close()
    assert _gone(pid)
    assert (await rig.call("toys_chatter", call_id="c2")).outcome == "error", "and none is started after it"


def test_workers_end_with_their_parent(tmp_path: Path) -> None:
    """The parent is killed while its worker spins: nothing of it stays."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    parent = subprocess.Popen(
        [sys.executable, "-m", "tests.hands.test_workers", str(pipe)], cwd=ROOT, stderr=subprocess.DEVNULL
    )
    try:
        with open(pipe) as opened:
            pid = int(opened.read())
        watch = os.pidfd_open(pid)
    finally:
        parent.kill()
        parent.wait()
    import select

    assert select.select([watch], [], [], 10)[0], "the worker is still there"
    os.close(watch)


def test_extra_agents_live_in_this_process_only() -> None:
    def extra(*_: object) -> list[Agent]:
        return [Agent("orchestrator", "", "", "", ())]

    recipe = RosterRecipe(RECIPE.factory, extra, RECIPE.import_path)
    assert "orchestrator" in recipe.build(()).agents
    assert "orchestrator" not in recipe.shared(()).agents
    twice = RosterRecipe(RECIPE.factory, lambda *_: [Agent("toys", "", "", "", ())], RECIPE.import_path)
    with pytest.raises(ValueError, match="twice"):
        twice.build(())
    spin = toy_roster.build(()).tool("toys", "toys_spin")
    assert spin is not None
    heavy = RosterRecipe(RECIPE.factory, lambda *_: [Agent("o", "", "", "", (spin,))], RECIPE.import_path)
    with pytest.raises(ValueError, match="worker tools"):
        heavy.build(())


def _spin_in_a_worker(pipe: str) -> None:
    from orchestrator.hands.workers import Workers
    from subagents.clock import SystemClock

    async def spin() -> None:
        workers = Workers(RECIPE, SystemClock())
        async with workers.place("toys", asyncio.Event()) as process:
            message = {"agent": "toys", "tool": "toys_spin", "input": {"path": pipe}, "key": "k", "findings": []}
            process.ask(message)

    asyncio.run(spin())


if __name__ == "__main__":
    _spin_in_a_worker(sys.argv[1])
