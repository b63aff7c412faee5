"""Sessions that somebody else began at the stand-in, for tests of attaching, listing and deleting."""

from __future__ import annotations

import asyncio
from typing import Any

from orchestrator.engines.managed.definitions import OWNER_KEY
from orchestrator.engines.managed.register import Register
from orchestrator.engines.managed.remote_sessions import CLAIMED_KEY, HOST_KEY, INCIDENT_KEY
from orchestrator.journal.events import Event
from orchestrator.journal.home import StateHome
from orchestrator.journal.reader import JournalReader
from tests.standin import Standin
from tests.standin.cast import begin, connected

OTHER = "0ther1nstall0000"


def began(server: Standin, *scouts: str, text: str | None = "look at the shop", **more: Any) -> str:
    """Begin a session there; returns its id."""

    async def there() -> str:
        async with connected(server) as client:
            return await begin(client, *scouts, text=text, **more)

    return asyncio.run(there())


def made_by(install: str, incident: str = "INC-9", **more: str) -> dict[str, str]:
    """Return the metadata of a session that an installation made and drives."""
    return {OWNER_KEY: install, HOST_KEY: install, INCIDENT_KEY: incident, **more}


def claimed(install: str, at: str) -> dict[str, str]:
    return {HOST_KEY: install, CLAIMED_KEY: at}


def install_of(home: StateHome) -> str:
    return Register(home.ensure()).install


def rest(server: Standin, session: str) -> None:
    """Wait until a session is idle there, and its stored status says so."""
    server.until(lambda state: state.sessions[session].status == "idle")

    def settled() -> None:
        server.state.sessions[session].lag = 0

    server.run(settled)


def only_here(home: StateHome) -> str:
    """Return the only session that is kept here."""
    (name,) = home.session_ids()
    return name


def journal(home: StateHome, name: str | None = None) -> list[Event]:
    with JournalReader.open(home.session_dir(name or only_here(home))) as reader:
        assert reader.integrity.whole
        return list(reader.events())


def writes(server: Standin) -> list[str]:
    """Return the requests that were no reads."""
    return [f"{one.method} {one.path}" for one in server.requests if one.method != "GET"]
