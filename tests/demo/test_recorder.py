"""The recorder: a clock that skips waits and counts work; the same seed, the same story."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from orchestrator.demo.bundled import DATA
from orchestrator.demo.recorder.alarm import Alarm
from orchestrator.demo.recorder.record import make
from orchestrator.demo.recorder.virtual import CPU_FACTOR, Meter, VirtualClock, VirtualLoop
from tests.demo.test_recorded import moment, onset


def test_waits_are_skipped_and_in_order() -> None:
    loop = VirtualLoop()
    clock = VirtualClock(loop, 1_000.0)
    woke: list[tuple[str, int]] = []

    async def sleeper(name: str, seconds: float) -> None:
        await clock.sleep(seconds)
        woke.append((name, round(clock.now() - 1_000.0)))

    async def both() -> None:
        await asyncio.gather(sleeper("long", 7_200), sleeper("short", 60))

    loop.run_until_complete(both())
    loop.close()
    assert woke == [("short", 60), ("long", 7_200)]


def test_work_takes_its_time_and_is_counted_once() -> None:
    loop = VirtualLoop()
    outer, inner = Meter(loop), Meter(loop)

    async def work() -> None:
        until = time.thread_time() + 0.02
        while time.thread_time() < until:
            pass

    async def calling() -> None:
        await inner.run(work())
        await asyncio.sleep(1)
        await work()

    async def main() -> None:
        await outer.run(calling())

    loop.run_until_complete(main())
    passed = loop.time()
    loop.close()
    assert inner.seconds >= 0.02
    assert outer.seconds >= 0.02
    assert passed == pytest.approx(1 + CPU_FACTOR * (outer.seconds + inner.seconds), rel=0.05)


def test_what_a_metered_step_raises_comes_through_without_the_meter() -> None:
    loop = VirtualLoop()
    meter = Meter(loop)

    async def fails() -> None:
        try:
            async with asyncio.timeout(1):
                await asyncio.sleep(10)
        except TimeoutError as error:
            raise ValueError("late") from error

    async def main() -> list[str]:
        with pytest.raises(ValueError, match="late") as caught:
            await meter.run(fails())
        return [entry.name for entry in caught.traceback]

    assert loop.run_until_complete(main())[-1] == "fails"
    loop.close()


def test_waiting_for_nothing_is_said() -> None:
    loop = VirtualLoop()
    waits = loop.create_future()
    with pytest.raises(RuntimeError, match="no timer brings"):
        loop.run_until_complete(waits)
    waits.cancel()
    loop.close()


def test_the_alarm_waits_and_fires_once() -> None:
    alarm = Alarm()
    for second in range(0, 300, 10):
        alarm.see(second, 30.0 if second >= 100 else 0.0, 20.0)
    assert alarm.fired_at == 160
    assert alarm.value == 150.0
    assert alarm.payload()["alerts"][0]["startsAt"] == "2026-03-10T12:02:40Z"


def test_an_alarm_that_never_fired_is_no_demo() -> None:
    with pytest.raises(RuntimeError, match="never fired"):
        Alarm().payload()


@pytest.mark.soak
def test_the_same_seed_is_the_same_story(tmp_path: Path) -> None:
    recording = make(tmp_path)
    assert sum(recording.world.lines.values()) >= 50_000
    began = next(row[0] for row in recording.rows if row[1:3] == ("storefront", "http_5xx_pct") and float(row[3]) > 20)
    assert abs((moment(began) - moment(onset())).total_seconds()) <= 60
    assert (tmp_path / "deploys.json").read_bytes() == (DATA / "deploys.json").read_bytes()
