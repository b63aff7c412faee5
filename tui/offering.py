"""What can be done in the war room now, by what its session allows and where the person is; and why not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui import seams
from tui.actions import Action

if TYPE_CHECKING:
    from orchestrator.verdict.board import Hypothesis
    from tui.session_view import SessionView


@dataclass(frozen=True)
class Here:
    """Where the person is, and in which session: None while it is still being opened."""

    view: SessionView | None
    agent: str | None
    """In whose pane; None on the board."""
    held: Callable[[], Hypothesis | None]
    """The hypothesis under the cursor of the board, where the person is there."""


def offers(action: Action, here: Here) -> bool:
    """Say whether an action can be done now."""
    if action.needs and not seams.offered(action.needs):
        return False
    view, acts = here.view, here.view.acts if here.view is not None else None
    can = acts is not None and not acts.why_not
    if action.group == "Board" and action.id != "hypothesis.add":
        return _offers_on_board(action.id, can, here.held())
    match action.id:
        case "approvals":
            return view is not None and bool(view.to_review)
        case "recheck":
            return can and view is not None and view.incident.verdict is not None
        case "message" | "note" | "attach" | "hypothesis.add" | "logs.search":
            return can
        case "budget":
            return can and view is not None and view.spent.budgets is not None
        case "interrupt":
            return can and acts is not None and acts.running
        case "resume":
            ready = acts is not None and not acts.running and view is not None and view.caught_up
            return ready and (can or (acts is not None and (acts.watches or acts.free)))
        case "pane.copy":
            return view is not None and here.agent is not None and len(view.streams.tabs(here.agent)) > 1
        case "status.copy" | "report":
            return view is not None
        case "pane.follow":
            return here.agent is not None
        case _:
            return True


def _offers_on_board(name: str, can: bool, held: Hypothesis | None) -> bool:
    """Say whether something can be done to the hypothesis under the cursor."""
    wanted = {"hypothesis.pin": can, "hypothesis.rule_out": can, "hypothesis.why": True}
    return held is not None and wanted.get(name, can and held.touched if name == "hypothesis.undo" else False)


def why_not(action: Action, view: SessionView | None) -> str:
    """Say why an action cannot be done now: where the session can only be watched, that; empty where nothing says."""
    acts = view.acts if view is not None else None
    if acts is None and action.id != "pane.follow":
        return "it is still being opened"
    watching = acts is not None and acts.why_not and action.id not in ("pane.follow", "approvals")
    if action.group == "Board" and not watching and view is not None and not view.hypotheses:
        return "there is no hypothesis yet: h adds one"
    return acts.why_not if acts is not None and watching else ""
