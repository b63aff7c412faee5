"""`warroom agents`: who works on an incident, and what each may do."""

from __future__ import annotations

import json
import os
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tui.commands.lazy import LazyGroup, Listed

if TYPE_CHECKING:
    from orchestrator.hands.policy import Policy
    from subagents.specialist import Agent, Roster

COMMANDS = {
    "show": Listed("tui.commands.agents:show", "Show who holds which tools, and what each may do."),
    "sync": Listed("tui.commands.agents_remote:sync", "Create or update the managed engine's agents."),
    "status": Listed("tui.commands.agents_remote:status", "Compare the managed agents with what they should be."),
    "archive": Listed("tui.commands.agents_remote:archive", "Archive managed agents for good, in two steps."),
}
"""What stands behind the group; each command's module is imported when it is chosen."""


@click.group(cls=LazyGroup, listed=COMMANDS)
def agents() -> None:
    """Show the agents: who holds which tools, what they read, what they may change; sync the managed ones."""


@click.command()
@click.argument("name", required=False)
@click.option("--remote", is_flag=True, help="As the Managed Agents API has them: models, prompts, roster.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--config", type=click.Path(path_type=Path), metavar="FILE", help="Your own warroom.toml, if elsewhere.")
def show(name: str | None, remote: bool, as_json: bool, config: Path | None) -> int:
    """Show the capability table, of all agents or of NAME.

    The answers are those of your warroom.toml and of the one here, if there is one. Exit status 3 where an agent
    holds what it must not: that is a defect of this installation.
    """
    if remote:
        from tui.commands.agents_remote import show_remote

        return show_remote(name, as_json, config)
    from orchestrator.hands.capabilities import CAPABILITIES, differences, held, holders_of_all_three
    from tui.commands.faults import Fault
    from tui.commands.output import to_stdout

    roster = whole_roster()
    if name is not None and name not in roster.agents:
        raise Fault(f"there is no agent {name[:80]!r}; there are: {', '.join(roster.agents)}")
    policy = _policy(config)
    idle = policy.idle(roster)
    real = held(roster)
    all_three, wrong = holders_of_all_three(real), differences(CAPABILITIES, real)
    rows = [_described(agent, policy) for agent in roster.agents.values() if name in (None, agent.name)]
    if as_json:
        made = {"agents": rows, "hold_all_three": all_three, "not_as_declared": wrong, "idle_rules": idle}
        made["with_a_model"] = {row["name"]: _report_tool(row["name"]) for row in rows}
        to_stdout(json.dumps(made, indent=2) + "\n")
    else:
        to_stdout(_page(rows, all_three, [*(f"NOT AS DECLARED: {one}" for one in wrong), *idle]))
    return 3 if all_three or wrong else 0


def whole_roster() -> Roster:
    """Return every agent as a session has it, without sources."""
    from orchestrator.engines import coordinator
    from orchestrator.hands.rosters import RosterRecipe

    return RosterRecipe(extra_agents=lambda *_: (coordinator.agent(),)).build(())


def _policy(own: Path | None) -> Policy:
    from orchestrator.config import ConfigError, load_settings
    from orchestrator.hands.policy import policy_of
    from orchestrator.journal.text import clean
    from tui.commands.faults import Fault, narrate

    if own is not None and not own.is_file():
        raise Fault(f"{own}: no such file; check --config")
    try:
        loaded = load_settings(cwd=Path.cwd(), env=os.environ, own=own)
    except ConfigError as error:
        raise Fault(str(error)) from error
    for problem in loaded.problems:
        narrate(str(clean(problem.line(), newlines=False)))
    return policy_of(loaded.settings)


def _described(agent: Agent, policy: Policy) -> dict[str, Any]:
    from orchestrator.hands.capabilities import CAPABILITIES, held, reach
    from subagents.specialist import Roster

    declared = CAPABILITIES.get(agent.name, {})
    together = reach(held(Roster({agent.name: agent}))[agent.name], declared)
    return {
        "name": agent.name,
        "description": agent.description,
        "mission": agent.mission,
        "reads_untrusted_text": together.untrusted,
        "reads_private_data": together.private_data,
        "outward_channel": together.outward,
        "tools": [
            {
                "name": tool.name,
                "description": tool.description,
                "effect": tool.effect,
                "private": tool.private,
                "outward": tool.outward,
                "worker": tool.worker,
                "reads_untrusted_text": tool.name not in declared or declared[tool.name].untrusted,
                "reads_private_data": tool.name not in declared or declared[tool.name].private_data,
                "answer": policy.decide(agent.name, tool, {}).answer,
                "depends_on_arguments": policy.depends(agent.name, tool.name),
            }
            for tool in sorted(agent.tools, key=lambda tool: tool.name)
        ],
    }


def _report_tool(agent: str) -> str:
    """Return how a model in an agent's place reports: the engine answers it, and it puts a claim on record."""
    from orchestrator.engines.reporting import CONCLUDE, REPORT_FINDING
    from orchestrator.journal.events import MAIN_THREAD

    return CONCLUDE if agent == MAIN_THREAD else REPORT_FINDING


def _page(rows: list[dict[str, Any]], all_three: list[str], remarks: list[str]) -> str:
    from orchestrator.journal.text import clean

    width = max((len(tool["name"]) for row in rows for tool in row["tools"]), default=0)
    lines: list[str] = []
    for row in rows:
        lines.append(textwrap.fill(f"{row['name']}: {row['description']}", 100, subsequent_indent="  "))
        lines.append(f"  {_reach(row)}")
        lines += [f"  {tool['name']:<{width}}  {_tool(tool)}" for tool in row["tools"]]
        lines.append("")
    lines += [str(clean(one, newlines=False)) for one in remarks]
    if all_three:
        lines.append(f"DEFECT: {', '.join(all_three)}: untrusted text, private data and an outward channel together.")
    else:
        lines.append("Nobody holds untrusted text, private data and an outward channel together.")
    reports = " or ".join(sorted({_report_tool(row["name"]) for row in rows}))
    lines.append(f"With a model each also holds {reports}: a claim on record, which is checked and changes nothing.")
    if any(tool["depends_on_arguments"] for row in rows for tool in row["tools"]):
        lines.append("*: rules of yours or of the project look at the arguments as well.")
    return "\n".join([*lines, ""])


def _reach(row: dict[str, Any]) -> str:
    reads = [
        word
        for word, is_so in (
            ("untrusted text", row["reads_untrusted_text"]),
            ("private data", row["reads_private_data"]),
        )
        if is_so
    ]
    channel = "HAS AN OUTWARD CHANNEL" if row["outward_channel"] else "no outward channel"
    return f"reads {' and '.join(reads) or 'nothing'}; {channel}"


def _tool(tool: dict[str, Any]) -> str:
    """Say what a tool changes, where it runs, and how the policy answers."""
    changes = "reads" if tool["effect"] == "read" else f"writes ({tool['effect']})"
    if tool["private"]:
        changes = "writes to warroom's own state only"
    if tool["outward"]:
        changes += ", SENDS BYTES OUT"
    where = " in a worker" if tool["worker"] else ""
    star = " *" if tool["depends_on_arguments"] else ""
    return f"{tool['answer']:<5}  {changes}{where}{star}"
