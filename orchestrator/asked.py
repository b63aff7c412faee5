"""What a session is made from: what the person asked for, what the machine gives, what a server has already."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from subagents.clock import SystemClock
from subagents.contract import Clock, Incident, Problem

if TYPE_CHECKING:
    from orchestrator.config import Budgets
    from orchestrator.engines.base import Engine
    from orchestrator.journal.home import StateHome
    from orchestrator.journal.own_remote import RemoteSession


class ComposeError(Exception):
    """What was given cannot be used; the message is one line for people, `problems` has the rest."""

    def __init__(self, message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Request:
    """What the person asked for."""

    inputs: tuple[str, ...] = ()
    """Paths, or `-` for standard input."""
    command: tuple[str, ...] = ()
    """A command to run, as typed, whose output is evidence."""
    repos: tuple[str, ...] = ()
    engine: str | None = None
    """None: what the settings say."""
    title: str | None = None
    service: str | None = None
    incident: str | None = None
    """The incident's id."""
    since: datetime | None = None
    """Start of the window, where the person gives one."""
    until: datetime | None = None
    config: Path | None = None
    """The user's own warroom.toml where it is not in the usual place."""
    budgets: Budgets | None = None
    """Bounds that the person gave with the request, over those of the settings."""


@dataclass(frozen=True)
class Found:
    """A session that a server keeps already, and that a new one here is bound to."""

    bound: RemoteSession
    engine: Engine
    incident: Incident
    """As far as the server's session tells what it is about."""


@dataclass(frozen=True)
class Surroundings:
    """What a session takes from the machine it runs on."""

    home: StateHome
    cwd: Path
    env: Mapping[str, str]
    stdin: BinaryIO | None = None
    clock: Clock = field(default_factory=SystemClock)
    attended: bool = False
    """A person can be asked for approvals."""

    @classmethod
    def of_process(cls, *, attended: bool = False) -> Surroundings:
        """Return this process's; raises StateError where there is no home."""
        from orchestrator.journal.home import StateHome

        stdin = sys.stdin.buffer if sys.stdin is not None else None
        return cls(StateHome.locate(), Path.cwd(), os.environ, stdin, attended=attended)
