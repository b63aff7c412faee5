"""Who holds which tools: the declared table, as data. A test compares it with the real roster, both ways.

What a tool may do is decided here once more, away from the specialists: a tool that appears, disappears, moves to
another agent or gains an effect changes this page, where a reviewer sees it.

The rule of two: whoever reads text that an outsider may have written, and reads what is private, must have no way to
send anything out. A tool that is not declared is taken to do all three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from subagents.contract import AgentName, Effect
from subagents.specialist import Roster


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
    untrusted: bool = field(default=True, compare=False)
    """What it returns may hold text that an outsider wrote: log lines, commit messages, code, names."""
    private_data: bool = field(default=True, compare=False)
    """What it returns is not public: this organisation's logs, measurements, code."""


@dataclass(frozen=True)
class Reach:
    """What an agent's tools give it together."""

    untrusted: bool = False
    private_data: bool = False
    outward: bool = False

    @property
    def all_three(self) -> bool:
        """Whether instructions in what it reads could make it send out what it knows."""
        return self.untrusted and self.private_data and self.outward


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
        "deploys_alongside": READ_IN_WORKER,
        "deploys_blame": READ,
        "deploys_callers": READ_IN_WORKER,
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
        "code_findings": READ,
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


def reach(tools: Mapping[str, Capability], declared: Mapping[str, Capability] | None = None) -> Reach:
    """Return what tools give together; `declared` says what each reads, and what is outward is outward in either."""
    known = tools if declared is None else declared
    return Reach(
        untrusted=any(known.get(name, _UNKNOWN).untrusted for name in tools),
        private_data=any(known.get(name, _UNKNOWN).private_data for name in tools),
        outward=any(tool.outward or known.get(name, _UNKNOWN).outward for name, tool in tools.items()),
    )


_UNKNOWN = Capability(effect="unkeyed", outward=True)


def holders_of_all_three(
    real: Mapping[AgentName, Mapping[str, Capability]],
    declared: Mapping[AgentName, Mapping[str, Capability]] = CAPABILITIES,
) -> list[AgentName]:
    """Return the agents that hold untrusted text, private data and an outward channel together: there must be none."""
    return [agent for agent, tools in real.items() if reach(tools, declared.get(agent, {})).all_three]


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
