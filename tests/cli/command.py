"""The real command in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

WARROOM = Path(sys.executable).with_name("warroom")


STATE: str | None = None
"""The state directory, where it is not `state` in the test's home."""


@dataclass(frozen=True)
class Ran:
    """What a command did."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)

    def complaint(self) -> str:
        """Return the one line that says what was wrong; fail where it is not one clear line."""
        assert "Traceback" not in self.err + self.out
        lines = [line for line in self.err.splitlines() if line.startswith("warroom: ")]
        assert len(lines) == 1, self.err
        return lines[0]


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LC_ALL", "TMPDIR") if name in os.environ}
    return {**kept, "HOME": str(home), "WARROOM_HOME": STATE or str(home / "state"), "TZ": "UTC", **more}


def warroom(home: Path, *arguments: str, cwd: Path | None = None, stdin: str | None = None, **env: str) -> Ran:
    """Run the console script to its end."""
    ran = subprocess.run(
        [str(WARROOM), *arguments],
        input=stdin.encode() if stdin is not None else None,
        stdin=None if stdin is not None else subprocess.DEVNULL,
        capture_output=True,
        cwd=cwd or home,
        env=environment(home, **env),
        timeout=100,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout.decode(), ran.stderr.decode("utf-8", "replace"))


@dataclass(frozen=True)
class InProcess:
    """The same command in this process, where nothing but its words and its status matter: much faster."""

    home: Path
    capture: pytest.CaptureFixture[str]
    patch: pytest.MonkeyPatch

    def __call__(self, *arguments: str) -> Ran:
        from tui.cli import cli
        from tui.commands.faults import run_to_exit_status

        with self.patch.context() as patched:
            for name, value in environment(self.home).items():
                patched.setenv(name, value)
            patched.chdir(self.home)
            self.capture.readouterr()
            status = run_to_exit_status(cli, arguments)
        said = self.capture.readouterr()
        return Ran(status, said.out, said.err)


def settle(ran: Ran) -> Ran:
    """Return it if it finished; else fail with what it said."""
    assert ran.status == 0, ran.err[-3000:]
    assert "Traceback" not in ran.err
    return ran
