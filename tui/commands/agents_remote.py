"""`warroom agents sync|status|archive` and `show --remote`: the agents of the managed engine as the API has them."""

from __future__ import annotations

import asyncio
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tui.commands.agents_opening import DIFFERS, opened
from tui.commands.faults import Fault, complain, narrate
from tui.commands.output import to_stdout

if TYPE_CHECKING:
    from orchestrator.engines.managed.environment import RemoteEnvironment
    from orchestrator.engines.managed.plan import Plan, Step, Survey
    from orchestrator.engines.managed.remote import Remote
    from tui.commands.agents_opening import Opened

ROUNDS = 3
"""How often `--yes` looks again where somebody else changes things at the same time."""

_CONFIG = click.option(
    "--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml, if elsewhere."
)


@click.command()
@click.option("--yes", is_flag=True, help="Make the changes without asking: for scripts.")
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--adopt", metavar="INSTALL", help="Take over the agents of another installation of warroom.")
@_CONFIG
def sync(yes: bool, dry_run: bool, adopt: str | None, config: Path | None) -> int:
    """Create or update the agents and the environment of the managed engine.

    Every difference is shown first; nothing is changed without a yes. What is as it should be is left alone. Exit
    status 4 where something would change and nobody said yes.
    """
    return asyncio.run(_sync(yes, dry_run, adopt, config))


async def _sync(yes: bool, dry_run: bool, adopt: str | None, config: Path | None) -> int:
    from orchestrator.engines.managed.sync import Moved

    async with opened(config) as remote:
        with remote.register.exclusive():
            for _ in range(ROUNDS):
                there, plan = await _looked(remote, adopt, making=True)
                _show(plan, remote)
                if plan.fault:
                    raise Fault(plan.fault)
                if dry_run:
                    return 0 if plan.idle else DIFFERS
                if not plan.idle and not yes and not _said_yes(adopt):
                    return DIFFERS
                try:
                    await remote.sync.apply(remote.wanted, there, _narrate)
                except Moved as moved:
                    complain(f"{moved}; looking again")
                    continue
                narrate("Nothing to change." if plan.idle else "Synced: `warroom run --engine managed` uses them.")
                return 0
    raise Fault("somebody else keeps changing the agents; what was made is recorded; try again later", DIFFERS)


async def _looked(remote: Opened, adopt: str | None = None, making: bool = False) -> tuple[Survey, Plan]:
    from orchestrator.engines.managed.plan import make_plan

    there = await remote.sync.survey(remote.wanted, adopt, making=making)
    return there, make_plan(remote.wanted, there)


def _show(plan: Plan, remote: Opened) -> None:
    from tui.commands.agents_views import plan_page

    to_stdout(plan_page(plan, remote.wanted))


def _said_yes(adopt: str | None) -> bool:
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty():
        if click.confirm("Make these changes?", default=False, err=True):
            return True
        narrate("Nothing was changed.")
        return False
    again = f" --adopt {shlex.quote(adopt)}" if adopt else ""
    narrate(f"Nothing was changed yet. To make these changes: warroom agents sync{again} --yes")
    return False


def _narrate(step: Step) -> None:
    words = {"create": "made", "update": "updated"}
    if step.action in words:
        narrate(f"{words[step.action]} {step.what}" + (f" v{step.next_version}" if step.next_version else ""))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@_CONFIG
def status(as_json: bool, config: Path | None) -> int:
    """Compare the agents there with what they should be. Exit status 4 where they differ or are not made."""
    return asyncio.run(_status(as_json, config))


async def _status(as_json: bool, config: Path | None) -> int:
    from tui.commands.agents_views import status_page, status_rows

    async with opened(config) as remote:
        there, plan = await _looked(remote)
        rows = status_rows(plan, there)
        remarks = [*plan.remarks, *([plan.fault] if plan.fault else [])]
        if as_json:
            to_stdout(json.dumps({"endpoint": remote.to.base_url, "agents": rows, "notes": remarks}, indent=2) + "\n")
        else:
            to_stdout(status_page(rows, remarks))
        if not plan.idle and not plan.fault:
            narrate("To make them so: warroom agents sync")
        return 0 if plan.idle else DIFFERS


