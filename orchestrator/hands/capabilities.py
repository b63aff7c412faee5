"""Who holds which tools: the declared table, as data. A test compares it with the real roster, both ways.

What a tool may do is decided here once more, away from the specialists: a tool that appears, disappears, moves to
another agent or gains an effect changes this page, where a reviewer sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from subagents.contract import AgentName, Effect, Roster


@dataclass(frozen=True)
class Capability:
    """What one tool may do, and where it runs."""

    effect: Effect = "read"
    worker: bool = False
    """In the agent's worker process, which is killed on time."""
    outward: bool = False
    """It sends bytes off this machine."""
    private: bool = False
    """What it writes stays in warroom's own state directory, so it is not asked about."""


READ = Capability()
READ_IN_WORKER = Capability(worker=True)
DRAFT = Capability(effect="keyed", private=True)

CAPABILITIES: Mapping[AgentName, Mapping[str, Capability]] = {
    "orchestrator": {
        "runbooks_read": READ,
        "runbooks_search": READ,
    },
    "logs": {
        "logs_context": READ,
        "logs_coverage": READ_IN_WORKER,
        "logs_distinct": READ_IN_WORKER,
        "logs_first_look": READ_IN_WORKER,
        "logs_histogram": READ_IN_WORKER,
        "logs_patterns": READ_IN_WORKER,
        "logs_search": READ_IN_WORKER,
        "logs_stacks": READ_IN_WORKER,
        "logs_recorded": READ_IN_WORKER,
    },
    "metrics": {
        "metrics_compare": READ_IN_WORKER,
        "metrics_coverage": READ_IN_WORKER,
        "metrics_edges": READ_IN_WORKER,
        "metrics_onsets": READ_IN_WORKER,
        "metrics_rank": READ_IN_WORKER,
        "metrics_series": READ_IN_WORKER,
    },
    "deploys": {
        "deploys_blame": READ,
        "deploys_coverage": READ,
        "deploys_diff": READ,
        "deploys_suspects": READ_IN_WORKER,
        "deploys_timeline": READ_IN_WORKER,
        "deploys_touches": READ,
    },
    "codefix": {
        "code_check": DRAFT,
        "code_draft_edit": DRAFT,
        "code_draft_hunks": DRAFT,
        "code_draft_next": DRAFT,
        "code_draft_revert": DRAFT,
        "code_history": READ,
        "code_read": READ,
        "code_revert_check": READ,
        "code_search": READ,
    },
}
"""Agent -> tool -> what it may do."""


def held(roster: Roster) -> dict[AgentName, dict[str, Capability]]:
    """Return the same table of a real roster."""
    return {
        agent.name: {
            tool.name: Capability(tool.effect, tool.worker, tool.outward, tool.private) for tool in agent.tools
        }
        for agent in roster.agents.values()
    }


def differences(
    declared: Mapping[AgentName, Mapping[str, Capability]], real: Mapping[AgentName, Mapping[str, Capability]]
) -> list[str]:
    """Return every (agent, tool) pair in which the tables differ, as lines; empty when they agree."""
    return [
        line
        for agent, name in sorted({*_pairs(declared), *_pairs(real)})
        if (line := _difference(agent, name, declared.get(agent, {}).get(name), real.get(agent, {}).get(name)))
    ]


def _pairs(table: Mapping[AgentName, Mapping[str, Capability]]) -> Iterable[tuple[AgentName, str]]:
    return ((agent, name) for agent, tools in table.items() for name in tools)


def _difference(agent: AgentName, name: str, declared: Capability | None, real: Capability | None) -> str:
    if declared == real:
        return ""
    if declared is None:
        return f"{agent} holds {name}, which is not declared"
    if real is None:
        return f"{agent} is declared to hold {name} and does not"
    return f"{agent} {name}: declared {declared}, is {real}"
