"""A headless session from begin to end: progress, Ctrl-C, the result, the exit status."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tui.commands.faults import ENGINE_FAILED, INTERRUPTED, Fault, complain, narrate
from tui.commands.opening import clear_faults, on_terminal
from tui.commands.output import refuse_unwritable, to_file, to_stdout
from tui.commands.progress import Narrator

if TYPE_CHECKING:
    from orchestrator.compose import Request, Surroundings
    from orchestrator.engines.base import StopReason
    from orchestrator.session import Session
    from orchestrator.verdict.report_model import Report


@dataclass(frozen=True)
class Presentation:
    """How a run is shown."""

    document: bool
    """One JSON document on standard output; else a report for people."""
    out: Path | None = None
    quiet: bool = False


def presentation_from(given: Mapping[str, Any]) -> Presentation:
    """Read it from the options of a command; without a terminal it is always the document."""
    machine = given.get("headless") or given.get("as_json") or not on_terminal()
    return Presentation(bool(machine), given.get("out"), bool(given.get("quiet")))


def request_from(given: Mapping[str, Any], command: tuple[str, ...] | None) -> Request:
    """Read the request from the options of `run`; raises Fault for a time that is none."""
    from orchestrator.compose import Request
    from subagents.clock import SystemClock
    from tui.commands.budget import budget_from
    from tui.commands.times import moment

    now = SystemClock().now()
    if "-" in given["paths"] and sys.stdin is not None and sys.stdin.isatty():
        narrate("warroom: reading standard input: paste the alert or the log, then press Ctrl-D on a line of its own")
    return Request(
        inputs=given["paths"],
        command=command or (),
        repos=given["repos"],
        engine=given["engine"],
        title=given["title"],
        service=given["service"],
        incident=given["incident"],
        since=moment(given["since"], now) if given["since"] else None,
        until=moment(given["until"], now) if given["until"] else None,
        config=given["config"],
        budgets=budget_from(given["budget"]) if given.get("budget") else None,
    )


def investigate(request: Request, shown: Presentation) -> int:
    """Start a session on a request and run it; return the exit status."""
    from orchestrator.compose import begin

    return _carry_through(lambda around: begin(request, around), shown, Narrator(shown.quiet))


def continue_session(session_id: str, shown: Presentation, config: Path | None = None) -> int:
    """Open a session and run it; return the exit status."""
    from orchestrator.compose import take_up

    async def opening(around: Surroundings) -> Session:
        session = await take_up(session_id, around, config)
        narrator.told = session.journal.head.seq
        return session

    narrator = Narrator(shown.quiet)
    return _carry_through(opening, shown, narrator)


Opening = Callable[["Surroundings"], Awaitable["Session"]]


def _carry_through(opening: Opening, shown: Presentation, narrator: Narrator) -> int:
    if shown.out is not None:
        refuse_unwritable(shown.out)
    return asyncio.run(_open_and_run(opening, shown, narrator))


async def _open_and_run(opening: Opening, shown: Presentation, narrator: Narrator) -> int:
    from orchestrator.compose import ComposeError, Surroundings
    from orchestrator.session import SessionFault

    with clear_faults():
        try:
            session = await opening(Surroundings.of_process())
        except ComposeError as error:
            for problem in error.problems[1:]:
                narrator.problem(problem)
            raise Fault(str(error)) from error
        except SessionFault as error:
            raise Fault(str(error)) from error
        session.on_full_disk(narrator.say)
        session.on_call_preview(narrator.call_preview)
        narrator.meter = session.budget.meter
        try:
            if session.was_doing:
                narrator.say(f"the last run was at {', '.join(session.was_doing)}")
            stop = await _run(session, narrator)
            made = await asyncio.to_thread(_report_of, session)
            trouble, watched = session.trouble, session.watches
        finally:
            await session.close()
    await _present(made, shown)
    if made.verdict is not None and not shown.document:
        complain(made.verdict.headline)  # the report is long: the answer is what stays on the screen
    return _watched_status(stop, made) if watched else _exit_status(stop, made, trouble)


async def _run(session: Session, narrator: Narrator) -> StopReason:
    """Run with progress on standard error; the first Ctrl-C interrupts, the second quits at once."""
    follower = asyncio.create_task(_follow(session, narrator), name="narrator")
    stopping: list[asyncio.Task[None]] = []

    def stop() -> None:
        if stopping:
            os._exit(INTERRUPTED)  # the journal is whole at every moment; nothing is waited for
        narrator.say("stopping; press Ctrl-C again to quit at once")
        stopping.append(asyncio.create_task(session.interrupt(), name="interrupt"))

    loop = asyncio.get_running_loop()
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    for number in signals:
        loop.add_signal_handler(number, stop)
    try:
        reason = await session.run()
        await asyncio.gather(*stopping)
        return reason
    finally:
        for number in signals:
            loop.remove_signal_handler(number)
        follower.cancel()
        with suppress(asyncio.CancelledError):
            await follower
        for event in session.journal.events(narrator.told):
            narrator.event(event)
        narrator.clear()


async def _follow(session: Session, narrator: Narrator) -> None:
    async for event in session.subscribe(narrator.told):
        narrator.event(event)


def _report_of(session: Session) -> Report:
    from orchestrator.journal.blobs import BlobStore
    from orchestrator.verdict.report import build_report

    return build_report(session.journal.events(), BlobStore(session.directory).read)


async def _present(made: Report, shown: Presentation) -> None:
    from orchestrator.verdict.document import document, to_json
    from tui.commands.report import render
    from tui.commands.version import version

    result = to_json(document(made, version()))
    if shown.out is not None:
        text = render(made, "markdown") if shown.out.suffix == ".md" else result
        await to_file(shown.out, text)
        narrate(f"warroom: written to {shown.out}")
    to_stdout(result if shown.document else render(made, "markdown"), f"it is kept: warroom report {made.session}")


def _watched_status(stop: StopReason, made: Report) -> int:
    """Say how watching ended: it is others' session, so what it came to is no failure here."""
    again = f"watch it again with: warroom sessions resume {made.session}"
    if stop == "interrupted":
        complain(f"no longer watched; it goes on at the server; {again}")
        return INTERRUPTED
    if stop == "error":
        complain(f"it cannot be watched ({made.status_reason}); {again}")
        return ENGINE_FAILED
    narrate(f"warroom: at rest at the server ({stop.replace('_', ' ')}); {again}")
    return 0


def _exit_status(stop: StopReason, made: Report, trouble: str) -> int:
    again = f"resume it with: warroom sessions resume {made.session}"
    if stop == "interrupted":
        complain(f"interrupted; what was found is kept; {again}")
        return INTERRUPTED
    if stop in ("error", "retries_exhausted", "refusal") or made.verdict is None:
        why = trouble or made.status_reason or stop
        what = "the engine gave no verdict" if made.verdict is None else "the engine stopped"
        complain(f"{what} ({why}); what was found is kept; {again}")
        return ENGINE_FAILED
    if stop == "budget_reached":
        complain(made.status_reason.partition(": ")[2])
    narrate(f"warroom: report: warroom report {made.session}")
    if any(fix.standing == "waits" for fix in made.fixes):
        narrate(f"warroom: a fix waits for your decision: warroom fix show {made.session}")
    return 0