def show_remote(name: str | None, as_json: bool, config: Path | None) -> int:
    """Print agents as they are there: one, or all of this installation."""
    return asyncio.run(_show_remote(name, as_json, config))


async def _show_remote(name: str | None, as_json: bool, config: Path | None) -> int:
    from tui.commands.agents_views import agent_page

    async with opened(config) as remote:
        there, _ = await _looked(remote)
        chosen = _chosen(there, name) if name else list(there.agents.values())
        if not chosen:
            raise Fault("no agents were made with this key: `warroom agents sync` makes them")
        if as_json:
            to_stdout(json.dumps([agent.raw for agent in chosen], indent=2) + "\n")
        else:
            to_stdout("\n".join(agent_page(agent) for agent in chosen))
    return 0


def _chosen(there: Survey, name: str) -> list[Remote]:
    """Return the agent of that role, or of that id; raises Fault where there is none of ours."""
    every = [*there.agents.values(), *there.spare, *there.archived]
    found = [agent for agent in every if agent.id == name] or [
        agent for role, agent in there.agents.items() if role == name
    ]
    if not found:
        known = ", ".join(there.agents) or "none"
        raise Fault(f"there is no agent {name[:80]!r} of this installation; there are: {known}")
    return found


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME|ID|environment]...")
@click.option("--all", "every", is_flag=True, help="All of this installation, and its environment.")
@click.option("--confirm", "token", metavar="TOKEN", help="The token that the first step printed.")
@_CONFIG
def archive(names: tuple[str, ...], every: bool, token: str | None, config: Path | None) -> int:
    """Archive agents for good: there is no way back, and no delete. The first call shows which and prints a token.

    Sessions that run keep what they have; new ones need `warroom agents sync`, which makes new agents.
    """
    if every == bool(names):
        raise Fault("name the agents to archive, or give --all")
    return asyncio.run(_archive(names, every, token, config))


async def _archive(names: tuple[str, ...], every: bool, token: str | None, config: Path | None) -> int:
    from orchestrator.engines.managed.archive import archive_agent, archive_environment
    from orchestrator.engines.managed.plan import ENVIRONMENT
    from tui.commands.confirm import Doomed, confirmed

    async with opened(config) as remote:
        with remote.register.exclusive():
            there, _ = await _looked(remote)
            agents = _living(there, names, every)
            environment = _own_environment(remote, there) if every or ENVIRONMENT in names else None
            doomed = [Doomed(f"{agent.role} {agent.id} v{agent.version}", str(agent.version)) for agent in agents]
            doomed += [Doomed(f"environment {environment.id}", "")] if environment else []
            if not doomed:
                narrate("There is nothing of this installation to archive.")
                return 0
            again = "warroom agents archive " + ("--all" if every else " ".join(map(shlex.quote, names)))
            if not confirmed(doomed, token, again, ("archived", "archive")):
                return 0
            for agent in agents:
                await archive_agent(remote.client, remote.register, remote.to, agent)
                narrate(f"archived {agent.role} {agent.id}")
            if environment:
                await archive_environment(remote.client, remote.register, remote.to, environment)
                narrate(f"archived environment {environment.id}")
    return 0


def _living(there: Survey, names: tuple[str, ...], every: bool) -> list[Remote]:
    from orchestrator.engines.managed.plan import ENVIRONMENT

    if every:
        return [*there.agents.values(), *there.spare]
    chosen = [agent for name in names if name != ENVIRONMENT for agent in _chosen(there, name)]
    gone = next((agent for agent in chosen if agent.archived), None)
    if gone is not None:
        raise Fault(f"{gone.id} is archived already")
    return list({agent.id: agent for agent in chosen}.values())


def _own_environment(remote: Opened, there: Survey) -> RemoteEnvironment | None:
    """Return the environment that warroom made; the user's own is theirs."""
    return None if remote.wanted.own_environment else there.environment
