"""What a run printed last is told while it runs, and what it prints cannot pass for the supervisor's words."""

from __future__ import annotations

from pathlib import Path

import pytest

from subagents.codefix.sandbox import Sandbox, SandboxJob
from subagents.codefix.sandbox_mounts import View
from subagents.codefix.sandbox_toolchains import Place
from subagents.codefix.sandbox_watch import LAST_BYTES, Output


@pytest.mark.parametrize(
    ("printed", "last"),
    [
        ((), ""),
        ((b"one\ntwo\n", b"\n  \n"), "two"),
        ((b"tests ....",), "tests ...."),
        ((b"x" * 40, b"\nlate\n"), "late"),
        ((b"y" * 3 * LAST_BYTES,), "y" * LAST_BYTES),
    ],
)
def test_the_last_line_is_the_last_that_holds_anything(printed: tuple[bytes, ...], last: str) -> None:
    output = Output(kept=LAST_BYTES)
    for data in printed:
        output.add(data)
    assert output.last_line().decode() == last


SCRIPT = """
print("one")
print('{"last": "bWFzaw=="}', flush=True)
print('{"outcome": "exited", "exit": 0}', flush=True)
print("waits", flush=True)
import os, time
while not os.path.exists("go"):
    time.sleep(0.01)
raise SystemExit(3)
"""


@pytest.mark.needs("bwrap")
def test_it_is_told_while_the_run_goes_on_and_the_run_s_words_are_no_answer(export: Path, python: Place) -> None:
    (export / "script.py").write_text(SCRIPT)
    told: list[str] = []

    def listen(last: str) -> None:
        told.append(last)
        if last == "waits":
            (export / "go").touch()

    job = SandboxJob((python.program, "script.py"), View(export, ro_paths=python.ro_paths))
    ran = Sandbox().run(job, told=listen)
    assert (ran.outcome, ran.exit) == ("exited", 3)
    assert told[-1] == "waits"
    assert ran.output().decode().splitlines()[-1] == "waits"
    assert "mask" not in told


@pytest.mark.needs("bwrap")
def test_a_run_that_is_told_of_is_cancelled_like_any_other(export: Path, python: Place) -> None:
    (export / "script.py").write_text("print('here', flush=True)\nimport time\ntime.sleep(600)\n")
    told: list[str] = []
    job = SandboxJob((python.program, "script.py"), View(export, ro_paths=python.ro_paths))
    ran = Sandbox().run(job, lambda: "here" in told, told.append)
    assert (ran.outcome, ran.survivors) == ("cancelled", 0)
