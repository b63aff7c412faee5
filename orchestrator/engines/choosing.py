"""Which engine works: by name, or the best that the environment has a key for. Each is imported when chosen."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.config.model import EngineSettings
from orchestrator.engines.base import Engine
from orchestrator.journal.home import StateHome

ENGINES: Final = ("offline", "messages", "managed")


class ChoiceError(Exception):
    """The engine that was asked for cannot work here; the message is one line for people: what to set or run."""


def resolve(name: str, engine: EngineSettings, env: Mapping[str, str], home: StateHome) -> tuple[str, str]:
    """Return the engine that `auto` stands for, and a line for people where a key is there and is not used.

    `managed` where there is a key that may be sent and its agents were synced; else `offline`. Asks nobody.
    """
    if name != "auto":
        return name, ""
    from orchestrator.engines.credentials import CredentialError, endpoint
    from orchestrator.engines.managed.access import AccessError, access
    from orchestrator.engines.managed.register import Register
    from orchestrator.journal.faults import DiskFull, StateError

    try:
        endpoint(engine, env)
    except CredentialError as error:
        configured = engine.base_url or engine.key_env
        return "offline", f"the offline investigator works: {error}" if configured else ""
    try:
        access(engine, env, Register(home))
    except (AccessError, StateError, DiskFull) as error:
        return "offline", f"there is a key, but the offline investigator works: {error}"
    return "managed", ""


def choose(
    name: str, engine: EngineSettings, env: Mapping[str, str], home: StateHome, *, begun: bool = False
) -> Engine:
    """Return the engine of that name; raises ChoiceError with what to do. `begun`: for a session that is continued."""
    name, _ = resolve(name, engine, env, home)
    if name == "offline":
        from orchestrator.engines.offline.engine import OfflineEngine

        return OfflineEngine()
    if name == "managed":
        return _managed(engine, env, home, begun)
    if name in ENGINES:
        raise ChoiceError(f"the {name} engine comes with a later version; --engine offline needs no key and no network")
    raise ChoiceError(f"there is no engine {name!r}: use one of {', '.join(ENGINES)}")


def _managed(engine: EngineSettings, env: Mapping[str, str], home: StateHome, begun: bool) -> Engine:
    from orchestrator.engines.credentials import CredentialError
    from orchestrator.engines.managed.access import AccessError, access
    from orchestrator.engines.managed.engine import ManagedEngine
    from orchestrator.engines.managed.register import Register
    from orchestrator.journal.faults import DiskFull, StateError

    try:
        return ManagedEngine(access(engine, env, Register(home), begun=begun))
    except (AccessError, CredentialError, StateError, DiskFull) as error:
        raise ChoiceError(f"the managed engine cannot begin: {error}") from error
