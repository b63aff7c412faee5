"""Runs cases side by side, each in a process, a folder and a state home of its own."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from orchestrator.evaluate.cases import Case
from orchestrator.evaluate.child import BASELINES, FAULT, RESULT, UNUSABLE, Task
from orchestrator.evaluate.digests import digest_of
from orchestrator.evaluate.lines import BaselineAnswer, EvalLine, Failure
from orchestrator.evaluate.processes import kill_tree
from orchestrator.verdict.document import VerdictDocument
from subagents.contract import Clock, Frozen

_ANSWERS = TypeAdapter(tuple[BaselineAnswer, ...])
LEAST_FREE = 64 << 20
"""Bytes of room that a case needs: where there is less it would wait for some until its time is over."""
_SAID = 600
"""Most characters of a failure's words on a line."""
CHILD: tuple[str, ...] = (sys.executable, "-P", "-m", "orchestrator.evaluate.child")


class _Result(Frozen):
    document: VerdictDocument
    trouble: str


class PoolError(Exception):
    """No case can be run; the message is one line for people."""


@dataclass(frozen=True)
class Setting:
    """What is the same for every case of a run."""

    engine: str
    version: str
    build: str
    clock: Clock
    jobs: int = 1
    timeout_s: float = 300.0
    memory_mib: int = 4096
    """Most that a case's process, and each worker of it, may allocate; 0: no bound."""
    keep: Path | None = None
    """Where the folders of the cases are kept; None: they are removed."""
    config: Path | None = None
    retry: bool = False
    """Cases whose line says that they failed run again."""
    state: Path | None = None
    """The person's own state directory, for what an engine has registered there."""
    command: Sequence[str] = field(default_factory=lambda: CHILD)
    """What a case's process is."""


@dataclass
class Pool:
    """Takes cases to their lines. `stop` ends it: what runs is killed and leaves no line."""

    setting: Setting
    running: set[str] = field(default_factory=set)
    """Ids of the cases that run now."""
    _stopped: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """Begin no more cases and kill those that run."""
        self._stopped.set()

    @property
    def stopped(self) -> bool:
        """Say whether it was told to stop."""
        return self._stopped.is_set()

    async def run(self, cases: Iterable[Case], done: Callable[[EvalLine], None]) -> None:
        """Run all cases; `done` gets each line as it is made, one at a time, and what it raises ends the run.

        Raises PoolError where no case can be run.
        """
        waiting = iter(cases)

        async def worker() -> None:
            for case in waiting:
                if self.stopped:
                    return
                line = await self._one(case)
                if line is not None:
                    done(line)

        workers = [asyncio.create_task(worker()) for _ in range(max(1, self.setting.jobs))]
        try:
            await asyncio.gather(*workers)
        finally:
            self.stop()
            await asyncio.gather(*workers, return_exceptions=True)

    async def _one(self, case: Case) -> EvalLine | None:
        self.running.add(case.id)
        work = Path(await asyncio.to_thread(_made))
        try:
            return await self._in(case, work)
        finally:
            self.running.discard(case.id)
            await asyncio.to_thread(_put_away, work, self.setting.keep, case)

    async def _in(self, case: Case, work: Path) -> EvalLine | None:
        clock, began = self.setting.clock, self.setting.clock.monotonic()
        digest = await asyncio.to_thread(digest_of, case)
        await asyncio.to_thread(_furnish, work, self.setting)
        process = await self._start(case, work)
        ended = asyncio.create_task(process.wait())
        stopped = asyncio.create_task(self._stopped.wait())
        try:
            await asyncio.wait((ended, stopped), timeout=self.setting.timeout_s, return_when=asyncio.FIRST_COMPLETED)
            in_time = ended.done()
        finally:
            await asyncio.to_thread(kill_tree, process.pid)
            stopped.cancel()
            await ended
            if process.stdin is not None:
                process.stdin.close()
        if not in_time and self.stopped:
            return None
        status = ended.result() if in_time else None
        line = await asyncio.to_thread(_line, case, work, self.setting, status)
        return line.model_copy(update={"input": digest, "elapsed": round(clock.monotonic() - began, 3)})

    async def _start(self, case: Case, work: Path) -> asyncio.subprocess.Process:
        setting = self.setting
        task = Task(
            id=case.id,
            family=case.family,
            path=os.fsencode(case.path),
            shape=case.shape,
            engine=setting.engine,
            version=setting.version,
            work=str(work),
            memory_mib=setting.memory_mib,
            config=str(setting.config) if setting.config else None,
        )
        with (work / "stderr").open("wb") as said:
            process = await asyncio.create_subprocess_exec(
                *setting.command,
                cwd="/",
                env=_environment(work),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=said,
                start_new_session=True,
            )
        if process.stdin is not None:
            process.stdin.write(task.model_dump_json().encode() + b"\n")
            with suppress(ConnectionError):
                await process.stdin.drain()
        return process


