"""`warroom attach`: watch a session that a server keeps, or take over its hands."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.faults import Fault, narrate

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.attaching import Looked
    from orchestrator.engines.managed.reach import Reach

NOBODY_SAID_YES = 4
"""Exit status: what would be done was said, and nobody confirmed it."""


@click.command()
@click.argument("session", metavar="SESSION_ID")
@click.argument("paths", nargs=-1, metavar="[PATH...]")
@click.option("--source", "sources", multiple=True, metavar="PATH", help="Evidence to attach; the same as PATH.")
@click.option("--repo", "repos", multiple=True, metavar="DIR", help="Git repository, as in run; repeatable.")
@click.option("--take-over", is_flag=True, help="Carry out its calls here from now on; asks first.")
@click.option("--force", is_flag=True, help="Also where another host was seen at it within ten minutes.")
@click.option("--yes", is_flag=True, help="Take over without asking: for scripts.")
@click.option("--headless", is_flag=True, help="One JSON document on standard output, progress on standard error.")
@click.option("--json", "as_json", is_flag=True, help="The same as --headless.")
@click.option("--out", type=click.Path(path_type=Path), metavar="FILE", help="Also write the result: .md for Markdown.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
@click.option("--quiet", "-q", is_flag=True, help="No progress.")
def attach(
    session: str, paths: tuple[str, ...], sources: tuple[str, ...], repos: tuple[str, ...], **given: object
) -> int:
    """Watch SESSION_ID, a session that Claude Managed Agents keep, whoever began it.

    Its streams come into a session here, which opens like any other. Nothing of it is run or answered here, unless
    you take it over: then this machine carries out its calls, under this machine's policy, with the evidence that you
    name. Exit status 4 where a take-over was not confirmed.
    """
    from tui.launch import fits_terminal

    if given["force"] and not given["take_over"]:
        raise Fault("--force is for --take-over: watching needs none")
    config = given["config"] if isinstance(given["config"], Path) else None
    wish = _Wish(session, (*paths, *sources), repos, bool(given["take_over"]), bool(given["force"]), bool(given["yes"]))
    name = asyncio.run(_attach(wish, config))
    if not name:
        return NOBODY_SAID_YES
    machine = any(given[option] for option in ("headless", "as_json", "out", "quiet"))
    if not machine and fits_terminal():
        from tui.launch import launch
        from tui.start import Start

        return launch(Start(session=name, go_on=True, config=config, words=f"opening {name} …"))
    from tui.commands.investigation import continue_session, presentation_from

    return continue_session(name, presentation_from(given), config)


class _Wish:
    """What was asked for."""

    def __init__(
        self, session: str, paths: tuple[str, ...], repos: tuple[str, ...], take_over: bool, force: bool, yes: bool
    ) -> None:
        self.session, self.paths, self.repos = session, paths, repos
        self.take_over, self.force, self.yes = take_over, force, yes


async def _attach(wish: _Wish, config: Path | None) -> str:
    """Return the session here; empty where a take-over was not confirmed."""
    from orchestrator.asked import Request, Surroundings
    from orchestrator.attaching import attached, bound_here, looked_at
    from tui.commands.opening import clear_faults
    from tui.commands.remote_opening import reached

    with clear_faults():
        around = Surroundings.of_process()
    remote = remote_of(wish.session, around)
    async with reached(around, config, about=remote) as reach:
        looked = await looked_at(reach, remote)
        name = bound_here(around, remote)
        if name and (wish.paths or wish.repos):
            raise Fault(f"{remote} is here already, as {name}: open it and attach evidence there (the key +)")
        if wish.take_over and not _may_take_over(wish, looked, reach, around):
            return ""
        if not name:
            request = Request(inputs=wish.paths, repos=wish.repos, config=config)
            name = await attached(reach, looked, request, around)
        narrate(f"warroom: {remote} is {name} here{_whose(looked, reach)}")
        if wish.take_over:
            await _take_over(name, reach, around, config)
    return name


def remote_of(session: str, around: Surroundings) -> str:
    """Return the server's id of what was named: by that id, or by a session here that is bound to one."""
    from orchestrator.attaching import REMOTE_ID
    from orchestrator.journal.index import summarise
    from tui.commands.opening import clear_faults

    if REMOTE_ID.match(session):
        return session
    with clear_faults():
        name = around.home.find(session)
        remote = summarise(around.home.session_dir(name)).remote
    if not remote:
        raise Fault(f"{name}: no server keeps it; `warroom open {name}` opens it")
    return remote


def _whose(looked: Looked, reach: Reach) -> str:
    row = looked.row
    if not row.install:
        return ", made by no warroom"
    return "" if row.install == reach.install else f", made by another installation of warroom ({row.install[:16]})"


def _may_take_over(wish: _Wish, looked: Looked, reach: Reach, around: Surroundings) -> bool:
    """Say what a take-over does, and whether the person wants it; raises Fault where it must not be."""
    from orchestrator.engines.managed.claims import refusal

    row, holder, now = looked.row, looked.holder, around.clock.now()
    why = refusal(row, holder, reach.install, now, force=wish.force)
    if why:
        raise Fault(why)
    mine = holder.host == reach.install
    was = "this installation" if mine else f"host {holder.host}" if holder.host else "nobody that says so"
    age = holder.age(now)
    seen = f", last seen {int(age)} s ago" if age is not None else ""
    narrate(f"Taking over {row.id} ({_clean(row.title) or 'no title'}, {row.status}):")
    narrate(f"  its hands are with {was}{seen}; from then on they are here ({reach.install})")
    narrate("  its calls that wait, and all that follow, run on this machine under this machine's policy")
    narrate("  the host that had it stops when it sees the change; one that cannot see it may still act")
    if wish.yes:
        return True
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty():
        if click.prompt("Type Y (upper case) to take over", default="", show_default=False, err=True) == "Y":
            return True
        narrate("Nothing was taken over.")
        return False
    narrate("Nothing was taken over. To do it: the same command with --yes")
    return False


async def _take_over(name: str, reach: Reach, around: Surroundings, config: Path | None) -> None:
    from orchestrator.attaching import taken_over

    await taken_over(reach, name, around, config=config, by="person")
    narrate(f"warroom: the hands of {name} are here now; it is on record")


def _clean(text: str) -> str:
    from orchestrator.journal.text import clean

    return str(clean(text, newlines=False, limit=80))
