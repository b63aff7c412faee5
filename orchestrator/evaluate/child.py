"""The process of one case: a masked copy, the simple rules, then an investigation in a state home of its own.

Started by the pool with one line of JSON on standard input, which then stays open: when it ends, so does this.
Results are files in the case's own folder; labels are not known here.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import signal
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ConfigDict, JsonValue

from orchestrator.evaluate.cases import Case
from orchestrator.evaluate.views import View, ViewError, make_view
from subagents.contract import Frozen

if TYPE_CHECKING:
    from orchestrator.verdict.report_model import Report

BASELINES, RESULT, FAULT = "baselines.json", "result.json", "fault.txt"
"""What is left in the case's folder: answers of the rules, the document, and why there is none."""

UNUSABLE, PARENT_GONE = 2, 3
"""Exit statuses."""

PARK_S = 5.0
"""Longest that the removal of a case's folder waits for the work in it to stop."""

_MAIN = threading.get_ident()
_PARKED = threading.Event()


class Task(Frozen):
    """What the process is to do."""

    model_config = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    id: str
    family: str
    path: bytes
    """As the system names it, which need not be text."""
    shape: str
    engine: str
    version: str
    work: str
    """The case's own folder, there and empty."""
    memory_mib: int
    config: str | None = None


def main() -> int:
    """Carry out the task on standard input; return 0 with a result, 2 where the case cannot be used."""
    task = Task.model_validate_json(sys.stdin.buffer.readline())
    signal.signal(signal.SIGUSR1, _park)
    threading.Thread(target=_end_with_parent, args=(task.work,), name="lifeline", daemon=True).start()
    _bound_memory(task.memory_mib)
    work = Path(task.work)
    os.chdir(work)
    try:
        view = make_view(_case(task), work / "view" / "incident")
        _keep(work / BASELINES, _baselines(view))
        document = asyncio.run(_investigate(task, view, work))
    except ViewError as error:
        return _fault(work, str(error))
    except Exception as error:
        if type(error).__name__ in ("ComposeError", "SessionFault", "StateError"):
            return _fault(work, str(error))
        raise
    _keep(work / RESULT, document)
    return 0


def _case(task: Task) -> Case:
    from typing import cast

    from orchestrator.evaluate.cases import Shape

    return Case(task.id, task.family, Path(os.fsdecode(task.path)), cast(Shape, task.shape))


def _baselines(view: View) -> JsonValue:
    from orchestrator.evaluate.baselines.answers import baseline_answers

    try:
        return [answer.model_dump(mode="json") for answer in baseline_answers(view)]
    except (OSError, ValueError, RecursionError):
        return []


async def _investigate(task: Task, view: View, work: Path) -> JsonValue:
    from orchestrator.compose import Request, Surroundings, begin
    from orchestrator.journal.home import StateHome
    from orchestrator.verdict.document import document

    home = StateHome(work / "home")
    request = Request(
        inputs=(str(view.path.relative_to(work)),),  # no path of this machine comes onto the line
        engine=task.engine,
        incident=view.incident,
        config=Path(task.config) if task.config else None,
    )
    session = await begin(request, Surroundings(home, work, os.environ))
    try:
        await session.run()
        report = await asyncio.to_thread(_report, session.directory, session.journal.events())
        trouble = session.trouble
    finally:
        await session.close()
    made: JsonValue = document(report, task.version).model_dump(mode="json")
    return {"document": made, "trouble": trouble or (report.status_reason if report.verdict is None else "")}


def _report(directory: Path, events: object) -> Report:
    from collections.abc import Iterable
    from typing import cast

    from orchestrator.journal.blobs import BlobStore
    from orchestrator.journal.events import Event
    from orchestrator.verdict.report import build_report

    return build_report(cast("Iterable[Event]", events), BlobStore(directory).read)


def _keep(path: Path, value: JsonValue) -> None:
    spare = path.with_suffix(".part")
    spare.write_text(json.dumps(value))
    os.replace(spare, path)


def _fault(work: Path, message: str) -> int:
    (work / FAULT).write_text(message, errors="backslashreplace")
    return UNUSABLE


def _bound_memory(mib: int) -> None:
    """Bound what this process and its workers may allocate, each; what is mapped from files does not count."""
    if mib:
        bound = mib << 20
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        resource.setrlimit(resource.RLIMIT_DATA, (bound, bound if hard == resource.RLIM_INFINITY else min(bound, hard)))


def _end_with_parent(work: str) -> None:
    """Leave nothing behind where the pool is gone, which would have put it away."""
    # The bare descriptor: a thread that waits in a buffered reader holds its lock when the interpreter ends.
    while os.read(0, 4096):
        pass
    signal.pthread_kill(_MAIN, signal.SIGUSR1)
    _PARKED.wait(PARK_S)
    shutil.rmtree(work, ignore_errors=True)
    os._exit(PARENT_GONE)


def _park(number: int, frame: object) -> None:
    """Stop the work where it is, so that it makes nothing anew in a folder that is being removed."""
    _PARKED.set()
    while True:
        signal.pause()


if __name__ == "__main__":
    raise SystemExit(main())
