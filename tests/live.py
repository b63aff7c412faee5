"""The bundled incident against the real service, for whoever has a key: `make live`. No test; it costs money.

It shows what it makes there and asks first, then runs as `warroom demo --engine managed` does. What it needs is said in
one line where it is missing. A session it leaves behind is deleted with `warroom sessions delete`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from tui.commands.faults import USAGE, complain, narrate

Run = Callable[[Sequence[str]], int]


def missing(env: Mapping[str, str]) -> str:
    """Return what is missing to run live, in a line; empty where nothing is. Asks nobody."""
    from pathlib import Path

    from orchestrator.config import ConfigError, load_settings
    from orchestrator.engines.credentials import CredentialError, endpoint

    try:
        endpoint(load_settings(cwd=Path.cwd(), env=env, own=None).settings.engine, env)
    except (ConfigError, CredentialError) as error:
        return f"live needs a key: {error}"
    return ""


def live(arguments: Sequence[str], env: Mapping[str, str], run: Run) -> int:
    """Sync the agents, run the bundled incident on them; return the exit status. Stops at the first that fails."""
    why = missing(env)
    if why:
        complain(why)
        return USAGE
    yes = [one for one in arguments if one == "--yes"]
    status = run(["agents", "sync", *yes])
    if status:
        return status
    narrate("warroom: the run costs what its models cost; `warroom sessions list --remote` tells how much it was")
    return run(["demo", "--engine", "managed", *(one for one in arguments if one != "--yes")])


def main() -> None:
    """Run as a program: `python -m tests.live [--yes] [--headless|--plain]`."""
    from tui.cli import cli
    from tui.commands.faults import run_to_exit_status

    raise SystemExit(live(sys.argv[1:], os.environ, lambda arguments: run_to_exit_status(cli, arguments)))


if __name__ == "__main__":
    main()
