"""The scripts that ship with the stand-in, by name."""

from __future__ import annotations

from tests.standin.actor import Actor
from tests.standin.script import Script
from tests.standin.scripts.investigation import SCRIPT as INVESTIGATION


async def echo(actor: Actor) -> None:
    """Say back what was heard."""
    while True:
        heard = await actor.hear()
        await actor.say(f"You said: {heard.text}", think=True)


SCRIPTS: dict[str, Script] = {"echo": {"*": echo}, "investigation": INVESTIGATION, "demo": INVESTIGATION}
