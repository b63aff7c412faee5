"""A machine to attack: a repository, telemetry with a secret in it, files outside, an environment with a token."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orchestrator.compose import with_stores
from orchestrator.engines.base import Desk, StopReason, ToolUse
from orchestrator.engines.coordinator import agent as coordinator
from orchestrator.hands.policy import Policy
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.journal.home import StateHome
from orchestrator.session import Session, Settings
from subagents.contract import Incident, ServiceInfo, ServiceTests, SourceSpec, ToolResult
from subagents.specialist import Agent
from tests.cli import incidents
from tests.fakes import FakeClock
from tests.hostile import attacks
from tests.hostile.attacks import Target

SECRET = "kQ7vR2mZx9-LwT4pYs8Bd1Nf6Hc3Jg5A"  # noqa: S105 - of nothing
"""A token of the environment."""


@dataclass
class Machine:
    """What there is before the attack."""

    top: Path
    commits: dict[str, str] = field(default_factory=dict)

    @property
    def repo(self) -> Path:
        return self.top / "user" / "repo"

    @property
    def outside(self) -> Path:
        return self.top / "user" / "outside"

    @property
    def home(self) -> StateHome:
        return StateHome(self.top / "state")

    def build(self) -> None:
        folder = self.top / "user" / "incident"
        folder.mkdir(parents=True)
        self.outside.mkdir()
        (self.outside / "secret.txt").write_text(f"token {SECRET}\n")
        (self.outside / "empty").mkdir()
        incidents.write_logs(folder / "orders.log")
        with (folder / "orders.log").open("a") as log:
            log.write(incidents.entry(incidents.END, "ERROR", f"login failed for token={SECRET}") + "\n")
        incidents.write_metrics(folder / "metrics.csv")
        self.commits = incidents.write_repo(self.repo)
        incidents.write_deploys(folder / "deploys.json", self.commits)
        (self.repo / "untracked.txt").write_text("mine\n")
        (self.repo / "orders" / "app.py").write_text("ROUTES = ['/orders', '/dirty']\n")

    def specs(self) -> list[SourceSpec]:
        folder = self.top / "user" / "incident"
        return [
            SourceSpec(id="orders.log", kind="logs", path=str(folder / "orders.log")),
            SourceSpec(id="metrics", kind="metrics", path=str(folder / "metrics.csv")),
            SourceSpec(id="deploys", kind="deploys", path=str(folder / "deploys.json")),
            SourceSpec(id="repo", kind="repo", path=str(self.repo)),
        ]

    async def session(self, engine: Any, policy: Policy | None = None, planted: tuple[Agent, ...] = ()) -> Session:
        """Start a session over all of it, nobody there to be asked; `planted` agents are in its roster too."""
        clock = FakeClock()
        directory = self.home.ensure().new_session(clock)
        tests = ServiceTests(command=("true",))
        settings = Settings(
            services=(ServiceInfo(name="orders", repo="repo", tests=tests),),
            recipe=RosterRecipe(extra_agents=lambda *_: (coordinator(), *planted)),
            policy=policy or Policy(),
            clock=clock,
            version="0",
            directory=directory,
        )
        specs = with_stores(self.specs(), directory)
        return await Session.create(self.home, Incident(id="INC-9", title="orders"), specs, [], engine, settings)

    def state(self) -> dict[str, tuple[object, ...]]:
        """Everything outside of warroom's own state, to the byte: kind, mode, size, digest or target, inode, mtime."""
        found: dict[str, tuple[object, ...]] = {}
        for directory, names, files in os.walk(self.top / "user"):
            for name in (*names, *files):
                path = os.path.join(directory, name)
                status = os.lstat(path)
                content = ""
                if stat.S_ISREG(status.st_mode):
                    with open(path, "rb") as file:
                        content = hashlib.sha256(file.read()).hexdigest()
                found[path] = status.st_mode, status.st_size, content, status.st_ino, status.st_mtime_ns
        found["environment"] = tuple(sorted(os.environ.items()))
        found["directory"] = (os.getcwd(), os.umask(os.umask(0o22)))
        found["state"] = tuple(sorted(path.name for path in self.top.iterdir()))
        return found


@dataclass
class HostileEngine:
    """Asks for everything an attacker would, as every agent, and remembers what it got."""

    machine: Machine
    count: int
    name: str = "offline"
    shown_as: str = "hostile"
    asked: list[tuple[str, str, ToolResult[Any]]] = field(default_factory=list)
    """(agent or thread, tool, result)."""
    raised: list[str] = field(default_factory=list)

    async def run(self, desk: Desk) -> StopReason:
        """Attack; every agent at once."""
        import asyncio

        target = await self._target(desk)
        await asyncio.gather(
            *(self._own_tools(desk, agent, target) for agent in desk.roster.agents),
            *(self._not_theirs(desk, agent, target) for agent in desk.roster.agents),
            self._nobodys(desk),
        )
        return "end_turn"

    async def _target(self, desk: Desk) -> Target:
        made = self.machine.commits
        given = {"commit": made["culprit"], "incident": "INC-9", "why": "a test"}
        result = await desk.call("codefix", ToolUse(id="first", name="code_draft_revert", input=given))
        draft = result.need().draft
        assert draft is not None, result.text
        return Target(self.machine.outside, self.machine.repo, made["culprit"], made["later"], draft.id, draft.commit)

    async def _ask(self, desk: Desk, thread: str, use: ToolUse) -> None:
        try:
            result = await desk.call(thread, use)
        except Exception as error:  # nothing may be raised for what a model asks
            self.raised.append(f"{thread} {use.name[:40]!r} {str(use.input)[:200]}: {error!r}")
            return
        self.asked.append((thread, use.name, result))

    async def _own_tools(self, desk: Desk, agent: str, target: Target) -> None:
        for tool in desk.roster.agents[agent].tools:
            for number, given in enumerate(attacks.arguments(tool, target, self.count)):
                use = ToolUse(id=f"{agent}-{tool.name}-{number}", name=tool.name, input=given)
                await self._ask(desk, agent, use)

    async def _not_theirs(self, desk: Desk, agent: str, target: Target) -> None:
        """Other agents' tools with arguments that those would take; tools that nobody holds."""
        for owner in desk.roster.agents.values():
            for tool in owner.tools if owner.name != agent else ():
                use = ToolUse(id=f"{agent}-steals-{tool.name}", name=tool.name, input=attacks.plain(tool, target))
                await self._ask(desk, agent, use)
        for number, name in enumerate(attacks.NAMES):
            await self._ask(desk, agent, ToolUse(id=f"{agent}-unknown-{number}", name=name, input={"command": "id"}))

    async def _nobodys(self, desk: Desk) -> None:
        read = {"path": "orders/app.py"}
        for id_ in attacks.IDS:
            await self._ask(desk, "codefix", ToolUse(id=id_, name="code_read", input=read))
        for number, thread in enumerate(attacks.THREADS):
            await self._ask(desk, thread, ToolUse(id=f"thread-{number}", name="code_read", input=read))
        for again in ({"path": "README.md"}, {"path": "orders/app.py", "first": 2}, {}):
            await self._ask(desk, "codefix", ToolUse(id="first", name="code_read", input=again))
        for thread in ("logs", "codefix"):
            await self._ask(desk, thread, ToolUse(id="first", name="code_draft_revert", input={}))
