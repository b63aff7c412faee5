"""The registry of actions as Textual takes it: bindings with ids, and the footer."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from tui.actions import Action, Context, of


def bindings_of(*contexts: Context) -> list[BindingType]:
    """Return the bindings of these contexts. None has priority: a question that stands keeps its keys."""
    return [binding(action) for action in of(*contexts)]


def binding(action: Action) -> Binding:
    """Return one action's binding, under its id."""
    return Binding(",".join(action.keys), action.run, action.word, show=bool(action.footer), id=action.id)
