"""How far a running call is: told by the tool when it is asked, shown to whoever watches, kept nowhere."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.engines.base import ToolUse
from orchestrator.hands.pacing import COST, FOUND_TAKEN, GAP_S, Paced
from orchestrator.hands.watching import FOUND_SHOWN, QUICK_S, TEXT_SHOWN, CallPreview, Watch, Watching
from orchestrator.journal.redaction import Redactor
from subagents.contract import Progress
from tests.fakes import FakeClock
from tests.hands.conftest import OWN, Rig

REDACTOR = Redactor([OWN], b"k" * 32)


async def until(condition: Callable[[], bool]) -> None:
    """Let the loop turn until a condition holds; the test's own timeout ends a wait in vain."""
    while not condition():  # noqa: ASYNC110 - what is waited for has no event
        await asyncio.sleep(0)


async def idle() -> None:
    """Let everything that is due happen."""
    for _ in range(20):
        await asyncio.sleep(0)


def watch(clock: FakeClock, shown: list[CallPreview]) -> Watch:
    return Watch(("logs", "c1", "logs_search"), shown.append, REDACTOR, clock)


def test_a_tool_is_asked_for_words_only_when_some_are_due() -> None:
    clock, told = FakeClock(), list[Progress]()
    paced = Paced(told.append, clock)

    def told_at_most_once(done: int) -> None:
        for _ in range(1_000):
            paced(lambda: Progress(done=done))

    told_at_most_once(1)
    clock.advance(GAP_S / 2)
    told_at_most_once(2)
    clock.advance(GAP_S)
    told_at_most_once(3)
    assert [progress.done for progress in told] == [1, 3]


def test_words_that_take_long_to_make_are_wanted_less_often() -> None:
    clock, made = FakeClock(), list[float]()
    paced = Paced(lambda progress: None, clock)

    def words() -> Progress:
        made.append(clock.monotonic())
        clock.advance(0.5)
        return Progress()

    for _ in range(10 * (COST - 1)):
        paced(words)
        clock.advance(0.1)
    assert len(made) == 2
    assert made[1] - 0.5 > 0.5 * COST - 0.01


async def test_a_quick_call_shows_nothing_and_of_a_long_one_the_latest() -> None:
    clock, shown = FakeClock(), list[CallPreview]()
    quick = watch(clock, shown)
    quick.tell(Progress(done=1, total=4))
    await until(lambda: clock.sleeping == 1)
    quick.end()
    await until(lambda: not clock.sleeping)
    clock.advance(QUICK_S * 2)
    await idle()
    assert shown == []

    long = watch(clock, shown)
    for done in (1, 2, 3):
        long.tell(Progress(done=done, total=4))
    await until(lambda: clock.sleeping == 1)
    assert shown == []
    clock.advance(QUICK_S)
    await until(lambda: len(shown) == 1)
    assert (shown[0].done, shown[0].share) == (3, 0.75)
    assert shown[0].seconds == pytest.approx(QUICK_S)
    long.tell(Progress(done=4, total=4))
    await until(lambda: clock.sleeping == 1)
    assert len(shown) == 1
    clock.advance(GAP_S)
    await until(lambda: len(shown) == 2)
    long.end()
    long.tell(Progress(done=4, total=4))
    await idle()
    assert (len(shown), clock.sleeping) == (2, 0)


async def test_what_is_shown_is_redacted_cleaned_and_bounded() -> None:
    clock, shown = FakeClock(), list[CallPreview]()
    clock.advance(1)
    one = watch(clock, shown)
    clock.advance(QUICK_S)
    one.tell(Progress(done=-5, total=-1, text=f"password={OWN} \x1b[31mred\u202e\nsecond" + " x" * 9_000))
    await until(lambda: len(shown) == 1)
    (preview,) = shown
    assert OWN not in preview.text
    assert "<redacted:" in preview.text
    assert not {"\x1b", "\n", "\u202e"} & set(preview.text)
    assert len(preview.text) == TEXT_SHOWN
    assert (preview.done, preview.total, preview.share) == (0, 0, None)


