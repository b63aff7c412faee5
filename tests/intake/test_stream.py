"""Standard input, pipes and commands: bounded in bytes and time, and what came is kept."""

from __future__ import annotations

import asyncio
import io
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.intake.intake import take_in
from orchestrator.intake.model import Intake, IntakeError, IntakeLimits, IntakeOptions
from orchestrator.intake.stream import find_command
from tests.fakes import FakeClock
from tests.intake.folders import JSON_LOG, LOG, content, kinds, lines, spec, take

PYTHON = sys.executable
pytestmark = pytest.mark.timeout(60)


def options(**limits: float) -> IntakeOptions:
    return IntakeOptions(limits=IntakeLimits(**limits))  # type: ignore[arg-type]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for something that another process does."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  another process cannot set an event
            await asyncio.sleep(0.005)


def has_bytes(spool: Path) -> bool:
    return spool.exists() and any(path.stat().st_size for path in spool.iterdir())


async def test_a_log_on_standard_input(tmp_path: Path) -> None:
    found = await take("-", spool=tmp_path / "s", stdin=io.BytesIO(LOG * 10))
    assert kinds(found) == {"stdin": "logs"}
    source = spec(found, "stdin")
    assert source.origin == "-"
    assert content(source) == LOG * 10
    named = await take("-", spool=tmp_path / "s", stdin=io.BytesIO(LOG), options=IntakeOptions(stream_name="web.log"))
    assert kinds(named) == {"web.log": "logs"}
    assert spec(named, "web.log").path == str(tmp_path / "s" / "web.log")


async def test_a_pasted_alert_and_pasted_words(tmp_path: Path) -> None:
    alert = b'{"title": "search 5xx", "service": "search", "fired_at": "2026-03-01T12:00:00Z"}'
    found = await take("-", spool=tmp_path / "s", stdin=io.BytesIO(alert))
    assert found.specs == ()
    assert found.incident.alert is not None
    assert found.incident.service == "search"
    words = await take("-", spool=tmp_path / "s", stdin=io.BytesIO("Search is slow\nsince noon\n".encode("utf-16")))
    assert words.incident.title == "Search is slow"
    assert words.incident.text == "Search is slow\nsince noon"


async def test_nothing_on_standard_input(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="nothing usable came in: -: nothing came"):
        await take("-", spool=tmp_path / "s", stdin=io.BytesIO(b""))
    with pytest.raises(IntakeError, match="standard input is closed"):
        await take("-", spool=tmp_path / "s")


async def test_a_pipe_that_falls_silent(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, JSON_LOG)
    clock = FakeClock()
    with os.fdopen(read, "rb") as stdin, os.fdopen(write, "wb"):
        taking = asyncio.create_task(
            take_in(["-"], stdin=stdin, spool=tmp_path / "s", clock=clock, config=options(stream_idle_s=30))
        )
        await until(lambda: has_bytes(tmp_path / "s"))
        while not taking.done():
            clock.advance(1)
            await asyncio.sleep(0)
        found = await taking
    assert clock.monotonic() >= 30
    assert content(spec(found, "stdin")) == JSON_LOG
    assert "silent for 30 s" in lines(found)