def _made() -> str:
    try:
        work = tempfile.mkdtemp("", "warroom-eval-")
        free = shutil.disk_usage(work).free
        if free < LEAST_FREE:
            os.rmdir(work)
            raise PoolError(
                f"{tempfile.gettempdir()} has {free >> 20} MiB left, and a case needs {LEAST_FREE >> 20} at least: "
                "make room there, or set TMPDIR to another place; the lines so far are kept, run it again"
            )
    except OSError as error:
        raise PoolError(f"no folder for a case can be made ({error.strerror or error}); see TMPDIR") from error
    return work


def without_settings(env: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which keys of engines are, and a person's settings of warroom are not."""
    return {name: value for name, value in env.items() if not name.startswith("WARROOM_")}


def _environment(work: Path) -> dict[str, str]:
    own = {"WARROOM_HOME": str(work / "home"), "XDG_CONFIG_HOME": str(work / "config"), "TZ": "UTC"}
    return {**without_settings(os.environ), **own, "PYTHONDONTWRITEBYTECODE": "1"}


def _furnish(work: Path, setting: Setting) -> None:
    """Give a hosted engine what `warroom agents sync` has registered; nothing else of the person's state."""
    home = work / "home"
    home.mkdir(mode=0o700)
    if setting.engine == "offline" or setting.state is None:
        return
    for name in ("managed.json", "redaction.key"):
        with suppress(FileNotFoundError):
            shutil.copyfile(setting.state / name, home / name)
            (home / name).chmod(0o600)


def _put_away(work: Path, keep: Path | None, case: Case) -> None:
    if keep is None:
        shutil.rmtree(work, ignore_errors=True)
        return
    target = keep / case.family / case.id
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(target, ignore_errors=True)
    shutil.move(work, target)


def _line(case: Case, work: Path, setting: Setting, status: int | None) -> EvalLine:
    """Make a case's line from what its process left; `status` None: it ran out of time."""
    blank = EvalLine(
        id=case.id,
        family=case.family,
        engine=setting.engine,
        warroom=setting.version,
        build=setting.build,
        baselines=_baselines(work),
    )
    if status is None:
        return _failed(blank, "timed out", f"no result within {setting.timeout_s:g} s")
    if status == UNUSABLE and (work / FAULT).exists():
        return _failed(blank, "unusable", (work / FAULT).read_text(errors="replace"))
    try:
        result = _Result.model_validate_json((work / RESULT).read_bytes())
    except (OSError, ValidationError):
        return _failed(blank, "crashed", _last_words(work, status))
    made = _of_document(blank, result.document)
    return made if made.verdict is not None else _failed(made, "no verdict", result.trouble)


def _of_document(blank: EvalLine, found: VerdictDocument) -> EvalLine:
    shared = ("kind", "culprit", "service", "services", "suspects", "confidence", "seconds", "verdict", "doubted")
    return blank.model_copy(update={name: getattr(found, name) for name in (*shared, "problems", "engine")})


def _failed(line: EvalLine, failure: Failure, words: str) -> EvalLine:
    return line.model_copy(update={"failure": failure, "error": " ".join(words.split())[:_SAID]})


def _baselines(work: Path) -> tuple[BaselineAnswer, ...]:
    try:
        return _ANSWERS.validate_json((work / BASELINES).read_bytes())
    except (OSError, ValidationError):
        return ()


def _last_words(work: Path, status: int) -> str:
    """Return how a process ended and the last line that it said."""
    how = f"killed by signal {-status}" if status < 0 else f"exit status {status}"
    with (work / "stderr").open("rb") as said:
        said.seek(max(0, said.seek(0, os.SEEK_END) - 4096))
        lines = [line.strip() for line in said.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return f"{how}: {lines[-1]}" if lines else how
