"""`warroom sessions delete` and `warroom purge`: deletion in two steps, here and at the server that keeps it too."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from subagents.quantities import counted
from tui.commands.confirm import Doomed, confirmed
from tui.commands.faults import ENGINE_FAILED, USAGE, Fault, complain, narrate
from tui.commands.times import age

if TYPE_CHECKING:
    from orchestrator.engines.managed.reach import Reach
    from orchestrator.journal.home import StateHome
    from orchestrator.journal.index import SessionRow

F = TypeVar("F", bound=Callable[..., object])


@dataclass(frozen=True)
class Terms:
    """How far a deletion goes."""

    local_only: bool = False
    foreign: bool = False
    config: Path | None = None

    @property
    def again(self) -> str:
        """The options that say so."""
        given = [" --local-only" * self.local_only, " --foreign" * self.foreign]
        config = f" --config {shlex.quote(str(self.config))}" if self.config else ""
        return "".join(given) + config


def _options(command: F) -> F:
    for option in (
        click.option("--confirm", "token", metavar="TOKEN", help="The token that the first step printed."),
        click.option("--local-only", is_flag=True, help="Leave what a server keeps where it is."),
        click.option("--foreign", is_flag=True, help="Also what another installation made or drives at the server."),
        click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml."),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="SESSION...")
@_options
def delete(names: tuple[str, ...], token: str | None, local_only: bool, foreign: bool, config: Path | None) -> int:
    """Delete SESSIONs for good: journal, results, drafts, and what a server keeps of them.

    The first call shows what would go and prints a token. A session that runs at the server is interrupted first. One
    that cannot be deleted there is kept here, so that it can be tried again.
    """
    from orchestrator.journal.index import summarise
    from tui.commands.opening import clear_faults, state_home

    home = state_home()
    with clear_faults():
        found = list(dict.fromkeys(home.find(name) for name in names))
        rows = [summarise(home.session_dir(name)) for name in found]
    again = f"warroom sessions delete {' '.join(shlex.quote(name) for name in names)}"
    return _remove(home, rows, token, again, Terms(local_only, foreign, config))


@click.command()
@click.option("--older-than", "older", required=True, metavar="AGE", help="Such as 30d: not changed for that long.")
@click.option("--remote", is_flag=True, help="Instead: what this installation left at the server and keeps not here.")
@_options
def purge(older: str, remote: bool, token: str | None, local_only: bool, foreign: bool, config: Path | None) -> int:
    """Delete sessions that have not changed for AGE, here and at their server, in two steps as `sessions delete`."""
    from orchestrator.journal.index import Index
    from tui.commands.opening import clear_faults, state_home

    home, before = state_home(), _moment_before(older)
    if remote:
        from tui.commands.strays import purge_strays

        if local_only or foreign:
            raise Fault("--remote deletes only what is at the server and ours: neither --local-only nor --foreign")
        return purge_strays(older, before, token, config)
    with clear_faults():
        rows = Index(home).rows()
    _finish_what_crashed(home)
    rows = [row for row in rows if before is not None and row.updated is not None and row.updated < before]
    if not rows:
        if token is not None:
            raise Fault(f"nothing is older than {older}; nothing was deleted")
        narrate(f"No session is older than {older}.")
        return 0
    return _remove(home, rows, token, f"warroom purge --older-than {older}", Terms(local_only, foreign, config))


def _moment_before(older: str) -> datetime | None:
    """Return the time that lies an age back; None for one before all time."""
    from subagents.clock import SystemClock

    limit = age(older)
    try:
        return SystemClock().now() - limit
    except OverflowError:
        return None


def _finish_what_crashed(home: StateHome) -> None:
    """Take away deletions that were cut short, and copies of input for sessions that never began."""
    from orchestrator.compose import SPOOL
    from orchestrator.journal.removal import sweep, sweep_unbegun
    from subagents.clock import SystemClock

    yesterday = SystemClock().now().timestamp() - 24 * 3600
    sweep(home.sessions)
    sweep_unbegun(home.sessions, yesterday)
    sweep(home.path, SPOOL, yesterday)


def _remove(home: StateHome, rows: Sequence[SessionRow], token: str | None, again: str, terms: Terms) -> int:
    there = [] if terms.local_only else [row for row in rows if row.remote or row.asked]
    if len(rows) > 1 and there:
        narrate(f"{counted(len(rows), 'session')}, {len(there)} of them with a session at a server.")
    if not confirmed([_doomed(home, row, terms) for row in rows], token, again + terms.again):
        return 0
    return asyncio.run(_remove_all(home, rows, terms))


async def _remove_all(home: StateHome, rows: Sequence[SessionRow], terms: Terms) -> int:
    from orchestrator.engines.managed.removal import Removal
    from orchestrator.journal.faults import JournalError, StateError
    from subagents.clock import SystemClock

    status = 0
    needed = not terms.local_only and any(row.remote or row.asked for row in rows)
    async with _way(terms, needed) as reach:
        removal = Removal(home, SystemClock(), lambda words: narrate(f"warroom: {words}"), reach, terms.foreign)
        for row in rows:
            if (row.remote or row.asked) and needed and reach is None:
                what = row.remote or "what was made of it at the server"
                complain(f"{row.id} is kept, as {what} cannot be deleted; --local-only deletes it only here")
                status = status or USAGE
                continue
            try:
                narrate(f"{await removal.remove(row)} {row.id}")
            except (StateError, JournalError) as error:
                status = USAGE
                complain(str(error))
            except Exception as error:
                complain(f"{row.id} is kept here: {_remote_words(error, reach)}; try again, or --local-only")
                status = status or ENGINE_FAILED
    return status


def _remote_words(error: Exception, reach: Reach | None) -> str:
    """Return why something could not be done at the server; raises what is a defect of ours."""
    from orchestrator.engines.managed.deletion import NotEnded
    from orchestrator.engines.managed.reach import explained

    words = str(error) if isinstance(error, NotEnded) else explained(error, reach.to) if reach is not None else ""
    if not words:
        raise error
    return words


@asynccontextmanager
async def _way(terms: Terms, needed: bool) -> AsyncIterator[Reach | None]:
    """Yield the way to the server; None where none is needed, or where there is none, which is said."""
    from orchestrator.asked import ComposeError, Surroundings
    from orchestrator.attaching import reach_here
    from orchestrator.journal.faults import StateError

    reach: Reach | None = None
    if needed:
        try:
            reach = reach_here(Surroundings.of_process(), terms.config)
        except (ComposeError, StateError) as error:
            complain(str(error))
    if reach is None:
        yield None
        return
    async with reach.client:
        yield reach


def _doomed(home: StateHome, row: SessionRow, terms: Terms) -> Doomed:
    from orchestrator.journal.text import clean

    updated = row.updated.strftime("%Y-%m-%d %H:%M UTC") if row.updated else "never written"
    what = clean(f"{row.incident} {row.title}", newlines=False, limit=80)
    waiting = f", {counted(len(row.approvals), 'approval')} waiting" if row.approvals else ""
    shown = f"{row.id}  {what}  ({row.events} events, last {updated}{waiting})  {home.session_dir(row.id)}"
    if row.asked and not row.remote:
        where = "stays" if terms.local_only else "goes too"
        shown += f"  a session for it may have been made at a server, and {where}"
    if row.remote:
        shown += f"  {'without' if terms.local_only else 'and'} {row.remote} at its server"
        if not row.hands and not terms.local_only:
            shown += ", which others drive: it goes too" if terms.foreign else ", unless others made or drive it"
    return Doomed(shown=shown, state=f"{row.events} {row.updated} {terms.foreign}")
