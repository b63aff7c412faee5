"""A person's hand on the board, by key: add, pin, rule out, undo, and why; and the re-check of the symptom."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui import seams
from tui.screens.prompting import PromptingScreen
from tui.views.paint import fitted

if TYPE_CHECKING:
    from orchestrator.verdict.board import Hypothesis
    from tui.session_view import SessionActs

NAME_SHOWN = 24
"""Most characters of a hypothesis in a question."""


class BoardingScreen(PromptingScreen):
    """Asks about the board and carries it out; the hypothesis that is meant is the one under the cursor."""

    _meant = ""
    """The suspect that a question is about: the cursor may be elsewhere when it is answered."""

    def on_board(self) -> Hypothesis | None:
        """Return the hypothesis under the cursor; None where the cursor is not on the board."""
        raise NotImplementedError

    def action_hypothesis(self) -> None:
        """Ask for a hypothesis, and offer what the session knows."""
        self._remember_focus()
        self.prompt.ask("hypothesis", "add (down picks): words, or commit/flag/service/deploy NAME >")
        if self.view is not None and self.view.acts is not None:
            self.act(self._offer(self.view.acts))

    async def _offer(self, acts: SessionActs) -> None:
        from tui.widgets.picking import Pick

        self.prompt.offer("hypothesis", [Pick(one.words, one.told) for one in await acts.candidates()])

    def action_pin(self) -> None:
        """Pin the hypothesis under the cursor."""
        held = self.on_board()
        if held is not None:
            self._edit("pin", held.suspect.id)

    def action_rule_out(self) -> None:
        """Ask why the hypothesis under the cursor is ruled out."""
        held = self.on_board()
        if held is not None:
            from tui.views.naming import name_of

            self._meant = held.suspect.id
            self._remember_focus()
            self.prompt.ask("rule-out", f"rule out {fitted(name_of(held), NAME_SHOWN)}: why? >")

    def action_undo(self) -> None:
        """Take back the last word on the hypothesis under the cursor."""
        held = self.on_board()
        if held is not None:
            self._edit("undo", held.suspect.id)

    def action_why(self) -> None:
        """Show why the hypothesis under the cursor stands where it stands."""
        held = self.on_board()
        if held is not None:
            self.post_message(seams.WhyRequested(held.suspect.id))

    def action_recheck(self) -> None:
        """Ask where newer data is."""
        self._remember_focus()
        self.prompt.ask("recheck", "measure again with newer data in (. = where it was) >")

    def other_answers(self) -> dict[str, Callable[[str], None]]:
        """Return what becomes of the answers."""
        return {
            "hypothesis": lambda text: self._edit("add", text),
            "rule-out": lambda text: self._edit("rule_out", self._meant, text),
            "recheck": self._recheck,
        }

    def _edit(self, act: str, text: str, note: str = "") -> None:
        if self.view is not None and self.view.acts is not None:
            self.act(self.view.acts.edit_board(act, text, note))

    def _recheck(self, path: str) -> None:
        if self.view is not None and self.view.acts is not None:
            self.tell("measuring again …", "good")
            self.act(self.view.acts.recheck("" if path == "." else path))
