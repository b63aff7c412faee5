"""What `sync` would do: a step for each agent and the environment, from what is wanted and what is there.

Pure: it asks nobody and changes nothing. Specialists come first; the coordinator's roster pins what they will be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from orchestrator.engines.managed.definitions import AgentDefinition
from orchestrator.engines.managed.environment import (
    RemoteEnvironment,
    environment_changes,
    fault_of_own,
    remark_on_own,
)
from orchestrator.engines.managed.register import AgentRef
from orchestrator.engines.managed.remote import Change, Remote, changes
from subagents.contract import SPECIALISTS, AgentName

ENVIRONMENT: Final = "environment"
NOT_YET: Final = "(new)"
Action = Literal["create", "update", "keep"]


@dataclass(frozen=True)
class Survey:
    """What is there."""

    agents: Mapping[AgentName, Remote]
    """The one that plays each role."""
    archived: tuple[Remote, ...] = ()
    """Ours, of roles that nothing plays any more."""
    spare: tuple[Remote, ...] = ()
    """Ours too, of roles that another one plays."""
    strangers: tuple[Remote, ...] = ()
    """Made by other installations of warroom."""
    gone: tuple[str, ...] = ()
    """Ids that were recorded and are not in this workspace."""
    synced: Mapping[AgentName, AgentRef] = field(default_factory=dict)
    """What the last sync recorded: which definition each agent's version was made from."""
    environment: RemoteEnvironment | None = None
    spare_environments: tuple[RemoteEnvironment, ...] = ()
    partial: bool = False
    """There are more agents than were looked through, or the endpoint has no list of them."""


@dataclass(frozen=True)
class Wanted:
    """What should be there."""

    cast: tuple[AgentDefinition, ...]
    install: str
    own_environment: str | None = None
    """The user's own, which is looked at and never changed."""


@dataclass(frozen=True)
class Step:
    """One thing to do, or to leave."""

    what: AgentName
    """A role, or `environment`."""
    action: Action
    id: str | None = None
    version: int | None = None
    changes: tuple[Change, ...] = ()

    @property
    def next_version(self) -> int | None:
        """The version that it will have; None where it has none."""
        if self.what == ENVIRONMENT:
            return None
        return {"create": 1, "keep": self.version}.get(self.action, (self.version or 0) + 1)


@dataclass(frozen=True)
class Plan:
    """Every step, in order, and what a person should know besides."""

    steps: tuple[Step, ...]
    remarks: tuple[str, ...] = ()
    fault: str = ""
    """Why nothing can be done."""

    @property
    def idle(self) -> bool:
        """Whether everything is as it should be."""
        return not self.fault and all(step.action == "keep" for step in self.steps)

    @property
    def token(self) -> str:
        """Names exactly this plan."""
        content = repr([(s.what, s.action, s.id, s.version, s.changes) for s in self.steps])
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def make_plan(wanted: Wanted, there: Survey) -> Plan:
    """Return what would be done."""
    steps: list[Step] = [_environment_step(wanted, there)]
    expected: dict[AgentName, AgentRef] = {}
    for definition in wanted.cast:
        roster = [expected[role] for role in SPECIALISTS] if definition.leads else []
        role = definition.role
        step = agent_step(definition, there.agents.get(role), roster, there.synced.get(role))
        steps.append(step)
        expected[role] = AgentRef(id=step.id or NOT_YET, version=step.next_version or 1)
    fault = fault_of_own(there.environment, wanted.own_environment) if wanted.own_environment else ""
    return Plan(tuple(steps), tuple(_remarks(wanted, there)), fault)


def agent_step(
    definition: AgentDefinition, there: Remote | None, roster: Sequence[AgentRef], synced: AgentRef | None = None
) -> Step:
    """Return what one agent needs; `roster` is what the coordinator should have, in order.

    A version that was synced from this very definition is that definition, in whatever form the API keeps it: only
    its roster is compared then.
    """
    if there is None:
        blank = Remote(id="", version=0, raw={})
        return Step(definition.role, "create", changes=changes(definition, blank, roster))
    found = changes(definition, there, roster)
    if synced is not None and (synced.id, synced.version, synced.digest) == (
        there.id,
        there.version,
        definition.digest,
    ):
        found = tuple(change for change in found if change.field.startswith("multiagent."))
    return Step(definition.role, "update" if found else "keep", there.id, there.version, found)


def _environment_step(wanted: Wanted, there: Survey) -> Step:
    if wanted.own_environment:
        return Step(ENVIRONMENT, "keep", wanted.own_environment)
    if there.environment is None:
        return Step(ENVIRONMENT, "create")
    found = environment_changes(there.environment, wanted.install)
    return Step(ENVIRONMENT, "update" if found else "keep", there.environment.id, changes=found)


def _remarks(wanted: Wanted, there: Survey) -> Iterator[str]:
    for agent in there.archived:
        yield f"{agent.role} {agent.id} was archived, which cannot be undone: a new one takes its place"
    for key in there.gone:
        yield f"{key} was recorded and is not there with this key: another workspace, or it is gone"
    for agent in there.spare:
        yield f"{agent.id} plays {agent.role} as well and is not used: `warroom agents archive {agent.id}` puts it away"
    for spare in there.spare_environments:
        yield f"the environment {spare.id} was made by this warroom too and is not used"
    for install in dict.fromkeys(agent.install for agent in there.strangers):
        count = sum(agent.install == install for agent in there.strangers)
        yield f"{count} agents were made by another warroom: `warroom agents sync --adopt {install}` takes them over"
    if there.partial:
        yield "not every agent of the workspace could be looked at: one that was lost may have been missed"
    if wanted.own_environment and there.environment is not None:
        remark = remark_on_own(there.environment)
        if remark:
            yield remark
