"""`warroom sessions`: what is kept."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.lazy import LazyGroup, Listed

if TYPE_CHECKING:
    from orchestrator.journal.index import SessionRow

COMMANDS = {
    "list": Listed("tui.commands.sessions:list_sessions", "List sessions, newest first."),
    "show": Listed("tui.commands.sessions:show", "Show one session: status, verdict, integrity."),
    "resume": Listed("tui.commands.resume:resume", "Continue a session that stopped."),
    "budget": Listed("tui.commands.budget:budget", "Show what a session used, and raise its budget."),
    "export": Listed("tui.commands.sessions:export", "Write a session's journal as JSON lines."),
    "revoke": Listed("tui.commands.waiting:revoke", "Take back a yes that was given for a whole session."),
    "archive": Listed("tui.commands.archiving:archive", "Archive a session at its server, read-only for good."),
    "delete": Listed("tui.commands.removal:delete", "Delete sessions, here and at their server, in two steps."),
}


@click.group(cls=LazyGroup, listed=COMMANDS)
def sessions() -> None:
    """List, show, resume, bound, export and delete sessions. The start of an id is enough where it is unique."""


@click.command("list")
@click.option("--json", "as_json", is_flag=True, help="As a JSON array; with --remote an object of both lists.")
@click.option("--remote", is_flag=True, help="Also those that Claude Managed Agents keep, whoever began them.")
@click.option("--status", "statuses", multiple=True, metavar="STATUS", help="Only done, running, …; repeatable.")
@click.option("--since", metavar="TIME", help="Only begun since: ISO 8601 with a zone, or an age such as 7d.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
def list_sessions(
    as_json: bool, remote: bool, statuses: tuple[str, ...], since: str | None, config: Path | None
) -> int | None:
    """List sessions, newest first. Exit status 3 where those of the server could not be listed."""
    from orchestrator.journal.index import Index
    from tui.commands.listing import chosen, wanted_of
    from tui.commands.opening import clear_faults, state_home
    from tui.commands.output import to_stdout

    wanted = wanted_of(statuses, since)
    with clear_faults():
        rows = chosen(Index(state_home()).rows(), wanted)
    if remote:
        from tui.commands.listing import list_both

        return list_both(rows, "" if as_json else _shown(rows), wanted, config)
    if as_json:
        to_stdout(json.dumps([row.model_dump(mode="json") for row in rows], indent=2) + "\n")
    elif not rows and (statuses or since):
        to_stdout("No such sessions.\n")
    else:
        to_stdout(_shown(rows))
    return None


def _shown(rows: list[SessionRow]) -> str:
    return _table(rows) if rows else "No sessions yet: `warroom run PATH` starts one.\n"


def _cut_short(rows: list[SessionRow]) -> frozenset[str]:
    """Return the sessions that were at work when their process ended: none works on them now."""
    from orchestrator.journal.lock import is_live
    from tui.commands.opening import state_home

    working = (row.id for row in rows if row.status in ("running", "rescheduling"))
    return frozenset(name for name in working if not is_live(state_home().session_dir(name)))


def _table(rows: list[SessionRow]) -> str:
    from orchestrator.journal.text import clean
    from tui.views.standing import CUT_OFF, standing, verdict_words

    cut = _cut_short(rows)
    lines = [("SESSION", "INCIDENT", "STATUS", "VERDICT", "EVENTS", "UPDATED (UTC)", "TITLE")]
    for row in rows:
        status = "damaged" if row.problem else CUT_OFF if row.id in cut else standing(row.status, row.reason)
        waiting = f", {len(row.approvals)} to decide" if row.approvals else ""
        lines.append(
            (
                row.id,
                str(clean(row.incident, newlines=False, limit=20)),
                str(clean(status + waiting, newlines=False, limit=32)),
                verdict_words(row.verdict),
                str(row.events),
                _stamp(row.updated),
                str(clean(row.problem or row.title, newlines=False, limit=60)),
            )
        )
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    padded = ("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)) for line in lines)
    return "".join(line.rstrip() + "\n" for line in padded)


def _stamp(at: datetime | None) -> str:
    return at.strftime("%Y-%m-%d %H:%M") if at else "-"


@click.command()
@click.argument("session")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def show(session: str, as_json: bool) -> None:
    """Show one session: status, verdict, what waits for you, how far its journal can be trusted, where it is kept."""
    from orchestrator.hands.budget_fold import BUDGET_TYPES
    from orchestrator.hands.budget_summary import summary_of
    from orchestrator.journal.index import summarise
    from orchestrator.journal.reader import JournalReader
    from orchestrator.journal.redactions import REDACTION_TYPES, RedactionCount
    from orchestrator.journal.text import clean
    from tui.commands.opening import clear_faults, session_folder
    from tui.commands.output import to_stdout
    from tui.commands.waiting import WAITING_TYPES, Waiting

    folder = session_folder(session)
    with clear_faults():
        row = summarise(folder)
        with JournalReader.open(folder) as reader:
            reader.verify()
            integrity, live, head = reader.words, reader.live, reader.head
            spent = summary_of(reader.events(types=BUDGET_TYPES))
            waiting = Waiting(reader.events(types=WAITING_TYPES))
            redactions = RedactionCount()
            for event in reader.events(types=REDACTION_TYPES):
                redactions.learn(event)
            whole = reader.integrity.whole and not reader.newer
    if as_json:
        shown = {**row.model_dump(mode="json"), "integrity": integrity, "open_elsewhere": live, "hash": head.hash}
        budget = spent.model_dump(mode="json") if spent.worth_saying else None
        shown |= {**waiting.as_json(), "redactions": redactions.total}
        to_stdout(json.dumps({**shown, "budget": budget, "folder": str(folder)}, indent=2) + "\n")
        return
    # What is not whole is not continued, and what another window has open is only watched here.
    again = "open" if live else "sessions resume" if whole else "sessions export"
    details = _details(row, folder, integrity, live)
    if spent.worth_saying:
        details.append(("used", spent.meter or "nothing of what is bounded"))
    if redactions.words:
        details.append(("redacted", redactions.words))
    details.append(("next", f"warroom report {row.id}   or   warroom {again} {row.id}"))
    lines = [f"{name:<10} {clean(text, newlines=False)}" for name, text in details]
    to_stdout("\n".join([*lines, *waiting.lines(row.id), ""]))


def _status(row: SessionRow, live: bool) -> str:
    from tui.views.standing import CUT_OFF, standing

    if row.status in ("running", "rescheduling") and not live:
        return f"{CUT_OFF}: its process ended while it was at work; resume goes on"
    return standing(row.status, row.reason) + (" (open in another warroom)" if live else "")


def _details(row: SessionRow, folder: Path, integrity: str, live: bool) -> list[tuple[str, str]]:
    from tui.views.standing import verdict_words

    return [
        ("session", row.id),
        ("incident", f"{row.incident} {row.title}"),
        ("service", row.service or "-"),
        ("engine", row.engine),
        ("status", _status(row, live)),
        *(
            [("server", f"{row.remote}{'' if row.hands else ', watched only: others carry out its calls'}")]
            * bool(row.remote)
        ),
        ("verdict", verdict_words(row.verdict)),
        ("approvals", f"{len(row.approvals)} waiting"),
        ("created", _stamp(row.created)),
        ("updated", _stamp(row.updated)),
        ("events", str(row.events)),
        ("journal", integrity),
        ("folder", str(folder)),
    ]


@click.command()
@click.argument("session")
@click.option(
    "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to FILE instead of standard output."
)
def export(session: str, out: Path | None) -> None:
    """Write a session's journal as JSON lines; a damaged one too, as far as it can be read."""
    import asyncio

    from orchestrator.journal.export import export as write_all
    from tui.commands.faults import Fault, narrate
    from tui.commands.opening import open_reader
    from tui.commands.output import refuse_unwritable

    if out is not None:
        refuse_unwritable(out)
    with open_reader(session) as reader:
        try:
            integrity = asyncio.run(write_all(reader, out))
        except BrokenPipeError:
            raise
        except OSError as error:
            raise Fault(f"{out or 'standard output'}: the export was cut short ({error.strerror})") from error
    if not integrity.whole:
        narrate(f"warroom: exported what can be read; the journal is {integrity.words}")
