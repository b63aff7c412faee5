"""`warroom sessions delete` and `warroom purge`: deletion in two steps, of what is below the state directory only."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from tui.commands.confirm import Doomed, confirmed
from tui.commands.faults import Fault, complain, narrate
from tui.commands.times import age

if TYPE_CHECKING:
    from orchestrator.journal.home import StateHome
    from orchestrator.journal.index import SessionRow


@click.command()
@click.argument("names", nargs=-1, required=True, metavar="SESSION...")
@click.option("--confirm", "token", metavar="TOKEN", help="The token that the first step printed.")
def delete(names: tuple[str, ...], token: str | None) -> int:
    """Delete SESSIONs for good: journal, results, drafts. The first call shows what would go and prints a token."""
    from orchestrator.journal.index import summarise
    from tui.commands.opening import clear_faults, state_home

    home = state_home()
    with clear_faults():
        found = list(dict.fromkeys(home.find(name) for name in names))
        rows = [summarise(home.session_dir(name)) for name in found]
    return _remove(home, rows, token, f"warroom sessions delete {' '.join(shlex.quote(name) for name in names)}")


@click.command()
@click.option("--older-than", "older", required=True, metavar="AGE", help="Such as 30d: not changed for that long.")
@click.option("--confirm", "token", metavar="TOKEN", help="The token that the first step printed.")
def purge(older: str, token: str | None) -> int:
    """Delete sessions that have not changed for AGE. The first call shows what would go and prints a token."""
    from orchestrator.journal.index import Index
    from subagents.clock import SystemClock
    from tui.commands.opening import clear_faults, state_home

    home, limit = state_home(), age(older)
    with clear_faults():
        rows = Index(home).rows()
    _finish_what_crashed(home)
    try:
        before = SystemClock().now() - limit
    except OverflowError:
        rows = []
    else:
        rows = [row for row in rows if row.updated is not None and row.updated < before]
    if not rows:
        if token is not None:
            raise Fault(f"nothing is older than {older}; nothing was deleted")
        narrate(f"No session is older than {older}.")
        return 0
    return _remove(home, rows, token, f"warroom purge --older-than {older}")


def _finish_what_crashed(home: StateHome) -> None:
    """Take away deletions that were cut short, and copies of input for sessions that never began."""
    from orchestrator.compose import SPOOL
    from orchestrator.journal.removal import sweep, sweep_unbegun
    from subagents.clock import SystemClock

    yesterday = SystemClock().now().timestamp() - 24 * 3600
    sweep(home.sessions)
    sweep_unbegun(home.sessions, yesterday)
    sweep(home.path, SPOOL, yesterday)


def _remove(home: StateHome, rows: Sequence[SessionRow], token: str | None, again: str) -> int:
    from orchestrator.journal.faults import JournalError, StateError
    from orchestrator.journal.index import Index
    from orchestrator.journal.removal import remove_session

    if not confirmed([_doomed(home, row) for row in rows], token, again):
        return 0
    failed = 0
    for row in rows:
        try:
            remove_session(home.sessions, row.id)
        except (StateError, JournalError) as error:
            failed += 1
            complain(str(error))
        else:
            Index(home).forget(row.id)
            narrate(f"deleted {row.id}")
    return 2 if failed else 0


def _doomed(home: StateHome, row: SessionRow) -> Doomed:
    from orchestrator.journal.text import clean

    updated = row.updated.strftime("%Y-%m-%d %H:%M UTC") if row.updated else "never written"
    what = clean(f"{row.incident} {row.title}", newlines=False, limit=80)
    waiting = f", {len(row.approvals)} approvals waiting" if row.approvals else ""
    shown = f"{row.id}  {what}  ({row.events} events, last {updated}{waiting})  {home.session_dir(row.id)}"
    return Doomed(shown=shown, state=f"{row.events} {row.updated}")
