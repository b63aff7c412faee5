"""What a runbook is: plain, frozen data with stable step ids, so that a citation of a step stays good."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

Signal = Literal[
    "latency",
    "error_ratio",
    "traffic",
    "saturation",
    "memory_growth",
    "cpu",
    "restarts",
    "backlog",
    "deploy",
    "flag",
    "config",
    "dependency",
    "database",
    "certificate",
    "dns",
    "network",
    "disk",
    "host",
    "data",
]
"""What an investigation has observed, as a runbook's triggers name it."""

SYMPTOMS: frozenset[str] = frozenset({"latency", "error_ratio", "restarts"})
"""Signals that many causes share; the others point at one kind of cause and weigh more."""
SIGNALS: frozenset[str] = frozenset(get_args(Signal))

StepKind = Literal["look", "contain", "fix", "verify", "escalate"]
STEP_KINDS: frozenset[str] = frozenset(get_args(StepKind))


@dataclass(frozen=True)
class RunbookProblem:
    """Something wrong with a runbook file: what, where (`file:line`), what is lost, what to do."""

    what: str
    where: str
    lost: str = ""
    todo: str = ""

    def line(self) -> str:
        """Return the problem as one line."""
        return "; ".join(p for p in (f"{self.where}: {self.what}", self.lost and f"lost: {self.lost}", self.todo) if p)


@dataclass(frozen=True)
class Step:
    """One thing to do, cited as `runbook:<slug>#<id>`."""

    id: str
    title: str
    body: str
    """The section's Markdown, without its heading."""
    kind: StepKind = "look"
    risk: str = ""
    """What can go wrong and how it is undone; empty where the step only reads."""
    commands: tuple[str, ...] = ()
    """Commands as a person would type them, in order. Never run by warroom."""
    line: int = 1
    """Line of its heading in the file, from 1."""

    @property
    def command(self) -> str | None:
        """The first command, if there is one."""
        return self.commands[0] if self.commands else None


@dataclass(frozen=True)
class Triggers:
    """When a runbook fits."""

    signals: tuple[str, ...] = ()
    """Any of these makes it fit."""
    supporting: tuple[str, ...] = ()
    """Signals that strengthen a fit and do not make one (`with` in the front matter)."""
    words: tuple[str, ...] = ()
    """Words, phrases and error codes, as logs and people write them."""


@dataclass(frozen=True)
class Runbook:
    """A Markdown procedure with triggers, steps, thresholds and risks."""

    slug: str
    """The file's name without `.md`; the identity in citations."""
    title: str
    summary: str
    triggers: Triggers
    steps: tuple[Step, ...]
    thresholds: tuple[str, ...]
    risks: tuple[str, ...]
    path: Path
    applies_to: tuple[str, ...] = ()
    bundled: bool = False
    """It came with warroom, not from the user's own folders."""
    replaces_bundled: bool = False
    """The user's own runbook stands in for the one of this name that came with warroom."""

    def step(self, step_id: str) -> Step | None:
        """Return the step of that id, if the runbook has it."""
        return next((step for step in self.steps if step.id == step_id), None)
