"""Destructive acts take two steps: what would go, with a token for exactly that; then the token, or a typed `Y`."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import click

from tui.commands.faults import Fault, narrate


@dataclass(frozen=True)
class Doomed:
    """One thing that would go: how it is shown, and what it is at this moment."""

    shown: str
    state: str
    """Changes when the thing does, so that a token never covers more than was shown."""


def token_for(doomed: Sequence[Doomed]) -> str:
    """Return the token that confirms the removal of exactly these, as they are."""
    content = "\0".join(sorted(f"{item.shown}\0{item.state}" for item in doomed))
    return hashlib.sha256(content.encode("utf-8", "surrogateescape")).hexdigest()[:12]


def confirmed(
    doomed: Sequence[Doomed], token: str | None, again: str, act: tuple[str, str] = ("deleted", "delete")
) -> bool:
    """Say whether the person confirmed; where they did not, tell how (`again` is the command to repeat).

    A token that does not fit is refused. On a terminal, a typed `Y` confirms: not the key that asked.
    """
    (done, do), expected = act, token_for(doomed)
    if token is not None:
        if token != expected:
            raise Fault(f"the token does not fit what is there now; nothing was {done}; see again: {again}")
        return True
    narrate(f"This would be {done} for good:")
    for item in doomed:
        narrate(f"  {item.shown}")
    if sys.stdin is not None and sys.stdin.isatty() and sys.stderr is not None and sys.stderr.isatty():
        answer = click.prompt(f"Type Y (upper case) to {do}", default="", show_default=False, err=True)
        if answer == "Y":
            return True
        narrate(f"Nothing was {done}.")
        return False
    narrate(f"Nothing was {done} yet. To {do} exactly this: {again} --confirm {expected}")
    return False
