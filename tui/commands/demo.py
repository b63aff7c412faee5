"""`warroom demo`: unpack the bundled incident and open it, as `warroom run` opens any other."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.option("--headless", is_flag=True, help="One JSON document on standard output, progress on standard error.")
@click.option("--plain", is_flag=True, help="No war room: progress line by line, then the report.")
@click.option("--engine", metavar="NAME", default="offline", help="offline (default: no key, no cost), managed, auto.")
@click.option("--path", "only_path", is_flag=True, help="Unpack it, print the folder, and stop.")
@click.pass_context
def demo(ctx: click.Context, headless: bool, plain: bool, engine: str, only_path: bool) -> object:
    """Investigate the bundled incident: a small shop that was run, broken and recorded.

    It is unpacked into the state directory, with a repository of its own: an approved fix lands there, and
    what is pushed stays on this machine. The same engine looks at it as at anything else.
    """
    folder = _unpacked()
    if only_path:
        from tui.commands.output import to_stdout

        to_stdout(f"{folder}\n", "")
        return 0
    from tui.commands.run import run

    return ctx.invoke(run, paths=(str(folder),), headless=headless, plain=plain, engine=engine)


def _unpacked() -> Path:
    import os

    from orchestrator.config import ConfigError
    from orchestrator.demo.bundled import DemoError, unpack
    from subagents.clock import SystemClock
    from tui.commands.faults import Fault
    from tui.commands.opening import clear_faults
    from tui.commands.version import version

    with clear_faults():
        try:
            return unpack(os.environ, SystemClock(), version())
        except (DemoError, ConfigError) as error:
            raise Fault(str(error)) from error