async def test_a_stream_is_cut_at_its_cap(tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as out:
        out.write(LOG * 1000)
    with (tmp_path / "big").open("rb") as stdin:
        found = await take("-", spool=tmp_path / "s", stdin=stdin, options=options(stream_bytes=5000))
    assert len(content(spec(found, "stdin"))) == 5000
    assert "lost: the rest (after 5000 bytes, which are kept)" in lines(found)


async def test_a_named_pipe_never_waits_for_a_writer(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IntakeError, match="nothing came"):
        await take(tmp_path / "pipe", spool=tmp_path / "s")
    folder = tmp_path / "i"
    folder.mkdir()
    os.mkfifo(folder / "app.log")
    (folder / "real.log").write_bytes(LOG)
    found = await take(folder, spool=tmp_path / "s")
    assert kinds(found) == {"real.log": "logs"}
    assert "i/app.log: not used: a named pipe" in lines(found)


async def test_a_pipe_of_the_shell(tmp_path: Path) -> None:
    read, write = os.pipe()
    os.write(write, LOG)
    os.close(write)
    found = await take(f"/dev/fd/{read}", spool=tmp_path / "s")
    os.close(read)
    assert kinds(found) == {"pipe": "logs"}


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/null", "/dev/random", "/dev/tty"])
async def test_devices_are_not_read(tmp_path: Path, device: str) -> None:
    with pytest.raises(IntakeError, match="a device"):
        await take(device, spool=tmp_path / "s")


async def run(tmp_path: Path, *argv: str, config: IntakeOptions | None = None) -> Intake:
    return await take(spool=tmp_path / "s", command=argv, options=config)


async def test_a_command_gets_its_arguments_exactly(tmp_path: Path) -> None:
    code = "import sys; print('2026-03-01T12:00:00Z', sys.argv[1:], repr(sys.stdin.read()))"
    found = await run(tmp_path, PYTHON, "-c", code, "$HOME; echo x | cat > f", "*", "a b")
    source = found.specs[0]
    assert source.kind == "logs"
    assert content(source) == b"2026-03-01T12:00:00Z ['$HOME; echo x | cat > f', '*', 'a b'] ''\n"
    assert source.origin.startswith(PYTHON)
    assert os.listdir(tmp_path) == ["s"]


async def test_a_failing_command_keeps_what_came(tmp_path: Path) -> None:
    code = (
        "import sys; print('2026-03-01T12:00:00Z up', flush=True); sys.stderr.write('no\\x1b[2Jsuch pod'); sys.exit(3)"
    )
    found = await run(tmp_path, PYTHON, "-c", code)
    assert content(found.specs[0]) == b"2026-03-01T12:00:00Z up\n"
    text = lines(found)
    assert "ended with exit status 3; it wrote: no\\x1b[2Jsuch pod" in text
    assert "\x1b" not in text


async def test_a_failing_command_with_no_output_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(IntakeError, match="exit status 1; it wrote: denied"):
        await run(tmp_path, PYTHON, "-c", "import sys; sys.exit('denied')")
    with pytest.raises(IntakeError, match="command not found"):
        await run(tmp_path, "no-such-program-here")
    with pytest.raises(IntakeError, match="cannot be run"):
        await run(tmp_path, str(tmp_path))


async def test_an_endless_command_is_cut_and_ended(tmp_path: Path) -> None:
    code = "import os\nwhile True: os.write(1, b'2026-03-01T12:00:00Z x\\n' * 1000)"
    found = await run(tmp_path, PYTHON, "-c", code, config=options(stream_bytes=1 << 20))
    assert len(content(found.specs[0])) == 1 << 20
    assert "more than 1 MiB" in lines(found)


async def test_ctrl_c_stops_the_command_and_keeps_what_came(tmp_path: Path) -> None:
    code = "import os, time\nos.write(1, b'2026-03-01T12:00:00Z up\\n')\ntime.sleep(600)"
    before = signal.getsignal(signal.SIGINT)
    taking = asyncio.create_task(run(tmp_path, PYTHON, "-c", code))
    spool = tmp_path / "s"
    await until(lambda: has_bytes(spool) or taking.done())
    os.kill(os.getpid(), signal.SIGINT)
    found = await taking
    assert content(found.specs[0]) == b"2026-03-01T12:00:00Z up\n"
    assert "stopped by Ctrl-C" in lines(found)
    assert signal.getsignal(signal.SIGINT) is before


async def test_what_a_command_leaves_behind_is_ended(tmp_path: Path) -> None:
    mark = tmp_path / "child"
    child = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    code = (
        f"import subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}]); print('2026-03-01T12:00:00Z x')"
    )
    clock = FakeClock()
    taking = asyncio.create_task(
        take_in([], command=[PYTHON, "-c", code], spool=tmp_path / "s", clock=clock, config=options(command_idle_s=60))
    )
    await until(lambda: mark.exists() and bool(mark.read_text()))
    pid = int(mark.read_text())
    async with asyncio.timeout(20):
        while not taking.done():
            await asyncio.sleep(0.005)
            clock.advance(0.5)
    found = await taking
    assert content(found.specs[0]) == b"2026-03-01T12:00:00Z x\n"
    await until(lambda: not _lives(pid))


def _lives(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_relative_entries_of_the_path_do_not_count(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "warroom-test-program"
    program.write_text("#!/bin/sh\ntouch ran\n")
    program.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f".::bin:{os.defpath}")
    assert find_command(program.name) is None
    monkeypatch.setenv("PATH", f".:{tmp_path}")
    assert find_command(program.name) == str(program)


async def test_a_streams_copy_does_not_look_like_a_services_log(tmp_path: Path) -> None:
    """Readers take a service from a file's stem."""
    for _ in range(2):
        found = await run(tmp_path, PYTHON, "-c", "print('2026-03-01T12:00:00Z x')")
        assert found.specs[0].id.startswith("command-python")
        assert found.specs[0].path.rpartition("/")[2].partition(".")[0] == "stdout"


@pytest.mark.parametrize("name", ["", "readme.bin"])
async def test_where_nothing_is_usable_what_is_read_is_said(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text("hello\n")
    with pytest.raises(IntakeError, match="what is read: logs, metrics, deploys, alerts"):
        await take(tmp_path, spool=tmp_path / "s")
