"""What the palette offers: every action that can be done where the person is, by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from textual.screen import Screen

from tui.actions import Context, live, shown

NEVER_BY_NAME = frozenset({"palette", "review.arm", "review.arm_session", "review.confirm"})
"""Not in the palette: nothing but its own two keys says yes."""


class Named(NamedTuple):
    """An action as the palette shows it, and how the framework runs it."""

    title: str
    help: str
    run: str


def by_name(screen: Screen[Any], context: Context) -> Iterable[Named]:
    """Yield the actions that can be done on a screen now."""
    offers = getattr(screen, "offers", None)
    for action in live(context):
        if action.context in ("list", "page") or action.id in NEVER_BY_NAME:
            continue
        if offers is not None and not offers(action):
            continue
        scope = "app" if action.context == "everywhere" else "screen"
        keys = " ".join(shown(key) for key in action.keys)
        yield Named(f"{action.word} ({action.id}, key {keys})", action.help, f"{scope}.{action.run}")
