"""`warroom init` and `warroom config`: the configuration file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tui.commands.faults import Fault, narrate

FILE_NAME = "warroom.toml"


@click.command()
@click.argument("path", type=click.Path(path_type=Path), default=".")
@click.option("--force", is_flag=True, help="Replace a file that is there.")
def init(path: Path, force: bool) -> None:
    """Write a warroom.toml for the project at PATH (default: here), from what its layout shows."""
    import asyncio

    from orchestrator.config import starter_toml
    from tui.commands.output import refuse_unwritable, to_file

    folder = path if path.is_dir() else path.parent
    target = path / FILE_NAME if path.is_dir() else path
    if target.suffix != ".toml" and not os.path.lexists(target):
        raise Fault(f"{path}: no such directory; name a project's folder, or a file that ends in .toml")
    if not folder.is_dir():
        raise Fault(f"{folder}: no such directory")
    if os.path.lexists(target) and not force:
        raise Fault(f"{target} is there already and was left as it is; --force replaces it")
    refuse_unwritable(target)
    asyncio.run(to_file(target, starter_toml(folder)))
    narrate(f"wrote {target}; next: warroom config check {target}")


@click.group()
def config() -> None:
    """Check the configuration, or accept a project's file."""


@config.command()
@click.argument("path", type=click.Path(path_type=Path), required=False)
def check(path: Path | None) -> int:
    """Name every fault of a warroom.toml by line. PATH: a file or a folder; default: here, then your own."""
    from orchestrator.config import check as faults_of
    from orchestrator.journal.text import clean
    from tui.commands.output import to_stdout

    target = _target(path)
    problems = faults_of(target)
    idle = _idle_rules(target)
    if not problems and not idle:
        to_stdout(f"{target}: fine\n")
        return 0
    lines = [*(problem.line() for problem in problems), *idle]
    to_stdout("".join(f"{clean(line, newlines=False)}\n" for line in lines))
    return 2


def _idle_rules(target: Path) -> list[str]:
    """Return a line for each rule of a file that no call can meet."""
    from orchestrator.config import Settings
    from orchestrator.config.read import read_file
    from orchestrator.hands.policy import policy_of
    from tui.commands.agents import whole_roster

    content = read_file(target).content
    if content is None or not content.policies:
        return []
    return policy_of(Settings(policies=content.policies)).idle(whole_roster())


@config.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--digest", metavar="SHA256", help="The digest that the first step printed.")
def accept(path: Path, digest: str | None) -> int:
    """Believe a project's file as it is now, commands and all. The first call prints its digest."""
    from orchestrator.config import ConfigError
    from orchestrator.config import accept as remember
    from orchestrator.config.read import read_file
    from subagents.clock import SystemClock
    from tui.commands.opening import clear_faults

    target = _target(path)
    found = read_file(target).digest
    if digest is None or digest != found:
        if digest is not None:
            raise Fault(f"{target} is not what that digest names; nothing was accepted; its digest is {found}")
        narrate(f"Read {target} first. To accept exactly this: warroom config accept {path} --digest {found}")
        return 0
    with clear_faults():
        try:
            remember(target, os.environ, SystemClock())
        except ConfigError as error:
            raise Fault(str(error)) from error
    narrate(f"accepted {target} as it is now")
    return 0


def _target(path: Path | None) -> Path:
    if path is not None:
        target = path / FILE_NAME if path.is_dir() else path
    else:
        from orchestrator.config import user_file

        here = Path(FILE_NAME)
        target = here if here.exists() else user_file(os.environ)
    if not target.is_file():
        raise Fault(f"{target}: no such file; `warroom init` writes one")
    return target
