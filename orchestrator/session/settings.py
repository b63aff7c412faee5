"""How a session is run, and the few things that it is wired from."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import JsonValue

from orchestrator.config.model import Budgets
from orchestrator.hands.policy import Policy
from orchestrator.hands.rosters import RosterRecipe
from orchestrator.hands.spare import Spare
from orchestrator.hands.usage import Prices
from orchestrator.journal.home import StateHome
from orchestrator.journal.own_remote import RemoteSession
from orchestrator.journal.redaction import Redactor, install_key, own_secrets_from
from orchestrator.journal.secret_scanner import provider_scanner
from subagents.clock import SystemClock
from subagents.contract import Clock, ServiceInfo


@dataclass(frozen=True)
class Settings:
    """How a session is run. All of it has a default that is safe."""

    services: tuple[ServiceInfo, ...] = ()
    """Recorded with the session, so that opening it again needs none."""
    recipe: RosterRecipe = field(default_factory=RosterRecipe)
    policy: Policy = field(default_factory=Policy)
    budgets: Budgets = field(default_factory=Budgets)
    """Bounds that a new session starts with; an opened one has those of its journal."""
    prices: Prices = field(default_factory=Prices)
    attended: bool = False
    """A person can be asked. False: calls that need a yes are denied with the reason."""
    own_secrets: tuple[str, ...] | None = None
    """Secrets to keep out of everything; None takes them from the environment."""
    clock: Clock = field(default_factory=SystemClock)
    version: str = ""
    """warroom's own; empty takes the installed one's."""
    shown: dict[str, JsonValue] = field(default_factory=dict)
    """What the first event tells of the settings."""
    remarks: tuple[str, ...] = ()
    """What is wrong with what came in, a line each: recorded with the first events, so that no crash loses it."""
    directory: Path | None = None
    """The folder of a new session where it was made before (`StateHome.new_session`), such as for its inputs."""
    bound: RemoteSession | None = None
    """The server's session that a new one is from its first moment on; None: its engine makes one, or needs none."""
    operator: str = ""
    """Who runs it (`operator`): recorded with the first event and with each run."""
    spare: Spare | None = None
    """A worker that was started ahead of the session, which ends it."""
    grace_s: float = 5.0
    """How long an engine may take to stop by itself once it is told to."""


def make_redactor(home: StateHome, settings: Settings) -> Redactor:
    """Return the session's redactor, with this installation's key; its scanner may still be on the way."""
    scanner = provider_scanner(home.path)
    own = settings.own_secrets if settings.own_secrets is not None else own_secrets_from(os.environ)
    tests = (service.tests.env for service in settings.services if service.tests is not None)
    own += tuple(secret for environment in tests for secret in own_secrets_from(environment))
    return Redactor(own, install_key(home.path / "redaction.key"), () if scanner is None else (scanner,))


def write_log(path: Path, text: str) -> None:
    """Append to the log file (mode 0600); a log that cannot be written stops nothing."""
    with suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)


def operator() -> str:
    """Return who runs this process, for the record: the user that the system knows, the host, the process."""
    return f"{person()} on {os.uname().nodename}, process {os.getpid()}"


def person() -> str:
    """Return the user that the system knows, for the record of what a person did."""
    import pwd

    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"


def installed_version() -> str:
    """Return the version of warroom that runs."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("warroom")
    except PackageNotFoundError:
        return "unknown"
