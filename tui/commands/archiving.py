"""`warroom sessions archive`: a session becomes read-only at its server, for good; what is kept here stays."""

from __future__ import annotations

import asyncio
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.confirm import Doomed, confirmed
from tui.commands.faults import Fault, narrate

if TYPE_CHECKING:
    from orchestrator.asked import Surroundings
    from orchestrator.engines.managed.remote_sessions import RemoteRow


@click.command()
@click.argument("session")
@click.option("--confirm", "token", metavar="TOKEN", help="The token that the first step printed.")
@click.option("--foreign", is_flag=True, help="Also one that another installation made or drives.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml.")
def archive(session: str, token: str | None, foreign: bool, config: Path | None) -> int:
    """Archive SESSION at its server: read-only for good, no way back. It stays here, with all that was found.

    The first call shows what would happen and prints a token. A session that runs is interrupted first.
    """
    return asyncio.run(_archive(session, token, foreign, config))


async def _archive(session: str, token: str | None, foreign: bool, config: Path | None) -> int:
    from orchestrator.asked import Surroundings
    from orchestrator.attaching import bound_here
    from orchestrator.engines.managed.deletion import archive_remote
    from orchestrator.engines.managed.remote_sessions import retrieve
    from tui.commands.attach import remote_of
    from tui.commands.opening import clear_faults
    from tui.commands.remote_opening import reached

    with clear_faults():
        around = Surroundings.of_process()
    remote = remote_of(session, around)
    async with reached(around, config, about=remote) as reach:
        row = await retrieve(reach.asking, remote)
        if row.archived:
            narrate(f"{remote} is archived already.")
            return 0
        others = not (row.install == reach.install == row.host)
        if others and not foreign:
            raise Fault(f"{remote} was not made and is not driven by this installation; --foreign archives it anyway")
        again = f"warroom sessions archive {shlex.quote(session)}{' --foreign' if foreign else ''}"
        if not confirmed([Doomed(_shown(row), remote)], token, again, ("archived", "archive")):
            return 0
        done = await archive_remote(reach.client, remote, around.clock, lambda words: narrate(f"warroom: {words}"))
        _record(around, remote, bound_here(around, remote), reach.to.host)
        narrate(f"{done.removeprefix('was ')} {remote}; what is kept here stays")
    return 0


def _shown(row: RemoteRow) -> str:
    from orchestrator.journal.text import clean

    return f"{row.id}  {clean(row.title, newlines=False, limit=80)}"


def _record(around: Surroundings, remote: str, session: str, host: str) -> None:
    from orchestrator.journal.deeds import record_deed

    record_deed(around.home.path, around.clock.now(), "archived", {"session": session, "remote": remote, "host": host})