async def test_what_was_found_is_redacted_cleaned_and_bounded_with_its_citations() -> None:
    clock, shown = FakeClock(), list[CallPreview]()
    one = watch(clock, shown)
    clock.advance(QUICK_S)
    many = [(f"log:a@{n}+1", f"line {n} token={OWN} \x1b[31m" + "x" * 5_000) for n in range(FOUND_TAKEN + 5)]
    one.tell(Progress(unit="runs", found=tuple(many)))
    await until(lambda: len(shown) == 1)
    (preview,) = shown
    assert [ref for ref, _ in preview.found] == [ref for ref, _ in many[:FOUND_TAKEN]]
    assert preview.unit == "runs"
    assert not any(OWN in text or "\x1b" in text for _, text in preview.found)
    assert {len(text) for _, text in preview.found} == {FOUND_SHOWN}


async def test_a_cut_leaves_no_half_of_a_secret() -> None:
    clock, shown = FakeClock(), list[CallPreview]()
    one = watch(clock, shown)
    clock.advance(QUICK_S)
    one.tell(Progress(text="x" * (TEXT_SHOWN - 10) + " " + OWN))
    await until(lambda: len(shown) == 1)
    assert OWN[:5] not in shown[0].text


def watched(rig: Rig) -> list[CallPreview]:
    shown: list[CallPreview] = []
    rig.hands.watching = Watching(REDACTOR, rig.clock, [shown.append])
    return shown


@pytest.mark.parametrize("tool", ["toys_tell", "toys_tell_here"])
async def test_a_running_call_is_seen_and_nothing_of_it_is_kept(rig: Rig, tmp_path: Path, tool: str) -> None:
    shown = watched(rig)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    call = rig.begin(tool, path=str(pipe), text="a telling word")
    await rig.until("warroom.tool_started")
    await until(lambda: rig.clock.sleeping == 2)  # its time, and the preview
    rig.clock.advance(QUICK_S)
    await until(lambda: bool(shown))
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await call).need().value == 1
    (preview,) = shown
    assert (preview.thread, preview.call_id, preview.tool) == ("toys", "c1", tool)
    assert (preview.share, preview.text) == (0.25, "a telling word")
    asked_with = rig.events("agent.custom_tool_use")[0].model_dump_json()
    everything = "".join(event.model_dump_json() for event in rig.events())
    assert everything.count("telling") == asked_with.count("telling"), "it is in the arguments alone"
    assert "preview" not in everything


@pytest.mark.parametrize("tool", ["toys_tell", "toys_tell_here"])
async def test_where_nobody_watches_a_tool_is_not_asked(rig: Rig, tmp_path: Path, tool: str) -> None:
    rig.hands.watching = Watching(REDACTOR, rig.clock)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    call = rig.begin(tool, path=str(pipe), text="a telling word")
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await call).need().value == 0


async def test_a_call_that_is_cancelled_shows_no_more_and_the_next_one_does(rig: Rig, tmp_path: Path) -> None:
    shown = watched(rig)
    for number, name in enumerate(("one", "two")):
        pipe = tmp_path / name
        os.mkfifo(pipe)
        call = rig.begin("toys_tell", name, path=str(pipe), text=name)
        await until(lambda: len(rig.events("warroom.tool_started")) == number + 1)  # noqa: B023 - awaited here
        await until(lambda: rig.clock.sleeping == 2)
        if name == "one":
            rig.hands.cancel("toys")
            assert (await call).outcome == "cancelled"
            assert rig.clock.sleeping == 0
        rig.clock.advance(QUICK_S)
        await idle()
    await until(lambda: bool(shown))
    assert [preview.text for preview in shown] == ["two"]
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await call).outcome == "ok"


async def test_who_is_cancelled_while_others_have_the_worker_does_not_wait_for_them(rig: Rig, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    first = rig.begin("toys_tell", "first", path=str(pipe))
    await rig.until("warroom.tool_started")
    pid = rig.hands.workers.pid("toys")
    second = asyncio.create_task(rig.ask("toys", ToolUse(id="second", name="toys_chatter", input={}), "copy"))
    await until(lambda: "second" in rig.hands.running())
    await idle()
    assert rig.hands.cancel("copy") == 1
    assert (await second).outcome == "cancelled"
    assert not first.done()
    await asyncio.to_thread(pipe.write_text, "go on")
    assert (await first).outcome == "ok"
    assert (await rig.call("toys_chatter", "third")).outcome == "ok"
    assert rig.hands.workers.pid("toys") == pid, "the worker was not taken for it"
